//! Tries that the box carries itself, such as e-mail: what waits, and when it is tried again.

use jiff::Timestamp;

use super::row;
use crate::content::Content;
use crate::conversation::Address;
use crate::db::{Read, Tx};
use crate::error::Result;
use crate::id::{ConversationId, DeliveryId, MessageId};
use crate::medium::Medium;
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, to_ms};

/// A try that waits for whoever carries it.
#[derive(Clone)]
pub struct Queued {
    /// The try.
    pub delivery: DeliveryId,
    /// The message.
    pub message: MessageId,
    /// Where that belongs.
    pub conversation: ConversationId,
    /// To where.
    pub address: Address,
    /// What it says.
    pub content: Content,
    /// It is not sent after.
    pub not_after: Option<Timestamp>,
    /// How often it was tried.
    pub tries: u32,
}

/// Tries by a medium that wait, may be tried now and are not too late, the oldest first, at most `limit`.
pub fn queued(read: &Read<'_>, stamp: &Stamp, medium: Medium, limit: usize) -> Result<Vec<Queued>> {
    stamp.needs(Right::Converse)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT d.id, d.message, d.family, d.address, d.tries
         FROM delivery d JOIN message m ON m.id = d.message
         WHERE d.medium = ?1 AND d.state = 'queued' AND coalesce(d.next_at, 0) <= ?2
           AND (m.not_after IS NULL OR m.not_after >= ?2)
         ORDER BY d.begun_at, m.number LIMIT ?3",
    )?;
    let mut rows = statement.query((medium.as_str(), to_ms(stamp.now), row::bounded(limit)))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let message = super::get(read, stamp, row.get(1)?)?;
        found.push(Queued {
            delivery: row.get(0)?,
            message: message.id,
            conversation: message.conversation,
            address: Address::stored(&row.get::<_, String>(2)?, row.get(3)?)?,
            not_after: message.said()?.not_after,
            content: message.content,
            tries: row.get(4)?,
        });
    }
    Ok(found)
}

/// When the next try by a medium is to be made, if one waits.
pub fn next_queued(read: &Read<'_>, medium: Medium) -> Result<Option<Timestamp>> {
    let sql = "SELECT min(coalesce(next_at, begun_at)) FROM delivery
        WHERE medium = ?1 AND state = 'queued'";
    let mut statement = read.sql().prepare_cached(sql)?;
    let next: Option<i64> = statement.query_row([medium.as_str()], |row| row.get(0))?;
    Ok(next.map(from_ms))
}

/// Notes that it was tried once more in vain, and is not tried again before a time.
pub fn put_off(tx: &mut Tx<'_>, stamp: &Stamp, id: DeliveryId, until: Timestamp) -> Result<()> {
    stamp.needs(Right::Converse)?;
    let sql = "UPDATE delivery SET tries = tries + 1, next_at = ?2, changed_at = ?3
        WHERE id = ?1 AND state = 'queued'";
    tx.sql().prepare_cached(sql)?.execute((id, to_ms(until), to_ms(stamp.now)))?;
    Ok(())
}
