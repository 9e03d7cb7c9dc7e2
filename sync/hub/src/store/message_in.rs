//! What came for clinics and is on its way to their boxes; bodies are sealed. What is sent when, and what
//! it means that a box has something, `sync_protocol::relay` says.

use std::collections::HashMap;

use sync_protocol::relay::{Had, ItemId, Row as Due, Sent, WINDOW_MAX};

use super::message_line::MessageLine;
use super::sql::{Param, Row, Tx, params};
use super::{Stored, from_stored, to_stored};

/// Numbers of which one statement speaks.
const NUMBERS_AT_ONCE: usize = 100;

/// A message that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageIn {
    /// Its id.
    pub id: ItemId,
    /// By what it came.
    pub medium: String,
    /// What it says, sealed.
    pub body: Vec<u8>,
    /// The message that named the picture or sound of which it is a part.
    pub media: Option<[u8; 16]>,
}

/// Whether a message is kept.
///
/// # Errors
/// [`super::StoreError`].
pub fn knows_message_in(tx: &Tx<'_>, clinic: [u8; 16], id: ItemId) -> Stored<bool> {
    let sql = "SELECT 1 FROM message_in WHERE clinic = ?1 AND id = ?2";
    Ok(tx.row(sql, params![&clinic, &id.0], |row| row.get::<i64>(0))?.is_some())
}

/// Keeps a message that is not kept, and counts it in `line`, which has to be written then.
///
/// # Errors
/// [`super::StoreError`].
pub fn put_message_in(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    line: &mut MessageLine,
    message: &MessageIn,
    received_at: i64,
) -> Stored<()> {
    let MessageIn { id, medium, body, media } = message;
    line.last += 1;
    line.waiting += 1;
    line.waiting_bytes += u64::try_from(body.len()).unwrap_or(u64::MAX);
    let sql = "INSERT INTO message_in
          (clinic, number, id, medium, body, received_at, tries, media)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7)";
    let number = to_stored(line.last);
    let media = media.as_ref();
    tx.execute(sql, params![&clinic, number, &id.0, medium, body, received_at, media])?;
    Ok(())
}

/// What a message says, sealed, if it is kept.
///
/// # Errors
/// [`super::StoreError`].
pub fn message_in_body(tx: &Tx<'_>, clinic: [u8; 16], id: ItemId) -> Stored<Option<Vec<u8>>> {
    let sql = "SELECT body FROM message_in WHERE clinic = ?1 AND id = ?2";
    tx.row(sql, params![&clinic, &id.0], |row| row.get(0))
}

/// The first of what the box does not have, in order, without bodies.
///
/// # Errors
/// [`super::StoreError`].
pub fn messages_waiting(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<Vec<Due>> {
    let sql = "SELECT number, length(body), sent_at, tries FROM message_in
        WHERE clinic = ?1 AND had_at IS NULL ORDER BY number LIMIT ?2";
    let most = i64::try_from(WINDOW_MAX).unwrap_or(i64::MAX);
    tx.rows(sql, params![&clinic, most], |row| {
        let tries = u32::try_from(row.get::<i64>(3)?).unwrap_or(u32::MAX);
        let sent = row.get::<Option<i64>>(2)?.map(|at_ms| Sent { at_ms, tries });
        let bytes = usize::try_from(row.get::<i64>(1)?).unwrap_or(usize::MAX);
        Ok(Due { number: from_stored(row.get(0)?), bytes, sent })
    })
}

/// Notes that the messages of these numbers are sent now, and answers them.
///
/// # Errors
/// [`super::StoreError`].
pub fn send_messages_in(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    numbers: &[u64],
    now_ms: i64,
) -> Stored<Vec<MessageIn>> {
    let mut sent = Vec::with_capacity(numbers.len());
    let sql = "UPDATE message_in SET sent_at = ?3, tries = tries + 1
        WHERE clinic = ?1 AND number = ?2 RETURNING id, medium, body, media";
    for number in numbers {
        sent.extend(tx.row(sql, params![&clinic, to_stored(*number), now_ms], to_message)?);
    }
    Ok(sent)
}

fn to_message(row: &Row<'_>) -> Stored<MessageIn> {
    Ok(MessageIn {
        id: ItemId(row.get(0)?),
        medium: row.get(1)?,
        body: row.get(2)?,
        media: row.get(3)?,
    })
}

/// Which messages are noted to be had as these numbers.
///
/// # Errors
/// [`super::StoreError`].
pub fn messages_noted(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    numbers: &[u64],
) -> Stored<HashMap<u64, ItemId>> {
    let marks: Vec<String> = (0..NUMBERS_AT_ONCE).map(|at| format!("?{}", at + 2)).collect();
    let sql = format!(
        "SELECT had_as, id FROM message_in WHERE clinic = ?1 AND had_as IN ({})",
        marks.join(", ")
    );
    let mut noted = HashMap::new();
    for numbers in numbers.chunks(NUMBERS_AT_ONCE) {
        // As many parameters each time, so that one prepared statement serves all.
        let filled = numbers.iter().chain(numbers.last().into_iter().cycle());
        let mut params = vec![Param::from(&clinic)];
        params.extend(filled.take(NUMBERS_AT_ONCE).map(|it| Param::from(to_stored(*it))));
        let found =
            tx.rows(&sql, &params, |row| Ok((from_stored(row.get(0)?), ItemId(row.get(1)?))))?;
        noted.extend(found);
    }
    Ok(noted)
}

/// The box has these, and as these numbers; counts them out in `line`, which has to be written then. What is
/// not kept any more is passed over. Answers which of them are parts of pictures and sounds that it did not have.
///
/// # Errors
/// [`super::StoreError`].
pub fn had_messages_in(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    line: &mut MessageLine,
    had: &[Had],
    now_ms: i64,
) -> Stored<Vec<ItemId>> {
    let mut parts = Vec::new();
    let note = "UPDATE message_in SET had_at = ?3, had_as = ?4
        WHERE clinic = ?1 AND id = ?2 AND had_at IS NULL RETURNING length(body), media";
    let again = "UPDATE message_in SET had_as = ?3 WHERE clinic = ?1 AND id = ?2";
    for Had { id, number } in had {
        let number = to_stored(*number);
        let is_new = tx.row(note, params![&clinic, &id.0, now_ms, number], |row| {
            let media: Option<[u8; 16]> = row.get(1)?;
            Ok((from_stored(row.get(0)?), media.is_some()))
        })?;
        let Some((bytes, is_part)) = is_new else {
            tx.execute(again, params![&clinic, &id.0, number])?;
            continue;
        };
        line.waiting = line.waiting.saturating_sub(1);
        line.waiting_bytes = line.waiting_bytes.saturating_sub(bytes);
        parts.extend(is_part.then_some(*id));
    }
    Ok(parts)
}

/// The box does not have what is noted as this number or one beyond it; counts it in `line`, which has to
/// be written then.
///
/// # Errors
/// [`super::StoreError`].
pub fn lose_messages_in(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    line: &mut MessageLine,
    from: u64,
) -> Stored<()> {
    let sql = "SELECT count(*), coalesce(sum(length(body)), 0) FROM message_in
        WHERE clinic = ?1 AND had_as >= ?2";
    let counted = tx.row(sql, params![&clinic, to_stored(from)], |row| {
        Ok((from_stored(row.get(0)?), from_stored(row.get(1)?)))
    })?;
    let Some((rows, bytes)) = counted.filter(|it| it.0 > 0) else { return Ok(()) };
    let sql = "UPDATE message_in SET had_at = NULL, had_as = NULL, sent_at = NULL, tries = 0
        WHERE clinic = ?1 AND had_as >= ?2";
    tx.execute(sql, params![&clinic, to_stored(from)])?;
    line.waiting += rows;
    line.waiting_bytes += bytes;
    Ok(())
}

/// The box connected: nothing of what waits was sent on this connection.
///
/// # Errors
/// [`super::StoreError`].
pub fn renew_messages_in(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<()> {
    let sql = "UPDATE message_in SET sent_at = NULL, tries = 0
        WHERE clinic = ?1 AND had_at IS NULL AND sent_at IS NOT NULL";
    tx.execute(sql, params![&clinic])?;
    Ok(())
}

/// Forgets what the box has had since before this time.
///
/// # Errors
/// [`super::StoreError`].
pub fn forget_messages_in(tx: &Tx<'_>, clinic: [u8; 16], before_ms: i64) -> Stored<()> {
    let sql = "DELETE FROM message_in WHERE clinic = ?1 AND had_at < ?2";
    tx.execute(sql, params![&clinic, before_ms])?;
    Ok(())
}

/// When the oldest of what waits for the box came, in ms since 1970 UTC.
///
/// # Errors
/// [`super::StoreError`].
pub fn oldest_message_in(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<Option<i64>> {
    let sql = "SELECT received_at FROM message_in WHERE clinic = ?1 AND had_at IS NULL
        ORDER BY number LIMIT 1";
    tx.row(sql, params![&clinic], |row| row.get(0))
}
