//! What is said of a patient, as it was said, made into checked values.

use crate::clinic::Clinic;
use crate::contact::{self, BirthDate, Phone};
use crate::error::{Error, Result};
use crate::patient::{ContactChannel, Identifier, PatientPhone, PhoneUse};
use crate::stamp::Stamp;
use crate::time::local_date;

/// Telephone numbers of one patient at the most.
pub const PHONES_MAX: usize = 8;
/// Further names of one patient at the most.
pub const NAMES_MAX: usize = 7;
/// Identifiers of one patient at the most.
pub const IDENTIFIERS_MAX: usize = 8;

/// A telephone number as it was said.
#[derive(Clone)]
pub struct RawPhone {
    /// The number in any form.
    pub number: String,
    /// `mobile`, `home` or `work`; mobile when it is not said.
    pub use_: Option<String>,
}

/// An identifier as it was said.
#[derive(Clone)]
pub struct RawIdentifier {
    /// Who gave it.
    pub system: String,
    /// The number.
    pub value: String,
}

pub(super) fn phones(raw: Vec<RawPhone>, clinic: &Clinic) -> Result<Vec<PatientPhone>> {
    at_most("phones", raw.len(), PHONES_MAX)?;
    let mut phones: Vec<PatientPhone> = Vec::with_capacity(raw.len());
    for RawPhone { number, use_ } in raw {
        let number = Phone::parse(&number, &clinic.country)?;
        let use_ = use_.map_or(Ok(PhoneUse::Mobile), |word| PhoneUse::parse(&word))?;
        if !phones.iter().any(|phone| phone.number == number) {
            phones.push(PatientPhone { number, use_ });
        }
    }
    Ok(phones)
}

/// Further names: none twice, none equal to the first.
pub(super) fn names(raw: Vec<String>, first: &str) -> Result<Vec<String>> {
    at_most("names", raw.len(), NAMES_MAX)?;
    let mut names: Vec<String> = Vec::with_capacity(raw.len());
    for name in &raw {
        let name = contact::name("names", name)?;
        if name != first && !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

pub(super) fn identifiers(raw: Vec<RawIdentifier>) -> Result<Vec<Identifier>> {
    at_most("identifiers", raw.len(), IDENTIFIERS_MAX)?;
    let mut identifiers = Vec::with_capacity(raw.len());
    for RawIdentifier { system, value } in &raw {
        identifiers.push(Identifier::parse(system, value)?);
    }
    identifiers.sort();
    identifiers.dedup();
    Ok(identifiers)
}

pub(super) fn birth_date(
    raw: Option<String>,
    clinic: &Clinic,
    stamp: &Stamp,
) -> Result<Option<BirthDate>> {
    let Some(raw) = raw else { return Ok(None) };
    let today = local_date(&clinic.zone, stamp.now);
    Ok(Some(BirthDate::parse(&raw)?.not_after(today)?))
}

pub(super) fn language(raw: Option<String>) -> Result<Option<String>> {
    contact::text("language", raw)?.map(|raw| contact::language(&raw)).transpose()
}

pub(super) fn channels(raw: &[String]) -> Result<Vec<ContactChannel>> {
    let mut channels = Vec::new();
    for word in raw {
        let channel = ContactChannel::parse(word)?;
        if !channels.contains(&channel) {
            channels.push(channel);
        }
    }
    Ok(channels)
}

fn at_most(field: &'static str, count: usize, most: usize) -> Result<()> {
    if count > most {
        return Err(Error::invalid(field, format!("a patient has at most {most} {field}")));
    }
    Ok(())
}
