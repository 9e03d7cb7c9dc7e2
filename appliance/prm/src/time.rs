//! Time as the records keep it: milliseconds and five-minute ticks in UTC, days in the
//! clinic's zone.
//!
//! Invariant: nothing here reads a clock.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// The length of a tick, the grain in which practitioners and rooms are claimed.
pub const TICK_MINUTES: i64 = 5;

/// Milliseconds since 1970-01-01T00:00Z, as stored.
pub fn to_ms(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// The time stored as `ms`. Values outside the calendar, which only damage can bring, are clamped.
pub fn from_ms(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// The tick in which `time` lies.
pub fn tick(time: Timestamp) -> i64 {
    time.as_second().div_euclid(TICK_MINUTES * 60)
}

/// `time` plus whole minutes, at the end of the calendar clamped.
pub fn plus_minutes(time: Timestamp, minutes: i64) -> Timestamp {
    time.checked_add(minutes.minutes()).unwrap_or(Timestamp::MAX)
}

/// The local date in `zone` at `time`.
pub fn local_date(zone: &TimeZone, time: Timestamp) -> Date {
    zone.to_datetime(time).date()
}

/// The instant at which a wall clock in `zone` shows `minute` minutes after midnight of `date`.
///
/// `minute` may be 1440, the next midnight. An hour that does not exist is read on the clock
/// before the jump (02:30 becomes 03:30); of an hour that exists twice the first is taken
/// (RFC 5545, section 3.3.5, has the same rule).
pub fn at_local_minute(zone: &TimeZone, date: Date, minute: u16) -> Timestamp {
    let midnight = date.to_datetime(jiff::civil::Time::midnight());
    let wall = midnight.checked_add(i64::from(minute).minutes()).unwrap_or(midnight);
    zone.to_ambiguous_timestamp(wall).compatible().unwrap_or(Timestamp::MAX)
}

/// The first instant of `date` in `zone`.
pub fn start_of_day(zone: &TimeZone, date: Date) -> Timestamp {
    at_local_minute(zone, date, 0)
}

/// The day after; the last day of the calendar is its own successor.
pub fn next_day(date: Date) -> Date {
    date.tomorrow().unwrap_or(date)
}
