//! Merging: two records turned out to be one person's.

use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{MergeId, Noun, PatientId};
use crate::patient::moved::Moved;
use crate::patient::{Patient, duplicate, inactive, row};
use crate::stamp::{Right, Stamp};
use crate::time::to_ms;

/// A merge that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// Its id, by which it can be undone.
    pub id: MergeId,
    /// The record that was kept, as it is now.
    pub kept: Patient,
}

/// Merges `duplicate` into `kept`: what only the duplicate says is copied, its identifiers,
/// appointments and places in the queue move, and it is no longer in use. Both must be in use.
pub fn merge(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    kept: PatientId,
    duplicate: PatientId,
) -> Result<Merge> {
    stamp.needs(Right::MergePatients)?;
    if kept == duplicate {
        return Err(Error::invalid("duplicate_id", "a record is not a duplicate of itself"));
    }
    let mut kept = row::one(tx, kept)?;
    let mut duplicate = row::one(tx, duplicate)?;
    if !kept.active || !duplicate.active {
        return Err(inactive());
    }
    let mut moved = Moved::give(&mut kept, &mut duplicate)?;
    kept.version += 1;
    duplicate.version += 1;
    duplicate.active = false;
    duplicate.merged_into = Some(kept.id);
    // The duplicate first: it gives its identifiers up before the other gets them.
    row::write(tx, &duplicate)?;
    row::write(tx, &kept)?;
    moved.give_relations(tx, kept.id, duplicate.id)?;
    duplicate::write(tx, duplicate.id, &[])?;
    duplicate::write(tx, kept.id, &duplicate::of(tx, &kept)?)?;
    moved.give_visits(tx, stamp, kept.id, duplicate.id)?;
    let id = MergeId::new(stamp.now);
    let moved = serde_json::to_string(&moved).map_err(|error| Error::Storage(error.to_string()))?;
    tx.sql()
        .prepare_cached(
            "INSERT INTO patient_merge (id, kept, duplicate, moved, at, undone_at)
             VALUES (?1, ?2, ?3, ?4, ?5, NULL)",
        )?
        .execute((id, kept.id, duplicate.id, &moved, to_ms(stamp.now)))?;
    for patient in [&duplicate, &kept] {
        let changed = (Noun::Patient, patient.id.as_bytes(), patient.version);
        tx.record(stamp, "merge", changed, Some(patient.id))?;
    }
    tx.record(stamp, "merge", (Noun::Merge, id.as_bytes(), 1), Some(kept.id))?;
    Ok(Merge { id, kept })
}
