//! Points in time as FHIR writes them.
//!
//! Source: <https://hl7.org/fhir/R4/datatypes.html#instant>.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use prm::time::local_date;

/// An instant on the clock of a zone, such as `2026-11-23T10:00:00+05:30`.
pub(crate) fn write(time: Timestamp, zone: &TimeZone) -> String {
    // FHIR's offsets are whole minutes; those of local mean time, long ago, are not.
    let whole = zone.to_offset(time).seconds() % 60 == 0;
    let zone = if whole { zone.clone() } else { TimeZone::UTC };
    time.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string()
}

/// What an `instant`, or a `dateTime` with a time of the day, says.
pub(crate) fn read(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// The first date that a `dateTime` of any precision speaks of, in a zone.
pub(crate) fn first_date(text: &str, zone: &TimeZone) -> Option<Date> {
    match parts(text)? {
        Parts::Year(year) => Date::new(year, 1, 1).ok(),
        Parts::Month(year, month) => Date::new(year, month, 1).ok(),
        Parts::Day(date) => Some(date),
        Parts::Time(time) => Some(local_date(zone, time)),
    }
}

/// The last date that a `dateTime` of any precision speaks of, in a zone. A period that ends as a
/// day begins does not reach into that day.
pub(crate) fn last_date(text: &str, zone: &TimeZone) -> Option<Date> {
    match parts(text)? {
        Parts::Year(year) => Date::new(year, 12, 31).ok(),
        Parts::Month(year, month) => Some(Date::new(year, month, 1).ok()?.last_of_month()),
        Parts::Day(date) => Some(date),
        Parts::Time(time) => {
            let moment = time.as_nanosecond().checked_sub(1)?;
            Some(local_date(zone, Timestamp::from_nanosecond(moment).ok()?))
        }
    }
}

/// A `dateTime` by how much of it is said.
enum Parts {
    Year(i16),
    Month(i16, i8),
    Day(Date),
    Time(Timestamp),
}

fn parts(text: &str) -> Option<Parts> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match text.len() {
        4 if digits(text) => Some(Parts::Year(text.parse().ok()?)),
        7 => {
            let (year, month) = text.split_once('-')?;
            (digits(year) && digits(month))
                .then(|| Some(Parts::Month(year.parse().ok()?, month.parse().ok()?)))?
        }
        10 => Some(Parts::Day(text.parse().ok()?)),
        _ => Some(Parts::Time(read(text)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_comes_out_on_the_clock_of_the_zone() {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let time: Timestamp = "2026-11-23T04:30:00Z".parse().unwrap();
        assert_eq!(write(time, &zone), "2026-11-23T10:00:00+05:30");
        let time: Timestamp = "2026-11-23T04:30:00.25Z".parse().unwrap();
        assert_eq!(write(time, &zone), "2026-11-23T10:00:00.25+05:30");
        assert_eq!(read(&write(time, &zone)), Some(time));
        assert_eq!(write(time, &TimeZone::UTC), "2026-11-23T04:30:00.25+00:00");
        // Before 1906 the clocks of India ran on local mean time, 5 h 53 min 28 s ahead.
        let time: Timestamp = "1890-01-01T00:00:00Z".parse().unwrap();
        let zone = TimeZone::get("Asia/Calcutta").unwrap();
        assert_eq!(read(&write(time, &zone)), Some(time));
        assert!(write(time, &zone).len() <= 25);
    }

    #[test]
    fn a_period_reaches_as_far_as_its_precision_says() {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let first = |text| first_date(text, &zone).map(|date| date.to_string());
        let last = |text| last_date(text, &zone).map(|date| date.to_string());
        assert_eq!(first("2026"), Some("2026-01-01".into()));
        assert_eq!(last("2026"), Some("2026-12-31".into()));
        assert_eq!(last("2024-02"), Some("2024-02-29".into()));
        assert_eq!(last("2026-03-04"), Some("2026-03-04".into()));
        assert_eq!(first("2026-03-03T20:00:00Z"), Some("2026-03-04".into()));
        assert_eq!(last("2026-03-05T00:00:00+05:30"), Some("2026-03-04".into()));
        assert_eq!(first("soon"), None);
    }
}
