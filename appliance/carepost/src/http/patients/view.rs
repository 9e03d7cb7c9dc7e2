//! A patient as the API shows one.

use prm::patient::{Address, Identifier, Patient, PatientPhone};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::words::{ContactChannel, PhoneUse, Sex};

/// A person who is or was treated here.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = Patient)]
pub struct PatientView {
    id: Uuid,
    version: i64,
    /// The clinic's own patient number.
    number: i64,
    /// The name as it is called out.
    name: String,
    /// The same name in other scripts or spellings.
    names: Vec<String>,
    /// The preferred telephone number (E.164).
    phone: Option<String>,
    /// All telephone numbers, the preferred one first.
    phones: Vec<PhoneView>,
    /// `1984-05-02`, `1984-05` or `1984`: as far as it is known.
    birth_date: Option<String>,
    #[schema(value_type = Sex)]
    sex: &'static str,
    /// A BCP 47 tag.
    language: Option<String>,
    address: Option<AddressView>,
    email: Option<String>,
    identifiers: Vec<IdentifierView>,
    preferences: PreferencesView,
    /// Whether the record is in use.
    active: bool,
    /// The record into which this one was merged.
    merged_into: Option<Uuid>,
}

/// A telephone number.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = PatientPhone)]
struct PhoneView {
    /// E.164.
    number: String,
    #[serde(rename = "use")]
    #[schema(value_type = PhoneUse)]
    use_: &'static str,
}

/// An address; each part may be missing.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = Address)]
struct AddressView {
    line: Option<String>,
    city: Option<String>,
    district: Option<String>,
    state: Option<String>,
    postal_code: Option<String>,
    /// ISO 3166-1, two letters.
    country: Option<String>,
}

/// A number given by somebody else.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = Identifier)]
struct IdentifierView {
    system: String,
    value: String,
}

/// How the patient wants to be reached.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = Preferences)]
struct PreferencesView {
    /// The preferred one first.
    #[schema(value_type = Vec<ContactChannel>)]
    channels: Vec<&'static str>,
    /// Whether the patient wants to be reminded.
    reminders: bool,
}

impl From<Patient> for PatientView {
    fn from(patient: Patient) -> Self {
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
        let phones: Vec<PhoneView> = phones.into_iter().map(PhoneView::from).collect();
        Self {
            id: id.uuid(),
            version,
            number,
            name,
            names,
            phone: phones.first().map(|phone| phone.number.clone()),
            phones,
            birth_date: birth_date.map(|date| date.to_string()),
            sex: sex.as_str(),
            language,
            address: address.map(AddressView::from),
            email,
            identifiers: identifiers.into_iter().map(IdentifierView::from).collect(),
            preferences: PreferencesView {
                channels: channels.into_iter().map(|channel| channel.as_str()).collect(),
                reminders,
            },
            active,
            merged_into: merged_into.map(|id| id.uuid()),
        }
    }
}

impl From<PatientPhone> for PhoneView {
    fn from(PatientPhone { number, use_ }: PatientPhone) -> Self {
        Self { number: number.to_string(), use_: use_.as_str() }
    }
}

impl From<Address> for AddressView {
    fn from(address: Address) -> Self {
        let Address { line, city, district, state, postal_code, country } = address;
        Self { line, city, district, state, postal_code, country }
    }
}

impl From<Identifier> for IdentifierView {
    fn from(Identifier { system, value }: Identifier) -> Self {
        Self { system, value }
    }
}
