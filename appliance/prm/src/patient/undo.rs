//! Undoing a merge: each record has again what it had, and what was written since stays.
//!
//! Merges into one record are undone in the opposite order, because a later one leaves out what an
//! earlier one had brought.

use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::id::{MergeId, Noun, PatientId};
use crate::patient::moved::Moved;
use crate::patient::{Patient, duplicate, row};
use crate::stamp::{Right, Stamp};
use crate::time::to_ms;

/// A merge that was undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// The record that had been kept.
    pub kept: Patient,
    /// The record that had been merged into it, in use again.
    pub restored: Patient,
}

/// Undoes a merge. Refused when it was undone before, when the kept record was itself merged, when
/// a later merge into it still stands, or when somebody else has one of the identifiers now.
pub fn undo_merge(tx: &mut Tx<'_>, stamp: &Stamp, id: MergeId) -> Result<Undone> {
    stamp.needs(Right::MergePatients)?;
    let (kept, restored, moved) = standing(tx, id)?;
    let mut kept = row::one(tx, kept)?;
    let mut restored = row::one(tx, restored)?;
    if kept.merged_into.is_some() {
        return Err(not_now("the record that was kept was itself merged since; undo that first"));
    }
    must_be_last(tx, id, kept.id)?;
    moved.take_back(&mut kept, &mut restored);
    kept.version += 1;
    restored.version += 1;
    restored.active = true;
    restored.merged_into = None;
    // The kept record first: it gives the identifiers up before the other gets them.
    row::write(tx, &kept)?;
    row::must_be_free(tx, restored.id, &restored.identifiers)?;
    row::write(tx, &restored)?;
    moved.take_back_relations(tx)?;
    moved.take_back_visits(tx, stamp, kept.id, restored.id)?;
    for patient in [&kept, &restored] {
        let alike = if patient.active { duplicate::of(tx, patient)? } else { Vec::new() };
        duplicate::write(tx, patient.id, &alike)?;
        let changed = (Noun::Patient, patient.id.as_bytes(), patient.version);
        tx.record(stamp, "undo_merge", changed, Some(patient.id))?;
    }
    tx.sql()
        .prepare_cached("UPDATE patient_merge SET undone_at = ?2 WHERE id = ?1")?
        .execute((id, to_ms(stamp.now)))?;
    tx.record(stamp, "undo_merge", (Noun::Merge, id.as_bytes(), 2), Some(kept.id))?;
    Ok(Undone { kept, restored })
}

/// The kept record, the duplicate and what was moved of a merge that was not undone.
fn standing(tx: &Tx<'_>, id: MergeId) -> Result<(PatientId, PatientId, Moved)> {
    let mut statement = tx.sql().prepare_cached(
        "SELECT kept, duplicate, moved, undone_at IS NOT NULL FROM patient_merge WHERE id = ?1",
    )?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or(Error::NotFound(Noun::Merge))?;
    let moved: String = row.get(2)?;
    if row.get(3)? {
        return Err(not_now("this merge was undone before"));
    }
    let moved = serde_json::from_str(&moved).map_err(|error| Error::Storage(error.to_string()))?;
    Ok((row.get(0)?, row.get(1)?, moved))
}

fn must_be_last(tx: &Tx<'_>, id: MergeId, kept: PatientId) -> Result<()> {
    let later = tx
        .sql()
        .prepare_cached(
            "SELECT 1 FROM patient_merge WHERE kept = ?1 AND undone_at IS NULL
             AND sequence > (SELECT sequence FROM patient_merge WHERE id = ?2)",
        )?
        .exists((kept, id))?;
    if later {
        return Err(not_now("another record was merged into the same one since; undo that first"));
    }
    Ok(())
}

fn not_now(why: &str) -> Error {
    Error::refused(Code::IllegalStep, why)
}
