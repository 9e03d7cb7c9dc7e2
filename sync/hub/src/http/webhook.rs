//! `/api/v1/prm/webhooks/...`: what providers tell of the accounts of clinics. Whose it is, the request names;
//! that it is genuine, the account's secret says, over the bytes as they came. Only then is it read.
//!
//! Invariant: what is answered with 200 or 202 is on the disk.
//! Invariant: whether an account is not known here, or its secret did not sign, is the same answer (401).

mod meta;
mod twilio;
mod voice_agent;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::routing::{get, post};
use bytes::Bytes;
use channels::webhook::NotTaken;
use tokio::time::timeout;

use super::Problem;
use crate::arrivals::{self, Arrival, Kept, NotKept};
use crate::channel::{self, Channel, Name};
use crate::hub::{Hub, ReadError};
use crate::message_counts::{MessageCounts, Refusal};

/// Where Twilio's webhooks come.
pub const TWILIO: &str = "/api/v1/prm/webhooks/whatsapp/twilio";
/// Webhooks of one account in a minute.
const A_MINUTE_MAX: u32 = 30_000;
/// Within this a webhook must have arrived.
const ARRIVAL_MAX: Duration = Duration::from_secs(30);
/// A step in which the room for webhooks is counted, in bytes.
const STEP: usize = 1024;
/// Webhooks on their way in at once, in such steps: 64 MiB.
pub const ROOM: usize = 64 * 1024;

/// The routes.
pub fn routes() -> Router<Arc<Hub>> {
    Router::new()
        .route("/api/v1/prm/webhooks/voice-agent", post(voice_agent::post))
        .route(TWILIO, post(twilio::post))
        .route("/api/v1/prm/webhooks/whatsapp/meta", get(meta::get).post(meta::post))
}

/// Why a webhook was not taken: for its sender, and for `/metrics`.
struct Refused(Refusal, Problem);

impl Refused {
    fn signature() -> Self {
        let what = "no account at this hub is known by this request and its signature";
        Self(Refusal::Signature, Problem::new(StatusCode::UNAUTHORIZED, "unrecognised", what))
    }

    fn malformed(what: &str) -> Self {
        Self(Refusal::Malformed, Problem::new(StatusCode::BAD_REQUEST, "malformed", what))
    }

    fn too_long(most: usize) -> Self {
        let what = format!("a webhook of this kind has at most {most} bytes");
        Self(Refusal::TooLong, Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_long", what))
    }

    fn unavailable(error: &dyn std::error::Error) -> Self {
        Self(Refusal::Unavailable, Problem::unavailable(error))
    }
}

impl From<NotTaken> for Refused {
    fn from(error: NotTaken) -> Self {
        match error {
            NotTaken::Forged => Self::signature(),
            NotTaken::Malformed { field: _, reason } => Self::malformed(reason),
        }
    }
}

impl From<ReadError> for Refused {
    fn from(error: ReadError) -> Self {
        Self::unavailable(&error)
    }
}

/// The answer, and what is counted of it.
fn counted<T>(hub: &Hub, answered: Result<(Kept, T), Refused>) -> Result<T, Problem> {
    match answered {
        Ok((kept, answer)) => {
            MessageCounts::count(match kept {
                Kept::New => &hub.messages.received,
                Kept::Known | Kept::Full => &hub.messages.known,
            });
            Ok(answer)
        }
        Err(Refused(why, problem)) => {
            hub.messages.refuse(why);
            Err(problem)
        }
    }
}

/// The whole body, if it is not too long.
async fn arrived(
    hub: &Hub,
    headers: &HeaderMap,
    body: Body,
    longest: usize,
) -> Result<Bytes, Refused> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse().ok());
    let bytes = announced.unwrap_or(longest);
    if bytes > longest {
        return Err(Refused::too_long(longest));
    }
    let steps = u32::try_from(bytes.div_ceil(STEP)).unwrap_or(u32::MAX);
    let busy = || Refused(Refusal::Unavailable, Problem::busy());
    let _room = hub.webhook_room.try_acquire_many(steps).map_err(|_| busy())?;
    match timeout(ARRIVAL_MAX, to_bytes(body, longest)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        // Too long without having said so, or cut off on the way.
        Ok(Err(_)) => Err(Refused::too_long(longest)),
        Err(_) => {
            let what = "the webhook took too long to arrive; send it again";
            let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", what);
            Err(Refused(Refusal::Malformed, problem))
        }
    }
}

/// A header as text; empty if it is not there.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let name = HeaderName::try_from(name).ok();
    name.and_then(|name| headers.get(name)?.to_str().ok()).unwrap_or_default()
}

/// The accounts that are named so.
async fn named(
    hub: &Arc<Hub>,
    find: impl FnOnce(&Hub) -> Result<Vec<Channel>, ReadError> + Send + 'static,
) -> Result<Vec<Channel>, Refused> {
    let at_work = Arc::clone(hub);
    let found = tokio::task::spawn_blocking(move || find(&at_work)).await;
    Ok(found.map_err(|error| Refused::unavailable(&error))??)
}

/// The accounts of one name.
fn of_name(hub: &Hub, name: &Name<'_>) -> Result<Vec<Channel>, ReadError> {
    channel::named(hub, name)
}

/// Keeps what a genuine webhook says.
async fn keep(hub: &Arc<Hub>, arrival: Arrival) -> Result<Kept, Refused> {
    let counted = hub.turns.count_of(arrival.channel, A_MINUTE_MAX, hub.clock.now_ms());
    counted.map_err(|seconds| Refused(Refusal::TooOften, Problem::too_often(seconds)))?;
    match arrivals::keep(hub, arrival).await {
        Ok(Kept::Full) => {
            let what = "too many messages wait for this clinic's box; send it again later";
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "full", what);
            Err(Refused(Refusal::Full, problem.after(60)))
        }
        Ok(kept @ (Kept::New | Kept::Known)) => Ok(kept),
        Err(NotKept::Busy) => Err(Refused(Refusal::Unavailable, Problem::busy())),
        Err(error @ NotKept::Unavailable) => Err(Refused::unavailable(&error)),
    }
}
