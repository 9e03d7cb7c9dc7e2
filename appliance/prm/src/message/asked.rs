//! Messages of which the hub decides whether the box answers them: those that came while it might have found the box away.
//!
//! Invariant: reception sees none of them, and nothing that came after one in the same conversation, before it is known.

use rusqlite::OptionalExtension as _;

use super::{Message, row};
use crate::db::{Read, Tx};
use crate::error::Result;
use crate::id::MessageId;
use crate::medium::Medium;
use crate::stamp::{Right, Stamp};
use crate::time::to_ms;

/// A message that the hub gave to the box to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The id by which whoever carried it knows it.
    pub provider_id: String,
    /// How the dialogue stands before it (JSON), where the hub spoke last.
    pub dialogue: Option<String>,
}

/// The message that whoever carried it calls so.
pub fn called(
    read: &Read<'_>,
    stamp: &Stamp,
    (medium, provider_id): (Medium, &str),
) -> Result<Option<Message>> {
    stamp.needs(Right::Converse)?;
    let found =
        row::many(read, "WHERE medium = ?1 AND provider_id = ?2", (medium.as_str(), provider_id))?;
    Ok(found.into_iter().next())
}

/// The hub decides who answers a message, which came as this item of the relay; unless it is answered already.
pub fn ask(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    item: [u8; 16],
    (medium, provider_id): (Medium, &str),
) -> Result<()> {
    stamp.needs(Right::Converse)?;
    tx.sql()
        .prepare_cached(
            "INSERT INTO message_asked (item, message, number)
             SELECT ?1, id, number FROM message
             WHERE medium = ?2 AND provider_id = ?3 AND handled_at IS NULL
             ON CONFLICT DO NOTHING",
        )?
        .execute((item, medium.as_str(), provider_id))?;
    Ok(())
}

/// The items of which it is not known who answers, the first first; at most `limit`.
pub fn in_doubt(read: &Read<'_>, stamp: &Stamp, limit: usize) -> Result<Vec<[u8; 16]>> {
    stamp.needs(Right::Converse)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = read.sql().prepare_cached(
        "SELECT item FROM message_asked WHERE given_at IS NULL ORDER BY number LIMIT ?1",
    )?;
    let rows = statement.query_map([limit], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The box is to answer what came as this item, and how the dialogue stands before it (JSON). What was known stays.
pub fn given(tx: &mut Tx<'_>, stamp: &Stamp, item: [u8; 16], dialogue: Option<&str>) -> Result<()> {
    stamp.needs(Right::Converse)?;
    tx.sql()
        .prepare_cached(
            "UPDATE message_asked SET given_at = ?2, dialogue = ?3
             WHERE item = ?1 AND given_at IS NULL",
        )?
        .execute((item, to_ms(stamp.now), dialogue))?;
    Ok(())
}

/// A message that the hub gave to the box, if it was one.
pub fn was_given(read: &Read<'_>, stamp: &Stamp, id: MessageId) -> Result<Option<Given>> {
    stamp.needs(Right::Converse)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT m.provider_id, a.dialogue FROM message_asked a JOIN message m ON m.id = a.message
         WHERE a.message = ?1 AND m.provider_id IS NOT NULL",
    )?;
    let found = statement
        .query_row([id], |row| Ok(Given { provider_id: row.get(0)?, dialogue: row.get(1)? }))
        .optional()?;
    Ok(found)
}

/// A message is answered, by the box or by the hub: nothing is asked about it any more.
pub fn settled(tx: &mut Tx<'_>, stamp: &Stamp, id: MessageId) -> Result<()> {
    stamp.needs(Right::Converse)?;
    tx.sql().prepare_cached("DELETE FROM message_asked WHERE message = ?1")?.execute([id])?;
    Ok(())
}
