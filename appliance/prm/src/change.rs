//! The change log: one row per write, which followers read from their own cursor.

use jiff::Timestamp;

use crate::db::{Read, Tx};
use crate::error::{Error, Result};
use crate::id::{LogId, Noun};
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, to_ms};

/// One write: which resource, which version of it, by which verb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Grows by one with each change of this log.
    pub sequence: i64,
    /// The kind of resource, as `Noun::as_str` says it.
    pub noun: String,
    /// The resource.
    pub resource: uuid::Uuid,
    /// The version that the write made.
    pub version: i64,
    /// The verb.
    pub verb: String,
    /// When.
    pub at: Timestamp,
}

/// The changes after `after`, oldest first, at most `limit` of them.
pub fn after(read: &Read<'_>, after: i64, limit: u32) -> Result<Vec<Change>> {
    let mut statement = read.sql().prepare_cached(
        "SELECT sequence, noun, resource, version, verb, at FROM change
         WHERE sequence > ?1 ORDER BY sequence LIMIT ?2",
    )?;
    let rows = statement.query_map((after, limit), from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The changes of one resource that are still known, newest first, before a version and at most
/// `limit` of them.
pub fn of(
    read: &Read<'_>,
    stamp: &Stamp,
    (noun, resource): (Noun, &[u8; 16]),
    before: i64,
    limit: u32,
) -> Result<Vec<Change>> {
    stamp.needs(Right::to_read(noun))?;
    let mut statement = read.sql().prepare_cached(
        "SELECT sequence, noun, resource, version, verb, at FROM change
         WHERE resource = ?1 AND version < ?2 ORDER BY version DESC LIMIT ?3",
    )?;
    let rows = statement.query_map((resource, before, limit), from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// When a version of a resource was made.
pub fn made_at(read: &Read<'_>, resource: &[u8; 16], version: i64) -> Result<Option<Timestamp>> {
    let mut statement = read.sql().prepare_cached(
        "SELECT at FROM change WHERE resource = ?1 AND version = ?2 ORDER BY sequence LIMIT 1",
    )?;
    let mut rows = statement.query((resource, version))?;
    rows.next()?.map(|row| Ok(from_ms(row.get(0)?))).transpose()
}

/// The sequence of the newest change; 0 before the first.
pub fn last(read: &Read<'_>) -> Result<i64> {
    Ok(read
        .sql()
        .prepare_cached("SELECT coalesce(max(sequence), 0) FROM change")?
        .query_row([], |row| row.get(0))?)
}

/// The identity of the log. Whoever follows starts again when it is another.
pub fn log_id(read: &Read<'_>) -> Result<LogId> {
    Ok(read.sql().prepare_cached("SELECT id FROM log")?.query_row([], |row| row.get(0))?)
}

/// Gives the log a new identity: the first time, and after a restore or a clone.
pub fn begin_log(tx: &mut Tx<'_>, stamp: &Stamp) -> Result<LogId> {
    let id = LogId::new(stamp.now);
    tx.sql()
        .prepare_cached(
            "INSERT INTO log (only, id, started_at) VALUES (1, ?1, ?2)
             ON CONFLICT (only) DO UPDATE SET id = excluded.id, started_at = excluded.started_at",
        )?
        .execute((id, to_ms(stamp.now)))?;
    tx.audit(stamp, "begin_log", Noun::Clinic, Some(id.as_bytes()), None)?;
    Ok(id)
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Change> {
    Ok(Change {
        sequence: row.get(0)?,
        noun: row.get(1)?,
        resource: uuid::Uuid::from_bytes(row.get(2)?),
        version: row.get(3)?,
        verb: row.get(4)?,
        at: from_ms(row.get(5)?),
    })
}

/// Checks that a row was at the version which the caller has seen, and answers the next one.
pub(crate) fn next_version(now: i64, seen: Option<i64>) -> Result<i64> {
    match seen {
        Some(seen) if seen != now => Err(Error::Stale { now }),
        Some(_) | None => Ok(now + 1),
    }
}
