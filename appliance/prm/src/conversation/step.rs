//! The steps of a conversation: who answers, who has it, in which language.

use super::{Address, Conversation, Holder, WHY_LETTERS_MAX, row};
use crate::change::next_version;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::id::{ConversationId, Noun, PatientId, StaffId};
use crate::patient;
use crate::staff;
use crate::stamp::{Actor, Right, Stamp};

/// The desk answers from now on: reception is silent. Who takes it over has it.
pub fn take_over(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: ConversationId,
    seen: Option<i64>,
) -> Result<Conversation> {
    step(tx, (stamp, "take_over"), id, seen, |it| {
        it.held_by = Holder::Desk;
        if let Actor::Staff(staff) = stamp.actor {
            it.assignee = Some(staff);
        }
    })
}

/// Reception answers again, and nobody has it.
pub fn give_back(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: ConversationId,
    seen: Option<i64>,
) -> Result<Conversation> {
    step(tx, (stamp, "give_back"), id, seen, |it| {
        it.held_by = Holder::Reception;
        it.why = None;
        it.assignee = None;
    })
}

/// Reception cannot or shall not go on: the desk answers. `why` is for the desk.
pub fn hand_over(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: ConversationId,
    why: &str,
) -> Result<Conversation> {
    let why: String = why.chars().take(WHY_LETTERS_MAX).collect();
    step(tx, (stamp, "hand_over"), id, None, |it| {
        it.held_by = Holder::Desk;
        it.why = Some(why);
    })
}

/// Somebody of the staff who may converse has it from now on, and the desk answers; or nobody has it.
pub fn assign(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: ConversationId,
    assignee: Option<StaffId>,
    seen: Option<i64>,
) -> Result<Conversation> {
    if let Some(staff) = assignee {
        staff::must_have(tx, staff, Right::Converse)?;
    }
    step(tx, (stamp, "assign"), id, seen, |it| {
        it.assignee = assignee;
        if assignee.is_some() {
            it.held_by = Holder::Desk;
        }
    })
}

/// A person has seen all that was said.
pub fn read(tx: &mut Tx<'_>, stamp: &Stamp, id: ConversationId) -> Result<Conversation> {
    stamp.needs(Right::Converse)?;
    let id = row::followed(tx, id)?;
    if row::settled(tx, id)? {
        return step(tx, (stamp, "read"), id, None, |_| {});
    }
    row::one(tx, id)
}

/// The language that is spoken, by a BCP 47 tag.
pub fn speak(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: ConversationId,
    language: &str,
) -> Result<Conversation> {
    let is_tag = (2..=35).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !is_tag {
        return Err(Error::invalid("language", "write the language like en or hi"));
    }
    let before = row::one(tx, row::followed(tx, id)?)?;
    if before.language.as_deref() == Some(language) {
        return Ok(before);
    }
    step(tx, (stamp, "speak"), id, None, |it| it.language = Some(language.to_owned()))
}

/// The conversation with a patient: the latest, else the one of a telephone number on record, else one
/// that is opened. For whoever writes first.
pub fn of_patient(tx: &mut Tx<'_>, stamp: &Stamp, id: PatientId) -> Result<ConversationId> {
    stamp.needs(Right::Converse)?;
    let patient = patient::get(tx, stamp, id)?;
    patient::must_be_active(tx, id)?;
    let mut statement = tx.sql().prepare_cached(
        "SELECT id FROM conversation WHERE patient = ?1 AND joined_into IS NULL
         ORDER BY last_at DESC, id LIMIT 1",
    )?;
    if let Some(row) = statement.query([id])?.next()? {
        return Ok(row.get(0)?);
    }
    drop(statement);
    let mut known = patient.phones.into_iter().map(|phone| Address::Phone(phone.number));
    let email = patient.email.as_deref().and_then(|email| Address::email(email).ok());
    let first = known.next().or(email).ok_or_else(|| {
        let what = "there is neither a telephone number nor an e-mail address on record";
        Error::refused(Code::Invalid, what)
    })?;
    row::open_by(tx, stamp, &[first], None)
}

fn step(
    tx: &mut Tx<'_>,
    (stamp, verb): (&Stamp, &'static str),
    id: ConversationId,
    seen: Option<i64>,
    change: impl FnOnce(&mut Conversation),
) -> Result<Conversation> {
    stamp.needs(Right::Converse)?;
    let id = row::followed(tx, id)?;
    let mut conversation = row::one(tx, id)?;
    conversation.version = next_version(conversation.version, seen)?;
    change(&mut conversation);
    row::update(tx, &conversation)?;
    let changed = (Noun::Conversation, id.as_bytes(), conversation.version);
    tx.record(stamp, verb, changed, conversation.patient)?;
    row::one(tx, id)
}

/// Notes something about the person of a conversation that stands elsewhere.
pub(crate) fn noted(tx: &mut Tx<'_>, by: (&Stamp, &'static str), id: ConversationId) -> Result<()> {
    step(tx, by, id, None, |_| {}).map(drop)
}
