//! Wishes for appointments, which the desk decides.

use axum::http::StatusCode;
use prm::stamp::Role;
use serde_json::{Value, json};
use sync_agent::ask::{Ask, Id, Proposal};

use super::{Asked, text};

/// A wish of somebody for the first time on Tuesday.
fn wish(id: u8, patient: Value, practitioner: &Value) -> Ask {
    let with = json!({ "reference": format!("Practitioner/{}", text(&practitioner["id"])) });
    let appointment = json!({ "resourceType": "Appointment", "status": "proposed",
        "start": "2026-11-24T09:00:00+05:30", "end": "2026-11-24T09:15:00+05:30",
        "reasonCode": [{ "text": "chest pain" }],
        "participant": [{ "actor": { "reference": "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a" },
                          "status": "accepted" },
                        { "actor": with, "status": "needs-action" }] });
    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": [
        { "fullUrl": "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a", "resource": patient },
        { "fullUrl": "urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9", "resource": appointment }] });
    Ask::Proposal(Proposal { id: Id([id; 16]), bundle: bundle.to_string().into_bytes() })
}

fn asha() -> Value {
    json!({ "resourceType": "Patient", "name": [{ "text": "Asha Rao" }], "birthDate": "1984-05-02",
        "telecom": [{ "system": "phone", "value": "+919844111173" }] })
}

#[tokio::test]
async fn a_wish_is_shown_to_the_desk_and_booked_with_a_record_of_whoever_wished() {
    let asked = Asked::open();
    let rao = asked.practitioner().await;
    let ask = wish(1, asha(), &rao);
    asked.take(&ask);
    assert!(asked.items("patients?q=Asha").await.is_empty(), "nobody decided yet");
    let listed = asked.items("sync/requests").await;
    let [it] = listed.as_slice() else { panic!("{listed:?}") };
    assert_eq!((&it["name"], &it["phone"]), (&json!("Asha Rao"), &json!("+919844111173")));
    assert_eq!((&it["practitioner_id"], &it["reason"]), (&rao["id"], &json!("chest pain")));
    assert_eq!(it["start"], "2026-11-24T09:00:00+05:30");
    let path = format!("sync/requests/{}/accept", text(&it["id"]));
    let booked = asked.made(&path, json!({})).await;
    assert_eq!((&booked["status"], &booked["start"]), (&json!("booked"), &it["start"]));
    let (status, told) = asked.reply(ask.id().0).expect("the hub is told");
    assert_eq!((status, &told["id"], &told["status"]), (201, &booked["id"], &json!("booked")));
    assert!(asked.items("sync/requests").await.is_empty());
    let again = asked.desk("POST", &path, Some(json!({}))).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    assert_eq!(asked.items("patients?q=Asha").await.len(), 1);
}

#[tokio::test]
async fn the_desk_says_who_it_is_and_offers_another_time() {
    let asked = Asked::open();
    let rao = asked.practitioner().await;
    let known = asked
        .made(
            "patients",
            json!({ "name": "Asha Rao", "phone": "98441 11173",
        "birth_date": "1984-05-02" }),
        )
        .await;
    let slots = "slots?from=2026-11-24&to=2026-11-25";
    let first = asked.items(slots).await[0]["id"].clone();
    let other = asked.patient("Ravi").await;
    asked.made("appointments", json!({ "patient_id": other["id"], "slot_id": first })).await;
    asked.take(&wish(1, asha(), &rao));
    let id = asked.items("sync/requests").await[0]["id"].clone();
    let path = format!("sync/requests/{}/accept", text(&id));
    let refused = asked.desk("POST", &path, Some(json!({}))).await;
    assert_eq!(refused.code(), "likely_duplicate");
    let body = json!({ "patient_id": known["id"] });
    let refused = asked.desk("POST", &path, Some(body)).await;
    assert_eq!(refused.code(), "slot_taken");
    let free = refused.body["alternatives"][0]["id"].clone();
    assert_eq!(asked.items("sync/requests").await.len(), 1, "it waits on");
    let body = json!({ "patient_id": known["id"], "slot_id": free });
    let booked = asked.made(&path, body).await;
    assert_eq!(booked["patient_id"], known["id"]);
    assert_eq!(asked.diary().await.len(), 2);
}

#[tokio::test]
async fn a_wish_that_is_declined_is_told_so_and_books_nothing() {
    let asked = Asked::open();
    let rao = asked.practitioner().await;
    let ask = wish(1, asha(), &rao);
    asked.take(&ask);
    let id = asked.items("sync/requests").await[0]["id"].clone();
    let path = format!("sync/requests/{}/decline", text(&id));
    let silent = asked.desk("POST", &path, Some(json!({ "reason": " " }))).await;
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
    let declined = asked.desk("POST", &path, Some(json!({ "reason": "on leave" }))).await;
    assert_eq!(declined.status, StatusCode::NO_CONTENT);
    let (status, told) = asked.reply(ask.id().0).expect("the hub is told");
    assert_eq!((status, &told["status"]), (200, &json!("cancelled")));
    assert_eq!(told["cancelationReason"]["text"], "on leave");
    assert!(asked.diary().await.is_empty() && asked.items("patients?q=Asha").await.is_empty());
}

#[tokio::test]
async fn what_is_no_wish_is_refused_and_only_the_desk_decides() {
    let mut asked = Asked::open();
    let bundle = json!({ "resourceType": "Bundle", "type": "collection" }).to_string().into_bytes();
    let empty = Ask::Proposal(Proposal { id: Id([7; 16]), bundle });
    asked.take(&empty);
    assert_eq!(asked.reply([7; 16]).map(|it| it.0), Some(422));
    assert!(asked.items("sync/requests").await.is_empty());
    for role in [Role::Hub, Role::Practitioner, Role::Integrator, Role::Kiosk] {
        asked.token = asked.clinic.token(role);
        for path in ["sync/requests", "sync/conflicts"] {
            let refused = asked.desk("GET", path, None).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{role:?}");
        }
    }
}
