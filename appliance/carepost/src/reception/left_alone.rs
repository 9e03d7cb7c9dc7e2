//! What reception does without being spoken to: who was asked something and is silent is asked once more if they are
//! still there, and who was given back by the desk hears that reception is there again.
//!
//! What is to be done is worked out from the messages and the dialogues whenever it is looked at; nothing is planned, so
//! a box that was away for hours asks nobody about something of this morning.
//!
//! ```text
//!   question ─► silent ─► asked once more ─► silent for long ─► let go without a word
//! ```
//!
//! Invariant: after one message of a person that is asked at most once, whatever was killed in between.

use std::sync::Arc;

use ::reception::{Dialogue, Input};
use jiff::{SignedDuration, Timestamp};
use prm::conversation::{self, Holder};
use prm::db::{Read, Tx};
use prm::error::Result;
use prm::id::{ConversationId, MessageId};
use prm::medium::Medium;
use prm::message::{self, Author, Course, Message};
use prm::stamp::Stamp;

use super::{Reception, Turn, facts};
use crate::app::App;
use crate::outbox;

/// How often it is looked for those who were left alone.
pub(super) const LOOK: SignedDuration = SignedDuration::from_secs(15);
/// Who was asked something and is silent for so long is asked once more; ...
pub const SILENT_AFTER: SignedDuration = SignedDuration::from_mins(30);
/// ... but not after this long: then they went on with their day.
const SILENT_BEFORE: SignedDuration = SignedDuration::from_hours(2);
/// Who was asked once more is let go after this long.
const LET_GO_AFTER: SignedDuration = SignedDuration::from_hours(6);
/// As many dialogues are looked at at once.
const AT_ONCE: usize = 2_000;
/// Messages of one conversation that are looked at.
const MESSAGES: usize = 20;

/// What happened in a conversation since reception was through with the last message of the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Since {
    /// Something waits to be answered.
    waits: bool,
    /// Somebody of the desk wrote.
    pub(super) desk_spoke: bool,
    /// Reception said something of itself, after whatever the desk wrote.
    reception_spoke: bool,
}

/// What happened in a conversation since reception was through with the last message of the person.
pub(super) fn since(read: &Read<'_>, stamp: &Stamp, id: ConversationId) -> Result<Since> {
    let mut since = Since::default();
    let Some(last) = message::last_handled(read, stamp, id)? else { return Ok(since) };
    let answered_at = handled_at(&message::get(read, stamp, last)?);
    // The latest first.
    for message in message::of_conversation(read, stamp, id, None, MESSAGES)? {
        let is_later = answered_at.is_some_and(|at| at < message.said_at);
        match (&message.course, message.author) {
            (Course::Heard { understood: _, handled_at: None }, _) => since.waits = true,
            (Course::Said(_), Author::Staff) if is_later => since.desk_spoke = true,
            (Course::Said(_), Author::Reception) if is_later && !since.desk_spoke => {
                since.reception_spoke = true;
            }
            (Course::Said(_), _) | (Course::Heard { understood: _, handled_at: Some(_) }, _) => {}
        }
    }
    Ok(since)
}

fn handled_at(message: &Message) -> Option<Timestamp> {
    match &message.course {
        Course::Heard { understood: _, handled_at } => *handled_at,
        Course::Said(_) => None,
    }
}

/// What is to be done in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// The desk gave it back.
    GiveBack,
    /// The person is silent.
    Elapse,
}

/// What is to be done in a conversation whose dialogue stands so after this message, if anything. `at` is since when it
/// stands so.
fn due(
    read: &Read<'_>,
    stamp: &Stamp,
    id: ConversationId,
    (last, at, dialogue): (MessageId, Timestamp, &Dialogue),
) -> Result<Option<Due>> {
    let conversation = conversation::get(read, stamp, id)?;
    let is_ours = conversation.id == id && conversation.held_by == Holder::Reception;
    if !is_ours || message::last_handled(read, stamp, id)? != Some(last) {
        return Ok(None);
    }
    let Since { waits, desk_spoke, reception_spoke } = since(read, stamp, id)?;
    if waits {
        return Ok(None);
    }
    if desk_spoke || dialogue.desk_has_it() {
        return Ok((!reception_spoke).then_some(Due::GiveBack));
    }
    let silent = stamp.now.duration_since(at);
    let is_due = if dialogue.was_silent() {
        LET_GO_AFTER <= silent
    } else {
        !reception_spoke && SILENT_AFTER <= silent && silent < SILENT_BEFORE
    };
    Ok((dialogue.has_question() && is_due).then_some(Due::Elapse))
}

/// What is to be done in a conversation, if anything, after which message, and how its dialogue stands.
fn found(
    read: &Read<'_>,
    reception: &Reception,
    id: ConversationId,
    now: Timestamp,
) -> Result<Option<(Due, MessageId, Dialogue)>> {
    let stamp = Stamp::of_box(now);
    let Some(last) = message::last_handled(read, &stamp, id)? else { return Ok(None) };
    let stands = reception.dialogues.as_ref().and_then(|it| it.stands(id, last, now));
    let Some((at, dialogue)) = stands else { return Ok(None) };
    let due = due(read, &stamp, id, (last, at, &dialogue))?;
    Ok(due.map(|due| (due, last, dialogue)))
}

/// Looks once for those who were left alone.
pub(super) async fn look(app: &App, reception: &Arc<Reception>) {
    let now = app.now();
    let of_reception = Arc::clone(reception);
    let kept = tokio::task::spawn_blocking(move || {
        let dialogues = of_reception.dialogues.as_ref()?;
        let is_worth = |dialogue: &Dialogue, at: Timestamp| {
            let silent = now.duration_since(at);
            let is_over = dialogue.was_silent() && LET_GO_AFTER <= silent;
            // Whether the desk spoke meanwhile stands in the records.
            let is_under_way = dialogue.has_question() && (silent < SILENT_BEFORE || is_over);
            dialogue.desk_has_it() || is_under_way
        };
        Some(dialogues.under_way(now, AT_ONCE, is_worth))
    });
    let kept = kept.await.ok().flatten().unwrap_or_default();
    for id in kept {
        let of_reception = Arc::clone(reception);
        let is_due = app.db.read(move |read| Ok(found(read, &of_reception, id, now)?.is_some()));
        if !is_due.await.unwrap_or(false) {
            continue;
        }
        let (of_app, of_reception) = (app.clone(), Arc::clone(reception));
        let speaking = app.db.write(move |tx| speak(tx, &of_app, &of_reception, id, now)).await;
        if let Err(error) = speaking {
            tracing::warn!(%id, %error, "somebody who was left alone was not spoken to");
        }
    }
}

/// Does what is to be done in a conversation, in one transaction.
///
/// # Errors
/// Those of the database.
pub(super) fn speak(
    tx: &mut Tx<'_>,
    app: &App,
    reception: &Reception,
    id: ConversationId,
    now: Timestamp,
) -> Result<()> {
    let Some((due, last, dialogue)) = found(tx, reception, id, now)? else { return Ok(()) };
    let message = message::get(tx, &Stamp::of_box(now), last)?;
    let is_written = match message.medium {
        Medium::Whatsapp | Medium::Sms => true,
        Medium::Voice | Medium::VoiceAgent | Medium::Email => false,
    };
    let lets_go = due == Due::Elapse && dialogue.was_silent();
    let is_quiet = outbox::quiet(app).until(now).is_some();
    if !lets_go && (!is_written || is_quiet) {
        return Ok(());
    }
    let stamp = Stamp::of_reception(now, message.medium);
    let conversation = conversation::get(tx, &stamp, id)?;
    let mut turn = Turn {
        tx,
        app,
        stamp,
        reception,
        conversation: &conversation,
        message: &message,
        is_mute: false,
    };
    let facts = facts::of(&turn)?;
    let (dialogue, input) = match due {
        Due::Elapse => (dialogue, Input::Elapsed),
        Due::GiveBack => {
            (::reception::step(dialogue, Input::TakenOver, &facts).0, Input::GivenBack)
        }
    };
    let dialogue = turn.step(dialogue, input, &facts)?.dialogue;
    if let Some(dialogues) = &reception.dialogues {
        dialogues.keep(id, (last, dialogue), (None, now));
    }
    Ok(())
}
