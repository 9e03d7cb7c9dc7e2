//! Tests of what the hub asks: taken in, done once, decided, merged.

mod catalogues;
mod edits;
mod operations;
mod proposals;

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use prm::id::RequestId;
use prm::request::{self, Reply};
use prm::stamp::{Role, Stamp};
use serde_json::{Value, json};
use sync_agent::ask::Ask;

use super::take::take;
use crate::http::tests::{Answered, Clinic};

/// A clinic that hears from its hub.
struct Asked {
    clinic: Clinic,
    token: String,
}

impl Asked {
    fn open() -> Self {
        let clinic = Clinic::new();
        let token = clinic.token(Role::Clerk);
        Self { clinic, token }
    }

    fn now(&self) -> Timestamp {
        self.clinic.app.now()
    }

    /// Takes in what the hub asks, for the next ten seconds.
    fn take(&self, ask: &Ask) {
        let (stamp, ask) = (Stamp::of_box(self.now()), ask.clone());
        let deadline = self.now() + SignedDuration::from_secs(10);
        let taken =
            self.clinic.app.db.write_blocking(move |tx| take(tx, &stamp, &ask, Some(deadline)));
        taken.unwrap();
    }

    /// What is answered to a request and not yet sent.
    fn reply(&self, id: [u8; 16]) -> Option<(u16, Value)> {
        let stamp = Stamp::of_box(self.now());
        let replies = self.clinic.app.db.read_blocking(|read| request::replies(read, &stamp));
        let mut replies = replies.unwrap().into_iter();
        let (_, Reply { status, body, until: _ }) =
            replies.find(|(found, _)| *found == RequestId::from_bytes(id))?;
        Some((status, serde_json::from_slice(&body).unwrap()))
    }

    /// Asks the desk's API as a clerk.
    async fn desk(&self, method: &str, path: &str, body: Option<Value>) -> Answered {
        let path = format!("/api/v1/prm/{path}");
        self.clinic.call(method, &path, &[("authorization", &self.token)], body).await
    }

    /// Asks the desk's API for what must be there.
    async fn made(&self, path: &str, body: Value) -> Value {
        let made = self.desk("POST", path, Some(body)).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        made.body
    }

    async fn items(&self, path: &str) -> Vec<Value> {
        let found = self.desk("GET", path, None).await;
        assert_eq!(found.status, StatusCode::OK, "{}", found.body);
        found.body["items"].as_array().unwrap().clone()
    }

    async fn patient(&self, name: &str) -> Value {
        self.made("patients", json!({ "name": name, "phone": "98441 11173" })).await
    }

    /// A practitioner who sees patients on Tuesday.
    async fn practitioner(&self) -> Value {
        let rao = self.made("practitioners", json!({ "name": "Dr Rao" })).await;
        let session = json!({ "practitioner_id": rao["id"], "start": "09:00", "end": "10:00",
            "weekdays": ["tue"], "slot_minutes": 15 });
        self.made("schedules", session).await;
        rao
    }

    /// The appointments of Tuesday.
    async fn diary(&self) -> Vec<Value> {
        self.items("appointments?from=2026-11-24&to=2026-11-25").await
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
