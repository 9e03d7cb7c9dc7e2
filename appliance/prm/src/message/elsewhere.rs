//! What was said in the clinic's name elsewhere: by its hub, while the box was away.

use jiff::Timestamp;

use super::hear::written;
use crate::content::Content;
use crate::conversation::{self, Way};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{ConversationId, DeliveryId, MessageId, Noun};
use crate::stamp::{Right, Stamp};
use crate::time::to_ms;

/// Something that was said elsewhere.
#[derive(Clone)]
pub struct Elsewhere {
    /// Its id there, and of the one try to deliver it.
    pub id: MessageId,
    /// Where it belongs.
    pub conversation: ConversationId,
    /// What it says.
    pub content: Content,
    /// By which way it went.
    pub way: Way,
    /// By which ways it goes from here if it does not arrive.
    pub then: Vec<Way>,
    /// When it was said, by the clock of where it was.
    pub said_at: Timestamp,
    /// What it answers.
    pub reply_to: MessageId,
}

/// Writes down what was said elsewhere, once; whether it is new. It is not sent from here.
pub fn said_elsewhere(tx: &mut Tx<'_>, stamp: &Stamp, said: Elsewhere) -> Result<bool> {
    stamp.needs(Right::Converse)?;
    let Elsewhere { id, conversation, content, way, then, said_at, reply_to } = said;
    if tx.sql().prepare_cached("SELECT 1 FROM message WHERE id = ?1")?.exists([id])? {
        return Ok(false);
    }
    let conversation = conversation::get(tx, stamp, conversation)?;
    let Way { medium, address } = &way;
    let route: Vec<&Way> = std::iter::once(&way).chain(&then).collect();
    let route = serde_json::to_string(&route).map_err(|error| Error::Storage(error.to_string()))?;
    // A clock elsewhere that runs ahead would keep this message the latest one.
    let said_at = said_at.min(stamp.now);
    tx.sql()
        .prepare_cached(
            "INSERT INTO message (id, version, conversation, direction, author, medium, family, address,
               content, said_at, received_at, reply_to, purpose, route, at, state)
             VALUES (?1, 1, ?2, 'out', 'reception', ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'reply', ?10, 0, 'sent')",
        )?
        .execute(rusqlite::params![
            id,
            conversation.id,
            medium.as_str(),
            address.family(),
            address.as_str(),
            written(&content)?,
            to_ms(said_at),
            to_ms(stamp.now),
            reply_to,
            route,
        ])?;
    let delivery = DeliveryId::from_bytes(*id.as_bytes());
    tx.sql()
        .prepare_cached(
            "INSERT INTO delivery (id, message, attempt, medium, family, address, state, begun_at, changed_at)
             VALUES (?1, ?2, 0, ?3, ?4, ?5, 'sent', ?6, ?7)",
        )?
        .execute((
            delivery,
            id,
            medium.as_str(),
            address.family(),
            address.as_str(),
            to_ms(said_at),
            to_ms(stamp.now),
        ))?;
    conversation::said(tx, conversation.id, said_at)?;
    tx.record(stamp, "say", (Noun::Message, id.as_bytes(), 1), conversation.patient)?;
    Ok(true)
}
