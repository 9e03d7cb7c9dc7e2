//! `/api/v1/prm/webhooks/...`: what providers tell this box itself, where it has an address that they reach. The accounts
//! are those of `carepost channel`; behind a hub there are none, and the hub takes the webhooks.
//!
//! Only what is heard comes this way. What is said goes by the relay to the hub, and waits in the outbox where there is
//! none. Of a picture or sound the box hears that one came, not what it holds: it is fetched by a hub alone.
//!
//! Invariant: what is answered with 200 or 202 is in the records, on the disk.
//! Invariant: whether an account is not known here, or its secret did not sign, is the same answer (401).

mod meta;
mod twilio;
mod voice_agent;

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use channels::heard::Down;
use channels::webhook::NotTaken;
use prm::error::Error;
use prm::message;
use tokio::time::timeout;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::error::{Answer, Problem, seconds_to_wait};
use crate::accounts::{self, Account};
use crate::app::App;
use crate::inbox::{self, Taken};
use crate::place;

/// Webhooks of one account in a minute.
pub const A_MINUTE_MAX: u32 = 30_000;
/// Messages that may wait for reception; then no more are taken in.
pub const WAITING_MAX: i64 = 5_000;
/// Within this a webhook must have arrived.
const ARRIVAL_MAX: Duration = Duration::from_secs(30);
/// A step in which the room for webhooks is counted, in bytes.
const STEP: usize = 1024;
/// Webhooks on their way in at once, in such steps: 16 MiB.
pub const ROOM: usize = 16 * 1024;
/// After so many seconds it may be tried again to tell what could not be stored.
const AGAIN_SECONDS: u32 = 30;
/// What is counted in a minute.
const COUNTED: &str = "webhook";

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(voice_agent::voice_agent))
        .routes(routes!(twilio::twilio))
        .routes(routes!(meta::handshake, meta::meta))
}

/// No account here is known by this request and its signature.
fn unrecognised() -> Problem {
    let what = "no account at this box is known by this request and its signature";
    Problem::new(StatusCode::UNAUTHORIZED, "unrecognised", what)
}

impl From<NotTaken> for Problem {
    fn from(error: NotTaken) -> Self {
        match error {
            NotTaken::Forged => unrecognised(),
            NotTaken::Malformed { field, reason } => {
                let problem = Self::new(StatusCode::BAD_REQUEST, "malformed", reason);
                match field {
                    Some(field) => problem.with("field", field),
                    None => problem,
                }
            }
        }
    }
}

/// Nothing was taken; what exactly is wrong is in the log.
fn unavailable(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "a webhook could not be taken in");
    let what = "the box cannot store this now; nothing was taken, send it again later";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", what).retry_after(AGAIN_SECONDS)
}

/// The whole body, if it is not too long.
async fn arrived(app: &App, headers: &HeaderMap, body: Body, longest: usize) -> Answer<Bytes> {
    let too_long = || {
        let what = format!("a webhook of this kind has at most {longest} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_long", what)
    };
    let announced = headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse().ok());
    let bytes: usize = announced.unwrap_or(longest);
    if bytes > longest {
        return Err(too_long());
    }
    let steps = u32::try_from(bytes.div_ceil(STEP)).unwrap_or(u32::MAX);
    let room = app.webhook_room.try_acquire_many(steps);
    let _room = room.map_err(|_| Problem::from(Error::Busy))?;
    match timeout(ARRIVAL_MAX, to_bytes(body, longest)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        // Too long without having said so, or cut off on the way.
        Ok(Err(_)) => Err(too_long()),
        Err(_) => {
            let what = "the webhook took too long to arrive; send it again";
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", what))
        }
    }
}

/// A header as text; empty if it is not there.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default()
}

/// The accounts of this box.
async fn known(app: &App) -> Answer<Vec<Account>> {
    let keys = place::keys(&app.data);
    let loaded = tokio::task::spawn_blocking(move || accounts::load(&keys)).await;
    match loaded {
        Ok(Ok(accounts)) => Ok(accounts),
        Ok(Err(error)) => Err(unavailable(&format!("{error:#}"))),
        Err(error) => Err(unavailable(&error)),
    }
}

/// Counts a genuine webhook of an account.
fn count(app: &App, account: Uuid) -> Answer<()> {
    let counted = app.tries.count(COUNTED, &account.to_string(), A_MINUTE_MAX, app.now());
    let Err(error) = counted else { return Ok(()) };
    let seconds = match &error {
        Error::Refused(refusal) => seconds_to_wait(&refusal.code),
        Error::NotFound(_)
        | Error::Stale { .. }
        | Error::Unknown
        | Error::Forbidden
        | Error::Busy
        | Error::Full
        | Error::Storage(_) => None,
    };
    let seconds = seconds.unwrap_or(60);
    let what = format!("too many webhooks of this account; send them again in {seconds} seconds");
    Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_often", what).retry_after(seconds))
}

/// Takes in what a genuine webhook tells, in one transaction; whether any of it is new.
async fn take(app: &App, downs: Vec<Down>) -> Answer<bool> {
    let now = app.now();
    let taken = app.db.write(move |tx| {
        if message::waiting_count(tx)? >= WAITING_MAX {
            return Ok(None);
        }
        let mut is_new = false;
        for down in downs {
            match inbox::take(tx, now, down)? {
                Taken::Kept => is_new = true,
                Taken::Known => {}
                Taken::Unusable(why) => {
                    tracing::warn!(why, "something that a webhook told is of no use");
                }
            }
        }
        Ok(Some(is_new))
    });
    match taken.await {
        Ok(Some(is_new)) => Ok(is_new),
        Ok(None) => {
            let what = "too many messages wait to be answered; send it again later";
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "full", what).retry_after(60))
        }
        Err(error @ Error::Busy) => Err(error.into()),
        // What cannot be stored is told again, whatever the reason is.
        Err(error) => Err(unavailable(&error)),
    }
}
