//! FHIR Patient: a patient's record (<https://hl7.org/fhir/R4/patient.html>).
//!
//! | element | record |
//! |---|---|
//! | `identifier` | the clinic's own number (written only), the numbers that others gave |
//! | `active` | whether the record is in use; in use when it is not said |
//! | `name` | the name as it is called out, the same in other scripts and spellings |
//! | `telecom` | telephone numbers, the e-mail address |
//! | `gender` | the administrative sex; unknown when it is not said |
//! | `birthDate` | the date of birth, as far as it is known |
//! | `address` | where the patient lives |
//! | `communication` | the language to speak to the patient |
//! | `link` of type `replaced-by` | the record into which this one was merged |
//! | [`crate::extension::CONTACT_PREFERENCES`] | how the patient wants to be reached |
//!
//! Everything else stays as it was given.

mod address;
pub(crate) mod identifier;
mod language;
mod preferences;
pub(crate) mod telecom;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use prm::contact::BirthDate;
use prm::id::PatientId;
use prm::patient::{
    Address, AddressEdit, Description, Edit, Patient, RawIdentifier, RawPhone, Registration, Sex,
};

use self::address::Home;
pub use self::identifier::{WORD_SYSTEM, own_system};
use self::language::Language;
use self::preferences::{PREFERENCES, Preferences};
use self::telecom::{Email, Phones};
use crate::element::{self, Map};
use crate::here::Here;
use crate::human_name::Names;
use crate::json::Resource;
use crate::kept::{Entries, Kept};
use crate::outcome::{IssueCode, Outcome};
use crate::reference;

/// FHIR's name of the type.
pub const TYPE: &str = "Patient";

/// What a `Patient` says of what the records hold, for the verbs that check it.
#[derive(Clone)]
pub struct RawPatient {
    /// The name as it is called out.
    pub name: String,
    /// The same name in other scripts or spellings.
    pub names: Vec<String>,
    /// Telephone numbers, the preferred one first; only those that can be read as numbers.
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
    /// Ways to reach the patient, the preferred one first; what is not said stays as it is.
    pub channels: Option<Vec<String>>,
    /// Whether the patient wants to be reminded; what is not said stays as it is.
    pub reminders: Option<bool>,
    /// Whether the record is in use.
    pub active: bool,
    /// The record of this box that replaces this one. Only a merge makes it so: what differs from the
    /// record is to be refused.
    pub replaced_by: Option<PatientId>,
}

impl RawPatient {
    /// The patient as somebody new. A new record is in use: what `active` says is for an edit.
    pub fn registration(self, accept_duplicate: bool) -> Registration {
        let Self {
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
            active: _,
            replaced_by: _,
        } = self;
        Registration {
            name,
            names,
            phones,
            birth_date,
            sex,
            language,
            address,
            email,
            identifiers,
            channels: channels.unwrap_or_default(),
            reminders,
            accept_duplicate,
        }
    }

    /// The patient as an edit of the whole record: what is not said goes, except how the patient wants
    /// to be reached.
    pub fn edit(self) -> Edit {
        let Self {
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
            replaced_by: _,
        } = self;
        Edit {
            name: Some(name),
            names: Some(names),
            phones: Some(phones),
            birth_date: Some(birth_date),
            sex: Some(sex),
            language: Some(language),
            address: Some(address.map(AddressEdit::from)),
            email: Some(email),
            identifiers: Some(identifiers),
            channels,
            reminders,
            active: Some(active),
        }
    }
}

/// What a `Patient` says of what the records hold.
///
/// Refused are a patient without a name that the records can hold, and extensions that change the
/// meaning of an element that is read here.
pub fn read(resource: &Resource, here: Here<'_>) -> Result<RawPatient, Outcome> {
    let Here { clinic, origin } = here;
    element::is_a(resource, TYPE)?;
    element::understood(resource, &["communication", "link"])?;
    let map = resource.map();
    let values = |name| element::list(map, name);
    let mut names = said(&Names::ALL, values("name")).into_iter();
    let Some(name) = names.next() else {
        let what = "a patient needs a name of at most 200 letters, in `text` or in parts";
        return Err(Outcome::at("Patient.name", IssueCode::Required, what));
    };
    let phones = said(&Phones { country: &clinic.country }, values("telecom")).into_iter();
    let given = identifier::Given { own_system: own_system(clinic.id) };
    let identifiers = said(&given, values("identifier")).into_iter();
    let (channels, reminders) = PREFERENCES.of(map).map(Preferences::raw).unzip();
    Ok(RawPatient {
        name,
        names: names.collect(),
        phones: phones
            .map(|phone| RawPhone {
                number: phone.number.as_str().to_owned(),
                use_: Some(phone.use_.as_str().to_owned()),
            })
            .collect(),
        birth_date: element::text(map, "birthDate").map(str::to_owned),
        sex: element::text(map, "gender").map(str::to_owned),
        language: said(&Language, values("communication")).into_iter().next(),
        address: said(&Home, values("address")).into_iter().next(),
        email: said(&Email, values("telecom")).into_iter().next(),
        identifiers: identifiers
            .map(|held| RawIdentifier { system: held.system, value: held.value })
            .collect(),
        channels,
        reminders,
        active: element::flag(map, "active").unwrap_or(true),
        replaced_by: said(&ReplacedBy { origin }, values("link")).into_iter().next(),
    })
}

/// What a `Patient` says by which somebody can be found, whether or not it is enough for a record. What
/// cannot be read is left out.
///
/// # Errors
/// One that says nothing of the kind.
pub fn describe(resource: &Resource, here: Here<'_>) -> Result<Description, Outcome> {
    let Here { clinic, origin: _ } = here;
    element::is_a(resource, TYPE)?;
    let map = resource.map();
    let values = |name| element::list(map, name);
    let system = own_system(clinic.id);
    let own = said(&identifier::Own { system: system.clone() }, values("identifier"));
    let found = Description {
        names: said(&Names::ALL, values("name")),
        phones: said(&Phones { country: &clinic.country }, values("telecom")),
        birth_date: birth_date_of(map),
        sex: Some(sex_of(map)),
        identifiers: said(&identifier::Given { own_system: system }, values("identifier")),
        number: own.first().and_then(|number| number.parse().ok()),
    };
    let says_something = !found.names.is_empty()
        || !found.phones.is_empty()
        || !found.identifiers.is_empty()
        || found.number.is_some();
    if says_something {
        return Ok(found);
    }
    let what = "say a name, a telephone number or an identifier of who is looked for";
    Err(Outcome::at(TYPE, IssueCode::Required, what))
}

fn said<E: Entries>(lens: &E, entries: &[Value]) -> Vec<E::Said> {
    lens.read(entries).into_iter().map(|(_, said)| said).collect()
}

/// A patient's record as a `Patient`, over what was given. `updated` is when the record last changed.
pub fn write(
    patient: &Patient,
    here: Here<'_>,
    updated: Timestamp,
    given: Option<&Resource>,
) -> Resource {
    let Here { clinic, origin } = here;
    let Patient {
        id,
        version,
        number,
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
        merged_into,
    } = patient;
    let mut kept = Kept::begin(TYPE, id, here.meta(*version, updated), given);
    let preferences = Preferences { channels: channels.clone(), reminders: *reminders };
    if preferences.are_worth_saying() || given.is_some_and(|it| PREFERENCES.of(it.map()).is_some())
    {
        kept.list("extension", &PREFERENCES, &[preferences]);
    }
    let system = own_system(clinic.id);
    kept.list("identifier", &identifier::Own { system: system.clone() }, &[number.to_string()]);
    kept.list("identifier", &identifier::Given { own_system: system }, identifiers);
    kept.element(
        "active",
        active,
        |map| element::flag(map, "active").unwrap_or(true),
        |active| Some((*active).into()),
    );
    let mut all_names = vec![name.clone()];
    all_names.extend(names.iter().cloned());
    kept.list("name", &Names::ALL, &all_names);
    kept.list("telecom", &Phones { country: &clinic.country }, phones);
    kept.list("telecom", &Email, email.as_slice());
    kept.element("gender", sex, sex_of, |sex| Some(sex.as_str().into()));
    kept.element("birthDate", birth_date, birth_date_of, |date| {
        date.as_ref().map(|date| date.to_string().into())
    });
    kept.list("address", &Home, address.as_slice());
    kept.list("communication", &Language, language.as_slice());
    kept.list("link", &ReplacedBy { origin }, merged_into.as_slice());
    kept.end()
}

/// The sex that `gender` says.
pub(crate) fn sex_of(map: &Map) -> Sex {
    element::text(map, "gender").and_then(|word| Sex::parse(word).ok()).unwrap_or(Sex::Unknown)
}

/// The date that `birthDate` says.
pub(crate) fn birth_date_of(map: &Map) -> Option<BirthDate> {
    BirthDate::parse(element::text(map, "birthDate")?).ok()
}

/// The record of this box that replaces one.
struct ReplacedBy<'a> {
    origin: &'a str,
}

impl Entries for ReplacedBy<'_> {
    type Said = PatientId;

    fn read(&self, entries: &[Value]) -> Vec<(usize, PatientId)> {
        element::objects(entries)
            .filter(|(_, link)| element::text(link, "type") == Some("replaced-by"))
            .find_map(|(place, link)| {
                let other = element::object(link, "other")?;
                let id: Uuid = reference::record_of(TYPE, other, self.origin)?;
                Some((place, PatientId::from_bytes(id.into_bytes())))
            })
            .into_iter()
            .collect()
    }

    fn write(&self, id: &PatientId, _old: Option<&Map>) -> Value {
        element::of([
            ("other", Some(reference::to(TYPE, id))),
            ("type", Some("replaced-by".into())),
        ])
    }
}

#[cfg(test)]
pub(crate) mod tests;
