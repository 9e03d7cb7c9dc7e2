//! Times that are asked for, as ranges.
//!
//! Source: <https://hl7.org/fhir/R4/search.html#date>.

use jiff::tz::TimeZone;

use super::{Prefix, Value};
use crate::primitive::DateTime;

/// `ge2026-11-23`; a time without a zone is one of `zone`.
pub(super) fn read(text: &str, zone: &TimeZone) -> Option<Value> {
    let (prefix, text) = prefixed(text);
    // Whoever does not encode the `+` of a zone sends a space.
    let time = DateTime::parse_searched(&text.replace(' ', "+"))?;
    let (from, to) = range(time, zone);
    if prefix != Prefix::Ap {
        return Some(Value::Date { prefix, from_ms: from, to_ms: to });
    }
    let length = to.saturating_sub(from);
    let (from_ms, to_ms) = (from.saturating_sub(length), to.saturating_add(length));
    Some(Value::Date { prefix, from_ms, to_ms })
}

/// From the first millisecond that is meant to the first that no longer is.
pub(crate) fn range(time: DateTime, zone: &TimeZone) -> (i64, i64) {
    let (from, to) = time.range(zone);
    (floor(from.as_nanosecond()), -floor(-to.as_nanosecond()))
}

/// Nanoseconds as milliseconds, down.
fn floor(nanoseconds: i128) -> i64 {
    i64::try_from(nanoseconds.div_euclid(1_000_000)).unwrap_or(i64::MAX)
}

/// What stands before a date or a number; `eq` if nothing does.
pub(super) fn prefixed(text: &str) -> (Prefix, &str) {
    let prefixes = [
        ("eq", Prefix::Eq),
        ("ne", Prefix::Ne),
        ("gt", Prefix::Gt),
        ("lt", Prefix::Lt),
        ("ge", Prefix::Ge),
        ("le", Prefix::Le),
        ("sa", Prefix::Sa),
        ("eb", Prefix::Eb),
        ("ap", Prefix::Ap),
    ];
    let found =
        prefixes.into_iter().find_map(|(word, prefix)| Some((prefix, text.strip_prefix(word)?)));
    found.unwrap_or((Prefix::Eq, text))
}
