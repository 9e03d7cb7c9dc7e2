//! Envelopes come in by HTTP: of the right type, bounded in length, time and number, and worked on outside
//! the runtime, as many at once as the hub bears.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use sync_protocol::envelope::{MEDIA_TYPE, OpenError};
use tokio::time::timeout;

use super::Problem;
use crate::hub::Hub;
use crate::receive::Refused;

/// So long an envelope that has arrived waits for its turn.
const TURN_MAX: Duration = Duration::from_secs(10);

/// How an envelope has to come in.
pub(super) struct Arrival {
    /// It is at most so long, in bytes.
    pub(super) longest: usize,
    /// And here whole within this.
    pub(super) within: Duration,
}

/// Takes in an envelope and answers what `work` makes of it.
pub(super) async fn worked<T: Send + 'static>(
    hub: &Arc<Hub>,
    (headers, body): (&HeaderMap, Body),
    Arrival { longest, within }: Arrival,
    work: fn(&Hub, &[u8]) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let header = |name| headers.get(name).and_then(|it| it.to_str().ok());
    if header(CONTENT_TYPE) != Some(MEDIA_TYPE) {
        let what = format!("send {MEDIA_TYPE}");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", what));
    }
    let announced = header(CONTENT_LENGTH).and_then(|it| it.parse::<usize>().ok());
    if announced.is_some_and(|it| it > longest) {
        return Err(Refused::Envelope(OpenError::TooLong).into());
    }
    let arriving = hub.arriving.try_acquire().map_err(|_| Problem::busy())?;
    let bytes = match timeout(within, to_bytes(body, longest)).await {
        Ok(Ok(bytes)) => bytes,
        // Too long without having said so, or cut off on the way.
        Ok(Err(_)) => return Err(Refused::Envelope(OpenError::TooLong).into()),
        Err(_) => {
            let what = "the envelope took too long to arrive; send less at once";
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
