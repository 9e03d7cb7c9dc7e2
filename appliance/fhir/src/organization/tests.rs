//! The clinic as FHIR.

use serde_json::Value;

use super::*;
use crate::fixture::{clinic, here, id, resource, updated, valid};

#[test]
fn the_clinic_is_written_with_what_nrces_asks_for() {
    let clinic = clinic();
    let written = valid(write(here(&clinic), updated(), None));
    let expected = json!({
        "resourceType": "Organization",
        "id": id(1).to_string(),
        "meta": { "versionId": "3", "lastUpdated": "2026-11-23T10:00:00+05:30" },
        "extension": [{ "url": TIME_ZONE, "valueCode": "Asia/Kolkata" }],
        "identifier": [{
            "type": { "coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                "code": "RI",
                "display": "Resource identifier",
            }] },
            "system": "urn:ietf:rfc:3986",
            "value": format!("urn:uuid:{}", id(1)),
        }],
        "active": true,
        "type": [{ "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/organization-type",
            "code": "prov",
            "display": "Healthcare Provider",
        }] }],
        "name": "Shanti Clinic",
        "address": [{ "country": "IN" }],
    });
    assert_eq!(Value::from(written), expected);
}

#[test]
fn what_else_was_given_of_the_clinic_stays() {
    let clinic = clinic();
    let given = resource(json!({
        "resourceType": "Organization",
        "name": "Shanti",
        "telecom": [{ "system": "phone", "value": "0821 222 3333" }],
    }));
    let written = valid(write(here(&clinic), updated(), Some(&given)));
    assert_eq!(written.get("name"), Some(&json!("Shanti Clinic")));
    assert_eq!(written.get("telecom"), given.get("telecom"));
    assert_eq!(written.get("address"), None);
}

#[test]
fn a_copy_of_the_clinic_tells_whose_records_these_are() {
    let clinic = clinic();
    let written = write(here(&clinic), updated(), None);
    let known = own(&written).unwrap().clinic();
    assert_eq!((known.id, known.name.as_str()), (clinic.id, "Shanti Clinic"));
    assert_eq!((known.timezone.as_str(), known.country.as_str()), ("Asia/Kolkata", "IN"));
    let nowhere = Own { timezone: Some("Mars/Olympus".to_owned()), ..own(&written).unwrap() };
    assert_eq!(nowhere.clinic().timezone, "UTC");
    let insurer = resource(json!({ "resourceType": "Organization", "name": "Asha Insurance" }));
    assert_eq!(own(&insurer), None);
}
