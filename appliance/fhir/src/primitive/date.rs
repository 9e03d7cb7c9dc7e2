//! Dates that say a year, a month or a day.

use jiff::civil;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

use super::time::instant;

/// How much of a point in time is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// A year.
    Year,
    /// A month of a year.
    Month,
    /// A day.
    Day,
    /// A minute; only what is searched for may say no more.
    Minute,
    /// A second.
    Second,
    /// A part of a second, to so many digits (1 to 9).
    Fraction(u8),
}

/// A `date` of FHIR: a year, a month or a day, without a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    first: civil::Date,
    precision: Precision,
}

impl Date {
    /// Reads `2026`, `2026-11` or `2026-11-23`, a day that the calendar has.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (month, day, precision) = match bytes {
            [_, _, _, _] => (1, 1, Precision::Year),
            [_, _, _, _, b'-', m1, m2] => (two([*m1, *m2])?, 1, Precision::Month),
            [_, _, _, _, b'-', m1, m2, b'-', d1, d2] => {
                (two([*m1, *m2])?, two([*d1, *d2])?, Precision::Day)
            }
            _ => return None,
        };
        let year =
            i16::from(two([bytes[0], bytes[1]])?) * 100 + i16::from(two([bytes[2], bytes[3]])?);
        if year == 0 {
            return None;
        }
        Some(Self { first: civil::Date::new(year, month, day).ok()?, precision })
    }

    /// How much is said.
    pub fn precision(self) -> Precision {
        self.precision
    }

    /// The first day that is meant.
    pub fn first_day(self) -> civil::Date {
        self.first
    }

    /// From the first instant that is meant to the first that no longer is, on the clocks of `zone`.
    pub fn range(self, zone: &TimeZone) -> (Timestamp, Timestamp) {
        let first = self.first.to_datetime(civil::Time::midnight());
        let after = first.checked_add(self.precision.span()).unwrap_or(civil::DateTime::MAX);
        (instant(first, None, zone), instant(after, None, zone))
    }
}

impl Precision {
    /// The time that a value of this precision lasts.
    pub(super) fn span(self) -> Span {
        match self {
            Self::Year => 1.year(),
            Self::Month => 1.month(),
            Self::Day => 1.day(),
            Self::Minute => 1.minute(),
            Self::Second => 1.second(),
            Self::Fraction(digits) => {
                10_i64.pow(9_u32.saturating_sub(u32::from(digits))).nanoseconds()
            }
        }
    }
}

/// Two digits as a number.
pub(super) fn two(digits: [u8; 2]) -> Option<i8> {
    let [tens, ones] = digits;
    if !(tens.is_ascii_digit() && ones.is_ascii_digit()) {
        return None;
    }
    i8::try_from((tens - b'0') * 10 + (ones - b'0')).ok()
}
