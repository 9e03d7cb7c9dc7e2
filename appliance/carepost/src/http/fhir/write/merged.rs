//! A Patient that came from elsewhere and is on record here: the record gets what it lacks.
//!
//! Invariant: what the desk wrote stays. Added are other spellings of the name, telephone numbers and
//! identifiers; filled are date of birth, sex, language, address and e-mail where there is none. How the
//! patient wants to be reached, and whether the record is in use, stay as they are.

use crate::http::fhir::stamp::Stamp;
use fhir::{Here, Resource};
use prm::db::Tx;
use prm::error::Error;
use prm::given;
use prm::id::{Noun, PatientId};
use prm::patient::{
    self, Edit, IDENTIFIERS_MAX, NAMES_MAX, PHONES_MAX, Patient, RawIdentifier, RawPhone, Sex,
};

use super::{Refused, keep};
use crate::http::fhir::records::{self, Found, Record, Sought};

/// The record that is certainly of the same person, if there is one.
///
/// # Errors
/// What does not say enough of a patient, and numbers that are those of several records.
pub fn on_record(
    tx: &Tx<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    resource: &Resource,
) -> Result<Option<PatientId>, Refused> {
    let raw = fhir::patient::read(resource, here)?;
    Ok(patient::on_record(tx, stamp, raw.registration(true))?)
}

/// Takes what the record lacks. What was given is kept beside the record only if nothing was before.
///
/// # Errors
/// What the records do not hold.
pub fn merge(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    resource: &Resource,
    id: PatientId,
) -> Result<Found, Refused> {
    let raw = fhir::patient::read(resource, here)?;
    let before = patient::get(tx, stamp, id)?;
    let edit = lacking(&before, raw);
    let after = match edit {
        Some(edit) => patient::edit(tx, stamp, id, Some(before.version), edit)?,
        None => before,
    };
    let which = (Noun::Patient, id.as_bytes(), after.version);
    if given::of(tx, stamp, which, fhir::patient::TYPE)?.is_none() {
        return keep(tx, stamp, here, resource, &Record::Patient(Box::new(after)));
    }
    let id = id.to_string();
    match records::one(tx, stamp, here, (fhir::patient::TYPE, &id), None)? {
        Sought::Found(found) => Ok(*found),
        Sought::Gone => Err(Error::NotFound(Noun::Patient).into()),
    }
}

/// What a record lacks of what is given, if it lacks anything.
fn lacking(before: &Patient, raw: fhir::patient::RawPatient) -> Option<Edit> {
    let mut names = before.names.clone();
    for name in std::iter::once(raw.name).chain(raw.names) {
        let same = |known: &String| known.to_lowercase() == name.to_lowercase();
        if names.len() < NAMES_MAX && !same(&before.name) && !names.iter().any(same) {
            names.push(name);
        }
    }
    let mut phones: Vec<RawPhone> = before
        .phones
        .iter()
        .map(|phone| RawPhone {
            number: phone.number.as_str().to_owned(),
            use_: Some(phone.use_.as_str().to_owned()),
        })
        .collect();
    for phone in raw.phones {
        if phones.len() < PHONES_MAX && phones.iter().all(|known| known.number != phone.number) {
            phones.push(phone);
        }
    }
    let mut identifiers: Vec<RawIdentifier> = before
        .identifiers
        .iter()
        .map(|known| RawIdentifier { system: known.system.clone(), value: known.value.clone() })
        .collect();
    for it in raw.identifiers {
        let same = |known: &RawIdentifier| known.system == it.system && known.value == it.value;
        if identifiers.len() < IDENTIFIERS_MAX && !identifiers.iter().any(same) {
            identifiers.push(it);
        }
    }
    let edit = Edit {
        name: None,
        names: (names.len() > before.names.len()).then_some(names),
        phones: (phones.len() > before.phones.len()).then_some(phones),
        birth_date: raw.birth_date.filter(|_| before.birth_date.is_none()).map(Some),
        sex: raw
            .sex
            .filter(|sex| before.sex == Sex::Unknown && sex != Sex::Unknown.as_str())
            .map(Some),
        language: raw.language.filter(|_| before.language.is_none()).map(Some),
        address: raw.address.filter(|_| before.address.is_none()).map(|it| Some(it.into())),
        email: raw.email.filter(|_| before.email.is_none()).map(Some),
        identifiers: (identifiers.len() > before.identifiers.len()).then_some(identifiers),
        channels: None,
        reminders: None,
        active: None,
    };
    let Edit {
        name: _,
        names,
        phones,
        birth_date,
        sex,
        language,
        address,
        email,
        identifiers,
        channels: _,
        reminders: _,
        active: _,
    } = &edit;
    let lacks = names.is_some()
        || phones.is_some()
        || birth_date.is_some()
        || sex.is_some()
        || language.is_some()
        || address.is_some()
        || email.is_some()
        || identifiers.is_some();
    lacks.then_some(edit)
}
