//! A slot as FHIR.

use prm::id::{PractitionerId, ScheduleId, SlotId};
use serde_json::{Value, json};

use super::*;
use crate::fixture::{clinic, here, id, time, valid};
use crate::reference::is_id;

fn ten() -> Slot {
    let start = time("2026-11-23T04:30:00Z");
    Slot {
        id: SlotId::new(ScheduleId::from_bytes(id(7).into_bytes()), start),
        practitioner: PractitionerId::from_bytes(id(3).into_bytes()),
        location: None,
        start,
        end: time("2026-11-23T04:45:00Z"),
        free: 2,
        lent: false,
    }
}

#[test]
fn a_slot_says_when_it_is_and_whether_it_can_be_had() {
    let clinic = clinic();
    let written = valid(write(&ten(), Status::Free, Some("Check-up"), here(&clinic)));
    let expected = json!({
        "resourceType": "Slot",
        "id": format!("{}.29923470", id(7)),
        "extension": [{ "url": PLACES_LEFT, "valueUnsignedInt": 2 }],
        "serviceType": [{ "text": "Check-up" }],
        "schedule": { "reference": format!("Schedule/{}", id(7)) },
        "status": "free",
        "start": "2026-11-23T10:00:00+05:30",
        "end": "2026-11-23T10:15:00+05:30",
    });
    assert_eq!(Value::from(written), expected);
    for status in [Status::Busy, Status::BusyTentative, Status::BusyUnavailable] {
        let full = valid(write(&Slot { free: 0, ..ten() }, status, None, here(&clinic)));
        assert_eq!(full.get("status"), Some(&json!(status.as_str())));
    }
}

#[test]
fn the_id_of_every_slot_is_a_fhir_id_and_is_read_again() {
    for start_minute in [0, 29_923_470, u32::MAX] {
        let id = SlotId { start_minute, ..ten().id };
        let text = id.to_string();
        assert!(is_id(&text), "{text}");
        assert_eq!(text.parse::<SlotId>(), Ok(id));
    }
}

#[test]
fn a_slot_is_known_by_its_id_and_its_schedule() {
    let schedule = crate::fixture::resource(serde_json::json!({
        "resourceType": "Schedule",
        "id": id(9).to_string(),
        "extension": [{
            "url": crate::extension::WEEKLY_SESSION,
            "extension": [{ "url": "slotMinutes", "valuePositiveInt": 15 }],
        }],
        "actor": [{ "reference": "Practitioner/p" }, { "reference": "Location/l" }],
    }));
    let slot = format!("{}.29904840", id(9));
    let time = Time::of(&slot, &schedule).unwrap();
    assert_eq!(
        (time.id.to_string(), time.end.duration_since(time.start).as_mins()),
        (slot.clone(), 15)
    );
    assert_eq!((time.practitioner.as_deref(), time.location.as_deref()), (Some("p"), Some("l")));
    assert_eq!(Time::schedule(&slot), Some(id(9).to_string()));
    let proposed = crate::appointment::proposal::Proposal::parse(&time.proposal()).unwrap();
    assert_eq!(proposed.slot, time.id);
    assert_eq!(Time::of(&format!("{}.29904840", id(8)), &schedule), None);
}
