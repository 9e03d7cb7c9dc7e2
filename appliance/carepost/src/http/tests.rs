//! Tests of the doors, on a real clinic in a temporary folder.

use std::ffi::OsString;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderMap, SET_COOKIE};
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use prm::clinic::Founding;
use prm::db::{Db, Keys, Tx};
use prm::staff::{Addition, hash_password};
use prm::stamp::{Role, Stamp};
use prm::token;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::place;

mod calls;
mod conversations;
mod devices;
mod diary;
mod document;
mod lists;
mod live;
mod loans;
mod patients;
mod session;
mod visits;
mod waitlist;
mod webhooks;
mod wire;

/// A clinic in Bengaluru whose clock stands at 10:00 on Monday 2026-11-23 until it is set.
pub(crate) struct Clinic {
    pub(crate) app: App,
    pub(crate) router: Router,
    _folder: TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answered {
    /// The value of the cookie that the answer sets.
    pub(crate) fn cookie(&self) -> String {
        let text = self.headers.get(SET_COOKIE).expect("a cookie is set").to_str().unwrap();
        text.split(';').next().unwrap().to_owned()
    }

    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().expect("a problem has a code")
    }
}

impl Clinic {
    pub(crate) fn new() -> Self {
        Self::with_settings("")
    }

    /// The same with this `carepost.toml`.
    pub(crate) fn with_settings(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        std::fs::write(data.join(crate::config::FILE_NAME), settings).unwrap();
        let keys = Keys::create(&place::keys(data)).unwrap();
        place::make_qr_key(data).unwrap();
        let db = Db::create(&place::database(data), keys).unwrap();
        let now: Timestamp = "2026-11-23T10:00:00+05:30".parse().unwrap();
        let founding = Founding {
            name: "Shanti Clinic".into(),
            timezone: "Asia/Kolkata".into(),
            country: "IN".into(),
            demo: false,
        };
        db.write_blocking(move |tx| prm::clinic::found(tx, &Stamp::of_box(now), founding)).unwrap();
        // What little room a build server has left is enough for the pictures of tests.
        let room = [(OsString::from("CAREPOST_MEDIA__FREE_MEGABYTES"), OsString::from("64"))];
        let config = Config::load(data, None, room, &[]).unwrap();
        let app = App::with_db(data, config, Clock::standing_at(now), db).unwrap();
        Self { router: super::router(app.clone()), app, _folder: folder }
    }

    /// A bearer token of a role, as the value of `Authorization`.
    pub(crate) fn token(&self, role: Role) -> String {
        let stamp = Stamp::of_box(self.app.now());
        let request = token::Request { name: role.as_str().into(), role, expires_at: None };
        let (_, secret) =
            self.app.db.write_blocking(move |tx| token::create(tx, &stamp, request)).unwrap();
        format!("Bearer {}", secret.text())
    }

    /// A bearer token of a role that is narrowed to scopes, as the value of `Authorization`.
    pub(crate) fn narrowed(&self, role: Role, scopes: &str) -> String {
        let (stamp, scopes) = (Stamp::of_box(self.app.now()), scopes.to_owned());
        let request = token::Request { name: role.as_str().into(), role, expires_at: None };
        let create = move |tx: &mut Tx<'_>| token::create_scoped(tx, &stamp, request, scopes);
        format!("Bearer {}", self.app.db.write_blocking(create).unwrap().1.text())
    }

    /// Adds a member of staff with the password `correct horse`.
    pub(crate) fn hire(&self, username: &str, role: Role) {
        let stamp = Stamp::of_box(self.app.now());
        let addition = Addition {
            username: username.into(),
            name: username.into(),
            role,
            practitioner: None,
            password: hash_password("correct horse").unwrap(),
        };
        self.app.db.write_blocking(move |tx| prm::staff::add(tx, &stamp, addition)).unwrap();
    }

    /// Signs somebody in; answers the cookie.
    pub(crate) async fn sign_in(&self, username: &str) -> String {
        let body = json!({ "username": username, "password": "correct horse" });
        let answered = self.call("POST", "/api/v1/prm/session", &[], Some(body)).await;
        assert_eq!(answered.status, StatusCode::OK, "{:?}", answered.body);
        answered.cookie()
    }

    /// Sends a request with these headers.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answered {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = match body {
            Some(body) => {
                request.header(CONTENT_TYPE, "application/json").body(Body::from(body.to_string()))
            }
            None => request.body(Body::empty()),
        };
        self.send(request.unwrap()).await
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answered {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Answered { status: parts.status, headers: parts.headers, body }
    }
}
