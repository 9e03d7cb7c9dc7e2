//! Parts of pictures and sounds that boxes want sent, until their message went; bodies are sealed.

use sync_protocol::relay::ItemId;

use super::sql::{Tx, params};
use super::{Stored, from_stored, to_stored};

/// A part of a picture or sound that goes with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartOut {
    /// Its id on the way.
    pub id: ItemId,
    /// What the box calls the message.
    pub message: [u8; 16],
    /// The place of its first byte.
    pub first: u64,
    /// How long all of it is, in bytes.
    pub whole: u64,
    /// How long this part is, in bytes.
    pub bytes: u64,
    /// The bytes, sealed.
    pub body: Vec<u8>,
}

/// Keeps a part that is not kept, until this time, in ms since 1970 UTC.
///
/// # Errors
/// [`super::StoreError`].
pub fn put_part_out(tx: &Tx<'_>, clinic: [u8; 16], part: &PartOut, forget_at: i64) -> Stored<()> {
    let PartOut { id, message, first, whole, bytes, body } = part;
    let sql = "INSERT INTO media_out (clinic, id, message, first, whole, bytes, body, forget_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT (clinic, message, first) DO NOTHING";
    let [first, whole, bytes] = [*first, *whole, *bytes].map(to_stored);
    tx.execute(sql, params![&clinic, &id.0, message, first, whole, bytes, body, forget_at])?;
    Ok(())
}

/// How many bytes of parts are kept for a clinic.
///
/// # Errors
/// [`super::StoreError`].
pub fn parts_out_bytes(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<u64> {
    let sql = "SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM media_out WHERE clinic = ?1";
    let found = tx.row(sql, params![&clinic], |row| Ok(from_stored(row.get(0)?)))?;
    Ok(found.unwrap_or(0))
}

/// Whether all parts of what goes with a message are here.
///
/// # Errors
/// [`super::StoreError`].
pub fn has_parts_out(tx: &Tx<'_>, clinic: [u8; 16], message: [u8; 16]) -> Stored<bool> {
    let sql = "SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT), coalesce(min(whole), 0),
          coalesce(max(whole), 0) FROM media_out WHERE clinic = ?1 AND message = ?2";
    let found = tx.row(sql, params![&clinic, &message], |row| {
        Ok((row.get::<i64>(0)?, row.get::<i64>(1)?, row.get::<i64>(2)?))
    })?;
    Ok(found.is_some_and(|(bytes, least, most)| bytes > 0 && least == bytes && most == bytes))
}

/// What goes with a message: the ids of its parts and their bytes, sealed, in order; none that is over.
///
/// # Errors
/// [`super::StoreError`].
pub fn parts_out(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    message: [u8; 16],
    now_ms: i64,
) -> Stored<Vec<(ItemId, Vec<u8>)>> {
    let sql = "SELECT id, body FROM media_out
        WHERE clinic = ?1 AND message = ?2 AND forget_at > ?3 ORDER BY first";
    let params = params![&clinic, &message, now_ms];
    tx.rows(sql, params, |row| Ok((ItemId(row.get(0)?), row.get(1)?)))
}

/// The message needs its parts until this time only, in ms since 1970 UTC.
///
/// # Errors
/// [`super::StoreError`].
pub fn end_parts_out(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    message: [u8; 16],
    forget_at: i64,
) -> Stored<()> {
    let sql = "UPDATE media_out SET forget_at = ?3 WHERE clinic = ?1 AND message = ?2";
    tx.execute(sql, params![&clinic, &message, forget_at])?;
    Ok(())
}

/// The clinics of which parts are to be forgotten now, at most `limit`; from among all clinics.
///
/// # Errors
/// [`super::StoreError`].
pub fn clinics_with_media_over(tx: &Tx<'_>, now_ms: i64, limit: u32) -> Stored<Vec<[u8; 16]>> {
    let sql = "SELECT DISTINCT clinic FROM media_over WHERE forget_at <= ?1 LIMIT ?2";
    tx.rows(sql, params![now_ms, limit], |row| row.get(0))
}

/// Forgets the parts of a clinic that are over; says how many.
///
/// # Errors
/// [`super::StoreError`].
pub fn forget_parts_out(tx: &Tx<'_>, clinic: [u8; 16], now_ms: i64) -> Stored<u64> {
    let sql = "DELETE FROM media_out WHERE clinic = ?1 AND forget_at <= ?2";
    tx.execute(sql, params![&clinic, now_ms])
}
