//! Signing in, out, and what a cookie may do.

use axum::http::StatusCode;
use prm::db::Db;
use prm::stamp::{Role, Stamp};
use prm::token;
use serde_json::json;

use super::Clinic;
use crate::http::known::REMEMBERED_MS;
use crate::place;

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
async fn what_is_revoked_here_ends_at_once_and_what_the_command_line_revokes_a_second_later() {
    let clinic = Clinic::new();
    let data = clinic.app.data.clone();
    let command_line = Db::open(&place::database(&data), clinic.app.db.keys().clone()).unwrap();
    let now = clinic.app.now();
    let stamp = Stamp::of_box(now);
    for (db, later, status) in [
        (&clinic.app.db, 0, StatusCode::UNAUTHORIZED),
        (&command_line, REMEMBERED_MS - 1, StatusCode::OK),
        (&command_line, REMEMBERED_MS, StatusCode::UNAUTHORIZED),
    ] {
        clinic.app.clock.set(now);
        let token = clinic.token(Role::Clerk);
        let mine = [("authorization", token.as_str())];
        let status_of = || clinic.call("GET", "/api/v1/prm/practitioners", &mine, None);
        assert_eq!(status_of().await.status, StatusCode::OK);
        let newest = db.read_blocking(|read| token::list(read, &stamp)).unwrap().pop().unwrap();
        db.write_blocking(move |tx| token::revoke(tx, &stamp, newest.id)).unwrap();
        clinic.app.clock.set(now + jiff::SignedDuration::from_millis(later));
        assert_eq!(status_of().await.status, status, "{later} ms later");
    }
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
async fn a_password_is_changed_by_whoever_knows_it_and_only_this_browser_stays_signed_in() {
    let clinic = Clinic::new();
    clinic.hire("asha", Role::Clerk);
    let (here, there) = (clinic.sign_in("asha").await, clinic.sign_in("asha").await);
    let mine = [("cookie", here.as_str()), ("x-carepost-csrf", "1")];
    let path = format!("{SESSION}/password");
    let change = |current: &str, new: &str| json!({ "current": current, "new": new });

    let short = clinic.call("POST", &path, &mine, Some(change("correct horse", "short"))).await;
    assert_eq!(
        (short.status, &short.body["field"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("new"))
    );
    let wrong = clinic.call("POST", &path, &mine, Some(change("a guess", "another horse"))).await;
    assert_eq!((wrong.status, wrong.code()), (StatusCode::FORBIDDEN, "wrong_signin"));
    assert_eq!(clinic.call("GET", SESSION, &mine[..1], None).await.status, StatusCode::OK);

    let body = change("correct horse", "another horse");
    let changed = clinic.call("POST", &path, &mine, Some(body.clone())).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{:?}", changed.body);
    let new = changed.cookie();
    for (cookie, status) in [
        (&here, StatusCode::UNAUTHORIZED),
        (&there, StatusCode::UNAUTHORIZED),
        (&new, StatusCode::OK),
    ] {
        let session = clinic.call("GET", SESSION, &[("cookie", cookie)], None).await;
        assert_eq!(session.status, status);
    }
    let body = json!({ "username": "asha", "password": "another horse" });
    assert_eq!(clinic.call("POST", SESSION, &[], Some(body)).await.status, StatusCode::OK);
    let program = clinic.token(Role::Clerk);
    let body = change("another horse", "correct horse");
    let program = clinic.call("POST", &path, &[("authorization", &program)], Some(body)).await;
    assert_eq!((program.status, program.code()), (StatusCode::FORBIDDEN, "forbidden"));
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
