//! The columns of the clinic's records by which a FHIR search is narrowed.
//!
//! Of kinds of which a clinic has few (rooms, services, practitioners, sessions, devices) each is looked
//! at.

use fhir::search::{Condition as Asked, How, PHONE_DIGITS_MIN, Prefix, Value};
use fhir::{Here, matching};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use prm::id::{Noun, SlotId};
use prm::name;
use prm::query::{Compare, Field, How as TextHow, Wanted};
use prm::{appointment, patient, practitioner, queue, schedule};
use uuid::Uuid;

use super::compared;
use super::kept::code;

/// Where a reference of this parameter is in the records; none if it may be somewhere else.
pub fn references(type_: &str, parameter: &str) -> Option<Vec<Field>> {
    Some(match (type_, parameter) {
        ("Appointment", "patient") => vec![appointment::field::PATIENT],
        ("Appointment", "practitioner") => vec![appointment::field::PRACTITIONER],
        ("Appointment", "location") => vec![appointment::field::LOCATION],
        ("Appointment", "actor") => vec![
            appointment::field::PATIENT,
            appointment::field::PRACTITIONER,
            appointment::field::LOCATION,
            appointment::field::HEALTHCARE_SERVICE,
        ],
        ("Schedule", "actor") => vec![schedule::field::PRACTITIONER, schedule::field::LOCATION],
        ("PractitionerRole", "practitioner") => vec![practitioner::field::ID],
        ("PractitionerRole", "location") => vec![practitioner::field::LOCATION],
        ("Encounter" | "Task", "patient" | "subject") => vec![queue::field::PATIENT],
        ("Encounter", "appointment") | ("Task", "focus") => vec![queue::field::APPOINTMENT],
        ("Encounter", "practitioner" | "participant") | ("Task", "owner") => {
            vec![queue::field::PRACTITIONER]
        }
        ("Encounter", "location") => vec![queue::field::LOCATION],
        ("Patient", "link") => vec![patient::field::MERGED_INTO],
        // The records have no place for these: they are only in what was given.
        ("Patient", "general-practitioner") | ("Appointment", "based-on") => Vec::new(),
        (_, _) => return None,
    })
}

/// Whether the columns hold all that such a record says, whatever was given.
pub fn is_whole(noun: Noun, parameter: &str) -> bool {
    matches!(
        (noun, parameter),
        (Noun::Patient, "birthdate" | "gender" | "active")
            | (Noun::Appointment, "status" | "date" | "slot")
            | (Noun::QueueEntry, "status" | "business-status" | "date" | "authored-on")
    )
}

/// Whether the columns say exactly what fits.
pub fn is_exact(noun: Noun, parameter: &str) -> bool {
    matches!(
        (noun, parameter),
        (Noun::Patient, "active")
            | (Noun::Appointment, "status" | "patient" | "practitioner" | "location")
    )
}

/// Where to look in the records, and for what; none if there is no column that lets through all that
/// fits.
pub fn wanted(
    noun: Noun,
    type_: &'static str,
    asked: &Asked,
    here: Here<'_>,
) -> Option<(Vec<Field>, Vec<Wanted>)> {
    let values = &asked.any;
    let parameter = asked.parameter.name;
    if let Some(fields) = references(type_, parameter) {
        let fields = match (type_, parameter) {
            ("Appointment", "actor") => actors(values).unwrap_or(fields),
            (_, _) => fields,
        };
        return Some((fields, ids(values)?));
    }
    match (noun, parameter) {
        (Noun::Patient, _) => of_patient(parameter, values, here),
        (Noun::Appointment, _) => of_appointment(parameter, values),
        (Noun::QueueEntry, _) => of_turn(type_, parameter, values),
        (_, _) => None,
    }
}

/// The columns of those who take part, if each value says of which type it is: only of patients there is
/// an index.
fn actors(values: &[Value]) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    for value in values {
        let Value::Reference { type_: Some(type_), id: _ } = value else { return None };
        let field = match *type_ {
            "Patient" => appointment::field::PATIENT,
            "Practitioner" => appointment::field::PRACTITIONER,
            "Location" => appointment::field::LOCATION,
            "HealthcareService" => appointment::field::HEALTHCARE_SERVICE,
            _ => return None,
        };
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    Some(fields)
}

fn of_patient(
    parameter: &str,
    values: &[Value],
    here: Here<'_>,
) -> Option<(Vec<Field>, Vec<Wanted>)> {
    Some(match parameter {
        "name" | "given" | "family" => {
            (vec![patient::field::NAME], each(values, |it| name_of(it, TextHow::Starts))?)
        }
        "phonetic" => {
            (vec![patient::field::NAME], each(values, |it| name_of(it, TextHow::Sounds))?)
        }
        "identifier" => {
            let wanted = each(values, |it| Some(code(it)?.to_owned()))?.into_iter();
            let wanted = wanted.flat_map(|code| {
                // The records hold the digits of an ABHA number.
                let spelled = patient::abha_spellings(&code).into_iter().map(|(_, code)| code);
                let all: Vec<String> = spelled.chain([code.clone()]).collect();
                let token = |code| Wanted::Token { code: Some(code), system: None };
                all.into_iter().map(token).chain([Wanted::Word(code)])
            });
            (vec![patient::field::IDENTIFIER, patient::field::NUMBER], wanted.collect())
        }
        "phone" => (vec![patient::field::PHONE], each(values, phone)?),
        "email" => (vec![patient::field::EMAIL], each(values, email)?),
        "telecom" => {
            let mut wanted = each(values, email)?;
            wanted.extend(values.iter().filter_map(phone));
            (vec![patient::field::PHONE, patient::field::EMAIL], wanted)
        }
        "birthdate" => (vec![patient::field::BIRTH_DATE], each(values, |it| birth(it, here))?),
        "gender" => (vec![patient::field::SEX], words(values)?),
        "active" => {
            let wanted = each(values, |it| Some(Wanted::Flag(code(it)? == "true")))?;
            (vec![patient::field::ACTIVE], wanted)
        }
        "language" => (vec![patient::field::LANGUAGE], words(values)?),
        _ => return None,
    })
}

fn of_appointment(parameter: &str, values: &[Value]) -> Option<(Vec<Field>, Vec<Wanted>)> {
    Some(match parameter {
        "status" => (vec![appointment::field::STATUS], words(values)?),
        "date" => (vec![appointment::field::START], times(values, within_a_second)?),
        "slot" => {
            let starts = each(values, |it| {
                let start = code(it)?.parse::<SlotId>().ok()?.start().as_millisecond();
                Some(Wanted::Time(Compare::Equal, start, start + 1))
            })?;
            (vec![appointment::field::START], starts)
        }
        // The records have no place for these: they are only in what was given.
        "identifier" | "appointment-type" | "service-category" | "service-type" | "specialty"
        | "reason-code" => (Vec::new(), Vec::new()),
        _ => return None,
    })
}

fn of_turn(type_: &str, parameter: &str, values: &[Value]) -> Option<(Vec<Field>, Vec<Wanted>)> {
    Some(match (type_, parameter) {
        ("Encounter", "date") => (vec![queue::field::JOINED], times(values, begun)?),
        ("Task", "authored-on") => (vec![queue::field::JOINED], times(values, within_a_second)?),
        ("Encounter" | "Task", "status") => {
            let wanted = each(values, |it| Some(statuses(type_, code(it)?)))?;
            let words = wanted.into_iter().flatten().map(|word| Wanted::Word((*word).to_owned()));
            (vec![queue::field::STATUS], words.collect())
        }
        ("Task", "business-status") => (vec![queue::field::STATUS], words(values)?),
        (_, _) => return None,
    })
}

/// Where somebody stands in the queue whose Encounter or Task has this status.
fn statuses(type_: &str, status: &str) -> &'static [&'static str] {
    match (type_, status) {
        ("Encounter", "arrived") => &["waiting", "skipped"],
        ("Encounter" | "Task", "in-progress") => &["called"],
        ("Encounter", "finished") | ("Task", "completed") => &["finished"],
        ("Encounter" | "Task", "cancelled") => &["left"],
        ("Task", "ready") => &["waiting"],
        ("Task", "on-hold") => &["skipped"],
        (_, _) => &[],
    }
}

fn each<T>(values: &[Value], of: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    values.iter().map(of).collect()
}

fn words(values: &[Value]) -> Option<Vec<Wanted>> {
    each(values, |value| Some(Wanted::Word(code(value)?.to_owned())))
}

/// References to records of the box; those that are none of its ids fit nothing.
fn ids(values: &[Value]) -> Option<Vec<Wanted>> {
    let found = each(values, |value| match value {
        Value::Reference { type_: _, id } => {
            Some(Uuid::try_parse(id).ok().map(|id| Wanted::Id(id.into_bytes())))
        }
        Value::Url(_) => Some(None),
        Value::Token { .. }
        | Value::Date { .. }
        | Value::Text { .. }
        | Value::Number { .. }
        | Value::Uri(_)
        | Value::Flag(_) => None,
    })?;
    Some(found.into_iter().flatten().collect())
}

/// The words of a name that the index holds: not its titles, which are no part of it there.
fn name_of(value: &Value, how: TextHow) -> Option<Wanted> {
    const AFTER: &str = " zz zz";
    let Value::Text { how: asked, text } = value else { return None };
    if *asked == How::Contains {
        return None;
    }
    let mut words = name::words(&format!("{text}{AFTER}"));
    words.truncate(words.len().saturating_sub(2));
    let has_digits = text.contains(|letter: char| letter.is_ascii_digit());
    let is_whole = !words.is_empty() && !has_digits;
    is_whole.then(|| Wanted::Text(how, words.join(" ")))
}

/// A telephone number by its last digits; the rest is its country.
fn phone(value: &Value) -> Option<Wanted> {
    let digits = matching::digits(code(value)?);
    let tail = digits.get(digits.len().checked_sub(PHONE_DIGITS_MIN)?..)?;
    Some(Wanted::Text(TextHow::Contains, tail.to_owned()))
}

fn email(value: &Value) -> Option<Wanted> {
    Some(Wanted::Word(code(value)?.to_owned()))
}

fn times(values: &[Value], of: impl Fn(Prefix, i64, i64) -> Option<Wanted>) -> Option<Vec<Wanted>> {
    each(values, |value| match value {
        Value::Date { prefix, from_ms, to_ms } => of(*prefix, *from_ms, *to_ms),
        Value::Token { .. }
        | Value::Reference { .. }
        | Value::Url(_)
        | Value::Text { .. }
        | Value::Number { .. }
        | Value::Uri(_)
        | Value::Flag(_) => None,
    })
}

/// Times are written to the second: each stands for all of it.
const SECOND_MS: i64 = 1_000;

/// What begins within a stretch, or a second beside it.
fn within_a_second(prefix: Prefix, from: i64, to: i64) -> Option<Wanted> {
    let (early, late) = (from.saturating_sub(SECOND_MS), to.saturating_add(SECOND_MS));
    Some(match prefix {
        Prefix::Eq | Prefix::Ap => Wanted::Time(Compare::Overlaps, early, late),
        Prefix::Gt | Prefix::Ge | Prefix::Sa => Wanted::Time(Compare::StartsAfter, early, early),
        Prefix::Lt | Prefix::Le | Prefix::Eb => Wanted::Time(Compare::Less, late, late),
        Prefix::Ne => return None,
    })
}

/// What begins so that it can lie there, whenever it ended.
fn begun(prefix: Prefix, from: i64, to: i64) -> Option<Wanted> {
    match prefix {
        Prefix::Eq => within_a_second(Prefix::Eq, from, to),
        Prefix::Sa => within_a_second(Prefix::Sa, to, to),
        Prefix::Lt | Prefix::Eb => within_a_second(Prefix::Lt, from, from),
        Prefix::Le | Prefix::Ap => within_a_second(Prefix::Lt, to, to),
        Prefix::Gt | Prefix::Ge | Prefix::Ne => None,
    }
}

/// A date of birth, compared as text: a stretch that begins with a year or month is written as that,
/// so that births of which only so much is known lie in it.
fn birth(value: &Value, here: Here<'_>) -> Option<Wanted> {
    let Value::Date { prefix, from_ms, to_ms } = value else { return None };
    let prefix = match prefix {
        Prefix::Ne => return None,
        Prefix::Eq => Prefix::Ap,
        Prefix::Gt
        | Prefix::Lt
        | Prefix::Ge
        | Prefix::Le
        | Prefix::Sa
        | Prefix::Eb
        | Prefix::Ap => *prefix,
    };
    let text = |ms: i64| Some(short(Timestamp::from_millisecond(ms).ok()?, &here.clinic.zone));
    Some(Wanted::Date(compared(prefix), text(*from_ms)?, text(*to_ms)?))
}

fn short(at: Timestamp, zone: &TimeZone) -> String {
    let date = zone.to_datetime(at).date().to_string();
    let date = date.strip_suffix("-01").unwrap_or(&date);
    date.strip_suffix("-01").unwrap_or(date).to_owned()
}
