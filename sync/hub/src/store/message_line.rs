//! How the messages of each clinic are: how many wait for its box, and how many were taken from it.

use super::sql::{Row, Tx, params};
use super::{Stored, from_stored, to_stored};

/// How the messages of a clinic are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageLine {
    /// The last number that was given to a message that came for the clinic.
    pub last: u64,
    /// How many of these the box does not have.
    pub waiting: u64,
    /// Of how many bytes those are, sealed.
    pub waiting_bytes: u64,
    /// When those that wait were last made due because the box had connected, in ms since 1970 UTC.
    pub renewed_at: i64,
    /// How many were taken from the box.
    pub taken: u64,
}

/// How the messages of a clinic are; as before the first if there were none.
///
/// # Errors
/// [`super::StoreError`].
pub fn message_line(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<MessageLine> {
    let sql = "SELECT last, waiting, waiting_bytes, renewed_at, taken
        FROM message_line WHERE clinic = ?1";
    let found = tx.row(sql, params![&clinic], |row| {
        Ok(MessageLine {
            last: from_stored(row.get(0)?),
            waiting: from_stored(row.get(1)?),
            waiting_bytes: from_stored(row.get(2)?),
            renewed_at: row.get(3)?,
            taken: from_stored(row.get(4)?),
        })
    })?;
    Ok(found.unwrap_or_default())
}

/// Writes how the messages of a clinic are.
///
/// # Errors
/// [`super::StoreError`].
pub fn put_message_line(tx: &Tx<'_>, clinic: [u8; 16], line: &MessageLine) -> Stored<()> {
    let MessageLine { last, waiting, waiting_bytes, renewed_at, taken } = line;
    let sql = "INSERT INTO message_line (clinic, last, waiting, waiting_bytes, renewed_at, taken)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (clinic) DO UPDATE SET last = excluded.last, waiting = excluded.waiting,
          waiting_bytes = excluded.waiting_bytes, renewed_at = excluded.renewed_at,
          taken = excluded.taken";
    let numbers = [*last, *waiting, *waiting_bytes, *taken].map(to_stored);
    let [last, waiting, waiting_bytes, taken] = numbers;
    tx.execute(sql, params![&clinic, last, waiting, waiting_bytes, *renewed_at, taken])?;
    Ok(())
}

/// The clinics for whose boxes something waits, at most `limit`; from among all clinics.
///
/// # Errors
/// [`super::StoreError`].
pub fn clinics_with_messages(tx: &Tx<'_>, limit: u32) -> Stored<Vec<[u8; 16]>> {
    let sql = "SELECT clinic FROM message_waiting ORDER BY clinic LIMIT ?1";
    tx.rows(sql, params![limit], |row: &Row<'_>| row.get(0))
}
