//! Signing in and out, and who is signed in.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{HeaderMap, HeaderValue, SET_COOKIE};
use axum::response::{IntoResponse as _, Response};
use prm::error::{Code, Error};
use prm::secret::Secret;
use prm::staff;
use prm::stamp::{Actor, Channel, Role, Stamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auth::{self, Caller, SESSION_COOKIE, Source, set_cookie};
use super::clinic::ClinicView;
use super::error::{Answer, Problem};
use super::json::Body;
use super::staff::StaffView;
use crate::app::App;
use crate::connections::Scheme;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sign_in, signed_in, sign_out))
        .routes(routes!(change_password))
}

/// User name and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    username: String,
    password: String,
}

/// Who signed in.
#[derive(Debug, Serialize, ToSchema)]
struct SignedIn {
    staff: StaffView,
}

/// Who is signed in, and where.
#[derive(Debug, Serialize, ToSchema)]
struct Session {
    staff: StaffView,
    clinic: ClinicView,
}

/// Signs somebody in and sets the cookie of the session.
#[utoipa::path(post, path = "/session", tag = "session", request_body = SignIn,
    responses((status = 200, body = SignedIn), (status = 401, body = Problem), (status = 429, body = Problem)),
    security(()))]
async fn sign_in(
    State(app): State<App>,
    source: Source,
    Body(SignIn { username, password }): Body<SignIn>,
) -> Answer<Response> {
    let stamp =
        Stamp { actor: Actor::Nobody, role: Role::Nobody, channel: Channel::Desk, now: app.now() };
    let place = source.place;
    let attempt =
        app.db.write(move |tx| staff::begin_sign_in(tx, &stamp, &username, &place)).await?;
    let (attempt, fits) = app
        .with_password(move || {
            let fits = attempt.fits(&password);
            (attempt, fits)
        })
        .await?;
    if !fits {
        app.db.write(move |tx| staff::sign_in_failed(tx, &stamp, &attempt)).await?;
        let detail = "user name and password do not fit";
        return Err(Error::refused(Code::WrongSignin, detail).into());
    }
    let (person, secret) = app.db.write(move |tx| staff::sign_in(tx, &stamp, &attempt)).await?;
    let cookie = session_cookie(&secret, source.scheme);
    Ok(([(SET_COOKIE, cookie)], Json(SignedIn { staff: person.into() })).into_response())
}

fn session_cookie(secret: &Secret, scheme: Option<Scheme>) -> HeaderValue {
    set_cookie(SESSION_COOKIE, secret.text(), staff::SESSION_MINUTES * 60, scheme)
}

/// Who is signed in.
#[utoipa::path(get, path = "/session", tag = "session",
    responses((status = 200, body = Session), (status = 401, body = Problem)))]
async fn signed_in(State(app): State<App>, headers: HeaderMap) -> Answer<Json<Session>> {
    let text = auth::cookie(&headers, SESSION_COOKIE).ok_or(Error::Unknown)?.to_owned();
    let now = app.now();
    let person = app.db.read(move |read| staff::session(read, &text, now)).await?;
    let staff = person.ok_or(Error::Unknown)?.into();
    Ok(Json(Session { staff, clinic: ClinicView::of(&app) }))
}

/// Signs out. Nothing happens to somebody who is not signed in.
#[utoipa::path(delete, path = "/session", tag = "session", responses((status = 204)))]
async fn sign_out(
    State(app): State<App>,
    Caller(stamp): Caller,
    source: Source,
    headers: HeaderMap,
) -> Answer<Response> {
    if let Some(text) = auth::cookie(&headers, SESSION_COOKIE).map(str::to_owned) {
        app.db.write(move |tx| staff::sign_out(tx, &stamp, &text)).await?;
    }
    let gone = set_cookie(SESSION_COOKIE, "", 0, source.scheme);
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, gone)]).into_response())
}

/// The present password of whoever is signed in, and the one that is to be in its place.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    current: String,
    /// At least 8 letters.
    new: String,
}

/// Changes one's own password. All sessions of the person end; the cookie of a new one is set.
/// A wrong `current` is 403 `wrong_signin`, and counted like a try to sign in.
#[utoipa::path(post, path = "/session/password", tag = "session", request_body = PasswordChange,
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn change_password(
    State(app): State<App>,
    Caller(stamp): Caller,
    source: Source,
    Body(PasswordChange { current, new }): Body<PasswordChange>,
) -> Answer<Response> {
    staff::oneself(&stamp)?;
    staff::check_new_password("new", &new)?;
    let Source { place, scheme } = source;
    let attempt = app.db.write(move |tx| staff::begin_password_change(tx, &stamp, &place)).await?;
    let (attempt, hash) = app
        .with_password(move || {
            let hash = attempt.fits(&current).then(|| staff::hash_password(&new));
            (attempt, hash)
        })
        .await?;
    let Some(hash) = hash.transpose()? else {
        app.db.write(move |tx| staff::password_change_failed(tx, &stamp)).await?;
        // Not 401: whoever asks is signed in, and stays so.
        let detail = "the current password is another one";
        return Err(Problem::new(StatusCode::FORBIDDEN, Code::WrongSignin.as_str(), detail));
    };
    let secret =
        app.db.write(move |tx| staff::change_password(tx, &stamp, &attempt, &hash)).await?;
    let cookie = session_cookie(&secret, scheme);
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}
