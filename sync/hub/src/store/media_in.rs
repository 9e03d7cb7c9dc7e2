//! Pictures and sounds that are to be fetched from providers, or lie cut into parts among what goes to the boxes.

use sync_protocol::relay::ItemId;

use super::sql::{Row, Tx, params};
use super::{Stored, from_stored, to_stored};

/// A picture or sound that is to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaIn {
    /// The id of the message that named it.
    pub id: ItemId,
    /// The account by which that came.
    pub channel: [u8; 16],
    /// By what the provider knows it, sealed.
    pub body: Vec<u8>,
    /// Since when it is to be fetched, in ms since 1970 UTC.
    pub since: i64,
    /// How often it was tried.
    pub tries: u32,
}

fn to_media(row: &Row<'_>) -> Stored<MediaIn> {
    Ok(MediaIn {
        id: ItemId(row.get(0)?),
        channel: row.get(1)?,
        body: row.get(2)?,
        since: row.get(3)?,
        tries: u32::try_from(row.get::<i64>(4)?).unwrap_or(u32::MAX),
    })
}

/// Notes that something is to be fetched, from now on.
///
/// # Errors
/// [`super::StoreError`].
pub fn note_media_in(tx: &Tx<'_>, clinic: [u8; 16], media: &MediaIn) -> Stored<()> {
    let MediaIn { id, channel, body, since, tries } = media;
    let sql = "INSERT INTO media_in (clinic, id, channel, body, state, since, next_at, tries)
        VALUES (?1, ?2, ?3, ?4, 'waiting', ?5, ?5, ?6) ON CONFLICT (clinic, id) DO NOTHING";
    tx.execute(sql, params![&clinic, &id.0, channel, body, *since, *tries])?;
    Ok(())
}

/// How much of a clinic is to be fetched, counted up to `limit`.
///
/// # Errors
/// [`super::StoreError`].
pub fn count_media_in(tx: &Tx<'_>, clinic: [u8; 16], limit: u32) -> Stored<u64> {
    let sql = "SELECT count(*) FROM
        (SELECT 1 FROM media_in WHERE clinic = ?1 AND state = 'waiting' LIMIT ?2) AS it";
    let counted = tx.row(sql, params![&clinic, limit], |row| Ok(from_stored(row.get(0)?)))?;
    Ok(counted.unwrap_or(0))
}

/// The clinics of which something is to be fetched now, at most `limit`; from among all clinics.
///
/// # Errors
/// [`super::StoreError`].
pub fn clinics_with_media_due(tx: &Tx<'_>, now_ms: i64, limit: u32) -> Stored<Vec<[u8; 16]>> {
    let sql = "SELECT DISTINCT clinic FROM media_due WHERE next_at <= ?1 LIMIT ?2";
    tx.rows(sql, params![now_ms, limit], |row| row.get(0))
}

/// Takes what is to be fetched now, for whoever commits: nobody else does before `until_ms`.
///
/// # Errors
/// [`super::StoreError`].
pub fn claim_media_in(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    (now_ms, until_ms): (i64, i64),
    limit: u32,
) -> Stored<Vec<MediaIn>> {
    let sql = "SELECT id, channel, body, since, tries FROM media_in
        WHERE clinic = ?1 AND state = 'waiting' AND next_at <= ?2 ORDER BY next_at, id LIMIT ?3";
    let mut claimed = tx.rows(sql, params![&clinic, now_ms, limit], to_media)?;
    for media in &mut claimed {
        media.tries = media.tries.saturating_add(1);
        let sql = "UPDATE media_in SET next_at = ?3, tries = ?4 WHERE clinic = ?1 AND id = ?2";
        tx.execute(sql, params![&clinic, &media.id.0, until_ms, media.tries])?;
    }
    Ok(claimed)
}

/// It is tried again at this time.
///
/// # Errors
/// [`super::StoreError`].
pub fn put_off_media_in(tx: &Tx<'_>, clinic: [u8; 16], id: ItemId, next_at: i64) -> Stored<()> {
    let sql = "UPDATE media_in SET next_at = ?3
        WHERE clinic = ?1 AND id = ?2 AND state = 'waiting'";
    tx.execute(sql, params![&clinic, &id.0, next_at])?;
    Ok(())
}

/// All that there is of it lies among what goes to the box.
///
/// # Errors
/// [`super::StoreError`].
pub fn cut_media_in(tx: &Tx<'_>, clinic: [u8; 16], id: ItemId) -> Stored<()> {
    let sql = "UPDATE media_in SET state = 'cut' WHERE clinic = ?1 AND id = ?2";
    tx.execute(sql, params![&clinic, &id.0])?;
    Ok(())
}

/// The box has this part: what is sealed in its place says nothing.
///
/// # Errors
/// [`super::StoreError`].
pub fn forget_part_in(tx: &Tx<'_>, clinic: [u8; 16], id: ItemId, nothing: &[u8]) -> Stored<()> {
    let sql = "UPDATE message_in SET body = ?3 WHERE clinic = ?1 AND id = ?2";
    tx.execute(sql, params![&clinic, &id.0, nothing])?;
    Ok(())
}

/// The box does not have the parts that are noted as this number or one beyond it. They say nothing any more: what
/// they were of is to be fetched again, from now on.
///
/// # Errors
/// [`super::StoreError`].
pub fn lose_media_in(tx: &Tx<'_>, clinic: [u8; 16], from: u64, now_ms: i64) -> Stored<()> {
    let again = "UPDATE media_in SET state = 'waiting', since = ?3, next_at = ?3, tries = 0
        WHERE clinic = ?1 AND state = 'cut' AND id IN
          (SELECT media FROM message_in
           WHERE clinic = ?1 AND had_as >= ?2 AND media IS NOT NULL)";
    tx.execute(again, params![&clinic, to_stored(from), now_ms])?;
    let gone = "DELETE FROM message_in WHERE clinic = ?1 AND had_as >= ?2 AND media IS NOT NULL";
    tx.execute(gone, params![&clinic, to_stored(from)])?;
    Ok(())
}

/// Forgets where that came from of which nothing is kept any more, if it is from before this time.
///
/// # Errors
/// [`super::StoreError`].
pub fn forget_media_in(tx: &Tx<'_>, clinic: [u8; 16], before_ms: i64) -> Stored<()> {
    let sql = "DELETE FROM media_in WHERE clinic = ?1 AND state = 'cut' AND since < ?2
        AND NOT EXISTS (SELECT 1 FROM message_in m
          WHERE m.clinic = media_in.clinic AND m.media = media_in.id)";
    tx.execute(sql, params![&clinic, before_ms])?;
    Ok(())
}
