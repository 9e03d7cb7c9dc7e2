//! Reading and writing the rows of loans.

use jiff::Timestamp;
use rusqlite::Row;

use super::Loan;
use crate::db::{Read, Tx};
use crate::error::{Error, Result};
use crate::id::{LoanId, Noun, PractitionerId, ScheduleId, SlotId};
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, to_ms};

/// Loans that one listing answers at the most.
pub const LIST_MAX: u32 = 2_000;

const COLUMNS: &str =
    "id, version, schedule, start, lane, practitioner, end, holder, due, sale, state FROM loan";

/// Which loans that are away to list, by start.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this practitioner.
    pub practitioner: Option<PractitionerId>,
    /// That start at this time or later.
    pub from: Option<Timestamp>,
    /// That start before this time.
    pub to: Option<Timestamp>,
    /// That come after this start and id: the cursor.
    pub after: Option<(Timestamp, LoanId)>,
}

/// One loan.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: LoanId) -> Result<Loan> {
    stamp.needs(Right::to_read(Noun::Loan))?;
    find(read, id)
}

pub(super) fn find(read: &Read<'_>, id: LoanId) -> Result<Loan> {
    let mut statement = read.sql().prepare_cached(&format!("SELECT {COLUMNS} WHERE id = ?1"))?;
    let mut rows = statement.query([id])?;
    from_row(rows.next()?.ok_or(Error::NotFound(Noun::Loan))?)
}

/// The loan of one lane of a slot, if it was ever lent.
pub fn at(read: &Read<'_>, slot: SlotId, lane: i64) -> Result<Option<Loan>> {
    let mut statement = read.sql().prepare_cached(&format!(
        "SELECT {COLUMNS} WHERE schedule = ?1 AND start = ?2 AND lane = ?3"
    ))?;
    let mut rows = statement.query((slot.schedule, to_ms(slot.start()), lane))?;
    rows.next()?.map(from_row).transpose()
}

/// Loans that are away, by start, at most `limit` (and never more than [`LIST_MAX`]).
pub fn list(read: &Read<'_>, stamp: &Stamp, filter: &Filter, limit: u32) -> Result<Vec<Loan>> {
    stamp.needs(Right::to_read(Noun::Loan))?;
    let Filter { practitioner, from, to, after } = filter;
    let mut statement = read.sql().prepare_cached(&format!(
        "SELECT {COLUMNS} WHERE holder = 'away' AND start >= ?1 AND start < ?2
         AND (?3 IS NULL OR practitioner = ?3) AND (?4 IS NULL OR (start, id) > (?4, ?5))
         ORDER BY start, id LIMIT ?6"
    ))?;
    let floor = after.map(|(start, _)| start).max(*from);
    let mut rows = statement.query((
        floor.map_or(i64::MIN, to_ms),
        to.map_or(i64::MAX, to_ms),
        practitioner,
        after.map(|(start, _)| to_ms(start)),
        after.map(|(_, id)| id),
        limit.min(LIST_MAX),
    ))?;
    all(&mut rows)
}

/// How many loans are away.
pub fn away_count(read: &Read<'_>) -> Result<i64> {
    Ok(read
        .sql()
        .prepare_cached("SELECT count(*) FROM loan WHERE holder = 'away'")?
        .query_row([], |row| row.get(0))?)
}

/// Loans about which the hub has to hear something, after an id, by id.
pub fn due(read: &Read<'_>, after: Option<LoanId>, limit: u32) -> Result<Vec<Loan>> {
    let mut statement = read.sql().prepare_cached(&format!(
        "SELECT {COLUMNS} WHERE due = 1 AND id > ?1 ORDER BY id LIMIT ?2"
    ))?;
    let mut rows = statement.query((bytes(after), limit.min(LIST_MAX)))?;
    all(&mut rows)
}

/// All loans after an id, by id, whatever their state.
pub fn in_order(read: &Read<'_>, after: Option<LoanId>, limit: u32) -> Result<Vec<Loan>> {
    let mut statement = read
        .sql()
        .prepare_cached(&format!("SELECT {COLUMNS} WHERE id > ?1 ORDER BY id LIMIT ?2"))?;
    let mut rows = statement.query((bytes(after), limit.min(LIST_MAX)))?;
    all(&mut rows)
}

/// A row for a lane that is not lent: what the hub tells about a slot that this life of the box never
/// lent. None if there is no such session.
pub fn without(
    read: &Read<'_>,
    stamp: &Stamp,
    (slot, lane): (SlotId, i64),
) -> Result<Option<Loan>> {
    let schedule = match crate::schedule::find(read, slot.schedule) {
        Ok(schedule) => schedule,
        Err(Error::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some(Loan {
        id: LoanId::new(stamp.now),
        version: 0,
        slot,
        lane,
        practitioner: schedule.practitioner,
        end: crate::time::plus_minutes(slot.start(), i64::from(schedule.slot_minutes)),
        is_away: false,
        is_due: false,
        sale: None,
        state: Vec::new(),
    }))
}

/// Writes a loan in place of what is there.
pub(super) fn write(tx: &Tx<'_>, loan: &Loan) -> Result<()> {
    let Loan { id, version, slot, lane, practitioner, end, is_away, is_due, sale, state } = loan;
    tx.sql()
        .prepare_cached(
            "INSERT INTO loan (id, version, schedule, practitioner, start, end, lane, holder, due,
               sale, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (id) DO UPDATE SET version = excluded.version, end = excluded.end,
               holder = excluded.holder, due = excluded.due, sale = excluded.sale,
               state = excluded.state",
        )?
        .execute((
            id,
            version,
            slot.schedule,
            practitioner,
            to_ms(slot.start()),
            to_ms(*end),
            lane,
            if *is_away { "away" } else { "here" },
            is_due,
            sale,
            state,
        ))?;
    Ok(())
}

fn bytes(after: Option<LoanId>) -> Vec<u8> {
    // Every id is longer than nothing.
    after.map(|id| id.as_bytes().to_vec()).unwrap_or_default()
}

fn all(rows: &mut rusqlite::Rows<'_>) -> Result<Vec<Loan>> {
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(from_row(row)?);
    }
    Ok(found)
}

fn from_row(row: &Row<'_>) -> Result<Loan> {
    let schedule: ScheduleId = row.get(2)?;
    Ok(Loan {
        id: row.get(0)?,
        version: row.get(1)?,
        slot: SlotId::new(schedule, from_ms(row.get(3)?)),
        lane: row.get(4)?,
        practitioner: row.get(5)?,
        end: from_ms(row.get(6)?),
        is_away: row.get::<_, String>(7)? == "away",
        is_due: row.get(8)?,
        sale: row.get(9)?,
        state: row.get(10)?,
    })
}
