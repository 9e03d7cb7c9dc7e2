//! Finding, holding, booking and calling off times by operations.

use axum::http::StatusCode;
use prm::stamp::Role;
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};

use super::appointments::appointment;
use super::{Door, address, patient, reference, text};
use crate::http::tests::Answered;

/// Parameters of an operation: each a name and an element with its value.
fn parameters(all: &[(&str, Value)]) -> Value {
    let one = |(name, said): &(&str, Value)| {
        let mut parameter = json!({ "name": name });
        let map = parameter.as_object_mut().unwrap();
        let kind = if said.get("resourceType").is_some() {
            "resource"
        } else if said.get("reference").is_some() {
            "valueReference"
        } else if said.is_number() {
            "valueInteger"
        } else {
            "valueString"
        };
        map.insert(kind.into(), said.clone());
        parameter
    };
    match all {
        // A list of FHIR is never empty.
        [] => json!({ "resourceType": "Parameters" }),
        all => {
            json!({ "resourceType": "Parameters", "parameter": all.iter().map(one).collect::<Vec<_>>() })
        }
    }
}

fn named(id: &Value) -> Value {
    json!({ "reference": format!("Appointment/{}", text(id)) })
}

/// What an operation answered, which it did.
#[track_caller]
fn only(answered: &Answered) -> Value {
    assert_eq!(answered.status, StatusCode::OK, "{}", answered.body);
    assert_eq!((&answered.body["type"], &answered.body["total"]), (&json!("searchset"), &json!(1)));
    answered.body["entry"][0]["resource"].clone()
}

impl Door {
    /// The first time that `$find` proposes.
    async fn proposal(&self, query: &str) -> Value {
        let entries = self.entries(&format!("/Appointment/$find?{query}")).await;
        entries.first().expect("a free time")["resource"].clone()
    }

    async fn appointment(&self, operation: &str, all: &[(&str, Value)]) -> Answered {
        self.post(&format!("/Appointment/${operation}"), parameters(all)).await
    }
}

const TUESDAY: &str = "start=2026-11-24&end=2026-11-24";

#[tokio::test]
async fn free_times_are_proposed_page_by_page_and_all_are_counted() {
    let door = Door::open();
    let rao = door.practitioner("Dr Rao").await;
    let iyer = door.practitioner("Dr Iyer").await;
    let mut path = format!("/Appointment/$find?{TUESDAY}&_count=30");
    let (mut pages, mut seen) = (0, Vec::new());
    loop {
        let page = door.get(&path).await;
        assert_eq!(
            (page.status, &page.body["total"]),
            (StatusCode::OK, &json!(64)),
            "{}",
            page.body
        );
        for entry in page.body["entry"].as_array().unwrap() {
            let one = &entry["resource"];
            assert_eq!((&one["status"], &one["minutesDuration"]), (&json!("proposed"), &json!(15)));
            seen.push(text(&one["id"]));
        }
        pages += 1;
        let links = page.body["link"].as_array().unwrap();
        let Some(next) = links.iter().find(|link| link["relation"] == "next") else { break };
        path = text(&next["url"]).strip_prefix("http://localhost/fhir").unwrap().to_owned();
    }
    let listed = seen.clone();
    seen.sort();
    seen.dedup();
    assert_eq!((pages, seen.len()), (3, 64));
    let said = [
        ("start", json!("2026-11-24T09:00:00+05:30")),
        ("end", json!("2026-11-24T17:00:00+05:30")),
        ("_count", json!(30)),
    ];
    let posted = door.appointment("find", &said).await;
    let ids: Vec<String> = posted.body["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| text(&it["resource"]["id"]))
        .collect();
    assert_eq!(ids, listed[..30]);
    let counted = door.get(&format!("/Appointment/$find?{TUESDAY}&_count=0")).await;
    assert_eq!((&counted.body["total"], counted.body.get("entry")), (&json!(64), None));
    // What is over or has begun is not offered, and without an end a fortnight is looked at.
    let today = door.get("/Appointment/$find?end=2026-11-23&_count=0").await;
    assert_eq!(today.body["total"], 2 * 28);
    let fortnight = door.get("/Appointment/$find?_count=0").await;
    assert_eq!(fortnight.body["total"], 2 * (14 * 32));
    for (asked, total) in [
        (format!("practitioner={}", address(&rao)), 32),
        (format!("practitioner=PractitionerRole/{}", text(&rao["id"])), 32),
        (format!("practitioner={}&practitioner={}", address(&rao), address(&iyer)), 64),
        ("organization=Organization/elsewhere".to_owned(), 0),
        ("specialty=urn:sct|cardiology".to_owned(), 0),
        ("visit-type=echo".to_owned(), 0),
        ("location-string=nowhere".to_owned(), 0),
    ] {
        let found = door.get(&format!("/Appointment/$find?{TUESDAY}&{asked}")).await;
        assert_eq!(found.body["total"], total, "{asked}: {}", found.body);
    }
}

#[tokio::test]
async fn times_are_found_by_speciality_service_and_room() {
    let door = Door::open();
    let rao = door.practitioner("Dr Rao").await;
    let iyer = door.practitioner("Dr Iyer").await;
    let room = json!({ "resourceType": "Location", "name": "Room 7", "address": { "city": "Mysuru" },
        "physicalType": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/location-physical-type", "code": "ro" }] } });
    let room = door.create(room).await;
    let role = json!({ "resourceType": "PractitionerRole", "id": rao["id"], "practitioner": reference(&rao),
        "location": [reference(&room)],
        "specialty": [{ "coding": [{ "system": "http://snomed.info/sct", "code": "394579002", "display": "Cardiology" }] }] });
    assert_eq!(
        door.put(&format!("/PractitionerRole/{}", text(&rao["id"])), role).await.status,
        StatusCode::OK
    );
    let base = "https://carepost.health/fhir/StructureDefinition/service-";
    let echo = json!({ "resourceType": "HealthcareService", "name": "Echo", "location": [reference(&room)],
        "type": [{ "coding": [{ "system": "http://snomed.info/sct", "code": "40701008" }] }],
        "extension": [{ "url": format!("{base}duration"), "valueDuration": { "value": 45, "unit": "min", "system": "http://unitsofmeasure.org", "code": "min" } },
                      { "url": format!("{base}performer"), "valueReference": reference(&iyer) }] });
    let echo = door.create(echo).await;
    let total = async |query: &str| {
        let found = door.get(&format!("/Appointment/$find?{TUESDAY}&{query}")).await;
        found.body["total"].as_i64().unwrap_or_else(|| panic!("{query}: {}", found.body))
    };
    assert_eq!(total("specialty=Cardiology").await, 32);
    assert_eq!(total("specialty=http://snomed.info/sct|394579002").await, 32);
    assert_eq!(total("specialty=http://snomed.info/sct|1").await, 0);
    assert_eq!(total(&format!("location-reference={}", address(&room))).await, 32);
    assert_eq!(total("location-string=mysuru").await, 32);
    // Of 45 minutes, by one of the two, in the room that it needs.
    for query in ["visit-type=echo", "visit-type=http://snomed.info/sct|40701008"] {
        assert_eq!(total(query).await, 30, "{query}");
    }
    assert_eq!(total(&format!("visit-type=echo&practitioner={}", address(&rao))).await, 0);
    let proposed = door.proposal(&format!("{TUESDAY}&visit-type=Echo")).await;
    assert_eq!(
        (&proposed["minutesDuration"], &proposed["serviceType"][0]["text"]),
        (&json!(45), &json!("Echo"))
    );
    let asha = door.create(patient("Asha Rao")).await;
    let booked = door
        .appointment(
            "book",
            &[
                ("appointment-reference", named(&proposed["id"])),
                ("patient-reference", reference(&asha)),
            ],
        )
        .await;
    let booked = only(&booked);
    assert_eq!(booked["end"], "2026-11-24T09:45:00+05:30");
    assert!(
        booked["participant"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["actor"]["reference"] == address(&echo))
    );
    assert_eq!(total("visit-type=echo").await, 27);
}

#[tokio::test]
async fn a_hold_takes_its_time_until_it_is_booked_or_called_off() {
    let door = Door::open();
    let rao = door.practitioner("Dr Rao").await;
    let asha = door.create(patient("Asha Rao")).await;
    let ravi = door.create(patient("Ravi Das")).await;
    let query =
        format!("{TUESDAY}&practitioner={}&patient-reference={}", address(&rao), address(&asha));
    let proposed = door.proposal(&query).await;
    assert_eq!(proposed["participant"][0]["actor"]["reference"], address(&asha));
    let reference_ = ("appointment-reference", named(&proposed["id"]));
    let held = only(&door.appointment("hold", &[reference_.clone(), ("minutes", json!(20))]).await);
    assert_eq!(held["status"], "pending");
    assert_eq!(
        held["extension"][0]["url"],
        "https://carepost.health/fhir/StructureDefinition/hold-until"
    );
    assert_eq!(held["extension"][0]["valueInstant"], "2026-11-23T10:20:00+05:30");
    assert_ne!(door.proposal(TUESDAY).await["start"], proposed["start"]);
    let ravis = [reference_.clone(), ("patient-reference", reference(&ravi))];
    // The proposal was for Asha.
    assert_eq!(door.appointment("hold", &ravis).await.refusal(), (422, "business-rule"));
    let whole = json!({ "resourceType": "Appointment", "status": "proposed", "slot": proposed["slot"],
        "start": proposed["start"], "end": proposed["end"], "participant": [{ "actor": reference(&ravi), "status": "accepted" }] });
    let lost = door.appointment("hold", &[("resource", whole.clone())]).await;
    assert_eq!(lost.refusal(), (404, "not-found"));
    assert_eq!(lost.body["issue"][0]["severity"], "fatal");
    assert!(lost.body["issue"][0]["extension"].is_array(), "{}", lost.body);
    let lost = door.appointment("book", &[("resource", whole.clone())]).await;
    assert_eq!(lost.refusal(), (409, "conflict"));
    assert!(lost.body["issue"][0]["extension"].is_array());
    let booked =
        only(&door.appointment("book", &[("appointment-reference", reference(&held))]).await);
    assert_eq!((&booked["id"], &booked["status"]), (&held["id"], &json!("booked")));
    assert!(!booked.to_string().contains("hold-until"), "{booked}");
    // Booked twice is booked.
    assert_eq!(
        only(&door.appointment("book", &[("appointment-reference", reference(&held))]).await),
        booked
    );
    let path = format!("/{}/$cancel", address(&booked));
    let cancelled = door.post(&path, parameters(&[("reason", json!("ill"))])).await;
    assert_eq!(
        (cancelled.status, &cancelled.body["status"]),
        (StatusCode::OK, &json!("cancelled"))
    );
    assert_eq!(cancelled.body["cancelationReason"]["text"], "ill");
    assert_eq!(door.post(&path, parameters(&[])).await.refusal(), (409, "business-rule"));
    assert_eq!(
        door.appointment("book", &[("appointment-reference", reference(&held))]).await.refusal(),
        (409, "business-rule")
    );
    assert_eq!(door.proposal(TUESDAY).await["start"], proposed["start"]);
    // An hour later the hold of another would be over.
    let held = only(&door.appointment("hold", &[("resource", whole)]).await);
    door.clinic.app.clock.set("2026-11-23T11:00:00+05:30".parse().unwrap());
    assert_eq!(door.proposal(TUESDAY).await["start"], proposed["start"]);
    assert_eq!(
        door.appointment("book", &[("appointment-reference", reference(&held))]).await.refusal(),
        (409, "business-rule")
    );
}

#[tokio::test]
async fn a_whole_appointment_is_booked_moved_and_called_off_by_one_operation() {
    let door = Door::open();
    let rao = door.practitioner("Dr Rao").await;
    let asha = door.create(patient("Asha Rao")).await;
    let mut proposed = door.proposal(TUESDAY).await;
    proposed["comment"] = json!("by bus");
    let nobody = door.appointment("book", &[("resource", proposed.clone())]).await;
    assert_eq!(nobody.status.as_u16(), 422, "{}", nobody.body);
    let booked = door
        .appointment(
            "book",
            &[("resource", proposed.clone()), ("patient-reference", reference(&asha))],
        )
        .await;
    let mut booked = only(&booked);
    assert_eq!((&booked["status"], &booked["comment"]), (&json!("booked"), &json!("by bus")));
    assert_eq!(booked["start"], proposed["start"]);
    // Alone as a body, moved to a quarter past ten.
    let mut moved = appointment(&asha, &rao, "10:15");
    moved["id"] = booked["id"].clone();
    let moved = only(&door.post("/Appointment/$book", moved).await);
    assert_eq!(
        (&moved["id"], &moved["start"]),
        (&booked["id"], &json!("2026-11-24T10:15:00+05:30"))
    );
    booked["status"] = json!("cancelled");
    booked["start"] = moved["start"].clone();
    booked["end"] = moved["end"].clone();
    booked["slot"] = moved["slot"].clone();
    let cancelled = only(&door.post("/Appointment/$book", booked).await);
    assert_eq!(cancelled["status"], "cancelled");
    // What waits is booked, or called off, too.
    let mut waits = appointment(&asha, &rao, "11:00");
    waits["status"] = json!("waitlist");
    let waits = door.create(waits).await;
    let agreed =
        only(&door.appointment("book", &[("appointment-reference", reference(&waits))]).await);
    assert_eq!((&agreed["id"], &agreed["status"]), (&waits["id"], &json!("booked")));
    let mut waits = appointment(&asha, &rao, "12:00");
    waits["status"] = json!("waitlist");
    let waits = door.create(waits).await;
    let cancelled = door
        .appointment(
            "cancel",
            &[("appointment-reference", reference(&waits)), ("reason", json!("well again"))],
        )
        .await;
    assert_eq!(
        (cancelled.status, &cancelled.body["status"]),
        (StatusCode::OK, &json!("cancelled")),
        "{}",
        cancelled.body
    );
}

#[tokio::test]
async fn who_may_not_book_does_not_by_an_operation_and_what_is_wrong_is_said() {
    let mut door = Door::open();
    door.practitioner("Dr Rao").await;
    let asha = door.create(patient("Asha Rao")).await;
    let proposed = door.proposal(TUESDAY).await;
    for (method, path, refusal) in [
        ("GET", "/Appointment/$hold", (405, "not-supported")),
        ("GET", "/Appointment/$nonsense", (404, "not-supported")),
        ("GET", "/Appointment/1/$find", (404, "not-supported")),
        ("GET", "/Practitioner/$find", (404, "not-supported")),
        ("POST", "/Appointment/$book", (400, "required")),
        ("GET", "/Appointment/$find?patient=1", (400, "not-supported")),
        ("GET", "/Appointment/$find?start=soon", (400, "value")),
        ("GET", "/Appointment/$find?_count=few", (400, "value")),
        ("GET", "/Appointment/$find?_cursor=x", (400, "value")),
        ("GET", "/Appointment/$find?start=2026-11-24&end=2027-11-24", (400, "too-costly")),
        ("GET", "/Appointment/$find?start=2026-11-24&end=2026-11-20", (400, "value")),
        (
            "GET",
            "/Appointment/$find?practitioner=Practitioner/01937e56-0000-7000-8000-000000000000",
            (400, "value"),
        ),
        ("GET", "/Appointment/$find?practitioner=Patient/1", (400, "value")),
    ] {
        let refused = door.ask(method, path, &[], None).await;
        assert_eq!(refused.refusal(), refusal, "{method} {path}: {}", refused.body);
    }
    // Nothing is free at the ends of time, and asking hurts nobody.
    for query in [
        "start=9999-12-01&end=9999-12-31",
        "start=0001-01-01&end=0001-01-02",
        "end=2026-11-23T10:00:00%2B05:30",
        "start=9999-12-31T23:59:59Z",
        "start=2199-12-30&end=2200-01-03&practitioner=&specialty=%20&visit-type=|",
    ] {
        let found = door.get(&format!("/Appointment/$find?{query}&_count=9999999999")).await;
        assert!(!found.status.is_server_error(), "{query}: {}", found.body);
        assert_eq!(found.body.get("entry"), None, "{query}");
    }
    for minutes in [0, 61, -5, i64::MAX] {
        let all = [
            ("resource", proposed.clone()),
            ("patient-reference", reference(&asha)),
            ("minutes", json!(minutes)),
        ];
        let refused = door.appointment("hold", &all).await;
        assert!(matches!(refused.status.as_u16(), 400 | 422), "{minutes}: {}", refused.body);
        let all = [
            ("appointment-reference", named(&proposed["id"])),
            ("patient-reference", reference(&asha)),
            ("minutes", json!(minutes)),
        ];
        let refused = door.appointment("hold", &all).await;
        assert!(matches!(refused.status.as_u16(), 400 | 422), "{minutes}: {}", refused.body);
    }
    let said = door.get(&format!("/Appointment/$find?{TUESDAY}&reason=x")).await;
    assert_eq!(said.body["entry"].as_array().unwrap().last().unwrap()["search"]["mode"], "outcome");
    let strict = [("prefer", "handling=strict")];
    let path = format!("/Appointment/$find?{TUESDAY}&reason=x");
    assert_eq!(door.ask("GET", &path, &strict, None).await.refusal(), (400, "not-supported"));
    let told = [
        ("appointment-reference", named(&proposed["id"])),
        ("patient-reference", reference(&asha)),
    ];
    let never = [(
        "appointment-reference",
        json!({ "reference": "Appointment/01937e56-0000-7000-8000-000000000000" }),
    )];
    assert_eq!(door.appointment("hold", &never).await.refusal(), (404, "not-found"));
    assert_eq!(door.appointment("book", &never).await.refusal(), (404, "not-found"));
    assert_eq!(door.appointment("cancel", &never).await.refusal(), (404, "not-found"));
    door.becomes(Role::Practitioner);
    for operation in ["hold", "book"] {
        assert_eq!(
            door.appointment(operation, &told).await.refusal(),
            (403, "forbidden"),
            "{operation}"
        );
    }
    let begin = door.audit_end();
    door.becomes(Role::Auditor);
    assert_eq!(
        door.get(&format!("/Appointment/$find?{TUESDAY}")).await.refusal(),
        (403, "forbidden")
    );
    door.becomes(Role::Integrator);
    assert_eq!(door.appointment("book", &told).await.status, StatusCode::OK);
    door.get(&format!("/Appointment/$find?{TUESDAY}&patient-reference={}", address(&asha))).await;
    let noted = door.audit_since(begin);
    let lines: Vec<(&str, &str)> =
        noted.iter().map(|(verb, noun)| (verb.as_str(), noun.as_str())).collect();
    assert!(lines.contains(&("book", "appointment")), "{lines:?}");
    assert!(lines.ends_with(&[("list", "patient")]), "{lines:?}");
}

#[tokio::test]
async fn what_the_patient_answers_is_done_and_kept() {
    let door = Door::open();
    let rao = door.practitioner("Dr Rao").await;
    let asha = door.create(patient("Asha Rao")).await;
    let ravi = door.create(patient("Ravi Das")).await;
    let mut visit = appointment(&asha, &rao, "09:15");
    visit["status"] = json!("pending");
    let visit = door.create(visit).await;
    let answer = |actor: &Value, said: &str| {
        json!({ "resourceType": "AppointmentResponse", "appointment": reference(&visit),
            "actor": reference(actor), "participantStatus": said })
    };
    let stands = async || text(&door.get(&format!("/{}", address(&visit))).await.body["status"]);
    for (actor, said) in [(&asha, "tentative"), (&asha, "needs-action"), (&rao, "declined")] {
        door.create(answer(actor, said)).await;
        assert_eq!(stands().await, "pending", "{said}");
    }
    assert_eq!(
        door.post("/AppointmentResponse", answer(&ravi, "accepted")).await.refusal(),
        (422, "business-rule")
    );
    let mut other = answer(&asha, "accepted");
    other["start"] = json!("2026-11-24T10:00:00+05:30");
    assert_eq!(door.post("/AppointmentResponse", other).await.refusal(), (422, "business-rule"));
    let mut kept = door.create(answer(&asha, "accepted")).await;
    assert_eq!(super::without_own(&kept), answer(&asha, "accepted"));
    assert_eq!(stands().await, "booked");
    let path = format!("/{}", address(&kept));
    // Saying it again changes nothing; saying something else does.
    let before = door.get(&format!("/{}", address(&visit))).await.body;
    kept["comment"] = json!("looking forward");
    assert_eq!(door.put(&path, kept.clone()).await.status, StatusCode::OK);
    assert_eq!(door.get(&format!("/{}", address(&visit))).await.body, before);
    kept["participantStatus"] = json!("declined");
    kept["comment"] = json!("ill after all");
    assert_eq!(door.put(&path, kept).await.status, StatusCode::OK);
    let visit = door.get(&format!("/{}", address(&visit))).await.body;
    assert_eq!(
        (&visit["status"], &visit["cancelationReason"]["text"]),
        (&json!("cancelled"), &json!("ill after all"))
    );
    assert_eq!(
        door.ids(&format!("/AppointmentResponse?appointment={}", address(&visit))).await.len(),
        4
    );
    // In one transaction with what is answered.
    let url = "urn:uuid:01937e56-0000-7000-8000-000000000001";
    let mut held = appointment(&ravi, &rao, "11:00");
    held["status"] = json!("pending");
    let mut said = answer(&ravi, "accepted");
    said["appointment"] = json!({ "reference": url });
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [
        { "resource": said, "request": { "method": "POST", "url": "AppointmentResponse" } },
        { "fullUrl": url, "resource": held, "request": { "method": "POST", "url": "Appointment" } }] });
    let done = door.post("", bundle).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    assert_eq!(door.ids("/Appointment?status=booked").await.len(), 1);
}

proptest! {
    #![proptest_config(Config { cases: 10, max_shrink_iters: 40, failure_persistence: None, ..Config::default() })]

    #[test]
    fn what_is_proposed_can_be_booked_at_the_same_instant(steps in proptest::collection::vec((0_u8..12, 0_usize..64), 12..32)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut day = Day::begin().await;
            for step in &steps {
                day.take(*step).await;
            }
        });
    }
}

/// A clinic in which much gets in the way.
struct Day {
    door: Door,
    practitioners: Vec<Value>,
    patients: Vec<Value>,
    visits: Vec<Value>,
    minutes: i64,
}

impl Day {
    async fn begin() -> Self {
        let door = Door::open();
        let practitioners =
            vec![door.practitioner("Dr Rao").await, door.practitioner("Dr Iyer").await];
        // Two at a time, three a day.
        let body = json!({ "practitioner_id": practitioners[1]["id"], "start": "17:00", "end": "18:00",
            "weekdays": ["mon", "tue"], "slot_minutes": 20, "slot_capacity": 2, "session_capacity": 3 });
        assert_eq!(door.desk("POST", "schedules", Some(body)).await.status, StatusCode::CREATED);
        let room = json!({ "resourceType": "Location", "name": "Scan",
            "physicalType": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/location-physical-type", "code": "ro" }] } });
        let room = door.create(room).await;
        let base = "https://carepost.health/fhir/StructureDefinition/service-";
        let minutes = |of: &str, value: i64| json!({ "url": format!("{base}{of}"), "valueDuration": { "value": value, "unit": "min", "system": "http://unitsofmeasure.org", "code": "min" } });
        let scan = json!({ "resourceType": "HealthcareService", "name": "Scan", "location": [reference(&room)],
            "extension": [minutes("duration", 40), minutes("buffer", 10)] });
        door.create(scan).await;
        let patients =
            vec![door.create(patient("Asha Rao")).await, door.create(patient("Ravi Das")).await];
        Self { door, practitioners, patients, visits: Vec::new(), minutes: 0 }
    }

    async fn take(&mut self, (what, how): (u8, usize)) {
        let door = &self.door;
        let practitioner = &self.practitioners[how % 2];
        match what {
            0 => {
                self.minutes += 5 + i64::try_from(how).unwrap() % 17;
                let begin: jiff::Timestamp = "2026-11-23T10:00:00+05:30".parse().unwrap();
                door.clinic.app.clock.set(begin + jiff::SignedDuration::from_mins(self.minutes));
            }
            1 => {
                let day = ["2026-11-23", "2026-11-24"][how % 2];
                let leave =
                    json!({ "practitioner_id": practitioner["id"], "from": day, "to": day });
                if how.is_multiple_of(5) {
                    door.desk("POST", "leaves", Some(leave)).await;
                }
            }
            2 => {
                if let Some(visit) =
                    (!self.visits.is_empty()).then(|| &self.visits[how % self.visits.len()])
                {
                    door.post(&format!("/{}/$cancel", address(visit)), parameters(&[])).await;
                }
            }
            _ => self.book(how).await,
        }
    }

    /// Finds, and books or holds one of what is proposed.
    async fn book(&mut self, how: usize) {
        let comes = &self.patients[how % 2];
        let service = if how.is_multiple_of(3) { "&visit-type=Scan" } else { "" };
        // Few hours, so that most of what is proposed lies beside what is taken.
        let (from, to) = [("10:00", "12:00"), ("16:00", "18:00")][how / 2 % 2];
        let day = ["2026-11-23", "2026-11-24"][how / 4 % 2];
        let query = format!(
            "start={day}T{from}:00%2B05:30&end={day}T{to}:00%2B05:30&_count=100&patient-reference={}{service}",
            address(comes)
        );
        let all = self.door.entries(&format!("/Appointment/$find?{query}")).await;
        if all.is_empty() {
            return;
        }
        let proposed = &all[(how * how) % all.len()]["resource"];
        let operation = if how.is_multiple_of(4) { "hold" } else { "book" };
        let done = self
            .door
            .appointment(operation, &[("appointment-reference", named(&proposed["id"]))])
            .await;
        let booked = only(&done);
        assert_eq!((&booked["start"], &booked["end"]), (&proposed["start"], &proposed["end"]));
        self.visits.push(booked);
    }
}
