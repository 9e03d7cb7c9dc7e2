//! All records of one kind in the order of their ids, for whoever tells all of them in parts.
//!
//! Invariant: what is made meanwhile is in the change log, so that a part may be cut anywhere.

use uuid::Uuid;

use crate::db::Read;
use crate::error::Result;
use crate::id::Noun;
use crate::stamp::{Right, Stamp};

/// The ids of records after an id, at most `limit`. Nouns that are no records of the clinic's own have
/// none; what is kept as given is asked for by [`chart_ids`].
pub fn ids(
    read: &Read<'_>,
    stamp: &Stamp,
    noun: Noun,
    after: Option<Uuid>,
    limit: usize,
) -> Result<Vec<Uuid>> {
    stamp.needs(Right::to_read(noun))?;
    let table = match noun {
        Noun::Clinic => "clinic",
        Noun::Patient => "patient",
        Noun::Practitioner => "practitioner",
        Noun::Location => "location",
        Noun::HealthcareService => "healthcare_service",
        Noun::Schedule => "schedule",
        Noun::Appointment => "appointment",
        Noun::QueueEntry => "queue_entry",
        Noun::Device => "device",
        Noun::Loan => "loan",
        Noun::Leave
        | Noun::ClosedDay
        | Noun::Slot
        | Noun::Chart
        | Noun::Staff
        | Noun::Session
        | Noun::Token
        | Noun::Audit
        | Noun::Merge
        | Noun::Request
        | Noun::Conflict
        | Noun::Conversation
        | Noun::Message
        | Noun::Media
        | Noun::Call
        | Noun::Ticket
        | Noun::Waitlist
        | Noun::Faq
        | Noun::Template
        | Noun::CannedAnswer
        | Noun::PatientInstruction
        | Noun::ReminderRule
        | Noun::Reminder => return Ok(Vec::new()),
    };
    let mut statement = read
        .sql()
        .prepare_cached(&format!("SELECT id FROM {table} WHERE id > ?1 ORDER BY id LIMIT ?2"))?;
    let rows = statement.query_map((bytes(after), rows(limit)), id)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The ids of resources of a kind that are kept as given and not deleted, after an id, at most `limit`.
pub fn chart_ids(
    read: &Read<'_>,
    stamp: &Stamp,
    kind: &str,
    after: Option<Uuid>,
    limit: usize,
) -> Result<Vec<Uuid>> {
    stamp.needs(Right::ReadChart)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT id FROM chart WHERE kind = ?1 AND id > ?2 AND body IS NOT NULL ORDER BY id LIMIT ?3",
    )?;
    let rows = statement.query_map((kind, bytes(after), rows(limit)), id)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The first kind after this one of which resources are kept as given.
pub fn chart_kind(read: &Read<'_>, stamp: &Stamp, after: &str) -> Result<Option<String>> {
    stamp.needs(Right::ReadChart)?;
    let mut statement = read
        .sql()
        .prepare_cached("SELECT kind FROM chart WHERE kind > ?1 ORDER BY kind LIMIT 1")?;
    let mut rows = statement.query([after])?;
    Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
}

/// What an id is compared with: every id is longer than nothing.
fn bytes(after: Option<Uuid>) -> Vec<u8> {
    after.map(|id| id.as_bytes().to_vec()).unwrap_or_default()
}

fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn id(row: &rusqlite::Row<'_>) -> rusqlite::Result<Uuid> {
    Ok(Uuid::from_bytes(row.get(0)?))
}
