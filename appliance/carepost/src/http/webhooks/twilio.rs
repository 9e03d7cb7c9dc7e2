//! Twilio: messages to the clinic, and how those from it fare. It is answered with an empty TwiML: what the clinic says
//! to it comes later.

use axum::body::Body;
use axum::extract::{OriginalUri, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use channels::webhook::{is_twilios, told_by_twilio};
use channels::whatsapp::twilio::{self, BODY_BYTES_MAX, SIGNATURE, SIGNATURE_SETTINGS, Signed};

use super::{arrived, count, header, known, take, unrecognised};
use crate::accounts::{Carrier, of_carrier};
use crate::app::App;
use crate::http::error::{Answer, Problem};

const EMPTY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response/>\n";

/// A message by Twilio, or how one fares: a form, with `X-Twilio-Signature` over the address of the setting
/// `http.public_url`.
#[utoipa::path(post, path = "/webhooks/whatsapp/twilio", tag = "webhooks",
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "An empty TwiML", body = String, content_type = "text/xml"),
              (status = 400, body = Problem), (status = 401, body = Problem), (status = 408, body = Problem),
              (status = 413, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)),
    security(()))]
pub async fn twilio(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    // Twilio signs the address that it was given, and no header is to say which that was.
    let Some(public_url) = &app.config.http.public_url else {
        tracing::error!(
            "a webhook of Twilio came, and the box does not know its own address; set http.public_url"
        );
        let what = "the box does not know its own address; whoever runs it sets http.public_url";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no_public_url", what);
        return Err(problem.retry_after(60));
    };
    let body = arrived(&app, &headers, body, BODY_BYTES_MAX).await?;
    let called = twilio::account(&body).ok_or_else(unrecognised)?;
    let accounts = known(&app).await?;
    let path = uri.path_and_query().map_or(uri.path(), |it| it.as_str());
    let signed = Signed {
        url: &format!("{}{path}", public_url.trim_end_matches('/')),
        signature: header(&headers, SIGNATURE),
        settings: Some(header(&headers, SIGNATURE_SETTINGS)).filter(|it| !it.is_empty()),
        content_type: header(&headers, CONTENT_TYPE.as_str()),
        body: &body,
    };
    let mut named = of_carrier(&accounts, Carrier::Twilio).filter(|it| it.called == called);
    let account =
        named.find(|it| is_twilios(it.twilio_keys(), &signed)).ok_or_else(unrecognised)?;
    count(&app, account.id)?;
    let told = told_by_twilio(&called, (&body, uri.query().unwrap_or_default()), app.now())?;
    take(&app, told).await?;
    Ok(([(CONTENT_TYPE, "text/xml; charset=utf-8")], EMPTY).into_response())
}
