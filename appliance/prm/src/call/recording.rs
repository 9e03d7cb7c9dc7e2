//! Recordings of calls: where each may be fetched, how far that is, and when it is tried again.
//!
//! ```text
//!   expect ─► due ─► begun … later (again, with a longer pause) ─► kept
//!               └─ not allowed, gone, too long, tried too often ─► refused, by a stable word
//! ```
//!
//! What was fetched is a medium (`media`), under the same id; here is only the way to it.
//!
//! Invariant: a recording that is kept stays what it is, whatever is told of its call later.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, Row};

use crate::db::{Read, Tx};
use crate::error::{Error, Result};
use crate::id::{CallId, MediaId, MessageId, Noun};
use crate::media::{self, Expecting, Found, State};
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, to_ms};

/// So often is it tried to fetch one.
pub const TRIES_MAX: u32 = 12;
/// The pause after the first try that failed; it doubles.
const PAUSE_MIN: SignedDuration = SignedDuration::from_mins(1);
/// The longest pause.
const PAUSE_MAX: SignedDuration = SignedDuration::from_hours(12);
/// The longest mark of what an address holds (ETag), in bytes.
pub const ENTITY_BYTES_MAX: usize = 256;
/// What a recording is taken for before its bytes are known.
const MEDIA_TYPE: &str = "audio/*";

/// A recording that is to be fetched.
#[derive(Clone, PartialEq, Eq)]
pub struct Recording {
    /// Of which call.
    pub call: CallId,
    /// The id under which it is kept.
    pub media: MediaId,
    /// Where it may be fetched.
    pub address: String,
    /// Tries so far.
    pub tries: u32,
    /// By what the address marked the bytes that are there already (a strong ETag), if it did.
    pub entity: Option<String>,
}

impl std::fmt::Debug for Recording {
    /// Whoever has the address may have the recording: logs never show it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recording({})", self.media)
    }
}

/// Notes where the recording of a call may be fetched. Told again with another address, it is fetched from there, unless it
/// is kept already.
pub(super) fn expect(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (call, message): (CallId, Option<MessageId>),
    address: String,
) -> Result<()> {
    let known: Option<(MediaId, String)> = tx
        .sql()
        .prepare_cached("SELECT media, address FROM recording WHERE call = ?1")?
        .query_row([call], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((media, before)) = known {
        let state = media::get(tx, stamp, media)?.state;
        if before == address || state == State::Kept {
            return Ok(());
        }
        if state == State::Waiting {
            media::refused(tx, stamp, media, "told-otherwise")?;
        }
        tx.sql().prepare_cached("DELETE FROM recording WHERE call = ?1")?.execute([call])?;
    }
    let id = MediaId::new(stamp.now);
    let media_type = MEDIA_TYPE.to_owned();
    media::expect(tx, stamp, Expecting { id, message, reference: None, media_type })?;
    tx.sql()
        .prepare_cached(
            "INSERT INTO recording (call, media, address, tries, look_at) VALUES (?1, ?2, ?3, 0, ?4)",
        )?
        .execute((call, id, address, to_ms(stamp.now)))?;
    Ok(())
}

/// Those that are to be fetched now, the longest waiting first, at most `limit`.
pub fn due(read: &Read<'_>, stamp: &Stamp, limit: u32) -> Result<Vec<Recording>> {
    stamp.needs(Right::Converse)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT call, media, address, tries, entity FROM recording
         WHERE look_at <= ?1 ORDER BY look_at, call LIMIT ?2",
    )?;
    let rows = statement.query_map((to_ms(stamp.now), limit), from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// When the next one is to be fetched, if any.
pub fn next_due(read: &Read<'_>) -> Result<Option<Timestamp>> {
    let sql = "SELECT min(look_at) FROM recording WHERE look_at IS NOT NULL";
    let next: Option<i64> = read.sql().prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(next.map(from_ms))
}

/// The recording of a call, as a medium; none if it was told without one.
pub fn of_call(read: &Read<'_>, stamp: &Stamp, call: CallId) -> Result<Option<media::Media>> {
    stamp.needs(Right::Converse)?;
    let sql = "SELECT media FROM recording WHERE call = ?1";
    let id: Option<MediaId> =
        read.sql().prepare_cached(sql)?.query_row([call], |row| row.get(0)).optional()?;
    id.map(|id| media::get(read, stamp, id)).transpose()
}

/// Remembers by what the address marks what is being fetched, so that it can be gone on with.
pub fn begun(tx: &mut Tx<'_>, stamp: &Stamp, call: CallId, entity: Option<&str>) -> Result<()> {
    stamp.needs(Right::Converse)?;
    let entity = entity.filter(|it| it.len() <= ENTITY_BYTES_MAX);
    let sql = "UPDATE recording SET entity = ?2 WHERE call = ?1";
    must_be_there(tx.sql().prepare_cached(sql)?.execute((call, entity))?)
}

/// A try failed, and may succeed later; after too many it is refused by this word.
pub fn later(tx: &mut Tx<'_>, stamp: &Stamp, call: CallId, why: &str) -> Result<()> {
    stamp.needs(Right::Converse)?;
    let sql = "SELECT call, media, address, tries, entity FROM recording WHERE call = ?1";
    let found = tx.sql().prepare_cached(sql)?.query_row([call], from_row).optional()?;
    let found = found.ok_or(Error::NotFound(Noun::Call))?;
    let (media, tries) = (found.media, found.tries + 1);
    if tries >= TRIES_MAX || media::get(tx, stamp, media)?.state != State::Waiting {
        return refused(tx, stamp, call, why);
    }
    let pause = PAUSE_MIN.saturating_mul(1 << (tries - 1).min(16)).min(PAUSE_MAX);
    let at = stamp.now.saturating_add(pause).unwrap_or(Timestamp::MAX);
    let sql = "UPDATE recording SET tries = ?2, look_at = ?3 WHERE call = ?1";
    must_be_there(tx.sql().prepare_cached(sql)?.execute((call, tries, to_ms(at)))?)
}

/// It will not be fetched, by a stable word.
pub fn refused(tx: &mut Tx<'_>, stamp: &Stamp, call: CallId, why: &str) -> Result<()> {
    let Some(media) = of_call(tx, stamp, call)? else { return Err(Error::NotFound(Noun::Call)) };
    if media.state == State::Waiting {
        media::refused(tx, stamp, media.id, why)?;
    }
    settled(tx, call)
}

/// It was fetched.
pub fn kept(tx: &mut Tx<'_>, stamp: &Stamp, call: CallId, found: &Found) -> Result<()> {
    let Some(media) = of_call(tx, stamp, call)? else { return Err(Error::NotFound(Noun::Call)) };
    if media.state != State::Kept {
        media::kept(tx, stamp, media.id, found)?;
    }
    settled(tx, call)
}

fn settled(tx: &Tx<'_>, call: CallId) -> Result<()> {
    let sql = "UPDATE recording SET look_at = NULL, entity = NULL WHERE call = ?1";
    must_be_there(tx.sql().prepare_cached(sql)?.execute([call])?)
}

fn must_be_there(rows: usize) -> Result<()> {
    if rows == 0 { Err(Error::NotFound(Noun::Call)) } else { Ok(()) }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Recording> {
    Ok(Recording {
        call: row.get(0)?,
        media: row.get(1)?,
        address: row.get(2)?,
        tries: row.get(3)?,
        entity: row.get(4)?,
    })
}
