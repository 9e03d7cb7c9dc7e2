//! A line of the audit as FHIR.

use prm::id::PatientId;

use super::*;
use crate::fixture::{clinic, here, id, updated, valid};

fn booked() -> Line {
    Line {
        sequence: 42,
        at: updated(),
        actor_kind: "staff".into(),
        actor: Some(id(14)),
        actor_name: Some("Asha Rao".into()),
        channel: "desk".into(),
        verb: "book".into(),
        noun: "appointment".into(),
        resource: Some(id(10)),
        patient: Some(PatientId::from_bytes(id(2).into_bytes())),
    }
}

#[test]
fn a_line_says_who_did_what_with_whose_record() {
    let clinic = clinic();
    let expected = json!({
        "resourceType": "AuditEvent",
        "id": "42",
        "meta": { "versionId": "1", "lastUpdated": "2026-11-23T10:00:00+05:30" },
        "extension": [{ "url": CHANNEL, "valueCode": "desk" }],
        "type": {
            "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
            "code": "rest",
            "display": "RESTful Operation",
        },
        "subtype": [
            {
                "system": "http://hl7.org/fhir/restful-interaction",
                "code": "create",
                "display": "create",
            },
            { "system": VERB, "code": "book" },
        ],
        "action": "C",
        "recorded": "2026-11-23T10:00:00+05:30",
        "outcome": "0",
        "agent": [{
            "type": { "coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/extra-security-role-type",
                "code": "humanuser",
                "display": "human user",
            }] },
            "who": {
                "identifier": {
                    "system": "urn:ietf:rfc:3986",
                    "value": format!("urn:uuid:{}", id(14)),
                },
                "display": "Asha Rao",
            },
            "requestor": true,
        }],
        "source": {
            "observer": {
                "reference": format!("Organization/{}", id(1)),
                "display": "Shanti Clinic",
            },
            "type": [{
                "system": "http://terminology.hl7.org/CodeSystem/security-source-type",
                "code": "4",
                "display": "Application Server",
            }],
        },
        "entity": [
            {
                "what": { "reference": format!("Appointment/{}", id(10)) },
                "type": {
                    "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type",
                    "code": "2",
                    "display": "System Object",
                },
                "name": "appointment",
            },
            {
                "what": { "reference": format!("Patient/{}", id(2)) },
                "type": {
                    "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type",
                    "code": "1",
                    "display": "Person",
                },
                "role": {
                    "system": "http://terminology.hl7.org/CodeSystem/object-role",
                    "code": "1",
                    "display": "Patient",
                },
            },
        ],
    });
    assert_eq!(Value::from(valid(write(&booked(), here(&clinic)))), expected);
}

#[test]
fn every_kind_of_line_is_valid() {
    let clinic = clinic();
    let written = |line: Line| Value::from(valid(write(&line, here(&clinic))));
    let own =
        Line { noun: "patient".into(), resource: Some(id(2)), verb: "read".into(), ..booked() };
    let event = written(own);
    assert_eq!(event["action"], json!("R"));
    assert_eq!(event["entity"].as_array().map(Vec::len), Some(1), "the patient once");

    let listed = Line { verb: "list".into(), resource: None, patient: None, ..booked() };
    assert_eq!(written(listed)["subtype"][0]["code"], json!("search-type"));

    let kiosk = Line {
        actor_kind: "device".into(),
        actor: Some(id(12)),
        actor_name: None,
        channel: "kiosk".into(),
        verb: "check_in".into(),
        ..booked()
    };
    let event = written(kiosk);
    assert_eq!(event["agent"][0]["who"], json!({ "reference": format!("Device/{}", id(12)) }));
    assert_eq!(event["action"], json!("U"));

    let stranger = Line {
        actor_kind: "nobody".into(),
        actor: None,
        actor_name: None,
        verb: "sign_in_failed".into(),
        noun: "session".into(),
        resource: None,
        patient: None,
        ..booked()
    };
    let event = written(stranger);
    assert_eq!(event["outcome"], json!("4"));
    assert_eq!(event["type"]["code"], json!("110114"));
}
