//! The family: people who are related to a patient or share a telephone number.

use crate::contact;
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{Noun, PatientId};
use crate::patient::{PHONE_SHARERS_MAX, Patient, inactive, row};
use crate::stamp::{Right, Stamp};

/// People of one family that are listed, and that one patient can be related to, at the most.
pub const FAMILY_MAX: u32 = 50;
/// The longest word for a relationship, in letters.
const RELATIONSHIP_LETTERS_MAX: usize = 40;

/// One of the family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relative {
    /// Who.
    pub patient: Patient,
    /// What this person is to the patient asked about, where it was said.
    pub relationship: Option<String>,
}

/// Says that `related` is the `relationship` (for example `mother`) of `id`; said again, the
/// later word stands. The patient's version grows.
pub fn relate(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: PatientId,
    related: PatientId,
    relationship: &str,
) -> Result<()> {
    stamp.needs(Right::WritePatients)?;
    let relationship = contact::name("relationship", relationship)?.to_lowercase();
    if relationship.chars().count() > RELATIONSHIP_LETTERS_MAX {
        return Err(Error::invalid(
            "relationship",
            format!("a relationship has at most {RELATIONSHIP_LETTERS_MAX} letters"),
        ));
    }
    if id == related {
        return Err(Error::invalid("patient_id", "nobody is their own relative"));
    }
    let patient = row::one(tx, id)?;
    if !patient.active || !row::one(tx, related)?.active {
        return Err(inactive());
    }
    let others: u32 = tx
        .sql()
        .prepare_cached(
            "SELECT count(*) FROM patient_relation WHERE patient = ?1 AND related <> ?2",
        )?
        .query_row((id, related), |row| row.get(0))?;
    if others >= FAMILY_MAX {
        return Err(Error::refused(
            Code::TooMany,
            format!("a patient has at most {FAMILY_MAX} relatives on record"),
        ));
    }
    tx.sql()
        .prepare_cached(
            "INSERT INTO patient_relation (patient, related, relationship) VALUES (?1, ?2, ?3)
             ON CONFLICT (patient, related) DO UPDATE SET relationship = excluded.relationship",
        )?
        .execute((id, related, &relationship))?;
    let version = row::next(tx, id)?;
    tx.record(stamp, "relate", (Noun::Patient, id.as_bytes(), version), Some(id))
}

/// Takes back what was said of two people's kinship, in both directions. The version of each
/// record that said so grows. Answers whether one of them did.
pub fn unrelate(tx: &mut Tx<'_>, stamp: &Stamp, id: PatientId, related: PatientId) -> Result<bool> {
    stamp.needs(Right::WritePatients)?;
    let patient = row::one(tx, id)?;
    if !patient.active || !row::one(tx, related)?.active {
        return Err(inactive());
    }
    let mut said_so = Vec::with_capacity(2);
    for (who, of) in [(id, related), (related, id)] {
        let taken = tx
            .sql()
            .prepare_cached("DELETE FROM patient_relation WHERE patient = ?1 AND related = ?2")?
            .execute((who, of))?;
        if taken > 0 {
            said_so.push(who);
        }
    }
    for who in &said_so {
        let version = row::next(tx, *who)?;
        tx.record(stamp, "unrelate", (Noun::Patient, who.as_bytes(), version), Some(*who))?;
    }
    Ok(!said_so.is_empty())
}

/// The active people who are related to a patient, either way round, or share a telephone
/// number; those who are related first, at most [`FAMILY_MAX`].
pub fn family(read: &Read<'_>, stamp: &Stamp, id: PatientId) -> Result<Vec<Relative>> {
    stamp.needs(Right::ReadPatients)?;
    let patient = row::one(read, id)?;
    let mut found: Vec<(PatientId, Option<String>)> = Vec::new();
    let mut statement = read.sql().prepare_cached(
        "SELECT related, relationship FROM patient_relation WHERE patient = ?1
         UNION ALL SELECT patient, NULL FROM patient_relation WHERE related = ?1 LIMIT ?2",
    )?;
    let related = statement.query_map((id, FAMILY_MAX), |row| Ok((row.get(0)?, row.get(1)?)))?;
    found.extend(related.collect::<rusqlite::Result<Vec<_>>>()?);
    let mut sharers = read
        .sql()
        .prepare_cached("SELECT patient FROM patient_phone WHERE number = ?1 LIMIT ?2")?;
    for phone in &patient.phones {
        let ids = sharers
            .query_map((phone.number.as_str(), PHONE_SHARERS_MAX), |row| Ok((row.get(0)?, None)))?;
        found.extend(ids.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    let mut family: Vec<Relative> = Vec::new();
    for (who, relationship) in found {
        if who == id || family.iter().any(|known| known.patient.id == who) {
            continue;
        }
        let patient = row::one(read, who)?;
        if patient.active && family.len() < FAMILY_MAX as usize {
            family.push(Relative { patient, relationship });
        }
    }
    Ok(family)
}
