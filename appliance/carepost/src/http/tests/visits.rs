//! A visit over HTTP as the contract says: booking, the QR, checking in, the queue.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use prm::stamp::Role;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Answered, Clinic};

const ROOT: &str = "/api/v1/prm";

/// A clinic with a cardiologist who sees patients all day, and one patient.
pub(super) struct Practice {
    pub(super) clinic: Clinic,
    clerk: String,
    kiosk: String,
    practitioner: Value,
    pub(super) patient: Value,
    pub(super) slots: Vec<Value>,
}

impl Practice {
    pub(super) async fn open() -> Self {
        let clinic = Clinic::new();
        let (clerk, kiosk) = (clinic.token(Role::Clerk), clinic.token(Role::Kiosk));
        let mut practice = Self {
            clinic,
            clerk,
            kiosk,
            practitioner: Value::Null,
            patient: Value::Null,
            slots: vec![],
        };
        let body = json!({ "name": "Dr. Rajiv Sharma", "specialties": ["cardiology"] });
        practice.practitioner = practice.post("practitioners", body).await.body["id"].clone();
        let body = json!({ "practitioner_id": practice.practitioner, "weekdays": ["mon", "tue"],
            "start": "09:00", "end": "17:00", "slot_minutes": 15 });
        practice.post("schedules", body).await;
        practice.patient = practice.register("Asha Rao", "98441 11173").await;
        let path = format!(
            "slots?practitioner={}&from=2026-11-23&to=2026-11-24",
            practice.practitioner.as_str().unwrap()
        );
        let slots = practice.get(&path).await.body["items"].clone();
        practice.slots = slots.as_array().unwrap().clone();
        practice
    }

    async fn register(&self, name: &str, phone: &str) -> Value {
        let body = json!({ "name": name, "phone": phone, "birth_date": "1984-05-02" });
        self.post("patients", body).await.body["id"].clone()
    }

    pub(super) async fn book(&self, patient: &Value, slot: usize) -> Answered {
        let body = json!({ "patient_id": patient, "slot_id": self.slots[slot]["id"], "reason": "chest pain" });
        self.post("appointments", body).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Answered {
        self.ask(&self.clerk, "POST", path, Some(body)).await
    }

    pub(super) async fn get(&self, path: &str) -> Answered {
        self.ask(&self.clerk, "GET", path, None).await
    }

    pub(super) async fn as_admin(&self, path: &str) -> Answered {
        let admin = self.clinic.token(Role::Admin);
        self.ask(&admin, "GET", path, None).await
    }

    pub(super) async fn patch(&self, path: &str, body: Value) -> Answered {
        self.ask(&self.clerk, "PATCH", path, Some(body)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answered {
        self.ask(&self.clerk, "DELETE", path, None).await
    }

    pub(super) async fn at_kiosk(&self, path: &str, body: Value) -> Answered {
        self.ask(&self.kiosk, "POST", path, Some(body)).await
    }

    async fn ask(&self, who: &str, method: &str, path: &str, body: Option<Value>) -> Answered {
        let path = format!("{ROOT}/{path}");
        self.clinic.call(method, &path, &[("authorization", who)], body).await
    }
}

#[tokio::test]
async fn a_booking_answers_as_the_contract_says_and_a_taken_slot_offers_others() {
    let practice = Practice::open().await;
    let slot = &practice.slots[0];
    assert_eq!(slot["start"], "2026-11-23T10:00:00+05:30");
    assert_eq!(slot["free"], 1);
    let booked = practice.book(&practice.patient, 0).await;
    assert_eq!(booked.status, StatusCode::CREATED);
    assert_eq!(booked.body["status"], "booked");
    assert_eq!(booked.body["start"], slot["start"]);
    assert_eq!(booked.body["end"], slot["end"]);
    assert!(booked.body["qr"].as_str().unwrap().starts_with("CP1:"));
    let other = practice.register("Ravi Das", "98450 00001").await;
    let taken = practice.book(&other, 0).await;
    assert_eq!((taken.status, taken.code()), (StatusCode::CONFLICT, "slot_taken"));
    let nearest = taken.body["alternatives"][0]["id"].clone();
    assert_eq!(nearest, practice.slots[1]["id"]);
    let body = json!({ "patient_id": other, "slot_id": nearest });
    assert_eq!(practice.post("appointments", body).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_qr_and_a_year_of_birth_check_in_and_twice_is_the_same_token() {
    let practice = Practice::open().await;
    let booked = practice.book(&practice.patient, 0).await.body;
    let alone = practice.at_kiosk("check-ins/match", json!({ "qr": booked["qr"] })).await;
    assert_eq!(alone.body, json!({ "confirm_birth": true }));
    let wrong = json!({ "qr": booked["qr"], "birth_year": 1985 });
    let wrong = practice.at_kiosk("check-ins", wrong).await;
    assert_eq!((wrong.status, wrong.code()), (StatusCode::NOT_FOUND, "see_the_desk"));
    let right = json!({ "qr": booked["qr"], "birth_year": 1984 });
    let first = practice.at_kiosk("check-ins", right.clone()).await;
    assert_eq!(first.status, StatusCode::CREATED);
    assert_eq!(first.body["token"], "A-001");
    assert_eq!(first.body["ahead"], 0);
    assert_eq!(first.body["appointment_id"], booked["id"]);
    let again = practice.at_kiosk("check-ins", right).await;
    assert_eq!((again.status, &again.body["token"]), (StatusCode::OK, &first.body["token"]));
}

#[tokio::test]
async fn the_kiosk_hears_one_answer_to_unknown_forged_and_mismatched() {
    let practice = Practice::open().await;
    let booked = practice.book(&practice.patient, 0).await.body;
    let qr = booked["qr"].as_str().unwrap();
    let forged = format!("{}{}", &qr[..qr.len() - 1], if qr.ends_with('0') { "1" } else { "0" });
    let mut answers = Vec::new();
    for show in [
        json!({ "qr": forged, "birth_year": 1984 }),
        json!({ "qr": "CP1:NOTHING", "birth_year": 1984 }),
        json!({ "qr": qr, "birth_year": 1990 }),
        json!({ "phone": "98441 11173", "birth_date": "1990" }),
        json!({ "phone": "98450 99999", "birth_date": "1984-05-02" }),
        json!({ "choice": "AAAA" }),
    ] {
        let answer = practice.at_kiosk("check-ins", show).await;
        answers.push((answer.status, answer.body));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
}

#[tokio::test]
async fn a_family_chooses_and_only_this_kiosk_can_use_the_choice() {
    let practice = Practice::open().await;
    let husband = practice.register("Arun Kumar Rao", "98441 11173").await;
    practice.book(&practice.patient, 0).await;
    practice.book(&husband, 1).await;
    let show = json!({ "phone": "98441 11173", "birth_date": "1984" });
    let asked = practice.at_kiosk("check-ins", show).await;
    assert_eq!((asked.status, asked.code()), (StatusCode::CONFLICT, "choose_person"));
    let people = asked.body["people"].as_array().unwrap();
    assert_eq!(people[1]["initials"], "A K R");
    assert_eq!(people[1]["masked_phone"], "••••••1173");
    assert!(!asked.body.to_string().contains("Arun"));
    let choice = json!({ "choice": people[1]["choice"] });
    let elsewhere = practice.clinic.token(Role::Kiosk);
    let stolen = practice.ask(&elsewhere, "POST", "check-ins", Some(choice.clone())).await;
    assert_eq!(stolen.code(), "see_the_desk");
    assert_eq!(practice.at_kiosk("check-ins", choice).await.status, StatusCode::CREATED);
}

/// 201 is a token that was given just now, 200 one that the person had, on each way in.
#[tokio::test]
async fn whoever_has_a_token_hears_200_on_every_way_in_also_after_being_skipped() {
    let practice = Practice::open().await;
    let booked = practice.book(&practice.patient, 0).await.body;
    let (booked_show, phone) = (
        json!({ "qr": booked["qr"], "birth_year": 1984 }),
        json!({ "phone": "98441 11173", "birth_date": "1984" }),
    );
    let found = practice.at_kiosk("check-ins/match", phone.clone()).await;
    let choice = json!({ "choice": found.body["people"][0]["choice"] });
    let walker = practice.register("Ravi Das", "98450 00001").await;
    let at_desk = json!({ "patient_id": walker, "practitioner_id": practice.practitioner });
    let walks_in = json!({ "phone": "98450 00001", "birth_date": "1984",
        "practitioner_id": practice.practitioner });
    let first = practice.at_kiosk("check-ins", choice.clone()).await;
    assert_eq!(first.status, StatusCode::CREATED);
    let walked = practice.at_kiosk("check-ins/walk-in", walks_in.clone()).await;
    assert_eq!(walked.status, StatusCode::CREATED);
    for skipped_before in [false, true] {
        let entries = practice.get("queue").await.body["items"].clone();
        for (entry, ways) in entries.as_array().unwrap().iter().zip([
            [("check-ins", &booked_show), ("check-ins", &phone), ("check-ins", &choice)].as_slice(),
            [("check-ins/walk-in", &walks_in), ("queue", &at_desk)].as_slice(),
        ]) {
            for (path, body) in ways {
                if skipped_before {
                    let skip = format!("queue/{}/skip", entry["id"].as_str().unwrap());
                    assert_eq!(practice.post(&skip, json!({})).await.status, StatusCode::OK);
                }
                let again = if *path == "queue" {
                    practice.post(path, (*body).clone()).await
                } else {
                    practice.at_kiosk(path, (*body).clone()).await
                };
                assert_eq!(again.status, StatusCode::OK, "{path} {skipped_before}");
                assert_eq!(again.body["token"], entry["token"]);
            }
        }
    }
    let waiting = practice.get("queue").await.body["items"].clone();
    assert!(waiting.as_array().unwrap().iter().all(|entry| entry["status"] == "waiting"));
}

#[tokio::test]
async fn guessing_at_the_kiosk_is_slowed_down_and_a_desk_token_is_always_there() {
    let practice = Practice::open().await;
    let mut last = StatusCode::OK;
    for year in 1950..1980 {
        let show = json!({ "phone": "98441 11173", "birth_date": year.to_string() });
        last = practice.at_kiosk("check-ins/match", show).await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    let desk = practice.ask(&practice.kiosk, "POST", "check-ins/desk", None).await;
    assert_eq!((desk.status, &desk.body["token"]), (StatusCode::CREATED, &json!("D-001")));
}

#[tokio::test]
async fn the_desk_checks_in_calls_and_finishes() {
    let practice = Practice::open().await;
    let booked = practice.book(&practice.patient, 0).await.body;
    let id = booked["id"].as_str().unwrap();
    let path = format!("appointments/{id}/check-in");
    let checked_in = practice.ask(&practice.clerk, "POST", &path, None).await;
    assert_eq!(checked_in.body["status"], "checked-in");
    assert_eq!(checked_in.body["queue_entry"]["token"], "A-001");
    let line = json!({ "practitioner_id": practice.practitioner });
    let called = practice.post("queue/call-next", line.clone()).await;
    assert_eq!((called.status, &called.body["status"]), (StatusCode::OK, &json!("called")));
    let board = practice.ask(&practice.kiosk, "GET", "queue/board", None).await.body;
    assert_eq!(board["called"][0]["token"], "A-001");
    let nobody = practice.post("queue/call-next", line).await;
    assert_eq!((nobody.status, nobody.code()), (StatusCode::NOT_FOUND, "queue_empty"));
    let path = format!("queue/{}/finish", called.body["id"].as_str().unwrap());
    practice.ask(&practice.clerk, "POST", &path, None).await;
    let after = practice.get(&format!("appointments/{id}")).await;
    assert_eq!(after.body["status"], "fulfilled");
}

#[tokio::test]
async fn steps_answer_the_appointment_and_a_stale_one_is_412() {
    let practice = Practice::open().await;
    let booked = practice.book(&practice.patient, 0).await.body;
    let id = booked["id"].as_str().unwrap();
    let body = json!({ "slot_id": practice.slots[3]["id"] });
    let moved = practice.post(&format!("appointments/{id}/move"), body).await;
    assert_eq!((moved.status, &moved.body["start"]), (StatusCode::OK, &practice.slots[3]["start"]));
    assert_eq!(moved.headers["etag"], "\"2\"");
    let path = format!("{ROOT}/appointments/{id}/cancel");
    let headers = [("authorization", practice.clerk.as_str()), ("if-match", "\"1\"")];
    let body = json!({ "reason": "travels" });
    let stale = practice.clinic.call("POST", &path, &headers, Some(body.clone())).await;
    assert_eq!((stale.status, stale.code()), (StatusCode::PRECONDITION_FAILED, "stale"));
    let cancelled = practice.post(&format!("appointments/{id}/cancel"), body).await;
    assert_eq!(cancelled.body["status"], "cancelled");
    assert_eq!(cancelled.body["qr"], Value::Null);
    let no_reason = practice.post(&format!("appointments/{id}/cancel"), json!({})).await;
    assert_eq!(
        (no_reason.status, &no_reason.body["field"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("reason"))
    );
}

#[tokio::test]
async fn a_repeated_booking_is_booked_once() {
    let practice = Practice::open().await;
    let path = format!("{ROOT}/appointments");
    let headers = [("authorization", practice.clerk.as_str()), ("idempotency-key", "once")];
    let body = json!({ "patient_id": practice.patient, "slot_id": practice.slots[0]["id"] });
    let first = practice.clinic.call("POST", &path, &headers, Some(body.clone())).await;
    let again = practice.clinic.call("POST", &path, &headers, Some(body)).await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    let other = json!({ "patient_id": practice.patient, "slot_id": practice.slots[1]["id"] });
    let reused = practice.clinic.call("POST", &path, &headers, Some(other)).await;
    assert_eq!(reused.code(), "idempotency_reused");
}

#[tokio::test]
async fn a_kiosk_that_repeats_what_it_asked_hears_the_same_token() {
    let practice = Practice::open().await;
    practice.book(&practice.patient, 0).await;
    let repeated = async |path: &str, key: &str, body: Value| {
        let headers = [("authorization", practice.kiosk.as_str()), ("idempotency-key", key)];
        practice.clinic.call("POST", &format!("{ROOT}/{path}"), &headers, Some(body)).await
    };
    let desk = repeated("check-ins/desk", "a", json!({})).await;
    assert_eq!((desk.status, &desk.body["token"]), (StatusCode::CREATED, &json!("D-001")));
    assert_eq!(repeated("check-ins/desk", "a", json!({})).await.body, desk.body);
    assert_eq!(repeated("check-ins/desk", "b", json!({})).await.body["token"], "D-002");

    let stranger = json!({ "phone": "98450 99999", "birth_date": "1990" });
    let walk_in = repeated("check-ins/walk-in", "c", stranger.clone()).await;
    assert_eq!((walk_in.status, &walk_in.body["token"]), (StatusCode::CREATED, &json!("D-003")));
    assert_eq!(repeated("check-ins/walk-in", "c", stranger.clone()).await.body, walk_in.body);
    assert_eq!(repeated("check-ins", "c", stranger).await.code(), "idempotency_reused");

    let who = json!({ "phone": "98441 11173", "birth_date": "1984" });
    let people = practice.at_kiosk("check-ins/match", who).await.body;
    let choice = json!({ "choice": people["people"][0]["choice"] });
    let first = repeated("check-ins", "d", choice.clone()).await;
    assert_eq!((first.status, &first.body["token"]), (StatusCode::CREATED, &json!("A-001")));
    practice.clinic.app.clock.set("2026-11-23T10:10:00+05:30".parse().unwrap());
    let again = repeated("check-ins", "d", choice).await;
    assert_eq!((again.status, again.body), (first.status, first.body), "the choice is too old now");
}

#[tokio::test]
async fn nobody_is_called_whose_visit_is_over_or_called_off() {
    let practice = Practice::open().await;
    let mut tokens = Vec::new();
    for (n, step) in ["complete", "cancel", "enter-in-error", "no-show"].into_iter().enumerate() {
        practice.clinic.app.clock.set("2026-11-23T10:00:00+05:30".parse().unwrap());
        let patient = practice.register(&format!("P {n}"), &format!("98450 0000{n}")).await;
        let booked = practice.book(&patient, n).await.body;
        let at = format!("appointments/{}", booked["id"].as_str().unwrap());
        let checked_in = practice.post(&format!("{at}/check-in"), json!({})).await;
        tokens.push(checked_in.body["queue_entry"]["token"].clone());
        practice.clinic.app.clock.set("2026-11-23T12:00:00+05:30".parse().unwrap());
        let ended = practice.post(&format!("{at}/{step}"), json!({ "reason": "said so" })).await;
        assert_eq!(ended.status, StatusCode::OK, "{step}: {:?}", ended.body);
    }
    let line = practice.get("queue").await.body;
    let line: Vec<_> = line["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["token"].clone(), entry["status"].as_str().unwrap().to_owned()))
        .collect();
    let expected = ["finished", "left", "left", "left"].map(str::to_owned);
    for (token, status) in tokens.into_iter().zip(expected) {
        assert!(line.contains(&(token.clone(), status.clone())), "{token} {status}: {line:?}");
    }
    let next = json!({ "practitioner_id": practice.practitioner });
    assert_eq!(practice.post("queue/call-next", next).await.code(), "queue_empty");
}

#[tokio::test]
async fn a_call_that_is_repeated_calls_nobody_else() {
    let practice = Practice::open().await;
    for _ in 0..2 {
        practice.at_kiosk("check-ins/desk", json!({})).await;
    }
    let path = format!("{ROOT}/queue/call-next");
    let headers = [("authorization", practice.clerk.as_str()), ("idempotency-key", "next")];
    let body = json!({ "desk": true, "finish_current": true });
    let first = practice.clinic.call("POST", &path, &headers, Some(body.clone())).await;
    let again = practice.clinic.call("POST", &path, &headers, Some(body)).await;
    assert_eq!((&first.body["token"], &first.body), (&json!("D-001"), &again.body));
    assert_eq!(first.headers["etag"], "\"2\"");
}

#[tokio::test]
async fn the_list_of_a_day_is_cut_into_pages_that_miss_nobody() {
    let practice = Practice::open().await;
    for n in 0..5 {
        let patient = practice.register(&format!("P {n}"), &format!("98450 0000{n}")).await;
        practice.book(&patient, n).await;
    }
    let day = "appointments?from=2026-11-23&to=2026-11-24&limit=2";
    let (mut seen, mut path) = (Vec::new(), day.to_owned());
    loop {
        let page = practice.get(&path).await.body;
        seen.extend(page["items"].as_array().unwrap().iter().map(|one| one["start"].clone()));
        match page["next"].as_str() {
            Some(next) => path = format!("{day}&cursor={next}"),
            None => break,
        }
    }
    let starts: Vec<_> = practice.slots[..5].iter().map(|slot| slot["start"].clone()).collect();
    assert_eq!(seen, starts);
}

#[tokio::test]
async fn the_picture_of_the_qr_is_svg() {
    let practice = Practice::open().await;
    let booked = practice.book(&practice.patient, 0).await.body;
    let path = format!("appointments/{}/qr.svg", booked["id"].as_str().unwrap());
    let picture = practice.get(&path).await;
    assert_eq!(picture.headers["content-type"], "image/svg+xml");
    assert!(picture.body.as_str().unwrap().contains("<svg"));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,40}".prop_map(Value::from),
        Just(json!("CP1:000")),
        Just(json!("9844111173")),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let field = prop_oneof![
            Just("patient_id".to_owned()),
            Just("slot_id".to_owned()),
            Just("qr".to_owned()),
            Just("phone".to_owned()),
            Just("birth_date".to_owned()),
            Just("name".to_owned()),
            Just("reason".to_owned()),
            "\\PC{0,8}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(field, inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

#[test]
fn no_body_makes_the_box_fail() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let practice = runtime.block_on(Practice::open());
    let admin = practice.clinic.token(Role::Admin);
    const PATHS: [&str; 16] = [
        "patients",
        "appointments",
        "appointments/series",
        "check-ins",
        "check-ins/match",
        "check-ins/walk-in",
        "queue",
        "queue/call-next",
        "practitioners",
        "schedules",
        "leaves",
        "closed-days",
        "locations",
        "healthcare-services",
        "session",
        "devices/claim",
    ];
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let bytes = prop_oneof![
        any_json().prop_map(|body| body.to_string().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..200),
        (1..20_000_usize).prop_map(|depth| vec![b'['; depth]),
    ];
    runner
        .run(&(prop::sample::select(&PATHS[..]), bytes), |(path, bytes)| {
            let request = Request::post(format!("{ROOT}/{path}"))
                .header("content-type", "application/json")
                .header("authorization", &admin)
                .body(Body::from(bytes))
                .unwrap();
            let answered = runtime.block_on(practice.clinic.send(request));
            prop_assert!(answered.status.as_u16() < 500, "{path}: {:?}", answered.body);
            Ok(())
        })
        .unwrap();
}
