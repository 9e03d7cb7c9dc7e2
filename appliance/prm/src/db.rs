//! The store: SQLite, encrypted with SQLCipher, one writer thread with group commit and a
//! pool of readers.
//!
//! Invariant: an answer to a write is given only after the commit that holds it is on the disk.
//! Invariant: `Db::read` and `Db::write` are the only places in this crate that await.

mod chain;
mod checkpoint;
mod key;
mod migration;
mod savepoint;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use self::chain::Chain;
pub(crate) use self::chain::{Head, code};
use self::checkpoint::LOG_PAGES_MAX;
pub use self::key::{Keys, KeysError};
pub use self::migration::LATEST;
pub use self::savepoint::Savepoint;
use self::writer::{Job, Told, Writer};
use crate::error::{Error, Result};

/// Writes that may wait for the writer; beyond it the answer is *busy*.
pub const WRITES_WAITING_MAX: usize = 1_024;
/// Writes that share one commit at the most.
pub const WRITES_PER_COMMIT_MAX: usize = 64;
/// Reads that may run or wait at once; beyond it the answer is *busy*.
pub const READS_WAITING_MAX: usize = 1_024;
/// Reader connections.
pub const READERS: usize = 4;
/// How long another process may hold the write lock before a write answers *busy*, in ms.
const LOCK_WAIT_MS: u64 = 5_000;
/// Instructions of SQLite's machine between two looks at a reader's deadline.
const DEADLINE_CHECK_OPS: i32 = 10_000;
/// How many such looks a read may take before it is cut off: about two seconds.
const DEADLINE_CHECKS_MAX: usize = 6_000;
/// Page cache of the writer, in KiB.
const WRITER_CACHE_KIB: i64 = 32 * 1024;
/// Page cache of each reader, in KiB.
const READER_CACHE_KIB: i64 = 8 * 1024;
/// A database up to this size is checked before it opens. A larger one would keep the desk
/// waiting: it is checked by `Db::integrity` after the start, and SQLCipher's page codes
/// refuse a damaged page in the meantime.
const CHECKED_AT_OPEN_MAX_BYTES: u64 = 8 * 1024 * 1024;
/// The code that proves each page. Processors compute SHA-256 by themselves and SHA-512, SQLCipher's
/// own choice, mostly not: every commit proves some hundred pages, every read from the disk one.
/// Said as the default, because only that holds for the copies that SQLite makes as well.
const PAGE_CODE: &str = "PRAGMA cipher_default_hmac_algorithm = HMAC_SHA256;";
/// SQLCipher would say on its own, beside what we say, that a page is damaged or a key wrong.
const NO_WORDS_OF_ITS_OWN: &str = "PRAGMA cipher_log_level = NONE;";
/// Prepared statements that each connection keeps.
const STATEMENTS_MAX: usize = 256;

/// Why a database cannot be opened; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No database where one should be.
    #[error("there is no database at {0}; make one with `carepost init`")]
    Missing(PathBuf),
    /// Something is there already.
    #[error("{0} exists already; choose another folder, it will not be overwritten")]
    Exists(PathBuf),
    /// The key does not open it.
    #[error(
        "the key does not open {0}, or the file is damaged at its beginning; put back the keys folder that belongs to it, or restore a backup"
    )]
    WrongKey(PathBuf),
    /// The file is damaged.
    #[error("{path} is damaged ({found}); restore a backup with `carepost restore`")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What SQLite's check said.
        found: String,
    },
    /// A newer program made it.
    #[error(
        "{path} is of format {found}, this program knows formats up to {known}; install the newer program (the file was not touched)"
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that this program knows.
        known: i64,
    },
    /// A migration or the copy before it failed; the database is as it was.
    #[error("the database could not be brought to format {to}: {why} (it is as it was)")]
    Migration {
        /// The format that was to be reached.
        to: i64,
        /// What failed.
        why: String,
    },
    /// The keys cannot be read.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// SQLite or the disk failed.
    #[error("the database at {path} cannot be opened: {why}")]
    Failed {
        /// Which file.
        path: PathBuf,
        /// What SQLite said.
        why: String,
    },
}

/// A read transaction: queries take this. Rows that it sees do not change under it.
pub struct Read<'a> {
    conn: &'a Connection,
}

impl<'a> Read<'a> {
    /// The connection, for the queries of the nouns.
    pub(crate) fn sql(&self) -> &'a Connection {
        self.conn
    }
}

/// A write transaction: verbs take this. It can read, too.
pub struct Tx<'a> {
    read: Read<'a>,
    pub(crate) chain: &'a mut Chain,
}

impl<'a> std::ops::Deref for Tx<'a> {
    type Target = Read<'a>;

    fn deref(&self) -> &Read<'a> {
        &self.read
    }
}

/// The clinic's records. Cheap to clone; all clones share the writer and the readers.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    keys: Keys,
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    readers: Mutex<Vec<Connection>>,
    reading: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    last_sequence: watch::Receiver<i64>,
    identities: Arc<AtomicU64>,
}

impl Db {
    /// Makes a new database at `path` and opens it.
    pub fn create(path: &Path, keys: Keys) -> std::result::Result<Self, OpenError> {
        if path.exists() {
            return Err(OpenError::Exists(path.to_owned()));
        }
        let conn = connect(path, &keys, OpenFlags::SQLITE_OPEN_CREATE)?;
        migration::run(&conn, path, &keys)?;
        drop(conn);
        Self::open(path, keys)
    }

    /// Opens the database at `path`: checks it, brings it to the latest format (keeping a copy
    /// of the older one beside it), and starts the writer.
    pub fn open(path: &Path, keys: Keys) -> std::result::Result<Self, OpenError> {
        if !path.exists() {
            return Err(OpenError::Missing(path.to_owned()));
        }
        let conn = connect(path, &keys, OpenFlags::empty())?;
        migration::refuse_newer(&conn, path)?;
        migration::run(&conn, path, &keys)?;
        let chain = Chain::load(&conn, keys.audit()).map_err(|error| failed(path, &error))?;
        let mut readers = Vec::with_capacity(READERS);
        for _ in 0..READERS {
            readers.push(connect_reader(path, &keys)?);
        }
        let (jobs, waiting) = mpsc::channel(WRITES_WAITING_MAX);
        let (announce, last_sequence) = watch::channel(chain.last_change());
        let identities = Arc::new(AtomicU64::new(chain.identities()));
        let no_thread = |error: std::io::Error| OpenError::Failed {
            path: path.to_owned(),
            why: error.to_string(),
        };
        let (checkpoints, checkpointing) =
            checkpoint::start(connect_writing(path, &keys)?).map_err(no_thread)?;
        let told =
            Told { last_sequence: announce, identities: Arc::clone(&identities), checkpoints };
        let writer = Writer::new(conn, chain, told);
        let writing = std::thread::Builder::new()
            .name("prm-writer".into())
            .spawn(move || writer.work(waiting))
            .map_err(no_thread)?;
        Ok(Self {
            inner: Arc::new(Inner {
                path: path.to_owned(),
                keys,
                jobs: Mutex::new(Some(jobs)),
                threads: Mutex::new(vec![writing, checkpointing]),
                readers: Mutex::new(readers),
                reading: Arc::new(Semaphore::new(READERS)),
                waiting: Arc::new(Semaphore::new(READS_WAITING_MAX)),
                last_sequence,
                identities,
            }),
        })
    }

    /// Runs a verb in a transaction and answers after the commit. Errors of the verb undo
    /// what it did, and nothing else.
    pub async fn write<T, F>(&self, verb: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.submit(Job::new(verb, move |result| {
            // Whoever asked may be gone; the write stands all the same.
            let _ = answer.send(result);
        }))?;
        answered.await.map_err(|_| Error::Storage("the writer has stopped".into()))?
    }

    /// `write` for callers outside the runtime: the command line, tests.
    pub fn write_blocking<T, F>(&self, verb: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (answer, answered) = std::sync::mpsc::sync_channel(1);
        self.submit(Job::new(verb, move |result| {
            let _ = answer.send(result);
        }))?;
        answered.recv().map_err(|_| Error::Storage("the writer has stopped".into()))?
    }

    /// Runs a query on a reader. It is cut off after about two seconds of work.
    pub async fn read<T, F>(&self, query: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Read<'_>) -> Result<T> + Send + 'static,
    {
        // Both belong to the query, which goes on when whoever asked is gone: so they are given
        // back when it ends, neither sooner nor never.
        let waiting =
            Arc::clone(&self.inner.waiting).try_acquire_owned().map_err(|_| Error::Busy)?;
        let stopped = |_| Error::Storage("the box is stopping".into());
        let turn = Arc::clone(&self.inner.reading).acquire_owned().await.map_err(stopped)?;
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || {
            let result = inner.read_now(query);
            drop((turn, waiting));
            result
        })
        .await
        .map_err(|_| Error::Storage("a query failed unexpectedly".into()))?
    }

    /// `read` for callers outside the runtime.
    pub fn read_blocking<T, F>(&self, query: F) -> Result<T>
    where
        F: FnOnce(&Read<'_>) -> Result<T>,
    {
        self.inner.read_now(query)
    }

    /// Runs a query that may take as long as it needs, on a connection of its own: checks and
    /// copies of everything, never something a screen waits for.
    pub fn read_at_length<T>(&self, query: impl FnOnce(&Read<'_>) -> Result<T>) -> Result<T> {
        let conn = connect_reader(&self.inner.path, &self.inner.keys)
            .map_err(|error| Error::Storage(error.to_string()))?;
        let tx = conn.unchecked_transaction()?;
        query(&Read { conn: &tx })
    }

    /// Tells the sequence of the newest committed change, each time that it grows.
    /// Writes of other processes are not told; whoever follows looks again from time to time.
    pub fn last_sequence(&self) -> watch::Receiver<i64> {
        self.inner.last_sequence.clone()
    }

    /// Grows when this process has written anything about who may sign in: staff, sessions,
    /// tokens, devices. Whoever remembers that a secret was good asks again when it has grown;
    /// what the command line writes in another process does not show here.
    pub fn identities(&self) -> u64 {
        self.inner.identities.load(Ordering::Acquire)
    }

    /// Writes that wait for the writer now.
    pub fn writes_waiting(&self) -> usize {
        let jobs = self.inner.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.as_ref().map_or(0, |jobs| WRITES_WAITING_MAX - jobs.capacity())
    }

    /// The keys that the database was opened with.
    pub fn keys(&self) -> &Keys {
        &self.inner.keys
    }

    /// Where the database is.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Writes a consistent copy, encrypted with the same key, to `to`, while writes go on.
    pub fn copy_to(&self, to: &Path) -> Result<()> {
        // Not a reader: a connection that may only query refuses to copy as well.
        let conn = connect_writing(&self.inner.path, &self.inner.keys)
            .map_err(|error| Error::Storage(error.to_string()))?;
        migration::vacuum_into(&conn, to).map_err(Error::from)
    }

    /// Runs SQLite's full integrity check; answers what it found wrong, or nothing.
    pub fn integrity(&self) -> Result<Vec<String>> {
        let conn = connect_reader(&self.inner.path, &self.inner.keys)
            .map_err(|error| Error::Storage(error.to_string()))?;
        check(&conn, "PRAGMA integrity_check").map_err(Error::from)
    }

    /// `integrity`, given up with an error soon after `stop` is set.
    pub fn integrity_until(&self, stop: &Arc<AtomicBool>) -> Result<Vec<String>> {
        let mut conn = connect_reader(&self.inner.path, &self.inner.keys)
            .map_err(|error| Error::Storage(error.to_string()))?;
        let stop = Arc::clone(stop);
        conn.progress_handler(DEADLINE_CHECK_OPS, Some(move || stop.load(Ordering::Relaxed)))?;
        check(&conn, "PRAGMA integrity_check").map_err(Error::from)
    }

    /// Finishes what is queued and stops the writer. Later writes answer an error.
    pub fn close(&self) {
        drop(self.inner.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let mut threads = self.inner.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            // One that panicked has nothing left to finish.
            let _ = thread.join();
        }
    }

    fn submit(&self, job: Job) -> Result<()> {
        let jobs = self.inner.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        match jobs.as_ref() {
            None => Err(Error::Storage("the box is stopping".into())),
            Some(jobs) => jobs.try_send(job).map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => Error::Busy,
                mpsc::error::TrySendError::Closed(_) => {
                    Error::Storage("the writer has stopped".into())
                }
            }),
        }
    }
}

impl Drop for Inner {
    /// A program must not end while the writer still closes its connection: the cryptography is
    /// taken down under it.
    fn drop(&mut self) {
        drop(self.jobs.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        let threads = self.threads.get_mut().unwrap_or_else(PoisonError::into_inner);
        let here = std::thread::current().id();
        // The last clone may be let go of by the writer itself, which cannot wait for its own end.
        if threads.iter().any(|thread| thread.thread().id() == here) {
            return;
        }
        for thread in threads.drain(..) {
            // One that panicked has nothing left to finish.
            let _ = thread.join();
        }
    }
}

impl Inner {
    fn read_now<T>(&self, query: impl FnOnce(&Read<'_>) -> Result<T>) -> Result<T> {
        let pooled = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut conn = match pooled {
            Some(conn) => conn,
            // Callers outside the runtime do not take turns; they get a connection of their own.
            None => connect_reader(&self.path, &self.keys)
                .map_err(|error| Error::Storage(error.to_string()))?,
        };
        let result = read_on(&mut conn, query);
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS {
            readers.push(conn);
        }
        result
    }
}

fn read_on<T>(conn: &mut Connection, query: impl FnOnce(&Read<'_>) -> Result<T>) -> Result<T> {
    let mut checks = 0;
    conn.progress_handler(
        DEADLINE_CHECK_OPS,
        Some(move || {
            checks += 1;
            checks > DEADLINE_CHECKS_MAX
        }),
    )?;
    let tx = conn.unchecked_transaction()?;
    let result = query(&Read { conn: &tx });
    tx.finish()?;
    result
}

fn connect(
    path: &Path,
    keys: &Keys,
    more: OpenFlags,
) -> std::result::Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let conn = open_with_key(path, keys, flags)?;
    let set = || -> rusqlite::Result<()> {
        conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        conn.execute_batch(&format!(
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -{WRITER_CACHE_KIB};
             PRAGMA wal_autocheckpoint = {LOG_PAGES_MAX}; PRAGMA trusted_schema = OFF;"
        ))
    };
    set().map_err(|error| failed(path, &error))?;
    let small = std::fs::metadata(path).is_ok_and(|file| file.len() <= CHECKED_AT_OPEN_MAX_BYTES);
    if small {
        let wrong = check(&conn, "PRAGMA quick_check(1)").map_err(|error| failed(path, &error))?;
        if let Some(found) = wrong.first() {
            return Err(OpenError::Damaged { path: path.to_owned(), found: found.clone() });
        }
    }
    Ok(conn)
}

fn connect_reader(path: &Path, keys: &Keys) -> std::result::Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = open_with_key(path, keys, flags)?;
    conn.execute_batch(&format!(
        "PRAGMA query_only = ON; PRAGMA cache_size = -{READER_CACHE_KIB}; PRAGMA trusted_schema = OFF;"
    ))
    .map_err(|error| failed(path, &error))?;
    Ok(conn)
}

/// A connection that may write, without the settings of the writer.
fn connect_writing(path: &Path, keys: &Keys) -> std::result::Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    open_with_key(path, keys, flags)
}

fn open_with_key(
    path: &Path,
    keys: &Keys,
    flags: OpenFlags,
) -> std::result::Result<Connection, OpenError> {
    let conn = Connection::open_with_flags(path, flags).map_err(|error| failed(path, &error))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    let unlock = || -> rusqlite::Result<()> {
        conn.busy_timeout(Duration::from_millis(LOCK_WAIT_MS))?;
        conn.execute_batch(NO_WORDS_OF_ITS_OWN)?;
        conn.execute_batch(PAGE_CODE)?;
        conn.execute_batch(&keys.database_pragma())?;
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
    };
    unlock().map_err(|error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => OpenError::WrongKey(path.to_owned()),
        Some(_) | None => failed(path, &error),
    })?;
    Ok(conn)
}

fn check(conn: &Connection, pragma: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = conn.prepare(pragma)?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut wrong = Vec::new();
    for line in lines {
        let line = line?;
        if line != "ok" {
            wrong.push(line);
        }
    }
    Ok(wrong)
}

fn failed(path: &Path, error: &rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            OpenError::Damaged { path: path.to_owned(), found: error.to_string() }
        }
        Some(_) | None => OpenError::Failed { path: path.to_owned(), why: error.to_string() },
    }
}

#[cfg(test)]
mod tests;
