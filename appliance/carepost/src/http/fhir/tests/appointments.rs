//! Appointments through FHIR obey the rules of the desk.

use axum::http::StatusCode;
use prm::stamp::Role;
use serde_json::{Value, json};

use super::{Door, address, patient, reference, text};

/// Somebody at somebody's at a time on Tuesday.
pub(super) fn appointment(patient: &Value, practitioner: &Value, at: &str) -> Value {
    json!({ "resourceType": "Appointment", "status": "booked",
        "start": format!("2026-11-24T{at}:00+05:30"), "end": format!("2026-11-24T{at}:59+05:30"),
        "participant": [{ "actor": reference(patient), "status": "accepted" },
                        { "actor": reference(practitioner), "status": "accepted" }] })
}

#[tokio::test]
async fn an_appointment_is_booked_by_practitioner_and_start_or_by_slot() {
    let door = Door::open();
    let rao = door.practitioner("Dr Rao").await;
    let asha = door.create(patient("Asha Rao")).await;
    let mut given = appointment(&asha, &rao, "09:15");
    given["comment"] = json!("by bus");
    given["reasonCode"] = json!([{ "text": "chest pain" }]);
    let booked = door.create(given).await;
    assert_eq!(booked["status"], "booked");
    assert_eq!(booked["end"], "2026-11-24T09:30:00+05:30");
    assert_eq!(booked["comment"], "by bus");
    let desk = door.desk("GET", &format!("appointments/{}", text(&booked["id"])), None).await;
    assert_eq!(desk.body["reason"], "chest pain");
    let slot = text(&booked["slot"][0]["reference"]);
    let next = slot.rsplit_once('.').unwrap();
    let next = format!("{}.{}", next.0, next.1.parse::<u32>().unwrap() + 15);
    let by_slot = json!({ "resourceType": "Appointment", "status": "pending", "slot": [{ "reference": next }],
        "start": "2026-11-24T09:30:00+05:30", "end": "2026-11-24T09:45:00+05:30",
        "participant": [{ "actor": reference(&asha), "status": "accepted" }] });
    let held = door.create(by_slot).await;
    assert_eq!(
        (&held["status"], &held["start"]),
        (&json!("pending"), &json!("2026-11-24T09:30:00+05:30"))
    );
    assert_eq!(held["extension"][0]["valueInstant"], "2026-11-23T10:10:00+05:30");
    let at_night = door.post("/Appointment", appointment(&asha, &rao, "03:00")).await;
    assert_eq!(at_night.refusal(), (409, "conflict"));
}

#[tokio::test]
async fn a_taken_slot_is_a_conflict_that_names_what_is_free() {
    let door = Door::open();
    let rao = door.practitioner("Dr Rao").await;
    let asha = door.create(patient("Asha Rao")).await;
    let ravi = door.create(patient("Ravi Das")).await;
    let first = door.create(appointment(&asha, &rao, "09:15")).await;
    let taken = door.post("/Appointment", appointment(&ravi, &rao, "09:15")).await;
    assert_eq!(taken.refusal(), (409, "conflict"));
    let free = taken.body["issue"][0]["extension"].as_array().expect("alternatives");
    assert!(!free.is_empty());
    let mut again = appointment(&ravi, &rao, "09:15");
    again["slot"] = json!([free[0]["valueReference"]]);
    again.as_object_mut().unwrap().shift_remove("start");
    again.as_object_mut().unwrap().shift_remove("end");
    // R4 wants a start where somebody is booked: the slot's.
    assert_eq!(door.post("/Appointment", again.clone()).await.status.as_u16(), 422);
    let start = text(&free[0]["valueReference"]["display"]);
    again["start"] = json!(start);
    again["end"] = json!(start);
    let booked = door.create(again).await;
    assert_ne!(booked["slot"], first["slot"]);
    // In a transaction it is the same, and nothing of it is done.
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [
        { "resource": patient("Zoya Khan"), "request": { "method": "POST", "url": "Patient" } },
        { "resource": appointment(&ravi, &rao, "09:15"), "request": { "method": "POST", "url": "Appointment" } }] });
    let refused = door.post("", bundle).await;
    assert_eq!(refused.refusal(), (409, "conflict"));
    assert!(refused.body["issue"][0]["extension"].is_array());
    assert!(door.ids("/Patient?name=zoya").await.is_empty());
}

#[tokio::test]
async fn an_update_takes_the_clinics_steps_and_no_others() {
    let door = Door::open();
    let rao = door.practitioner("Dr Rao").await;
    let asha = door.create(patient("Asha Rao")).await;
    let mut visit = appointment(&asha, &rao, "09:15");
    visit["status"] = json!("pending");
    let mut visit = door.create(visit).await;
    let path = format!("/{}", address(&visit));
    let mut step = async |status: &str| {
        visit["status"] = json!(status);
        let done = door.put(&path, visit.clone()).await;
        if done.status == StatusCode::OK {
            visit = done.body.clone();
        }
        (done.status.as_u16(), done.body)
    };
    let (status, booked) = step("booked").await;
    assert_eq!((status, &booked["status"]), (200, &json!("booked")));
    assert!(booked["extension"].as_array().is_none_or(|all| {
        all.iter().all(|it| it["url"].as_str().is_some_and(|url| !url.ends_with("hold-until")))
    }));
    assert_eq!(step("pending").await.0, 422);
    assert_eq!(step("checked-in").await.0, 422);
    assert_eq!(step("waitlist").await.0, 400);
    let (status, early) = step("noshow").await;
    assert_eq!((status, &early["issue"][0]["code"]), (409, &json!("business-rule")));
    assert_eq!(step("arrived").await.0, 200);
    assert_eq!(step("fulfilled").await.0, 200);
    assert_eq!(step("cancelled").await.0, 409);
    assert_eq!(step("entered-in-error").await.0, 200);
    let desk =
        door.desk("GET", &format!("appointments/{}", path.rsplit('/').next().unwrap()), None).await;
    assert_eq!(desk.body["status"], "entered-in-error");
    assert_eq!(door.delete(&path).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn an_update_moves_or_cancels_and_the_old_time_is_free_at_once() {
    let door = Door::open();
    let rao = door.practitioner("Dr Rao").await;
    let iyer = door.practitioner("Dr Iyer").await;
    let asha = door.create(patient("Asha Rao")).await;
    let ravi = door.create(patient("Ravi Das")).await;
    let visit = door.create(appointment(&asha, &rao, "09:15")).await;
    let path = format!("/{}", address(&visit));
    let mut moved = appointment(&asha, &rao, "10:00");
    moved["id"] = visit["id"].clone();
    let moved = door.put(&path, moved).await;
    assert_eq!(
        (moved.status, &moved.body["start"]),
        (StatusCode::OK, &json!("2026-11-24T10:00:00+05:30"))
    );
    door.create(appointment(&ravi, &rao, "09:15")).await;
    let mut other = appointment(&asha, &iyer, "10:00");
    other["id"] = visit["id"].clone();
    let other = door.put(&path, other).await;
    assert_eq!(other.status, StatusCode::OK, "{}", other.body);
    assert_eq!(other.body["participant"][1]["actor"]["reference"], address(&iyer));
    let mut another = other.body.clone();
    another["participant"][0]["actor"] = reference(&ravi);
    assert_eq!(door.put(&path, another).await.refusal(), (422, "business-rule"));
    let mut cancelled = other.body;
    cancelled["status"] = json!("cancelled");
    cancelled["cancelationReason"] = json!({ "text": "ill" });
    let cancelled = door.put(&path, cancelled).await;
    assert_eq!(cancelled.status, StatusCode::OK, "{}", cancelled.body);
    assert_eq!(cancelled.body["cancelationReason"]["text"], "ill");
    door.create(appointment(&ravi, &iyer, "10:00")).await;
}

#[tokio::test]
async fn what_holds_nobodys_time_is_kept_as_it_came() {
    let door = Door::open();
    let asha = door.create(patient("Asha Rao")).await;
    let waits = json!({ "resourceType": "Appointment", "status": "waitlist",
        "requestedPeriod": [{ "start": "2026-12-01" }],
        "participant": [{ "actor": reference(&asha), "status": "needs-action" }] });
    let kept = door.create(waits.clone()).await;
    assert_eq!(super::without_own(&kept), waits);
    assert_eq!(door.ids("/Appointment?status=waitlist").await, [text(&kept["id"])]);
    assert_eq!(
        door.ids(&format!("/Appointment?patient={}", text(&asha["id"]))).await,
        [text(&kept["id"])]
    );
}

#[tokio::test]
async fn a_clerk_books_as_a_program_does_and_only_who_may_overbooks() {
    let mut door = Door::open();
    let rao = door.practitioner("Dr Rao").await;
    let asha = door.create(patient("Asha Rao")).await;
    let ravi = door.create(patient("Ravi Das")).await;
    door.create(appointment(&asha, &rao, "09:15")).await;
    let mut over = appointment(&ravi, &rao, "09:15");
    over["extension"] = json!([{ "url": "https://carepost.health/fhir/StructureDefinition/overbook-reason",
        "valueString": "urgent" }]);
    door.becomes(Role::Integrator);
    assert_eq!(door.post("/Appointment", over.clone()).await.refusal(), (403, "forbidden"));
    door.becomes(Role::Clerk);
    assert_eq!(door.post("/Appointment", over).await.status, StatusCode::CREATED);
    door.becomes(Role::Practitioner);
    assert_eq!(
        door.post("/Appointment", appointment(&ravi, &rao, "11:00")).await.refusal(),
        (403, "forbidden")
    );
}
