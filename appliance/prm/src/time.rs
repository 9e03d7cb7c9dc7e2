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
    tick_at(time.as_second())
}

fn tick_at(second: i64) -> i64 {
    second.div_euclid(TICK_MINUTES * 60)
}

/// The ticks that a stretch of time touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticks {
    /// The first.
    pub first: i64,
    /// The last; it belongs to the stretch, too.
    pub last: i64,
}

impl Ticks {
    /// Those from `start` to before `end`: a tick that only begins at the end is not among them.
    pub fn of(start: Timestamp, end: Timestamp) -> Self {
        Self::of_seconds(start.as_second(), end.as_second())
    }

    /// The same of whole seconds since 1970-01-01T00:00Z, for loops over thousands of slots.
    pub fn of_seconds(start: i64, end: i64) -> Self {
        Self { first: tick_at(start), last: tick_at(end.saturating_sub(1)) }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_that_begins_at_the_end_is_free_and_one_that_is_begun_is_not() {
        let tick = TICK_MINUTES * 60;
        for (start, end, first, last) in [
            (0, tick, 0, 0),
            (0, tick + 1, 0, 1),
            (tick - 1, 3 * tick, 0, 2),
            (-tick, 0, -1, -1),
            (-tick - 1, -tick + 1, -2, -1),
        ] {
            assert_eq!(Ticks::of_seconds(start, end), Ticks { first, last }, "{start} to {end}");
        }
    }
}
