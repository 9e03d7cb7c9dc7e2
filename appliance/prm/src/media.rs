//! Pictures, voice notes, documents and recordings: what is expected, what came of it, and what became of it.
//!
//! ```text
//!   expect ─► waits ─► part … part ─► whole ─► kept
//!                        └─ never comes, is not allowed, is damaged ─► refused, by a stable word
//! ```
//!
//! What a whole holds lies outside the records, in a file; here is how long it is and its hash.
//!
//! Invariant: a part is a row before whoever carries it hears that it was taken.
//! Invariant: parts come in any order, twice, and before it is known what they belong to.

mod part;

use jiff::{SignedDuration, Timestamp};
use rusqlite::Row;

use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{MediaId, MessageId, Noun, PatientId};
use crate::message;
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, to_ms};

pub use self::part::{
    NO_ROOM, PART_BYTES_MAX, PARTS_BYTES_MAX, PARTS_KEPT_FOR, PARTS_MAX, Part, WHOLE_BYTES_MAX,
    Whole, forget_old, in_parts, part, whole,
};

/// The longest reference, in bytes: addresses of recordings are long.
pub const REFERENCE_BYTES_MAX: usize = 2_048;
/// The longest media type that is kept, and the longest word why something is not there, in letters.
pub const WORD_LETTERS_MAX: usize = 100;
/// Media of one message, at the most.
pub const OF_MESSAGE_MAX: usize = 20;
/// What is expected and did not come for this long will not come.
pub const WAITS_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The word for what never came.
pub const NEVER_CAME: &str = "never-came";
/// As many that never came are given up with one write.
const GIVEN_UP_AT_ONCE: usize = 100;

const COLUMNS: &str = "m.id, m.version, m.message, c.patient, m.reference, m.media_type, m.state, m.bytes, m.sha256, \
                       m.why, m.expected_at, m.changed_at \
                       FROM media m LEFT JOIN message s ON s.id = m.message \
                       LEFT JOIN conversation c ON c.id = s.conversation";

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is expected.
    Waiting,
    /// It lies in its file.
    Kept,
    /// It is not there and is not expected any more.
    Refused,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Kept, Self::Refused];

    /// The word for it, in the records and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Kept => "kept",
            Self::Refused => "refused",
        }
    }

    fn stored(word: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|it| it.as_str() == word);
        known.ok_or_else(|| Error::Storage("a stored medium's state is damaged".into()))
    }
}

/// A picture, a voice note, a document, a recording.
#[derive(Clone, PartialEq, Eq)]
pub struct Media {
    /// The id, by which its file is called, too.
    pub id: MediaId,
    /// Grows with each step.
    pub version: i64,
    /// To which message it belongs, if to one.
    pub message: Option<MessageId>,
    /// Whose conversation that is, once somebody has made sure.
    pub patient: Option<PatientId>,
    /// By what whoever carries it knows it.
    pub reference: Option<String>,
    /// What it is: while it waits, as its sender says it; once it is kept, as its bytes say it.
    pub media_type: String,
    /// What became of it.
    pub state: State,
    /// How long it is, once it is kept.
    pub bytes: Option<u64>,
    /// Its SHA-256, once it is kept.
    pub sha256: Option<[u8; 32]>,
    /// Why it is not there, if it was refused: a stable word.
    pub why: Option<String>,
    /// Since when it is expected.
    pub expected_at: Timestamp,
    /// When something last became of it.
    pub changed_at: Timestamp,
}

impl std::fmt::Debug for Media {
    /// Where it may be fetched is nobody's business in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Media({} {})", self.id, self.state.as_str())
    }
}

/// What is expected.
#[derive(Clone)]
pub struct Expecting {
    /// The id that it gets, as the content of its message names it.
    pub id: MediaId,
    /// To which message it belongs, if to one.
    pub message: Option<MessageId>,
    /// By what whoever carries it knows it, if it comes in parts or is to be fetched.
    pub reference: Option<String>,
    /// What its sender says that it is.
    pub media_type: String,
}

/// What lies in a file now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is, by its bytes.
    pub media_type: String,
    /// How long it is.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
}

/// Notes that something is expected. What came of it before is counted.
pub fn expect(tx: &mut Tx<'_>, stamp: &Stamp, expecting: Expecting) -> Result<Media> {
    stamp.needs(Right::Converse)?;
    let Expecting { id, message, reference, media_type } = expecting;
    if let Some(reference) = &reference {
        must_be_reference(reference)?;
    }
    if let Some(message) = message {
        message::get(tx, stamp, message)?;
        if of_message(tx, stamp, message)?.len() >= OF_MESSAGE_MAX {
            let what = format!("a message has at most {OF_MESSAGE_MAX} pictures and sounds");
            return Err(Error::refused(Code::TooMany, what));
        }
    }
    let sql = "INSERT INTO media (id, version, message, reference, media_type, state, expected_at,
        changed_at) VALUES (?1, 1, ?2, ?3, ?4, 'waiting', ?5, ?5)";
    let values = (id, message, &reference, short(&media_type), to_ms(stamp.now));
    tx.sql().prepare_cached(sql)?.execute(values)?;
    let expected = get(tx, stamp, id)?;
    tx.record(stamp, "expect", (Noun::Media, id.as_bytes(), 1), expected.patient)?;
    if let Some(reference) = &reference {
        part::examine(tx, stamp, reference)?;
    }
    get(tx, stamp, id)
}

/// Notes something that was made here, for a message of ours, and keeps what it holds until it lies in its file.
pub fn provide(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, message): (MediaId, MessageId),
    (media_type, bytes): (&str, Vec<u8>),
) -> Result<Media> {
    let (reference, media_type) = (format!("own:{id}"), media_type.to_owned());
    let expecting = Expecting {
        id,
        message: Some(message),
        reference: Some(reference.clone()),
        media_type: media_type.clone(),
    };
    expect(tx, stamp, expecting)?;
    let whole = bytes.len() as u64;
    part::put_by(tx, stamp, &Part { reference, media_type, at: 0, whole, bytes })?;
    get(tx, stamp, id)
}

/// What was expected lies in its file. Its parts are forgotten, unless another one waits for them. What was given up may
/// come after all; what is kept stays as it is.
pub fn kept(tx: &mut Tx<'_>, stamp: &Stamp, id: MediaId, found: &Found) -> Result<Media> {
    let media = get(tx, stamp, id)?;
    if media.state == State::Kept {
        return Err(Error::refused(Code::IllegalStep, "this is kept already"));
    }
    let Found { media_type, bytes, sha256 } = found;
    let bytes = i64::try_from(*bytes).map_err(|_| Error::invalid("bytes", "this is too long"))?;
    let sql = "UPDATE media SET version = version + 1, state = 'kept', media_type = ?2, bytes = ?3, sha256 = ?4,
        why = NULL, changed_at = ?5 WHERE id = ?1";
    let values = (id, short(media_type), bytes, sha256, to_ms(stamp.now));
    tx.sql().prepare_cached(sql)?.execute(values)?;
    settled(tx, stamp, "keep", &media)
}

/// What was expected is not there and will not come, by a stable word.
pub fn refused(tx: &mut Tx<'_>, stamp: &Stamp, id: MediaId, why: &str) -> Result<Media> {
    let media = get(tx, stamp, id)?;
    if media.state != State::Waiting {
        return Err(Error::refused(Code::IllegalStep, "this is not waited for any more"));
    }
    let why = short(why);
    let why = if why.is_empty() { "unknown".to_owned() } else { why };
    let sql = "UPDATE media SET version = version + 1, state = 'refused', why = ?2, changed_at = ?3
        WHERE id = ?1";
    tx.sql().prepare_cached(sql)?.execute((id, why, to_ms(stamp.now)))?;
    settled(tx, stamp, "refuse", &media)
}

/// Gives up what is expected since long ago, some at once. Answers how many were given up.
pub fn give_up(tx: &mut Tx<'_>, stamp: &Stamp) -> Result<usize> {
    stamp.needs(Right::Converse)?;
    let before = stamp.now.checked_sub(WAITS_FOR).unwrap_or(Timestamp::MIN);
    let overdue = many(
        tx,
        "WHERE m.state = 'waiting' AND m.expected_at < ?1 ORDER BY m.expected_at LIMIT ?2",
        (to_ms(before), GIVEN_UP_AT_ONCE as i64),
    )?;
    for media in &overdue {
        refused(tx, stamp, media.id, NEVER_CAME)?;
    }
    Ok(overdue.len())
}

/// One of them.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: MediaId) -> Result<Media> {
    stamp.needs(Right::Converse)?;
    let found = many(read, "WHERE m.id = ?1", [id])?.into_iter().next();
    found.ok_or(Error::NotFound(Noun::Media))
}

/// Those of a message, in the order in which they were expected.
pub fn of_message(read: &Read<'_>, stamp: &Stamp, id: MessageId) -> Result<Vec<Media>> {
    stamp.needs(Right::Converse)?;
    many(read, "WHERE m.message = ?1 ORDER BY m.expected_at, m.id", [id])
}

/// The ids of all that lie in files, those after one of them in the order of their bytes, at most `limit`.
pub fn kept_after(
    read: &Read<'_>,
    stamp: &Stamp,
    after: Option<MediaId>,
    limit: u32,
) -> Result<Vec<MediaId>> {
    stamp.needs(Right::Converse)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT id FROM media WHERE state = 'kept' AND (?1 IS NULL OR id > ?1) ORDER BY id LIMIT ?2",
    )?;
    let rows = statement.query_map((after, limit), |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How many lie in files, and how long they are together, in bytes.
pub fn kept_in_all(read: &Read<'_>) -> Result<(u64, u64)> {
    let sql = "SELECT count(*), coalesce(sum(bytes), 0) FROM media WHERE state = 'kept'";
    let (count, bytes): (i64, i64) =
        read.sql().prepare_cached(sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((count.unsigned_abs(), bytes.unsigned_abs()))
}

/// Records a step; the version has grown by one.
fn settled(tx: &mut Tx<'_>, stamp: &Stamp, verb: &'static str, before: &Media) -> Result<Media> {
    let version = before.version + 1;
    tx.record(stamp, verb, (Noun::Media, before.id.as_bytes(), version), before.patient)?;
    if let Some(reference) = &before.reference {
        part::forget_unless_awaited(tx, reference)?;
    }
    get(tx, stamp, before.id)
}

fn must_be_reference(reference: &str) -> Result<()> {
    if reference.is_empty() || reference.len() > REFERENCE_BYTES_MAX {
        let what = format!("a reference has 1 to {REFERENCE_BYTES_MAX} bytes");
        return Err(Error::invalid("reference", what));
    }
    Ok(())
}

fn short(word: &str) -> String {
    word.chars().take(WORD_LETTERS_MAX).collect()
}

fn many(read: &Read<'_>, which: &str, values: impl rusqlite::Params) -> Result<Vec<Media>> {
    let mut statement = read.sql().prepare_cached(&format!("SELECT {COLUMNS} {which}"))?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(from_row(row)?);
    }
    Ok(found)
}

fn from_row(row: &Row<'_>) -> Result<Media> {
    Ok(Media {
        id: row.get(0)?,
        version: row.get(1)?,
        message: row.get(2)?,
        patient: row.get(3)?,
        reference: row.get(4)?,
        media_type: row.get(5)?,
        state: State::stored(&row.get::<_, String>(6)?)?,
        bytes: row.get::<_, Option<i64>>(7)?.map(i64::unsigned_abs),
        sha256: row.get(8)?,
        why: row.get(9)?,
        expected_at: from_ms(row.get(10)?),
        changed_at: from_ms(row.get(11)?),
    })
}

#[cfg(test)]
mod tests;
