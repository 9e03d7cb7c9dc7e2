//! A relative as FHIR.

use prm::contact::BirthDate;
use serde_json::Value;

use super::*;
use crate::fixture::{clinic, here, id, updated, valid};
use crate::patient::tests::rani;
use crate::reference::is_id;

#[test]
fn a_relative_is_a_related_person_of_the_patient() {
    let clinic = clinic();
    let mother = Patient {
        id: PatientId::from_bytes(id(13).into_bytes()),
        version: 2,
        number: 77,
        name: "Meera Sharma".into(),
        birth_date: Some(BirthDate::parse("1960").unwrap()),
        email: None,
        ..rani()
    };
    let relative = Relative { patient: mother, relationship: Some("mother".into()) };
    let written = valid(write(&rani(), &relative, here(&clinic), updated(), None));
    let expected = json!({
        "resourceType": "RelatedPerson",
        "id": id_of(rani().id, relative.patient.id),
        "meta": { "versionId": "6", "lastUpdated": "2026-11-23T10:00:00+05:30" },
        "identifier": [{
            "use": "usual",
            "type": { "coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                "code": "MR",
                "display": "Medical record number",
            }] },
            "system": format!("urn:uuid:{}", id(1)),
            "value": "77",
        }],
        "active": true,
        "patient": { "reference": format!("Patient/{}", id(2)), "display": "Rani Sharma" },
        "relationship": [{
            "coding": [{ "system": ROLE, "code": "MTH", "display": "mother" }],
            "text": "mother",
        }],
        "name": [{ "text": "Meera Sharma", "family": "Sharma", "given": ["Meera"] }],
        "telecom": [{ "system": "phone", "value": "+919844111173", "use": "mobile" }],
        "gender": "female",
        "birthDate": "1960",
    });
    assert_eq!(Value::from(written), expected);
    let cousin = Relative { relationship: Some("cousin's wife".into()), ..relative };
    let written = valid(write(&rani(), &cousin, here(&clinic), updated(), None));
    assert_eq!(written.get("relationship"), Some(&json!([{ "text": "cousin's wife" }])));
}

#[test]
fn the_id_tells_both_and_which_is_which() {
    let (a, b) = (rani().id, PatientId::from_bytes(id(u128::from(u64::MAX)).into_bytes()));
    assert!(is_id(&id_of(a, b)));
    assert_eq!(parse_id(&id_of(a, b)), Some((a, b)));
    assert_ne!(id_of(a, b), id_of(b, a));
    for other in ["", "example", &a.to_string(), &id_of(a, b).to_uppercase()] {
        assert_eq!(parse_id(other), None);
    }
}
