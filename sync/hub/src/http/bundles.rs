//! `POST /v1/bundles`: a sealed bundle in, a sealed receipt out.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use sync_protocol::envelope::{ENVELOPE_MAX, OpenError};
use tokio::time::timeout;

use super::Problem;
use crate::hub::{Counts, Hub};
use crate::receive::{self, Refused};

/// The type of envelopes, both ways.
pub(super) const SEALED: &str = "application/vnd.carepost.sealed";
/// Within this a bundle must have arrived: 4 MiB at 140 kbit/s.
const ARRIVAL_MAX: Duration = Duration::from_secs(240);
/// So long a bundle that has arrived waits for its turn.
const TURN_MAX: Duration = Duration::from_secs(10);

pub async fn post(
    State(hub): State<Arc<Hub>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let answered = answer(&hub, &headers, body).await;
    if answered.is_err() {
        Counts::count(&hub.counts.refused);
    }
    answered.map(|receipt| ([(CONTENT_TYPE, SEALED)], receipt).into_response())
}

async fn answer(hub: &Arc<Hub>, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
    worked(hub, headers, body, |hub, bytes| Ok(receive::receive(hub, bytes)?)).await
}

/// Takes in an envelope, as many at once as the hub bears, and answers what `work` makes of it.
pub(super) async fn worked(
    hub: &Arc<Hub>,
    headers: &HeaderMap,
    body: Body,
    work: fn(&Hub, &[u8]) -> Result<Vec<u8>, Problem>,
) -> Result<Vec<u8>, Problem> {
    let header = |name| headers.get(name).and_then(|it| it.to_str().ok());
    if header(CONTENT_TYPE) != Some(SEALED) {
        let what = format!("send {SEALED}");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", what));
    }
    let announced = header(CONTENT_LENGTH).and_then(|it| it.parse::<usize>().ok());
    if announced.is_some_and(|it| it > ENVELOPE_MAX) {
        return Err(Refused::Envelope(OpenError::TooLong).into());
    }
    let arriving = hub.arriving.try_acquire().map_err(|_| Problem::busy())?;
    let bytes = match timeout(ARRIVAL_MAX, to_bytes(body, ENVELOPE_MAX + 1)).await {
        Ok(Ok(bytes)) => bytes,
        // Too long without having said so, or cut off on the way.
        Ok(Err(_)) => return Err(Refused::Envelope(OpenError::TooLong).into()),
        Err(_) => {
            let what = "the bundle took too long to arrive; send less at once";
            return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", what));
        }
    };
    let Ok(Ok(turn)) = timeout(TURN_MAX, hub.worked.acquire()).await else {
        return Err(Problem::busy());
    };
    let at_work = Arc::clone(hub);
    let worked = tokio::task::spawn_blocking(move || work(&at_work, &bytes)).await;
    drop((turn, arriving));
    worked.unwrap_or_else(|error| Err(Problem::unavailable(&error)))
}
