//! Days without sessions: a practitioner's leave, and days on which the whole clinic is closed.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{in_our_time, stored_date};
use crate::change::next_version;
use crate::contact;
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{ClosedDayId, LeaveId, Noun, PractitionerId};
use crate::practitioner;
use crate::stamp::{Right, Stamp};
use crate::time::next_day;

/// The longest leave, in days.
pub const LEAVE_DAYS_MAX: i32 = 731;

/// Days on which a practitioner is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leave {
    /// The id.
    pub id: LeaveId,
    /// Grows with each edit.
    pub version: i64,
    /// Who is away.
    pub practitioner: PractitionerId,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// Why.
    pub reason: Option<String>,
}

/// A day on which the whole clinic is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedDay {
    /// The id.
    pub id: ClosedDayId,
    /// Grows with each edit.
    pub version: i64,
    /// The day.
    pub date: Date,
    /// Why.
    pub reason: String,
}

/// Takes a practitioner's sessions of some days away. Appointments that are there stay, and
/// are the desk's to move.
pub fn take_leave(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    practitioner: PractitionerId,
    (from, to): (Date, Date),
    reason: Option<String>,
) -> Result<Leave> {
    stamp.needs(Right::WriteDiary)?;
    practitioner::active(tx, practitioner)?;
    in_our_time("from", from)?;
    in_our_time("to", to)?;
    if to < from || (to - from).get_days() > LEAVE_DAYS_MAX {
        return Err(Error::invalid(
            "to",
            "the last day is not before the first, and within two years",
        ));
    }
    let reason = contact::text("reason", reason)?;
    let id = LeaveId::new(stamp.now);
    tx.sql()
        .prepare_cached(
            "INSERT INTO leave (id, version, practitioner, from_date, to_date, reason, active)
             VALUES (?1, 1, ?2, ?3, ?4, ?5, 1)",
        )?
        .execute((id, practitioner, from.to_string(), to.to_string(), &reason))?;
    tx.record(stamp, "take", (Noun::Leave, id.as_bytes(), 1), None)?;
    Ok(Leave { id, version: 1, practitioner, from, to, reason })
}

/// Takes a leave back.
pub fn cancel_leave(tx: &mut Tx<'_>, stamp: &Stamp, id: LeaveId, seen: Option<i64>) -> Result<()> {
    stamp.needs(Right::WriteDiary)?;
    let version: i64 = {
        let mut statement =
            tx.sql().prepare_cached("SELECT version FROM leave WHERE id = ?1 AND active = 1")?;
        let mut rows = statement.query([id])?;
        rows.next()?.ok_or(Error::NotFound(Noun::Leave))?.get(0)?
    };
    let version = next_version(version, seen)?;
    tx.sql()
        .prepare_cached("UPDATE leave SET active = 0, version = ?2 WHERE id = ?1")?
        .execute((id, version))?;
    tx.record(stamp, "cancel", (Noun::Leave, id.as_bytes(), version), None)
}

/// Leaves that end on `from` or later, of one practitioner or of all.
pub fn leaves(
    read: &Read<'_>,
    stamp: &Stamp,
    practitioner: Option<PractitionerId>,
    from: Date,
) -> Result<Vec<Leave>> {
    stamp.needs(Right::ReadDiary)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, practitioner, from_date, to_date, reason FROM leave
         WHERE active = 1 AND to_date >= ?2 AND (?1 IS NULL OR practitioner = ?1)
         ORDER BY from_date, id",
    )?;
    let mut rows = statement.query((practitioner, from.to_string()))?;
    let mut leaves = Vec::new();
    while let Some(row) = rows.next()? {
        leaves.push(Leave {
            id: row.get(0)?,
            version: row.get(1)?,
            practitioner: row.get(2)?,
            from: stored_date(&row.get::<_, String>(3)?)?,
            to: stored_date(&row.get::<_, String>(4)?)?,
            reason: row.get(5)?,
        });
    }
    Ok(leaves)
}

/// Closes the clinic on a day.
pub fn close(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    date: Date,
    reason: Option<String>,
) -> Result<ClosedDay> {
    stamp.needs(Right::WriteDiary)?;
    in_our_time("date", date)?;
    let reason = contact::reason("reason", reason)?;
    if is_closed(tx, date)? {
        return Err(Error::refused(Code::NameTaken, "this day is closed already"));
    }
    let id = ClosedDayId::new(stamp.now);
    tx.sql()
        .prepare_cached(
            "INSERT INTO closed_day (id, version, date, reason, active) VALUES (?1, 1, ?2, ?3, 1)",
        )?
        .execute((id, date.to_string(), &reason))?;
    tx.record(stamp, "close", (Noun::ClosedDay, id.as_bytes(), 1), None)?;
    Ok(ClosedDay { id, version: 1, date, reason })
}

/// Opens the clinic again on a day.
pub fn reopen(tx: &mut Tx<'_>, stamp: &Stamp, date: Date) -> Result<()> {
    stamp.needs(Right::WriteDiary)?;
    let (id, version): (ClosedDayId, i64) = {
        let mut statement = tx
            .sql()
            .prepare_cached("SELECT id, version FROM closed_day WHERE date = ?1 AND active = 1")?;
        let mut rows = statement.query([date.to_string()])?;
        let row = rows.next()?.ok_or(Error::NotFound(Noun::ClosedDay))?;
        (row.get(0)?, row.get(1)?)
    };
    tx.sql()
        .prepare_cached("UPDATE closed_day SET active = 0, version = ?2 WHERE id = ?1")?
        .execute((id, version + 1))?;
    tx.record(stamp, "reopen", (Noun::ClosedDay, id.as_bytes(), version + 1), None)
}

/// Closed days from `from` on.
pub fn closed_days(read: &Read<'_>, stamp: &Stamp, from: Date) -> Result<Vec<ClosedDay>> {
    stamp.needs(Right::ReadDiary)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, date, reason FROM closed_day
         WHERE active = 1 AND date >= ?1 ORDER BY date",
    )?;
    let mut rows = statement.query([from.to_string()])?;
    let mut days = Vec::new();
    while let Some(row) = rows.next()? {
        days.push(ClosedDay {
            id: row.get(0)?,
            version: row.get(1)?,
            date: stored_date(&row.get::<_, String>(2)?)?,
            reason: row.get(3)?,
        });
    }
    Ok(days)
}

/// The dates from `from` to before `to` on which a practitioner holds no session: leave and
/// closed days together.
pub fn away(
    read: &Read<'_>,
    practitioner: PractitionerId,
    from: Date,
    to: Date,
) -> Result<BTreeSet<Date>> {
    let mut dates = BTreeSet::new();
    let mut statement = read.sql().prepare_cached(
        "SELECT from_date, to_date FROM leave
         WHERE practitioner = ?1 AND active = 1 AND to_date >= ?2 AND from_date < ?3
         UNION ALL
         SELECT date, date FROM closed_day WHERE active = 1 AND date >= ?2 AND date < ?3",
    )?;
    let mut rows = statement.query((practitioner, from.to_string(), to.to_string()))?;
    while let Some(row) = rows.next()? {
        let mut date = stored_date(&row.get::<_, String>(0)?)?.max(from);
        let last = stored_date(&row.get::<_, String>(1)?)?;
        while date <= last && date < to {
            dates.insert(date);
            date = next_day(date);
        }
    }
    Ok(dates)
}

fn is_closed(read: &Read<'_>, date: Date) -> Result<bool> {
    let mut statement =
        read.sql().prepare_cached("SELECT 1 FROM closed_day WHERE date = ?1 AND active = 1")?;
    Ok(statement.exists([date.to_string()])?)
}
