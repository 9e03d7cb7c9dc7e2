//! The token endpoint from outside.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST};
use axum::http::{Request, StatusCode};
use jiff::SignedDuration;
use prm::stamp::{Role, Stamp};
use prm::token::{self, Proof};
use serde_json::{Value, json};

use crate::http::tests::{Answered, Clinic};
use crate::smart::key_set::Algorithm;
use crate::smart::signer::{KEYS, header, token as signed};

const ENDPOINT: &str = "http://localhost/auth/token";

/// A clinic with a client.
struct Door {
    clinic: Clinic,
    client: prm::id::TokenId,
}

impl Door {
    fn open(scopes: &str) -> Self {
        let clinic = Clinic::new();
        let (stamp, scopes) = (Stamp::of_box(clinic.app.now()), scopes.to_owned());
        let request =
            token::Request { name: "HIS".into(), role: Role::Integrator, expires_at: None };
        let keys = Proof::Keys(KEYS.to_owned());
        let client = clinic
            .app
            .db
            .write_blocking(move |tx| token::register(tx, &stamp, request, scopes, keys))
            .unwrap();
        Self { clinic, client: client.id }
    }

    fn claims(&self, jti: &str) -> Value {
        let (id, exp) = (self.client.to_string(), self.clinic.app.now().as_second() + 240);
        json!({ "iss": id, "sub": id, "aud": ENDPOINT, "exp": exp, "jti": jti })
    }

    fn assertion(&self, jti: &str) -> String {
        signed(&header(Algorithm::Es384), &self.claims(jti), Algorithm::Es384)
    }

    async fn send(&self, host: Option<&str>, form: &[(&str, &str)]) -> Answered {
        let encoded =
            |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let fields = form.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
        let mut request = Request::post("/auth/token")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8");
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        let body = Body::from(fields.collect::<Vec<_>>().join("&"));
        self.clinic.send(request.body(body).unwrap()).await
    }

    async fn ask(&self, assertion: &str, scope: &str) -> Answered {
        self.send(None, &form(assertion, scope)).await
    }
}

fn form<'a>(assertion: &'a str, scope: &'a str) -> [(&'static str, &'a str); 4] {
    [
        ("grant_type", "client_credentials"),
        ("scope", scope),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
    ]
}

#[track_caller]
fn assert_denied(answered: &Answered, status: u16, error: &str) {
    assert_eq!((answered.status.as_u16(), &answered.body["error"]), (status, &json!(error)));
    assert_eq!(answered.headers[CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn a_client_gets_a_token_for_what_it_was_registered_for() {
    let door = Door::open("system/Patient.rs system/Appointment.cruds");
    for (algorithm, jti) in [(Algorithm::Es384, "a"), (Algorithm::Rs384, "b")] {
        let assertion = signed(&header(algorithm), &door.claims(jti), algorithm);
        let granted = door.ask(&assertion, "system/*.rs launch").await;
        assert_eq!(granted.status, StatusCode::OK, "{}", granted.body);
        assert_eq!(granted.headers[CACHE_CONTROL], "no-store");
        assert_eq!(granted.body["token_type"], "bearer");
        assert_eq!(granted.body["expires_in"], 300);
        assert_eq!(granted.body["scope"], "system/Appointment.rs system/Patient.rs");
        let bearer = format!("Bearer {}", granted.body["access_token"].as_str().unwrap());
        let ask = |path: &'static str| {
            let (clinic, bearer) = (&door.clinic, bearer.clone());
            async move {
                clinic.call("GET", path, &[("authorization", &bearer)], None).await.status.as_u16()
            }
        };
        assert_eq!(ask("/fhir/Patient").await, 200);
        assert_eq!(ask("/fhir/Practitioner").await, 403);
        assert_eq!(ask("/api/v1/prm/patients").await, 403, "it is good for FHIR only");
        let later = door.clinic.app.now() + SignedDuration::from_secs(300);
        let before = door.clinic.app.now();
        door.clinic.app.clock.set(later);
        assert_eq!(ask("/fhir/Patient").await, 401, "it has ended");
        door.clinic.app.clock.set(before);
    }
}

#[tokio::test]
async fn what_proves_nothing_is_one_answer() {
    let door = Door::open("system/*.rs");
    let replayed = door.assertion("once");
    assert_eq!(door.ask(&replayed, "system/*.rs").await.status, StatusCode::OK);
    let mut wrong = vec![replayed, "nonsense".to_owned()];
    for (name, value) in [
        ("aud", json!("http://localhost/fhir")),
        ("exp", json!(0)),
        ("sub", json!("01937e56-0000-7000-8000-000000000001")),
    ] {
        let mut claims = door.claims(name);
        claims[name] = value;
        wrong.push(signed(&header(Algorithm::Es384), &claims, Algorithm::Es384));
    }
    let mut stranger = door.claims("stranger");
    stranger["iss"] = json!("01937e56-0000-7000-8000-000000000001");
    stranger["sub"] = stranger["iss"].clone();
    wrong.push(signed(&header(Algorithm::Es384), &stranger, Algorithm::Es384));
    wrong.push(signed(&header(Algorithm::Es384), &door.claims("rsa"), Algorithm::Rs384));
    let mut answers = Vec::new();
    for assertion in &wrong {
        let denied = door.ask(assertion, "system/*.rs").await;
        assert_denied(&denied, 401, "invalid_client");
        answers.push(denied.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    // A bearer token of the clinic's own has no keys.
    let (stamp, request) = (
        Stamp::of_box(door.clinic.app.now()),
        token::Request { name: "x".into(), role: Role::Integrator, expires_at: None },
    );
    let (bearer, _) =
        door.clinic.app.db.write_blocking(move |tx| token::create(tx, &stamp, request)).unwrap();
    let mut claims = door.claims("bearer");
    claims["iss"] = json!(bearer.id.to_string());
    claims["sub"] = claims["iss"].clone();
    let assertion = signed(&header(Algorithm::Es384), &claims, Algorithm::Es384);
    assert_denied(&door.ask(&assertion, "system/*.rs").await, 401, "invalid_client");
}

#[tokio::test]
async fn a_scope_that_was_not_registered_is_not_granted_and_the_assertion_is_used_up() {
    let door = Door::open("system/Patient.rs");
    for (jti, scope) in [("a", "system/Slot.rs"), ("b", "patient/Patient.rs"), ("c", "")] {
        let assertion = door.assertion(jti);
        assert_denied(&door.ask(&assertion, scope).await, 400, "invalid_scope");
        let again = door.ask(&assertion, "system/Patient.rs").await;
        assert_denied(&again, 401, "invalid_client");
    }
}

#[tokio::test]
async fn a_request_that_oauth_does_not_know_says_what_is_wrong() {
    let door = Door::open("system/*.rs");
    let assertion = door.assertion("a");
    let good = form(&assertion, "system/*.rs");
    let without = |name: &str| good.into_iter().filter(|(it, _)| *it != name).collect::<Vec<_>>();
    let with = |name: &'static str, value: &'static str| {
        good.into_iter()
            .map(|(it, said)| if it == name { (it, value) } else { (it, said) })
            .collect()
    };
    let twice: Vec<_> = good.into_iter().chain([("scope", "system/*.r")]).collect();
    let another: Vec<_> = good.into_iter().chain([("client_id", "another")]).collect();
    for (fields, status, error) in [
        (without("grant_type"), 400, "invalid_request"),
        (with("grant_type", "authorization_code"), 400, "unsupported_grant_type"),
        (twice, 400, "invalid_request"),
        (without("client_assertion"), 401, "invalid_client"),
        (without("client_assertion_type"), 401, "invalid_client"),
        (with("client_assertion_type", "urn:other"), 401, "invalid_client"),
        (another, 401, "invalid_client"),
    ] {
        assert_denied(&door.send(None, &fields).await, status, error);
    }
    let json = door.clinic.call("POST", "/auth/token", &[], Some(json!({}))).await;
    assert_denied(&json, 415, "invalid_request");
    assert_eq!(door.send(None, &good).await.status, StatusCode::OK, "none of them used it up");
}

/// Whoever got an assertion for a server of theirs sends it here under that server's name.
#[tokio::test]
async fn an_assertion_for_another_server_is_not_good_under_its_name() {
    let door = Door::open("system/*.rs");
    for (nth, host) in
        ["evil.example", "93.184.216.34:8443", "[2606:4700::1111]", "localhost:80@evil.example"]
            .into_iter()
            .enumerate()
    {
        let mut claims = door.claims(&format!("evil {nth}"));
        claims["aud"] = json!(format!("http://{host}/auth/token"));
        let assertion = signed(&header(Algorithm::Es384), &claims, Algorithm::Es384);
        let form = form(&assertion, "system/*.rs");
        assert_eq!(door.send(Some(host), &form).await.status, StatusCode::MISDIRECTED_REQUEST);
        // Who shows a token may call the box by any name elsewhere.
        let named = Request::post("/auth/token")
            .header(HOST, host)
            .header("authorization", "Bearer x")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::empty())
            .unwrap();
        assert_denied(&door.clinic.send(named).await, 421, "invalid_request");
    }
    for (nth, host) in ["192.168.1.5:8443", "[fd00::5]:8443", "box.local"].into_iter().enumerate() {
        let mut claims = door.claims(&format!("ours {nth}"));
        claims["aud"] = json!(format!("http://{host}/auth/token"));
        let assertion = signed(&header(Algorithm::Es384), &claims, Algorithm::Es384);
        let granted = door.send(Some(host), &form(&assertion, "system/*.rs")).await;
        assert_eq!(granted.status, StatusCode::OK, "{host}");
    }
}

#[tokio::test]
async fn a_client_that_is_revoked_is_out_at_once() {
    let door = Door::open("system/*.rs");
    let granted = door.ask(&door.assertion("a"), "system/*.rs").await;
    let bearer = format!("Bearer {}", granted.body["access_token"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str())];
    let read = || door.clinic.call("GET", "/fhir/Patient", &headers, None);
    assert_eq!(read().await.status, StatusCode::OK);
    let (stamp, id) = (Stamp::of_box(door.clinic.app.now()), door.client);
    door.clinic.app.db.write_blocking(move |tx| token::revoke(tx, &stamp, id)).unwrap();
    assert_eq!(read().await.status, StatusCode::UNAUTHORIZED);
    let again = door.ask(&door.assertion("b"), "system/*.rs").await;
    assert_denied(&again, 401, "invalid_client");
}

#[tokio::test]
async fn tries_are_counted_by_where_they_come_from() {
    let door = Door::open("system/*.rs");
    for _ in 0..super::TRIES_PER_MINUTE {
        assert_denied(&door.ask("x", "system/*.rs").await, 401, "invalid_client");
    }
    let denied = door.ask(&door.assertion("a"), "system/*.rs").await;
    assert_denied(&denied, 429, "temporarily_unavailable");
    assert!(denied.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn what_a_program_has_to_know_is_told_to_everybody() {
    let clinic = Clinic::new();
    let path = "/fhir/.well-known/smart-configuration";
    let told = clinic.call("GET", path, &[("host", "box.local:8443")], None).await;
    assert_eq!(told.status, StatusCode::OK);
    assert_eq!(told.headers[CONTENT_TYPE], "application/json");
    assert_eq!(told.body["token_endpoint"], "http://box.local:8443/auth/token");
    let metadata = clinic.call("GET", "/fhir/metadata", &[("host", "box.local:8443")], None).await;
    let said = &metadata.body["rest"][0]["security"]["extension"][0]["extension"][0];
    assert_eq!(said["valueUri"], told.body["token_endpoint"]);
}
