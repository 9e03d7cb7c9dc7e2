//! The changes of all records of one kind, the newest first.

use jiff::Timestamp;

use crate::change::Change;
use crate::db::Read;
use crate::error::Result;
use crate::id::Noun;
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, to_ms};

/// Changes that one listing answers at the most.
const CHANGES_MAX: u32 = 1_000;

/// Which changes.
#[derive(Clone, Debug)]
pub struct Log<'a> {
    /// Of this kind of record.
    pub noun: Noun,
    /// Of this kind of chart resource, where it is one.
    pub kind: Option<&'a str>,
    /// Not before this time.
    pub since: Option<Timestamp>,
    /// Only before this sequence: the cursor.
    pub before: Option<i64>,
}

/// The changes that are still known, the newest first, at most `limit`.
pub fn changes(read: &Read<'_>, stamp: &Stamp, log: &Log<'_>, limit: u32) -> Result<Vec<Change>> {
    let Log { noun, kind, since, before } = log;
    stamp.needs(Right::to_read(*noun))?;
    let mut statement = read.sql().prepare_cached(
        "SELECT c.sequence, c.noun, c.resource, c.version, c.verb, c.at FROM change c
         WHERE c.noun = ?1 AND c.sequence < ?2 AND c.at >= ?3
           AND (?4 IS NULL OR EXISTS (SELECT 1 FROM chart r WHERE r.id = c.resource AND r.kind = ?4))
         ORDER BY c.sequence DESC LIMIT ?5",
    )?;
    let rows = statement.query_map(
        (
            noun.as_str(),
            before.unwrap_or(i64::MAX),
            since.map_or(i64::MIN, to_ms),
            kind,
            limit.min(CHANGES_MAX),
        ),
        |row| {
            Ok(Change {
                sequence: row.get(0)?,
                noun: row.get(1)?,
                resource: uuid::Uuid::from_bytes(row.get(2)?),
                version: row.get(3)?,
                verb: row.get(4)?,
                at: from_ms(row.get(5)?),
            })
        },
    )?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
