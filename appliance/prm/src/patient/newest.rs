//! All patients, the newest first.

use crate::db::Read;
use crate::error::Result;
use crate::id::PatientId;
use crate::patient::{Patient, row};
use crate::stamp::{Right, Stamp};

/// Patients that one listing answers at the most.
pub const NEWEST_MAX: u32 = 1_000;

/// Patients by their number downwards, at most `limit` (and never more than [`NEWEST_MAX`]), of
/// those with a number below `before`; records that are not in use only if `all`.
pub fn newest(
    read: &Read<'_>,
    stamp: &Stamp,
    all: bool,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Patient>> {
    stamp.needs(Right::ReadPatients)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT id FROM patient WHERE number < ?1 AND (?2 OR active = 1) ORDER BY number DESC LIMIT ?3",
    )?;
    let asked = (before.unwrap_or(i64::MAX), all, limit.min(NEWEST_MAX));
    let ids = statement.query_map(asked, |row| row.get(0))?;
    let ids = ids.collect::<rusqlite::Result<Vec<PatientId>>>()?;
    ids.into_iter().map(|id| row::one(read, id)).collect()
}
