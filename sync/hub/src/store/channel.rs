//! The accounts of clinics at providers, and by what requests of providers name them.

use super::Stored;
use super::sql::{Row, Tx, params};

/// An account as it lies here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelRow {
    /// Its id.
    pub id: [u8; 16],
    /// Whose format it speaks: `twilio`, `meta` or `voice-agent`.
    pub carrier: String,
    /// What it is called and its secrets, sealed.
    pub body: Vec<u8>,
    /// When it was added, in ms since 1970 UTC.
    pub added_at: i64,
}

/// A hash of what names an account, and whether it may name no other.
pub type ChannelName = ([u8; 32], bool);

/// The accounts of a clinic, the oldest first.
///
/// # Errors
/// [`super::StoreError`].
pub fn channels(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<Vec<ChannelRow>> {
    let sql = "SELECT id, carrier, body, added_at FROM channel WHERE clinic = ?1
        ORDER BY added_at, id";
    tx.rows(sql, params![&clinic], to_channel)
}

/// An account of a clinic.
///
/// # Errors
/// [`super::StoreError`].
pub fn channel(tx: &Tx<'_>, clinic: [u8; 16], id: [u8; 16]) -> Stored<Option<ChannelRow>> {
    let sql = "SELECT id, carrier, body, added_at FROM channel WHERE clinic = ?1 AND id = ?2";
    tx.row(sql, params![&clinic, &id], to_channel)
}

/// Writes an account and what names it, in place of what was written under its id.
///
/// # Errors
/// [`super::StoreError`]; also if a name that stands alone names another account by now.
pub fn put_channel(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    row: &ChannelRow,
    names: &[ChannelName],
) -> Stored<()> {
    let ChannelRow { id, carrier, body, added_at } = row;
    let sql = "INSERT INTO channel (clinic, id, carrier, body, added_at)
        VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (clinic, id) DO UPDATE SET body = excluded.body";
    tx.execute(sql, params![&clinic, id, carrier, body, *added_at])?;
    let sql = "DELETE FROM channel_name WHERE clinic = ?1 AND channel = ?2";
    tx.execute(sql, params![&clinic, id])?;
    let sql = "INSERT INTO channel_name (clinic, name, channel, alone) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (clinic, name, channel) DO NOTHING";
    for (name, alone) in names {
        tx.execute(sql, params![&clinic, name, id, *alone])?;
    }
    Ok(())
}

/// Removes an account; says whether it was there.
///
/// # Errors
/// [`super::StoreError`].
pub fn remove_channel(tx: &Tx<'_>, clinic: [u8; 16], id: [u8; 16]) -> Stored<bool> {
    let sql = "DELETE FROM channel_name WHERE clinic = ?1 AND channel = ?2";
    tx.execute(sql, params![&clinic, &id])?;
    let sql = "DELETE FROM channel WHERE clinic = ?1 AND id = ?2";
    Ok(tx.execute(sql, params![&clinic, &id])? > 0)
}

/// Whose accounts are named so, clinic and account, at most `limit`; also from among all clinics.
///
/// # Errors
/// [`super::StoreError`].
pub fn channel_owners(
    tx: &Tx<'_>,
    name: [u8; 32],
    limit: u32,
) -> Stored<Vec<([u8; 16], [u8; 16])>> {
    let sql = "SELECT clinic, channel FROM channel_owner WHERE name = ?1
        ORDER BY clinic, channel LIMIT ?2";
    tx.rows(sql, params![&name, limit], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The names of a clinic's accounts that name no other.
///
/// # Errors
/// [`super::StoreError`].
pub fn channel_names_alone(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<Vec<[u8; 32]>> {
    let sql = "SELECT name FROM channel_name WHERE clinic = ?1 AND alone = 1 ORDER BY name";
    tx.rows(sql, params![&clinic], |row| row.get(0))
}

fn to_channel(row: &Row<'_>) -> Stored<ChannelRow> {
    Ok(ChannelRow {
        id: row.get(0)?,
        carrier: row.get(1)?,
        body: row.get(2)?,
        added_at: row.get(3)?,
    })
}
