//! What is in the files: every resource with its place, and how far it has come. It lies on the disk
//! while the import runs, encrypted with a key that only this process knows.

use std::path::Path;

use anyhow::Context as _;
use ring::rand::{SecureRandom as _, SystemRandom};
use rusqlite::{Connection, OptionalExtension as _, Row};
use zeroize::Zeroizing;

const COLUMNS: &str = "nr, kind, name, file, line, start, length, given, local FROM item";

/// A resource in a file.
#[derive(Clone, Debug)]
pub struct Item {
    /// In the order in which the files hold them.
    pub nr: i64,
    /// Its type.
    pub kind: String,
    /// What the source calls it.
    pub name: String,
    /// Which file.
    pub file: usize,
    /// On which line it begins.
    pub line: i64,
    /// Its first byte.
    pub start: i64,
    /// Its bytes.
    pub length: i64,
    /// The SHA-256 of what it says.
    pub given: [u8; 32],
    /// The id here that was foreseen for it.
    pub local: Option<String>,
}

/// How far a resource has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits for its turn, or for what it refers to.
    Waits = 0,
    /// It was taken, or was there.
    Done = 1,
    /// It was refused.
    Refused = 2,
    /// It was taken without the references that lead in a circle.
    Half = 3,
}

/// What became of what was to be noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// It is the first of its name.
    New(i64),
    /// The same was noted before.
    Same,
    /// Something else was noted under its name before.
    Other,
}

/// What is known of a resource that another refers to.
#[derive(Clone, Debug)]
pub struct Known {
    /// In the order in which the files hold them.
    pub nr: i64,
    /// Its type.
    pub kind: String,
    /// What the source calls it.
    pub name: String,
    /// How far it has come.
    pub state: State,
    /// The id here that was foreseen for it.
    pub local: Option<String>,
}

/// The index.
pub struct Index {
    conn: Connection,
}

impl Index {
    /// A new one in a folder that is removed afterwards.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create(folder: &Path) -> anyhow::Result<Self> {
        let mut key = Zeroizing::new([0_u8; 32]);
        SystemRandom::new()
            .fill(key.as_mut())
            .map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?;
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let open = || -> rusqlite::Result<Connection> {
            let conn = Connection::open(folder.join("index.db"))?;
            conn.execute_batch(&format!("PRAGMA key = \"x'{hex}'\""))?;
            // What is lost with a crash is made again by the next run.
            conn.execute_batch(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384;
                 CREATE TABLE item (nr INTEGER PRIMARY KEY, rank INTEGER NOT NULL, kind TEXT NOT NULL,
                   name TEXT NOT NULL, file INTEGER NOT NULL, line INTEGER NOT NULL,
                   start INTEGER NOT NULL, length INTEGER NOT NULL, given BLOB NOT NULL,
                   state INTEGER NOT NULL, local TEXT) STRICT;
                 CREATE UNIQUE INDEX item_name ON item (kind, name);
                 CREATE INDEX item_turn ON item (state, rank, nr);
                 CREATE TABLE alias (url TEXT PRIMARY KEY, nr INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
            )?;
            Ok(conn)
        };
        let conn = open().context("the index of the import cannot be written; make room")?;
        Ok(Self { conn })
    }

    /// Begins to note many.
    pub fn begin(&self) -> rusqlite::Result<()> {
        self.conn.execute_batch("BEGIN")
    }

    /// Ends that.
    pub fn end(&self) -> rusqlite::Result<()> {
        self.conn.execute_batch("COMMIT")
    }

    /// Notes a resource; `item.nr` is given here.
    pub fn note(&self, item: &Item, rank: u8, state: State) -> rusqlite::Result<Noted> {
        let Item { nr: _, kind, name, file, line, start, length, given, local } = item;
        let written = self
            .conn
            .prepare_cached(
                "INSERT OR IGNORE INTO item (rank, kind, name, file, line, start, length, given, state, local)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute((rank, kind, name, *file as i64, line, start, length, given, state as i64, local))?;
        if written == 1 {
            return Ok(Noted::New(self.conn.last_insert_rowid()));
        }
        let before: [u8; 32] = self
            .conn
            .prepare_cached("SELECT given FROM item WHERE kind = ?1 AND name = ?2")?
            .query_row((kind, name), |row| row.get(0))?;
        Ok(if before == *given { Noted::Same } else { Noted::Other })
    }

    /// Notes an address of a resource.
    pub fn also_called(&self, url: &str, nr: i64) -> rusqlite::Result<()> {
        self.conn
            .prepare_cached("INSERT OR IGNORE INTO alias (url, nr) VALUES (?1, ?2)")?
            .execute((url, nr))?;
        Ok(())
    }

    /// The resource that the source calls so.
    pub fn named(&self, kind: &str, name: &str) -> rusqlite::Result<Option<Known>> {
        self.conn
            .prepare_cached(
                "SELECT nr, kind, name, state, local FROM item WHERE kind = ?1 AND name = ?2",
            )?
            .query_row((kind, name), known)
            .optional()
    }

    /// The resource at this address.
    pub fn at(&self, url: &str) -> rusqlite::Result<Option<Known>> {
        self.conn
            .prepare_cached(
                "SELECT i.nr, kind, name, state, local FROM alias JOIN item i USING (nr) WHERE url = ?1",
            )?
            .query_row([url], known)
            .optional()
    }

    /// The next ones of a state and rank behind a number, at most `limit`.
    pub fn next(
        &self,
        (state, rank, after): (State, u8, i64),
        limit: usize,
    ) -> rusqlite::Result<Vec<Item>> {
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT {COLUMNS} WHERE state = ?1 AND rank = ?2 AND nr > ?3 ORDER BY nr LIMIT ?4"
        ))?;
        let rows = statement.query_map((state as i64, rank, after, limit as i64), |row| {
            Ok(Item {
                nr: row.get(0)?,
                kind: row.get(1)?,
                name: row.get(2)?,
                file: usize::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
                line: row.get(4)?,
                start: row.get(5)?,
                length: row.get(6)?,
                given: row.get(7)?,
                local: row.get(8)?,
            })
        })?;
        rows.collect()
    }

    /// How many wait.
    pub fn waiting(&self) -> rusqlite::Result<u64> {
        let count: i64 = self
            .conn
            .prepare_cached("SELECT count(*) FROM item WHERE state = 0")?
            .query_row([], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// Notes how far one has come.
    pub fn set(&self, nr: i64, state: State) -> rusqlite::Result<()> {
        self.conn
            .prepare_cached("UPDATE item SET state = ?2 WHERE nr = ?1")?
            .execute((nr, state as i64))?;
        Ok(())
    }

    /// Notes the id here that is foreseen for one.
    pub fn foresee(&self, nr: i64, local: &str) -> rusqlite::Result<()> {
        self.conn
            .prepare_cached("UPDATE item SET local = ?2 WHERE nr = ?1")?
            .execute((nr, local))?;
        Ok(())
    }
}

fn known(row: &Row<'_>) -> rusqlite::Result<Known> {
    let state = match row.get(3)? {
        1_i64 => State::Done,
        2 => State::Refused,
        3 => State::Half,
        _ => State::Waits,
    };
    Ok(Known { nr: row.get(0)?, kind: row.get(1)?, name: row.get(2)?, state, local: row.get(4)? })
}
