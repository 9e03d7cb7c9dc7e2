//! Pairing kiosks and boards.

use axum::http::StatusCode;
use prm::stamp::Role;
use serde_json::json;

use super::Clinic;

const DEVICES: &str = "/api/v1/prm/devices";

#[tokio::test]
async fn a_kiosk_works_from_being_paired_until_it_is_revoked() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Clerk);
    let desk = [("authorization", token.as_str())];
    let asked = clinic.call("POST", DEVICES, &[], Some(json!({ "kind": "kiosk" }))).await;
    assert_eq!(asked.status, StatusCode::CREATED);
    let cookie = asked.cookie();
    let kiosk = [("cookie", cookie.as_str()), ("x-carepost-csrf", "1")];
    let board = "/api/v1/prm/live";
    let before = clinic.call("GET", board, &kiosk, None).await;
    assert_eq!(before.status, StatusCode::UNAUTHORIZED, "a pending kiosk is nobody");

    let code = asked.body["code"].as_str().unwrap();
    let pairing = json!({ "code": code, "name": "Entrance" });
    let paired =
        clinic.call("POST", &format!("{DEVICES}/pair"), &desk, Some(pairing.clone())).await;
    assert_eq!((paired.status, &paired.body["status"]), (StatusCode::OK, &json!("paired")));
    let again = clinic.call("POST", &format!("{DEVICES}/pair"), &desk, Some(pairing)).await;
    assert_eq!(again.code(), "wrong_code", "a code works once");
    let itself = clinic.call("GET", &format!("{DEVICES}/self"), &kiosk, None).await;
    assert_eq!(
        (&itself.body["status"], &itself.body["name"]),
        (&json!("paired"), &json!("Entrance"))
    );
    let forbidden = clinic.call("GET", DEVICES, &kiosk, None).await;
    assert_eq!(forbidden.status, StatusCode::FORBIDDEN, "a kiosk is somebody who may not");

    let revoke = format!("{DEVICES}/{}/revoke", paired.body["id"].as_str().unwrap());
    assert_eq!(clinic.call("POST", &revoke, &desk, None).await.body["status"], "revoked");
    let after = clinic.call("GET", DEVICES, &kiosk, None).await;
    assert_eq!(after.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_kiosk_that_asks_again_under_its_key_shows_the_same_code() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Clerk);
    let desk = [("authorization", token.as_str())];
    let keyed = [("idempotency-key", "heard nothing")];
    let body = Some(json!({ "kind": "kiosk" }));
    let first = clinic.call("POST", DEVICES, &keyed, body.clone()).await;
    let again = clinic.call("POST", DEVICES, &keyed, body.clone()).await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(
        clinic.call("GET", DEVICES, &desk, None).await.body["items"][0]["id"],
        first.body["id"]
    );

    let itself = format!("{DEVICES}/self");
    let lost = clinic.call("GET", &itself, &[("cookie", &first.cookie())], None).await;
    assert_eq!(lost.status, StatusCode::UNAUTHORIZED, "an answer that was lost lets nobody in");
    let pairing = json!({ "code": first.body["code"] });
    clinic.call("POST", &format!("{DEVICES}/pair"), &desk, Some(pairing)).await;
    let kiosk = clinic.call("GET", &itself, &[("cookie", &again.cookie())], None).await;
    assert_eq!(kiosk.body["status"], "paired");
    let late = clinic.call("POST", DEVICES, &keyed, body).await;
    assert_eq!(late.body, first.body);
    assert!(!late.headers.contains_key("set-cookie"), "nobody becomes a kiosk that is paired");
}

#[tokio::test]
async fn an_offered_code_is_claimed_once() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Clerk);
    let desk = [("authorization", token.as_str())];
    let offer = json!({ "kind": "board", "name": "Waiting room" });
    let offered = clinic.call("POST", &format!("{DEVICES}/offer"), &desk, Some(offer)).await;
    let claim = json!({ "code": offered.body["code"] });
    let claimed = clinic.call("POST", &format!("{DEVICES}/claim"), &[], Some(claim.clone())).await;
    assert_eq!((claimed.status, &claimed.body["status"]), (StatusCode::OK, &json!("paired")));
    let again = clinic.call("POST", &format!("{DEVICES}/claim"), &[], Some(claim)).await;
    assert_eq!(again.code(), "wrong_code");
}

#[tokio::test]
async fn codes_cannot_be_guessed_by_trying() {
    let clinic = Clinic::new();
    let claim = format!("{DEVICES}/claim");
    let mut last = StatusCode::OK;
    for guess in 0..11 {
        let body = json!({ "code": format!("{guess:08}") });
        last = clinic.call("POST", &claim, &[], Some(body)).await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_code_that_waited_too_long_pairs_nothing() {
    let clinic = Clinic::new();
    let token = clinic.token(Role::Clerk);
    let asked = clinic.call("POST", DEVICES, &[], Some(json!({ "kind": "kiosk" }))).await;
    clinic.app.clock.set("2026-11-23T10:11:00+05:30".parse().unwrap());
    let body = json!({ "code": asked.body["code"], "name": "x" });
    let desk = [("authorization", token.as_str())];
    let late = clinic.call("POST", &format!("{DEVICES}/pair"), &desk, Some(body)).await;
    assert_eq!(late.code(), "wrong_code");
}
