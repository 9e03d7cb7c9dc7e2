//! The token endpoint: a client shows an assertion that it signed, and gets an access token for minutes
//! (<https://hl7.org/fhir/smart-app-launch/backend-services.html>, RFC 6749, section 4.4).
//!
//! Invariant: why a client was not recognised is said to nobody who asks; the log says it to the clinic.
//! Invariant: an assertion is for this box only if it names it by an address that nobody else can have.

mod denied;
mod form;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, PRAGMA};
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use fhir::scope::{Scopes, granted};
use fhir::smart::{ASSERTION_TYPE, GRANT_TYPE, TOKEN_PATH, token_endpoint};
use jiff::Timestamp;
use prm::error::Error;
use prm::id::TokenId;
use prm::stamp::{Actor, Channel, Role, Stamp};
use prm::token::{self, ACCESS_SECONDS, Proof, Token};
use serde_json::json;

use self::denied::Denied;
use self::form::Form;
use super::auth::{Source, may_be_ours};
use super::fhir::wire;
use crate::app::App;
use crate::smart::assertion::{Assertion, NotGood, Verified};
use crate::smart::key_set::KeySet;
use crate::tls::is_local;

/// As often may tokens be asked for from one place in a minute.
const TRIES_PER_MINUTE: u32 = 120;

/// The routes of this file.
pub fn routes() -> Router<App> {
    Router::new().route(TOKEN_PATH, post(grant))
}

/// Grants an access token.
async fn grant(
    State(app): State<App>,
    source: Source,
    request: Request,
) -> Result<Response, Denied> {
    let now = app.now();
    app.tries.count("token", &source.place, TRIES_PER_MINUTE, now)?;
    let (parts, body) = request.into_parts();
    let endpoint = endpoint(&app, &parts)?;
    let form = Form::read(&parts.headers, body).await?;
    match form.get("grant_type") {
        Some(GRANT_TYPE) => {}
        Some(_) => return Err(Denied::UNSUPPORTED_GRANT),
        None => return Err(Denied::invalid("grant_type is missing")),
    }
    let (client, verified) = recognised(&app, &form, &endpoint, now).await?;
    let registered = Scopes::parse(client.scopes.as_deref().unwrap_or_default())
        .map_err(|_| Error::Storage("the scopes of a client cannot be read".into()))?;
    let (scopes, said) = form.get("scope").and_then(|asked| granted(asked, registered)).unzip();
    let Verified { jti, expires_at } = verified;
    let used = token::Assertion { client: client.id, jti, expires_at };
    let stamp = Stamp { actor: Actor::Nobody, role: Role::Nobody, channel: Channel::Api, now };
    let scopes = scopes.map(|scopes| scopes.to_string());
    let secret = app.db.write(move |tx| token::grant(tx, &stamp, &used, scopes.as_deref())).await;
    let secret = secret.map_err(|error| match error {
        Error::Unknown => refused(Some(client.id), NotGood::Used),
        error @ (Error::NotFound(_)
        | Error::Refused(_)
        | Error::Stale { .. }
        | Error::Forbidden
        | Error::Busy
        | Error::Full
        | Error::Storage(_)) => error.into(),
    })?;
    let (Some(secret), Some(scope)) = (secret, said) else { return Err(Denied::INVALID_SCOPE) };
    let left = client.expires_at.map_or(ACCESS_SECONDS, |end| end.as_second() - now.as_second());
    let body = Json(json!({
        "access_token": secret.text(),
        "token_type": "bearer",
        "expires_in": left.clamp(0, ACCESS_SECONDS),
        "scope": scope,
    }));
    // RFC 6749, section 5.1.
    let unkept = [(CACHE_CONTROL, "no-store"), (PRAGMA, "no-cache")];
    Ok((unkept, body).into_response())
}

/// The client whose assertion this is, and what it proved.
async fn recognised(
    app: &App,
    form: &Form,
    endpoint: &str,
    now: Timestamp,
) -> Result<(Token, Verified), Denied> {
    let text = form.get("client_assertion").ok_or(Denied::INVALID_CLIENT)?;
    if form.get("client_assertion_type") != Some(ASSERTION_TYPE) {
        return Err(Denied::INVALID_CLIENT);
    }
    let assertion = Assertion::read(text).map_err(|why| refused(None, why))?;
    let id = assertion.client();
    if form.get("client_id").is_some_and(|said| said != id.to_string()) {
        return Err(refused(Some(id), NotGood::Client));
    }
    let client = app.db.read(move |read| token::client(read, id, now)).await?;
    let client = client.ok_or_else(|| refused(Some(id), NotGood::Client))?;
    let keys = keys(app, &client, &assertion, now).await?;
    let verified = assertion.verify(&keys, endpoint, now).map_err(|why| refused(Some(id), why))?;
    Ok((client, verified))
}

/// The keys with which a client may have signed.
async fn keys(
    app: &App,
    client: &Token,
    assertion: &Assertion,
    now: Timestamp,
) -> Result<Arc<KeySet>, Denied> {
    let no = |why| refused(Some(client.id), why);
    match &client.proof {
        Proof::Bearer => Err(no(NotGood::Client)),
        Proof::Keys(keys) => {
            assertion.names_keys_at(None).map_err(no)?;
            let unreadable = |_| Error::Storage("the keys of a client cannot be read".into());
            Ok(Arc::new(KeySet::parse(keys).map_err(unreadable)?))
        }
        Proof::KeysAt(address) => {
            assertion.names_keys_at(Some(address)).map_err(no)?;
            let private_too = app.config.fhir.private_key_sets;
            let found = app.key_sets.at(address, assertion.key(), private_too, now).await;
            found.ok_or_else(|| no(NotGood::Key))
        }
    }
}

/// Says in the log why a client was not recognised, and to who asks only that it was not.
fn refused(client: Option<TokenId>, why: NotGood) -> Denied {
    let client = client.map_or("unknown".to_owned(), |id| id.to_string());
    tracing::info!(client, %why, "a client was refused a token");
    Denied::INVALID_CLIENT
}

/// The address of this endpoint as the caller wrote it, which an assertion for this box names.
///
/// An assertion that was made for another server is not good here because that server's name cannot be
/// the box's: only names that no public name server answers for, private addresses, and the names that
/// the settings say are the box's own.
fn endpoint(app: &App, parts: &Parts) -> Result<String, Denied> {
    let host = wire::host(parts);
    let named = &app.config.http.hosts;
    let bare = host.strip_prefix('[').and_then(|rest| rest.split(']').next());
    let bare = bare.or_else(|| host.split(':').next()).unwrap_or_default();
    // What else a browser would read as a user name belongs to no address.
    let is_plain =
        host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte));
    let is_ours = match bare.parse::<IpAddr>() {
        Ok(address) => is_local(address) || named.iter().any(|name| name == bare),
        Err(_) => may_be_ours(host, named),
    };
    if is_plain && is_ours {
        return Ok(token_endpoint(&wire::address(app, parts)));
    }
    let what = "ask the box by a name of its own; the setting http.hosts says public ones";
    Err(Denied::with_status(StatusCode::MISDIRECTED_REQUEST, what))
}
