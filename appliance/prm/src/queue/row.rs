//! Reading and writing the queue's rows.

use jiff::civil::Date;
use rusqlite::Row;

use super::{Kind, QueueEntry, Status};
use crate::clinic;
use crate::db::{Read, Tx};
use crate::error::{Error, Result};
use crate::id::{AppointmentId, Noun, PatientId, PractitionerId, QueueEntryId};
use crate::schedule::stored_date;
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, local_date, to_ms};

/// Entries that one listing answers at the most.
pub const LIST_MAX: u32 = 1_000;

const COLUMNS: &str = "q.id, q.version, q.date, q.prefix, q.number, q.kind, q.status, q.patient,
  p.name, q.practitioner, q.location, l.name, q.appointment, q.joined_at, q.due, q.called_at,
  q.calls, q.finished_at, q.priority_reason
  FROM queue_entry q LEFT JOIN patient p ON p.id = q.patient LEFT JOIN location l ON l.id = q.location";

/// One entry.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: QueueEntryId) -> Result<QueueEntry> {
    stamp.needs(Right::ReadQueue)?;
    find(read, id)
}

/// The entries of a day in the order of the line, of one practitioner or of all.
pub fn list(
    read: &Read<'_>,
    stamp: &Stamp,
    date: Date,
    practitioner: Option<PractitionerId>,
) -> Result<Vec<QueueEntry>> {
    stamp.needs(Right::ReadQueue)?;
    let mut statement = read.sql().prepare_cached(&format!(
        "SELECT {COLUMNS} WHERE q.date = ?1 AND (?2 IS NULL OR q.practitioner = ?2)
         ORDER BY q.due, q.joined_at, q.id LIMIT ?3"
    ))?;
    let mut rows = statement.query((date.to_string(), practitioner, LIST_MAX))?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(from_row(row)?);
    }
    Ok(entries)
}

/// How many wait today, in all lines.
pub fn waiting_now(read: &Read<'_>, stamp: &Stamp) -> Result<i64> {
    stamp.needs(Right::ReadBoard)?;
    let today = local_date(&clinic::get(read)?.zone, stamp.now);
    Ok(read
        .sql()
        .prepare_cached("SELECT count(*) FROM queue_entry WHERE date = ?1 AND status = 'waiting'")?
        .query_row([today.to_string()], |row| row.get(0))?)
}

pub(super) fn find(read: &Read<'_>, id: QueueEntryId) -> Result<QueueEntry> {
    one(read, "q.id = ?1", [id])?.ok_or(Error::NotFound(Noun::QueueEntry))
}

pub(super) fn of_appointment(read: &Read<'_>, id: AppointmentId) -> Result<Option<QueueEntry>> {
    one(read, "q.appointment = ?1", [id])
}

/// The entry with which a patient is in a practitioner's line, or inside.
pub(super) fn in_line_of(
    read: &Read<'_>,
    date: Date,
    patient: PatientId,
    practitioner: PractitionerId,
) -> Result<Option<QueueEntry>> {
    one(
        read,
        "q.date = ?1 AND q.patient = ?2 AND q.practitioner = ?3
         AND q.status IN ('waiting', 'called', 'skipped')",
        (date.to_string(), patient, practitioner),
    )
}

pub(super) fn one(
    read: &Read<'_>,
    condition: &str,
    values: impl rusqlite::Params,
) -> Result<Option<QueueEntry>> {
    let mut statement =
        read.sql().prepare_cached(&format!("SELECT {COLUMNS} WHERE {condition} LIMIT 1"))?;
    let mut rows = statement.query(values)?;
    rows.next()?.map(from_row).transpose()
}

pub(super) fn insert(tx: &Tx<'_>, entry: &QueueEntry, (prefix, number): (&str, i64)) -> Result<()> {
    tx.sql()
        .prepare_cached(
            "INSERT INTO queue_entry (id, version, date, prefix, number, kind, status, patient,
               practitioner, location, appointment, joined_at, due, calls)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0)",
        )?
        .execute((
            entry.id,
            entry.version,
            entry.date.to_string(),
            prefix,
            number,
            entry.kind.as_str(),
            entry.status.as_str(),
            entry.patient,
            entry.practitioner,
            entry.location,
            entry.appointment,
            to_ms(entry.joined_at),
            to_ms(entry.due),
        ))?;
    Ok(())
}

pub(super) fn update(tx: &Tx<'_>, entry: &QueueEntry) -> Result<()> {
    tx.sql()
        .prepare_cached(
            "UPDATE queue_entry SET version = ?2, status = ?3, due = ?4, called_at = ?5, calls = ?6,
               finished_at = ?7, priority_reason = ?8 WHERE id = ?1",
        )?
        .execute((
            entry.id,
            entry.version,
            entry.status.as_str(),
            to_ms(entry.due),
            entry.called_at.map(to_ms),
            entry.calls,
            entry.finished_at.map(to_ms),
            &entry.priority_reason,
        ))?;
    Ok(())
}

fn from_row(row: &Row<'_>) -> Result<QueueEntry> {
    let prefix: String = row.get(3)?;
    let number: i64 = row.get(4)?;
    Ok(QueueEntry {
        id: row.get(0)?,
        version: row.get(1)?,
        date: stored_date(&row.get::<_, String>(2)?)?,
        token: token(&prefix, number),
        kind: Kind::parse(&row.get::<_, String>(5)?)?,
        status: Status::parse(&row.get::<_, String>(6)?)?,
        patient: row.get(7)?,
        patient_name: row.get(8)?,
        practitioner: row.get(9)?,
        location: row.get(10)?,
        room: row.get(11)?,
        appointment: row.get(12)?,
        joined_at: from_ms(row.get(13)?),
        due: from_ms(row.get(14)?),
        called_at: row.get::<_, Option<i64>>(15)?.map(from_ms),
        calls: row.get(16)?,
        finished_at: row.get::<_, Option<i64>>(17)?.map(from_ms),
        priority_reason: row.get(18)?,
    })
}

/// What is on the ticket.
pub(super) fn token(prefix: &str, number: i64) -> String {
    format!("{prefix}-{number:03}")
}
