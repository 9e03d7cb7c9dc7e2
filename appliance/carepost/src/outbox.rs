//! The outbox: what is due goes by the first way that can carry it, and by the next when nothing arrives.
//!
//! ```text
//!   due ─► judged ─┬─ too late, not wanted ─► dropped
//!                  ├─ too early, quiet hours, too many in an hour ─► later
//!                  └─ now ─► the next way: by which the box has a carrier, and which may say this now
//!                             └─ none is left ─► failed, for a person
//! ```
//!
//! Invariant: a message and the row by which it is carried are written in one transaction.

use std::time::Duration;

use channels::say::{Address as To, Say, Up};
use jiff::{SignedDuration, Timestamp};
use prm::content::Content;
use prm::conversation::{Address, Way};
use prm::db::{Read, Tx};
use prm::error::Result;
use prm::id::MessageId;
use prm::medium::Medium;
use prm::message::{self, Delivery, Dropped, Judgement, Message, Progress, Purpose, Quiet, Said};
use prm::stamp::Stamp;
use prm::{relay, reminder};
use tokio::time::{sleep, timeout};

use crate::app::App;
use crate::connections::Stopping;
use crate::requests::is_fatal;

/// Messages that are looked at at once.
const DUE_AT_ONCE: usize = 50;
/// The box looks at least this often, for a clock that jumped and for what other processes wrote.
const LOOK_AGAIN: Duration = Duration::from_secs(20);
/// What nobody asked for and is not delivered after this long goes by the next way.
const DELIVERED_WITHIN: SignedDuration = SignedDuration::from_mins(15);
/// An answer of which nothing was heard for this long is left as it is.
const FOLLOWED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// WhatsApp lets the clinic write freely for this long after somebody wrote; a little less, because what
/// is sent is on its way for a while.
const WINDOW: SignedDuration = SignedDuration::from_mins(24 * 60 - 10);
/// What goes beyond the bound of an hour is tried again after this long.
const CROWDED: SignedDuration = SignedDuration::from_mins(10);

/// By which media this box can send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carriers {
    /// The relay carries WhatsApp to the hub.
    pub relay: bool,
}

/// What the outbox goes by.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The quiet hours.
    pub quiet: Quiet,
    /// Messages that nobody asked for, to one address in an hour.
    pub per_hour: i64,
    /// By which media this box can send.
    pub carriers: Carriers,
}

impl Rules {
    /// Those of a running box.
    pub fn of(app: &App) -> Self {
        Self {
            quiet: quiet(app),
            per_hour: i64::from(app.config.messages.per_hour),
            carriers: Carriers { relay: app.config.broker.is_some() },
        }
    }
}

/// The quiet hours of the clinic.
pub fn quiet(app: &App) -> Quiet {
    let messages = &app.config.messages;
    Quiet { zone: app.clinic.zone.clone(), from: messages.quiet_from, to: messages.quiet_to }
}

/// Sends what is due, until `stopping`.
pub async fn serve(app: App, stopping: Stopping) {
    let mut changed = app.db.last_sequence();
    let rules = Rules::of(&app);
    loop {
        changed.borrow_and_update();
        let more = send_due(&app, &rules).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "messages were not sent; it is tried again");
            false
        });
        if more {
            continue;
        }
        let next = next_look(&app).await;
        tokio::select! {
            () = stopping.requested() => return,
            () = sleep(next) => {}
            // A closed log means that the box stops.
            _ = timeout(LOOK_AGAIN, changed.changed()) => {}
        }
    }
}

/// Sends what is due now; whether there is more.
async fn send_due(app: &App, rules: &Rules) -> Result<bool> {
    let stamp = Stamp::of_box(app.now());
    let due = app.db.read(move |read| message::due(read, &stamp, DUE_AT_ONCE)).await?;
    let more = due.len() == DUE_AT_ONCE;
    for message in due {
        let (rules, id) = (rules.clone(), message.id);
        match app.db.write(move |tx| look_at(tx, &stamp, &rules, id)).await {
            Ok(()) => {}
            Err(error) if is_fatal(&error) => return Err(error),
            // One that cannot go holds up no other.
            Err(error) => {
                tracing::error!(%id, %error, "a message is not sent; it is tried again later");
                let later = plus(stamp.now, CROWDED);
                app.db.write(move |tx| message::postpone(tx, &stamp, id, later)).await?;
            }
        }
    }
    Ok(more)
}

async fn next_look(app: &App) -> Duration {
    let now = app.now();
    let next = app.db.read(message::next_due).await.ok().flatten();
    let until = next.map(|at| Duration::try_from(at.duration_since(now)).unwrap_or_default());
    until.map_or(LOOK_AGAIN, |until| until.clamp(Duration::from_millis(50), LOOK_AGAIN))
}

/// Does with a message what is to be done now.
///
/// # Errors
/// Those of the database.
pub fn look_at(tx: &mut Tx<'_>, stamp: &Stamp, rules: &Rules, id: MessageId) -> Result<()> {
    let message = message::get(tx, stamp, id)?;
    let said = message.said()?;
    if said.look_at.is_none_or(|at| stamp.now < at) {
        return Ok(());
    }
    if !reminder::is_true(tx, stamp, id)? {
        // The visit was moved or called off: it would remind of what is no more so.
        return message::dropped(tx, stamp, id, Dropped::Withdrawn).map(drop);
    }
    match message::judge(tx, stamp, &rules.quiet, (&message, said))? {
        Judgement::Stale => {
            return message::dropped(tx, stamp, id, Dropped::Stale).map(drop);
        }
        Judgement::NotWanted => {
            return message::dropped(tx, stamp, id, Dropped::NotWanted).map(drop);
        }
        Judgement::NotBefore(at) | Judgement::Quiet(at) => {
            return message::postpone(tx, stamp, id, at);
        }
        Judgement::Now => {}
    }
    let tries = message::deliveries(tx, stamp, id)?;
    let under_way = tries.last().filter(|last| is_under_way(last));
    let is_asked_for = is_asked_for(said.purpose);
    if let Some(last) = under_way
        && is_asked_for
    {
        // The person waits where they asked: the same answer elsewhere would be one too many.
        let end = plus(last.begun_at, FOLLOWED_FOR);
        return if stamp.now < end {
            message::postpone(tx, stamp, id, end)
        } else {
            message::dropped(tx, stamp, id, Dropped::Stale).map(drop)
        };
    }
    let first = said.at.map_or(0, |at| at + 1);
    for (nth, way) in (0..).zip(&said.route).skip(usize::from(first)) {
        if let Some(why) = cannot(tx, stamp, rules, (&message, way))? {
            message::skip(tx, stamp, (id, nth), why)?;
            continue;
        }
        let since = minus(stamp.now, SignedDuration::from_hours(1));
        let is_crowded = || -> Result<bool> {
            Ok(message::begun_since(tx, stamp, &way.address, since)? >= rules.per_hour)
        };
        if (!is_asked_for && is_crowded()?) || relay::waiting_count(tx)? >= relay::WAITING_MAX {
            return message::postpone(tx, stamp, id, plus(stamp.now, CROWDED));
        }
        return begin(tx, stamp, (&message, said), (nth, way));
    }
    match under_way.map(|last| last.progress) {
        None => message::exhausted(tx, stamp, id, "no-way-left"),
        Some(Progress::Queued) => {
            message::postpone(tx, stamp, id, plus(stamp.now, DELIVERED_WITHIN))
        }
        // It may still arrive, and there is nothing else to try.
        Some(
            Progress::Handed
            | Progress::Sent
            | Progress::Failed
            | Progress::Delivered
            | Progress::Read,
        ) => message::dropped(tx, stamp, id, Dropped::Stale).map(drop),
    }
}

/// Begins a way, and gives it to what carries it.
fn begin(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (message, said): (&Message, &Said),
    (nth, way): (u16, &Way),
) -> Result<()> {
    let again = if is_asked_for(said.purpose) { FOLLOWED_FOR } else { DELIVERED_WITHIN };
    let again = plus(stamp.now, again);
    let look_again = said.not_after.map_or(again, |end| again.min(plus(end, ONE_MILLISECOND)));
    let delivery = message::begin(tx, stamp, (message.id, nth), look_again)?;
    let Some(to) = to(&way.address) else { return Ok(()) };
    let not_after = said.not_after.unwrap_or(plus(stamp.now, FOLLOWED_FOR));
    let up = Up::Say(Say {
        message: message.id,
        medium: way.medium,
        to,
        content: message.content.clone(),
        not_after_ms: Some(not_after.as_millisecond()),
    });
    relay::put(tx, stamp, delivery, (&up.write(), Some(not_after)))
}

/// The shortest time: what may be sent until a moment is stale after it.
const ONE_MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

/// Why a way cannot carry a message now, by a stable word.
fn cannot(
    read: &Read<'_>,
    stamp: &Stamp,
    rules: &Rules,
    (message, way): (&Message, &Way),
) -> Result<Option<&'static str>> {
    match way.medium {
        Medium::Whatsapp if rules.carriers.relay => {
            let heard = message::last_heard(read, stamp, message.conversation, Medium::Whatsapp)?;
            let is_open = heard.is_some_and(|heard| stamp.now < plus(heard, WINDOW));
            Ok((!is_open && !is_template(&message.content)).then_some("outside-window"))
        }
        Medium::Whatsapp | Medium::Sms | Medium::Voice | Medium::VoiceAgent | Medium::Email => {
            Ok(Some("no-carrier"))
        }
    }
}

fn is_template(content: &Content) -> bool {
    match content {
        Content::Template { name: _, language: _, arguments: _, text: _ } => true,
        Content::Text { text: _ }
        | Content::Choices { text: _, label: _, choices: _ }
        | Content::Chosen { id: _, title: _ }
        | Content::Media { media: _, media_type: _, caption: _ }
        | Content::Unsupported { kind: _ } => false,
    }
}

fn is_asked_for(purpose: Purpose) -> bool {
    match purpose {
        Purpose::Reply | Purpose::Desk => true,
        Purpose::Reminder | Purpose::Notice => false,
    }
}

/// Whether a try may still arrive.
fn is_under_way(delivery: &Delivery) -> bool {
    match delivery.progress {
        Progress::Queued | Progress::Handed | Progress::Sent => true,
        Progress::Failed | Progress::Delivered | Progress::Read => false,
    }
}

fn to(address: &Address) -> Option<To> {
    match address {
        Address::Phone(phone) => Some(To::Phone(phone.clone())),
        Address::Whatsapp(user) => Some(To::User(user.clone())),
        Address::Email(_) => None,
    }
}

fn plus(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.checked_add(duration).unwrap_or(Timestamp::MAX)
}

fn minus(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.checked_sub(duration).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests;
