//! The report of a call, signed as Standard Webhooks say.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use channels::heard::Down;
use channels::standard_webhooks::{ID, SIGNATURE, Signed, TIMESTAMP};
use channels::voice_agent::BODY_BYTES_MAX;
use channels::webhook::call;
use serde::Serialize;
use utoipa::ToSchema;

use super::{arrived, count, header, known, take, unrecognised};
use crate::accounts::{Carrier, of_carrier};
use crate::app::App;
use crate::http::error::{Answer, Problem};

/// What became of the report of a call.
#[derive(Debug, Serialize, ToSchema)]
pub struct CallTaken {
    /// Whether it was known already, so that nothing happened.
    duplicate: bool,
}

/// What a voice agent tells of a call: `call_id`, `patient_phone`, `recording_url`, `transcript`, `extracted_data` and
/// `duration_seconds`; other fields are kept. With the headers `webhook-id`, `webhook-timestamp` and `webhook-signature`
/// of Standard Webhooks. 202 once it is on the disk; 200 for the same `webhook-id` again.
#[utoipa::path(post, path = "/webhooks/voice-agent", tag = "webhooks",
    request_body(content = serde_json::Value, content_type = "application/json"),
    responses((status = 202, body = CallTaken), (status = 200, body = CallTaken), (status = 400, body = Problem),
              (status = 401, body = Problem), (status = 408, body = Problem), (status = 413, body = Problem),
              (status = 429, body = Problem), (status = 503, body = Problem)), security(()))]
pub async fn voice_agent(
    State(app): State<App>,
    headers: HeaderMap,
    body: Body,
) -> Answer<(StatusCode, Json<CallTaken>)> {
    let body = arrived(&app, &headers, body, BODY_BYTES_MAX).await?;
    let accounts = known(&app).await?;
    // There is one: a voice agent has no name by which two could be told apart.
    let account = of_carrier(&accounts, Carrier::VoiceAgent).next().ok_or_else(unrecognised)?;
    let signed = Signed {
        id: header(&headers, ID),
        timestamp: header(&headers, TIMESTAMP),
        signature: header(&headers, SIGNATURE),
        body: &body,
    };
    let country = app.clinic.country.as_str();
    let told = call(account.agent_keys(), &signed, (country, app.now().as_millisecond()))?;
    count(&app, account.id)?;
    let is_new = take(&app, vec![Down::Webhook(told)]).await?;
    let status = if is_new { StatusCode::ACCEPTED } else { StatusCode::OK };
    Ok((status, Json(CallTaken { duplicate: !is_new })))
}
