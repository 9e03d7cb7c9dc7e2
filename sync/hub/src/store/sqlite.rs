//! SQLite: one file, one writing connection.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::migration::{LATEST, MIGRATIONS};
use super::sql::Tx;
use super::{IfMissing, StoreError, Stored};

/// How long another process may hold the write lock before a write is refused.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Prepared statements that the connection keeps.
const STATEMENTS_MAX: usize = 256;

/// An open file.
pub struct Sqlite {
    // Who has much to write takes it a hundred times in a row, and must not leave out who waits meanwhile.
    connection: Mutex<Connection>,
}

impl Sqlite {
    /// Opens the file and brings it to the newest format.
    pub fn open(path: &Path, missing: IfMissing) -> Stored<Self> {
        if missing == IfMissing::Refuse && !path.exists() {
            return Err(StoreError::Missing(path.to_owned()));
        }
        make_private(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(LOCK_WAIT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        // What is removed is overwritten, so that an erased clinic is not found in the file.
        connection.pragma_update(None, "secure_delete", true)?;
        migrate(&mut connection, path)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Runs a transaction that may write.
    pub fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.connection.lock();
        let tx = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(StoreError::from)?;
        let tx = Tx::Sqlite(tx);
        let done = work(&tx);
        tx.end(done).0
    }

    /// Puts the write-ahead log into the file and empties it.
    pub fn compact(&self) -> Stored<()> {
        let connection = self.connection.lock();
        Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Runs queries that all see the same state.
    pub fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.connection.lock();
        let tx = connection.transaction().map_err(StoreError::from)?;
        work(&Tx::Sqlite(tx))
    }
}

/// Makes an empty file that only its owner may look into, if there is none; SQLite gives the files
/// beside it the same rights.
fn make_private(path: &Path) -> Stored<()> {
    let made = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    made.map(drop).map_err(|error| StoreError::NotOpened(path.to_owned(), error))
}

fn migrate(connection: &mut Connection, path: &Path) -> Stored<()> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > LATEST {
        return Err(StoreError::Newer(path.display().to_string()));
    }
    if found == LATEST {
        // Nothing is written, so that a full disk can be looked at.
        return Ok(());
    }
    for (to, migration) in (1..).zip(MIGRATIONS) {
        if to > found {
            tx.execute_batch(migration)?;
        }
    }
    tx.pragma_update(None, "user_version", LATEST)?;
    Ok(tx.commit()?)
}
