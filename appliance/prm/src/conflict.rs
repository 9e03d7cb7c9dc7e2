//! What was edited here and at the hub, each otherwise: both are kept, and the desk decides.
//!
//! Invariant: what the hub edited and the record does not say is either here, or was ruled on by a
//! person; nothing is dropped without a word.

use jiff::Timestamp;
use rusqlite::Row;

use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{ConflictId, Noun, PatientId};
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, to_ms};

/// As many conflicts wait for a person at the most; then no edit of the hub is taken in any more.
pub const OPEN_MAX: i64 = 5_000;

const COLUMNS: &str = "id, version, patient, field, base, here, there, edited_by, edited_at, \
                       noted_at, ruling FROM conflict";

/// One element of a patient that two sides edited.
#[derive(Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Its id.
    pub id: ConflictId,
    /// 1 while it is open, then 2.
    pub version: i64,
    /// Whose record it is.
    pub patient: PatientId,
    /// What it is about.
    pub what: Disputed,
    /// When it came to light.
    pub noted_at: Timestamp,
    /// What somebody decided.
    pub ruling: Option<Ruling>,
}

impl std::fmt::Debug for Conflict {
    /// The values are personal: logs never show them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Conflict({})", self.id)
    }
}

/// What two sides say. Values are JSON; `null` where an element is not there.
#[derive(Clone, PartialEq, Eq)]
pub struct Disputed {
    /// The element (FHIR Patient), and of which kind of it where there are several:
    /// `telecom:phone`.
    pub field: String,
    /// What both had before.
    pub base: String,
    /// What was said here.
    pub here: String,
    /// What was said at the hub.
    pub there: String,
    /// Who said it there, by a word of the hub.
    pub edited_by: String,
    /// When it was said there, by the hub's clock.
    pub edited_at: Timestamp,
}

/// What somebody decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// What was said here stands.
    Kept,
    /// What was said at the hub was taken.
    Taken,
}

impl Ruling {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Taken => "taken",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Kept, Self::Taken].into_iter().find(|it| it.as_str() == word)
    }
}

/// How many conflicts are open.
pub fn count_open(read: &Read<'_>) -> Result<i64> {
    let mut statement =
        read.sql().prepare_cached("SELECT count(*) FROM conflict WHERE ruling IS NULL")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Keeps what two sides say.
pub fn note(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    patient: PatientId,
    disputed: &Disputed,
) -> Result<ConflictId> {
    stamp.needs(Right::AnswerRequests)?;
    if count_open(tx)? >= OPEN_MAX {
        let what = "too many edits wait for a person; decide on some of them first";
        return Err(Error::refused(Code::TooMany, what));
    }
    let id = ConflictId::new(stamp.now);
    let Disputed { field, base, here, there, edited_by, edited_at } = disputed;
    tx.sql()
        .prepare_cached(
            "INSERT INTO conflict (id, version, patient, field, base, here, there, edited_by,
               edited_at, noted_at) VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute((
            id,
            patient,
            field,
            base,
            here,
            there,
            edited_by,
            to_ms(*edited_at),
            to_ms(stamp.now),
        ))?;
    tx.record(stamp, "note", (Noun::Conflict, id.as_bytes(), 1), Some(patient))?;
    Ok(id)
}

/// The conflicts that are open, the oldest first; never more than [`OPEN_MAX`].
pub fn open(read: &Read<'_>, stamp: &Stamp) -> Result<Vec<Conflict>> {
    stamp.needs(Right::AnswerRequests)?;
    let mut statement = read
        .sql()
        .prepare_cached(&format!("SELECT {COLUMNS} WHERE ruling IS NULL ORDER BY noted_at, id"))?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// One conflict, decided or not.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: ConflictId) -> Result<Conflict> {
    stamp.needs(Right::AnswerRequests)?;
    let mut statement = read.sql().prepare_cached(&format!("SELECT {COLUMNS} WHERE id = ?1"))?;
    let mut rows = statement.query_map([id], from_row)?;
    rows.next().transpose()?.ok_or(Error::NotFound(Noun::Conflict))
}

/// Notes what somebody decided. What stands in the record is written by its own verb, in the same
/// transaction.
pub fn rule(tx: &mut Tx<'_>, stamp: &Stamp, id: ConflictId, ruling: Ruling) -> Result<Conflict> {
    let before = get(tx, stamp, id)?;
    if before.ruling.is_some() {
        let what = "this was decided already; look at the patient";
        return Err(Error::refused(Code::IllegalStep, what));
    }
    tx.sql()
        .prepare_cached(
            "UPDATE conflict SET version = 2, ruling = ?2, ruled_at = ?3 WHERE id = ?1",
        )?
        .execute((id, ruling.as_str(), to_ms(stamp.now)))?;
    let verb = match ruling {
        Ruling::Kept => "keep",
        Ruling::Taken => "take",
    };
    tx.record(stamp, verb, (Noun::Conflict, id.as_bytes(), 2), Some(before.patient))?;
    Ok(Conflict { version: 2, ruling: Some(ruling), ..before })
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Conflict> {
    let ruling: Option<String> = row.get(10)?;
    Ok(Conflict {
        id: row.get(0)?,
        version: row.get(1)?,
        patient: row.get(2)?,
        what: Disputed {
            field: row.get(3)?,
            base: row.get(4)?,
            here: row.get(5)?,
            there: row.get(6)?,
            edited_by: row.get(7)?,
            edited_at: from_ms(row.get(8)?),
        },
        noted_at: from_ms(row.get(9)?),
        ruling: ruling.as_deref().and_then(Ruling::parse),
    })
}
