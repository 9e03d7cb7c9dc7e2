//! Who is what to whom: the relations of patients that were said at the desk.

use crate::db::Read;
use crate::error::Result;
use crate::id::PatientId;
use crate::stamp::{Right, Stamp};

/// Relations that one page answers at the most.
const RELATIONS_MAX: usize = 1_000;

/// Somebody's relation to a patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Relation {
    /// The patient.
    pub patient: PatientId,
    /// Who is something to the patient.
    pub related: PatientId,
}

/// The relations of people whose records are both in use, of one patient or of all, by the ids of
/// both, after `after` and at most `limit`.
pub fn relations(
    read: &Read<'_>,
    stamp: &Stamp,
    patient: Option<PatientId>,
    after: Option<Relation>,
    limit: usize,
) -> Result<Vec<Relation>> {
    stamp.needs(Right::ReadPatients)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT x.patient, x.related FROM patient_relation x
         JOIN patient p ON p.id = x.patient AND p.active = 1
         JOIN patient o ON o.id = x.related AND o.active = 1
         WHERE (?1 IS NULL OR x.patient = ?1)
           AND (?2 IS NULL OR (x.patient, x.related) > (?2, ?3))
         ORDER BY x.patient, x.related LIMIT ?4",
    )?;
    let rows = statement.query_map(
        (
            patient,
            after.map(|after| after.patient),
            after.map(|after| after.related),
            i64::try_from(limit.min(RELATIONS_MAX)).unwrap_or(0),
        ),
        |row| Ok(Relation { patient: row.get(0)?, related: row.get(1)? }),
    )?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
