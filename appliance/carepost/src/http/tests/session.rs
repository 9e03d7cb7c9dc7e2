//! Signing in, out, and what a cookie may do.

use axum::http::StatusCode;
use prm::stamp::Role;
use serde_json::json;

use super::Clinic;

const SESSION: &str = "/api/v1/prm/session";

#[tokio::test]
async fn somebody_signs_in_and_out() {
    let clinic = Clinic::new();
    clinic.hire("asha", Role::Clerk);
    let cookie = clinic.sign_in("Asha").await;
    let mine = [("cookie", cookie.as_str())];
    let session = clinic.call("GET", SESSION, &mine, None).await;
    assert_eq!(session.body["staff"]["role"], "clerk");
    assert_eq!(session.body["clinic"]["name"], "Shanti Clinic");
    let out = clinic.call("DELETE", SESSION, &[mine[0], ("x-carepost-csrf", "1")], None).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    let gone = clinic.call("GET", SESSION, &mine, None).await;
    assert_eq!((gone.status, gone.code()), (StatusCode::UNAUTHORIZED, "signin_required"));
}

#[tokio::test]
async fn a_session_ends_after_a_long_day() {
    let clinic = Clinic::new();
    clinic.hire("asha", Role::Clerk);
    let cookie = clinic.sign_in("asha").await;
    clinic.app.clock.set("2026-11-23T21:59:00+05:30".parse().unwrap());
    let mine = [("cookie", cookie.as_str())];
    assert_eq!(clinic.call("GET", SESSION, &mine, None).await.status, StatusCode::OK);
    clinic.app.clock.set("2026-11-23T22:00:00+05:30".parse().unwrap());
    assert_eq!(clinic.call("GET", SESSION, &mine, None).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_cookie_alone_changes_nothing() {
    let clinic = Clinic::new();
    clinic.hire("asha", Role::Admin);
    let cookie = clinic.sign_in("asha").await;
    let body =
        json!({ "username": "ravi", "name": "Ravi", "role": "clerk", "password": "long enough" });
    let mine = ("cookie", cookie.as_str());
    let forged = clinic.call("POST", "/api/v1/prm/staff", &[mine], Some(body.clone())).await;
    assert_eq!((forged.status, forged.code()), (StatusCode::FORBIDDEN, "csrf"));
    let ours = [mine, ("x-carepost-csrf", "1")];
    let made = clinic.call("POST", "/api/v1/prm/staff", &ours, Some(body)).await;
    assert_eq!(made.status, StatusCode::CREATED);
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_hear_the_same() {
    let clinic = Clinic::new();
    clinic.hire("asha", Role::Clerk);
    let mut heard = Vec::new();
    for username in ["asha", "nobody-here"] {
        let body = json!({ "username": username, "password": "wrong" });
        let answered = clinic.call("POST", SESSION, &[], Some(body)).await;
        heard.push((answered.status, answered.body));
    }
    assert_eq!(heard[0], heard[1]);
    assert_eq!(heard[0].1["code"], "wrong_signin");
}

#[tokio::test]
async fn many_wrong_passwords_wait_longer_and_longer() {
    let clinic = Clinic::new();
    clinic.hire("asha", Role::Clerk);
    let wrong = json!({ "username": "asha", "password": "wrong" });
    for _ in 0..5 {
        let answered = clinic.call("POST", SESSION, &[], Some(wrong.clone())).await;
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED);
    }
    let right = json!({ "username": "asha", "password": "correct horse" });
    let waits = clinic.call("POST", SESSION, &[], Some(right.clone())).await;
    assert_eq!((waits.status, waits.code()), (StatusCode::TOO_MANY_REQUESTS, "too_many_tries"));
    assert!(waits.headers.contains_key("retry-after"));
    clinic.app.clock.set("2026-11-23T10:00:03+05:30".parse().unwrap());
    let later = clinic.call("POST", SESSION, &[], Some(right)).await;
    assert_eq!(later.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_that_is_not_good_is_not_nobody() {
    let clinic = Clinic::new();
    for value in ["Bearer cp_wrong", "Basic abc", "nonsense"] {
        let answered =
            clinic.call("GET", "/api/v1/prm/status", &[("authorization", value)], None).await;
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{value}");
    }
}
