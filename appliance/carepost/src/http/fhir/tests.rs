//! FHIR from outside.

mod appointments;
mod bundles;
mod diary;
mod everything;
mod matching;
mod operations;
mod patients;
mod provenance;
mod refusals;
mod roles;
mod scopes;
mod searching;
mod sequences;
mod told;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use prm::stamp::Role;
use serde_json::{Value, json};

use crate::http::tests::{Answered, Clinic};

/// A clinic, and a program that asks its FHIR.
pub(super) struct Door {
    pub(super) clinic: Clinic,
    token: String,
}

impl Door {
    /// Somebody who may do everything.
    pub(super) fn open() -> Self {
        Self::of(Clinic::new())
    }

    /// The same at this clinic.
    pub(super) fn of(clinic: Clinic) -> Self {
        let token = clinic.token(Role::Admin);
        Self { clinic, token }
    }

    /// The same clinic, asked by another role.
    pub(super) fn becomes(&mut self, role: Role) {
        self.token = self.clinic.token(role);
    }

    /// What the program shows.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// The same clinic, asked by whoever shows this.
    pub(super) fn shows(&mut self, token: String) {
        self.token = token;
    }

    /// Asks with these headers beside who it is. Whatever is answered is FHIR's.
    pub(super) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answered {
        let mut all = vec![("authorization", self.token.as_str())];
        all.extend_from_slice(headers);
        let path = format!("/fhir{path}");
        is_fhir(self.clinic.call(method, &path, &all, body).await)
    }

    pub(super) async fn get(&self, path: &str) -> Answered {
        self.ask("GET", path, &[], None).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Answered {
        self.ask("POST", path, &[], Some(body)).await
    }

    pub(super) async fn put(&self, path: &str, body: Value) -> Answered {
        self.ask("PUT", path, &[], Some(body)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answered {
        self.ask("DELETE", path, &[], None).await
    }

    /// Creates a resource; answers it as it is then.
    pub(super) async fn create(&self, resource: Value) -> Value {
        let path = format!("/{}", resource["resourceType"].as_str().unwrap());
        let made = self.post(&path, resource).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        made.body
    }

    /// The entries of a bundle that is there.
    pub(super) async fn entries(&self, path: &str) -> Vec<Value> {
        let found = self.get(path).await;
        assert_eq!(found.status, StatusCode::OK, "{path}: {}", found.body);
        assert_eq!(found.body["resourceType"], "Bundle", "{path}");
        found.body["entry"].as_array().cloned().unwrap_or_default()
    }

    /// The ids of what a search finds, on its first page, in order.
    pub(super) async fn ids(&self, path: &str) -> Vec<String> {
        let entries = self.entries(path).await;
        let matches = entries.iter().filter(|entry| entry["search"]["mode"] == "match");
        matches.map(|entry| text(&entry["resource"]["id"])).collect()
    }

    /// Asks the desk's API as the same person.
    pub(super) async fn desk(&self, method: &str, path: &str, body: Option<Value>) -> Answered {
        let path = format!("/api/v1/prm/{path}");
        self.clinic.call(method, &path, &[("authorization", &self.token)], body).await
    }

    /// The lines of the audit since a sequence, the oldest first: verb, noun.
    pub(super) fn audit_since(&self, sequence: i64) -> Vec<(String, String)> {
        let lines = self.audit();
        let since = lines.iter().filter(|line| line.sequence > sequence).rev();
        since.map(|line| (line.verb.clone(), line.noun.clone())).collect()
    }

    /// The newest line of the audit.
    pub(super) fn audit_end(&self) -> i64 {
        self.audit().first().map_or(0, |line| line.sequence)
    }

    fn audit(&self) -> Vec<prm::audit::Line> {
        let stamp = prm::stamp::Stamp::of_box(self.clinic.app.now());
        let filter = prm::audit::Filter::default();
        let limit = prm::audit::LIST_MAX;
        let list = |read: &prm::db::Read<'_>| prm::audit::list(read, &stamp, &filter, limit);
        self.clinic.app.db.read_blocking(list).unwrap()
    }

    /// A practitioner who sees patients all day on every day, in slots of 15 minutes.
    pub(super) async fn practitioner(&self, name: &str) -> Value {
        let practitioner = json!({ "resourceType": "Practitioner", "name": [{ "text": name }] });
        let practitioner = self.create(practitioner).await;
        let body = json!({ "practitioner_id": practitioner["id"], "start": "09:00", "end": "17:00",
            "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "slot_minutes": 15 });
        let session = self.desk("POST", "schedules", Some(body)).await;
        assert_eq!(session.status, StatusCode::CREATED, "{}", session.body);
        practitioner
    }
}

/// The answer, which says that it is FHIR, and if it refuses, how.
#[track_caller]
pub(super) fn is_fhir(answered: Answered) -> Answered {
    if answered.body == json!("") {
        return answered;
    }
    let kind = answered.headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap());
    assert_eq!(kind, Some("application/fhir+json; charset=utf-8"), "{}", answered.body);
    let resource = fhir::json::parse(answered.body.to_string().as_bytes()).expect("FHIR's JSON");
    let issues = fhir::structure::validate(&resource);
    assert!(issues.is_empty(), "{}: {}", fhir::Outcome { issues }, answered.body);
    if answered.status.is_client_error() || answered.status.is_server_error() {
        assert_eq!(answered.body["resourceType"], "OperationOutcome");
        let severity = &answered.body["issue"][0]["severity"];
        assert!(severity == "error" || severity == "fatal", "{}", answered.body);
    }
    answered
}

impl Answered {
    /// The code of the first issue.
    pub(super) fn issue(&self) -> &str {
        self.body["issue"][0]["code"].as_str().unwrap_or_default()
    }

    /// The status and the code of the first issue.
    pub(super) fn refusal(&self) -> (u16, &str) {
        (self.status.as_u16(), self.issue())
    }
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// `Patient/<id>` as a reference.
pub(super) fn reference(to: &Value) -> Value {
    json!({ "reference": address(to) })
}

/// `Patient/<id>`
pub(super) fn address(of: &Value) -> String {
    format!("{}/{}", of["resourceType"].as_str().unwrap(), of["id"].as_str().unwrap())
}

/// A patient of whom a name is known.
pub(super) fn patient(name: &str) -> Value {
    json!({ "resourceType": "Patient", "name": [{ "text": name }] })
}

/// The resource without what the box gives it.
pub(super) fn without_own(resource: &Value) -> Value {
    let mut resource = resource.clone();
    let map = resource.as_object_mut().unwrap();
    map.shift_remove("id");
    map.shift_remove("meta");
    resource
}
