//! The references: what SQLite with SQLCipher does on the same disk when nothing stands around it.
//!
//! One row of about 300 bytes with a unique id of 16 bytes and one more index, WAL, every commit on the disk, pages
//! encrypted and proved as those of the box are.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use fastrand::Rng;
use rusqlite::Connection;

use crate::laps::{Laps, laps};

/// Rows that share a commit at the most: as many as the box's writer takes.
const ROWS_PER_COMMIT: usize = 64;
const PAYLOAD_BYTES: usize = 240;
const INSERT: &str = "INSERT INTO row (id, start, payload) VALUES (?1, ?2, ?3)";

/// A row that waits for its commit, and whoever waits with it.
struct Job {
    id: [u8; 16],
    done: SyncSender<()>,
}

/// Durable rows in a second with so many clients, each of which waits for its commit.
pub fn group_commit(folder: &Path, clients: usize, time: Duration) -> Result<f64> {
    let file = Bare::new(folder)?;
    let conn = file.conn()?;
    let (jobs, waiting) = sync_channel::<Job>(1_024);
    let begun = Instant::now();
    let rows = thread::scope(|scope| -> Result<usize> {
        let writer = scope.spawn(move || write(&conn, &waiting));
        for nth in 0..clients {
            let jobs = jobs.clone();
            scope.spawn(move || {
                let mut rng = Rng::with_seed(nth as u64);
                let (done, answered) = sync_channel(1);
                while begun.elapsed() < time {
                    let job = Job { id: rng.u128(..).to_be_bytes(), done: done.clone() };
                    if jobs.send(job).is_err() || answered.recv().is_err() {
                        break;
                    }
                }
            });
        }
        drop(jobs);
        writer.join().ok().context("the bare writer failed")?
    })?;
    Ok(rows as f64 / begun.elapsed().as_secs_f64())
}

fn write(conn: &Connection, waiting: &Receiver<Job>) -> Result<usize> {
    let payload = [7_u8; PAYLOAD_BYTES];
    let mut rows = 0;
    while let Ok(first) = waiting.recv() {
        conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut jobs = vec![first];
        while jobs.len() < ROWS_PER_COMMIT {
            let Ok(job) = waiting.try_recv() else { break };
            jobs.push(job);
        }
        let mut insert = conn.prepare_cached(INSERT)?;
        for job in &jobs {
            insert.execute((job.id, rows as i64, payload))?;
            rows += 1;
        }
        conn.prepare_cached("COMMIT")?.execute([])?;
        for job in jobs {
            // A client whose time is over does not listen any more.
            let _ = job.done.send(());
        }
    }
    Ok(rows)
}

/// How long one durable row takes when nobody else writes.
pub fn single_commits(folder: &Path, times: usize) -> Result<Laps> {
    let file = Bare::new(folder)?;
    let conn = file.conn()?;
    let mut rng = Rng::with_seed(1);
    laps(times, |nth| {
        let row = (rng.u128(..).to_be_bytes(), nth as i64, [7_u8; PAYLOAD_BYTES]);
        conn.prepare_cached(INSERT)?.execute(row)?;
        Ok(())
    })
}

/// A connection to the clinic's own database, to read what the box reads and nothing else.
pub fn reader(data: &Path) -> Result<Connection> {
    let key = fs::read(data.join("keys/database.key"))?;
    let conn = Connection::open(data.join("carepost.db"))?;
    unlock(&conn, &key)?;
    conn.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -8192;")?;
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(conn)
}

fn unlock(conn: &Connection, key: &[u8]) -> rusqlite::Result<()> {
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    conn.execute_batch(&format!(
        "PRAGMA key = \"x'{hex}'\"; PRAGMA cipher_hmac_algorithm = HMAC_SHA256;"
    ))
}

/// A database that is gone afterwards.
struct Bare(PathBuf);

impl Bare {
    fn new(folder: &Path) -> Result<Self> {
        let bare = Self(folder.join("bare.db"));
        bare.remove();
        bare.conn()?.execute_batch(
            "CREATE TABLE row (id BLOB PRIMARY KEY NOT NULL, start INTEGER NOT NULL, payload BLOB NOT NULL) STRICT;
             CREATE INDEX row_start ON row (start);",
        )?;
        Ok(bare)
    }

    fn conn(&self) -> Result<Connection> {
        let conn = Connection::open(&self.0)?;
        unlock(&conn, &[42; 32])?;
        conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        conn.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 4000;",
        )?;
        Ok(conn)
    }

    fn remove(&self) {
        for ending in ["", "-wal", "-shm"] {
            // What is not there need not go.
            let _ = fs::remove_file(format!("{}{ending}", self.0.display()));
        }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.remove();
    }
}
