//! Reception at work: what was heard and waits is answered, one message of a conversation after the other.
//!
//! ```text
//!   waiting message ─► dialogue, facts ─► step ─┬─ look ─► the records ─┐
//!                                     ▲         ├─ do ───► a verb ──────┤
//!                                     └─────────┴───────── answer ──────┘
//!                                               └─ say ──► the outbox
//! ```
//!
//! All of it happens in one transaction: what is done, what is said about it, and that the message is
//! answered. The dialogue is on the disk before the commit, beside what it was before.
//!
//! Invariant: what is done in a conversation is done with the rights of reception, whatever was written.
//! Invariant: while the desk holds a conversation, nothing is answered here but words of danger and the wish to hear no more.

pub(crate) mod act;
pub(crate) mod facts;
mod late;
mod left_alone;
mod look;
mod picture;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ::reception::intent::Intent;
use ::reception::{Answer, Dialogue, Effect, Facts, Heard, Input, Note, ROUNDS_MAX, step};
use jiff::{SignedDuration, Timestamp};
use prm::content::Content;
use prm::conversation::{self, Address, Conversation, Holder, Way};
use prm::db::Tx;
use prm::error::{Error, Result};
use prm::id::MessageId;
use prm::medium::Medium;
use prm::message::{self, Course, Message, Purpose, Saying, State};
use prm::stamp::Stamp;
use prm::{call, consent};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use utoipa::ToSchema;

use self::facts::Names;
pub(crate) use self::picture::Picture;
use crate::app::App;
use crate::away;
use crate::clock::stopwatch;
use crate::connections::Stopping;
use crate::dialogues::Dialogues;
use crate::follow;
use crate::offers;
use crate::outbox::by_way::About;
use crate::outbox::{self, Rules};

/// What is older when the box hears of it is not answered here: it was meant for another day.
pub const ANSWERED_WITHIN: SignedDuration = SignedDuration::from_hours(12);
/// Answers in one conversation in an hour; whoever writes more speaks with a person.
pub const REPLIES_PER_HOUR_MAX: i64 = 60;
/// An answer that did not leave for this long is not sent any more.
const REPLY_GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);
/// Waiting messages that are looked at at once.
const WAITING_AT_ONCE: usize = 200;
/// Conversations that are answered at once.
const ANSWERS_AT_ONCE: usize = 8;
/// Tries at one message before it is left to a person.
const TRIES_MAX: u32 = 3;
/// Messages among which a reminder or an offer is looked for.
const SHOWN_LOOKED_AT: usize = 20;
/// After a failure the box waits this long.
const PAUSE: Duration = Duration::from_secs(2);
/// The box looks at least this often, for what other processes wrote.
const LOOK_AGAIN: Duration = Duration::from_secs(20);
/// How often dialogues that are too old are forgotten.
const SWEEP: SignedDuration = SignedDuration::from_hours(1);

/// What reception needs besides the records.
pub struct Reception {
    dialogues: Option<Dialogues>,
    names: Names,
    rules: Rules,
}

impl Reception {
    /// Reception of a box in a data folder. Where no dialogue can be kept, each message stands alone.
    pub fn open(data: &Path, rules: Rules) -> Self {
        let dialogues = Dialogues::open(data).inspect_err(|error| {
            tracing::error!("dialogues cannot be kept, so people are asked again: {error:#}");
        });
        Self { dialogues: dialogues.ok(), names: Names::default(), rules }
    }

    fn sweep(&self, now: Timestamp) {
        if let Some(dialogues) = &self.dialogues {
            dialogues.sweep(now);
        }
    }
}

/// Answers what waits, until `stopping`.
pub async fn serve(app: App, stopping: Stopping) {
    let (data, rules) = (app.data.clone(), Rules::of(&app));
    let opened = tokio::task::spawn_blocking(move || Reception::open(&data, rules)).await;
    let Ok(reception) = opened.map(Arc::new) else { return };
    let mut changed = app.db.last_sequence();
    let mut tries = HashMap::new();
    let (mut swept, mut looked) = (Timestamp::MIN, Timestamp::MIN);
    loop {
        let rush = app.rush.left();
        if !rush.is_zero() {
            tokio::select! {
                () = stopping.requested() => return,
                () = sleep(rush) => continue,
            }
        }
        changed.borrow_and_update();
        if left_alone::LOOK < app.now().duration_since(looked) {
            looked = app.now();
            left_alone::look(&app, &reception).await;
        }
        if SWEEP < app.now().duration_since(swept) {
            swept = app.now();
            reception.sweep(swept);
        }
        let begun = stopwatch();
        let wait = match answer_waiting(&app, &reception, &mut tries).await {
            Ok(0) => {
                follow::rest(begun).await;
                LOOK_AGAIN
            }
            Ok(_) if tries.is_empty() => Duration::ZERO,
            Ok(_) => PAUSE,
            Err(error) => {
                tracing::warn!(%error, "messages are not answered; it is tried again");
                PAUSE
            }
        };
        if stopping.is_stopping() {
            return;
        }
        if wait == LOOK_AGAIN {
            tokio::select! {
                () = stopping.requested() => return,
                () = app.given.notified() => {}
                // A closed log means that the box stops.
                _ = timeout(LOOK_AGAIN, changed.changed()) => {}
            }
        } else {
            tokio::select! {
                () = stopping.requested() => return,
                () = sleep(wait) => {}
            }
        }
    }
}

/// Answers the first waiting message of each conversation, until a rush begins; how many there were.
async fn answer_waiting(
    app: &App,
    reception: &Arc<Reception>,
    tries: &mut HashMap<MessageId, u32>,
) -> Result<usize> {
    let stamp = Stamp::of_box(app.now());
    let waiting = app.db.read(move |read| message::waiting(read, &stamp, WAITING_AT_ONCE)).await?;
    let first: Vec<MessageId> = waiting.iter().map(|it| it.id).collect();
    tries.retain(|id, _| first.contains(id));
    let mut under_way = JoinSet::new();
    for id in &first {
        if !app.rush.left().is_zero() {
            break;
        }
        let (app, reception, id) = (app.clone(), Arc::clone(reception), *id);
        if under_way.len() >= ANSWERS_AT_ONCE
            && let Some(done) = under_way.join_next().await
        {
            note(done, tries);
        }
        let tried = tries.get(&id).copied().unwrap_or(0);
        under_way.spawn(async move { (id, answer(&app, &reception, id, tried).await) });
    }
    while let Some(done) = under_way.join_next().await {
        note(done, tries);
    }
    Ok(first.len())
}

type Outcome = std::result::Result<(MessageId, Result<()>), tokio::task::JoinError>;

fn note(done: Outcome, tries: &mut HashMap<MessageId, u32>) {
    match done {
        Ok((id, Ok(()))) => {
            tries.remove(&id);
        }
        Ok((id, Err(error))) => {
            tracing::warn!(%id, %error, "a message is not answered; it is tried again");
            *tries.entry(id).or_default() += 1;
        }
        Err(error) => tracing::error!(%error, "an answer failed"),
    }
}

/// Answers one message; after too many tries it is left to a person.
async fn answer(app: &App, reception: &Arc<Reception>, id: MessageId, tried: u32) -> Result<()> {
    let now = app.now();
    if tried >= TRIES_MAX {
        return app.db.write(move |tx| leave(tx, now, id)).await;
    }
    let (of_app, of_reception) = (app.clone(), Arc::clone(reception));
    app.db.write(move |tx| converse(tx, &of_app, &of_reception, id, now)).await
}

/// Leaves a message to a person: whatever it says, reception cannot answer it.
fn leave(tx: &mut Tx<'_>, now: Timestamp, id: MessageId) -> Result<()> {
    let message = message::get(tx, &Stamp::of_box(now), id)?;
    let stamp = Stamp::of_reception(now, message.medium);
    tracing::error!(%id, "a message could not be answered, and is left to the desk");
    conversation::hand_over(tx, &stamp, message.conversation, "failed")?;
    away::stood(tx, &stamp, &message, (None, true))?;
    message::handled(tx, &stamp, id, (None, true))
}

/// Answers one message, in one transaction.
///
/// # Errors
/// Those of the database, after which nothing was done and the message waits.
pub fn converse(
    tx: &mut Tx<'_>,
    app: &App,
    reception: &Reception,
    id: MessageId,
    now: Timestamp,
) -> Result<()> {
    let message = message::get(tx, &Stamp::of_box(now), id)?;
    match &message.course {
        Course::Heard { understood: _, handled_at: None } => {}
        Course::Heard { understood: _, handled_at: Some(_) } | Course::Said(_) => return Ok(()),
    }
    let stamp = Stamp::of_reception(now, message.medium);
    let conversation = conversation::get(tx, &stamp, message.conversation)?;
    let given = message::was_given(tx, &stamp, id)?;
    let hour_ago = now.checked_sub(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MIN);
    let replies = message::replies_since(tx, &stamp, conversation.id, hour_ago)?;
    let is_mute = replies >= REPLIES_PER_HOUR_MAX;
    let is_late = ANSWERED_WITHIN < now.duration_since(message.said_at);
    if is_late || is_mute {
        if !is_late {
            conversation::hand_over(tx, &stamp, conversation.id, "too-many")?;
        }
        away::stood(tx, &stamp, &message, (None, true))?;
        let (conversation, message) = (&conversation, &message);
        let turn = Turn { tx, app, stamp, reception, conversation, message, is_mute };
        return late::hear(turn, is_late);
    }
    let last = message::last_handled(tx, &stamp, conversation.id)?;
    // Where the hub spoke last, it says how the dialogue stands.
    let of_hub = given.and_then(|it| it.dialogue).and_then(|it| serde_json::from_str(&it).ok());
    let own = || reception.dialogues.as_ref().map(|it| it.load(conversation.id, last, now));
    let dialogue: Option<Dialogue> = of_hub.or_else(own);
    let desk_spoke = last.is_some() && left_alone::since(tx, &stamp, conversation.id)?.desk_spoke;
    let is_at_the_desk = conversation.held_by == Holder::Desk;
    let mut turn =
        Turn { tx, app, stamp, reception, conversation: &conversation, message: &message, is_mute };
    // While the desk has it: silent but for words of danger and for the wish to hear no more.
    let dialogue = turn.take(dialogue.unwrap_or_default(), desk_spoke)?;
    let stands = (!is_at_the_desk).then_some(&dialogue);
    away::stood(tx, &stamp, &message, (stands, dialogue.desk_has_it()))?;
    if let Some(dialogues) = &reception.dialogues {
        dialogues.keep(conversation.id, (id, dialogue), (last, now));
    }
    Ok(())
}

/// What became of an input.
struct Stepped {
    dialogue: Dialogue,
    /// How many messages were said.
    said: usize,
    notes: Vec<Note>,
    for_a_person: bool,
}

/// One message and what is known when it is answered.
struct Turn<'t, 'x> {
    tx: &'t mut Tx<'x>,
    app: &'t App,
    stamp: Stamp,
    reception: &'t Reception,
    conversation: &'t Conversation,
    message: &'t Message,
    /// Who writes without end is heard, and answered no more for now.
    is_mute: bool,
}

impl Turn<'_, '_> {
    /// Steps until nothing more is asked, says what is to be said, and notes that the message is answered.
    fn take(&mut self, before: Dialogue, desk_spoke: bool) -> Result<Dialogue> {
        let facts = facts::of(self)?;
        let heard = self.heard()?;
        let mut dialogue = before;
        let is_at_the_desk = self.conversation.held_by == Holder::Desk;
        if is_at_the_desk {
            dialogue = step(dialogue, Input::TakenOver, &facts).0;
        } else {
            if desk_spoke || dialogue.desk_has_it() {
                // What was asked before the desk spoke is asked anew, with what was said now.
                dialogue = step(dialogue, Input::TakenOver, &facts).0;
                dialogue = step(dialogue, Input::GivenBack, &facts).0;
            }
            if let Some(shown) = self.shown()? {
                dialogue = step(dialogue, shown, &facts).0;
            }
        }
        let Stepped { dialogue, said, notes, for_a_person } =
            self.step(dialogue, Input::Heard(&heard), &facts)?;
        if let Some(language) = dialogue.language().filter(|_| !is_at_the_desk) {
            conversation::speak(self.tx, &self.stamp, self.conversation.id, language)?;
        }
        let understood = understood(&notes);
        let handled = (understood.as_deref(), for_a_person || is_at_the_desk || said == 0);
        message::handled(self.tx, &self.stamp, self.message.id, handled)?;
        Ok(dialogue)
    }

    /// Steps until nothing more is asked, and says what is to be said.
    fn step(&mut self, before: Dialogue, begin: Input<'_>, facts: &Facts) -> Result<Stepped> {
        let (mut dialogue, mut input) = (before, begin);
        let (mut replies, mut notes, mut for_a_person) = (Vec::new(), Vec::new(), false);
        for _ in 0..=ROUNDS_MAX {
            let (after, effects) = step(dialogue, input, facts);
            dialogue = after;
            let mut answer = None;
            for effect in effects {
                match effect {
                    Effect::Say(content) => replies.push(content),
                    Effect::Note(note) => notes.push(note),
                    Effect::Look(wanted) => answer = Some(look::look(self, wanted)?),
                    Effect::Do(act) => answer = Some(act::act(self, act)?),
                }
            }
            let Some(answer) = answer else { break };
            for_a_person |= matches!(answer, Answer::HandedOver | Answer::Ticketed);
            input = Input::Answer(answer);
        }
        if dialogue.awaits_answer() {
            // It turned in a circle, which only an error of ours can bring about.
            tracing::error!(id = %self.message.id, "reception did not come to an end");
            conversation::hand_over(self.tx, &self.stamp, self.conversation.id, "failed")?;
            for_a_person = true;
        }
        if !self.may_be_written_to()? {
            replies.clear();
        }
        let said = replies.len();
        for content in replies {
            for_a_person |=
                !say(self.tx, (&self.stamp, &self.reception.rules), self.message, content)?;
        }
        Ok(Stepped { dialogue, said, notes, for_a_person })
    }

    /// What was heard, as reception takes it; of a call with what the voice agent took the caller to want.
    fn heard(&self) -> Result<Heard> {
        let Self { tx, stamp, message, .. } = self;
        let (text, chosen) = match &message.content {
            Content::Chosen { id, title } => (title.clone(), Some(id.clone())),
            Content::Text { .. }
            | Content::Choices { .. }
            | Content::Template { .. }
            | Content::Media { .. }
            | Content::Unsupported { .. } => (message.content.plain(), None),
        };
        let call = match message.medium {
            Medium::VoiceAgent => call::of_message(tx, stamp, message.id)?,
            Medium::Whatsapp | Medium::Sms | Medium::Voice | Medium::Email => None,
        };
        let proposed = call.and_then(|it| it.intent).and_then(|it| Intent::proposed_by(&it));
        Ok(Heard { text, chosen, medium: message.medium, proposed })
    }

    /// Whether what is to be said may be said in writing. Who called did not write: whoever wants no messages at that
    /// number gets none because of a call, which may not have been theirs.
    fn may_be_written_to(&self) -> Result<bool> {
        if self.is_mute {
            return Ok(false);
        }
        match self.message.medium {
            Medium::VoiceAgent => {
                let word = consent::at(self.tx, &self.stamp, &self.message.address)?;
                Ok(word.is_none_or(|it| it.wanted))
            }
            Medium::Whatsapp | Medium::Sms | Medium::Voice | Medium::Email => Ok(true),
        }
    }

    /// What the person was shown unasked since reception last answered: a reminder, or an offer that stands.
    fn shown(&self) -> Result<Option<Input<'static>>> {
        let id = self.conversation.id;
        let latest = message::of_conversation(self.tx, &self.stamp, id, None, SHOWN_LOOKED_AT)?;
        for message in latest {
            let said = match message.course {
                Course::Heard { understood: _, handled_at: None } => continue,
                Course::Heard { understood: _, handled_at: Some(_) } => return Ok(None),
                Course::Said(said) => said,
            };
            match said.collapse_key.as_deref().and_then(About::of) {
                Some(_) if said.state == State::Dropped => return Ok(None),
                Some(About::Visit(visit)) => return Ok(Some(Input::Reminded(visit))),
                Some(About::Offer(entry)) => {
                    let offer = offers::standing(self.tx, &self.stamp, entry)?;
                    return Ok(offer.map(Input::Offered));
                }
                None => {}
            }
        }
        Ok(None)
    }

    /// Does something as a part of the transaction; what the rules refuse is undone.
    fn part<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<std::result::Result<T, prm::error::Code>> {
        let part = self.tx.savepoint()?;
        match work(self) {
            Ok(done) => {
                self.tx.release(part)?;
                Ok(Ok(done))
            }
            Err(Error::Refused(refusal)) => {
                self.tx.undo(part)?;
                Ok(Err(refusal.code))
            }
            // Neither is a fault of the box, and neither is told in detail.
            Err(Error::NotFound(_) | Error::Stale { .. }) => {
                self.tx.undo(part)?;
                Ok(Err(prm::error::Code::SeeTheDesk))
            }
            Err(
                error @ (Error::Unknown
                | Error::Forbidden
                | Error::Busy
                | Error::Full
                | Error::Storage(_)),
            ) => Err(error),
        }
    }
}

/// Puts an answer into the outbox and begins to send it; whether there is a way to the person.
fn say(
    tx: &mut Tx<'_>,
    (stamp, rules): (&Stamp, &Rules),
    message: &Message,
    content: Content,
) -> Result<bool> {
    let route = route(message);
    let Some(first) = route.first() else { return Ok(false) };
    let picture = Picture::of(&content, first.medium, stamp.now);
    let (content, route) = match &picture {
        Some(picture) => (picture.content(), Picture::route(route)),
        None => (content, route),
    };
    let saying = Saying {
        conversation: message.conversation,
        content,
        purpose: Purpose::Reply,
        route,
        not_before: None,
        not_after: stamp.now.checked_add(REPLY_GOOD_FOR).ok(),
        collapse_key: None,
        reply_to: Some(message.id),
    };
    let said = message::say(tx, stamp, saying)?;
    if let Some(picture) = picture {
        picture.provide(tx, stamp, said.id)?;
    }
    outbox::look_at(tx, &Stamp::of_box(stamp.now), rules, said.id)?;
    Ok(true)
}

/// The ways of an answer: that by which the message came, then others to the same address.
fn route(message: &Message) -> Vec<Way> {
    let own = match message.medium {
        // Who called a voice agent has hung up.
        Medium::VoiceAgent => None,
        medium @ (Medium::Whatsapp | Medium::Sms | Medium::Voice | Medium::Email) => Some(medium),
    };
    let others: &[Medium] = match &message.address {
        Address::Phone(_) => &[Medium::Whatsapp, Medium::Sms],
        Address::Whatsapp(_) => &[Medium::Whatsapp],
        Address::Email(_) => &[Medium::Email],
    };
    let mut route: Vec<Way> = Vec::new();
    for medium in own.into_iter().chain(others.iter().copied()) {
        if route.iter().all(|way| way.medium != medium) {
            route.push(Way { medium, address: message.address.clone() });
        }
    }
    route
}

/// What reception made of something that was heard, for the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Understood {
    /// What was wanted, if that was understood.
    pub intent: Option<String>,
    /// Whether that is a model's proposal, because the rules found nothing.
    pub proposed: bool,
    /// What is spoken of after it, by its word.
    pub flow: Option<String>,
    /// Why the answer is what it is, as a stable word.
    pub why: String,
}

impl Understood {
    /// What the hub understood in the box's place.
    pub(crate) fn of_hub(understood: channels::away::Understood) -> Self {
        let channels::away::Understood { intent, flow, why } = understood;
        Self { intent, proposed: false, flow, why }
    }

    /// As a message's row says it.
    pub(crate) fn write(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// What a message's row says, if it says anything.
    pub fn read(row: &str) -> Option<Self> {
        serde_json::from_str(row).ok()
    }
}

/// What was understood, as a message's row keeps it: of several steps the last that found a wish, else the last.
fn understood(notes: &[Note]) -> Option<String> {
    let Note { intent, proposed, flow, why, at: _ } =
        notes.iter().rev().find(|it| it.intent.is_some()).or(notes.last())?;
    let understood = Understood {
        intent: intent.map(|it| it.as_str().to_owned()),
        proposed: *proposed,
        flow: flow.map(str::to_owned),
        why: (*why).to_owned(),
    };
    understood.write()
}

#[cfg(test)]
mod tests;
