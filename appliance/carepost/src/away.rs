//! While the box is away the hub answers in its place: what it is told for that, and what it tells when the box is back.
//!
//! ```text
//!   facts ───► the clinic's names, wording and frequent questions go to the hub, whenever they are others
//!   stood ───► the box is through with a message that the hub gave it, and how the dialogue stands
//!   take ◄──── the hub is through with a message: it is in the thread, once, with what was said to it
//! ```
//!
//! Who answers is decided at the hub (`sync_agent::relay::answerer`); the box asks, and waits for the word.

mod facts;

use channels::away::{Answered, Deed, SaidAway, Stood};
use channels::heard::Down;
use channels::say::Up;
use jiff::{SignedDuration, Timestamp};
use prm::conversation::{self, Way};
use prm::db::Tx;
use prm::error::{Code, Error, Result};
use prm::id::DeliveryId;
use prm::message::{self, Course, Elsewhere, Message};
use prm::stamp::Stamp;
use prm::{consent, relay, ticket};
use reception::{Dialogue, Why};

pub(crate) use self::facts::tell;
#[cfg(test)]
pub(crate) use self::facts::tell_once;
use crate::inbox::{self, Taken};
use crate::reception::{Picture, Understood, act};

/// How a dialogue stands is worth nothing to the hub after this long.
const STOOD_GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Tells the hub that the box is through with a message, if the hub gave it, and how the dialogue stands.
///
/// # Errors
/// Those of the database.
pub(crate) fn stood(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    message: &Message,
    (dialogue, desk): (Option<&Dialogue>, bool),
) -> Result<()> {
    let Some(given) = message::was_given(tx, stamp, message.id)? else { return Ok(()) };
    message::settled(tx, stamp, message.id)?;
    let up = Up::Stood(Stood {
        medium: message.medium,
        id: given.provider_id,
        dialogue: dialogue.and_then(|it| serde_json::to_string(it).ok()),
        desk,
    });
    let not_after = stamp.now.checked_add(STOOD_GOOD_FOR).ok();
    let put = relay::put(tx, stamp, DeliveryId::new(stamp.now), (&up.write(), not_after));
    match put {
        // The hub then takes it that the box is not through with it, and says only that more is there.
        Err(Error::Refused(refusal)) if refusal.code == Code::TooMany => Ok(()),
        put => put,
    }
}

/// Takes in what the hub answered in the box's place.
///
/// # Errors
/// Those of the database, after which it is to come again.
pub(crate) fn take(tx: &mut Tx<'_>, now: Timestamp, answered: Answered) -> Result<Taken> {
    let Answered { heard, at_ms, said, understood, language, for_a_person, deeds } = answered;
    let (medium, id) = (heard.medium, heard.id.clone());
    if let Taken::Unusable(why) = inbox::take(tx, now, Down::Heard(heard))? {
        return Ok(Taken::Unusable(why));
    }
    let stamp = Stamp::of_reception(now, medium);
    let Some(message) = message::called(tx, &stamp, (medium, &id))? else {
        return Ok(Taken::Unusable("an answer to a message that is not known"));
    };
    let at = Timestamp::from_millisecond(at_ms).unwrap_or(now).min(now);
    message::settled(tx, &stamp, message.id)?;
    for said in said {
        say_once(tx, (&stamp, at), &message, said)?;
    }
    for deed in deeds {
        do_one(tx, (&stamp, at), &message, deed)?;
    }
    if let Some(language) = language {
        conversation::speak(tx, &stamp, message.conversation, &language)?;
    }
    match message.course {
        Course::Heard { understood: _, handled_at: None } => {
            let understood = understood.and_then(|it| Understood::of_hub(it).write());
            message::handled(tx, &stamp, message.id, (understood.as_deref(), for_a_person))?;
        }
        // Only a database that was put back makes it so.
        Course::Heard { understood: _, handled_at: Some(_) } | Course::Said(_) => {
            tracing::warn!(id = %message.id, "a message was answered here and by the hub");
        }
    }
    Ok(Taken::Kept)
}

/// Writes down what the hub said; a code that it drew as the picture that the patient has.
fn say_once(
    tx: &mut Tx<'_>,
    (stamp, at): (&Stamp, Timestamp),
    message: &Message,
    said: SaidAway,
) -> Result<()> {
    let SaidAway { message: id, content, drawn } = said;
    let way = Way { medium: message.medium, address: message.address.clone() };
    let picture = drawn.then(|| Picture::of(&content, way.medium, stamp.now)).flatten();
    let (content, then) = match &picture {
        // The words alone, if the picture does not arrive.
        Some(picture) => (picture.content(), vec![way.clone()]),
        None => (content, Vec::new()),
    };
    let (conversation, reply_to) = (message.conversation, message.id);
    let said = Elsewhere { id, conversation, content, way, then, said_at: at, reply_to };
    let is_new = message::said_elsewhere(tx, stamp, said)?;
    match picture.filter(|_| is_new) {
        Some(picture) => picture.provide(tx, stamp, id),
        None => Ok(()),
    }
}

fn do_one(
    tx: &mut Tx<'_>,
    (stamp, at): (&Stamp, Timestamp),
    message: &Message,
    deed: Deed,
) -> Result<()> {
    match deed {
        Deed::Stop | Deed::Allow => {
            let address = &message.address;
            // What came later was heard earlier, perhaps.
            if consent::at(tx, stamp, address)?.is_some_and(|last| at < last.said_at) {
                return Ok(());
            }
            let then = Stamp::of_reception(at, message.medium);
            if deed == Deed::Stop {
                consent::stop(tx, &then, address)
            } else {
                consent::allow(tx, &then, address)
            }
        }
        Deed::Ticket { why } => {
            let why = serde_json::from_value(why.into()).unwrap_or(Why::Away);
            let conversation = conversation::get(tx, stamp, message.conversation)?;
            ticket::leave(tx, stamp, act::opening(&conversation, why))
        }
        // The sale is told by itself, and stands in the thread.
        Deed::Sold { appointment: _ } | Deed::NotKnown => Ok(()),
    }
}
