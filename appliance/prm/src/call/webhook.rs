//! Webhooks that told of calls: each is taken in once, whichever way it came.

use jiff::{SignedDuration, Timestamp};
use rusqlite::OptionalExtension as _;

use crate::db::Tx;
use crate::error::{Error, Result};
use crate::stamp::{Right, Stamp};
use crate::time::to_ms;

/// For so long it is known that a webhook was taken in: longer than anybody who carries one keeps it.
pub const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(36 * 24);
/// The longest name of a webhook, in bytes.
const NAME_BYTES_MAX: usize = 256;
/// As many old ones are forgotten with one write.
const FORGOTTEN_AT_ONCE: u32 = 500;

/// Notes that a webhook is taken in, in the transaction that does so; false if it was before. `digest` is the SHA-256
/// of its body.
pub fn take_webhook(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (name, digest): (&str, &[u8; 32]),
) -> Result<bool> {
    stamp.needs(Right::Converse)?;
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        let what = format!("the id of a webhook has 1 to {NAME_BYTES_MAX} bytes");
        return Err(Error::invalid("webhook-id", what));
    }
    let known: Option<[u8; 32]> = tx
        .sql()
        .prepare_cached("SELECT digest FROM webhook WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    if let Some(before) = known {
        if before != *digest {
            // Who signs two things under one id is told apart by nobody; the first one counts.
            tracing::warn!("a webhook came again with another body; it is not taken in");
        }
        return Ok(false);
    }
    tx.sql()
        .prepare_cached("INSERT INTO webhook (name, digest, taken_at) VALUES (?1, ?2, ?3)")?
        .execute((name, digest, to_ms(stamp.now)))?;
    let old = stamp.now.checked_sub(KNOWN_FOR).unwrap_or(Timestamp::MIN);
    tx.sql()
        .prepare_cached(
            "DELETE FROM webhook WHERE name IN
               (SELECT name FROM webhook WHERE taken_at < ?1 ORDER BY taken_at LIMIT ?2)",
        )?
        .execute((to_ms(old), FORGOTTEN_AT_ONCE))?;
    Ok(true)
}
