//! An appointment as FHIR and back.

use prm::id::{
    AppointmentId, HealthcareServiceId, LocationId, PatientId, PractitionerId, ScheduleId,
};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::fixture::{
    ORIGIN, clinic, examples, expressions, here, id, resource, time, updated, valid, without_own,
};
use crate::outcome::IssueCode;

fn visit() -> Appointment {
    Appointment {
        id: AppointmentId::from_bytes(id(10).into_bytes()),
        version: 1,
        status: Status::Booked,
        patient: PatientId::from_bytes(id(2).into_bytes()),
        patient_name: "Rani Sharma".into(),
        patient_phone: None,
        practitioner: PractitionerId::from_bytes(id(3).into_bytes()),
        location: Some(LocationId::from_bytes(id(4).into_bytes())),
        healthcare_service: Some(HealthcareServiceId::from_bytes(id(5).into_bytes())),
        schedule: ScheduleId::from_bytes(id(7).into_bytes()),
        start: time("2026-11-23T04:30:00Z"),
        end: time("2026-11-23T05:00:00Z"),
        blocked_to: time("2026-11-23T05:10:00Z"),
        lane: 0,
        reason: Some("fever".into()),
        cancel_reason: None,
        overbook_reason: None,
        confirmed_at: None,
        hold_until: None,
        series: None,
    }
}

const SHOWN: Shown<'_> = Shown {
    practitioner: Some("Dr. Asha Rao"),
    location: Some("Room 1"),
    healthcare_service: Some("Ultrasound"),
    created: None,
};

fn written(appointment: &Appointment, given: Option<&Resource>) -> Resource {
    let clinic = clinic();
    let shown = Shown { created: Some(time("2026-11-20T06:00:00Z")), ..SHOWN };
    valid(write(appointment, shown, here(&clinic), updated(), given))
}

fn asked(resource: &Resource) -> RawAppointment {
    let clinic = clinic();
    read(resource, here(&clinic)).unwrap()
}

/// What is asked for, as the verbs make a record of it, over another record.
fn applied(raw: RawAppointment, record: Appointment) -> Appointment {
    let RawAppointment {
        status,
        patient,
        practitioner,
        location,
        healthcare_service,
        slot,
        start,
        end,
        reason,
        cancel_reason,
        overbook_reason,
        hold_until,
        series,
        answer: _,
        confirmed_at,
    } = raw;
    Appointment {
        status,
        patient,
        practitioner: practitioner.unwrap_or(record.practitioner),
        location,
        healthcare_service,
        schedule: slot.map_or(record.schedule, |slot| slot.schedule),
        start: start.unwrap(),
        end: end.unwrap(),
        reason,
        cancel_reason,
        overbook_reason,
        hold_until,
        series,
        confirmed_at,
        ..record
    }
}

fn participant(resource_type: &str, number: u128, name: &str) -> Value {
    json!({
        "actor": { "reference": format!("{resource_type}/{}", id(number)), "display": name },
        "status": "accepted",
    })
}

#[test]
fn a_booking_is_written_and_read() {
    let resource = written(&visit(), None);
    let expected = json!({
        "resourceType": "Appointment",
        "id": id(10).to_string(),
        "meta": { "versionId": "1", "lastUpdated": "2026-11-23T10:00:00+05:30" },
        "status": "booked",
        "serviceType": [{ "text": "Ultrasound" }],
        "reasonCode": [{ "text": "fever" }],
        "start": "2026-11-23T10:00:00+05:30",
        "end": "2026-11-23T10:30:00+05:30",
        "minutesDuration": 30,
        "slot": [{ "reference": format!("Slot/{}.29923470", id(7)) }],
        "created": "2026-11-20T11:30:00+05:30",
        "participant": [
            participant("Patient", 2, "Rani Sharma"),
            participant("Practitioner", 3, "Dr. Asha Rao"),
            participant("Location", 4, "Room 1"),
            participant("HealthcareService", 5, "Ultrasound"),
        ],
    });
    assert_eq!(Value::from(resource.clone()), expected);
    assert_eq!(applied(asked(&resource), visit()), visit());
}

#[test]
fn a_hold_says_until_when_and_waits_for_the_patient() {
    let until = time("2026-11-23T04:10:00Z");
    let hold = Appointment { status: Status::Pending, hold_until: Some(until), ..visit() };
    let resource = written(&hold, None);
    let extension = json!([{
        "url": extension::HOLD_UNTIL,
        "valueInstant": "2026-11-23T09:40:00+05:30",
    }]);
    assert_eq!(resource.get("extension"), Some(&extension));
    assert_eq!(asked(&resource).answer, Some(Answer::NeedsAction));
    assert_eq!(asked(&resource).hold_until, Some(until));

    let confirmed_at = Some(updated());
    let booked = Appointment { status: Status::Booked, hold_until: None, confirmed_at, ..hold };
    let resource = written(&booked, Some(&resource));
    assert_eq!(asked(&resource).answer, Some(Answer::Accepted));
    assert_eq!(asked(&resource).hold_until, None);
    assert_eq!(asked(&resource).confirmed_at, confirmed_at);
}

#[test]
fn every_status_of_ours_is_written_and_read_and_no_other() {
    let clinic = clinic();
    for status in Status::ALL {
        let record = Appointment { status, cancel_reason: Some("called off".into()), ..visit() };
        let resource = written(&record, None);
        assert_eq!(asked(&resource).status, status);
        let called_off = matches!(status, Status::Cancelled | Status::Noshow);
        assert_eq!(asked(&resource).cancel_reason.is_some(), called_off, "invariant app-4");
    }
    for word in ["proposed", "waitlist"] {
        let mut given = written(&visit(), None);
        given.set("status", word);
        let refused = read(&given, here(&clinic)).unwrap_err();
        assert_eq!(expressions(&refused), ["Appointment.status"]);
    }
}

#[test]
fn a_move_takes_the_slot_and_the_practitioner_along_and_leaves_the_rest() {
    let given = resource(json!({
        "resourceType": "Appointment",
        "status": "booked",
        "serviceType": [{ "coding": [{ "system": "urn:x", "code": "us" }] }],
        "start": "2026-11-23T04:30:00Z",
        "end": "2026-11-23T05:00:00.000Z",
        "minutesDuration": 30,
        "slot": [{ "reference": format!("Slot/{}.29923470", id(7)) }],
        "comment": "bring the old scans",
        "participant": [
            {
                "type": [{ "text": "room" }],
                "actor": { "reference": format!("Location/{}", id(4)) },
                "status": "accepted",
            },
            { "actor": { "reference": "RelatedPerson/1" }, "status": "tentative" },
            {
                "type": [{ "text": "scan" }],
                "actor": { "reference": format!("{ORIGIN}/PractitionerRole/{}", id(3)) },
                "required": "required",
                "status": "tentative",
            },
            { "actor": { "reference": format!("Patient/{}", id(2)) }, "status": "accepted" },
            { "actor": { "reference": format!("Practitioner/{}", id(3)) }, "status": "accepted" },
        ],
    }));
    let record = applied(asked(&given), visit());
    let same = written(&record, Some(&given));
    assert_eq!(Value::from(without_own(&same)), Value::from(without_own(&given)));

    let moved = Appointment {
        practitioner: PractitionerId::from_bytes(id(8).into_bytes()),
        schedule: ScheduleId::from_bytes(id(9).into_bytes()),
        start: time("2026-11-24T04:30:00Z"),
        end: time("2026-11-24T04:50:00Z"),
        location: None,
        healthcare_service: visit().healthcare_service,
        ..record
    };
    let mut expected = Value::from(without_own(&given));
    expected["start"] = json!("2026-11-24T10:00:00+05:30");
    expected["end"] = json!("2026-11-24T10:20:00+05:30");
    expected["minutesDuration"] = json!(20);
    expected["slot"] = json!([{ "reference": format!("Slot/{}.29924910", id(9)) }]);
    expected["participant"][2]["actor"] =
        json!({ "reference": format!("Practitioner/{}", id(8)), "display": "Dr. Asha Rao" });
    expected["participant"][2]["status"] = json!("accepted");
    let participants = expected["participant"].as_array_mut().unwrap();
    participants.pop();
    participants.remove(0);
    participants.push(participant("HealthcareService", 5, "Ultrasound"));
    assert_eq!(Value::from(without_own(&written(&moved, Some(&given)))), expected);
}

#[test]
fn what_is_missing_or_elsewhere_is_named() {
    let clinic = clinic();
    let refused = |change: &dyn Fn(&mut Resource)| {
        let mut given = written(&visit(), None);
        change(&mut given);
        let outcome = read(&given, here(&clinic)).unwrap_err();
        let issues = outcome.issues.into_iter();
        issues.map(|issue| (issue.expression.unwrap(), issue.code)).collect::<Vec<_>>()
    };
    let at = |path: &str, code| (path.to_owned(), code);
    let participants =
        |entries: Value| move |given: &mut Resource| given.set("participant", entries.clone());
    let patient = participant("Patient", 2, "Rani Sharma");
    let elsewhere = |name: &str| {
        json!({
            "actor": { "reference": format!("https://elsewhere.example/{name}/1") },
            "status": "accepted",
        })
    };

    let found = refused(&participants(json!([elsewhere("Patient")])));
    assert_eq!(found, [at("Appointment.participant", IssueCode::Required)]);
    let found = refused(&|given| {
        given.set("participant", json!([patient, elsewhere("Practitioner")]));
        given.remove("slot");
    });
    let named = at("Appointment.participant[1].actor", IssueCode::NotFound);
    assert_eq!(found, [named, at("Appointment.participant", IssueCode::Required)]);
    let found = refused(&participants(json!([patient, elsewhere("HealthcareService")])));
    assert_eq!(found, [at("Appointment.participant[1].actor", IssueCode::NotFound)]);
    let second = participant("Practitioner", 8, "Dr. Iyer");
    let found = refused(&|given| {
        if let Some(Value::Array(entries)) = given.get_mut("participant") {
            entries.push(second.clone());
        }
    });
    assert_eq!(found, [at("Appointment.participant[4].actor", IssueCode::NotSupported)]);
    let found = refused(&|given| given.set("slot", json!([{ "reference": "Slot/theirs" }])));
    assert_eq!(found, [at("Appointment.slot", IssueCode::NotFound)]);
    let found = refused(&|given| given.set("start", "2026-11-23T10:15:00+05:30"));
    assert_eq!(found, [at("Appointment.start", IssueCode::Invariant)]);
    let found = refused(&|given| {
        given.remove("slot");
        given.remove("start");
    });
    assert_eq!(found, [at("Appointment.start", IssueCode::Required)]);
    let found = refused(&|given| {
        given.set(
            "participant",
            json!([{
                "modifierExtension": [{ "url": "urn:x", "valueBoolean": true }],
                "actor": patient["actor"],
                "status": "accepted",
            }]),
        );
    });
    let path = "Appointment.participant[0].modifierExtension";
    assert_eq!(found, [at(path, IssueCode::NotSupported)]);

    let mut slot_only = written(&visit(), None);
    slot_only.set("participant", json!([patient]));
    slot_only.remove("start");
    let raw = asked(&slot_only);
    assert_eq!((raw.slot, raw.start), (Some(visit().slot()), Some(visit().start)));
}

#[test]
fn every_example_of_hl7_that_is_read_is_written_back_equal() {
    let mut taken = 0;
    for (name, given) in examples("Appointment") {
        let clinic = clinic();
        let Ok(raw) = read(&given, here(&clinic)) else { continue };
        let record = applied(raw, visit());
        let mut again = without_own(&written(&record, Some(&given)));
        // The record knows in which slot it is, what was given does not.
        assert!(given.get("slot").is_none() && again.remove("slot").is_some());
        assert_eq!(Value::from(again), Value::from(without_own(&given)), "{name}");
        taken += 1;
    }
    assert!(taken <= 1, "one is only proposed, one is of two practitioners");
}

fn visits() -> impl Strategy<Value = Appointment> {
    let word = || prop::option::of(prop::sample::select(&["fever", "a, b"]));
    let status = prop::sample::select(&[
        Status::Pending,
        Status::Booked,
        Status::Arrived,
        Status::Fulfilled,
        Status::Cancelled,
    ]);
    let people =
        (20..23_u128, 30..33_u128, prop::option::of(40..43_u128), prop::option::of(50..52_u128));
    let times = (0..5_i64, prop::option::of(0..3_i64), prop::option::of(0..3_i64));
    (status, people, times, word(), word(), prop::option::of(60..62_u128)).prop_map(
        |(status, people, times, reason, overbook, series)| {
            let (patient, practitioner, location, service) = people;
            let (start, hold, confirmed) = times;
            let at = |minutes: i64| prm::time::plus_minutes(visit().start, minutes * 15);
            let bytes = |number: u128| id(number).into_bytes();
            Appointment {
                status,
                patient: PatientId::from_bytes(bytes(patient)),
                practitioner: PractitionerId::from_bytes(bytes(practitioner)),
                location: location.map(|it| LocationId::from_bytes(bytes(it))),
                healthcare_service: service.map(|it| HealthcareServiceId::from_bytes(bytes(it))),
                schedule: ScheduleId::from_bytes(bytes(practitioner + 100)),
                start: at(start),
                end: at(start + 1),
                reason: reason.map(str::to_owned),
                cancel_reason: (status == Status::Cancelled).then(|| "called off".to_owned()),
                overbook_reason: overbook.map(str::to_owned),
                hold_until: hold.map(at),
                confirmed_at: confirmed.map(at),
                series: series.map(|it| SeriesId::from_bytes(bytes(it))),
                ..visit()
            }
        },
    )
}

proptest! {
    #[test]
    fn what_a_record_says_is_read_from_what_is_written_over_anything(
        record in visits(), other in visits(), shuffled in any::<bool>(),
    ) {
        let mut given = written(&other, None);
        if shuffled && let Some(Value::Array(entries)) = given.get_mut("participant") {
            entries.reverse();
            entries.push(json!({ "type": [{ "text": "interpreter" }], "status": "tentative" }));
        }
        let same = written(&other, Some(&given));
        prop_assert_eq!(Value::from(same), Value::from(given.clone()));
        let written = written(&record, Some(&given));
        prop_assert_eq!(applied(asked(&written), other), record);
        let stays = Value::from(written).to_string().contains("interpreter");
        prop_assert_eq!(stays, shuffled);
    }
}

#[test]
fn a_proposal_is_told_by_its_id_and_by_no_other() {
    use super::proposal::Proposal;
    use prm::id::{HealthcareServiceId, ScheduleId};
    let slot = SlotId { schedule: ScheduleId::from_bytes([0xfb; 16]), start_minute: u32::MAX };
    for service in [None, Some(HealthcareServiceId::from_bytes([0xff; 16]))] {
        for patient in [None, Some(1), Some(i64::from(u32::MAX))] {
            let proposal = Proposal { slot, service, patient };
            let id = proposal.id();
            assert!(reference::is_id(&id), "{id}");
            assert_eq!(Proposal::parse(&id), Some(proposal));
            assert_eq!(Proposal::parse(&format!("{id}A")), None);
        }
    }
    for id in ["", "one", "01937e56-0000-7000-8000-000000000000", &"A".repeat(64)] {
        assert_eq!(Proposal::parse(id), None, "{id}");
    }
}
