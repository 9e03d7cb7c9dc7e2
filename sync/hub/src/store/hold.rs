//! Lent slots that are held for somebody.

use sync_protocol::wire::SlotKey;

use super::sql::{Row, Tx, params};
use super::{Stored, from_stored};

/// A slot that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The slot.
    pub slot: SlotKey,
    /// The id under which it was answered.
    pub id: [u8; 16],
    /// The appointment as it was answered, sealed.
    pub sealed: Vec<u8>,
    /// Until when, in ms since 1970 UTC.
    pub until: i64,
}

const COLUMNS: &str = "slot, id, body, until FROM hold";

/// The hold of this id, over or not.
///
/// # Errors
/// [`super::StoreError`].
pub fn hold(tx: &Tx<'_>, clinic: [u8; 16], id: [u8; 16]) -> Stored<Option<Hold>> {
    let sql = format!("SELECT {COLUMNS} WHERE clinic = ?1 AND id = ?2");
    tx.row(&sql, params![&clinic, &id], to_hold)
}

/// The slots that are held now, at most `limit`.
///
/// # Errors
/// [`super::StoreError`].
pub fn held_slots(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    now_ms: i64,
    limit: u32,
) -> Stored<Vec<(SlotKey, [u8; 16])>> {
    let sql = "SELECT slot, id FROM hold WHERE clinic = ?1 AND until > ?2 LIMIT ?3";
    tx.rows(sql, params![&clinic, now_ms, limit], |row| Ok((SlotKey(row.get(0)?), row.get(1)?)))
}

/// How many slots are held now.
///
/// # Errors
/// [`super::StoreError`].
pub fn hold_count(tx: &Tx<'_>, clinic: [u8; 16], now_ms: i64) -> Stored<u64> {
    let sql = "SELECT count(*) FROM hold WHERE clinic = ?1 AND until > ?2";
    Ok(tx.row(sql, params![&clinic, now_ms], |row| row.get(0))?.map_or(0, from_stored))
}

/// Holds a slot, unless it is held by another hold that is not over; says whether it did. Holds that are
/// over are forgotten.
///
/// # Errors
/// [`super::StoreError`].
pub fn put_hold(tx: &Tx<'_>, clinic: [u8; 16], hold: &Hold, now_ms: i64) -> Stored<bool> {
    tx.execute("DELETE FROM hold WHERE clinic = ?1 AND until <= ?2", params![&clinic, now_ms])?;
    let Hold { slot, id, sealed, until } = hold;
    let sql = "INSERT INTO hold (clinic, slot, id, body, until) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (clinic, slot) DO NOTHING";
    Ok(tx.execute(sql, params![&clinic, &slot.0, id, sealed, *until])? > 0)
}

/// Lets a slot go; says whether it was held.
///
/// # Errors
/// [`super::StoreError`].
pub fn drop_hold(tx: &Tx<'_>, clinic: [u8; 16], id: [u8; 16]) -> Stored<bool> {
    let sql = "DELETE FROM hold WHERE clinic = ?1 AND id = ?2";
    Ok(tx.execute(sql, params![&clinic, &id])? > 0)
}

fn to_hold(row: &Row<'_>) -> Stored<Hold> {
    Ok(Hold {
        slot: SlotKey(row.get(0)?),
        id: row.get(1)?,
        sealed: row.get(2)?,
        until: row.get(3)?,
    })
}
