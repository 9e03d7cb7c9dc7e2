//! Who on record somebody may be of whom a few things are said.
//!
//! A number that others gave is one person's. Beyond that, records are weighed as duplicates are
//! ([`super::duplicates`]): by name, date of birth, telephone and sex.

use super::duplicate::{self, Alike};
use super::{Identifier, Patient, PatientPhone, Sex, row};
use crate::contact::BirthDate;
use crate::db::Read;
use crate::error::Result;
use crate::id::PatientId;
use crate::search;
use crate::stamp::{Right, Stamp};

/// Records that one description finds at the most.
pub const LIKELY_MAX: usize = 50;
/// Records of like names that are looked at.
const NAMESAKES_MAX: usize = 50;
/// As much is sure: one name, one full date of birth and a telephone number of both.
const CERTAIN: f64 = 0.97;
/// As much is probable: a like name with a date of birth or a telephone number of both.
const PROBABLE: f64 = 0.7;
/// How sure a number of somebody else's makes what nothing else speaks for.
const BY_NUMBER_ALONE: f64 = 0.75;

/// What is said of somebody; each may be missing.
#[derive(Clone, Default)]
pub struct Description {
    /// Names, in any script or spelling.
    pub names: Vec<String>,
    /// Telephone numbers.
    pub phones: Vec<PatientPhone>,
    /// The date of birth.
    pub birth_date: Option<BirthDate>,
    /// The administrative sex.
    pub sex: Option<Sex>,
    /// Numbers given by others.
    pub identifiers: Vec<Identifier>,
    /// The clinic's own number.
    pub number: Option<i64>,
}

/// How sure it is that a record is that of the one who is described.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likelihood {
    /// It may be.
    Possible,
    /// It most likely is.
    Probable,
    /// It is.
    Certain,
}

/// A record that may be that of the one who is described.
#[derive(Debug)]
pub struct Likely {
    /// The record.
    pub patient: Patient,
    /// How likely it is, 0 to 1.
    pub score: f64,
    /// The same in a word.
    pub likelihood: Likelihood,
}

/// The records in use that may be of the one who is described, the likeliest first, at most `limit`
/// (and never more than [`LIKELY_MAX`]).
pub fn likely(
    read: &Read<'_>,
    stamp: &Stamp,
    description: &Description,
    limit: usize,
) -> Result<Vec<Likely>> {
    stamp.needs(Right::ReadPatients)?;
    let by_number = by_number(read, description)?;
    let described = as_patient(stamp, description);
    let mut ids = by_number.clone();
    ids.extend(duplicate::near(read, &described)?);
    ids.extend(of_like_name(read, &described.name)?);
    ids.sort();
    ids.dedup();
    let sought = duplicate::sought(&described);
    let mut found = Vec::new();
    for id in ids {
        let patient = row::one(read, id)?;
        if !patient.active {
            continue;
        }
        let alike = duplicate::weighed(&described, &sought, &patient);
        let is_numbered = by_number.contains(&id);
        if let Some((score, likelihood)) = judged(description, &patient, alike, is_numbered) {
            found.push(Likely { patient, score, likelihood });
        }
    }
    found.sort_by(|a, b| {
        let by_likelihood = b.likelihood.cmp(&a.likelihood);
        let by_score = by_likelihood.then_with(|| b.score.total_cmp(&a.score));
        by_score.then_with(|| a.patient.number.cmp(&b.patient.number))
    });
    found.truncate(limit.min(LIKELY_MAX));
    Ok(found)
}

/// How likely a record is the one; none if nothing speaks for it.
fn judged(
    description: &Description,
    patient: &Patient,
    alike: Option<Alike>,
    is_numbered: bool,
) -> Option<(f64, Likelihood)> {
    let Some(alike) = alike else {
        let is_named = !description.names.is_empty();
        let is_born_then = match (description.birth_date, patient.birth_date) {
            (Some(one), Some(two)) => Some(one.agrees_with(two)),
            (Some(_) | None, Some(_) | None) => None,
        };
        let has_phone = description
            .phones
            .iter()
            .any(|phone| patient.phones.iter().any(|theirs| theirs.number == phone.number));
        return match (is_numbered, is_named, is_born_then) {
            // A telephone is a family's.
            (false, false, Some(true)) if has_phone => Some((0.6, Likelihood::Possible)),
            (false, false, None) if has_phone => Some((0.4, Likelihood::Possible)),
            (false, _, _) => None,
            // Nothing that was said speaks against it.
            (true, false, None | Some(true)) => Some((1.0, Likelihood::Certain)),
            // A name can change, and a date be mistaken; not both.
            (true, true, Some(true)) | (true, false, Some(false)) => {
                Some((BY_NUMBER_ALONE, Likelihood::Probable))
            }
            (true, true, None | Some(false)) => Some((0.5, Likelihood::Possible)),
        };
    };
    if is_numbered {
        return Some((1.0, Likelihood::Certain));
    }
    let score = alike.score();
    let likelihood = if score >= CERTAIN {
        Likelihood::Certain
    } else if alike.very_likely || score >= PROBABLE {
        Likelihood::Probable
    } else {
        Likelihood::Possible
    };
    Some((score, likelihood))
}

/// Whose the numbers are.
fn by_number(read: &Read<'_>, description: &Description) -> Result<Vec<PatientId>> {
    let mut ids = Vec::new();
    let mut of_others = read.sql().prepare_cached(
        "SELECT patient FROM patient_identifier WHERE system = ?1 AND value = ?2",
    )?;
    for Identifier { system, value } in &description.identifiers {
        let found = of_others.query_map((system, value), |row| row.get(0))?;
        ids.extend(found.collect::<rusqlite::Result<Vec<PatientId>>>()?);
    }
    let mut own = read.sql().prepare_cached("SELECT id FROM patient WHERE number = ?1")?;
    if let Some(number) = description.number {
        let found = own.query_map([number], |row| row.get(0))?;
        ids.extend(found.collect::<rusqlite::Result<Vec<PatientId>>>()?);
    }
    Ok(ids)
}

fn of_like_name(read: &Read<'_>, name: &str) -> Result<Vec<PatientId>> {
    // A name with digits in it would be looked for among numbers.
    let name: String = name.chars().filter(|c| !c.is_numeric()).collect();
    let hits = search::find(read.sql(), &name, NAMESAKES_MAX)?;
    let mut id_of = read.sql().prepare_cached("SELECT id FROM patient WHERE number = ?1")?;
    let ids = hits.iter().map(|hit| id_of.query_row([hit.number], |row| row.get(0)));
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// The one who is described as a record, to be weighed against others.
fn as_patient(stamp: &Stamp, description: &Description) -> Patient {
    let Description { names, phones, birth_date, sex, identifiers: _, number: _ } = description;
    let mut names = names.iter().cloned();
    Patient {
        id: PatientId::new(stamp.now),
        version: 1,
        number: 0,
        name: names.next().unwrap_or_default(),
        names: names.collect(),
        phones: phones.clone(),
        birth_date: *birth_date,
        sex: sex.unwrap_or(Sex::Unknown),
        language: None,
        address: None,
        email: None,
        identifiers: Vec::new(),
        channels: Vec::new(),
        reminders: true,
        active: true,
        merged_into: None,
    }
}
