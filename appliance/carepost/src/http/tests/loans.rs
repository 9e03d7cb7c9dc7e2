//! What is held for booking online, over HTTP: seen, had back, and checked in with.

use axum::http::StatusCode;
use prm::change;
use prm::hub::{self, Hub, Learned};
use prm::id::{AppointmentId, PatientId};
use prm::loan::{self, Loan, Next};
use prm::qr::SigningKey;
use prm::stamp::Stamp;
use serde_json::{Value, json};
use sync_agent::loans::{Generation, Nonce, Terms, lend};

use super::Clinic;
use super::visits::Practice;

/// The clinic's id at the hub.
const CLINIC: [u8; 16] = *b"clinic-000000001";

/// The box has joined a hub that signs with this key.
fn join(clinic: &Clinic, key: &SigningKey) {
    let stamp = Stamp::of_box(clinic.app.now());
    let hub = Hub {
        url: "https://hub.example".into(),
        clinic: CLINIC,
        box_id: [2; 16],
        clinic_name: "Shanti Clinic".into(),
        verifying_key: key.public_key().try_into().unwrap(),
        sealing_key: [9; 32],
        enrolled_at: stamp.now,
    };
    let join = move |tx: &mut prm::db::Tx<'_>| {
        change::begin_log(tx, &stamp)?;
        hub::join(tx, &stamp, &hub, (Some(1), false))
    };
    clinic.app.db.write_blocking(join).unwrap();
}

/// The hub has said all that it knows.
fn learn(clinic: &Clinic) {
    let stamp = Stamp::of_box(clinic.app.now());
    let learn = move |tx: &mut prm::db::Tx<'_>| {
        let learned = Learned { log: change::log_id(tx)?, box_id: [2; 16], generation: 1 };
        hub::has_learned(tx, &stamp, &learned)
    };
    clinic.app.db.write_blocking(learn).unwrap();
}

/// Lends a slot for one minute.
fn lend_for_a_minute(clinic: &Clinic, slot: &Value) -> Loan {
    let (stamp, at) = (Stamp::of_box(clinic.app.now()), clinic.app.clock.since_boot());
    let slot: prm::id::SlotId = slot["id"].as_str().unwrap().parse().unwrap();
    let lend = move |tx: &mut prm::db::Tx<'_>| {
        let nonce = Nonce { store: 1, boot: 1, at_ms: 1 };
        let sell_until_ms = stamp.now.as_millisecond() + 60_000;
        let terms = Terms { nonce, term_ms: 60_000, sell_until_ms };
        lend(tx, &stamp, (Generation(1), terms, at), (slot, 0))?;
        loan::at(tx, slot, 0)
    };
    clinic.app.db.write_blocking(lend).unwrap().unwrap()
}

fn key() -> SigningKey {
    SigningKey::from_pkcs8(&SigningKey::generate().unwrap()).unwrap()
}

#[tokio::test]
async fn what_is_lent_is_seen_asked_back_and_after_the_wait_taken_for_a_reason() {
    let practice = Practice::open().await;
    join(&practice.clinic, &key());
    let unlearned = practice.book(&practice.patient, 9).await;
    assert_eq!((unlearned.status, unlearned.code()), (StatusCode::CONFLICT, "slot_unlearned"));
    learn(&practice.clinic);
    lend_for_a_minute(&practice.clinic, &practice.slots[9]);

    let lent = practice.book(&practice.patient, 9).await;
    assert_eq!((lent.status, lent.code()), (StatusCode::CONFLICT, "slot_lent"));
    assert_eq!(lent.body["alternatives"][0]["id"], practice.slots[8]["id"]);
    let all = practice.get("slots?all=true&from=2026-11-23&to=2026-11-24").await.body;
    let shown = all["items"].as_array().unwrap();
    let shown: Vec<_> = shown.iter().filter(|it| it["lent"] == true).map(|it| &it["id"]).collect();
    assert_eq!(shown, [&practice.slots[9]["id"]]);
    let loans = practice.get("loans?limit=1").await.body;
    let one = &loans["items"][0];
    assert_eq!((&one["slot_id"], &one["status"]), (&practice.slots[9]["id"], &json!("granted")));
    assert_eq!((&one["override_in_seconds"], &loans["next"]), (&json!(61), &Value::Null));

    let id = one["id"].as_str().unwrap();
    let recalled = practice.post(&format!("loans/{id}/recall"), json!({})).await;
    assert_eq!(recalled.body["loan"]["status"], "recalled");
    let path = format!("loans/{id}/override");
    let no_reason = practice.post(&path, json!({ "reason": " " })).await;
    assert_eq!(no_reason.status, StatusCode::UNPROCESSABLE_ENTITY);
    let reason = json!({ "reason": "the line has been cut since Friday" });
    let early = practice.post(&path, reason.clone()).await;
    assert_eq!((early.status, early.code()), (StatusCode::CONFLICT, "loan_not_over"));
    assert_eq!(early.headers["retry-after"], "61");
    practice.clinic.app.clock.set("2026-11-23T10:02:00+05:30".parse().unwrap());
    let taken = practice.post(&path, reason.clone()).await;
    assert_eq!((taken.status, &taken.body["loan"]), (StatusCode::OK, &Value::Null));
    assert_eq!(practice.book(&practice.patient, 9).await.status, StatusCode::CREATED);
    assert_eq!(practice.post(&path, reason).await.code(), "not_lent");
    let lines = practice.as_admin("audit?limit=20").await.body;
    let verbs: Vec<_> = lines["items"].as_array().unwrap().iter().map(|it| &it["verb"]).collect();
    assert!(verbs.contains(&&json!("override")), "{verbs:?}");
}

#[tokio::test]
async fn a_booking_that_the_hub_sold_checks_in_without_a_network() {
    let practice = Practice::open().await;
    let hub = key();
    join(&practice.clinic, &hub);
    learn(&practice.clinic);
    let now = practice.clinic.app.now();
    let booking = AppointmentId::new(now);
    let short = *CLINIC.first_chunk().unwrap();
    let until = "2026-11-24T00:00:00Z".parse().unwrap();
    let show = |key: &SigningKey| {
        let qr = key.sign(short, *booking.as_bytes(), until);
        json!({ "qr": qr, "birth_year": 1984 })
    };
    let forged = practice.at_kiosk("check-ins", show(&key())).await;
    assert_eq!((forged.status, forged.code()), (StatusCode::NOT_FOUND, "see_the_desk"));
    // Nobody has told the box who bought: the desk is told by a token.
    let unheard = practice.at_kiosk("check-ins", show(&hub)).await;
    assert_eq!((unheard.status, &unheard.body["desk"]), (StatusCode::CREATED, &json!(true)));

    let lent = lend_for_a_minute(&practice.clinic, &practice.slots[9]);
    let patient: PatientId = practice.patient.as_str().unwrap().parse().unwrap();
    let adopt = move |tx: &mut prm::db::Tx<'_>| {
        let stamp = Stamp::of_sale(now);
        let next = Next { is_away: false, is_due: false, sale: None, state: lent.state.clone() };
        let back = loan::put(tx, &stamp, "settle", &lent, next)?;
        loan::adopt(tx, &stamp, &back, (booking, patient, None))
    };
    practice.clinic.app.db.write_blocking(adopt).unwrap();
    let alone = json!({ "qr": show(&hub)["qr"] });
    let asked = practice.at_kiosk("check-ins/match", alone).await;
    assert_eq!(asked.body, json!({ "confirm_birth": true }));
    let mut wrong = show(&hub);
    wrong["birth_year"] = json!(1990);
    assert_eq!(practice.at_kiosk("check-ins", wrong).await.code(), "see_the_desk");
    let here = practice.at_kiosk("check-ins", show(&hub)).await;
    assert_eq!((here.status, &here.body["desk"]), (StatusCode::CREATED, &json!(false)));
    assert_eq!(here.body["appointment_id"], booking.to_string());
}

#[tokio::test]
async fn what_is_lent_is_counted_by_day_and_asked_back_by_practitioner_and_day() {
    let practice = Practice::open().await;
    join(&practice.clinic, &key());
    learn(&practice.clinic);
    for slot in [9, 10, 11] {
        lend_for_a_minute(&practice.clinic, &practice.slots[slot]);
    }
    let days = practice.get("loans/days?from=2026-11-23&to=2026-11-24").await.body;
    let day = &days["items"][0];
    let who = practice.slots[9]["practitioner_id"].clone();
    assert_eq!((&day["date"], &day["practitioner_id"]), (&json!("2026-11-23"), &who));
    assert_eq!((&day["lent"], &day["recalled"]), (&json!(3), &json!(0)));
    assert!(day["sell_until"].is_string(), "{day}");
    assert_eq!(practice.get("loans/days?from=2026-11-24").await.body["items"], json!([]));

    let other = json!({ "from": "2026-11-24", "to": "2026-11-25" });
    let nothing = practice.post("loans/recall", other).await.body;
    assert_eq!(nothing, json!({ "recalled": 0, "more": false }));
    let these = json!({ "practitioner_id": who, "from": "2026-11-23", "to": "2026-11-24" });
    let recalled = practice.post("loans/recall", these.clone()).await.body;
    assert_eq!(recalled, json!({ "recalled": 3, "more": false }));
    let again = practice.post("loans/recall", these).await.body;
    assert_eq!(again, json!({ "recalled": 0, "more": false }), "it was asked for once");
    let day = practice.get("loans/days").await.body["items"][0].clone();
    assert_eq!((&day["recalled"], &day["sell_until"]), (&json!(3), &Value::Null));
}

#[tokio::test]
async fn a_displaced_patient_is_shown_with_what_is_free_and_booked_another_time_at_once() {
    let practice = Practice::open().await;
    join(&practice.clinic, &key());
    learn(&practice.clinic);
    let lent = lend_for_a_minute(&practice.clinic, &practice.slots[9]);
    let sold = AppointmentId::new(practice.clinic.app.now());
    let patient: PatientId = practice.patient.as_str().unwrap().parse().unwrap();
    let stamp = Stamp::of_sale(practice.clinic.app.now());
    let displace = move |tx: &mut prm::db::Tx<'_>| {
        loan::displace(tx, &stamp, &lent, (sold, patient))?;
        Ok(())
    };
    practice.clinic.app.db.write_blocking(displace).unwrap();
    assert_eq!(practice.get("sync").await.body["displaced"], json!(1));

    let shown = practice.get("loans/displaced").await.body["items"][0].clone();
    assert_eq!((&shown["patient_name"], &shown["booking_id"]), (&json!("Asha Rao"), &json!(sold)));
    assert_eq!(shown["alternatives"][0]["id"], practice.slots[8]["id"]);
    let path = format!("loans/displaced/{sold}/rebook");
    let taken = practice.post(&path, json!({ "slot_id": practice.slots[9]["id"] })).await;
    assert_eq!((taken.status, taken.code()), (StatusCode::CONFLICT, "slot_lent"));
    assert_eq!(taken.body["alternatives"][0]["id"], practice.slots[8]["id"]);
    assert_eq!(practice.get("sync").await.body["displaced"], json!(1), "a refusal ends nothing");

    let there = json!({ "slot_id": practice.slots[8]["id"] });
    let booked = practice.post(&path, there.clone()).await;
    assert_eq!(
        (booked.status, &booked.body["patient_id"]),
        (StatusCode::CREATED, &practice.patient)
    );
    assert_eq!(practice.get("loans/displaced").await.body["items"], json!([]));
    assert_eq!(practice.post(&path, there).await.status, StatusCode::NOT_FOUND);
}
