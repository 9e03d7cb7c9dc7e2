//! Calls of a voice agent on the wire.

use channels::heard::{Down, Webhook};

use super::*;
use crate::inbox;

fn tell(clinic: &Clinic, id: &str, body: &Value) {
    let now = clinic.app.now();
    let down = Down::Webhook(Webhook {
        id: id.into(),
        timestamp: now.as_second().to_string(),
        signature: String::new(),
        body: body.to_string().into_bytes(),
        received_at_ms: now.as_millisecond(),
    });
    clinic.app.db.write_blocking(move |tx| inbox::take(tx, now, down)).unwrap();
}

#[tokio::test]
async fn calls_are_listed_the_latest_first_and_each_is_told_whole() {
    let clinic = Clinic::new();
    let call = |id: &str, phone: Option<&str>| {
        json!({ "call_id": id, "patient_phone": phone, "transcript": "Caller: hello", "duration_seconds": 65,
                "recording_url": "https://recordings.example/one", "agent": "seven",
                "extracted_data": { "intent": "book_appointment", "doctor": "Rao" } })
    };
    tell(&clinic, "msg_1", &call("one", Some("+919844111173")));
    let later = clinic.app.now() + jiff::SignedDuration::from_secs(1);
    clinic.app.clock.set(later);
    tell(&clinic, "msg_2", &call("two", None));
    let clerk = clinic.token(Role::Clerk);
    let asked = [("authorization", clerk.as_str())];
    let first = clinic.call("GET", "/api/v1/prm/calls?limit=1", &asked, None).await;
    assert_eq!(first.body["items"][0]["call_id"], "two");
    assert_eq!(first.body["items"][0]["conversation_id"], Value::Null);
    let next = first.body["next"].as_str().unwrap();
    let path = format!("/api/v1/prm/calls?limit=1&cursor={next}");
    let second = clinic.call("GET", &path, &asked, None).await;
    let one = &second.body["items"][0];
    assert_eq!((&one["call_id"], &second.body["next"]), (&json!("one"), &Value::Null));
    assert_eq!((&one["phone"], &one["duration_seconds"]), (&json!("+919844111173"), &json!(65)));
    assert_eq!(one["recording"]["state"], "waiting");
    let path = format!("/api/v1/prm/calls/{}", one["id"].as_str().unwrap());
    let whole = clinic.call("GET", &path, &asked, None).await;
    assert_eq!(whole.body["transcript"], "Caller: hello");
    assert_eq!(whole.body["extracted_data"]["doctor"], "Rao");
    assert_eq!(whole.body["others"], json!({ "agent": "seven" }));
    let thread = one["conversation_id"].as_str().unwrap();
    let path = format!("/api/v1/prm/conversations/{thread}/messages");
    let messages = clinic.call("GET", &path, &asked, None).await;
    let heard = &messages.body["items"][0]["call"];
    assert_eq!((&heard["duration_seconds"], &heard["revised"]), (&json!(65), &json!(false)));
    let auditor = clinic.token(Role::Auditor);
    let asked = [("authorization", auditor.as_str())];
    let refused = clinic.call("GET", "/api/v1/prm/calls", &asked, None).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}
