//! The hub's database: all SQL of the hub, behind plain functions. SQLite, one writing connection.
//!
//! Invariant: what [`Store::write`] answers was committed with `synchronous=FULL`.

mod clinic;
mod record;
pub mod sql;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub use clinic::{
    Clinic, Code, Enrolled, add_clinic, add_code, clinic, clinic_named, clinics, code, count,
    enrolled, enrolled_at, owner_of_hardware, owner_of_key, put_enrolled, revoke, use_code,
};
pub use record::{
    ParkedRow, Record, apply, parked, parked_body, parked_count, put_record, record, record_count,
    save_ledger,
};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
pub use sql::Tx;

/// The migrations in order; never edited once they have run on a hub.
const MIGRATIONS: [&str; 1] = [include_str!("../../../migrations/hub/0001_clinic.sql")];

/// The newest format.
const LATEST: i64 = MIGRATIONS.len() as i64;

/// How long another process may hold the write lock before a write is refused.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Prepared statements that the connection keeps.
const STATEMENTS_MAX: usize = 64;

/// Why the database did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite or the disk failed, or another process held the lock for too long.
    #[error("the hub's database did not answer: {0}")]
    Failed(#[from] rusqlite::Error),
    /// A row is not what was written.
    #[error("the hub's database is damaged at {0}; put back a copy of the data folder")]
    Damaged(&'static str),
    /// A newer program made it.
    #[error("{0} was made by a newer carepost-hub; install that one (the file was not touched)")]
    Newer(PathBuf),
    /// Its file cannot be made or opened.
    #[error("the database {0} cannot be opened: {1}; look at the rights of the folder")]
    NotOpened(PathBuf, std::io::Error),
    /// It is not there.
    #[error("there is no hub in {0}; make one with `carepost-hub clinic add NAME --data DIR`")]
    Missing(PathBuf),
}

/// Numbers of a log are below 2^53, so that SQLite's 64 bits with a sign hold them.
fn to_stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number of a log, or a count, as it lies in the database.
fn from_stored(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// What database functions answer.
pub type Stored<T> = Result<T, StoreError>;

/// The database of a hub.
pub struct Store {
    connection: Mutex<Connection>,
}

/// Whether a database may be made where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfMissing {
    /// It is made.
    Make,
    /// It is an error.
    Refuse,
}

impl Store {
    /// Opens the database and brings it to the newest format.
    ///
    /// # Errors
    /// [`StoreError`].
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
        migrate(&mut connection, path)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Runs a transaction that may write; its answer is committed before it is given.
    ///
    /// # Errors
    /// What the closure answers; then nothing was written. Or [`StoreError::Failed`].
    pub fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let tx = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(StoreError::from)?;
        let tx = Tx::new(tx);
        let done = work(&tx)?;
        tx.commit()?;
        Ok(done)
    }

    /// Runs queries that all see the same state.
    ///
    /// # Errors
    /// What the closure answers, or [`StoreError::Failed`].
    pub fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let tx = connection.transaction().map_err(StoreError::from)?;
        work(&Tx::new(tx))
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
        return Err(StoreError::Newer(path.to_owned()));
    }
    for (to, migration) in (1..).zip(MIGRATIONS) {
        if to > found {
            tx.execute_batch(migration)?;
        }
    }
    tx.pragma_update(None, "user_version", LATEST)?;
    Ok(tx.commit()?)
}
