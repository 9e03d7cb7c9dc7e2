//! A place in the queue as a task.

use prm::id::{AppointmentId, LocationId, PatientId, PractitionerId, QueueEntryId};

use super::*;
use crate::fixture::{clinic, here, id, time, updated, valid};

/// Somebody who waits with an appointment.
pub(crate) fn waiting() -> QueueEntry {
    QueueEntry {
        id: QueueEntryId::from_bytes(id(11).into_bytes()),
        version: 2,
        date: "2026-11-23".parse().unwrap(),
        token: "A-012".into(),
        kind: Kind::Booked,
        status: Status::Waiting,
        patient: Some(PatientId::from_bytes(id(2).into_bytes())),
        patient_name: Some("Rani Sharma".into()),
        practitioner: Some(PractitionerId::from_bytes(id(3).into_bytes())),
        location: Some(LocationId::from_bytes(id(4).into_bytes())),
        room: Some("Room 1".into()),
        appointment: Some(AppointmentId::from_bytes(id(10).into_bytes())),
        joined_at: time("2026-11-23T04:20:00Z"),
        due: time("2026-11-23T04:30:00Z"),
        called_at: None,
        calls: 0,
        finished_at: None,
        priority_reason: None,
    }
}

#[test]
fn a_place_in_the_queue_is_a_task_with_the_ticket_as_identifier() {
    let clinic = clinic();
    let written = valid(write(&waiting(), Some("Dr. Asha Rao"), here(&clinic), updated(), None));
    let expected = json!({
        "resourceType": "Task",
        "id": id(11).to_string(),
        "meta": { "versionId": "2", "lastUpdated": "2026-11-23T10:00:00+05:30" },
        "extension": [
            { "url": DUE, "valueInstant": "2026-11-23T10:00:00+05:30" },
            { "url": CALLS, "valueUnsignedInt": 0 },
        ],
        "identifier": [{
            "system": TOKEN_SYSTEM,
            "value": "A-012",
            "period": { "start": "2026-11-23", "end": "2026-11-23" },
        }],
        "status": "ready",
        "businessStatus": { "coding": [{
            "system": QUEUE_STATUS, "code": "waiting", "display": "Waiting",
        }] },
        "intent": "order",
        "priority": "routine",
        "code": { "coding": [{
            "system": QUEUE_KIND, "code": "booked", "display": "Waits with an appointment",
        }] },
        "focus": { "reference": format!("Appointment/{}", id(10)) },
        "for": { "reference": format!("Patient/{}", id(2)), "display": "Rani Sharma" },
        "encounter": { "reference": format!("Encounter/{}", id(11)) },
        "authoredOn": "2026-11-23T09:50:00+05:30",
        "lastModified": "2026-11-23T10:00:00+05:30",
        "owner": { "reference": format!("Practitioner/{}", id(3)), "display": "Dr. Asha Rao" },
        "location": { "reference": format!("Location/{}", id(4)), "display": "Room 1" },
    });
    assert_eq!(Value::from(written), expected);
}

#[test]
fn every_stage_of_every_kind_is_valid() {
    let clinic = clinic();
    for kind in [Kind::Booked, Kind::WalkIn, Kind::Desk] {
        for status in Status::ALL {
            let was_called = !matches!(status, Status::Waiting);
            let entry = QueueEntry {
                kind,
                status,
                patient: (kind != Kind::Desk).then(|| PatientId::from_bytes(id(2).into_bytes())),
                practitioner: None,
                appointment: None,
                called_at: was_called.then(updated),
                calls: 2,
                finished_at: (status == Status::Finished).then(updated),
                priority_reason: Some("chest pain".into()),
                ..waiting()
            };
            let written = valid(write(&entry, None, here(&clinic), updated(), None));
            assert_eq!(written.get("priority"), Some(&json!("stat")));
            assert_eq!(written.get("executionPeriod").is_some(), was_called);
        }
    }
}

#[test]
fn a_task_was_not_changed_before_it_was_there() {
    let clinic = clinic();
    let joined_at = time("2026-11-23T04:30:00.001Z");
    let entry = QueueEntry { joined_at, ..waiting() };
    let written = valid(write(&entry, None, here(&clinic), updated(), None));
    assert_eq!(written.get("lastModified"), written.get("authoredOn"));
}
