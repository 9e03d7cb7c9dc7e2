//! What the hub asks of the box: fetched and taken in beside the doors, done, and answered.
//!
//! ```text
//!   fetch ─► take ─┬─ sale ──────► kept, until the loan adopts it
//!                  ├─ proposal ──► kept, until the desk decides      (http/sync_requests.rs)
//!                  ├─ edit ──────► merged at once; what both sides changed, for the desk (http/conflicts.rs)
//!                  ├─ catalogue ─► services that cannot be booked yet, for the desk (http/catalogue.rs)
//!                  └─ operation ─► done by the FHIR door, once, before its deadline
//!   answers ─► hub
//! ```
//!
//! Two loops: one waits with the hub, the other does what was taken in and sends the answers; so a poll
//! that is open for a minute keeps no answer waiting.

pub mod catalogue;
mod edit;
mod operation;
pub mod proposal;
mod take;

use std::path::Path;

use fhir::{Outcome, Resource, json, structure};
use prm::db::{Db, Read};
use prm::error::{Error, Refusal, Result};
use prm::id::Noun;
use prm::request;
use prm::stamp::Stamp;
use sync_agent::ask::{Ask, Sale};
use sync_agent::down::{Down, Fetched};
use sync_agent::pace::{LOOK_AGAIN, Pace};
use sync_agent::{Fault, Turn};
use tokio::time::{sleep, timeout};

use crate::app::App;
use crate::connections::Stopping;
use crate::follow;
use crate::http::fhir::write::Refused;
use crate::place;

/// Fetches, does and answers what the hub asks, if the box has joined one, until `stopping`.
pub async fn serve(app: App, stopping: Stopping) {
    tokio::join!(fetch(&app, &stopping), answer(&app, &stopping));
}

/// What fetches for the box in a data folder.
pub fn down(data: &Path, db: Db) -> Down {
    Down::new(db, place::keys(data), take::take)
}

async fn fetch(app: &App, stopping: &Stopping) {
    let (mut down, mut pace) = (
        down(&app.data, app.db.clone()).counted(app.sync.meter.clone()),
        Pace::new(app.clinic.id.as_bytes()),
    );
    let (mut stirred, mut said, mut was_away) = (app.sync.stirred(), "", false);
    loop {
        stirred.borrow_and_update();
        let fetched = tokio::select! {
            () = stopping.requested() => return,
            fetched = down.fetch(|| app.now()) => fetched,
        };
        let turn = match fetched {
            Ok(Fetched::New(new)) => {
                if new > 0 {
                    app.sync.stir();
                }
                Ok(Turn::Told { more: true, pause_ms: 0 })
            }
            Ok(Fetched::Nobody) => Ok(Turn::Alone),
            Err(fault) => Err(fault),
        };
        say(&turn, &mut said);
        if was_away && turn.is_ok() {
            app.sync.stir();
        }
        was_away = turn.is_err();
        let wait = pace.after(&turn);
        tokio::select! {
            () = stopping.requested() => return,
            () = sleep(wait.long) => {}
            // The sender lives as long as the box.
            _ = stirred.changed() => {}
        }
    }
}

/// Does what waits and sends what is answered, whenever something was taken in or written.
async fn answer(app: &App, stopping: &Stopping) {
    let (mut down, mut pace) = (
        down(&app.data, app.db.clone()).counted(app.sync.meter.clone()),
        Pace::new(app.clinic.id.as_bytes()),
    );
    let (mut changed, mut said) = (app.db.last_sequence(), "");
    let mut stirred = app.sync.stirred();
    loop {
        changed.borrow_and_update();
        stirred.borrow_and_update();
        let done = async {
            operation::do_all(app).await?;
            down.answer(app.now()).await
        };
        let sent = tokio::select! {
            () = stopping.requested() => return,
            sent = done => sent,
        };
        let turn = sent.map(|sent| match sent {
            request::REPLIES_AT_ONCE => Turn::Told { more: true, pause_ms: 0 },
            _ => Turn::Idle,
        });
        say(&turn, &mut said);
        let wait = pace.after(&turn);
        let woken = async {
            if wait.or_change {
                // A closed log means that the box stops.
                let _ = timeout(LOOK_AGAIN, follow::some(&mut changed)).await;
            } else {
                sleep(wait.long).await;
            }
        };
        tokio::select! {
            () = stopping.requested() => return,
            () = woken => {}
            _ = stirred.changed() => {}
        }
    }
}

/// Logs what is new, as the loop that tells the hub does.
fn say(turn: &std::result::Result<Turn, Fault>, said: &mut &'static str) {
    let now = turn.as_ref().err().map_or("", Fault::word);
    if now == *said {
        return;
    }
    match turn {
        Ok(_) => tracing::info!("the hub is asked for requests again"),
        Err(fault) => {
            tracing::warn!(%fault, "requests of the hub are not fetched or not answered; it is tried again")
        }
    }
    *said = now;
}

/// The details of a booking that was sold under a loan, if they have come. Whoever books it calls
/// `prm::request::adopted` in the same transaction.
///
/// # Errors
/// Those of the database.
pub fn sale(read: &Read<'_>, stamp: &Stamp, booking: [u8; 16]) -> Result<Option<Sale>> {
    let Some(body) = request::sale(read, stamp, booking)? else { return Ok(None) };
    match Ask::from_bytes(&body) {
        Ok(Ask::Sale(sale)) => Ok(Some(sale)),
        Ok(Ask::Operation(_) | Ask::Proposal(_) | Ask::Edit(_) | Ask::Catalogue(_)) | Err(_) => {
            Err(Error::Storage("a request of the hub is not what was kept".into()))
        }
    }
}

/// Valid R4 in bytes of JSON.
fn resource(bytes: &[u8]) -> std::result::Result<Resource, Outcome> {
    let resource = json::parse(bytes)?;
    let issues = structure::validate(&resource);
    if issues.is_empty() { Ok(resource) } else { Err(Outcome { issues }) }
}

/// An answer that refuses.
fn refusal(status: u16, outcome: &Outcome) -> request::Reply {
    request::Reply { status, body: outcome.to_json().to_string().into_bytes(), until: None }
}

/// What the FHIR door refused, as the records refuse it: for whoever did not ask in FHIR.
pub fn as_error(refused: Refused) -> Error {
    match refused {
        Refused::Rule(error) => error,
        Refused::Resource(outcome) => {
            let what = outcome.issues.into_iter().next().map(|issue| issue.diagnostics);
            let what = what.unwrap_or_else(|| "this cannot be written".to_owned());
            Refusal::new(prm::error::Code::Invalid, what).into_error()
        }
        Refused::Gone => Error::NotFound(Noun::Patient),
        Refused::Entry(_, refused) => as_error(*refused),
    }
}

/// Whether it is the database that failed, and not what was asked.
pub(crate) fn is_fatal(error: &Error) -> bool {
    match error {
        Error::Busy | Error::Full | Error::Storage(_) => true,
        Error::NotFound(_)
        | Error::Refused(_)
        | Error::Stale { .. }
        | Error::Unknown
        | Error::Forbidden => false,
    }
}

#[cfg(test)]
mod tests;
