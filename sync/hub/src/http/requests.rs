//! `GET /v1/requests`: what the hub asks of a box, by long poll; `POST /v1/replies`: what the box
//! answers.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sync_protocol::ask::REPLY_BYTES_MAX;
use sync_protocol::envelope::OpenError;
use tokio::time::timeout;

use super::Problem;
use crate::hub::Hub;
use crate::receive::Refused;
use crate::requests;

/// The type of envelopes, both ways.
const SEALED: &str = "application/vnd.carepost.sealed";
/// The header with a sealed position, as base64url.
const PROOF: HeaderName = HeaderName::from_static("carepost-proof");
/// The longest proof, in letters: a position is a few bytes, its envelope some hundred.
const PROOF_MAX: usize = 2048;
/// The longest envelope with a reply, in bytes: the reply does not grow by being packed.
const REPLY_ENVELOPE_MAX: usize = REPLY_BYTES_MAX + (64 << 10);
/// Within this a reply must have arrived.
const ARRIVAL_MAX: Duration = Duration::from_secs(120);
/// So long a reply that has arrived waits for its turn.
const TURN_MAX: Duration = Duration::from_secs(10);

/// What the address says.
#[derive(Debug, Deserialize)]
pub struct Asked {
    /// The number after which requests are wanted; the proof says it, too.
    after: Option<u64>,
}

pub async fn get(
    State(hub): State<Arc<Hub>>,
    query: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Ok(Query(Asked { after })) = query else { return Err(Refused::Malformed.into()) };
    let proof = headers.get(PROOF).filter(|it| it.len() <= PROOF_MAX);
    let proof =
        proof.and_then(|it| URL_SAFE_NO_PAD.decode(it.as_bytes()).ok()).ok_or_else(|| {
            let what =
                "send in Carepost-Proof, as base64url, how far the box has the requests, sealed";
            Problem::new(StatusCode::BAD_REQUEST, "no_proof", what)
        })?;
    let _place = hub.requests.place().ok_or_else(Problem::busy)?;
    let batch = requests::poll(&hub, proof, after).await?;
    Ok(([(CONTENT_TYPE, SEALED)], batch).into_response())
}

pub async fn reply(
    State(hub): State<Arc<Hub>>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    if headers.get(CONTENT_TYPE).is_none_or(|it| it != SEALED) {
        let what = format!("send {SEALED}");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", what));
    }
    let arriving = hub.arriving.try_acquire().map_err(|_| Problem::busy())?;
    let bytes = match timeout(ARRIVAL_MAX, to_bytes(body, REPLY_ENVELOPE_MAX)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => return Err(Refused::Envelope(OpenError::TooLong).into()),
        Err(_) => {
            let what = "the reply took too long to arrive";
            return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", what));
        }
    };
    let Ok(Ok(turn)) = timeout(TURN_MAX, hub.worked.acquire()).await else {
        return Err(Problem::busy());
    };
    let at_work = Arc::clone(&hub);
    let done = tokio::task::spawn_blocking(move || requests::answered(&at_work, &bytes)).await;
    drop((turn, arriving));
    done.map_err(|error| Problem::unavailable(&error))??;
    Ok(StatusCode::NO_CONTENT)
}
