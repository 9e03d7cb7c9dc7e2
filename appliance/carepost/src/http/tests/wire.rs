//! Errors, versions, repetitions, bodies and headers as they are on the wire.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use prm::stamp::Role;
use serde_json::json;

use super::Clinic;
use crate::app::App;
use crate::config::{Config, Flag};

const STAFF: &str = "/api/v1/prm/staff";

#[tokio::test]
async fn the_same_key_and_body_hear_the_same_and_nothing_happens_twice() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Admin);
    let headers = [("authorization", token.as_str()), ("idempotency-key", "k1")];
    let asha = json!({ "username": "asha", "name": "Asha Rao", "role": "clerk", "password": "long enough" });
    let first = clinic.call("POST", STAFF, &headers, Some(asha.clone())).await;
    assert_eq!(first.status, StatusCode::CREATED, "{:?}", first.body);
    let again = clinic.call("POST", STAFF, &headers, Some(asha.clone())).await;
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first.body));
    assert_eq!(again.headers.get("etag"), first.headers.get("etag"));
    let everybody = clinic.call("GET", STAFF, &headers[..1], None).await;
    assert_eq!(everybody.body["items"].as_array().unwrap().len(), 1);

    let mut other = asha;
    other["name"] = json!("Somebody Else");
    let refused = clinic.call("POST", STAFF, &headers, Some(other)).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_reused")
    );
}

#[tokio::test]
async fn an_edit_of_a_version_that_is_gone_is_stale() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Admin);
    let auth = ("authorization", token.as_str());
    let body =
        json!({ "username": "asha", "name": "Asha", "role": "clerk", "password": "long enough" });
    let made = clinic.call("POST", STAFF, &[auth], Some(body)).await;
    assert_eq!(made.headers["etag"], "\"1\"");
    let path = format!("{STAFF}/{}", made.body["id"].as_str().unwrap());
    let edit = json!({ "name": "Asha Rao" });
    let edited =
        clinic.call("PATCH", &path, &[auth, ("if-match", "W/\"1\"")], Some(edit.clone())).await;
    assert_eq!(
        (edited.status, &edited.headers["etag"]),
        (StatusCode::OK, &"\"2\"".parse().unwrap())
    );
    let stale =
        clinic.call("PATCH", &path, &[auth, ("if-match", "\"1\"")], Some(edit.clone())).await;
    assert_eq!((stale.status, stale.code()), (StatusCode::PRECONDITION_FAILED, "stale"));
    let senseless = clinic.call("PATCH", &path, &[auth, ("if-match", "1")], Some(edit)).await;
    assert_eq!(senseless.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_problem_names_the_field_and_never_repeats_what_was_sent() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Admin);
    let auth = ("authorization", token.as_str());
    let missing = clinic.call("POST", STAFF, &[auth], Some(json!({ "username": "asha" }))).await;
    assert_eq!(missing.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!((missing.code(), &missing.body["field"]), ("invalid", &json!("name")));
    assert_eq!(missing.headers["content-type"], "application/problem+json");
    let wrong =
        json!({ "username": ["Secret Name"], "name": "x", "role": "clerk", "password": "y" });
    let wrong = clinic.call("POST", STAFF, &[auth], Some(wrong)).await;
    assert_eq!(wrong.body["field"], json!("username"));
    assert!(!wrong.body.to_string().contains("Secret"));
}

#[tokio::test]
async fn bodies_that_are_no_json_or_too_large_or_too_deep_are_refused() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Admin);
    let request = |kind: &str, body: Vec<u8>| {
        Request::post(STAFF)
            .header("authorization", &token)
            .header("content-type", kind)
            .body(Body::from(body))
            .unwrap()
    };
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    let cases = [
        (request("application/json", b"{".to_vec()), StatusCode::BAD_REQUEST),
        (request("application/json", b"{} {}".to_vec()), StatusCode::UNPROCESSABLE_ENTITY),
        (request("text/plain", b"{}".to_vec()), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (request("application/json", vec![b' '; 1_048_577]), StatusCode::PAYLOAD_TOO_LARGE),
    ];
    for (request, status) in cases {
        assert_eq!(clinic.send(request).await.status, status);
    }
    let answered = clinic.send(request("application/json", deep)).await;
    assert!(answered.status.is_client_error());
}

#[tokio::test]
async fn unknown_addresses_methods_and_hosts_are_problems() {
    let clinic = Clinic::new();
    let nowhere = clinic.call("GET", "/api/v1/prm/nothing", &[], None).await;
    assert_eq!((nowhere.status, nowhere.code()), (StatusCode::NOT_FOUND, "not_found"));
    let method = clinic.call("PUT", "/api/v1/prm/clinic", &[], None).await;
    assert_eq!(
        (method.status, method.code()),
        (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
    );
    for (host, status) in [
        ("evil.example", StatusCode::MISDIRECTED_REQUEST),
        ("192.168.1.20:8443", StatusCode::OK),
        ("box-1a2b.local", StatusCode::OK),
        ("localhost:8080", StatusCode::OK),
    ] {
        let answered = clinic.call("GET", "/api/v1/prm/clinic", &[("host", host)], None).await;
        assert_eq!(answered.status, status, "{host}");
    }
}

#[tokio::test]
async fn times_carry_the_clinics_offset() {
    let clinic = Clinic::new();
    let answered = clinic.call("GET", "/api/v1/prm/clinic", &[], None).await;
    assert_eq!(answered.body["now"], "2026-11-23T10:00:00+05:30");
    assert_eq!(answered.body["today"], "2026-11-23");
}

#[tokio::test]
async fn the_box_is_ready_and_its_figures_name_nobody() {
    let clinic = Clinic::new();
    assert_eq!(clinic.call("GET", "/livez", &[], None).await.status, StatusCode::OK);
    let ready = clinic.call("GET", "/readyz", &[], None).await;
    assert_eq!(ready.status, StatusCode::OK, "{:?}", ready.body);
    let _ = clinic.call("GET", "/api/v1/prm/patients/0199-somebody", &[], None).await;
    let figures = clinic.call("GET", "/metrics", &[], None).await;
    let text = figures.body.as_str().unwrap();
    assert!(
        text.contains("carepost_requests_total{route=\"/readyz\",method=\"GET\",status=\"200\"} 1"),
        "{text}"
    );
    assert!(!text.contains("somebody"));
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_not_ready_and_says_why() {
    let clinic = Clinic::new();
    clinic.app.db.close();
    let ready = clinic.call("GET", "/readyz", &[], None).await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(ready.body["reasons"][0].as_str().unwrap().contains("takes no writes"));
}

#[tokio::test]
async fn settings_reach_the_screens_the_queue_and_the_doors() {
    let clinic = Clinic::new();
    let set = |key, value: &str| Flag { name: "--test", key, value: value.to_owned() };
    let flags = [
        set("queue.walk_in_wait_minutes", "45"),
        set("kiosk.idle_seconds", "20"),
        set("http.hosts", "clinic.example"),
    ];
    let (folder, db) = (clinic.app.data.clone(), clinic.app.db.clone());
    let config = Config::load(&folder, None, [], &flags).unwrap();
    let app = App::with_db(&folder, config, clinic.app.clock.clone(), db).unwrap();
    let kept = app.db.read(prm::clinic::get).await.unwrap();
    assert_eq!(kept.walk_in_wait_minutes, 45);
    let clinic = Clinic { router: crate::http::router(app.clone()), app, ..clinic };
    let answered = clinic.call("GET", "/api/v1/prm/clinic", &[], None).await;
    assert_eq!(answered.body["kiosk_idle_seconds"], 20);
    for (host, status) in [
        ("Clinic.Example:443", StatusCode::OK),
        ("evil.clinic.example", StatusCode::MISDIRECTED_REQUEST),
    ] {
        let answered = clinic.call("GET", "/api/v1/prm/clinic", &[("host", host)], None).await;
        assert_eq!(answered.status, status, "{host}");
    }
    let path = "/fhir/.well-known/smart-configuration";
    let told = clinic.call("GET", path, &[("host", "clinic.example")], None).await;
    let behind_a_proxy = "https://clinic.example/auth/token";
    assert_eq!(told.body["token_endpoint"], behind_a_proxy);
}
