//! The outbox: what is due goes by the first way that can carry it, and by the next when nothing arrives.
//!
//! ```text
//!   due ─► judged ─┬─ too late, not wanted ─► dropped
//!                  ├─ too early, quiet hours, too many in an hour ─► later
//!                  └─ now ─► the next way: by which the box has a carrier, and which may say this now
//!                             └─ none is left ─► failed, a ticket for the desk
//! ```
//!
//! Which accounts a clinic has is known to the hub: a medium without one fails there at once, and for good, so that
//! the next way is tried. `messages.ways` saves the journey.
//!
//! Invariant: a message and the row by which it is carried are written in one transaction.

pub(crate) mod by_way;
mod picture;

use std::time::Duration;

use channels::heard::Part;
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

use self::picture::Held;
use crate::app::App;
use crate::config::Config;
use crate::connections::Stopping;
use crate::follow;
use crate::media::Blobs;
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
    pub whatsapp: bool,
    /// The relay carries short messages to the hub.
    pub sms: bool,
    /// A mail server takes e-mail.
    pub email: bool,
}

impl Carriers {
    fn of(config: &Config) -> Self {
        let may = |medium| config.messages.ways.contains(&medium);
        let relay = config.broker.is_some();
        Self {
            whatsapp: relay && may(Medium::Whatsapp),
            sms: relay && may(Medium::Sms),
            email: config.email.is_some() && may(Medium::Email),
        }
    }
}

/// What the outbox goes by.
#[derive(Clone)]
pub struct Rules {
    /// The quiet hours.
    pub quiet: Quiet,
    /// Messages that nobody asked for, to one address in an hour.
    pub per_hour: i64,
    /// By which media this box can send.
    pub carriers: Carriers,
    /// Pictures and sounds.
    pub blobs: Blobs,
}

impl Rules {
    /// Those of a running box.
    pub fn of(app: &App) -> Self {
        Self {
            quiet: quiet(app),
            per_hour: i64::from(app.config.messages.per_hour),
            carriers: Carriers::of(&app.config),
            blobs: app.media.clone(),
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
            _ = timeout(LOOK_AGAIN, follow::some(&mut changed)) => {}
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
    if !reminder::is_true(tx, stamp, id)? || !by_way::is_true(tx, stamp, said)? {
        // The visit was moved or called off, or the offer is over: it would say what is no more so.
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
    // What an earlier way has may still arrive, although a later one failed.
    let under_way = tries.iter().rfind(|it| is_under_way(it));
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
        let shown = picture::by_way(&message.content, &said.route, nth);
        let held = match picture::held(tx, stamp, &rules.blobs, shown.as_ref())? {
            Held::Nothing => None,
            Held::Whole { media_type, bytes } => Some((media_type, bytes)),
            Held::Missing => {
                message::skip(tx, stamp, (id, nth), "no-picture")?;
                continue;
            }
        };
        let since = minus(stamp.now, SignedDuration::from_hours(1));
        let is_crowded = || -> Result<bool> {
            Ok(message::begun_since(tx, stamp, &way.address, since)? >= rules.per_hour)
        };
        if (!is_asked_for && is_crowded()?) || relay::waiting_count(tx)? >= relay::WAITING_MAX {
            return message::postpone(tx, stamp, id, plus(stamp.now, CROWDED));
        }
        return begin(tx, stamp, (&message, said), (nth, way), (shown, held));
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
    (shown, held): (Option<Content>, Option<(String, Vec<u8>)>),
) -> Result<()> {
    let again = if is_asked_for(said.purpose) { FOLLOWED_FOR } else { DELIVERED_WITHIN };
    let again = plus(stamp.now, again);
    let look_again = said.not_after.map_or(again, |end| again.min(plus(end, ONE_MILLISECOND)));
    let delivery = message::begin(tx, stamp, (message.id, nth), look_again)?;
    // E-mail is sent by the box itself: the try waits for that.
    let Some(to) = to(&way.address) else { return Ok(()) };
    let not_after = said.not_after.unwrap_or(plus(stamp.now, FOLLOWED_FOR));
    let is_free = is_open(tx, stamp, message)?;
    let parts = held
        .iter()
        .flat_map(|(media_type, bytes)| Part::of(&message.id.to_string(), media_type, bytes));
    for part in parts {
        relay::put_part(tx, stamp, delivery, (&Up::Part(part).write(), Some(not_after)))?;
    }
    let up = Up::Say(Say {
        message: message.id,
        medium: way.medium,
        to,
        content: match shown {
            Some(content) => content,
            None => by_way::content(tx, stamp, (message, said), (way.medium, is_free))?,
        },
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
    let Carriers { whatsapp, sms, email } = rules.carriers;
    let is_carried = match way.medium {
        Medium::Whatsapp => whatsapp,
        Medium::Sms => sms,
        Medium::Email => email,
        Medium::Voice | Medium::VoiceAgent => false,
    };
    if !is_carried {
        return Ok(Some("no-carrier"));
    }
    let is_closed = way.medium == Medium::Whatsapp
        && !is_template(&message.content)
        && !is_open(read, stamp, message)?;
    Ok(is_closed.then_some("outside-window"))
}

/// Whether somebody wrote by WhatsApp so shortly ago that anything may be said there.
fn is_open(read: &Read<'_>, stamp: &Stamp, message: &Message) -> Result<bool> {
    let heard = message::last_heard(read, stamp, message.conversation, Medium::Whatsapp)?;
    Ok(heard.is_some_and(|heard| stamp.now < plus(heard, WINDOW)))
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
