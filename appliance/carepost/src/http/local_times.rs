//! Times as the API writes them, for lists of thousands: the same text as [`App::local`], but the
//! calendar is asked once for each day only.
//!
//! [`App::local`]: crate::app::App::local

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::short_text::ShortText;
use crate::app::local;

/// The longest time in RFC 3339: a year with a sign and six digits, and nanoseconds.
const TIME_BYTES_MAX: usize = 40;
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// A time in RFC 3339.
pub type TimeText = ShortText<TIME_BYTES_MAX>;

/// Writes times in the zone of a clinic. Quick for times that come in about their order.
#[derive(Debug)]
pub struct LocalTimes<'z> {
    zone: &'z TimeZone,
    known: Option<Day>,
}

/// A local day, or the part of one that has the same offset.
#[derive(Debug)]
struct Day {
    /// In seconds since 1970, as are the following; the last does not belong to it.
    first: i64,
    end: i64,
    /// Local midnight, if the offset were the same since.
    midnight: i64,
    /// `2026-11-23T`
    date: ShortText<11>,
    /// `+05:30`
    offset: ShortText<6>,
}

impl<'z> LocalTimes<'z> {
    /// For times of a clinic in `zone`.
    pub fn new(zone: &'z TimeZone) -> Self {
        Self { zone, known: None }
    }

    /// A time in RFC 3339 with the clinic's offset, to the second, or more exactly where it is.
    pub fn text(&mut self, time: Timestamp) -> TimeText {
        let second = time.as_second();
        if !self.known.as_ref().is_some_and(|day| (day.first..day.end).contains(&second)) {
            self.known = Day::of(self.zone, time);
        }
        let mut text = TimeText::new();
        let written = match &self.known {
            Some(day) if time.subsec_nanosecond() == 0 => day.write(&mut text, second),
            Some(_) | None => text.write_str(&local(self.zone, time)),
        };
        written.expect("invariant: there is room for the longest time that jiff knows");
        text
    }
}

impl Day {
    /// The day in which a time lies; none in years that are not written with four digits.
    fn of(zone: &TimeZone, time: Timestamp) -> Option<Self> {
        let second = time.as_second();
        let since_midnight =
            (second + i64::from(zone.to_offset(time).seconds())).rem_euclid(DAY_SECONDS);
        let midnight = second - since_midnight;
        // A change at this very second has happened.
        let after = Timestamp::from_second(second + 1).ok()?;
        let changed = zone.preceding(after).next().map(|last| last.timestamp().as_second());
        let changes = zone.following(time).next().map(|next| next.timestamp().as_second());
        let whole = local(zone, Timestamp::from_second(second).ok()?);
        let (date, offset) = (whole.get(..11)?, whole.get(19..)?);
        let mut day = Self {
            first: changed.map_or(midnight, |changed| changed.max(midnight)),
            end: changes.unwrap_or(i64::MAX).min(midnight + DAY_SECONDS),
            midnight,
            date: ShortText::new(),
            offset: ShortText::new(),
        };
        if !date.ends_with('T') {
            return None;
        }
        day.date.write_str(date).ok()?;
        day.offset.write_str(offset).ok()?;
        Some(day)
    }

    fn write(&self, text: &mut TimeText, second: i64) -> std::fmt::Result {
        let since = second - self.midnight;
        let digits = |number: i64| {
            let number = u8::try_from(number % 100).unwrap_or(0);
            [b'0' + number / 10, b'0' + number % 10]
        };
        let ([a, b], [c, d], [e, f]) =
            (digits(since / 3_600), digits(since / 60 % 60), digits(since % 60));
        text.write_str(self.date.as_str())?;
        let clock = [a, b, b':', c, d, b':', e, f];
        text.write_str(std::str::from_utf8(&clock).unwrap_or_default())?;
        text.write_str(self.offset.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// With halves of an hour, with summer time, with the sun's own time in old days, and one that
    /// left out a day.
    const ZONES: [&str; 6] = [
        "Asia/Kolkata",
        "Europe/London",
        "America/St_Johns",
        "Africa/Monrovia",
        "UTC",
        "Pacific/Apia",
    ];

    #[test]
    fn each_quarter_of_an_hour_of_a_year_is_as_jiff_writes_it() {
        for zone in ZONES {
            let zone = TimeZone::get(zone).unwrap();
            let mut times = LocalTimes::new(&zone);
            let begin: Timestamp = "2011-01-01T00:00:00Z".parse().unwrap();
            let quarters = 0..366 * 96;
            for quarter in quarters.clone().chain(quarters.rev()) {
                let time = Timestamp::from_second(begin.as_second() + quarter * 900).unwrap();
                assert_eq!(times.text(time).as_str(), local(&zone, time));
            }
        }
    }

    #[test]
    fn around_each_change_of_the_offset_each_second_has_its_own() {
        for name in ZONES {
            let zone = TimeZone::get(name).unwrap();
            for change in zone.following("1969-01-01T00:00:00Z".parse().unwrap()).take(100) {
                let second = change.timestamp().as_second();
                let mut times = LocalTimes::new(&zone);
                for second in [second, second - 1, second, second + 1, second - 1] {
                    let time = Timestamp::from_second(second).unwrap();
                    assert_eq!(times.text(time).as_str(), local(&zone, time), "{name}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_times_in_any_order_are_as_jiff_writes_them(
            zone in prop::sample::select(&ZONES[..]),
            around in -377_705_023_201..253_402_207_201_i64,
            steps in prop::collection::vec((-200_000..200_000_i64, 0..3_i32), 1..20),
        ) {
            let zone = TimeZone::get(zone).unwrap();
            let mut times = LocalTimes::new(&zone);
            for (step, nanos) in steps {
                let Ok(time) = Timestamp::new(around + step, nanos * 1_000_000) else { continue };
                let text = times.text(time);
                prop_assert_eq!(text.as_str(), local(&zone, time));
            }
        }
    }
}
