//! `POST /v1/restore`: a page of what is held, for a box that takes another's place.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use sync_protocol::envelope::OpenError;
use tokio::time::timeout;

use super::Problem;
use crate::hub::Hub;
use crate::receive::Refused;
use crate::restore;

/// The type of envelopes, both ways.
const SEALED: &str = "application/vnd.carepost.sealed";
/// The longest question: a key and a nonce in an envelope.
const QUESTION_MAX: usize = 4096;
/// Within this a question must have arrived.
const ARRIVAL_MAX: Duration = Duration::from_secs(30);
/// So long one that has arrived waits for its turn.
const TURN_MAX: Duration = Duration::from_secs(10);

pub async fn post(
    State(hub): State<Arc<Hub>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if headers.get(CONTENT_TYPE).is_none_or(|it| it != SEALED) {
        let what = format!("send {SEALED}");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", what));
    }
    let Ok(Ok(bytes)) = timeout(ARRIVAL_MAX, to_bytes(body, QUESTION_MAX)).await else {
        return Err(Refused::Envelope(OpenError::TooLong).into());
    };
    let Ok(Ok(turn)) = timeout(TURN_MAX, hub.worked.acquire()).await else {
        return Err(Problem::busy());
    };
    let at_work = Arc::clone(&hub);
    let page = tokio::task::spawn_blocking(move || restore::page(&at_work, &bytes)).await;
    drop(turn);
    let page = page.map_err(|error| Problem::unavailable(&error))??;
    Ok(([(CONTENT_TYPE, SEALED)], page).into_response())
}
