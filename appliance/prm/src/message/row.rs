//! Reading the rows of messages and of the tries to deliver them.

use jiff::Timestamp;
use rusqlite::Row;

use super::{Author, Course, Delivery, Message, Progress, Purpose, Said, State};
use crate::conversation::{self, Address};
use crate::db::Read;
use crate::error::{Error, Result};
use crate::id::{ConversationId, MessageId, Noun};
use crate::medium::Medium;
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, to_ms};

/// Messages that one page answers at the most.
pub const MESSAGES_MAX: usize = 200;

const COLUMNS: &str = "id, version, conversation, author, staff, medium, family, address, content, said_at,
  received_at, reply_to, understood, handled_at, purpose, route, at, not_before, not_after, collapse_key,
  state, look_at, why FROM message";

/// One message.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: MessageId) -> Result<Message> {
    stamp.needs(Right::Converse)?;
    let found = many(read, "WHERE id = ?1", [id])?;
    found.into_iter().next().ok_or(Error::NotFound(Noun::Message))
}

/// Messages of a conversation, the latest first, those before one of them; at most `limit` (and never more
/// than [`MESSAGES_MAX`]).
pub fn of_conversation(
    read: &Read<'_>,
    stamp: &Stamp,
    id: ConversationId,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Vec<Message>> {
    stamp.needs(Right::Converse)?;
    let id = conversation::followed(read, id)?;
    let (at, number) = place(read, "said_at", before, i64::MAX)?;
    many(
        read,
        "WHERE conversation = ?1 AND (said_at, number) < (?2, ?3)
         ORDER BY said_at DESC, number DESC LIMIT ?4",
        (id, at, number, bounded(limit)),
    )
}

/// The latest message of a conversation.
pub fn latest(read: &Read<'_>, stamp: &Stamp, id: ConversationId) -> Result<Option<Message>> {
    Ok(of_conversation(read, stamp, id, None, 1)?.into_iter().next())
}

/// When something was last heard in a conversation by a medium: WhatsApp lets the clinic write freely for
/// a day after it.
pub fn last_heard(
    read: &Read<'_>,
    stamp: &Stamp,
    id: ConversationId,
    medium: Medium,
) -> Result<Option<Timestamp>> {
    stamp.needs(Right::Converse)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT said_at FROM message WHERE conversation = ?1 AND direction = 'in' AND medium = ?2
         ORDER BY said_at DESC LIMIT 1",
    )?;
    let mut rows = statement.query((conversation::followed(read, id)?, medium.as_str()))?;
    Ok(rows.next()?.map(|row| row.get(0)).transpose()?.map(from_ms))
}

/// How often reception has answered in a conversation since.
pub fn replies_since(
    read: &Read<'_>,
    stamp: &Stamp,
    id: ConversationId,
    since: Timestamp,
) -> Result<i64> {
    stamp.needs(Right::Converse)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT count(*) FROM message
         WHERE conversation = ?1 AND said_at > ?2 AND author = 'reception'",
    )?;
    Ok(statement.query_row((id, to_ms(since)), |row| row.get(0))?)
}

/// Messages that reached nobody, the latest first, those before one of them.
pub fn failed(
    read: &Read<'_>,
    stamp: &Stamp,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Vec<Message>> {
    stamp.needs(Right::Converse)?;
    let (at, number) = place(read, "said_at", before, i64::MAX)?;
    many(
        read,
        "WHERE state = 'failed' AND (said_at, number) < (?1, ?2)
         ORDER BY said_at DESC, number DESC LIMIT ?3",
        (at, number, bounded(limit)),
    )
}

/// The tries to deliver a message, the first first.
pub fn deliveries(read: &Read<'_>, stamp: &Stamp, id: MessageId) -> Result<Vec<Delivery>> {
    stamp.needs(Right::Converse)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT id, attempt, medium, family, address, state, provider_id, error, begun_at, changed_at
         FROM delivery WHERE message = ?1 ORDER BY attempt",
    )?;
    let mut rows = statement.query([id])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Delivery {
            id: row.get(0)?,
            attempt: row.get(1)?,
            medium: stored_medium(row, 2)?,
            address: Address::stored(&row.get::<_, String>(3)?, row.get(4)?)?,
            progress: Progress::parse(&row.get::<_, String>(5)?)?,
            provider_id: row.get(6)?,
            error: row.get(7)?,
            begun_at: from_ms(row.get(8)?),
            changed_at: from_ms(row.get(9)?),
        });
    }
    Ok(found)
}

/// Where a message stands in the order by a time and its number; without one `none` stands for both.
pub(super) fn place(
    read: &Read<'_>,
    time: &'static str,
    id: Option<MessageId>,
    none: i64,
) -> Result<(i64, i64)> {
    let Some(id) = id else { return Ok((none, none)) };
    let sql = format!("SELECT coalesce({time}, ?2), number FROM message WHERE id = ?1");
    let mut statement = read.sql().prepare_cached(&sql)?;
    let mut rows = statement.query((id, none))?;
    let row = rows.next()?.ok_or(Error::NotFound(Noun::Message))?;
    Ok((row.get(0)?, row.get(1)?))
}

pub(super) fn bounded(limit: usize) -> i64 {
    i64::try_from(limit.min(MESSAGES_MAX)).unwrap_or(i64::MAX)
}

pub(super) fn many(
    read: &Read<'_>,
    which: &str,
    values: impl rusqlite::Params,
) -> Result<Vec<Message>> {
    let mut statement = read.sql().prepare_cached(&format!("SELECT {COLUMNS} {which}"))?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(from_row(row)?);
    }
    Ok(found)
}

fn from_row(row: &Row<'_>) -> Result<Message> {
    let time = |column: usize| -> Result<Option<Timestamp>> {
        Ok(row.get::<_, Option<i64>>(column)?.map(from_ms))
    };
    let purpose: Option<String> = row.get(14)?;
    let course = match purpose {
        None => Course::Heard { understood: row.get(12)?, handled_at: time(13)? },
        Some(purpose) => Course::Said(Said {
            purpose: Purpose::parse(&purpose)?,
            route: serde_json::from_str(&row.get::<_, String>(15)?).map_err(|_| damaged())?,
            at: row.get(16)?,
            not_before: time(17)?,
            not_after: time(18)?,
            collapse_key: row.get(19)?,
            state: State::parse(&row.get::<_, String>(20)?)?,
            look_at: time(21)?,
            why: row.get(22)?,
        }),
    };
    Ok(Message {
        id: row.get(0)?,
        version: row.get(1)?,
        conversation: row.get(2)?,
        author: Author::parse(&row.get::<_, String>(3)?)?,
        staff: row.get(4)?,
        medium: stored_medium(row, 5)?,
        address: Address::stored(&row.get::<_, String>(6)?, row.get(7)?)?,
        content: serde_json::from_str(&row.get::<_, String>(8)?).map_err(|_| damaged())?,
        said_at: from_ms(row.get(9)?),
        received_at: from_ms(row.get(10)?),
        reply_to: row.get(11)?,
        course,
    })
}

pub(super) fn stored_medium(row: &Row<'_>, column: usize) -> Result<Medium> {
    Medium::parse(&row.get::<_, String>(column)?).map_err(|_| damaged())
}

fn damaged() -> Error {
    Error::Storage("a stored message is damaged".into())
}
