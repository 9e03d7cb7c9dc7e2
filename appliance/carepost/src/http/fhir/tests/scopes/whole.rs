//! What answers with many types at once, or does something to another: only within the scopes.

use serde_json::{Value, json};

use super::super::appointments::appointment;
use super::super::{Door, address, patient, reference, text};

/// Somebody with a visit to come and an observation.
async fn with_a_visit() -> (Door, Value, Value) {
    let door = Door::open();
    let rao = door.practitioner("Dr Rao").await;
    let asha = door.create(patient("Asha Rao")).await;
    let mut visit = appointment(&asha, &rao, "09:15");
    visit["status"] = json!("pending");
    let visit = door.create(visit).await;
    let observation = json!({ "resourceType": "Observation", "status": "final",
        "code": { "text": "mass" }, "subject": reference(&asha) });
    door.create(observation).await;
    (door, asha, visit)
}

/// What kinds of resources are among the entries of a bundle.
async fn kinds(door: &Door, path: &str) -> Vec<String> {
    let entries = door.entries(path).await;
    let matches = entries.iter().filter(|entry| entry["search"]["mode"] == "match");
    matches.map(|entry| text(&entry["resource"]["resourceType"])).collect()
}

#[tokio::test]
async fn everything_is_what_the_scopes_let_be_seen_of_it() {
    let (mut door, asha, _) = with_a_visit().await;
    let path = format!("/{}/$everything", address(&asha));
    assert_eq!(kinds(&door, &path).await, ["Patient", "Appointment", "Observation"]);
    door.narrowed_to("system/Patient.rs system/Observation.rs");
    assert_eq!(kinds(&door, &path).await, ["Patient", "Observation"]);
    let of_one = format!("{path}?_type=Appointment");
    assert!(kinds(&door, &of_one).await.is_empty());
}

#[tokio::test]
async fn a_compartment_is_searched_for_what_lies_within_the_scopes() {
    let (mut door, asha, _) = with_a_visit().await;
    door.narrowed_to("system/Patient.rs system/Observation.rs");
    let inside = |type_: &str| format!("/{}/{type_}", address(&asha));
    assert_eq!(kinds(&door, &inside("Observation")).await, ["Observation"]);
    assert_eq!(door.get(&inside("Appointment")).await.refusal(), (403, "forbidden"));
    door.narrowed_to("system/Appointment.rs");
    let refused = door.get(&inside("Observation")).await;
    assert_eq!(refused.refusal(), (403, "forbidden"));
}

#[tokio::test]
async fn an_answer_to_an_appointment_needs_the_scope_to_change_it() {
    let (mut door, asha, visit) = with_a_visit().await;
    let answer = json!({ "resourceType": "AppointmentResponse", "appointment": reference(&visit),
        "actor": reference(&asha), "participantStatus": "accepted" });
    door.narrowed_to("system/AppointmentResponse.c system/Appointment.rs system/Patient.rs");
    let refused = door.post("/AppointmentResponse", answer.clone()).await;
    assert_eq!(refused.refusal(), (403, "forbidden"));
    let told = "Bearer error=\"insufficient_scope\", scope=\"system/Appointment.u\"";
    assert_eq!(refused.headers["www-authenticate"], told);
    assert_eq!(door.get(&format!("/{}", address(&visit))).await.body["status"], "pending");
    door.narrowed_to("system/AppointmentResponse.c system/Appointment.rus system/Patient.rs");
    assert_eq!(door.post("/AppointmentResponse", answer).await.status, 201);
    assert_eq!(door.get(&format!("/{}", address(&visit))).await.body["status"], "booked");
}

#[tokio::test]
async fn who_is_unknown_is_told_to_show_a_token_and_a_bare_version_is_an_etag() {
    let (mut door, asha, _) = with_a_visit().await;
    let path = format!("/{}", address(&asha));
    for (version, status) in [("1", 304), ("W/\"1\"", 304), ("2", 200), ("one", 200)] {
        let read = door.ask("GET", &path, &[("if-none-match", version)], None).await;
        assert_eq!(read.status, status, "{version}");
    }
    door.shows("Bearer nobody".to_owned());
    let refused = door.get(&path).await;
    assert_eq!(refused.refusal(), (401, "login"));
    assert_eq!(refused.headers["www-authenticate"], "Bearer");
}
