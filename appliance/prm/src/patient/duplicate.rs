//! Records that may be of one person.
//!
//! Each write of a patient compares the record with a bounded number of others (those who share a
//! telephone number, and those whose name sounds alike and who were born in the same year) and
//! keeps the pairs, so that listing them costs the same whatever the number of patients.

use crate::contact::BirthDate;
use crate::db::{Read, Tx};
use crate::error::Result;
use crate::id::PatientId;
use crate::name::Sought;
use crate::patient::{PHONE_SHARERS_MAX, Patient, Sex, dismissal, row};
use crate::stamp::{Right, Stamp};

/// Pairs that one listing answers at the most.
pub const DUPLICATES_MAX: u32 = 200;
/// Namesakes born in the same year that are looked at.
const NAMESAKES_MAX: u32 = 200;
/// Names less alike than this are those of two people.
const LIKE: f64 = 0.85;
/// Names as alike as this are one name, spelt in two ways.
const SAME: f64 = 0.95;
/// Pairs with less than this are not kept.
const FLOOR: f64 = 0.7;
/// What a name that is alike brings.
const OF_NAME: f64 = 0.5;
/// What the same date of birth brings.
const OF_BIRTH: f64 = 0.25;
/// What dates of birth that agree as far as both are known bring.
const OF_BIRTH_IN_PART: f64 = 0.2;
/// What a shared telephone number brings.
const OF_PHONE: f64 = 0.25;
/// What another sex takes away.
const OF_OTHER_SEX: f64 = 0.2;

/// Two records that may be of one person.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The record made first.
    pub a: Patient,
    /// The other.
    pub b: Patient,
    /// How likely it is, 0 to 1.
    pub score: f64,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// Why two records may be of one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// One name, perhaps spelt in two ways.
    SameName,
    /// Names that are alike.
    LikeName,
    /// The same date of birth.
    SameBirthDate,
    /// Dates of birth that agree as far as both are known.
    AgreeingBirthDate,
    /// A telephone number of both.
    SamePhone,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 5] = [
        Self::SameName,
        Self::LikeName,
        Self::SameBirthDate,
        Self::AgreeingBirthDate,
        Self::SamePhone,
    ];

    /// The word for it, in the records and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SameName => "same_name",
            Self::LikeName => "like_name",
            Self::SameBirthDate => "same_birth_date",
            Self::AgreeingBirthDate => "agreeing_birth_date",
            Self::SamePhone => "same_phone",
        }
    }
}

/// A record that may be of the same person as another.
#[derive(Clone, Debug)]
pub(super) struct Alike {
    pub(super) id: PatientId,
    /// Whether registering it again is refused unless accepted.
    pub(super) very_likely: bool,
    score: f64,
    pub(super) reasons: Vec<Reason>,
}

/// Pairs of records that may be of one person, the likeliest first, at most `limit` (and never
/// more than one over [`DUPLICATES_MAX`]); those after a pair's score and ids, the lesser id first.
pub fn duplicates(
    read: &Read<'_>,
    stamp: &Stamp,
    after: Option<(f64, PatientId, PatientId)>,
    limit: u32,
) -> Result<Vec<Pair>> {
    stamp.needs(Right::MergePatients)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT a, b, score, reasons FROM patient_likeness
         WHERE ?1 IS NULL OR score < ?1 OR (score = ?1 AND (a, b) > (?2, ?3))
         ORDER BY score DESC, a, b LIMIT ?4",
    )?;
    let (score, a, b) = match after {
        Some((score, a, b)) => (Some(score), Some(a), Some(b)),
        None => (None, None, None),
    };
    let mut rows = statement.query((score, a, b, limit.min(DUPLICATES_MAX + 1)))?;
    let mut pairs = Vec::new();
    while let Some(row) = rows.next()? {
        let reasons: String = row.get(3)?;
        let said = |reason: &Reason| reasons.split(' ').any(|word| word == reason.as_str());
        let (a, b) = (row::one(read, row.get(0)?)?, row::one(read, row.get(1)?)?);
        let (a, b) = if a.number < b.number { (a, b) } else { (b, a) };
        let score = row.get(2)?;
        pairs.push(Pair { a, b, score, reasons: Reason::ALL.into_iter().filter(said).collect() });
    }
    Ok(pairs)
}

impl Alike {
    /// How likely it is, 0 to 1.
    pub(super) fn score(&self) -> f64 {
        self.score
    }
}

/// The active records that share a telephone number with `patient`, or sound alike and were born in the
/// same year.
pub(super) fn near(read: &Read<'_>, patient: &Patient) -> Result<Vec<PatientId>> {
    let mut ids: Vec<PatientId> = Vec::new();
    let mut sharers = read.sql().prepare_cached(
        "SELECT t.patient FROM patient_phone t JOIN patient p ON p.id = t.patient
         WHERE t.number = ?1 AND p.active = 1 AND p.id <> ?2 LIMIT ?3",
    )?;
    for phone in &patient.phones {
        let found = sharers
            .query_map((phone.number.as_str(), patient.id, PHONE_SHARERS_MAX), |row| row.get(0))?;
        ids.extend(found.collect::<rusqlite::Result<Vec<PatientId>>>()?);
    }
    if let Some(birth_date) = patient.birth_date {
        // The newest first: a record made twice is mostly made twice soon.
        let mut namesakes = read.sql().prepare_cached(
            "SELECT id, birth_date FROM patient
             WHERE name_key = ?1 AND birth_year = ?2 AND active = 1 AND id <> ?3
             ORDER BY number DESC LIMIT ?4",
        )?;
        let key = row::name_key(&patient.name);
        let mut rows = namesakes.query((key, birth_date.year(), patient.id, NAMESAKES_MAX))?;
        while let Some(row) = rows.next()? {
            let born: String = row.get(1)?;
            // Those born on another day are pairs only with a shared number, which was seen above.
            if BirthDate::parse(&born)?.agrees_with(birth_date) {
                ids.push(row.get(0)?);
            }
        }
    }
    ids.sort();
    ids.dedup();
    Ok(ids)
}

/// The active records that may be of the same person as `patient`, but for those of which staff
/// said that they are not.
pub(super) fn of(read: &Read<'_>, patient: &Patient) -> Result<Vec<Alike>> {
    let sought = sought(patient);
    let mut alike = Vec::new();
    for id in near(read, patient)? {
        let other = row::one(read, id)?;
        if let Some(found) = weighed(patient, &sought, &other)
            && found.score >= FLOOR
            && !dismissal::stands(read, patient, &other)?
        {
            alike.push(found);
        }
    }
    Ok(alike)
}

/// Keeps these pairs of a patient in place of those kept before.
pub(super) fn write(tx: &Tx<'_>, id: PatientId, alike: &[Alike]) -> Result<()> {
    tx.sql().prepare_cached("DELETE FROM patient_likeness WHERE a = ?1")?.execute([id])?;
    tx.sql().prepare_cached("DELETE FROM patient_likeness WHERE b = ?1")?.execute([id])?;
    let mut insert = tx.sql().prepare_cached(
        "INSERT INTO patient_likeness (a, b, score, reasons) VALUES (min(?1, ?2), max(?1, ?2), ?3, ?4)",
    )?;
    for other in alike {
        let reasons: Vec<&str> = other.reasons.iter().map(|reason| reason.as_str()).collect();
        insert.execute((id, other.id, other.score, reasons.join(" ")))?;
    }
    Ok(())
}

/// The names of a patient, to be compared with others.
pub(super) fn sought(patient: &Patient) -> Vec<Sought> {
    // The space says that the last word is whole.
    names(patient).map(|name| Sought::new(&format!("{name} "))).collect()
}

fn names(patient: &Patient) -> impl Iterator<Item = &String> {
    std::iter::once(&patient.name).chain(&patient.names)
}

/// How much speaks for two records being of one person; none if their names are not alike.
pub(super) fn weighed(patient: &Patient, sought: &[Sought], other: &Patient) -> Option<Alike> {
    // Both ways round, so that it does not matter which of the two was written last.
    let theirs = self::sought(other);
    let mine_in_theirs =
        names(other).flat_map(|name| sought.iter().map(|sought| sought.likeness(name)));
    let theirs_in_mine =
        names(patient).flat_map(|name| theirs.iter().map(|sought| sought.likeness(name)));
    let likeness = mine_in_theirs.chain(theirs_in_mine).fold(0.0, f64::max);
    if likeness < LIKE {
        return None;
    }
    let mut score = OF_NAME * likeness;
    let mut reasons = vec![if likeness >= SAME { Reason::SameName } else { Reason::LikeName }];
    let birth = match (patient.birth_date, other.birth_date) {
        (Some(one), Some(two)) if one == two && matches!(one, BirthDate::Day(_)) => {
            Some((OF_BIRTH, Reason::SameBirthDate))
        }
        (Some(one), Some(two)) if one.agrees_with(two) => {
            Some((OF_BIRTH_IN_PART, Reason::AgreeingBirthDate))
        }
        (Some(_) | None, Some(_) | None) => None,
    };
    if let Some((worth, reason)) = birth {
        score += worth;
        reasons.push(reason);
    }
    let shared = patient
        .phones
        .iter()
        .any(|phone| other.phones.iter().any(|theirs| theirs.number == phone.number));
    if shared {
        score += OF_PHONE;
        reasons.push(Reason::SamePhone);
    }
    let other_sex = patient.sex != other.sex && ![patient.sex, other.sex].contains(&Sex::Unknown);
    if other_sex {
        score -= OF_OTHER_SEX;
    }
    let very_likely = shared && birth.is_some() && !other_sex;
    Some(Alike { id: other.id, very_likely, score: score.clamp(0.0, 1.0), reasons })
}
