//! Who wrote a version, as FHIR.

use prm::id::{PatientId, PractitionerId};

use super::*;
use crate::fixture::{clinic, here, id, updated, valid};
use crate::reference::is_id;

fn moved() -> Written {
    Written {
        sequence: 42,
        noun: "appointment".into(),
        resource: id(10),
        version: 3,
        verb: "move".into(),
        at: updated(),
        actor_kind: "staff".into(),
        actor: Some(id(14)),
        actor_name: Some("Asha Rao".into()),
        practitioner: None,
        channel: "desk".into(),
        patient: Some(PatientId::from_bytes(id(2).into_bytes())),
    }
}

#[test]
fn a_version_says_who_wrote_it_when_and_how() {
    let clinic = clinic();
    let expected = json!({
        "resourceType": "Provenance",
        "id": format!("Appointment.{}.3", id(10)),
        "meta": { "versionId": "1", "lastUpdated": "2026-11-23T10:00:00+05:30" },
        "extension": [{ "url": CHANNEL, "valueCode": "desk" }],
        "target": [{ "reference": format!("Appointment/{}/_history/3", id(10)) }],
        "recorded": "2026-11-23T10:00:00+05:30",
        "activity": { "coding": [UPDATE.coding(), { "system": VERB, "code": "move" }] },
        "agent": [{
            "type": ENTERER.concept(),
            "role": [{ "coding": [{ "system": ACTOR, "code": "staff" }] }],
            "who": {
                "identifier": {
                    "system": "urn:ietf:rfc:3986",
                    "value": format!("urn:uuid:{}", id(14)),
                },
                "display": "Asha Rao",
            },
        }],
    });
    let written = valid(write(&moved(), here(&clinic)).unwrap());
    assert_eq!(Value::from(written), expected);
}

#[test]
fn who_is_a_resource_is_referred_to() {
    let clinic = clinic();
    let who = |written: &Written| {
        let written = Value::from(valid(write(written, here(&clinic)).unwrap()));
        written["agent"][0]["who"].clone()
    };
    let practitioner = Some(PractitionerId::from_bytes(id(3).into_bytes()));
    let doctor = Written { practitioner, actor_name: None, ..moved() };
    assert_eq!(who(&doctor), json!({ "reference": format!("Practitioner/{}", id(3)) }));
    let kiosk = Written { actor_kind: "device".into(), actor_name: None, ..moved() };
    assert_eq!(who(&kiosk), json!({ "reference": format!("Device/{}", id(14)) }));
    let alone = Written { actor_kind: "box".into(), actor: None, actor_name: None, ..moved() };
    assert_eq!(who(&alone), json!({ "display": "box" }));
}

#[test]
fn an_id_is_read_back_if_the_box_made_it() {
    for (noun, type_) in TARGETS {
        let made = id_of(type_, id(7), 999_999_999);
        assert!(is_id(&made), "{made}");
        assert_eq!(parse_id(&made), Some((noun, id(7), 999_999_999)));
    }
    let upper = id(0xabc).to_string().to_uppercase();
    for other in [
        format!("Appointment.{}", id(7)),
        format!("Appointment.{}.01", id(7)),
        format!("Appointment.{}.1.1", id(7)),
        format!("Appointment.{}.1", upper),
        format!("Task.{}.1", id(7)),
        "example".to_owned(),
    ] {
        assert_eq!(parse_id(&other), None, "{other}");
    }
}
