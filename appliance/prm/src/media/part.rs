//! Parts of what is not whole yet: rows, until it is put together in a file.

use jiff::SignedDuration;
use rusqlite::OptionalExtension as _;

use super::{Media, State, many, must_be_reference, refused, short};
use crate::db::{Read, Tx};
use crate::error::{Error, Result};
use crate::id::{MediaId, Noun};
use crate::stamp::{Right, Stamp};
use crate::time::to_ms;

/// The longest whole that comes in parts, in bytes: as long as WhatsApp takes sound.
pub const WHOLE_BYTES_MAX: u64 = 16 << 20;
/// Each part is so long, in bytes; the last one may be shorter.
pub const PART_BYTES_MAX: u64 = 512 << 10;
/// All parts of what is not whole together, in bytes, at the most.
pub const PARTS_BYTES_MAX: u64 = 256 << 20;
/// And as many of them.
pub const PARTS_MAX: u64 = 2_000;
/// Parts of which nobody knows to what they belong are forgotten after this long.
pub const PARTS_KEPT_FOR: SignedDuration = SignedDuration::from_hours(8 * 24);
/// As many old parts are forgotten with one write.
const FORGOTTEN_AT_ONCE: u32 = 100;
/// The word for what the box has no room for.
pub const NO_ROOM: &str = "no-room";

/// Some of a whole.
#[derive(Clone)]
pub struct Part {
    /// Of which, by what whoever carries it knows it.
    pub reference: String,
    /// What it is, as whoever carries it says; why it will not come, if `whole` is 0.
    pub media_type: String,
    /// Where it begins: a multiple of [`PART_BYTES_MAX`].
    pub at: u64,
    /// How long all of it is, at most [`WHOLE_BYTES_MAX`]; 0 if it will not come.
    pub whole: u64,
    /// [`PART_BYTES_MAX`] bytes, or what is left at the end.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Part {
    /// What it holds is personal: logs never show it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Part({} bytes at {} of {})", self.bytes.len(), self.at, self.whole)
    }
}

/// Something of which all parts are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// What waits for it.
    pub id: MediaId,
    /// By what its parts are known.
    pub reference: String,
    /// How long it is, in bytes.
    pub bytes: u64,
}

/// Takes in some of a whole, in whatever order, or the word that it will not come. What is there already stays.
pub fn part(tx: &mut Tx<'_>, stamp: &Stamp, part: Part) -> Result<()> {
    stamp.needs(Right::Converse)?;
    let Part { reference, media_type, at, whole, bytes } = part;
    must_be_reference(&reference)?;
    let length = bytes.len() as u64;
    let left = whole.saturating_sub(at);
    let fits = if whole == 0 {
        at == 0 && length == 0
    } else {
        whole <= WHOLE_BYTES_MAX
            && at % PART_BYTES_MAX == 0
            && at < whole
            && length == left.min(PART_BYTES_MAX)
    };
    if !fits {
        let what = format!(
            "a part begins at a multiple of {PART_BYTES_MAX} bytes and has as many, or what is left of at most {WHOLE_BYTES_MAX}"
        );
        return Err(Error::invalid("part", what));
    }
    if !is_awaited_or_unknown(tx, &reference)? {
        // It is whole already, or nobody wants it any more.
        return Ok(());
    }
    // Told otherwise, it is another whole: the last word stands.
    let sql = "DELETE FROM media_part WHERE reference = ?1 AND whole <> ?2";
    tx.sql().prepare_cached(sql)?.execute((&reference, to_stored(whole)))?;
    let (count, in_all): (i64, i64) = tx
        .sql()
        .prepare_cached("SELECT count(*), coalesce(sum(length), 0) FROM media_part")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let is_full =
        count.unsigned_abs() >= PARTS_MAX || in_all.unsigned_abs() + length > PARTS_BYTES_MAX;
    // What there is no room for is told as what will not come.
    let told = if is_full {
        forget(tx, &reference)?;
        Part { reference, media_type: NO_ROOM.to_owned(), at: 0, whole: 0, bytes: Vec::new() }
    } else {
        Part { reference, media_type, at, whole, bytes }
    };
    insert(tx, stamp, &told)?;
    examine(tx, stamp, &told.reference)
}

fn insert(tx: &Tx<'_>, stamp: &Stamp, part: &Part) -> Result<()> {
    let Part { reference, media_type, at, whole, bytes } = part;
    tx.sql()
        .prepare_cached(
            "INSERT OR IGNORE INTO media_part (reference, at, whole, media_type, taken_at, length, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            reference,
            to_stored(*at),
            to_stored(*whole),
            short(media_type),
            to_ms(stamp.now),
            to_stored(bytes.len() as u64),
            bytes,
        ))?;
    Ok(())
}

/// Looks what the parts of a reference come to: all of it, or that it will not come.
pub(super) fn examine(tx: &mut Tx<'_>, stamp: &Stamp, reference: &str) -> Result<()> {
    let Some(parts) = parts_of(tx, reference)? else { return Ok(()) };
    for media in awaiting(tx, reference)? {
        if parts.whole == 0 {
            refused(tx, stamp, media.id, &parts.media_type)?;
        } else if parts.length == parts.whole {
            let version = media.version + 1;
            let sql = "UPDATE media SET version = version + 1 WHERE id = ?1";
            tx.sql().prepare_cached(sql)?.execute([media.id])?;
            tx.record(stamp, "arrive", (Noun::Media, media.id.as_bytes(), version), media.patient)?;
        }
    }
    Ok(())
}

/// Those of which all parts are there and which wait to be put together, at most `limit`.
pub fn whole(read: &Read<'_>, stamp: &Stamp, limit: u32) -> Result<Vec<Whole>> {
    stamp.needs(Right::Converse)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT m.id, m.reference, max(p.whole) FROM media m JOIN media_part p ON p.reference = m.reference
         WHERE m.state = 'waiting' GROUP BY m.id HAVING sum(p.length) = max(p.whole)
         ORDER BY m.expected_at, m.id LIMIT ?1",
    )?;
    let rows = statement.query_map([limit], |row| {
        let bytes: i64 = row.get(2)?;
        Ok(Whole { id: row.get(0)?, reference: row.get(1)?, bytes: bytes.unsigned_abs() })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The whole that the parts of a reference come to, if all of them are there.
pub fn in_parts(read: &Read<'_>, stamp: &Stamp, reference: &str) -> Result<Option<Vec<u8>>> {
    stamp.needs(Right::Converse)?;
    let parts = parts_of(read, reference)?;
    let Some(parts) = parts.filter(|it| it.whole > 0 && it.length == it.whole) else {
        return Ok(None);
    };
    let sql = "SELECT bytes FROM media_part WHERE reference = ?1 ORDER BY at";
    let mut statement = read.sql().prepare_cached(sql)?;
    let mut rows = statement.query([reference])?;
    let mut whole = Vec::with_capacity(usize::try_from(parts.whole).unwrap_or_default());
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(0)?.as_blob();
        whole.extend_from_slice(bytes.map_err(|_| Error::Storage("a part is damaged".into()))?);
    }
    Ok(Some(whole))
}

/// Puts all of something by that was made here, for what expects it under this reference.
pub(super) fn put_by(tx: &mut Tx<'_>, stamp: &Stamp, about: &Part) -> Result<()> {
    let places = (0..about.whole).step_by(PART_BYTES_MAX as usize);
    for (at, bytes) in places.zip(about.bytes.chunks(PART_BYTES_MAX as usize)) {
        part(tx, stamp, Part { at, bytes: bytes.to_vec(), ..about.clone() })?;
    }
    Ok(())
}

/// Forgets parts that are old and for which nothing waits, some at once.
pub fn forget_old(tx: &mut Tx<'_>, stamp: &Stamp) -> Result<usize> {
    stamp.needs(Right::Converse)?;
    let before = stamp.now.checked_sub(PARTS_KEPT_FOR).unwrap_or(jiff::Timestamp::MIN);
    let sql = "DELETE FROM media_part WHERE number IN
        (SELECT number FROM media_part p WHERE taken_at < ?1 AND NOT EXISTS
           (SELECT 1 FROM media m WHERE m.reference = p.reference AND m.state = 'waiting')
         ORDER BY taken_at LIMIT ?2)";
    Ok(tx.sql().prepare_cached(sql)?.execute((to_ms(before), FORGOTTEN_AT_ONCE))?)
}

/// Forgets the parts of a reference, unless something still waits for them.
pub(super) fn forget_unless_awaited(tx: &Tx<'_>, reference: &str) -> Result<()> {
    if awaiting(tx, reference)?.is_empty() {
        forget(tx, reference)?;
    }
    Ok(())
}

/// What has come of a whole.
struct Parts {
    media_type: String,
    whole: u64,
    length: u64,
}

fn parts_of(read: &Read<'_>, reference: &str) -> Result<Option<Parts>> {
    let mut statement = read.sql().prepare_cached(
        "SELECT media_type, whole, sum(length) FROM media_part WHERE reference = ?1 GROUP BY whole",
    )?;
    let found = statement.query_row([reference], |row| {
        let (whole, length): (i64, i64) = (row.get(1)?, row.get(2)?);
        let media_type = row.get(0)?;
        Ok(Parts { media_type, whole: whole.unsigned_abs(), length: length.unsigned_abs() })
    });
    Ok(found.optional()?)
}

fn awaiting(read: &Read<'_>, reference: &str) -> Result<Vec<Media>> {
    many(read, "WHERE m.reference = ?1 AND m.state = 'waiting'", [reference])
}

/// Whether something waits for it, or nothing is known of it yet.
fn is_awaited_or_unknown(read: &Read<'_>, reference: &str) -> Result<bool> {
    let sql = "SELECT state FROM media WHERE reference = ?1";
    let mut statement = read.sql().prepare_cached(sql)?;
    let mut rows = statement.query([reference])?;
    let mut is_known = false;
    while let Some(row) = rows.next()? {
        is_known = true;
        if State::stored(&row.get::<_, String>(0)?)? == State::Waiting {
            return Ok(true);
        }
    }
    Ok(!is_known)
}

fn forget(tx: &Tx<'_>, reference: &str) -> Result<()> {
    let sql = "DELETE FROM media_part WHERE reference = ?1";
    tx.sql().prepare_cached(sql)?.execute([reference])?;
    Ok(())
}

/// Lengths are bounded far below.
fn to_stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
