//! Bulk export from outside.

use axum::http::StatusCode;
use prm::stamp::Role;
use serde_json::{Value, json};

use super::super::tests::{Door, address, patient, reference, text};
use super::job::{EXPORTS_MAX, KEPT};
use crate::http::tests::Answered;
use crate::place;

const ASYNC: [(&str, &str); 1] = [("prefer", "respond-async")];

impl Door {
    async fn export(&self, path: &str) -> Answered {
        self.ask("GET", path, &ASYNC, None).await
    }

    /// The manifest of an export that was begun, once it is done.
    async fn manifest(&self, begun: &Answered) -> Value {
        assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.body);
        loop {
            let answered = self.plain(&place_of(begun)).await;
            if answered.status != StatusCode::ACCEPTED {
                assert_eq!(answered.status, StatusCode::OK, "{}", answered.body);
                return answered.body;
            }
            assert_eq!(answered.headers["retry-after"], "5");
            tokio::task::yield_now().await;
        }
    }

    /// Asks without expecting FHIR.
    async fn plain(&self, path: &str) -> Answered {
        let token = self.token().to_owned();
        self.clinic.call("GET", &format!("/fhir{path}"), &[("authorization", &token)], None).await
    }
}

/// Where to look, below `/fhir`.
fn place_of(begun: &Answered) -> String {
    below(begun.headers["content-location"].to_str().unwrap())
}

fn below(address: &str) -> String {
    address.strip_prefix("http://localhost/fhir").unwrap().to_owned()
}

fn outputs(manifest: &Value) -> Vec<(&str, u64)> {
    let output = manifest["output"].as_array().unwrap();
    output.iter().map(|it| (it["type"].as_str().unwrap(), it["count"].as_u64().unwrap())).collect()
}

async fn with_two_patients() -> Door {
    let door = Door::open();
    for name in ["Asha Rao", "Ravi Rao"] {
        let made = door.create(patient(name)).await;
        let observation = json!({ "resourceType": "Observation", "status": "final",
            "code": { "text": "mass" }, "subject": reference(&made) });
        door.create(observation).await;
    }
    door.create(json!({ "resourceType": "Location", "name": "Room 1" })).await;
    door
}

#[tokio::test]
async fn all_records_are_fetched_as_files_that_are_encrypted_on_the_disk() {
    let mut door = with_two_patients().await;
    door.becomes(Role::Integrator);
    let end = door.audit_end();
    let begun = door.export("/$export?_outputFormat=ndjson").await;
    assert_eq!(door.audit_since(end), [("export".to_owned(), "chart".to_owned())]);
    let manifest = door.manifest(&begun).await;
    assert_eq!(manifest["requiresAccessToken"], true);
    assert_eq!(manifest["request"], "http://localhost/fhir/$export?_outputFormat=ndjson");
    let found = outputs(&manifest);
    for wanted in [("Patient", 2), ("Observation", 2), ("Location", 1), ("Organization", 1)] {
        assert!(found.contains(&wanted), "{found:?}");
    }
    assert!(!found.iter().any(|(kind, _)| *kind == "AuditEvent" || *kind == "Device"));
    for output in manifest["output"].as_array().unwrap() {
        let file = door.plain(&below(output["url"].as_str().unwrap())).await;
        assert_eq!(file.headers["content-type"], "application/fhir+ndjson");
        // One line alone is JSON.
        let text = file.body.as_str().map_or_else(|| file.body.to_string(), str::to_owned);
        assert_eq!(text.lines().count() as u64, output["count"].as_u64().unwrap());
        for line in text.lines() {
            let resource: Value = serde_json::from_str(line).unwrap();
            assert_eq!(resource["resourceType"], output["type"]);
        }
    }
    let folder = place::state(&door.clinic.app.data).unwrap().join("exports");
    let mut looked_at = 0;
    for job in std::fs::read_dir(&folder).unwrap() {
        for file in std::fs::read_dir(job.unwrap().path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(4).any(|some| some == b"Asha"));
            looked_at += 1;
        }
    }
    assert_eq!(looked_at, found.len());
}

#[tokio::test]
async fn kinds_a_time_and_the_records_of_patients_can_be_asked_for() {
    let door = with_two_patients().await;
    let begun = door.export("/$export?_type=Patient,Location").await;
    assert_eq!(outputs(&door.manifest(&begun).await), [("Patient", 2), ("Location", 1)]);
    let begun = door.export("/Patient/$export").await;
    assert_eq!(outputs(&door.manifest(&begun).await), [("Observation", 2), ("Patient", 2)]);
    let body = json!({ "resourceType": "Parameters", "parameter": [
        { "name": "_type", "valueString": "Patient" },
        { "name": "_since", "valueInstant": "2026-11-23T10:00:01+05:30" }] });
    let begun = door.ask("POST", "/$export", &ASYNC, Some(body)).await;
    assert_eq!(outputs(&door.manifest(&begun).await), []);
    let begun = door.export("/$export?_type=Patient&_since=2026-11-23T10:00:00%2B05:30").await;
    assert_eq!(outputs(&door.manifest(&begun).await), [("Patient", 2)]);
}

#[tokio::test]
async fn an_export_holds_what_lies_within_the_scopes() {
    let mut door = with_two_patients().await;
    door.shows(door.clinic.narrowed(Role::Admin, "system/Patient.rs system/Location.r"));
    let begun = door.export("/$export").await;
    assert_eq!(outputs(&door.manifest(&begun).await), [("Patient", 2)]);
    assert_eq!(door.export("/$export?_type=Location").await.refusal(), (403, "forbidden"));
    let begun = door.export("/Patient/$export").await;
    assert_eq!(outputs(&door.manifest(&begun).await), [("Patient", 2)]);
}

#[tokio::test]
async fn the_records_of_a_group_are_those_of_its_members() {
    let door = with_two_patients().await;
    let asha = door.entries("/Patient?name=Asha").await[0]["resource"].clone();
    let group = json!({ "resourceType": "Group", "type": "person", "actual": true,
        "member": [{ "entity": reference(&asha) }] });
    let group = door.create(group).await;
    let begun = door.export(&format!("/{}/$export", address(&group))).await;
    let manifest = door.manifest(&begun).await;
    assert_eq!(outputs(&manifest), [("Observation", 1), ("Patient", 1)]);
    let file = door.plain(&below(&text(&manifest["output"][1]["url"]))).await;
    assert_eq!(file.body["id"], asha["id"]);
    assert_eq!(door.export("/Group/nobody/$export").await.refusal(), (404, "not-found"));
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused_before_anything_is_done() {
    let mut door = Door::open();
    assert_eq!(door.get("/$export").await.refusal(), (400, "required"));
    for (query, code) in [
        ("_type=Slot", "not-supported"),
        ("_type=Nothing", "not-supported"),
        ("_since=yesterday", "value"),
        ("_outputFormat=csv", "not-supported"),
        ("_typeFilter=Patient%3Factive%3Dtrue", "not-supported"),
    ] {
        let refused = door.export(&format!("/$export?{query}")).await;
        assert_eq!(refused.refusal(), (400, code), "{query}");
    }
    let lenient = [("prefer", "respond-async, handling=lenient")];
    let begun = door.ask("GET", "/$export?_typeFilter=x&_type=Patient", &lenient, None).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED);
    for role in [Role::Clerk, Role::Practitioner, Role::Auditor, Role::Kiosk] {
        door.becomes(role);
        assert_eq!(door.export("/$export").await.refusal(), (403, "forbidden"), "{role:?}");
    }
    door.becomes(Role::Integrator);
    let refused = door.export("/$export?_type=AuditEvent").await;
    assert_eq!(refused.refusal(), (403, "forbidden"));
}

#[tokio::test]
async fn an_export_is_its_owners_until_it_is_deleted_or_old() {
    let mut door = with_two_patients().await;
    door.becomes(Role::Integrator);
    let begun = door.export("/$export?_type=Patient").await;
    let manifest = door.manifest(&begun).await;
    let file = below(&text(&manifest["output"][0]["url"]));
    let owner = door.token().to_owned();
    door.becomes(Role::Integrator);
    assert_eq!(door.get(&place_of(&begun)).await.refusal(), (404, "not-found"));
    assert_eq!(door.get(&file).await.refusal(), (404, "not-found"));
    assert_eq!(door.delete(&place_of(&begun)).await.refusal(), (404, "not-found"));
    door.shows(owner);
    assert_eq!(door.delete(&place_of(&begun)).await.status, StatusCode::ACCEPTED);
    assert_eq!(door.get(&place_of(&begun)).await.refusal(), (404, "not-found"));
    assert_eq!(door.get(&file).await.refusal(), (404, "not-found"));

    let begun = door.export("/$export?_type=Patient").await;
    door.manifest(&begun).await;
    for _ in 1..EXPORTS_MAX {
        assert_eq!(door.export("/$export").await.status, StatusCode::ACCEPTED);
    }
    let one_more = door.export("/$export").await;
    assert_eq!(one_more.refusal(), (429, "throttled"));
    assert_eq!(one_more.headers["retry-after"], "60");
    let later = door.clinic.app.now() + KEPT;
    door.clinic.app.clock.set(later);
    assert_eq!(door.get(&place_of(&begun)).await.refusal(), (404, "not-found"));
    assert_eq!(door.export("/$export").await.status, StatusCode::ACCEPTED);
}
