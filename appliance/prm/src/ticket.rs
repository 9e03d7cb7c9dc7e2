//! Something that the desk has to do (FHIR Task): because a person asks for it, or because something did not work.

use jiff::Timestamp;
use rusqlite::OptionalExtension as _;

use crate::change::next_version;
use crate::contact;
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{ConversationId, Noun, PatientId, StaffId, TicketId};
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, to_ms};

/// As many tickets are open at the most.
pub const OPEN_MAX: i64 = 5_000;
/// As many are listed at once at the most.
pub const LIST_MAX: u32 = 500;

const COLUMNS: &str = "t.id, t.version, t.reason, t.subject, t.patient, p.name, t.conversation, t.due, \
                       t.assignee, s.name, t.status, t.opened_at, t.done_at, \
                       COALESCE(c.name, (SELECT address FROM conversation_address a \
                         WHERE a.conversation = c.id ORDER BY family, address LIMIT 1)) \
                       FROM ticket t LEFT JOIN patient p ON p.id = t.patient \
                       LEFT JOIN staff s ON s.id = t.assignee \
                       LEFT JOIN conversation c ON c.id = t.conversation";

/// Why there is a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Somebody at the desk wrote it down.
    Written,
    /// A patient wants to speak with a person.
    Asked,
    /// Reception did not understand.
    NotUnderstood,
    /// Somebody may be in danger.
    Emergency,
    /// A message did not arrive by any medium.
    NotDelivered,
    /// A visit was not confirmed.
    NotConfirmed,
    /// A call was told of that nobody known here has signed.
    NotBelieved,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::Written,
        Self::Asked,
        Self::NotUnderstood,
        Self::Emergency,
        Self::NotDelivered,
        Self::NotConfirmed,
        Self::NotBelieved,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Asked => "asked",
            Self::NotUnderstood => "not-understood",
            Self::Emergency => "emergency",
            Self::NotDelivered => "not-delivered",
            Self::NotConfirmed => "not-confirmed",
            Self::NotBelieved => "not-believed",
        }
    }

    fn stored(word: &str) -> Self {
        Self::ALL.into_iter().find(|it| it.as_str() == word).unwrap_or(Self::Written)
    }

    /// Whether one ticket is enough as long as it is open.
    fn is_said_once(self, conversation: Option<ConversationId>) -> bool {
        match self {
            Self::Written => false,
            Self::NotBelieved => true,
            Self::Asked
            | Self::NotUnderstood
            | Self::Emergency
            | Self::NotDelivered
            | Self::NotConfirmed => conversation.is_some(),
        }
    }
}

/// Whether it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is to be done.
    Open,
    /// It was done.
    Done,
}

impl Status {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Open, Self::Done];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
        }
    }

    /// The status of that word.
    pub fn parse(word: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|it| it.as_str() == word)
            .ok_or_else(|| Error::invalid("status", "the status is open or done"))
    }
}

/// Something that the desk has to do.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The id.
    pub id: TicketId,
    /// Grows with each edit.
    pub version: i64,
    /// Why there is a ticket.
    pub reason: Reason,
    /// What is to be done; empty where the reason says it all.
    pub subject: String,
    /// For whom.
    pub patient: Option<PatientId>,
    /// What they are called.
    pub patient_name: Option<String>,
    /// Where it came from, if from a conversation.
    pub conversation: Option<ConversationId>,
    /// Who speaks there: the name that they go by, or else their address.
    pub conversation_name: Option<String>,
    /// By when.
    pub due: Option<Timestamp>,
    /// Who does it.
    pub assignee: Option<StaffId>,
    /// What they are called.
    pub assignee_name: Option<String>,
    /// Whether it is done.
    pub status: Status,
    /// Since when it is there.
    pub opened_at: Timestamp,
    /// When it was done.
    pub done_at: Option<Timestamp>,
}

impl std::fmt::Debug for Ticket {
    /// What is to be done for whom is personal: logs never show it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ticket({})", self.id)
    }
}

/// What is said to open a ticket.
#[derive(Clone)]
pub struct Opening {
    /// Why.
    pub reason: Reason,
    /// What is to be done; it may be empty unless somebody wrote it down.
    pub subject: String,
    /// For whom.
    pub patient: Option<PatientId>,
    /// Where it came from.
    pub conversation: Option<ConversationId>,
    /// By when.
    pub due: Option<Timestamp>,
    /// Who does it.
    pub assignee: Option<StaffId>,
}

/// What is to be changed; what is `None` stays.
#[derive(Clone, Default)]
pub struct Edit {
    /// What is to be done.
    pub subject: Option<String>,
    /// By when; `Some(None)` takes it away.
    pub due: Option<Option<Timestamp>>,
    /// Who does it; `Some(None)` takes it away.
    pub assignee: Option<Option<StaffId>>,
    /// Whether it is done.
    pub status: Option<Status>,
}

/// Opens a ticket. One that is open for the same reason in the same conversation is answered instead, unless
/// somebody wrote it down.
pub fn open(tx: &mut Tx<'_>, stamp: &Stamp, opening: Opening) -> Result<Ticket> {
    stamp.needs(Right::Converse)?;
    let Opening { reason, subject, patient, conversation, due, assignee } = opening;
    if reason.is_said_once(conversation)
        && let Some(there) = open_for(tx, conversation, reason)?
    {
        return Ok(there);
    }
    let subject = contact::text("subject", Some(subject))?.unwrap_or_default();
    if subject.is_empty() && reason == Reason::Written {
        return Err(Error::invalid("subject", "say what is to be done"));
    }
    must_be_known(tx, "SELECT 1 FROM patient WHERE id = ?1", patient, Noun::Patient)?;
    must_be_known(tx, "SELECT 1 FROM staff WHERE id = ?1 AND disabled = 0", assignee, Noun::Staff)?;
    if count_open(tx, stamp)? >= OPEN_MAX {
        let what = format!("at most {OPEN_MAX} tickets are open; do some of them first");
        return Err(Error::refused(Code::TooMany, what));
    }
    let id = TicketId::new(stamp.now);
    tx.sql()
        .prepare_cached(
            "INSERT INTO ticket (id, version, reason, subject, patient, conversation, due, assignee,
               status, opened_at) VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, 'open', ?8)",
        )?
        .execute((
            id,
            reason.as_str(),
            &subject,
            patient,
            conversation,
            due.map(to_ms),
            assignee,
            to_ms(stamp.now),
        ))?;
    tx.record(stamp, "open", (Noun::Ticket, id.as_bytes(), 1), patient)?;
    find(tx, id)
}

/// Opens a ticket, unless the desk has as many as it can have: what it is about waits there without one, too.
pub fn leave(tx: &mut Tx<'_>, stamp: &Stamp, opening: Opening) -> Result<()> {
    match open(tx, stamp, opening) {
        Ok(_) => Ok(()),
        Err(Error::Refused(refusal)) if refusal.code == Code::TooMany => Ok(()),
        Err(error) => Err(error),
    }
}

/// Changes a ticket, finishes it or opens it again.
pub fn edit(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, seen): (TicketId, Option<i64>),
    edit: Edit,
) -> Result<Ticket> {
    stamp.needs(Right::Converse)?;
    let before = find(tx, id)?;
    let version = next_version(before.version, seen)?;
    let Edit { subject, due, assignee, status } = edit;
    let subject = match subject {
        Some(subject) => contact::text("subject", Some(subject))?.unwrap_or_default(),
        None => before.subject,
    };
    if subject.is_empty() && before.reason == Reason::Written {
        return Err(Error::invalid("subject", "say what is to be done"));
    }
    if let Some(chosen) = assignee {
        let known = "SELECT 1 FROM staff WHERE id = ?1 AND disabled = 0";
        must_be_known(tx, known, chosen, Noun::Staff)?;
    }
    let status = status.unwrap_or(before.status);
    let (verb, done_at) = match (before.status, status) {
        (Status::Open, Status::Done) => ("finish", Some(stamp.now)),
        (Status::Done, Status::Open) => ("reopen", None),
        (Status::Open, Status::Open) | (Status::Done, Status::Done) => ("edit", before.done_at),
    };
    tx.sql()
        .prepare_cached(
            "UPDATE ticket SET version = ?2, subject = ?3, due = ?4, assignee = ?5, status = ?6,
               done_at = ?7 WHERE id = ?1",
        )?
        .execute((
            id,
            version,
            &subject,
            due.unwrap_or(before.due).map(to_ms),
            assignee.unwrap_or(before.assignee),
            status.as_str(),
            done_at.map(to_ms),
        ))?;
    tx.record(stamp, verb, (Noun::Ticket, id.as_bytes(), version), before.patient)?;
    find(tx, id)
}

/// One ticket.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: TicketId) -> Result<Ticket> {
    stamp.needs(Right::Converse)?;
    find(read, id)
}

/// The tickets of a status after the place of one of them, at most `limit`: what is open by when it is due and then by
/// age, what is done the newest first.
pub fn list(
    read: &Read<'_>,
    stamp: &Stamp,
    (status, skip): (Status, u32),
    limit: u32,
) -> Result<Vec<Ticket>> {
    stamp.needs(Right::Converse)?;
    let order = match status {
        Status::Open => "t.due IS NULL, t.due, t.opened_at, t.id",
        Status::Done => "t.done_at DESC, t.id",
    };
    let mut statement = read.sql().prepare_cached(&format!(
        "SELECT {COLUMNS} WHERE t.status = '{}' ORDER BY {order} LIMIT ?1 OFFSET ?2",
        status.as_str()
    ))?;
    let rows = statement.query_map((limit.min(LIST_MAX), skip), from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How many are open.
pub fn count_open(read: &Read<'_>, stamp: &Stamp) -> Result<i64> {
    stamp.needs(Right::Converse)?;
    let mut statement =
        read.sql().prepare_cached("SELECT count(*) FROM ticket WHERE status = 'open'")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

fn open_for(
    read: &Read<'_>,
    conversation: Option<ConversationId>,
    reason: Reason,
) -> Result<Option<Ticket>> {
    // Only of what is certainly there can the index of conversations be asked.
    let is = if conversation.is_some() { "=" } else { "IS" };
    let mut statement = read.sql().prepare_cached(&format!(
        "SELECT {COLUMNS} WHERE t.conversation {is} ?1 AND t.reason = ?2 AND t.status = 'open' LIMIT 1"
    ))?;
    Ok(statement.query_row((conversation, reason.as_str()), from_row).optional()?)
}

fn find(read: &Read<'_>, id: TicketId) -> Result<Ticket> {
    let mut statement = read.sql().prepare_cached(&format!("SELECT {COLUMNS} WHERE t.id = ?1"))?;
    statement.query_row([id], from_row).optional()?.ok_or(Error::NotFound(Noun::Ticket))
}

fn must_be_known(
    read: &Read<'_>,
    sql: &str,
    id: Option<impl rusqlite::ToSql>,
    noun: Noun,
) -> Result<()> {
    let Some(id) = id else { return Ok(()) };
    if read.sql().prepare_cached(sql)?.exists([id])? { Ok(()) } else { Err(Error::NotFound(noun)) }
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Ticket> {
    let (reason, status): (String, String) = (row.get(2)?, row.get(10)?);
    let time = |at: usize| row.get::<_, Option<i64>>(at).map(|ms| ms.map(from_ms));
    Ok(Ticket {
        id: row.get(0)?,
        version: row.get(1)?,
        reason: Reason::stored(&reason),
        subject: row.get(3)?,
        patient: row.get(4)?,
        patient_name: row.get(5)?,
        conversation: row.get(6)?,
        conversation_name: row.get(13)?,
        due: time(7)?,
        assignee: row.get(8)?,
        assignee_name: row.get(9)?,
        status: if status == Status::Done.as_str() { Status::Done } else { Status::Open },
        opened_at: from_ms(row.get(11)?),
        done_at: time(12)?,
    })
}

#[cfg(test)]
mod tests;
