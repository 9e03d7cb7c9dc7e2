//! E-mail: what is to go by it is sent by the box itself, through the clinic's mail server.
//!
//! ```text
//!   try, queued ─► letter ─► server ─┬─ taken ──────────────► sent: nothing more is heard of it
//!        ▲                           ├─ refused (5xx) ──────► failed: the next way
//!        │ longer each time          ├─ not now (4xx) ──────┐
//!        └───────────────────────────┴─ nobody knows ───────┤
//!          soon, without counting ──── no server, no login ─┘
//! ```
//!
//! A server says only that it took an e-mail. Whether it arrived is told by a letter to the sender, which the box does
//! not read: so an e-mail is *sent* at the most. If the connection ends before the server said that it has the e-mail,
//! or the box dies before that is written, it is sent again under the same Message-ID, by which mail servers and
//! programs know it for the same: rather twice than never.
//!
//! Invariant: what a person or the clinic wrote is never a header of its own, nor another recipient.
//! Invariant: no address, name or text is in a log or an error; ids and codes only.

pub(crate) mod letter;
pub mod server;

use std::time::Duration;

use ::reception::{Wording, by_email};
use jiff::{SignedDuration, Timestamp};
use prm::conversation;
use prm::db::{Read, Tx};
use prm::error::Result;
use prm::medium::Medium;
use prm::message::{self, Queued};
use prm::patient;
use prm::stamp::Stamp;
use tokio::time::{sleep, timeout};

use self::letter::Letter;
use self::server::{Connection, Outcome, Settings, Trouble};
use crate::app::App;
use crate::connections::Stopping;
use crate::follow;
use crate::place;
use crate::reception::facts;

/// E-mails that are looked at at once.
const AT_ONCE: usize = 50;
/// As often is one tried: for about a day.
pub const TRIES_MAX: u32 = 12;
/// The pause after the first try; it doubles, ...
const PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// ... up to this.
const PAUSE_MAX: SignedDuration = SignedDuration::from_hours(4);
/// There is no server, or it does not let the box in: the pause.
const TROUBLE: Duration = Duration::from_secs(60);
/// The box looks at least this often, for what other processes wrote.
const LOOK_AGAIN: Duration = Duration::from_secs(20);

/// Sends what is to go by e-mail, if there is a mail server, until `stopping`.
pub async fn serve(app: App, stopping: Stopping) {
    let Some(settings) = app.config.email.clone() else { return };
    let mut changed = app.db.last_sequence();
    let mut in_trouble = false;
    loop {
        changed.borrow_and_update();
        let sent = send_due(&app, &settings, &stopping).await;
        let wait = match sent {
            Ok(Ok(more)) => {
                in_trouble = false;
                if more { Duration::ZERO } else { next_look(&app).await }
            }
            Ok(Err(Trouble { code })) => {
                // One line of the log for an outage, not one for each try.
                if !std::mem::replace(&mut in_trouble, true) {
                    tracing::warn!(
                        code,
                        "the mail server does not take e-mails; it is tried again"
                    );
                }
                TROUBLE
            }
            Err(error) => {
                tracing::warn!(%error, "e-mails were not sent; it is tried again");
                TROUBLE
            }
        };
        if stopping.is_stopping() {
            return;
        }
        let news = async {
            if wait == TROUBLE {
                std::future::pending().await
            } else {
                follow::some(&mut changed).await
            }
        };
        tokio::select! {
            () = stopping.requested() => return,
            () = sleep(wait) => {}
            // A closed log means that the box stops.
            _ = timeout(LOOK_AGAIN, news) => {}
        }
    }
}

async fn next_look(app: &App) -> Duration {
    let now = app.now();
    let next = app.db.read(|read| message::next_queued(read, Medium::Email)).await.ok().flatten();
    let until = next.map(|at| Duration::try_from(at.duration_since(now)).unwrap_or_default());
    until.map_or(LOOK_AGAIN, |until| until.clamp(Duration::from_millis(50), LOOK_AGAIN))
}

/// Sends what is due now; whether there is more, or why the server takes nothing.
///
/// # Errors
/// Those of the database.
pub(crate) async fn send_due(
    app: &App,
    settings: &Settings,
    stopping: &Stopping,
) -> Result<std::result::Result<bool, Trouble>> {
    let stamp = Stamp::of_box(app.now());
    let of_app = app.clone();
    let due = app.db.read(move |read| {
        let queued = message::queued(read, &stamp, Medium::Email, AT_ONCE)?;
        if queued.is_empty() {
            return Ok(Vec::new());
        }
        let wording = facts::wording(read, &stamp)?;
        let letters = queued.into_iter().map(|it| {
            let letter = letter(read, &stamp, &of_app, (&it, &wording))?;
            Ok((it, letter))
        });
        letters.collect::<Result<Vec<_>>>()
    });
    let due = due.await?;
    let more = due.len() == AT_ONCE;
    let mut connection: Option<Connection> = None;
    for (queued, letter) in due {
        if stopping.is_stopping() {
            break;
        }
        let outcome = match &letter {
            None => Outcome::Refused { code: "not-writable".to_owned() },
            Some(letter) => {
                let open = match connection.take() {
                    Some(open) => open,
                    None => match Connection::open(settings, &place::keys(&app.data)).await {
                        Ok(open) => open,
                        Err(trouble) => return Ok(Err(trouble)),
                    },
                };
                let (outcome, still_open) = open.send(letter).await;
                connection = still_open;
                outcome
            }
        };
        note(&outcome, &queued);
        let stamp = Stamp::of_box(app.now());
        app.db.write(move |tx| write(tx, &stamp, &queued, &outcome)).await?;
    }
    if let Some(open) = connection {
        open.close().await;
    }
    Ok(Ok(more))
}

fn note(outcome: &Outcome, queued: &Queued) {
    let id = queued.message;
    match outcome {
        Outcome::Taken => tracing::debug!(%id, "an e-mail left"),
        Outcome::Later { code } => tracing::warn!(%id, code, "an e-mail is tried again later"),
        Outcome::Refused { code } => tracing::warn!(%id, code, "an e-mail does not go"),
    }
}

/// Writes what came of a try.
fn write(tx: &mut Tx<'_>, stamp: &Stamp, queued: &Queued, outcome: &Outcome) -> Result<()> {
    match outcome {
        Outcome::Taken => message::left(tx, stamp, queued.delivery),
        Outcome::Refused { code } => message::refused(tx, stamp, queued.delivery, code),
        Outcome::Later { code } if queued.tries + 1 >= TRIES_MAX => {
            message::refused(tx, stamp, queued.delivery, code)
        }
        Outcome::Later { code: _ } => {
            let until = stamp.now.checked_add(pause(queued.tries)).unwrap_or(Timestamp::MAX);
            message::put_off(tx, stamp, queued.delivery, until)
        }
    }
}

/// The pause after so many tries before this one.
fn pause(tries: u32) -> SignedDuration {
    PAUSE.saturating_mul(1 << tries.min(16)).min(PAUSE_MAX)
}

/// The letter of a message, in the person's language; none if it cannot be written.
fn letter(
    read: &Read<'_>,
    stamp: &Stamp,
    app: &App,
    (queued, wording): (&Queued, &Wording),
) -> Result<Option<Letter>> {
    let Some(settings) = &app.config.email else { return Ok(None) };
    let conversation = conversation::get(read, stamp, queued.conversation)?;
    let of_patient = match conversation.patient {
        Some(id) => patient::get(read, stamp, id)?.language,
        None => None,
    };
    let language = of_patient.or(conversation.language);
    let languages = facts::languages(app);
    let clinic = (app.clinic.name.as_str(), app.config.fhir.booking_phone.as_deref());
    let written = by_email(&queued.content, (language.as_deref(), &languages), clinic, wording);
    let Some(written) = written else { return Ok(None) };
    Ok(Letter::new(settings, (queued.message, &queued.address), clinic.0, written, stamp.now))
}

#[cfg(test)]
mod tests;
