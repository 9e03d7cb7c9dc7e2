//! How an entry is read.

use rusqlite::OptionalExtension as _;

use super::{Entry, Offer, PartOfDay, Status, Wish};
use crate::db::Read;
use crate::error::{Error, Result};
use crate::id::{Noun, PatientId, SlotId, WaitlistId};
use crate::schedule::stored_date;
use crate::stamp::{Right, Stamp};
use crate::time::from_ms;

/// As many entries are listed at once at the most.
pub const LIST_MAX: u32 = 500;

const COLUMNS: &str = "w.id, w.version, w.patient, p.name, \
    (SELECT number FROM patient_phone f WHERE f.patient = w.patient ORDER BY position LIMIT 1), \
    w.practitioner, w.specialty, w.healthcare_service, w.first_day, w.last_day, w.part_of_day, w.note, \
    w.status, w.joined_at, w.offered_schedule, w.offered_minute, w.offered_until, w.appointment, \
    w.declined_schedule, w.declined_minute \
    FROM waitlist w JOIN patient p ON p.id = w.patient";

/// Which entries to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Only those of this status; without it those that wait and those that were offered a time.
    pub status: Option<Status>,
    /// Only those of this patient.
    pub patient: Option<PatientId>,
    /// So many are left out at the beginning.
    pub skip: u32,
}

/// Entries in the order in which they joined, at most `limit`.
pub fn list(read: &Read<'_>, stamp: &Stamp, filter: Filter, limit: u32) -> Result<Vec<Entry>> {
    stamp.needs(Right::ReadAppointments)?;
    let Filter { status, patient, skip } = filter;
    let wanted = match status {
        Some(status) => format!("w.status = '{}'", status.as_str()),
        None => "w.status IN ('waiting', 'offered')".to_owned(),
    };
    let mut statement = read.sql().prepare_cached(&format!(
        "SELECT {COLUMNS} WHERE {wanted} AND (?1 IS NULL OR w.patient = ?1)
         ORDER BY w.joined_at, w.id LIMIT ?2 OFFSET ?3"
    ))?;
    read_all(statement.query((patient, limit.min(LIST_MAX), skip))?)
}

/// One entry.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: WaitlistId) -> Result<Entry> {
    stamp.needs(Right::ReadAppointments)?;
    find(read, id)
}

pub(super) fn find(read: &Read<'_>, id: WaitlistId) -> Result<Entry> {
    let mut statement = read.sql().prepare_cached(&format!("SELECT {COLUMNS} WHERE w.id = ?1"))?;
    let mut rows = statement.query([id])?;
    from_row(rows.next()?.ok_or(Error::NotFound(Noun::Waitlist))?)
}

/// What a patient waits for.
pub(super) fn open_of(read: &Read<'_>, patient: PatientId) -> Result<Vec<Entry>> {
    let mut statement = read.sql().prepare_cached(&format!(
        "SELECT {COLUMNS} WHERE w.patient = ?1 AND w.status IN ('waiting', 'offered') ORDER BY w.id"
    ))?;
    read_all(statement.query([patient])?)
}

pub(super) fn count_open(read: &Read<'_>) -> Result<i64> {
    let mut statement = read
        .sql()
        .prepare_cached("SELECT count(*) FROM waitlist WHERE status IN ('waiting', 'offered')")?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Those who wait for a day and are not offered another time just now, in the order in which they joined.
pub(super) fn waiting_for(read: &Read<'_>, day: &str, now_ms: i64) -> Result<Vec<Entry>> {
    let mut statement = read.sql().prepare_cached(&format!(
        "SELECT {COLUMNS} WHERE w.first_day <= ?1 AND w.last_day >= ?1
           AND w.status IN ('waiting', 'offered') AND (w.status = 'waiting' OR w.offered_until <= ?2)
         ORDER BY w.joined_at, w.id"
    ))?;
    read_all(statement.query((day, now_ms))?)
}

fn read_all(mut rows: rusqlite::Rows<'_>) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(from_row(row)?);
    }
    Ok(entries)
}

fn from_row(row: &rusqlite::Row<'_>) -> Result<Entry> {
    let text = |at: usize| row.get::<_, String>(at);
    let part: Option<String> = row.get(10)?;
    let offer = match (row.get(14)?, row.get(15)?, row.get::<_, Option<i64>>(16)?) {
        (Some(schedule), Some(start_minute), Some(until)) => {
            Some(Offer { slot: SlotId { schedule, start_minute }, until: from_ms(until) })
        }
        (_, _, _) => None,
    };
    let declined = match (row.get(18)?, row.get(19)?) {
        (Some(schedule), Some(start_minute)) => Some(SlotId { schedule, start_minute }),
        (_, _) => None,
    };
    Ok(Entry {
        id: row.get(0)?,
        version: row.get(1)?,
        patient: row.get(2)?,
        patient_name: row.get(3)?,
        patient_phone: row.get(4)?,
        wish: Wish {
            practitioner: row.get(5)?,
            specialty: row.get(6)?,
            healthcare_service: row.get(7)?,
            first_day: stored_date(&text(8)?)?,
            last_day: stored_date(&text(9)?)?,
            part_of_day: part.as_deref().map(PartOfDay::parse).transpose()?,
        },
        note: row.get(11)?,
        status: Status::parse(&text(12)?)?,
        joined_at: from_ms(row.get(13)?),
        offer,
        declined,
        appointment: row.get(17)?,
    })
}
