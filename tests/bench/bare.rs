//! The references: what SQLite with SQLCipher does on the same disk when nothing stands around it.
//!
//! Once with one row of about 300 bytes, with a unique id of 16 bytes and one more index; once with the rows and indexes
//! that a booking leaves, which nobody checks. WAL, every commit on the disk, pages encrypted and proved as those of the
//! box are.

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

/// The tables of the box.
const SCHEMA: &str = include_str!("../../migrations/appliance/schema.sql");
/// The clinic whose bookings are written: practitioners, patients, quarters of an hour in a fortnight.
const PRACTITIONERS: u128 = 20;
const PATIENTS: u128 = 200_000;
const QUARTERS: i64 = 14 * 28;

/// What is written.
#[derive(Clone, Copy)]
pub enum What {
    /// One row with one more index.
    Row,
    /// The rows of a booking.
    Booking,
}

/// A row that waits for its commit, and whoever waits with it.
struct Job {
    id: [u8; 16],
    done: SyncSender<()>,
}

/// Durable rows or bookings in a second with so many clients, each of which waits for its commit.
pub fn group_commit(folder: &Path, what: What, clients: usize, time: Duration) -> Result<f64> {
    let file = Bare::new(folder, what)?;
    let conn = file.conn()?;
    let (jobs, waiting) = sync_channel::<Job>(1_024);
    let begun = Instant::now();
    let rows = thread::scope(|scope| -> Result<usize> {
        let writer = scope.spawn(move || write(&conn, what, &waiting));
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

fn write(conn: &Connection, what: What, waiting: &Receiver<Job>) -> Result<usize> {
    let mut rows = 0;
    let mut rng = Rng::with_seed(11);
    while let Ok(first) = waiting.recv() {
        conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut jobs = vec![first];
        while jobs.len() < ROWS_PER_COMMIT {
            let Ok(job) = waiting.try_recv() else { break };
            jobs.push(job);
        }
        for job in &jobs {
            rows += 1;
            match what {
                What::Row => insert_row(conn, job.id, rows as i64)?,
                What::Booking => insert_booking(conn, rows as i64, &mut rng)?,
            }
        }
        conn.prepare_cached("COMMIT")?.execute([])?;
        for job in jobs {
            // A client whose time is over does not listen any more.
            let _ = job.done.send(());
        }
    }
    Ok(rows)
}

fn insert_row(conn: &Connection, id: [u8; 16], nth: i64) -> Result<()> {
    conn.prepare_cached(INSERT)?.execute((id, nth, [7_u8; PAYLOAD_BYTES]))?;
    Ok(())
}

/// What a booking of a quarter of an hour leaves: the appointment, a claim for each five minutes, the change and the line
/// of the audit.
fn insert_booking(conn: &Connection, nth: i64, rng: &mut Rng) -> Result<()> {
    let id = (nth as u128).to_be_bytes();
    let practitioner = rng.u128(..PRACTITIONERS).to_be_bytes();
    let patient = rng.u128(..PATIENTS).to_be_bytes();
    let start = rng.i64(..QUARTERS) * 900_000;
    conn.prepare_cached(
        "INSERT INTO appointment (id, version, status, patient, practitioner, schedule, start, end, blocked_to, lane, created_at)
         VALUES (?1, 1, 'booked', ?2, ?3, ?3, ?4, ?5, ?5, 0, ?6)",
    )?
    .execute((id, patient, practitioner, start, start + 900_000, nth))?;
    let mut claim = conn.prepare_cached(
        "INSERT INTO claim (actor, tick, lane, appointment) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for tick in 0..3 {
        // As many lanes as it takes: the clinic's slots would run out.
        claim.execute((practitioner, start / 300_000 + tick, nth, id))?;
    }
    conn.prepare_cached(
        "INSERT INTO change (sequence, noun, resource, version, verb, at)
         VALUES (?1, 'appointment', ?2, 1, 'book', ?1)",
    )?
    .execute((nth, id))?;
    conn.prepare_cached(
        "INSERT INTO audit (sequence, at, actor_kind, actor, channel, verb, noun, resource, patient, mac)
         VALUES (?1, ?1, 'token', ?2, 'api', 'book', 'appointment', ?2, ?3, ?4)",
    )?
    .execute((nth, id, patient, [7_u8; 32]))?;
    Ok(())
}

/// How long one durable row takes when nobody else writes.
pub fn single_commits(folder: &Path, times: usize) -> Result<Laps> {
    let file = Bare::new(folder, What::Row)?;
    let conn = file.conn()?;
    let mut rng = Rng::with_seed(1);
    laps(times, |nth| insert_row(&conn, rng.u128(..).to_be_bytes(), nth as i64))
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
    fn new(folder: &Path, what: What) -> Result<Self> {
        let bare = Self(folder.join("bare.db"));
        bare.remove();
        bare.conn()?.execute_batch(match what {
            What::Row => {
                "CREATE TABLE row (id BLOB PRIMARY KEY NOT NULL, start INTEGER NOT NULL, payload BLOB NOT NULL) STRICT;
                 CREATE INDEX row_start ON row (start);"
            }
            What::Booking => SCHEMA,
        })?;
        Ok(bare)
    }

    fn conn(&self) -> Result<Connection> {
        let conn = Connection::open(&self.0)?;
        unlock(&conn, &[42; 32])?;
        conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        conn.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 4000;
             PRAGMA foreign_keys = OFF;",
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
