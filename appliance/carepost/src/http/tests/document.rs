//! Answers are what the API's document says of them.

use serde_json::{Value, json};

use super::visits::Practice;
use crate::http::openapi::document;

/// What is wrong with a value by a schema of the document: members that are missing, words that
/// it does not name.
fn wrong(whole: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let pointer = name.strip_prefix('#').expect("shapes are of this document");
        return wrong(whole, whole.pointer(pointer).expect("the shape is there"), value, at);
    }
    let mut found = Vec::new();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        found.extend(wrong(whole, part, value, at));
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fits = |choice| wrong(whole, choice, value, at).is_empty();
        if !choices.iter().any(fits) {
            found.push(format!("{at} is none of its shapes: {value}"));
        }
    }
    if schema["type"] == "null" && !value.is_null() {
        found.push(format!("{at} is not null"));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        found.push(format!("{at} is {value}"));
    }
    for member in schema["required"].as_array().into_iter().flatten() {
        let member = member.as_str().unwrap();
        if value.get(member).is_none() {
            found.push(format!("{at} has no {member}"));
        }
    }
    for (member, schema) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(member) {
            found.extend(wrong(whole, schema, value, &format!("{at}.{member}")));
        }
    }
    for item in value.as_array().into_iter().flatten() {
        found.extend(wrong(whole, &schema["items"], item, &format!("{at}[]")));
    }
    found
}

#[tokio::test]
async fn answers_have_every_member_that_is_required_and_no_word_that_is_not_named() {
    let practice = Practice::open().await;
    let booked = practice.book(&practice.patient, 0).await;
    let show = json!({ "qr": booked.body["qr"], "birth_year": 1984 });
    let (id, patient) =
        (booked.body["id"].as_str().unwrap(), practice.patient.as_str().unwrap().to_owned());
    let answers = [
        ("post", "/appointments", "201", booked.body.clone()),
        (
            "post",
            "/check-ins",
            "404",
            practice.at_kiosk("check-ins", json!({ "choice": "" })).await.body,
        ),
        ("post", "/check-ins/match", "200", {
            practice.at_kiosk("check-ins/match", json!({ "qr": booked.body["qr"] })).await.body
        }),
        ("post", "/check-ins/match", "200", {
            practice.at_kiosk("check-ins/match", show.clone()).await.body
        }),
        ("post", "/check-ins", "201", practice.at_kiosk("check-ins", show).await.body),
        ("post", "/appointments/{id}/check-in", "200", {
            practice.post(&format!("appointments/{id}/check-in"), json!({})).await.body
        }),
        ("get", "/queue", "200", practice.get("queue").await.body),
        ("get", "/slots", "200", practice.get("slots?limit=3").await.body),
        ("get", "/patients", "200", practice.get("patients").await.body),
        ("get", "/patients/{id}", "200", practice.get(&format!("patients/{patient}")).await.body),
        ("get", "/schedules", "200", practice.get("schedules").await.body),
        ("get", "/status", "200", practice.get("status").await.body),
        ("get", "/patients/{id}", "404", practice.get("patients/nobody").await.body),
    ];
    let whole = serde_json::to_value(document()).unwrap();
    for (method, path, status, body) in answers {
        let operation = &whole["paths"][format!("/api/v1/prm{path}")][method];
        let schema = &operation["responses"][status]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{method} {path} {status}");
        let found = wrong(&whole, schema, &body, "the answer");
        assert!(found.is_empty(), "{method} {path} {status}: {found:#?} in {body:#}");
    }
    let entry = &whole["components"]["schemas"]["QueueEntry"];
    assert!(entry["required"].as_array().unwrap().contains(&json!("estimate_minutes")));
}

#[test]
fn whatever_makes_something_new_may_be_repeated_under_a_key() {
    let whole = serde_json::to_value(document()).unwrap();
    for (path, methods) in whole["paths"].as_object().unwrap() {
        let post = &methods["post"];
        if post["responses"].get("201").is_none() {
            continue;
        }
        let parameters = post["parameters"].as_array().into_iter().flatten();
        let mut names = parameters.map(|parameter| &parameter["name"]);
        assert!(names.any(|name| name == "Idempotency-Key"), "POST {path}");
    }
}
