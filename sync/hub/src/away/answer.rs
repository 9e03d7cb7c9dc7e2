//! Answering one message here: reception steps until nothing more is asked, and what came of it is written at once.

use std::collections::HashMap;

use channels::away::{Answered, Deed, SaidAway, Understood};
use channels::code_picture::{self, CodePicture};
use channels::heard::{Heard, Part, Said};
use channels::say::{Address, Say, Up};
use fhir::scope::Scopes;
use fhir::{Here, Resource};
use jiff::Timestamp;
use prm::content::Content;
use prm::id::{MediaId, MessageId, PatientId};
use prm::medium::Medium;
use reception::{Answer, Dialogue, Effect, Facts, Input, Note, ROUNDS_MAX, step};
use sync_protocol::relay::ItemId;
use sync_protocol::relay::answerer::{How, Turn as Whose};

use super::claim::Claimed;
use super::{Kept, act, facts, keep, look};
use crate::arrivals::{Keeping, place_out};
use crate::booking::NotDone;
use crate::hub::{Hub, ReadError};
use crate::media::outgoing;
use crate::records::Records;
use crate::search::Place;
use crate::store::{self, MessageOut, OutState, StoreError};

/// That a message is there is said to somebody this often, in ms.
const NOTE_EVERY_MS: i64 = 3_600_000;
/// Answers to one person in an hour, as at the box; who writes more hears only that it is there.
const ANSWERS_AN_HOUR_MAX: usize = 60;
const HOUR_MS: i64 = 3_600_000;
/// An answer that did not leave for this long is not sent any more, in ms.
const GOOD_FOR_MS: i64 = 24 * 3_600_000;
/// What reception may look at here.
const SEES: &str = "system/*.rs";

/// One message, and what is known when it is answered.
pub(super) struct Turn<'a> {
    pub(super) place: Place<'a>,
    pub(super) claimed: &'a Claimed,
    pub(super) facts: Facts,
    pub(super) now_ms: i64,
    /// Who was described in this conversation and is not on record.
    pub(super) described: HashMap<PatientId, Resource>,
    pub(super) deeds: Vec<Deed>,
    /// When something was sold to this person, the last day.
    pub(super) sold_at: Vec<i64>,
    for_a_person: bool,
    said: Vec<Content>,
    notes: Vec<Note>,
}

/// Answers what was claimed, and writes it.
///
/// # Errors
/// [`NotDone`]; then its claim ends, and it is tried again.
pub(super) fn answer(hub: &Hub, clinic: [u8; 16], claimed: Claimed) -> Result<(), NotDone> {
    let gone = || StoreError::Damaged("a clinic that is gone");
    let records = Records::open(hub, clinic)?.ok_or_else(gone)?;
    let own = records.clinic()?;
    let here = Here { clinic: &own, origin: "" };
    let scopes = Scopes::parse(SEES).unwrap_or(Scopes::NONE);
    let place = Place { records: &records, scopes: &scopes, here };
    let now_ms = hub.clock.now_ms();
    let now = Timestamp::from_millisecond(now_ms).unwrap_or_default();
    let (_, kept) = &claimed.stands;
    let since = |times: &[i64], ms: i64| -> Vec<i64> {
        times.iter().copied().filter(|at| now_ms.saturating_sub(*at) < ms).collect()
    };
    let answered_at = since(&kept.answered_at, HOUR_MS);
    let is_noted = claimed.how == How::Note
        || kept.desk
        || words(&claimed.heard.said).is_none()
        || answered_at.len() >= ANSWERS_AN_HOUR_MAX;
    let mut turn = Turn {
        place,
        claimed: &claimed,
        facts: facts::of(place, &claimed.facts, &claimed.heard, now)?,
        now_ms,
        described: HashMap::new(),
        deeds: Vec::new(),
        sold_at: since(&kept.sold_at, 24 * HOUR_MS),
        for_a_person: is_noted,
        said: Vec::new(),
        notes: Vec::new(),
    };
    let before = kept.dialogue.as_deref().and_then(|it| serde_json::from_str(it).ok());
    let mut after = kept.clone();
    let language = if is_noted {
        turn.note(&mut after, before.unwrap_or_default())?
    } else {
        let dialogue = turn.take(before.unwrap_or_default())?;
        after.dialogue = serde_json::to_string(&dialogue).ok().filter(|_| turn.is_settled());
        dialogue.language().map(str::to_owned)
    };
    after.answered_at = [answered_at, vec![now_ms]].concat();
    after.sold_at = std::mem::take(&mut turn.sold_at);
    let Turn { deeds, for_a_person, said, notes, .. } = turn;
    let medium = claimed.heard.medium;
    let said = said.into_iter().map(|content| said_now(hub, (medium, now), content));
    let (said, pictures): (Vec<_>, Vec<_>) = said.unzip();
    let answered = Answered {
        heard: claimed.heard.clone(),
        at_ms: now_ms,
        said,
        understood: understood(&notes),
        language,
        for_a_person,
        deeds,
    };
    Ok(write(hub, clinic, &claimed, ((answered, &pictures), &after, is_noted))?)
}

/// What is said now. A code is drawn where pictures are shown, if its provider can fetch the picture from here.
fn said_now(
    hub: &Hub,
    (medium, now): (Medium, Timestamp),
    content: Content,
) -> (SaidAway, Option<CodePicture>) {
    let picture = hub.public_url.as_ref().and_then(|_| CodePicture::of(&content, medium));
    let drawn = picture.is_some();
    (SaidAway { message: MessageId::new(now), content, drawn }, picture)
}

impl Turn<'_> {
    /// Steps until nothing more is asked.
    fn take(&mut self, before: Dialogue) -> Result<Dialogue, NotDone> {
        let heard = &self.claimed.heard;
        let heard = reception::Heard {
            text: words(&heard.said).unwrap_or_default().to_owned(),
            chosen: match &heard.said {
                Said::Chosen { id, title: _ } => Some(id.clone()),
                Said::Text(_)
                | Said::Media { .. }
                | Said::Location { .. }
                | Said::Unsupported { .. } => None,
            },
            medium: heard.medium,
            proposed: None,
        };
        let (mut dialogue, mut input) = (before, Input::Heard(&heard));
        for _ in 0..=ROUNDS_MAX {
            let (after, effects) = step(dialogue, input, &self.facts);
            dialogue = after;
            let mut answer = None;
            for effect in effects {
                match effect {
                    Effect::Say(content) => self.said.push(content),
                    Effect::Note(note) => self.notes.push(note),
                    Effect::Look(wanted) => answer = Some(look::look(self, wanted)?),
                    Effect::Do(act) => answer = Some(act::act(self, act)?),
                }
            }
            let Some(answer) = answer else { break };
            self.for_a_person |= matches!(answer, Answer::HandedOver | Answer::Ticketed);
            input = Input::Answer(answer);
        }
        self.for_a_person |= self.said.is_empty() || dialogue.awaits_answer();
        Ok(dialogue)
    }

    /// Says only that the message is there, now and then; but what to do in danger at once, and it hears a stop. The
    /// language in which it was said.
    fn note(&mut self, kept: &mut Kept, before: Dialogue) -> Result<Option<String>, NotDone> {
        let language = before.language().map(str::to_owned);
        let (silent, _) = step(before, Input::TakenOver, &self.facts);
        let after = self.take(silent)?;
        let language = language.or_else(|| after.language().map(str::to_owned));
        let is_due = kept.noted_at.is_none_or(|at| self.now_ms.saturating_sub(at) >= NOTE_EVERY_MS);
        if self.said.is_empty() && is_due {
            kept.noted_at = Some(self.now_ms);
            let languages = &self.facts.clinic.languages;
            let of = (language.as_deref(), languages.as_slice());
            self.said.push(reception::away(of, &self.facts.wording));
        }
        self.for_a_person = true;
        Ok(language)
    }

    /// Whether all whom the dialogue may speak of are known to the box, too.
    fn is_settled(&self) -> bool {
        self.described.is_empty() || self.deeds.iter().any(|it| matches!(it, Deed::Sold { .. }))
    }
}

/// What was said in words, if anything.
fn words(said: &Said) -> Option<&str> {
    match said {
        Said::Text(text) => Some(text),
        Said::Chosen { id: _, title } => Some(title),
        Said::Media { reference: _, media_type: _, name: _, caption, bytes: _ } => {
            caption.as_deref()
        }
        Said::Location { .. } | Said::Unsupported { .. } => None,
    }
}

/// What was understood, as the box notes it: of several steps the last that found a wish, else the last.
fn understood(notes: &[Note]) -> Option<Understood> {
    let Note { intent, proposed: _, flow, why, at: _ } =
        notes.iter().rev().find(|it| it.intent.is_some()).or(notes.last())?;
    Some(Understood {
        intent: intent.map(|it| it.as_str().to_owned()),
        flow: flow.map(str::to_owned),
        why: (*why).to_owned(),
    })
}

/// Writes what is said, what the box is told, how the dialogue stands, and that it is answered.
fn write(
    hub: &Hub,
    clinic: [u8; 16],
    claimed: &Claimed,
    ((answered, pictures), kept, is_noted): ((Answered, &[Option<CodePicture>]), &Kept, bool),
) -> Result<(), ReadError> {
    let Claimed { row, stands: (number, _), .. } = claimed;
    let is_written = hub.store.write(clinic, |tx| -> Result<bool, ReadError> {
        let Some(of) = store::clinic(tx, clinic)? else { return Ok(false) };
        // Somebody else may have gone on with it, if this took longer than its claim.
        let now = store::turn(tx, clinic, row.id)?;
        if now.is_none_or(|it| it.turn != Whose::Claimed) {
            return Ok(false);
        }
        let mut keeping = Keeping::begin(hub, tx, &of)?;
        for (nth, said) in (0..).zip(answered.said.iter().zip(pictures)) {
            put_out(&keeping, &answered.heard, row.peer, (nth, said))?;
        }
        keeping.put_answer(&answered)?;
        // A mere note is no part of the dialogue.
        let number = if is_noted { *number } else { row.number };
        keep(tx, &keeping.key, (clinic, row.peer), (number, kept), keeping.now_ms)?;
        let turn = if is_noted { Whose::Noted } else { Whose::Answered };
        store::move_turn(tx, clinic, row.id, (turn, keeping.now_ms))?;
        store::put_message_line(tx, clinic, &keeping.line)?;
        Ok(true)
    })?;
    if is_written {
        hub.relay.wake(clinic);
        hub.relay.wake_saying();
    }
    Ok(())
}

/// Puts one message out, behind those that the box has handed over.
fn put_out(
    keeping: &Keeping<'_, '_>,
    heard: &Heard,
    peer: [u8; 16],
    (nth, (said, picture)): (i64, (&SaidAway, &Option<CodePicture>)),
) -> Result<(), ReadError> {
    let to = match (&heard.from.phone, &heard.from.user) {
        (Some(phone), _) => Address::Phone(phone.clone()),
        (None, Some(user)) => Address::User(user.clone()),
        (None, None) => return Ok(()),
    };
    let (id, now_ms) = (ItemId(*said.message.as_bytes()), keeping.now_ms);
    let medium = heard.medium;
    let content = match picture {
        Some(CodePicture { code, bytes }) => {
            let reference = said.message.to_string();
            // Of some kilobytes: it is one part.
            for part in Part::of(&reference, code_picture::PNG, bytes) {
                outgoing::take(keeping, id, &part)?;
            }
            let media = MediaId::from_bytes(id.0);
            Content::Media {
                media,
                media_type: code_picture::PNG.into(),
                caption: Some(code.clone()),
            }
        }
        None => said.content.clone(),
    };
    let say = Say {
        message: said.message,
        medium,
        to,
        content,
        not_after_ms: Some(now_ms.saturating_add(GOOD_FOR_MS)),
    };
    let message = MessageOut {
        id,
        message: id.0,
        medium: medium.as_str().to_owned(),
        peer,
        body: Some(keeping.key.seal(&place_out(id), &Up::Say(say).write())?),
        // Of one number they go in this order.
        taken_at: now_ms.saturating_add(nth),
        state: OutState::Waiting,
        next_at: now_ms,
        tries: 0,
    };
    // The number of the last that the box handed over: numbers are counted for the box alone.
    Ok(store::put_message_out(keeping.tx, keeping.clinic, &message, keeping.line.taken)?)
}
