//! Editing a patient: what is not named stays (RFC 7396, JSON merge patch).

use crate::change::next_version;
use crate::clinic;
use crate::contact;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{Noun, PatientId};
use crate::patient::{
    Address, AddressEdit, Patient, RawIdentifier, RawPhone, Sex, duplicate, inactive, raw, row,
};
use crate::stamp::{Right, Stamp};

/// What is to be changed, as it was said: `None` stays, `Some(None)` goes.
#[derive(Clone, Default)]
pub struct Edit {
    /// The name.
    pub name: Option<String>,
    /// The name in other scripts or spellings; replaces all.
    pub names: Option<Vec<String>>,
    /// Telephone numbers; replaces all.
    pub phones: Option<Vec<RawPhone>>,
    /// `1984-05-02`, `1984-05` or `1984`.
    pub birth_date: Option<Option<String>>,
    /// `male`, `female`, `other` or `unknown`; none is unknown.
    pub sex: Option<Option<String>>,
    /// A BCP 47 tag.
    pub language: Option<Option<String>>,
    /// Where the patient lives; each part stays or goes by itself.
    pub address: Option<Option<AddressEdit>>,
    /// The e-mail address.
    pub email: Option<Option<String>>,
    /// Numbers given by others; replaces all.
    pub identifiers: Option<Vec<RawIdentifier>>,
    /// Ways to reach the patient; replaces all.
    pub channels: Option<Vec<String>>,
    /// Whether the patient wants to be reminded.
    pub reminders: Option<bool>,
    /// Whether the record is in use.
    pub active: Option<bool>,
}

/// Changes a patient. A merged record is not edited.
pub fn edit(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: PatientId,
    seen: Option<i64>,
    edit: Edit,
) -> Result<Patient> {
    stamp.needs(Right::WritePatients)?;
    let before = row::one(tx, id)?;
    let version = next_version(before.version, seen)?;
    if before.merged_into.is_some() {
        return Err(inactive());
    }
    let after = Patient { version, ..edited(tx, stamp, before, edit)? };
    row::must_be_free(tx, id, &after.identifiers)?;
    row::write(tx, &after)?;
    let alike = if after.active { duplicate::of(tx, &after)? } else { Vec::new() };
    duplicate::write(tx, id, &alike)?;
    tx.record(stamp, "edit", (Noun::Patient, id.as_bytes(), version), Some(id))?;
    Ok(after)
}

fn edited(tx: &Tx<'_>, stamp: &Stamp, before: Patient, edit: Edit) -> Result<Patient> {
    let clinic = clinic::get(tx)?;
    let Edit {
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
        active,
    } = edit;
    let mut after = before;
    if let Some(name) = name {
        after.name = contact::name("name", &name)?;
    }
    if let Some(names) = names {
        after.names = raw::names(names, &after.name)?;
    }
    if let Some(phones) = phones {
        after.phones = raw::phones(phones, &clinic)?;
    }
    if let Some(birth_date) = birth_date {
        after.birth_date = raw::birth_date(birth_date, &clinic, stamp)?;
    }
    if let Some(sex) = sex {
        after.sex = sex.map_or(Ok(Sex::Unknown), |word| Sex::parse(&word))?;
    }
    if let Some(language) = language {
        after.language = raw::language(language)?;
    }
    match address {
        None => {}
        Some(None) => after.address = None,
        Some(Some(edit)) => {
            after.address = Address::checked(after.address.unwrap_or_default().with(edit))?;
        }
    }
    if let Some(email) = email {
        after.email = contact::email(email)?;
    }
    if let Some(identifiers) = identifiers {
        after.identifiers = raw::identifiers(identifiers)?;
    }
    if let Some(channels) = channels {
        after.channels = raw::channels(&channels)?;
    }
    after.reminders = reminders.unwrap_or(after.reminders);
    after.active = active.unwrap_or(after.active);
    Ok(after)
}
