//! When practitioners see patients: weekly sessions in the clinic's local time, leave, closed
//! days (FHIR Schedule).
//!
//! An extra session is a schedule that is valid on one date.

mod absence;
pub mod field;
mod lending;

use std::ops::RangeInclusive;

use jiff::civil::{Date, Weekday};

pub use self::absence::{
    ClosedDay, Leave, away, cancel_leave, close, closed_days, leaves, reopen, take_leave,
};
pub use self::lending::{Lending, LendingEdit};
use serde::{Deserialize, Serialize};

use crate::change::next_version;
use crate::clinic;
use crate::db::{Read, Tx};
use crate::error::{Error, Result};
use crate::healthcare_service::in_steps;
use crate::id::{LocationId, Noun, PractitionerId, ScheduleId};
use crate::location;
use crate::past;
use crate::practitioner;
use crate::stamp::{Right, Stamp};
use crate::time::local_date;

/// The years that a diary knows.
const YEARS: RangeInclusive<i16> = 1900..=2199;

/// Days of the week, as bits: Monday is 1, Sunday 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weekdays(u8);

impl Weekdays {
    const WORDS: [&'static str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    /// All seven days.
    pub const ALL: Self = Self(127);

    /// Reads words such as `mon`.
    pub fn parse(words: &[String]) -> Result<Self> {
        let mut bits = 0;
        for word in words {
            let day = Self::WORDS.iter().position(|day| word.eq_ignore_ascii_case(day));
            let day = day.ok_or_else(|| {
                Error::invalid("weekdays", "weekdays are mon, tue, wed, thu, fri, sat, sun")
            })?;
            bits |= 1_u8 << day;
        }
        if bits == 0 {
            return Err(Error::invalid("weekdays", "name at least one weekday"));
        }
        Ok(Self(bits))
    }

    /// The words, Monday first.
    pub fn words(self) -> Vec<&'static str> {
        (0..7).zip(Self::WORDS).filter(|(day, _)| self.0 >> day & 1 == 1).map(|(_, w)| w).collect()
    }

    /// Whether the day is among them.
    pub fn has(self, day: Weekday) -> bool {
        self.0 >> day.to_monday_zero_offset() & 1 == 1
    }
}

/// A session that repeats on weekdays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The id; part of the id of each slot.
    pub id: ScheduleId,
    /// Grows with each edit.
    pub version: i64,
    /// Who sees patients.
    pub practitioner: PractitionerId,
    /// Where, if not in the practitioner's usual room.
    pub location: Option<LocationId>,
    /// On which days.
    pub weekdays: Weekdays,
    /// The start, in minutes after local midnight.
    pub start_minute: u16,
    /// The end, in minutes after local midnight; 1440 is the next midnight.
    pub end_minute: u16,
    /// The length of a slot, in minutes.
    pub slot_minutes: u16,
    /// How many patients one slot takes.
    pub slot_capacity: i64,
    /// How many patients one session takes in all, if bounded.
    pub session_capacity: Option<i64>,
    /// The first local date, if bounded.
    pub valid_from: Option<Date>,
    /// The last local date, if bounded.
    pub valid_to: Option<Date>,
    /// Whether it is in use.
    pub active: bool,
    /// How much of it is lent to the hub.
    #[serde(default)]
    pub lending: Lending,
}

impl Schedule {
    /// Whether a session is held on a local date, leave and closed days aside.
    pub fn is_on(&self, date: Date) -> bool {
        self.active
            && YEARS.contains(&date.year())
            && self.weekdays.has(date.weekday())
            && self.valid_from.is_none_or(|from| from <= date)
            && self.valid_to.is_none_or(|to| date <= to)
    }
}

/// What is said to add a session; also what all of an edited one is to be.
#[derive(Clone, Debug)]
pub struct Addition {
    /// Who sees patients.
    pub practitioner: PractitionerId,
    /// Where, if not in the practitioner's usual room.
    pub location: Option<LocationId>,
    /// Words such as `mon`.
    pub weekdays: Vec<String>,
    /// Local time, `09:00`.
    pub start: String,
    /// Local time, `17:00`; `24:00` is midnight.
    pub end: String,
    /// Minutes, in steps of five.
    pub slot_minutes: i64,
    /// Patients per slot, 1 to 100.
    pub slot_capacity: Option<i64>,
    /// Patients per session, 1 to 1000, if bounded.
    pub session_capacity: Option<i64>,
    /// The first local date, if bounded.
    pub valid_from: Option<Date>,
    /// The last local date, if bounded.
    pub valid_to: Option<Date>,
    /// How much of it is lent to the hub.
    pub lending: Lending,
}

/// What may change of a session without making other slots of it: where, how many, how long.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// Where; `Some(None)` is the practitioner's usual room.
    pub location: Option<Option<LocationId>>,
    /// Patients per slot.
    pub slot_capacity: Option<i64>,
    /// Patients per session; `Some(None)` takes the bound away.
    pub session_capacity: Option<Option<i64>>,
    /// The first local date.
    pub valid_from: Option<Option<Date>>,
    /// The last local date.
    pub valid_to: Option<Option<Date>>,
    /// How much of it is lent to the hub.
    pub lending: LendingEdit,
}

/// Adds a session.
pub fn add(tx: &mut Tx<'_>, stamp: &Stamp, addition: Addition) -> Result<Schedule> {
    stamp.needs(Right::WriteDiary)?;
    let Addition {
        practitioner,
        location,
        weekdays,
        start,
        end,
        slot_minutes,
        slot_capacity,
        session_capacity,
        valid_from,
        valid_to,
        lending,
    } = addition;
    practitioner::active(tx, practitioner)?;
    in_steps("slot_minutes", slot_minutes, 5, 720)?;
    let slot_minutes = u16::try_from(slot_minutes)
        .map_err(|_| Error::invalid("slot_minutes", "at most 720 minutes"))?;
    let schedule = Schedule {
        id: ScheduleId::new(stamp.now),
        version: 1,
        practitioner,
        location,
        weekdays: Weekdays::parse(&weekdays)?,
        start_minute: minute_of_day("start", &start)?,
        end_minute: minute_of_day("end", &end)?,
        slot_minutes,
        slot_capacity: slot_capacity.unwrap_or(1),
        session_capacity,
        valid_from,
        valid_to,
        active: true,
        lending,
    };
    if schedule.end_minute < schedule.start_minute.saturating_add(slot_minutes) {
        return Err(Error::invalid(
            "end",
            "the session ends before its first slot does; a night is two sessions, one up to 24:00 and one from 00:00",
        ));
    }
    check(&schedule)?;
    if let Some(location) = location {
        location::must_be_active(tx, location)?;
    }
    write(tx, stamp, "add", schedule)
}

/// Changes a session. What would make other slots of it (days, times, lengths) is a new
/// session, so that the slots of the old one stay what they are.
pub fn edit(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: ScheduleId,
    seen: Option<i64>,
    edit: Edit,
) -> Result<Schedule> {
    stamp.needs(Right::WriteDiary)?;
    let before = find(tx, id)?;
    let Edit { location, slot_capacity, session_capacity, valid_from, valid_to, lending } = edit;
    let schedule = Schedule {
        id,
        version: next_version(before.version, seen)?,
        practitioner: before.practitioner,
        location: location.unwrap_or(before.location),
        weekdays: before.weekdays,
        start_minute: before.start_minute,
        end_minute: before.end_minute,
        slot_minutes: before.slot_minutes,
        slot_capacity: slot_capacity.unwrap_or(before.slot_capacity),
        session_capacity: session_capacity.unwrap_or(before.session_capacity),
        valid_from: valid_from.unwrap_or(before.valid_from),
        valid_to: valid_to.unwrap_or(before.valid_to),
        active: before.active,
        lending: lending.of(before.lending),
    };
    check(&schedule)?;
    // A room that stays is not looked at, so that one out of use keeps nobody from other edits.
    if let Some(chosen) = schedule.location
        && schedule.location != before.location
    {
        location::must_be_active(tx, chosen)?;
    }
    write(tx, stamp, "edit", schedule)
}

/// Ends a session: yesterday was its last day. Its appointments stay.
pub fn end(tx: &mut Tx<'_>, stamp: &Stamp, id: ScheduleId, seen: Option<i64>) -> Result<Schedule> {
    stamp.needs(Right::WriteDiary)?;
    let before = find(tx, id)?;
    let version = next_version(before.version, seen)?;
    let today = local_date(&clinic::get(tx)?.zone, stamp.now);
    let valid_to = Some(today.yesterday().unwrap_or(today));
    write(tx, stamp, "end", Schedule { version, valid_to, active: false, ..before })
}

/// The sessions of one practitioner, or of all, those in use only.
pub fn list(
    read: &Read<'_>,
    stamp: &Stamp,
    practitioner: Option<PractitionerId>,
) -> Result<Vec<Schedule>> {
    stamp.needs(Right::ReadDiary)?;
    in_use(read, practitioner)
}

/// A session as it was at a version; *not found* if there never was such a version.
pub fn at_version(
    read: &Read<'_>,
    stamp: &Stamp,
    id: ScheduleId,
    version: i64,
) -> Result<Schedule> {
    let newest = get(read, stamp, id)?;
    past::at(read, (Noun::Schedule, id.as_bytes(), version), newest)
}

/// One session.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: ScheduleId) -> Result<Schedule> {
    stamp.needs(Right::ReadDiary)?;
    find(read, id)
}

pub(crate) fn in_use(
    read: &Read<'_>,
    practitioner: Option<PractitionerId>,
) -> Result<Vec<Schedule>> {
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, practitioner, location, weekdays, start_minute, end_minute,
                slot_minutes, slot_capacity, session_capacity, valid_from, valid_to, active,
                loan_share_percent, loan_cutoff_hours, loan_horizon_days
         FROM schedule WHERE active = 1 AND (?1 IS NULL OR practitioner = ?1)
         ORDER BY practitioner, start_minute, id",
    )?;
    let mut rows = statement.query([practitioner])?;
    let mut schedules = Vec::new();
    while let Some(row) = rows.next()? {
        schedules.push(from_row(row)?);
    }
    Ok(schedules)
}

pub(crate) fn find(read: &Read<'_>, id: ScheduleId) -> Result<Schedule> {
    let mut statement = read.sql().prepare_cached(
        "SELECT id, version, practitioner, location, weekdays, start_minute, end_minute,
                slot_minutes, slot_capacity, session_capacity, valid_from, valid_to, active,
                loan_share_percent, loan_cutoff_hours, loan_horizon_days
         FROM schedule WHERE id = ?1",
    )?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or(Error::NotFound(Noun::Schedule))?;
    from_row(row)
}

/// A stored local date.
pub(crate) fn stored_date(text: &str) -> Result<Date> {
    text.parse().map_err(|_| Error::Storage("a stored date is damaged".into()))
}

/// Reads `09:00` as minutes after midnight, in steps of five; `24:00` is 1440.
fn minute_of_day(field: &'static str, text: &str) -> Result<u16> {
    let wrong =
        || Error::invalid(field, format!("{field} is a time such as 09:00, in steps of 5 minutes"));
    let (hour, minute) = text.trim().split_once(':').ok_or_else(wrong)?;
    let number = |text: &str| -> Result<u16> {
        if text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()) {
            text.parse().map_err(|_| wrong())
        } else {
            Err(wrong())
        }
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let all = hour * 60 + minute;
    if minute < 60 && all <= 1440 && all % 5 == 0 { Ok(all) } else { Err(wrong()) }
}

/// Refuses a date that can only be a slip of the finger.
fn in_our_time(field: &'static str, date: Date) -> Result<()> {
    if YEARS.contains(&date.year()) {
        return Ok(());
    }
    let (first, last) = (YEARS.start(), YEARS.end());
    Err(Error::invalid(field, format!("{field} is in a year from {first} to {last}")))
}

fn check(schedule: &Schedule) -> Result<()> {
    if !(1..=100).contains(&schedule.slot_capacity) {
        return Err(Error::invalid("slot_capacity", "a slot takes 1 to 100 patients"));
    }
    if schedule.session_capacity.is_some_and(|capacity| !(1..=1000).contains(&capacity)) {
        return Err(Error::invalid("session_capacity", "a session takes 1 to 1000 patients"));
    }
    if let (Some(from), Some(to)) = (schedule.valid_from, schedule.valid_to)
        && to < from
    {
        return Err(Error::invalid("valid_to", "valid_to is before valid_from"));
    }
    schedule.lending.check()?;
    for (field, date) in [("valid_from", schedule.valid_from), ("valid_to", schedule.valid_to)] {
        if let Some(date) = date {
            in_our_time(field, date)?;
        }
    }
    Ok(())
}

fn write(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    verb: &'static str,
    schedule: Schedule,
) -> Result<Schedule> {
    let Schedule {
        id,
        version,
        practitioner,
        location,
        weekdays,
        start_minute,
        end_minute,
        slot_minutes,
        slot_capacity,
        session_capacity,
        valid_from,
        valid_to,
        active,
        lending: Lending { share_percent, cutoff_hours, horizon_days },
    } = &schedule;
    if *version > 1 {
        let before = find(tx, *id)?;
        past::keep(tx, (Noun::Schedule, id.as_bytes(), before.version), &before)?;
    }
    tx.sql()
        .prepare_cached(
            "INSERT INTO schedule (id, version, practitioner, location, weekdays, start_minute,
               end_minute, slot_minutes, slot_capacity, session_capacity, valid_from, valid_to, active,
               loan_share_percent, loan_cutoff_hours, loan_horizon_days)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
             ON CONFLICT (id) DO UPDATE SET version = ?2, location = ?4, slot_capacity = ?9,
               session_capacity = ?10, valid_from = ?11, valid_to = ?12, active = ?13,
               loan_share_percent = ?14, loan_cutoff_hours = ?15, loan_horizon_days = ?16",
        )?
        .execute((
            id,
            version,
            practitioner,
            location,
            weekdays.0,
            start_minute,
            end_minute,
            slot_minutes,
            slot_capacity,
            session_capacity,
            valid_from.map(|date| date.to_string()),
            valid_to.map(|date| date.to_string()),
            active,
            share_percent,
            cutoff_hours,
            horizon_days,
        ))?;
    tx.record(stamp, verb, (Noun::Schedule, id.as_bytes(), *version), None)?;
    Ok(schedule)
}

fn from_row(row: &rusqlite::Row<'_>) -> Result<Schedule> {
    let date = |text: Option<String>| text.map(|text| stored_date(&text)).transpose();
    Ok(Schedule {
        id: row.get(0)?,
        version: row.get(1)?,
        practitioner: row.get(2)?,
        location: row.get(3)?,
        weekdays: Weekdays(row.get(4)?),
        start_minute: row.get(5)?,
        end_minute: row.get(6)?,
        slot_minutes: row.get(7)?,
        slot_capacity: row.get(8)?,
        session_capacity: row.get(9)?,
        valid_from: date(row.get(10)?)?,
        valid_to: date(row.get(11)?)?,
        active: row.get(12)?,
        lending: Lending {
            share_percent: row.get(13)?,
            cutoff_hours: row.get(14)?,
            horizon_days: row.get(15)?,
        },
    })
}
