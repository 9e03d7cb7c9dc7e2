//! A weekly session as FHIR and back.

use prm::id::ScheduleId;
use prm::schedule::Weekdays;
use serde_json::json;

use super::*;
use crate::fixture::{clinic, expressions, here, id, resource, updated, valid, without_own};

fn date(text: &str) -> Option<Date> {
    Some(text.parse().unwrap())
}

fn evenings() -> Schedule {
    Schedule {
        id: ScheduleId::from_bytes(id(7).into_bytes()),
        version: 1,
        practitioner: PractitionerId::from_bytes(id(3).into_bytes()),
        location: Some(LocationId::from_bytes(id(4).into_bytes())),
        weekdays: Weekdays::parse(&["mon".into(), "thu".into()]).unwrap(),
        start_minute: 17 * 60 + 30,
        end_minute: 24 * 60,
        slot_minutes: 15,
        slot_capacity: 2,
        session_capacity: Some(30),
        valid_from: date("2026-11-01"),
        valid_to: date("2027-03-31"),
        active: true,
        lending: Lending::default(),
    }
}

#[test]
fn a_session_is_written_and_read() {
    let clinic = clinic();
    let written = valid(write(&evenings(), &["Check-up"], here(&clinic), updated(), None));
    let expected = json!({
        "resourceType": "Schedule",
        "id": id(7).to_string(),
        "meta": { "versionId": "1", "lastUpdated": "2026-11-23T10:00:00+05:30" },
        "extension": [{
            "url": extension::WEEKLY_SESSION,
            "extension": [
                { "url": "dayOfWeek", "valueCode": "mon" },
                { "url": "dayOfWeek", "valueCode": "thu" },
                { "url": "start", "valueTime": "17:30:00" },
                { "url": "end", "valueTime": "00:00:00" },
                { "url": "slotMinutes", "valuePositiveInt": 15 },
                { "url": "slotCapacity", "valuePositiveInt": 2 },
                { "url": "sessionCapacity", "valuePositiveInt": 30 },
            ],
        }],
        "active": true,
        "serviceType": [{ "text": "Check-up" }],
        "actor": [
            { "reference": format!("Practitioner/{}", id(3)) },
            { "reference": format!("Location/{}", id(4)) },
        ],
        "planningHorizon": { "start": "2026-11-01", "end": "2027-03-31" },
    });
    assert_eq!(Value::from(written.clone()), expected);
    let addition = read(&written, here(&clinic)).unwrap().addition();
    assert_eq!((addition.start.as_str(), addition.end.as_str()), ("17:30", "24:00"));
    assert_eq!(addition.weekdays, ["mon", "thu"]);
    assert_eq!((addition.slot_minutes, addition.slot_capacity), (15, Some(2)));
    assert_eq!(addition.session_capacity, Some(30));
    assert_eq!(addition.practitioner, evenings().practitioner);
    assert_eq!((addition.location, addition.valid_from, addition.valid_to), {
        let Schedule { location, valid_from, valid_to, .. } = evenings();
        (location, valid_from, valid_to)
    });
}

#[test]
fn an_edit_changes_what_it_may_and_no_slots() {
    let clinic = clinic();
    let given = valid(write(&evenings(), &[], here(&clinic), updated(), None));
    let bounds = Schedule { valid_to: None, location: None, session_capacity: None, ..evenings() };
    let written = valid(write(&bounds, &[], here(&clinic), updated(), Some(&given)));
    assert_eq!(written.get("planningHorizon"), Some(&json!({ "start": "2026-11-01" })));
    let edit = read(&written, here(&clinic)).unwrap().edit(&evenings()).unwrap();
    assert_eq!((edit.location, edit.valid_to, edit.session_capacity), {
        (Some(None), Some(None), Some(None))
    });
    let other = Schedule {
        practitioner: PractitionerId::from_bytes(id(8).into_bytes()),
        slot_minutes: 20,
        ..evenings()
    };
    let refused = read(&written, here(&clinic)).unwrap().edit(&other).unwrap_err();
    let session = format!("Schedule.extension('{}')", extension::WEEKLY_SESSION);
    assert_eq!(expressions(&refused), ["Schedule.actor", &session]);
}

#[test]
fn what_was_given_stays_as_long_as_it_says_the_same() {
    let clinic = clinic();
    let mut given = write(&evenings(), &[], here(&clinic), updated(), None);
    given.set(
        "actor",
        json!([
            { "reference": "Device/scanner" },
            { "reference": format!("PractitionerRole/{}", id(3)), "display": "Dr Rao" },
            { "reference": format!("Location/{}", id(4)) },
        ]),
    );
    given.set("comment", "Evenings only");
    given.set(
        "planningHorizon",
        json!({
            "start": "2026-10-31T20:00:00Z",
            "end": "2027-04-01T00:00:00+05:30",
            "_end": { "id": "e" },
        }),
    );
    let given = valid(given);
    let raw = read(&given, here(&clinic)).unwrap();
    assert_eq!((raw.valid_from, raw.valid_to), (date("2026-11-01"), date("2027-03-31")));
    let written = write(&evenings(), &["Check-up"], here(&clinic), updated(), Some(&given));
    assert_eq!(Value::from(without_own(&written)), Value::from(without_own(&given)));
}

#[test]
fn a_schedule_without_a_session_that_repeats_is_refused() {
    let clinic = clinic();
    let given = resource(json!({
        "resourceType": "Schedule",
        "actor": [{ "reference": "Location/1" }],
        "planningHorizon": { "start": "2013-12-25T09:15:00Z", "end": "2013-12-25T09:30:00Z" },
    }));
    let refused = read(&given, here(&clinic)).unwrap_err();
    let session = format!("Schedule.extension('{}')", extension::WEEKLY_SESSION);
    assert_eq!(expressions(&refused), ["Schedule.actor", &session]);
}

#[test]
fn what_is_lent_of_a_session_is_written_read_and_left_to_the_settings() {
    let clinic = clinic();
    let lending = Lending { share_percent: Some(0), cutoff_hours: Some(48), horizon_days: None };
    let some = Schedule { lending, ..evenings() };
    let written = valid(write(&some, &[], here(&clinic), updated(), None));
    let shown = &written.get("extension").unwrap()[1];
    assert_eq!(
        *shown,
        json!({
            "url": extension::LENDING,
            "extension": [
                { "url": "sharePercent", "valueUnsignedInt": 0 },
                { "url": "cutoffHours", "valuePositiveInt": 48 },
            ],
        })
    );
    let raw = read(&written, here(&clinic)).unwrap();
    assert_eq!(raw.clone().addition().lending, lending);
    let edit = raw.edit(&evenings()).unwrap().lending;
    assert_eq!((edit.share_percent, edit.horizon_days), (Some(Some(0)), Some(None)));

    // Whoever leaves it out leaves it to the settings.
    let plain = valid(write(&evenings(), &[], here(&clinic), updated(), Some(&written)));
    assert_eq!(plain.get("extension").unwrap().as_array().unwrap().len(), 1);
    let edit = read(&plain, here(&clinic)).unwrap().edit(&some).unwrap().lending;
    assert_eq!(edit.share_percent, Some(None));
}

#[test]
fn what_is_said_of_lending_and_cannot_be_read_is_refused() {
    let clinic = clinic();
    for elements in [
        json!([{ "url": "share", "valueUnsignedInt": 20 }]),
        json!([{ "url": "sharePercent", "valueString": "20" }]),
        json!([{ "url": "cutoffHours", "valuePositiveInt": 2 }, { "url": "cutoffHours", "valuePositiveInt": 3 }]),
    ] {
        let mut given = write(&evenings(), &[], here(&clinic), updated(), None);
        let mut extensions = given.get("extension").unwrap().as_array().unwrap().clone();
        extensions.push(json!({ "url": extension::LENDING, "extension": elements }));
        given.set("extension", Value::Array(extensions));
        let refused = read(&given, here(&clinic)).unwrap_err();
        let lending = format!("Schedule.extension('{}')", extension::LENDING);
        assert_eq!(expressions(&refused), [lending]);
    }
}
