//! A practitioner's role as FHIR and back.

use prm::id::{HealthcareServiceId, ScheduleId};
use prm::schedule::Weekdays;
use serde_json::{Value, json};

use super::*;
use crate::fixture::{
    ORIGIN, clinic, examples, expressions, here, id, resource, updated, valid, without_own,
};

fn asha() -> Practitioner {
    Practitioner {
        id: PractitionerId::from_bytes(id(3).into_bytes()),
        version: 2,
        name: "Dr. Asha Rao".into(),
        specialties: vec!["cardiology".into(), "internal medicine".into()],
        token_prefix: "A".into(),
        location: Some(LocationId::from_bytes(id(4).into_bytes())),
        active: true,
    }
}

#[test]
fn a_role_has_the_id_of_its_practitioner() {
    let clinic = clinic();
    let written = valid(write(&asha(), Shown::default(), here(&clinic), updated(), None));
    let expected = json!({
        "resourceType": "PractitionerRole",
        "id": id(3).to_string(),
        "meta": { "versionId": "2", "lastUpdated": "2026-11-23T10:00:00+05:30" },
        "active": true,
        "practitioner": {
            "reference": format!("Practitioner/{}", id(3)),
            "display": "Dr. Asha Rao",
        },
        "organization": { "reference": format!("Organization/{}", id(1)) },
        "specialty": [{ "text": "cardiology" }, { "text": "internal medicine" }],
        "location": [{ "reference": format!("Location/{}", id(4)) }],
    });
    assert_eq!(Value::from(written.clone()), expected);
    let edit = read(&written, here(&clinic)).unwrap().edit();
    assert_eq!(edit.specialties, Some(asha().specialties));
    assert_eq!(edit.location, Some(asha().location));
}

#[test]
fn the_speciality_stays_coded_as_long_as_it_is_the_same() {
    let clinic = clinic();
    let coded = json!({ "coding": [{
        "system": "http://snomed.info/sct", "code": "394579002", "display": "Cardiology",
    }] });
    let given = resource(json!({
        "resourceType": "PractitionerRole",
        "practitioner": { "reference": format!("{ORIGIN}/Practitioner/{}", id(3)) },
        "specialty": [coded, { "text": "Internal Medicine" }],
        "location": [{ "reference": "Location/elsewhere" }],
    }));
    let raw = read(&given, here(&clinic)).unwrap();
    assert_eq!(raw.specialties, asha().specialties);
    assert_eq!(raw.location, None);
    let other = Practitioner { specialties: vec!["cardiology".into(), "surgery".into()], ..asha() };
    let written = valid(write(&other, Shown::default(), here(&clinic), updated(), Some(&given)));
    assert_eq!(written.get("practitioner"), given.get("practitioner"));
    assert_eq!(written.get("specialty"), Some(&json!([coded, { "text": "surgery" }])));
    let rooms = json!([
        { "reference": "Location/elsewhere" },
        { "reference": format!("Location/{}", id(4)) },
    ]);
    assert_eq!(written.get("location"), Some(&rooms));
}

#[test]
fn a_role_of_nobody_here_is_refused() {
    let clinic = clinic();
    let given = resource(json!({
        "resourceType": "PractitionerRole",
        "practitioner": { "reference": "https://elsewhere.example/Practitioner/1" },
    }));
    let refused = read(&given, here(&clinic)).unwrap_err();
    assert_eq!(expressions(&refused), ["PractitionerRole.practitioner"]);
}

#[test]
fn every_example_of_hl7_that_is_read_is_written_back_equal() {
    let clinic = clinic();
    for (name, given) in examples("PractitionerRole") {
        let raw = read(&given, here(&clinic)).unwrap();
        let RawPractitionerRole { practitioner: id, specialties, location, active } = raw;
        let record = Practitioner { id, specialties, location, active, ..asha() };
        let written = write(&record, Shown::default(), here(&clinic), updated(), Some(&given));
        assert_eq!(Value::from(without_own(&written)), Value::from(without_own(&given)), "{name}");
    }
}

fn session(number: u128, (start_minute, end_minute): (u16, u16)) -> Schedule {
    Schedule {
        id: ScheduleId::from_bytes(id(number).into_bytes()),
        version: 1,
        practitioner: asha().id,
        location: None,
        weekdays: Weekdays::parse(&["mon".into(), "wed".into()]).unwrap(),
        start_minute,
        end_minute,
        slot_minutes: 15,
        slot_capacity: 1,
        session_capacity: None,
        valid_from: None,
        valid_to: None,
        active: true,
        lending: prm::schedule::Lending::default(),
    }
}

#[test]
fn when_and_what_follows_from_other_records_until_others_say_it() {
    let clinic = clinic();
    let service = HealthcareService {
        id: HealthcareServiceId::from_bytes(id(9).into_bytes()),
        version: 1,
        name: "Echo".into(),
        duration_minutes: 30,
        buffer_minutes: 0,
        practitioners: Vec::new(),
        locations: Vec::new(),
        active: true,
    };
    let services = [service];
    let written = |schedules: &[Schedule], given: Option<&Resource>| {
        let shown = Shown { schedules, services: &services };
        valid(write(&asha(), shown, here(&clinic), updated(), given))
    };
    let morning = [session(7, (540, 750))];
    let first = written(&morning, None);
    let ours = |number| format!("carepost.{}", id(number));
    let hours = json!([{ "id": ours(7), "daysOfWeek": ["mon", "wed"],
        "availableStartTime": "09:00:00", "availableEndTime": "12:30:00" }]);
    assert_eq!(first.get("availableTime"), Some(&hours));
    let echo = json!([{ "id": ours(9), "reference": format!("HealthcareService/{}", id(9)),
        "display": "Echo" }]);
    assert_eq!(first.get("healthcareService"), Some(&echo));
    // What is read and written back goes on to follow.
    let later = written(&[session(8, (0, 1440)), session(6, (1200, 1440))], Some(&first));
    let hours = json!([
        { "id": ours(8), "daysOfWeek": ["mon", "wed"], "allDay": true },
        { "id": ours(6), "daysOfWeek": ["mon", "wed"],
          "availableStartTime": "20:00:00", "availableEndTime": "23:59:59" },
    ]);
    assert_eq!(later.get("availableTime"), Some(&hours));
    assert_eq!(written(&[], Some(&first)).get("availableTime"), None);
    let mut given = first;
    let said = json!([{ "daysOfWeek": ["sun"], "allDay": true }]);
    given.set("availableTime", said.clone());
    assert_eq!(written(&morning, Some(&given)).get("availableTime"), Some(&said));
}
