//! A practitioner as FHIR and back.

use prm::id::PractitionerId;
use serde_json::json;

use super::*;
use crate::fixture::{
    clinic, examples, expressions, here, id, resource, updated, valid, without_own,
};

fn asha() -> Practitioner {
    Practitioner {
        id: PractitionerId::from_bytes(id(3).into_bytes()),
        version: 2,
        name: "Dr. Asha Rao".into(),
        specialties: vec!["cardiology".into()],
        token_prefix: "A".into(),
        location: None,
        active: true,
    }
}

#[test]
fn a_record_is_written_with_what_national_profiles_ask_for() {
    let clinic = clinic();
    let written = valid(write(&asha(), here(&clinic), updated(), None));
    let expected = json!({
        "resourceType": "Practitioner",
        "id": id(3).to_string(),
        "meta": { "versionId": "2", "lastUpdated": "2026-11-23T10:00:00+05:30" },
        "identifier": [{
            "type": { "coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                "code": "RI",
                "display": "Resource identifier",
            }] },
            "system": "urn:ietf:rfc:3986",
            "value": format!("urn:uuid:{}", id(3)),
        }],
        "active": true,
        "name": [{
            "text": "Dr. Asha Rao",
            "family": "Rao",
            "given": ["Asha"],
            "prefix": ["Dr."],
        }],
    });
    assert_eq!(Value::from(written.clone()), expected);
    let raw = read(&written).unwrap();
    assert_eq!((raw.name.as_str(), raw.active), ("Dr. Asha Rao", true));
}

#[test]
fn a_practitioner_without_a_name_is_refused() {
    let given = resource(json!({ "resourceType": "Practitioner", "name": [{ "use": "usual" }] }));
    assert_eq!(expressions(&read(&given).unwrap_err()), ["Practitioner.name"]);
}

#[test]
fn every_example_of_hl7_that_is_read_is_written_back_equal() {
    let clinic = clinic();
    let mut taken = 0;
    for (name, given) in examples("Practitioner") {
        let Ok(RawPractitioner { name: called, active }) = read(&given) else { continue };
        let record = Practitioner { name: called, active, ..asha() };
        let written = write(&record, here(&clinic), updated(), Some(&given));
        assert_eq!(Value::from(without_own(&written)), Value::from(without_own(&given)), "{name}");
        let left = Practitioner { active: !active, ..record };
        let mut left = without_own(&write(&left, here(&clinic), updated(), Some(&given)));
        assert_eq!(left.get("active"), Some(&json!(!active)));
        left.remove("active");
        let mut expected = without_own(&given);
        if expected.remove("active").is_some() {
            expected.remove("text");
        }
        assert_eq!(Value::from(left), Value::from(expected), "{name}: nothing else changes");
        taken += 1;
    }
    assert!(taken == 0 || taken > 10, "only {taken} were read");
}
