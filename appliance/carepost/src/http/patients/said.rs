//! What is said of a patient, to register or to change one.

use prm::patient::{Address, AddressEdit, Edit, Patient, RawIdentifier, RawPhone, Registration};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::json::never_null;
use crate::http::staff::even_null;
use crate::http::words::{ContactChannel, PhoneUse, Sex};

/// A patient to be registered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPatient {
    name: String,
    /// The same name in other scripts or spellings.
    names: Option<Vec<String>>,
    /// The preferred number, in any national or international form.
    phone: Option<String>,
    /// Further numbers.
    phones: Option<Vec<SaidPhone>>,
    /// `1984-05-02`, `1984-05` or `1984`.
    birth_date: Option<String>,
    #[schema(value_type = Option<Sex>)]
    sex: Option<String>,
    /// A BCP 47 tag.
    language: Option<String>,
    address: Option<SaidAddress>,
    email: Option<String>,
    identifiers: Option<Vec<SaidIdentifier>>,
    preferences: Option<SaidPreferences>,
    /// Register although very likely the same person is on record.
    accept_duplicate: Option<bool>,
}

/// What is to be changed of a patient (RFC 7396): what is left out stays, null goes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PatientEdit {
    #[serde(default, deserialize_with = "never_null")]
    name: Option<String>,
    /// Replaces all further names.
    #[serde(default, deserialize_with = "even_null")]
    names: Option<Option<Vec<String>>>,
    /// Replaces the preferred number; the others stay.
    #[serde(default, deserialize_with = "even_null")]
    phone: Option<Option<String>>,
    /// Replaces all numbers; with `phone`, all but the preferred one.
    #[serde(default, deserialize_with = "even_null")]
    phones: Option<Option<Vec<SaidPhone>>>,
    #[serde(default, deserialize_with = "even_null")]
    birth_date: Option<Option<String>>,
    #[serde(default, deserialize_with = "even_null")]
    #[schema(value_type = Option<Sex>)]
    sex: Option<Option<String>>,
    #[serde(default, deserialize_with = "even_null")]
    language: Option<Option<String>>,
    /// Each part stays or goes by itself.
    #[serde(default, deserialize_with = "even_null")]
    address: Option<Option<SaidAddressEdit>>,
    #[serde(default, deserialize_with = "even_null")]
    email: Option<Option<String>>,
    /// Replaces all.
    #[serde(default, deserialize_with = "even_null")]
    identifiers: Option<Option<Vec<SaidIdentifier>>>,
    /// Each part stays or goes by itself.
    #[serde(default, deserialize_with = "even_null")]
    preferences: Option<Option<SaidPreferencesEdit>>,
    #[serde(default, deserialize_with = "never_null")]
    active: Option<bool>,
}

/// A telephone number as it is said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SaidPhone {
    /// In any national or international form.
    number: String,
    /// Mobile when it is not said.
    #[serde(rename = "use")]
    #[schema(value_type = Option<PhoneUse>)]
    use_: Option<String>,
}

/// An address as it is said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SaidAddress {
    line: Option<String>,
    city: Option<String>,
    district: Option<String>,
    state: Option<String>,
    postal_code: Option<String>,
    /// ISO 3166-1, two letters.
    country: Option<String>,
}

/// What is to be changed of an address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SaidAddressEdit {
    #[serde(default, deserialize_with = "even_null")]
    line: Option<Option<String>>,
    #[serde(default, deserialize_with = "even_null")]
    city: Option<Option<String>>,
    #[serde(default, deserialize_with = "even_null")]
    district: Option<Option<String>>,
    #[serde(default, deserialize_with = "even_null")]
    state: Option<Option<String>>,
    #[serde(default, deserialize_with = "even_null")]
    postal_code: Option<Option<String>>,
    #[serde(default, deserialize_with = "even_null")]
    country: Option<Option<String>>,
}

/// A number given by somebody else, as it is said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SaidIdentifier {
    system: String,
    value: String,
}

/// How the patient wants to be reached, as it is said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SaidPreferences {
    /// The preferred one first.
    #[schema(value_type = Option<Vec<ContactChannel>>)]
    channels: Option<Vec<String>>,
    /// Yes when it is not said.
    reminders: Option<bool>,
}

/// What is to be changed of how the patient wants to be reached.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SaidPreferencesEdit {
    #[serde(default, deserialize_with = "even_null")]
    #[schema(value_type = Option<Vec<ContactChannel>>)]
    channels: Option<Option<Vec<String>>>,
    /// Null is yes.
    #[serde(default, deserialize_with = "even_null")]
    reminders: Option<Option<bool>>,
}

impl NewPatient {
    /// The registration of the patient.
    pub(super) fn registration(self) -> Registration {
        let Self {
            name,
            names,
            phone,
            phones,
            birth_date,
            sex,
            language,
            address,
            email,
            identifiers,
            preferences,
            accept_duplicate,
        } = self;
        let (channels, reminders) =
            preferences.map_or((None, None), |said| (said.channels, said.reminders));
        Registration {
            name,
            names: names.unwrap_or_default(),
            phones: preferred(phone).into_iter().chain(all(phones.unwrap_or_default())).collect(),
            birth_date,
            sex,
            language,
            address: address.map(Address::from),
            email,
            identifiers: identifiers.unwrap_or_default().into_iter().map(Into::into).collect(),
            channels: channels.unwrap_or_default(),
            reminders,
            accept_duplicate: accept_duplicate.unwrap_or(false),
        }
    }
}

impl PatientEdit {
    /// The edit of the patient who was like `before`: numbers that are not named stay.
    pub(super) fn edit(self, before: &Patient) -> Edit {
        let Self {
            name,
            names,
            phone,
            phones,
            birth_date,
            sex,
            language,
            address,
            email,
            identifiers,
            preferences,
            active,
        } = self;
        let phones = phones.map(|phones| all(phones.unwrap_or_default()));
        let phones = match phone {
            None => phones,
            Some(phone) => {
                let others = phones.unwrap_or_else(|| others(before));
                Some(preferred(phone).into_iter().chain(others).collect())
            }
        };
        let preferences = preferences.map(|preferences| {
            preferences
                .unwrap_or(SaidPreferencesEdit { channels: Some(None), reminders: Some(None) })
        });
        let (channels, reminders) =
            preferences.map_or((None, None), |said| (said.channels, said.reminders));
        Edit {
            name,
            names: names.map(Option::unwrap_or_default),
            phones,
            birth_date,
            sex,
            language,
            address: address.map(|address| address.map(AddressEdit::from)),
            email,
            identifiers: identifiers
                .map(|all| all.unwrap_or_default().into_iter().map(Into::into).collect()),
            channels: channels.map(Option::unwrap_or_default),
            reminders: reminders.map(|reminders| reminders.unwrap_or(true)),
            active,
        }
    }
}

impl From<SaidAddress> for Address {
    fn from(said: SaidAddress) -> Self {
        let SaidAddress { line, city, district, state, postal_code, country } = said;
        Self { line, city, district, state, postal_code, country }
    }
}

impl From<SaidAddressEdit> for AddressEdit {
    fn from(said: SaidAddressEdit) -> Self {
        let SaidAddressEdit { line, city, district, state, postal_code, country } = said;
        Self { line, city, district, state, postal_code, country }
    }
}

impl From<SaidIdentifier> for RawIdentifier {
    fn from(SaidIdentifier { system, value }: SaidIdentifier) -> Self {
        Self { system, value }
    }
}

fn preferred(number: Option<String>) -> Option<RawPhone> {
    number.map(|number| RawPhone { number, use_: None })
}

fn all(said: Vec<SaidPhone>) -> Vec<RawPhone> {
    said.into_iter().map(|SaidPhone { number, use_ }| RawPhone { number, use_ }).collect()
}

/// All numbers but the preferred one.
fn others(before: &Patient) -> Vec<RawPhone> {
    let others = before.phones.iter().skip(1);
    others
        .map(|phone| RawPhone {
            number: phone.number.to_string(),
            use_: Some(phone.use_.as_str().to_owned()),
        })
        .collect()
}
