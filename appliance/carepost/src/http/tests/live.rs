//! Live events: told as they happen, resumed after a gap, and only to those who may know.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use prm::stamp::Role;
use serde_json::json;
use tower::ServiceExt as _;

use super::Clinic;

/// Connects.
async fn connect(clinic: &Clinic, headers: &[(&str, &str)]) -> Body {
    let mut request = Request::get("/api/v1/prm/live");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = clinic.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body()
}

/// Reads events until `end` is among them.
async fn hear(body: &mut Body, end: &str) -> String {
    let mut heard = String::new();
    while !heard.contains(end) {
        let frame = body.frame().await.expect("the stream goes on").unwrap();
        heard.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
    heard
}

async fn listen(clinic: &Clinic, headers: &[(&str, &str)], end: &str) -> String {
    hear(&mut connect(clinic, headers).await, end).await
}

async fn last(clinic: &Clinic) -> i64 {
    clinic.app.db.read(prm::change::last).await.unwrap()
}

#[tokio::test]
async fn what_happened_in_a_gap_is_told_in_order() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Admin);
    let before = last(&clinic).await.to_string();
    clinic.hire("asha", Role::Clerk);
    let kind = json!({ "kind": "kiosk" });
    clinic.call("POST", "/api/v1/prm/devices", &[], Some(kind)).await;
    let headers = [("authorization", token.as_str()), ("last-event-id", before.as_str())];
    let heard = listen(&clinic, &headers, "event: device").await;
    assert!(!heard.contains("resync"), "{heard}");
    let staff = heard.find("event: staff").expect("the first is told");
    assert!(staff < heard.find("event: device").unwrap());
    assert!(heard.contains("\"verb\":\"add\""));
}

#[tokio::test]
async fn an_event_is_told_while_it_happens() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Admin);
    let headers = [("authorization", token.as_str())];
    let mut line = connect(&clinic, &headers).await;
    hear(&mut line, "event: hello").await;
    clinic.hire("ravi", Role::Clerk);
    let heard = hear(&mut line, "event: staff").await;
    assert!(heard.contains("\"verb\":\"add\""), "{heard}");
}

#[tokio::test]
async fn an_id_from_another_log_is_answered_by_resync() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Admin);
    for id in ["999999", "not a number", "-1"] {
        let headers = [("authorization", token.as_str()), ("last-event-id", id)];
        let heard = listen(&clinic, &headers, "event: resync").await;
        assert!(heard.contains(&format!("id: {}", last(&clinic).await)), "{id}");
    }
}

#[tokio::test]
async fn a_kiosk_hears_nothing_of_staff() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Kiosk);
    let before = last(&clinic).await.to_string();
    clinic.hire("asha", Role::Clerk);
    let headers = [("authorization", token.as_str()), ("last-event-id", before.as_str())];
    let heard = listen(&clinic, &headers, "event: hello").await;
    assert!(!heard.contains("staff"), "{heard}");
    let nobody = clinic.call("GET", "/api/v1/prm/live", &[], None).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
}
