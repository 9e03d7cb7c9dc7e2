//! What the desk keeps in mind: who waits for a time, and what is to be done.

use axum::http::StatusCode;
use prm::stamp::Role;
use serde_json::{Value, json};

use super::{Answered, Clinic};

const ROOT: &str = "/api/v1/prm";

struct Desk {
    clinic: Clinic,
    token: String,
}

impl Desk {
    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answered {
        let headers = [("authorization", self.token.as_str())];
        self.clinic.call(method, &format!("{ROOT}/{path}"), &headers, body).await
    }

    async fn create(&self, path: &str, body: Value) -> Value {
        let made = self.ask("POST", path, Some(body)).await;
        assert_eq!(made.status, StatusCode::CREATED, "{path}: {:?}", made.body);
        made.body
    }
}

#[tokio::test]
async fn a_time_that_is_called_off_goes_to_whom_of_the_list_it_suits() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Clerk);
    let desk = Desk { clinic, token };
    let doctor = json!({ "name": "Dr Rao", "specialties": ["cardiology"] });
    let doctor = desk.create("practitioners", doctor).await;
    let session = json!({ "practitioner_id": doctor["id"], "start": "09:00", "end": "09:15",
        "weekdays": ["tue"], "slot_minutes": 15 });
    desk.create("schedules", session).await;
    let asha = desk.create("patients", json!({ "name": "Asha Rao" })).await;
    let ravi = desk.create("patients", json!({ "name": "Ravi Iyer" })).await;
    let slots = desk.ask("GET", "slots?from=2026-11-24&to=2026-11-25", None).await;
    let slot = slots.body["items"][0]["id"].as_str().unwrap().to_owned();
    let booking = json!({ "patient_id": asha["id"], "slot_id": slot });
    let appointment = desk.create("appointments", booking).await;
    let wish = json!({ "patient_id": ravi["id"], "specialty": "Cardiology", "from": "2026-11-24",
        "to": "2026-11-30", "part_of_day": "morning", "note": "Any morning" });
    let entry = desk.create("waitlist", wish).await;
    assert_eq!(entry["status"], "waiting");

    let take = format!("waitlist/{}/book", entry["id"].as_str().unwrap());
    let taken = desk.ask("POST", &take, Some(json!({ "slot_id": slot }))).await;
    assert_eq!((taken.status, taken.code()), (StatusCode::CONFLICT, "slot_taken"));
    assert!(taken.body["alternatives"].is_array());

    let cancel = format!("appointments/{}/cancel", appointment["id"].as_str().unwrap());
    desk.ask("POST", &cancel, Some(json!({ "reason": "fever" }))).await;
    let fitting = desk.ask("GET", &format!("waitlist/fitting?slot={slot}"), None).await;
    assert_eq!(fitting.body["items"][0]["id"], entry["id"]);
    let offer = format!("waitlist/{}/offer", entry["id"].as_str().unwrap());
    let offered = desk.ask("POST", &offer, Some(json!({ "slot_id": slot, "minutes": 30 }))).await;
    assert_eq!(offered.body["offer"]["until"], "2026-11-23T10:30:00+05:30");
    assert_eq!(offered.body["told"], false, "there is no number to write to");
    let decline = format!("waitlist/{}/decline", entry["id"].as_str().unwrap());
    let declined = desk.ask("POST", &decline, None).await;
    let said = (&declined.body["status"], &declined.body["offer"], &declined.body["declined"]);
    let no_to = json!("2026-11-24T09:00:00+05:30");
    assert_eq!(said, (&json!("waiting"), &Value::Null, &no_to));
    let fitting = desk.ask("GET", &format!("waitlist/fitting?slot={slot}"), None).await;
    assert_eq!(fitting.body["items"], json!([]));
    let again = desk.ask("POST", &decline, None).await;
    assert_eq!((again.status, again.code()), (StatusCode::CONFLICT, "illegal_step"));
    let booked = desk.ask("POST", &take, Some(json!({ "slot_id": slot }))).await;
    assert_eq!(booked.body["status"], "booked", "{:?}", booked.body);
    let made = format!("appointments/{}", booked.body["appointment_id"].as_str().unwrap());
    let made = desk.ask("GET", &made, None).await.body;
    assert_eq!((&made["patient_id"], &made["status"]), (&ravi["id"], &json!("booked")));
    assert_eq!(desk.ask("GET", "waitlist", None).await.body["items"], json!([]));
}

#[tokio::test]
async fn a_ticket_is_written_given_to_somebody_and_finished() {
    let clinic = Clinic::new();
    clinic.hire("meera", Role::Clerk);
    let token = clinic.token(Role::Admin);
    let desk = Desk { clinic, token };
    let staff = desk.ask("GET", "staff", None).await;
    let meera = staff.body["items"][0]["id"].clone();
    let ticket = json!({ "subject": "Call back", "due": "2026-11-23T12:00:00+05:30" });
    let ticket = desk.create("tickets", ticket).await;
    assert_eq!((&ticket["reason"], &ticket["status"]), (&json!("written"), &json!("open")));
    let path = format!("tickets/{}", ticket["id"].as_str().unwrap());
    let given = desk.ask("PATCH", &path, Some(json!({ "assignee_id": meera }))).await;
    assert_eq!(given.body["assignee_name"], "meera");
    let done = desk.ask("PATCH", &path, Some(json!({ "status": "done", "due": null }))).await;
    assert_eq!((&done.body["status"], &done.body["due"]), (&json!("done"), &Value::Null));
    assert_eq!(desk.ask("GET", "tickets", None).await.body["items"], json!([]));
    let finished = desk.ask("GET", "tickets?status=done", None).await;
    assert_eq!(finished.body["items"][0]["id"], ticket["id"]);
    let empty = desk.ask("POST", "tickets", Some(json!({ "subject": " " }))).await;
    assert_eq!((empty.code(), &empty.body["field"]), ("invalid", &json!("subject")));
}

#[tokio::test]
async fn what_is_often_asked_is_found_and_changed_only_by_whom_has_seen_it() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Clerk);
    let desk = Desk { clinic, token };
    let faq = json!({ "language": "en", "questions": ["Where can I park?"], "answer": "Behind the house." });
    let faq = desk.create("faqs", faq).await;
    let found = desk.ask("GET", "faqs/find?q=parking&language=en", None).await;
    assert_eq!(found.body["items"][0]["faq"]["id"], faq["id"]);
    let path = format!("{ROOT}/faqs/{}", faq["id"].as_str().unwrap());
    let headers = [("authorization", desk.token.as_str()), ("if-match", "\"1\"")];
    let edit = json!({ "answer": "In front." });
    let edited = desk.clinic.call("PATCH", &path, &headers, Some(edit.clone())).await;
    assert_eq!((edited.status, &edited.body["version"]), (StatusCode::OK, &json!(2)));
    let stale = desk.clinic.call("PATCH", &path, &headers, Some(edit)).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
}
