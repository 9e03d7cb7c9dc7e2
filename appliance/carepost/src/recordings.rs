//! Recordings of calls are fetched: later, from the hosts that the settings name, and from nobody else.
//!
//! ```text
//!   due ─► address ─► asked, from where it was left ─┬─ whole, and a sound ─► kept
//!            ▲              (If-Range)               ├─ cut off, not there yet ─► later, with longer pauses
//!            └── sent elsewhere, at most 5 times ────┘─ not allowed, too long, no sound ─► refused
//! ```
//!
//! The address is a stranger's word. It is asked by HTTPS only, on its usual port, without anything that would say who asks;
//! its host is one of `calls.recording_hosts`, and so is each host that it sends to; none of them may be in a private network.
//! Without such hosts in the settings, no recording is fetched.
//!
//! Invariant: what is kept is a sound by its bytes, and no longer than [`BYTES_MAX`].

mod fetch;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use prm::call::recording::{self, Recording};
use prm::error::Result;
use prm::stamp::Stamp;
use reqwest::Client;
use tokio::time::{sleep, timeout};

use self::fetch::{ANSWER_TIME_MAX, Failed, READ_TIME_MAX};
use crate::app::App;
use crate::connections::Stopping;
use crate::follow;
use crate::media::BLOB_BYTES_MAX;
use crate::outward::{self, Names, trust};

/// The longest recording, in bytes.
pub const BYTES_MAX: u64 = BLOB_BYTES_MAX;
/// As many are fetched at once.
const AT_ONCE: u32 = 2;
/// The box looks at least this often, for a clock that jumped and for what other processes wrote.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// After the records could not be read or written it waits this long.
const PAUSE: Duration = Duration::from_secs(30);

/// Fetches what is due, until `stopping`.
pub async fn serve(app: App, stopping: Stopping) {
    let client = trust().and_then(|trusting| client(trusting, Names { private_too: false }));
    let client = match client {
        Ok(client) => client,
        Err(why) => {
            tracing::error!(why, "recordings of calls are not fetched");
            return;
        }
    };
    let mut changed = app.db.last_sequence();
    loop {
        changed.borrow_and_update();
        let fetched = tokio::select! {
            () = stopping.requested() => return,
            fetched = fetch_due(&app, &client) => fetched,
        };
        match fetched {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => {
                tracing::warn!(%error, "recordings are not fetched; it is tried again");
                tokio::select! {
                    () = stopping.requested() => return,
                    () = sleep(PAUSE) => {}
                }
                continue;
            }
        }
        let now = app.now();
        let next = app.db.read(recording::next_due).await.ok().flatten();
        let until = next.map(|at| Duration::try_from(at.duration_since(now)).unwrap_or_default());
        let until = until.map_or(LOOK_AGAIN, |it| it.clamp(Duration::from_millis(50), LOOK_AGAIN));
        tokio::select! {
            () = stopping.requested() => return,
            // A closed log means that the box stops.
            _ = timeout(until, follow::some(&mut changed)) => {}
        }
    }
}

/// What asks for recordings.
fn client(
    trusting: rustls::ClientConfig,
    names: impl reqwest::dns::Resolve + 'static,
) -> std::result::Result<Client, &'static str> {
    outward::client(trusting, names)
        .read_timeout(READ_TIME_MAX)
        .timeout(ANSWER_TIME_MAX)
        .build()
        .map_err(|_| "the box cannot ask by HTTPS")
}

/// Fetches what is due now; how many there were.
async fn fetch_due(app: &App, client: &Client) -> Result<usize> {
    let stamp = Stamp::of_box(app.now());
    let due = app.db.read(move |read| recording::due(read, &stamp, AT_ONCE)).await?;
    let count = due.len();
    let settled = join_all(due.into_iter().map(|one| settle(app, client, one))).await;
    settled.into_iter().collect::<Result<()>>()?;
    Ok(count)
}

/// Fetches one, and notes what came of it.
async fn settle(app: &App, client: &Client, one: Recording) -> Result<()> {
    let (call, media) = (one.call, one.media);
    let fetched = fetch::fetch(app, client, one).await;
    let stamp = Stamp::of_box(app.now());
    match fetched {
        Ok(found) => {
            tracing::info!(%media, bytes = found.bytes, "the recording of a call is here");
            app.db.write(move |tx| recording::kept(tx, &stamp, call, &found)).await
        }
        Err(Failed::Later(why)) => {
            tracing::warn!(%media, %why, "the recording of a call is not here yet");
            let why = why.into_owned();
            app.db.write(move |tx| recording::later(tx, &stamp, call, &why)).await
        }
        Err(Failed::ForGood(why)) => {
            tracing::warn!(%media, why, "the recording of a call is not fetched");
            let blobs = app.media.clone();
            let removed = tokio::task::spawn_blocking(move || blobs.remove(media)).await;
            if !matches!(removed, Ok(Ok(()))) {
                tracing::warn!(%media, "what was fetched of it stays until files are swept");
            }
            app.db.write(move |tx| recording::refused(tx, &stamp, call, why)).await
        }
        Err(Failed::Records(error)) => Err(error),
    }
}

/// The hosts that may be asked.
fn hosts(app: &App) -> Arc<[String]> {
    app.config.calls.recording_hosts.as_slice().into()
}

#[cfg(test)]
mod tests;
