//! What was asked once under a key of the caller's, and what was answered.

use super::sql::{Tx, params};
use super::{Stored, from_stored};

/// What is kept under this id, sealed; none if it was kept until now or before.
///
/// # Errors
/// [`super::StoreError`].
pub fn kept(tx: &Tx<'_>, clinic: [u8; 16], id: [u8; 16], now_ms: i64) -> Stored<Option<Vec<u8>>> {
    let sql = "SELECT body FROM idempotency WHERE clinic = ?1 AND id = ?2 AND until > ?3";
    tx.row(sql, params![&clinic, &id, now_ms], |row| row.get(0))
}

/// How much is kept of a clinic.
///
/// # Errors
/// [`super::StoreError`].
pub fn kept_count(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<u64> {
    let sql = "SELECT count(*) FROM idempotency WHERE clinic = ?1";
    Ok(tx.row(sql, params![&clinic], |row| row.get(0))?.map_or(0, from_stored))
}

/// Forgets what was kept until now or before.
///
/// # Errors
/// [`super::StoreError`].
pub fn forget_kept(tx: &Tx<'_>, clinic: [u8; 16], now_ms: i64) -> Stored<()> {
    let sql = "DELETE FROM idempotency WHERE clinic = ?1 AND until <= ?2";
    tx.execute(sql, params![&clinic, now_ms])?;
    Ok(())
}

/// Keeps something under an id until a time, in ms since 1970 UTC.
///
/// # Errors
/// [`super::StoreError`].
pub fn keep(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    (id, sealed): ([u8; 16], &[u8]),
    until_ms: i64,
) -> Stored<()> {
    let sql = "INSERT INTO idempotency (clinic, id, until, body) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (clinic, id) DO UPDATE SET until = excluded.until, body = excluded.body";
    tx.execute(sql, params![&clinic, &id, until_ms, sealed])?;
    Ok(())
}
