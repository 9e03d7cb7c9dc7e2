//! A visit as an encounter.

use super::*;
use crate::fixture::{clinic, here, id, resource, updated, valid};
use crate::task::tests::waiting;

#[test]
fn somebody_who_waits_has_arrived() {
    let clinic = clinic();
    let name = Some("Dr. Asha Rao");
    let written = write(&waiting(), name, here(&clinic), updated(), None).unwrap();
    let expected = json!({
        "resourceType": "Encounter",
        "id": id(11).to_string(),
        "meta": { "versionId": "2", "lastUpdated": "2026-11-23T10:00:00+05:30" },
        "status": "arrived",
        "class": {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": "AMB",
            "display": "ambulatory",
        },
        "type": [{ "text": "visit by appointment" }],
        "subject": { "reference": format!("Patient/{}", id(2)), "display": "Rani Sharma" },
        "participant": [{ "individual": {
            "reference": format!("Practitioner/{}", id(3)),
            "display": "Dr. Asha Rao",
        } }],
        "appointment": [{ "reference": format!("Appointment/{}", id(10)) }],
        "period": { "start": "2026-11-23T09:50:00+05:30" },
        "location": [{ "location": {
            "reference": format!("Location/{}", id(4)),
            "display": "Room 1",
        } }],
        "serviceProvider": { "reference": format!("Organization/{}", id(1)) },
    });
    assert_eq!(Value::from(valid(written)), expected);
}

#[test]
fn every_stage_is_valid_and_what_else_was_given_stays() {
    let clinic = clinic();
    let given = resource(json!({
        "resourceType": "Encounter",
        "status": "planned",
        "class": AMBULATORY.coding(),
        "reasonCode": [{ "text": "fever" }],
    }));
    for status in Status::ALL {
        let entry = QueueEntry {
            status,
            finished_at: (status == Status::Finished).then(updated),
            priority_reason: Some("chest pain".into()),
            ..waiting()
        };
        let written = write(&entry, None, here(&clinic), updated(), Some(&given)).unwrap();
        let written = valid(written);
        assert_eq!(written.get("status"), Some(&json!(status_of(status))));
        assert_eq!(written.get("reasonCode"), given.get("reasonCode"));
    }
}

#[test]
fn a_visit_that_ended_before_it_began_by_a_clock_that_was_put_back_is_valid() {
    let clinic = clinic();
    let began = waiting().joined_at;
    let ended = Some(began - jiff::SignedDuration::from_mins(10));
    let entry = QueueEntry { status: Status::Finished, finished_at: ended, ..waiting() };
    let written = valid(write(&entry, None, here(&clinic), updated(), None).unwrap());
    let period = written.get("period").unwrap();
    assert_eq!(period["start"], period["end"]);
}

#[test]
fn somebody_whom_nobody_knows_has_no_encounter() {
    let clinic = clinic();
    let entry = QueueEntry { patient: None, ..waiting() };
    assert_eq!(write(&entry, None, here(&clinic), updated(), None), None);
}
