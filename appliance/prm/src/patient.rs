//! The people who are or were treated here (FHIR Patient): what is on record of each.
//!
//! Invariant: a record that was merged into another is inactive, says into which, and is never
//! written again until the merge is undone.
//! Invariant: whatever a patient is found by is indexed in the transaction that writes it.

mod address;
mod dismissal;
mod duplicate;
mod edit;
mod family;
pub mod field;
mod identifier;
mod likely;
mod merge;
mod moved;
mod newest;
mod on_record;
mod raw;
mod register;
mod row;
mod undo;

use std::fmt;

pub use self::address::{Address, AddressEdit};
pub use self::dismissal::dismiss_duplicate;
pub use self::duplicate::{DUPLICATES_MAX, Pair, Reason, duplicates};
pub use self::edit::{Edit, edit};
pub use self::family::{FAMILY_MAX, Relative, family, relate, unrelate};
pub use self::identifier::{ABHA_SYSTEM, Identifier, abha_spellings, is_abha_system};
pub use self::likely::{Description, LIKELY_MAX, Likelihood, Likely, likely};
pub use self::merge::{Merge, merge};
pub use self::moved::MOVED_MAX;
pub use self::newest::{NEWEST_MAX, newest};
pub use self::on_record::on_record;
pub use self::raw::{IDENTIFIERS_MAX, NAMES_MAX, PHONES_MAX, RawIdentifier, RawPhone};
pub use self::register::{Registration, register};
pub use self::undo::{Undone, undo_merge};
use serde::{Deserialize, Serialize};

use crate::contact::{BirthDate, Phone};
use crate::db::Read;
use crate::error::{Code, Error, Result};
use crate::id::{Noun, PatientId};
use crate::past;
use crate::search;
use crate::stamp::{Right, Stamp};

/// People of one telephone number that are looked at; more than any family has.
pub const PHONE_SHARERS_MAX: u32 = 50;

/// A person who is or was treated here.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patient {
    /// The id.
    pub id: PatientId,
    /// Grows with each edit.
    pub version: i64,
    /// The clinic's own patient number.
    pub number: i64,
    /// The name as it is called out.
    pub name: String,
    /// The same name in other scripts or spellings.
    pub names: Vec<String>,
    /// Telephone numbers, the preferred one first.
    pub phones: Vec<PatientPhone>,
    /// The date of birth, of which the day or the month may be unknown.
    pub birth_date: Option<BirthDate>,
    /// The administrative sex.
    pub sex: Sex,
    /// The language to speak to the patient (a BCP 47 tag).
    pub language: Option<String>,
    /// Where the patient lives.
    pub address: Option<Address>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Numbers given by others, such as the ABHA number.
    pub identifiers: Vec<Identifier>,
    /// How the patient wants to be reached, the preferred way first.
    pub channels: Vec<ContactChannel>,
    /// Whether the patient wants to be reminded.
    pub reminders: bool,
    /// Whether the record is in use.
    pub active: bool,
    /// The record into which this one was merged.
    pub merged_into: Option<PatientId>,
}

impl fmt::Debug for Patient {
    /// Everything else is personal: logs never show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Patient({} version {})", self.id, self.version)
    }
}

/// A telephone number of a patient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientPhone {
    /// The number.
    pub number: Phone,
    /// What it is for.
    pub use_: PhoneUse,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $field:literal: $($variant:ident = $word:literal),* $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "each variant is the word it says")]
        pub enum $name { $($variant),* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word for it, in the records and on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// What the word says.
            pub fn parse(word: &str) -> Result<Self> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(Error::invalid($field, concat!("use one of", $(" ", $word),*))),
                }
            }
        }
    };
}

words! {
    /// What a telephone number is for (FHIR ContactPoint.use).
    PhoneUse, "phones": Mobile = "mobile", Home = "home", Work = "work"
}

words! {
    /// The sex for administrative purposes (FHIR AdministrativeGender).
    Sex, "sex": Male = "male", Female = "female", Other = "other", Unknown = "unknown"
}

words! {
    /// A way to reach a patient.
    ContactChannel, "preferences":
    Whatsapp = "whatsapp", Sms = "sms", Voice = "voice", Email = "email"
}

/// As much of a patient as is needed to tell one from another.
#[derive(Clone, PartialEq, Eq)]
pub struct Brief {
    /// The id.
    pub id: PatientId,
    /// The name as it is called out.
    pub name: String,
    /// The date of birth.
    pub birth_date: Option<BirthDate>,
}

impl fmt::Debug for Brief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Brief({})", self.id)
    }
}

/// A patient as it was at a version; *not found* if there never was such a version.
pub fn at_version(read: &Read<'_>, stamp: &Stamp, id: PatientId, version: i64) -> Result<Patient> {
    let newest = get(read, stamp, id)?;
    past::at(read, (Noun::Patient, id.as_bytes(), version), newest)
}

/// One patient.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: PatientId) -> Result<Patient> {
    stamp.needs(Right::ReadPatients)?;
    row::one(read, id)
}

/// The patients with these ids, in the same order; ids that nobody has are left out.
pub fn by_ids(read: &Read<'_>, stamp: &Stamp, ids: &[PatientId]) -> Result<Vec<Patient>> {
    stamp.needs(Right::ReadPatients)?;
    let mut patients = Vec::with_capacity(ids.len());
    for id in ids {
        patients.extend(row::find(read, *id)?);
    }
    Ok(patients)
}

/// The patient who has this number of the clinic's.
pub fn numbered(read: &Read<'_>, stamp: &Stamp, number: i64) -> Result<Patient> {
    stamp.needs(Right::ReadPatients)?;
    let mut statement = read.sql().prepare_cached("SELECT id FROM patient WHERE number = ?1")?;
    let mut rows = statement.query([number])?;
    let id = rows.next()?.ok_or(Error::NotFound(Noun::Patient))?.get(0)?;
    row::one(read, id)
}

/// Finds active patients by any part of their digits or by their names, however spelt; at most
/// `limit` (and never more than [`search::LIMIT_MAX`]), the best first, each with how well the
/// patient fits, 0 to 1.
pub fn find(
    read: &Read<'_>,
    stamp: &Stamp,
    query: &str,
    limit: usize,
) -> Result<Vec<(Patient, f64)>> {
    stamp.needs(Right::ReadPatients)?;
    let hits = search::find(read.sql(), query, limit)?;
    let mut id_of = read.sql().prepare_cached("SELECT id FROM patient WHERE number = ?1")?;
    let mut found = Vec::with_capacity(hits.len());
    for search::Hit { number, score } in hits {
        let id: PatientId = id_of.query_row([number], |row| row.get(0))?;
        found.push((row::one(read, id)?, score));
    }
    Ok(found)
}

/// The name and the first telephone number of a patient whose record is in use.
pub(crate) fn who_comes(read: &Read<'_>, id: PatientId) -> Result<(String, Option<Phone>)> {
    let mut statement = read.sql().prepare_cached(
        "SELECT name, active,
           (SELECT number FROM patient_phone f WHERE f.patient = patient.id ORDER BY position LIMIT 1)
         FROM patient WHERE id = ?1",
    )?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or(Error::NotFound(Noun::Patient))?;
    if row.get(1)? {
        Ok((row.get(0)?, row.get::<_, Option<String>>(2)?.map(Phone::stored)))
    } else {
        Err(inactive())
    }
}

/// Refuses unless there is such a patient and the record is in use.
pub(crate) fn must_be_active(read: &Read<'_>, id: PatientId) -> Result<()> {
    let mut statement = read.sql().prepare_cached("SELECT active FROM patient WHERE id = ?1")?;
    let mut rows = statement.query([id])?;
    let active: bool = rows.next()?.ok_or(Error::NotFound(Noun::Patient))?.get(0)?;
    if active { Ok(()) } else { Err(inactive()) }
}

/// The active patients who have this telephone number, at most [`PHONE_SHARERS_MAX`].
pub(crate) fn with_phone(read: &Read<'_>, phone: &Phone) -> Result<Vec<Brief>> {
    let mut statement = read.sql().prepare_cached(
        "SELECT DISTINCT p.id, p.name, p.birth_date FROM patient_phone t JOIN patient p ON p.id = t.patient
         WHERE t.number = ?1 AND p.active = 1 ORDER BY p.number LIMIT ?2",
    )?;
    let mut rows = statement.query((phone.as_str(), PHONE_SHARERS_MAX))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(row::brief(row)?);
    }
    Ok(found)
}

/// As much of one patient as is needed to tell one from another.
pub(crate) fn brief(read: &Read<'_>, id: PatientId) -> Result<Brief> {
    let mut statement =
        read.sql().prepare_cached("SELECT id, name, birth_date FROM patient WHERE id = ?1")?;
    let mut rows = statement.query([id])?;
    row::brief(rows.next()?.ok_or(Error::NotFound(Noun::Patient))?)
}

fn inactive() -> Error {
    Error::refused(
        Code::Inactive,
        "this patient's record is not in use; if it was merged, use the record that it was merged into",
    )
}

#[cfg(test)]
mod tests;
