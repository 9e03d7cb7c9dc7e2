//! Who somebody turned out to be, and two conversations that turned out to be one person's.

use super::{ADDRESSES_MAX, Conversation, Holder, row};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::id::{ConversationId, Noun, PatientId};
use crate::patient;
use crate::stamp::{Right, Stamp};

/// Says who the person of a conversation is; with `None` that it is open again. What was spoken with the
/// same patient elsewhere is joined to it, as far as the addresses have room.
pub fn identify(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: ConversationId,
    patient: Option<PatientId>,
) -> Result<Conversation> {
    stamp.needs(Right::Converse)?;
    let id = row::followed(tx, id)?;
    let mut conversation = row::one(tx, id)?;
    if conversation.patient == patient {
        return Ok(conversation);
    }
    let whose = patient.or(conversation.patient);
    if let Some(patient) = patient {
        patient::must_be_active(tx, patient)?;
    }
    conversation.version += 1;
    conversation.patient = patient;
    row::update(tx, &conversation)?;
    tx.record(stamp, "identify", (Noun::Conversation, id.as_bytes(), conversation.version), whose)?;
    if let Some(patient) = patient {
        for other in others_of(tx, patient, id)? {
            if addresses_of_both(tx, id, other)? <= ADDRESSES_MAX {
                join(tx, stamp, id, other)?;
            }
        }
    }
    row::one(tx, id)
}

/// Makes one conversation of two: what was spoken in `other` moves to `kept`.
pub(super) fn join(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    kept: ConversationId,
    other: ConversationId,
) -> Result<()> {
    if addresses_of_both(tx, kept, other)? > ADDRESSES_MAX {
        let what = format!("a conversation has at most {ADDRESSES_MAX} addresses");
        return Err(Error::refused(Code::TooMany, what));
    }
    let (mut into, from) = (row::one(tx, kept)?, row::one(tx, other)?);
    into.version += 1;
    into.unread += from.unread;
    into.patient = match (into.patient, from.patient) {
        (Some(one), Some(another)) if one != another => None,
        (one, another) => one.or(another),
    };
    if from.held_by == Holder::Desk && into.held_by == Holder::Reception {
        into.held_by = Holder::Desk;
        into.why = from.why;
        into.assignee = from.assignee;
    }
    into.language = into.language.or(from.language);
    row::update(tx, &into)?;
    for sql in [
        "UPDATE message SET conversation = ?1 WHERE conversation = ?2",
        "UPDATE conversation_address SET conversation = ?1 WHERE conversation = ?2",
        "UPDATE call SET conversation = ?1 WHERE conversation = ?2",
        "UPDATE conversation SET joined_into = ?1 WHERE joined_into = ?2",
        "UPDATE conversation SET joined_into = ?1, patient = NULL, unread = 0, version = version + 1
         WHERE id = ?2",
        "UPDATE conversation SET (last_heard_at, last_said_at, last_at) =
           (SELECT max(a.last_heard_at), max(a.last_said_at), max(a.last_at)
            FROM conversation a WHERE a.id IN (?1, ?2))
         WHERE id = ?1",
    ] {
        tx.sql().prepare_cached(sql)?.execute((kept, other))?;
    }
    for (id, version) in [(other, from.version + 1), (kept, into.version)] {
        tx.record(stamp, "join", (Noun::Conversation, id.as_bytes(), version), into.patient)?;
    }
    Ok(())
}

/// Other conversations with the same patient.
fn others_of(tx: &Tx<'_>, patient: PatientId, than: ConversationId) -> Result<Vec<ConversationId>> {
    let mut statement = tx.sql().prepare_cached(
        "SELECT id FROM conversation WHERE patient = ?1 AND id <> ?2 AND joined_into IS NULL
         ORDER BY last_at DESC, id LIMIT ?3",
    )?;
    let rows = statement.query_map((patient, than, ADDRESSES_MAX), |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn addresses_of_both(tx: &Tx<'_>, one: ConversationId, other: ConversationId) -> Result<u32> {
    let sql = "SELECT count(*) FROM conversation_address WHERE conversation IN (?1, ?2)";
    Ok(tx.sql().prepare_cached(sql)?.query_row((one, other), |row| row.get(0))?)
}
