//! Meta's Cloud API. GET is the handshake by which the address is set up; POST brings messages and states, many in one.

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use channels::webhook::{challenge, signed_numbers, told_by_meta};
use channels::whatsapp::meta::{BODY_BYTES_MAX, SIGNATURE};

use super::{arrived, count, header, known, take, unrecognised};
use crate::accounts::{Account, Carrier, of_carrier};
use crate::app::App;
use crate::http::error::{Answer, Problem};

/// The handshake: what `hub.challenge` says, if `hub.verify_token` is that of an account here.
#[utoipa::path(get, path = "/webhooks/whatsapp/meta", tag = "webhooks",
    params(("hub.mode" = Option<String>, Query), ("hub.verify_token" = Option<String>, Query),
           ("hub.challenge" = Option<String>, Query)),
    responses((status = 200, description = "The challenge", body = String, content_type = "text/plain"),
              (status = 403, body = Problem), (status = 503, body = Problem)), security(()))]
pub async fn handshake(State(app): State<App>, RawQuery(query): RawQuery) -> Answer<Response> {
    let accounts = known(&app).await?;
    let tokens = of_carrier(&accounts, Carrier::Meta).flat_map(Account::verify_tokens);
    let challenge = challenge(tokens, &query.unwrap_or_default()).ok_or_else(|| {
        let what = "this is not the handshake of an app whose verify token is known here";
        Problem::new(StatusCode::FORBIDDEN, "not_agreed", what)
    })?;
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], challenge).into_response())
}

/// Messages and states by Meta's Cloud API, with `X-Hub-Signature-256` over the bytes as they come.
#[utoipa::path(post, path = "/webhooks/whatsapp/meta", tag = "webhooks",
    request_body(content = serde_json::Value, content_type = "application/json"),
    responses((status = 200, description = "It is on the disk"), (status = 400, body = Problem),
              (status = 401, body = Problem), (status = 408, body = Problem), (status = 413, body = Problem),
              (status = 429, body = Problem), (status = 503, body = Problem)), security(()))]
pub async fn meta(State(app): State<App>, headers: HeaderMap, body: Body) -> Answer<StatusCode> {
    let body = arrived(&app, &headers, body, BODY_BYTES_MAX).await?;
    let accounts = known(&app).await?;
    let secrets = of_carrier(&accounts, Carrier::Meta).flat_map(Account::meta_keys);
    let signed = signed_numbers(secrets, header(&headers, SIGNATURE), &body);
    if signed.is_empty() {
        return Err(unrecognised());
    }
    let told = told_by_meta(&signed, &body, app.now())?;
    for account in of_carrier(&accounts, Carrier::Meta).filter(|it| told.contains_key(&it.called)) {
        count(&app, account.id)?;
    }
    take(&app, told.into_values().flatten().collect()).await?;
    Ok(StatusCode::OK)
}
