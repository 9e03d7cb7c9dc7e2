//! The day's spending on the line, between the box's notes and the protocol.

use jiff::Timestamp;
use jiff::civil::Date;
use prm::clinic;
use prm::db::Read;
use prm::error::Result;
use prm::hub;
use prm::time::local_date;
use sync_protocol::budget::{Budget, Spent};

const EPOCH: Date = Date::constant(1970, 1, 1);

/// The clinic's date, in days since 1970.
pub fn today(read: &Read<'_>, now: Timestamp) -> Result<i64> {
    let date = local_date(&clinic::get(read)?.zone, now);
    Ok(i64::from((date - EPOCH).get_days()))
}

/// What was noted, as the protocol counts it; it is never negative there.
pub fn of(noted: hub::Spent) -> Spent {
    Spent { day: noted.day, bytes: noted.bytes.unsigned_abs() }
}

/// What was noted and so many bytes more, in the books of today. Who keeps to no budget leaves it as noted.
pub fn add(
    read: &Read<'_>,
    now: Timestamp,
    budget: Option<Budget>,
    bytes: u64,
) -> Result<hub::Spent> {
    let (noted, today) = (hub::spent(read)?, today(read, now)?);
    let Spent { day, bytes } = of(noted).on(today).and(bytes);
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let budget = budget.map_or(noted.budget, |it| it.0.map(number));
    Ok(hub::Spent { day, bytes: number(bytes), budget, waits: noted.waits })
}
