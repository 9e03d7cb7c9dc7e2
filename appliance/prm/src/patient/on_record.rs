//! Whether somebody who comes from elsewhere is on record here.

use rusqlite::OptionalExtension as _;

use crate::db::Read;
use crate::error::{Code, Error, Result};
use crate::id::PatientId;
use crate::patient::register::checked;
use crate::patient::{Reason, Registration, duplicate, row};
use crate::stamp::{Right, Stamp};

/// The record that is certainly of the same person: one that has a number of theirs (ABHA or another
/// identifier), or else the only one with the same name, the same day of birth, a telephone number of
/// both and no other sex. A record that was merged leads to the one that was kept.
///
/// # Errors
/// *Identifier taken* if their numbers are those of several records, and what registering refuses.
pub fn on_record(
    read: &Read<'_>,
    stamp: &Stamp,
    registration: Registration,
) -> Result<Option<PatientId>> {
    stamp.needs(Right::ReadPatients)?;
    let patient = checked(read, stamp, registration)?;
    let mut with_number = Vec::new();
    for identifier in &patient.identifiers {
        let owner: Option<PatientId> = read
            .sql()
            .prepare_cached(
                "SELECT patient FROM patient_identifier WHERE system = ?1 AND value = ?2",
            )?
            .query_row((&identifier.system, &identifier.value), |row| row.get(0))
            .optional()?;
        if let Some(owner) = owner {
            let kept = row::one(read, owner)?.merged_into.unwrap_or(owner);
            if !with_number.contains(&kept) {
                with_number.push(kept);
            }
        }
    }
    match with_number.as_slice() {
        [] => {}
        [one] => return Ok(Some(*one)),
        [one, ..] => {
            let what = "the numbers of this person are those of several records here; merge them at \
                        the desk first";
            return Err(Error::refused(Code::IdentifierTaken(*one), what));
        }
    }
    let is_certain = |other: &duplicate::Alike| {
        other.very_likely
            && [Reason::SameName, Reason::SameBirthDate, Reason::SamePhone]
                .iter()
                .all(|reason| other.reasons.contains(reason))
    };
    let alike = duplicate::of(read, &patient)?;
    let mut certain = alike.iter().filter(|other| is_certain(other));
    Ok(match (certain.next(), certain.next()) {
        (Some(one), None) => Some(one.id),
        (_, _) => None,
    })
}
