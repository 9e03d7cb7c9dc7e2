//! Calls as they are kept.

use jiff::Timestamp;
use rusqlite::Row;

use crate::contact::Phone;
use crate::db::Read;
use crate::error::{Error, Result};
use crate::id::{CallId, ConversationId, MessageId, Noun, PatientId};
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, to_ms};

/// As many calls are listed at the most.
pub const CALLS_MAX: usize = 200;

const COLUMNS: &str = "k.id, k.version, k.name, k.conversation, k.message, c.patient, k.phone, k.intent, k.duration_seconds, \
                       k.body, k.told_at \
                       FROM call k LEFT JOIN conversation c ON c.id = k.conversation";

/// A telephone call that a voice agent answered, as it was told last.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// The id.
    pub id: CallId,
    /// Grows when it is told otherwise.
    pub version: i64,
    /// What the agent calls it.
    pub name: String,
    /// Where it belongs; none of a call from a hidden number.
    pub conversation: Option<ConversationId>,
    /// As which message it was heard.
    pub message: Option<MessageId>,
    /// Whose conversation that is, once somebody has made sure.
    pub patient: Option<PatientId>,
    /// Who called, if the number was shown.
    pub phone: Option<Phone>,
    /// What the agent took the caller to want, as it was written.
    pub intent: Option<String>,
    /// How long it was; none if it was told before that was kept.
    pub duration_seconds: Option<u32>,
    /// All that was told, to the letter.
    pub body: String,
    /// When it was told.
    pub told_at: Timestamp,
}

impl std::fmt::Debug for Call {
    /// Who called and what was said is personal: logs never show it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Call({})", self.id)
    }
}

/// Which calls are listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Only those of this conversation.
    pub conversation: Option<ConversationId>,
    /// Only those of conversations with this patient.
    pub patient: Option<PatientId>,
}

/// One call.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: CallId) -> Result<Call> {
    stamp.needs(Right::Converse)?;
    let found = many(read, "WHERE k.id = ?1", [id])?.into_iter().next();
    found.ok_or(Error::NotFound(Noun::Call))
}

/// The call that was heard as this message, if one was.
pub fn of_message(read: &Read<'_>, stamp: &Stamp, id: MessageId) -> Result<Option<Call>> {
    stamp.needs(Right::Converse)?;
    Ok(many(read, "WHERE k.message = ?1", [id])?.into_iter().next())
}

/// Calls, the latest first: those after one, at most `limit`.
pub fn list(
    read: &Read<'_>,
    stamp: &Stamp,
    filter: Filter,
    (after, limit): (Option<(Timestamp, CallId)>, usize),
) -> Result<Vec<Call>> {
    stamp.needs(Right::Converse)?;
    let (at, id) = after.map_or((None, None), |(at, id)| (Some(to_ms(at)), Some(id)));
    let limit = i64::try_from(limit.min(CALLS_MAX)).unwrap_or_default();
    many(
        read,
        "WHERE (?1 IS NULL OR k.conversation = ?1) AND (?2 IS NULL OR c.patient = ?2)
           AND (?3 IS NULL OR (k.told_at, k.id) < (?3, ?4))
         ORDER BY k.told_at DESC, k.id DESC LIMIT ?5",
        (filter.conversation, filter.patient, at, id, limit),
    )
}

fn many(read: &Read<'_>, which: &str, values: impl rusqlite::Params) -> Result<Vec<Call>> {
    let mut statement = read.sql().prepare_cached(&format!("SELECT {COLUMNS} {which}"))?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(from_row(row)?);
    }
    Ok(found)
}

fn from_row(row: &Row<'_>) -> Result<Call> {
    let phone: Option<String> = row.get(6)?;
    // The country is that of numbers without a +, and a stored one has it.
    let phone = phone.map(|it| Phone::parse(&it, "IN")).transpose();
    Ok(Call {
        id: row.get(0)?,
        version: row.get(1)?,
        name: row.get(2)?,
        conversation: row.get(3)?,
        message: row.get(4)?,
        patient: row.get(5)?,
        phone: phone.map_err(|_| Error::Storage("a stored number is damaged".into()))?,
        intent: row.get(7)?,
        duration_seconds: row.get(8)?,
        body: row.get(9)?,
        told_at: from_ms(row.get(10)?),
    })
}
