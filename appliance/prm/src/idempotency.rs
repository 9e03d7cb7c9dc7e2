//! Answers to creating requests, kept for a day, so that a repeated request hears the same
//! and nothing happens twice.

use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::stamp::{Actor, Stamp};
use crate::time::to_ms;

/// How long an answer is kept, in ms.
pub const KEPT_MS: i64 = 24 * 60 * 60 * 1_000;
/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 200;
/// Old answers that one write removes at the most.
const SWEPT_PER_WRITE_MAX: u32 = 20;

/// A request that carries a key: the key and a hash of what was asked.
#[derive(Clone, Debug)]
pub struct Key {
    text: String,
    request: [u8; 32],
}

/// An answer as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, JSON.
    pub body: String,
}

impl Key {
    /// A key for a request of which `asked` are the parts: the path and the body.
    pub fn new(text: &str, asked: &[&[u8]]) -> Result<Self> {
        if text.is_empty() || text.len() > KEY_BYTES_MAX {
            return Err(Error::invalid(
                "Idempotency-Key",
                format!("the Idempotency-Key has 1 to {KEY_BYTES_MAX} bytes"),
            ));
        }
        let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
        for part in asked {
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut request = [0; 32];
        request.copy_from_slice(hash.finish().as_ref());
        Ok(Self { text: text.to_owned(), request })
    }

    /// The key as it is kept of somebody who has not said who they are: theirs only at the place
    /// that they ask from, because all of them are one actor.
    pub fn at_place(self, place: &str) -> Self {
        Self { text: format!("{place} {}", self.text), request: self.request }
    }
}

/// The answer that this actor got for this key within the last day, if any. The same key with
/// another request is refused.
pub fn answered(read: &Read<'_>, stamp: &Stamp, key: &Key) -> Result<Option<Answer>> {
    let mut statement = read.sql().prepare_cached(
        "SELECT request, status, body FROM idempotency WHERE actor = ?1 AND key = ?2 AND at > ?3",
    )?;
    let mut rows = statement.query((actor(stamp.actor), &key.text, to_ms(stamp.now) - KEPT_MS))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let request: [u8; 32] = row.get(0)?;
    if request != key.request {
        return Err(Error::refused(
            Code::IdempotencyReused,
            "this Idempotency-Key was used for another request; use a new key for each request",
        ));
    }
    Ok(Some(Answer { status: row.get(1)?, body: row.get(2)? }))
}

/// Keeps the answer to a request, in the transaction that did what it says.
pub fn keep(tx: &Tx<'_>, stamp: &Stamp, key: &Key, answer: &Answer) -> Result<()> {
    let now = to_ms(stamp.now);
    tx.sql()
        .prepare_cached(
            "INSERT OR REPLACE INTO idempotency (actor, key, request, status, body, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((actor(stamp.actor), &key.text, key.request, answer.status, &answer.body, now))?;
    tx.sql()
        .prepare_cached(
            "DELETE FROM idempotency WHERE (actor, key) IN
               (SELECT actor, key FROM idempotency WHERE at <= ?1 ORDER BY at LIMIT ?2)",
        )?
        .execute((now - KEPT_MS, SWEPT_PER_WRITE_MAX))?;
    Ok(())
}

fn actor(actor: Actor) -> String {
    match actor {
        Actor::Staff(id) => format!("staff {id}"),
        Actor::Device(id) => format!("device {id}"),
        Actor::Token(id) => format!("token {id}"),
        Actor::Box => "box".to_owned(),
        Actor::Nobody => "nobody".to_owned(),
    }
}
