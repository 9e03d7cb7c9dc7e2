//! Registering: a new record, unless the person is on record already.

use crate::clinic;
use crate::contact;
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{Noun, PatientId};
use crate::patient::{Address, Patient, RawIdentifier, RawPhone, Sex, duplicate, raw, row};
use crate::stamp::{Right, Stamp};
use crate::time::to_ms;

/// What is said of a new patient, as it was said.
#[derive(Clone, Default)]
pub struct Registration {
    /// The name.
    pub name: String,
    /// The same name in other scripts or spellings.
    pub names: Vec<String>,
    /// Telephone numbers, the preferred one first.
    pub phones: Vec<RawPhone>,
    /// `1984-05-02`, `1984-05` or `1984`.
    pub birth_date: Option<String>,
    /// `male`, `female`, `other` or `unknown`.
    pub sex: Option<String>,
    /// A BCP 47 tag.
    pub language: Option<String>,
    /// Where the patient lives.
    pub address: Option<Address>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Numbers given by others.
    pub identifiers: Vec<RawIdentifier>,
    /// Ways to reach the patient, the preferred one first.
    pub channels: Vec<String>,
    /// Whether the patient wants to be reminded; yes when it is not said.
    pub reminders: Option<bool>,
    /// Whether to register although very likely the same person is on record.
    pub accept_duplicate: bool,
}

/// Registers a patient. Refused as a likely duplicate when somebody on record has the same
/// telephone number, an agreeing date of birth and a like name, unless that is accepted.
pub fn register(tx: &mut Tx<'_>, stamp: &Stamp, registration: Registration) -> Result<Patient> {
    stamp.needs(Right::WritePatients)?;
    let accept_duplicate = registration.accept_duplicate;
    let mut patient = checked(tx, stamp, registration)?;
    row::must_be_free(tx, patient.id, &patient.identifiers)?;
    let alike = duplicate::of(tx, &patient)?;
    let certain: Vec<PatientId> =
        alike.iter().filter(|other| other.very_likely).map(|other| other.id).collect();
    if !accept_duplicate && !certain.is_empty() {
        return Err(Error::refused(
            Code::LikelyDuplicate(certain),
            "very likely this person is on record already; use that record, or register all the same",
        ));
    }
    row::insert(tx, &mut patient, to_ms(stamp.now))?;
    duplicate::write(tx, patient.id, &alike)?;
    tx.record(stamp, "register", (Noun::Patient, patient.id.as_bytes(), 1), Some(patient.id))?;
    Ok(patient)
}

/// The patient as the records would hold it, with an id but no number yet.
pub(super) fn checked(
    read: &Read<'_>,
    stamp: &Stamp,
    registration: Registration,
) -> Result<Patient> {
    let clinic = clinic::get(read)?;
    let Registration {
        name,
        names,
        phones,
        birth_date,
        sex,
        language,
        address,
        email,
        identifiers,
        channels,
        reminders,
        accept_duplicate: _,
    } = registration;
    let name = contact::name("name", &name)?;
    Ok(Patient {
        id: PatientId::new(stamp.now),
        version: 1,
        number: 0,
        names: raw::names(names, &name)?,
        name,
        phones: raw::phones(phones, &clinic)?,
        birth_date: raw::birth_date(birth_date, &clinic, stamp)?,
        sex: sex.map_or(Ok(Sex::Unknown), |word| Sex::parse(&word))?,
        language: raw::language(language)?,
        address: address.map(Address::checked).transpose()?.flatten(),
        email: contact::email(email)?,
        identifiers: raw::identifiers(identifiers)?,
        channels: raw::channels(&channels)?,
        reminders: reminders.unwrap_or(true),
        active: true,
        merged_into: None,
    })
}
