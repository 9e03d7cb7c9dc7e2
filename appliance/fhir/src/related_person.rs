//! FHIR RelatedPerson: what one patient is to another (<https://hl7.org/fhir/R4/relatedperson.html>).
//!
//! Both have a record here, and a relation is no record of its own. So its id is the ids of both, 32
//! hexadecimal digits each: that is unique, stays the same, needs no table to be found again, and is
//! just as long as a FHIR id may be. Its identifier is the clinic's own number of the relative.
//!
//! Relations are told at the desk; related persons of elsewhere are stored as they were given.

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use prm::id::PatientId;
use prm::patient::{Patient, Relative};

use crate::concept::{Coded, said};
use crate::here::Here;
use crate::human_name::Names;
use crate::json::Resource;
use crate::kept::Kept;
use crate::patient::identifier::Own;
use crate::patient::own_system;
use crate::patient::telecom::{Email, Phones};
use crate::reference;

/// FHIR's name of the type.
pub const TYPE: &str = "RelatedPerson";

/// The system of relationships.
const ROLE: &str = "http://terminology.hl7.org/CodeSystem/v3-RoleCode";

/// The id of what `related` is to `patient`.
pub fn id_of(patient: PatientId, related: PatientId) -> String {
    format!("{}{}", patient.uuid().simple(), related.uuid().simple())
}

/// The patient and the relative of an id that [`id_of`] made; none of another.
pub fn parse_id(id: &str) -> Option<(PatientId, PatientId)> {
    let is_ours = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if id.len() != 64 || !id.bytes().all(is_ours) {
        return None;
    }
    let (patient, related) = id.split_at_checked(32)?;
    let id = |text| Some(PatientId::from_bytes(Uuid::try_parse(text).ok()?.into_bytes()));
    Some((id(patient)?, id(related)?))
}

/// A relative of a patient as a `RelatedPerson`, over what was given. `updated` is when one of both
/// records last changed. The version grows with either.
pub fn write(
    patient: &Patient,
    relative: &Relative,
    here: Here<'_>,
    updated: Timestamp,
    given: Option<&Resource>,
) -> Resource {
    let Relative { patient: related, relationship } = relative;
    let id = id_of(patient.id, related.id);
    let version = patient.version.saturating_add(related.version);
    let mut kept = Kept::begin(TYPE, id, here.meta(version, updated), given);
    let system = own_system(here.clinic.id);
    kept.list("identifier", &Own { system }, &[related.number.to_string()]);
    kept.says("active", Some(related.active.into()));
    kept.says("patient", Some(reference::shown("Patient", patient.id, Some(&patient.name))));
    let relationship = relationship.as_deref().map(|word| match code_of(word) {
        Some(code) => code.concept_as(word),
        None => said(word),
    });
    kept.says("relationship", relationship.map(|it| json!([it])));
    kept.list("name", &Names::ONE, std::slice::from_ref(&related.name));
    let phones = Phones { country: &here.clinic.country };
    kept.list("telecom", &phones, &related.phones);
    kept.list("telecom", &Email, related.email.as_slice());
    kept.says("gender", Some(related.sex.as_str().into()));
    kept.says("birthDate", related.birth_date.map(|date| date.to_string().into()));
    kept.end()
}

/// HL7's code of a relationship, as far as the word is one of everyday.
fn code_of(word: &str) -> Option<Coded> {
    let (code, display) = match word {
        "mother" => ("MTH", "mother"),
        "father" => ("FTH", "father"),
        "parent" => ("PRN", "parent"),
        "son" => ("SONC", "son"),
        "daughter" => ("DAUC", "daughter"),
        "child" => ("CHILD", "child"),
        "husband" => ("HUSB", "husband"),
        "wife" => ("WIFE", "wife"),
        "spouse" => ("SPS", "spouse"),
        "partner" => ("DOMPART", "domestic partner"),
        "brother" => ("BRO", "brother"),
        "sister" => ("SIS", "sister"),
        "sibling" => ("SIB", "sibling"),
        "grandmother" => ("GRMTH", "grandmother"),
        "grandfather" => ("GRFTH", "grandfather"),
        "grandparent" => ("GRPRN", "grandparent"),
        "grandson" => ("GRNDSON", "grandson"),
        "granddaughter" => ("GRNDDAU", "granddaughter"),
        "grandchild" => ("GRNDCHILD", "grandchild"),
        "aunt" => ("AUNT", "aunt"),
        "uncle" => ("UNCLE", "uncle"),
        "niece" => ("NIECE", "niece"),
        "nephew" => ("NEPHEW", "nephew"),
        "cousin" => ("COUSN", "cousin"),
        "mother-in-law" => ("MTHINLAW", "mother-in-law"),
        "father-in-law" => ("FTHINLAW", "father-in-law"),
        "guardian" => ("GUARD", "guardian"),
        "friend" => ("FRND", "unrelated friend"),
        "neighbour" | "neighbor" => ("NBOR", "neighbor"),
        _ => return None,
    };
    Some(Coded(ROLE, code, display))
}

#[cfg(test)]
mod tests;
