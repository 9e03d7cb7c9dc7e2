//! Free times for everybody, from outside.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::tests::{Door, address, patient};
use crate::http::tests::{Answered, Clinic};

/// Somebody who does not sign in.
async fn stranger(door: &Door, path: &str, headers: &[(&str, &str)]) -> Answered {
    door.clinic.call("GET", &format!("/fhir/{path}"), headers, None).await
}

fn lines(answered: &Answered) -> Vec<Value> {
    assert_eq!(answered.status, StatusCode::OK, "{}", answered.body);
    assert_eq!(answered.headers["content-type"], "application/fhir+ndjson");
    let text = answered.body.as_str().map_or_else(|| answered.body.to_string(), str::to_owned);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn publishing() -> Door {
    Door::of(Clinic::with_settings(
        "[fhir]\npublish_slots = true\nbooking_phone = \"+91 80 1234 5678\"\n\
         booking_link = \"https://clinic.example/book?lang=en\"",
    ))
}

#[tokio::test]
async fn nothing_is_published_unless_the_clinic_says_so() {
    let door = Door::open();
    let refused = stranger(&door, "$bulk-publish", &[]).await;
    assert_eq!(refused.refusal(), (404, "not-found"));
    assert_eq!(stranger(&door, "$bulk-publish/Slot.ndjson", &[]).await.status, 404);
}

#[tokio::test]
async fn free_and_taken_slots_are_told_without_a_word_of_a_patient() {
    let door = publishing();
    let doctor = door.practitioner("Dr. Meera Iyer").await;
    let asha = door.create(patient("Asha Rao")).await;
    let appointment = json!({ "resourceType": "Appointment", "status": "booked",
        "start": "2026-11-23T11:00:00+05:30", "end": "2026-11-23T11:15:00+05:30", "comment": "chest pain", "participant": [
            { "actor": { "reference": address(&asha) }, "status": "accepted" },
            { "actor": { "reference": address(&doctor) }, "status": "accepted" }] });
    door.create(appointment).await;

    let manifest = stranger(&door, "$bulk-publish", &[("accept", "application/json")]).await;
    assert_eq!(manifest.status, StatusCode::OK, "{}", manifest.body);
    assert_eq!(manifest.headers["cache-control"], "public, max-age=60");
    assert_eq!(manifest.body["transactionTime"], "2026-11-23T10:00:00+05:30");
    assert_eq!(manifest.body["request"], "http://localhost/fhir/$bulk-publish");
    let mut all = String::new();
    for output in manifest.body["output"].as_array().unwrap() {
        let url = output["url"].as_str().unwrap();
        let path = url.strip_prefix("http://localhost/fhir/").unwrap();
        for resource in lines(&stranger(&door, path, &[]).await) {
            assert_eq!(resource["resourceType"], output["type"]);
            all.push_str(&resource.to_string());
        }
    }
    for secret in ["Asha", "chest", asha["id"].as_str().unwrap(), "Patient", "Appointment"] {
        assert!(!all.contains(secret), "{secret}");
    }

    let slots = lines(&stranger(&door, "$bulk-publish/Slot.ndjson", &[]).await);
    let at = |start: &str| slots.iter().find(|slot| slot["start"] == start);
    assert!(at("2026-11-23T09:45:00+05:30").is_none(), "it is over");
    assert_eq!(at("2026-11-23T11:00:00+05:30").unwrap()["status"], "busy");
    let free = at("2026-11-23T11:15:00+05:30").unwrap();
    assert_eq!(free["status"], "free");
    let link = format!("https://clinic.example/book?lang=en&slot={}", free["id"].as_str().unwrap());
    assert_eq!(free["extension"][0]["valueUrl"], link);
    assert_eq!(free["extension"][1]["valueString"], "+91 80 1234 5678");
    assert!(at("2026-12-22T16:45:00+05:30").is_some(), "thirty days");
    let sessions = lines(&stranger(&door, "$bulk-publish/Schedule.ndjson", &[]).await);
    assert_eq!(free["schedule"]["reference"], address(&sessions[0]));
    let role = format!("PractitionerRole/{}", doctor["id"].as_str().unwrap());
    assert_eq!(sessions[0]["actor"][0], json!({ "reference": role, "display": "Dr. Meera Iyer" }));
}

#[tokio::test]
async fn files_are_computed_once_a_minute_and_not_sent_again_to_who_has_them() {
    let door = publishing();
    door.practitioner("Dr. Meera Iyer").await;
    let path = "$bulk-publish/PractitionerRole.ndjson";
    let first = stranger(&door, path, &[]).await;
    let etag = first.headers["etag"].to_str().unwrap().to_owned();
    let known = [("if-none-match", etag.as_str()), ("accept", "application/fhir+ndjson")];
    assert_eq!(stranger(&door, path, &known).await.status, StatusCode::NOT_MODIFIED);
    door.practitioner("Dr. Ravi Nair").await;
    assert_eq!(stranger(&door, path, &known).await.status, StatusCode::NOT_MODIFIED);
    door.clinic.app.clock.set(door.clinic.app.now() + super::FRESH);
    assert_eq!(lines(&stranger(&door, path, &known).await).len(), 2);
}
