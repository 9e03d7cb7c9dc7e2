//! Points in time: `dateTime`, `instant` and `time`.

use jiff::civil;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::date::{Date, Precision, two};

/// A `dateTime` of FHIR: a date, or a date with a time of day and a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime {
    first: civil::DateTime,
    precision: Precision,
    offset: Option<Offset>,
}

impl DateTime {
    /// Reads what an element may hold: a year, month or day, or `2026-11-23T10:00:00+05:30`.
    pub fn parse(text: &str) -> Option<Self> {
        let read = Self::parse_searched(text)?;
        let complete = read.precision != Precision::Minute && read.offset.is_some();
        (read.precision <= Precision::Day || complete).then_some(read)
    }

    /// Reads what a search may ask for: as an element holds it, or without the seconds or the zone
    /// (<https://hl7.org/fhir/R4/search.html#date>).
    pub fn parse_searched(text: &str) -> Option<Self> {
        let Some((date, rest)) = text.split_once('T') else {
            let date = Date::parse(text)?;
            let first = date.first_day().to_datetime(civil::Time::midnight());
            return Some(Self { first, precision: date.precision(), offset: None });
        };
        let date = Date::parse(date).filter(|date| date.precision() == Precision::Day)?;
        let zone_at = rest.find(['Z', '+', '-']);
        let (clock, zone) = rest.split_at(zone_at.unwrap_or(rest.len()));
        let (time, precision) = time_of_day(clock)?;
        let offset = if zone.is_empty() { None } else { Some(offset(zone)?) };
        Some(Self { first: date.first_day().to_datetime(time), precision, offset })
    }

    /// How much is said.
    pub fn precision(self) -> Precision {
        self.precision
    }

    /// The first moment that is meant, on the clocks where it was written.
    pub fn first(self) -> civil::DateTime {
        self.first
    }

    /// Whether the value says in which zone it is meant.
    pub fn has_zone(self) -> bool {
        self.offset.is_some()
    }

    /// From the first instant that is meant to the first that no longer is; on the clocks of `zone`
    /// if the value says no zone.
    pub fn range(self, zone: &TimeZone) -> (Timestamp, Timestamp) {
        let after = self.first.checked_add(self.precision.span()).unwrap_or(civil::DateTime::MAX);
        (instant(self.first, self.offset, zone), instant(after, self.offset, zone))
    }

    /// Whether this is certainly later than `other`. Values of which one lies within the other, or
    /// of which one says no zone and so may lie anywhere in a day, are not.
    pub fn is_after(self, other: Self) -> bool {
        let (from, _) = self.range(&TimeZone::UTC);
        let (_, until) = other.range(&TimeZone::UTC);
        let apart = from.duration_since(until);
        let needed = if self.has_zone() == other.has_zone() { 0 } else { ZONE_HOURS_MAX };
        apart >= SignedDuration::from_hours(needed)
    }
}

/// No clock on earth is further from UTC.
const ZONE_HOURS_MAX: i64 = 14;

/// The instant at which clocks at this offset, else those of `zone`, show `wall`.
pub(super) fn instant(wall: civil::DateTime, offset: Option<Offset>, zone: &TimeZone) -> Timestamp {
    let found = match offset {
        Some(offset) => offset.to_timestamp(wall),
        None => zone.to_ambiguous_timestamp(wall).compatible(),
    };
    // Only the first and last days of the calendar are out of reach.
    found.unwrap_or(if wall.year() < 1000 { Timestamp::MIN } else { Timestamp::MAX })
}

/// Whether the text is an `instant`: a `dateTime` that says seconds and a zone.
pub(super) fn is_instant(text: &str) -> bool {
    DateTime::parse(text).is_some_and(|time| time.precision > Precision::Day)
}

/// Whether the text is a `time`: a time of day with seconds and without a zone.
pub(super) fn is_time(text: &str) -> bool {
    time_of_day(text).is_some_and(|(_, precision)| precision != Precision::Minute)
}

/// `10:00`, `10:00:00` or `10:00:00.000`; a leap second counts as the second before it.
fn time_of_day(text: &str) -> Option<(civil::Time, Precision)> {
    let bytes = text.as_bytes();
    let [h1, h2, b':', m1, m2, rest @ ..] = bytes else { return None };
    let (hour, minute) = (two([*h1, *h2])?, two([*m1, *m2])?);
    let [b':', s1, s2, rest @ ..] = rest else {
        let time = civil::Time::new(hour, minute, 0, 0).ok()?;
        return rest.is_empty().then_some((time, Precision::Minute));
    };
    let second = two([*s1, *s2])?;
    let second = if second == 60 { 59 } else { second };
    let (nanosecond, precision) = match rest {
        [] => (0, Precision::Second),
        [b'.', digits @ ..] => fraction(digits)?,
        _ => return None,
    };
    Some((civil::Time::new(hour, minute, second, nanosecond).ok()?, precision))
}

/// Digits after the point as nanoseconds; those after the ninth are not kept.
fn fraction(digits: &[u8]) -> Option<(i32, Precision)> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let kept = &digits[..digits.len().min(9)];
    let mut nanoseconds = 0;
    for place in 0..9 {
        nanoseconds = nanoseconds * 10 + kept.get(place).map_or(0, |digit| i32::from(digit - b'0'));
    }
    Some((nanoseconds, Precision::Fraction(u8::try_from(kept.len()).ok()?)))
}

/// `Z`, or hours and minutes from UTC, at most 14:00.
fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.as_bytes() {
        [b'Z'] => return Some(Offset::UTC),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let [h1, h2, b':', m1, m2] = digits else { return None };
    let (hours, minutes) = (i32::from(two([*h1, *h2])?), i32::from(two([*m1, *m2])?));
    if minutes > 59 || hours * 60 + minutes > 14 * 60 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 60 + minutes) * 60).ok()
}
