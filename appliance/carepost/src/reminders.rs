//! Reminders: what the diary and the rules say is due is put into the outbox, in the patient's language, and
//! what is not answered goes on to another way and then to the desk.
//!
//! Nothing is planned ahead: a clock that jumps and a week without power leave nothing that is wrong.

use std::sync::Arc;
use std::time::Duration;

use ::reception::{Visit, Wording, remind};
use prm::appointment::{self, Appointment};
use prm::clinic::Clinic;
use prm::content::Content;
use prm::db::{Read, Tx};
use prm::error::Result;
use prm::reminder::{self, DUE_MAX, Due, Reminder};
use prm::stamp::Stamp;
use prm::{patient, practitioner, reminder_rule};
use tokio::time::sleep;

use crate::app::App;
use crate::connections::Stopping;
use crate::outbox::quiet;
use crate::reception::facts;
use crate::requests::is_fatal;

/// How often the box looks whom to remind.
const LOOK: Duration = Duration::from_secs(30);
/// Reminders that one transaction writes, so that no request waits behind them for long.
const AT_ONCE: usize = 20;

/// Reminds whom the rules say, until `stopping`.
pub async fn serve(app: App, stopping: Stopping) {
    loop {
        let more = remind_due(&app).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "people are not reminded; it is tried again");
            false
        });
        let pause = if more { Duration::ZERO } else { LOOK };
        tokio::select! {
            () = stopping.requested() => return,
            () = sleep(pause) => {}
        }
    }
}

/// Reminds of what is due now, and follows what was not answered; whether there is more.
pub(crate) async fn remind_due(app: &App) -> Result<bool> {
    let (stamp, quiet) = (Stamp::of_box(app.now()), quiet(app));
    let (due, unanswered, wording) = app
        .db
        .read(move |read| {
            let due = reminder::due(read, &stamp, &quiet, (stamp.now, DUE_MAX))?;
            let unanswered = reminder::unanswered(read, &stamp, DUE_MAX)?;
            let is_idle = due.is_empty() && unanswered.is_empty();
            let wording = if is_idle { Wording::default() } else { facts::wording(read, &stamp)? };
            Ok((due, unanswered, wording))
        })
        .await?;
    let more = due.len() == DUE_MAX || unanswered.len() == DUE_MAX;
    let languages = facts::languages(app);
    let voice = Arc::new(Voice { clinic: app.clinic.clone(), languages, wording });
    for few in due.chunks(AT_ONCE) {
        let (few, voice) = (few.to_vec(), Arc::clone(&voice));
        let reminding = move |tx: &mut Tx<'_>| -> Result<()> {
            for due in &few {
                let Due { appointment, rule, at: _, not_after: _ } = due;
                alone(tx, |tx| {
                    let words = voice.words(tx, &stamp, (appointment, rule.confirm))?;
                    reminder::remind(tx, &stamp, due, words).map(drop)
                })?;
            }
            Ok(())
        };
        app.db.write(reminding).await?;
    }
    for few in unanswered.chunks(AT_ONCE) {
        let (few, voice) = (few.to_vec(), Arc::clone(&voice));
        let following = move |tx: &mut Tx<'_>| -> Result<()> {
            for reminder in &few {
                let Reminder { appointment, rule, start: _, message: _, stage: _ } = reminder;
                alone(tx, |tx| {
                    let appointment = appointment::get(tx, &stamp, *appointment)?;
                    // Only rules that ask for an answer are followed.
                    let confirm = reminder_rule::get(tx, &stamp, *rule).is_ok_and(|it| it.confirm);
                    let words = voice.words(tx, &stamp, (&appointment, confirm))?;
                    reminder::after(tx, &stamp, reminder, words).map(drop)
                })?;
            }
            Ok(())
        };
        app.db.write(following).await?;
    }
    Ok(more)
}

/// Does one as a part of the transaction: what the rules refuse of it holds up no other.
fn alone(tx: &mut Tx<'_>, work: impl FnOnce(&mut Tx<'_>) -> Result<()>) -> Result<()> {
    let part = tx.savepoint()?;
    match work(tx) {
        Ok(()) => tx.release(part),
        Err(error) if is_fatal(&error) => Err(error),
        Err(error) => {
            tracing::warn!(%error, "somebody is not reminded; it is tried again");
            tx.undo(part)
        }
    }
}

/// What the words of all reminders have in common.
struct Voice {
    clinic: Clinic,
    languages: Vec<String>,
    wording: Wording,
}

impl Voice {
    /// What is said to remind of a visit, in the patient's language.
    fn words(
        &self,
        read: &Read<'_>,
        stamp: &Stamp,
        (appointment, confirm): (&Appointment, bool),
    ) -> Result<Content> {
        let Self { clinic, languages, wording } = self;
        let patient = patient::get(read, stamp, appointment.patient)?;
        let practitioner = practitioner::get(read, stamp, appointment.practitioner)?;
        let visit = Visit {
            clinic: &clinic.name,
            zone: &clinic.zone,
            name: &patient.name,
            practitioner: &practitioner.name,
            start: appointment.start,
            confirm,
        };
        Ok(remind(&visit, (patient.language.as_deref(), languages), wording))
    }
}
