//! `POST /api/v1/prm/webhooks/voice-agent`: the report of a call, signed as Standard Webhooks say.
//!
//! Of which clinic it is, the address says (`?clinic=ID`); a hub where only one clinic has a voice agent needs no
//! such word.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use channels::heard::Down;
use channels::standard_webhooks::{ID, SIGNATURE, Signed, TIMESTAMP};
use channels::voice_agent::BODY_BYTES_MAX;
use channels::webhook::call;
use serde_json::json;
use uuid::Uuid;

use super::{Refused, arrived, counted, header, keep, named, of_name};
use crate::arrivals::{Arrival, Kept};
use crate::channel::{Channel, Name};
use crate::http::Problem;
use crate::hub::Hub;

/// The country (ISO 3166-1) of numbers that do not say theirs: the box reads them again with its own.
const COUNTRY: &str = "IN";

pub async fn post(
    State(hub): State<Arc<Hub>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let answered = answer(&hub, &query.unwrap_or_default(), &headers, body).await;
    let (kept, answered) = match answered {
        Ok(kept) => (Some(kept), Ok((kept, kept))),
        Err(refused) => (None, Err(refused)),
    };
    counted(&hub, answered)?;
    Ok(match kept {
        Some(Kept::New) => {
            (StatusCode::ACCEPTED, Json(json!({ "duplicate": false }))).into_response()
        }
        Some(Kept::Known | Kept::Full) | None => {
            (StatusCode::OK, Json(json!({ "duplicate": true }))).into_response()
        }
    })
}

async fn answer(
    hub: &Arc<Hub>,
    query: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Kept, Refused> {
    let body = arrived(hub, headers, body, BODY_BYTES_MAX).await?;
    let channel = of_request(hub, query).await?;
    let signed = Signed {
        id: header(headers, ID),
        timestamp: header(headers, TIMESTAMP),
        signature: header(headers, SIGNATURE),
        body: &body,
    };
    let webhook = call(channel.account.agent_keys(), &signed, (COUNTRY, hub.clock.now_ms()))?;
    let Channel { id: channel, clinic, account: _, added_at: _ } = channel;
    keep(hub, Arrival { clinic, channel, downs: vec![Down::Webhook(webhook)] }).await
}

/// The account that the address names.
async fn of_request(hub: &Arc<Hub>, query: &str) -> Result<Channel, Refused> {
    let mut fields = form_urlencoded::parse(query.as_bytes());
    let clinic = match fields.find(|(name, _)| name == "clinic") {
        None => None,
        Some((_, id)) => {
            let clinic = Uuid::try_parse(&id).map_err(|_| Refused::signature())?;
            Some(clinic.into_bytes())
        }
    };
    let mut found = named(hub, move |hub| match clinic {
        Some(clinic) => of_name(hub, &Name::VoiceAgent { clinic }),
        None => of_name(hub, &Name::AnyVoiceAgent),
    })
    .await?;
    match (found.pop(), found.is_empty()) {
        (Some(channel), true) => Ok(channel),
        (Some(_), false) => Err(Refused::malformed(
            "say in the address of which clinic it is: ?clinic=ID, as `carepost-hub clinic list` shows it",
        )),
        (None, _) => Err(Refused::signature()),
    }
}
