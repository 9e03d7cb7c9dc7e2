//! What a resource is found by, as words for an index that keeps none of them in clear: whoever holds
//! records encrypted keeps a keyed hash of each term beside them, asks for those of a search, and then
//! looks at what was found with [`crate::matching`].
//!
//! Invariant: a resource that fits a search has at least one term of each set that [`of_query`] answers.
//! The other way round nothing is promised: what has the terms need not fit.
//!
//! | what | its terms |
//! |---|---|
//! | codes and identifiers | the code without blanks and dashes in small letters, whatever its system |
//! | telephone numbers | the last digits ([`last_digits`]); other addresses whole |
//! | references | the id, or the whole address |
//! | names, addresses and texts | how each word, or the text, begins: 2, 4 and 8 letters of it |
//! | dates and periods | each day, month and year that it touches; one term for those that are long, of which there are several, or far away |
//!
//! Days are those of Greenwich, and whoever looks for some looks half a day further: so the terms are the
//! same whatever is the zone of the clinic.
//!
//! Absent: numbers, `:missing`, `:not`, `:contains`, `:text`, `:identifier`, a system without a code,
//! and `active`, which is true where nothing is said.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use prm::name::sound;

use crate::chart::Value as Held;
use crate::here::{Here, NOWHERE};
use crate::json::Resource;
use crate::matching::{self, folded, last_digits};
use crate::organization;
use crate::search::{
    Condition, How, Kind, Modifier, PHONETIC, Parameter, Prefix, Query, Value, parameters,
};

/// Grows when the terms of a resource become others, so that an index is made anew.
pub const VERSION: i64 = 1;
/// The most terms of one resource. What has more is a candidate of every search of its type.
pub const TERMS_MAX: usize = 256;
/// The most days that are looked for one by one; beyond they are months and years.
pub const DAYS_MAX: usize = 62;

/// The longest time that is held day by day.
const LONG_MS: i64 = 32 * DAY_MS;
const DAY_MS: i64 = 24 * 3600 * 1000;
/// No zone is further from Greenwich.
const ZONE_MS: i64 = 14 * 3600 * 1000;
/// Years within which dates are held; further ones are held as far away.
const YEARS: std::ops::RangeInclusive<i16> = 1880..=2100;
/// As many letters of a word or text are held.
const BEGINNINGS: [usize; 3] = [8, 4, 2];
/// What stands for true where nothing is said, so that no index tells who has it.
const IMPLIED: &str = "active";

/// All terms of a resource, each once.
pub fn of_resource(resource: &Resource) -> Vec<String> {
    let type_ = resource.resource_type();
    let here = Here { clinic: &NOWHERE, origin: "" };
    let mut terms = BTreeSet::new();
    if organization::own(resource).is_some() {
        terms.insert(of_clinic());
    }
    for parameter in parameters(type_).iter().filter(|it| it.name != IMPLIED) {
        let values = matching::values(resource, parameter, here);
        let times: Vec<(i64, i64)> = values.iter().filter_map(time).collect();
        let of_times = if times.is_empty() { Vec::new() } else { spelled_times(&times) };
        let words = values.iter().flat_map(|value| spelled(parameter, value));
        terms.extend(words.chain(of_times).map(|word| term(type_, parameter, &word)));
        if terms.len() > TERMS_MAX {
            let own = of_id(type_, resource.id().unwrap_or_default());
            return vec![crowded(type_), own];
        }
    }
    terms.into_iter().collect()
}

/// The term of the resource of a type that has this id.
pub fn of_id(type_: &str, id: &str) -> String {
    format!("{type_}|{}|c{}", crate::search::ID, code(id))
}

/// The term of the organization that is the clinic itself.
pub fn of_clinic() -> String {
    format!("{}|here", organization::TYPE)
}

/// The terms of the resources of a type that refer to one of these by a parameter.
pub fn of_references<'a>(
    type_: &str,
    by: &Parameter,
    ids: impl Iterator<Item = &'a str>,
) -> Vec<String> {
    let terms = ids.map(|id| term(type_, by, &format!("r{id}")));
    terms.chain([crowded(type_)]).collect()
}

/// The sets of terms of a search: what fits has a term of each. None of what only a look at each
/// resource tells, and none of what is asked of other resources.
pub fn of_query(query: &Query) -> Vec<Vec<String>> {
    let mut sets: Vec<Vec<String>> = Vec::new();
    for condition in &query.conditions {
        sets.extend(of_condition(query.type_, condition));
    }
    let mut seen: Vec<&str> = Vec::new();
    for Condition { parameter, modifier, any: _ } in &query.conditions {
        if modifier.is_none() && !seen.contains(&parameter.name) {
            seen.push(parameter.name);
            let of_it = query.conditions.iter();
            let of_it = of_it.filter(|it| it.parameter.name == parameter.name);
            sets.extend(of_times(query.type_, parameter, of_it));
        }
    }
    for set in &mut sets {
        set.push(crowded(query.type_));
        set.sort_unstable();
        set.dedup();
    }
    sets
}

/// The sets of one condition, dates left out.
fn of_condition(type_: &str, condition: &Condition) -> Vec<Vec<String>> {
    let Condition { parameter, modifier, any } = condition;
    let is_held = match modifier {
        None | Some(Modifier::Exact | Modifier::Type(_)) => parameter.name != IMPLIED,
        Some(
            Modifier::Contains
            | Modifier::Missing
            | Modifier::Not
            | Modifier::Text
            | Modifier::Identifier,
        ) => false,
    };
    if !is_held {
        return Vec::new();
    }
    // Each word that is asked for must be there, so that one text is several sets.
    if let [Value::Text { how, text }] = any.as_slice() {
        let sets = asked_text(parameter, *how, text).into_iter();
        return sets.map(|word| vec![term(type_, parameter, &word)]).collect();
    }
    let mut set = Vec::new();
    for value in any {
        let words = asked(parameter, value);
        if words.is_empty() {
            return Vec::new();
        }
        set.extend(words.iter().map(|word| term(type_, parameter, word)));
    }
    vec![set]
}

/// What a value is looked for by: at least one of these; nothing if by no term.
fn asked(parameter: &Parameter, value: &Value) -> Vec<String> {
    match value {
        Value::Token { system: _, code: None } => Vec::new(),
        Value::Token { system: _, code: Some(said) } => {
            let is_contact = parameter.places.iter().any(|it| it.kind == Kind::ContactPoint);
            if is_contact {
                vec![format!("n{}", last_digits(said)), format!("a{}", said.to_lowercase())]
            } else {
                vec![format!("c{}", code(said))]
            }
        }
        Value::Reference { type_: _, id } => vec![format!("r{id}")],
        Value::Url(url) => vec![format!("r{}", unversioned(url))],
        Value::Uri(uri) => vec![format!("u{uri}")],
        Value::Text { how, text } => {
            asked_text(parameter, *how, text).into_iter().take(1).collect()
        }
        Value::Date { .. } | Value::Number { .. } | Value::Flag(_) => Vec::new(),
    }
}

/// The words of a text that all must be there. Of a name or an address each is; of another text it is
/// known how the whole begins.
fn asked_text(parameter: &Parameter, how: How, text: &str) -> Vec<String> {
    let is_of_words = |kind: Kind| matches!(kind, Kind::HumanName | Kind::Address);
    let are_words = parameter.places.iter().all(|it| is_of_words(it.kind));
    let folded = folded(text);
    let words = folded.split(' ').take(if are_words { usize::MAX } else { 1 });
    let terms = words.filter_map(|word| match how {
        How::Sounds => Some(sound(word)).filter(|it| !it.is_empty()).map(|it| format!("s{it}")),
        How::Starts | How::Exact => beginnings(word).next(),
        How::Contains => None,
    });
    let mut terms: Vec<String> = terms.collect();
    // The longest tell the most.
    terms.sort_by_key(|term| std::cmp::Reverse(term.len()));
    terms
}

/// The words of a value that a resource says, dates left out.
fn spelled(parameter: &Parameter, value: &Held) -> Vec<String> {
    match value {
        Held::Token { system: _, code: said } => {
            said.iter().map(|said| format!("c{}", code(said))).collect()
        }
        Held::Contact { system: _, place } => {
            // Which of the two it is compared as is told by its system; both are few.
            vec![format!("n{}", last_digits(place)), format!("a{}", place.to_lowercase())]
        }
        Held::Reference { type_: Some(_), id } => vec![format!("r{id}")],
        Held::Reference { type_: None, id } => {
            // What lies at an address of this very door is meant by its id, too.
            let last = id.rsplit('/').next().unwrap_or(id);
            vec![format!("r{id}"), format!("r{last}")]
        }
        Held::Date { .. } => Vec::new(),
        Held::Text(text) if parameter.name == PHONETIC => Some(text)
            .filter(|text| !text.is_empty())
            .map(|text| format!("s{text}"))
            .into_iter()
            .collect(),
        Held::Text(text) => beginnings(text).collect(),
        Held::Uri(uri) => vec![format!("u{uri}")],
    }
}

/// How a text begins, the longest first.
fn beginnings(text: &str) -> impl Iterator<Item = String> {
    let letters: Vec<char> = text.chars().collect();
    BEGINNINGS.into_iter().filter_map(move |long| {
        letters.get(..long).map(|some| format!("t{}", some.iter().collect::<String>()))
    })
}

fn term(type_: &str, parameter: &Parameter, word: &str) -> String {
    format!("{type_}|{}|{word}", parameter.name)
}

/// The term of what has too many.
fn crowded(type_: &str) -> String {
    format!("{type_}|*")
}

/// A code as it is held: however its digits are grouped, and in capitals or not.
fn code(said: &str) -> String {
    said.chars().filter(|it| !matches!(it, ' ' | '-')).flat_map(char::to_lowercase).collect()
}

fn unversioned(url: &str) -> &str {
    url.split("/_history/").next().unwrap_or(url)
}

fn time(value: &Held) -> Option<(i64, i64)> {
    match value {
        Held::Date { from, to } => Some((*from, *to)),
        Held::Token { .. }
        | Held::Contact { .. }
        | Held::Reference { .. }
        | Held::Text(_)
        | Held::Uri(_) => None,
    }
}

/// What is long, far away, or one of several.
const WIDE: &str = "w";

/// The days, months and years of the one time that a resource says.
fn spelled_times(times: &[(i64, i64)]) -> Vec<String> {
    let wide = || vec![WIDE.to_owned()];
    let [(from, to)] = times else { return wide() };
    // One that ends before it begins overlaps with nothing, and may fit all the same.
    let last = to.saturating_sub(1);
    if last < *from {
        return wide();
    }
    let (Some(first_day), Some(last_day)) = (day(*from), day(last)) else { return wide() };
    let is_near = YEARS.contains(&first_day.year()) && YEARS.contains(&last_day.year());
    if !is_near || last.saturating_sub(*from) > LONG_MS {
        return wide();
    }
    let mut words = BTreeSet::new();
    for day in days(first_day, last_day) {
        words.extend([in_days(day), in_months(day), in_years(day.year())]);
    }
    words.into_iter().collect()
}

/// What times are looked for by that fit all conditions on one parameter.
fn of_times<'a>(
    type_: &str,
    parameter: &Parameter,
    conditions: impl Iterator<Item = &'a Condition>,
) -> Option<Vec<String>> {
    let (mut after, mut before) = (i64::MIN, i64::MAX);
    for Condition { parameter: _, modifier, any } in conditions {
        if modifier.is_some() {
            continue;
        }
        let spans: Option<Vec<(i64, i64)>> = any.iter().map(span).collect();
        let spans = spans?;
        after = after.max(spans.iter().map(|it| it.0).min()?);
        before = before.min(spans.iter().map(|it| it.1).max()?);
    }
    if after == i64::MIN && before == i64::MAX {
        return None;
    }
    let mut words = vec![WIDE.to_owned()];
    if after < before {
        words.extend(stretch(after.saturating_sub(ZONE_MS), before.saturating_add(ZONE_MS)));
    }
    Some(words.iter().map(|word| term(type_, parameter, word)).collect())
}

/// The instants `(after, before)` so that what fits ends after the one and begins before the other; none
/// if it is no date.
fn span(value: &Value) -> Option<(i64, i64)> {
    let Value::Date { prefix, from_ms, to_ms } = value else { return None };
    let (from, to) = (*from_ms, *to_ms);
    Some(match prefix {
        Prefix::Eq | Prefix::Ap => (from, to),
        Prefix::Ne => (i64::MIN, i64::MAX),
        Prefix::Gt | Prefix::Sa => (to, i64::MAX),
        Prefix::Ge => (from, i64::MAX),
        Prefix::Lt | Prefix::Eb => (i64::MIN, from),
        Prefix::Le => (i64::MIN, to),
    })
}

/// A stretch of time as its days; a longer one as the months of its first and its last year, and the
/// years between.
fn stretch(from: i64, to: i64) -> Vec<String> {
    let earliest = Date::constant(*YEARS.start(), 1, 1);
    let latest = Date::constant(*YEARS.end(), 12, 31);
    let first = day(from).map_or(earliest, |it| it.clamp(earliest, latest));
    let last = day(to).map_or(latest, |it| it.clamp(earliest, latest));
    if days(first, last).take(DAYS_MAX + 1).count() <= DAYS_MAX {
        return days(first, last).map(in_days).collect();
    }
    let mut words = Vec::new();
    for year in first.year()..=last.year() {
        let begin = if year == first.year() { first.month() } else { 1 };
        let end = if year == last.year() { last.month() } else { 12 };
        if (begin, end) == (1, 12) {
            words.push(in_years(year));
        } else {
            words.extend((begin..=end).map(|month| in_months(Date::constant(year, month, 1))));
        }
    }
    words
}

/// The day of an instant at Greenwich; none if the calendar does not reach so far.
fn day(ms: i64) -> Option<Date> {
    Some(Timestamp::from_millisecond(ms).ok()?.to_zoned(TimeZone::UTC).date())
}

fn days(first: Date, last: Date) -> impl Iterator<Item = Date> {
    let next = |day: &Date| day.tomorrow().ok();
    std::iter::successors(Some(first), next).take_while(move |day| *day <= last)
}

fn in_days(day: Date) -> String {
    format!("d{day}")
}

fn in_months(day: Date) -> String {
    format!("m{:04}-{:02}", day.year(), day.month())
}

fn in_years(year: i16) -> String {
    format!("y{year:04}")
}
