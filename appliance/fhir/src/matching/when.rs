//! Dates, periods and timings, compared as ranges of milliseconds.
//!
//! Source: <https://hl7.org/fhir/R4/search.html#date>.

use jiff::tz::TimeZone;
use serde_json::Value as Json;

use crate::primitive::DateTime;
use crate::search::{Kind, Prefix, date_range};

/// From the first millisecond to the first that no longer is meant.
type Range = (i64, i64);

/// What the element says; a period without a start or an end goes on for ever.
pub(super) fn range(kind: Kind, json: &Json, zone: &TimeZone) -> Option<Range> {
    match kind {
        Kind::Date => at(json, zone),
        Kind::Period => period(json, zone),
        Kind::Timing => timing(json, zone),
        Kind::Plain
        | Kind::Coding
        | Kind::Concept
        | Kind::Identifier
        | Kind::ContactPoint
        | Kind::Reference
        | Kind::Canonical
        | Kind::Text
        | Kind::HumanName
        | Kind::Address
        | Kind::Number
        | Kind::Uri => None,
    }
}

fn at(json: &Json, zone: &TimeZone) -> Option<Range> {
    Some(date_range(DateTime::parse(json.as_str()?)?, zone))
}

fn period(json: &Json, zone: &TimeZone) -> Option<Range> {
    match (at(&json["start"], zone), at(&json["end"], zone)) {
        (None, None) => None,
        (Some((from, _)), None) => Some((from, i64::MAX)),
        (None, Some((_, to))) => Some((i64::MIN, to)),
        (Some((from, _)), Some((_, to))) => Some((from, to)),
    }
}

/// The outer limits of all that is said.
fn timing(json: &Json, zone: &TimeZone) -> Option<Range> {
    let events = json["event"].as_array().into_iter().flatten();
    let mut all: Vec<Range> = events.filter_map(|event| at(event, zone)).collect();
    all.extend(period(&json["repeat"]["boundsPeriod"], zone));
    let from = all.iter().map(|(from, _)| *from).min()?;
    let to = all.iter().map(|(_, to)| *to).max()?;
    Some((from, to))
}

/// Whether what is said fits what is asked.
pub(super) fn fits((start, end): Range, prefix: Prefix, (from, to): Range) -> bool {
    let within = from <= start && end <= to;
    match prefix {
        Prefix::Eq => within,
        Prefix::Ne => !within,
        Prefix::Gt => end > to,
        Prefix::Lt => start < from,
        Prefix::Ge => end > to || within,
        Prefix::Le => start < from || within,
        Prefix::Sa => start >= to,
        Prefix::Eb => end <= from,
        Prefix::Ap => start < to && end > from,
    }
}
