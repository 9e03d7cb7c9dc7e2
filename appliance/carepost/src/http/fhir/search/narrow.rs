//! A FHIR search as a question for the database. What comes out of it holds at least all that fits:
//! conditions for which there is no column are left to whoever looks at the resources.

use fhir::search::{Chained, Condition as Asked, How, Modifier, Prefix, Query, Reversed, Value};
use fhir::{Here, IssueCode, Outcome};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use prm::id::Noun;
use prm::query::{Compare, Condition, Field, How as TextHow, Question, Wanted};
use prm::{
    appointment, chart, healthcare_service, location, patient, practitioner, queue, schedule,
};
use uuid::Uuid;

use super::{By, Sorted};
use crate::http::fhir::records;

/// Digits of a telephone number that are looked for in the database; the rest is its country.
const PHONE_DIGITS: usize = 8;

/// The question that a search is to the records of one kind.
pub fn question(query: &Query, noun: Noun, here: Here<'_>) -> Result<Question, Outcome> {
    let mut conditions = Vec::new();
    for asked in &query.conditions {
        conditions.extend(narrow(query.type_, noun, asked, here));
    }
    for Chained { by, any } in &query.chained {
        let fields = references(query.type_, noun, by.name);
        let mut ways = Vec::new();
        for (type_, condition) in any {
            let Some(other) = records::noun_of(type_).filter(|_| !fields.is_empty()) else {
                continue;
            };
            if let Some(condition) = narrow(type_, other, condition, here) {
                ways.push(Question { noun: other, kind: None, conditions: vec![condition] });
            }
        }
        let [one] = ways.as_slice() else { return Err(not_chained()) };
        conditions.push(Condition::RefersTo(fields, Box::new(one.clone())));
    }
    for Reversed { type_, by, condition } in &query.reversed {
        let (other, kind) = match records::noun_of(type_) {
            Some(Noun::Clinic) | None => (Noun::Chart, Some((*type_).to_owned())),
            Some(noun) => (noun, None),
        };
        let fields = references(type_, other, by.name);
        let (Some(field), Some(inner)) = (fields.first(), narrow(type_, other, condition, here))
        else {
            return Err(not_chained());
        };
        let other = Question { noun: other, kind, conditions: vec![inner] };
        conditions.push(Condition::ReferredBy(*field, Box::new(other)));
    }
    let kind = (noun == Noun::Chart).then(|| query.type_.to_owned());
    Ok(Question { noun, kind, conditions })
}

fn not_chained() -> Outcome {
    let what = "the box cannot search through this reference; search for the other resource first";
    Outcome::error(IssueCode::NotSupported, what)
}

/// Whether the database alone says what fits.
pub fn is_exact(query: &Query) -> bool {
    let is_record = records::noun_of(query.type_).is_some();
    query.conditions.iter().all(|asked| {
        let plain = asked.modifier.is_none();
        match (query.type_, asked.parameter.name) {
            ("Appointment", "patient" | "practitioner" | "location" | "status")
            | ("Patient", "gender" | "active") => plain,
            (_, "patient" | "subject" | "code" | "status" | "category" | "identifier") => {
                plain
                    && !is_record
                    && asked
                        .any
                        .iter()
                        .all(|it| matches!(it, Value::Token { .. } | Value::Reference { .. }))
            }
            (_, _) => false,
        }
    })
}

/// By what the database sorts; what it cannot sort by is left out.
pub fn sorts(sort: &[By], noun: Noun) -> Sorted {
    let fields = sort.iter().filter_map(|By { parameter, descending }| {
        let field = match (noun, parameter.name) {
            (Noun::Patient, "name" | "given" | "family") => patient::field::SORT_NAME,
            (Noun::Patient, "birthdate") => patient::field::BIRTH_DATE,
            (Noun::Patient, "gender") => patient::field::SEX,
            (Noun::Practitioner, "name" | "given" | "family") => practitioner::field::NAME,
            (Noun::Location, "name") => location::field::NAME,
            (Noun::HealthcareService, "name") => healthcare_service::field::NAME,
            (Noun::Appointment, "date") => appointment::field::TIME,
            (Noun::Appointment, "status") => appointment::field::STATUS,
            (Noun::Chart, "date") => Field::given_time("date"),
            (Noun::Chart, "code") => Field::given("code"),
            (Noun::Chart, "status") => Field::given("status"),
            (_, _) => return None,
        };
        Some(prm::query::Sort { field, descending: *descending })
    });
    fields.take(prm::query::SORTS_MAX).collect()
}

/// Where a reference of this parameter is in the records.
fn references(type_: &str, noun: Noun, parameter: &str) -> Vec<Field> {
    match (type_, noun, parameter) {
        ("Appointment", Noun::Appointment, "patient") => vec![appointment::field::PATIENT],
        ("Appointment", Noun::Appointment, "practitioner") => {
            vec![appointment::field::PRACTITIONER]
        }
        ("Appointment", Noun::Appointment, "location") => vec![appointment::field::LOCATION],
        ("Appointment", Noun::Appointment, "actor") => vec![
            appointment::field::PATIENT,
            appointment::field::PRACTITIONER,
            appointment::field::LOCATION,
            appointment::field::HEALTHCARE_SERVICE,
        ],
        ("Schedule", Noun::Schedule, "actor") => {
            vec![schedule::field::PRACTITIONER, schedule::field::LOCATION]
        }
        ("PractitionerRole", Noun::Practitioner, "practitioner") => vec![practitioner::field::ID],
        ("PractitionerRole", Noun::Practitioner, "location") => vec![practitioner::field::LOCATION],
        ("Encounter" | "Task", Noun::QueueEntry, "patient" | "subject") => {
            vec![queue::field::PATIENT]
        }
        ("Encounter", Noun::QueueEntry, "appointment") => vec![queue::field::APPOINTMENT],
        (_, Noun::Chart, "patient" | "subject") => vec![chart::field::PATIENT],
        (_, _, _) => Vec::new(),
    }
}

/// A condition for the database, where it has one that lets through all that fits.
fn narrow(type_: &str, noun: Noun, asked: &Asked, here: Here<'_>) -> Option<Condition> {
    let name = asked.parameter.name;
    let values = &asked.any;
    match (asked.modifier, name) {
        (None, "_id") => return Some(by_id(noun, values)),
        (None, "_lastUpdated") => {
            let [Value::Date { prefix, from_ms, to_ms }] = values.as_slice() else { return None };
            return Some(Condition::ChangedAt(compared(*prefix), *from_ms, *to_ms));
        }
        (Some(Modifier::Missing), _) => return missing(noun, name, values),
        (Some(Modifier::Not | Modifier::Text | Modifier::Identifier), _) => return None,
        (None | Some(Modifier::Exact | Modifier::Contains | Modifier::Type(_)), _) => {}
    }
    let references = references(type_, noun, name);
    if !references.is_empty() {
        return of_references(references, values);
    }
    let any = |fields: Vec<Field>, any: Option<Vec<Wanted>>| {
        Some(Condition::Holds { fields, any: any?, not: false })
    };
    match (noun, name) {
        (Noun::Patient, "name" | "given" | "family") => {
            any(vec![patient::field::NAME], texts(values))
        }
        (Noun::Patient, "identifier") => {
            let codes: Vec<&str> = values.iter().map(code).collect::<Option<_>>()?;
            let mut wanted = Vec::new();
            for code in codes {
                wanted.push(Wanted::Token { code: Some(code.to_owned()), system: None });
                wanted.push(Wanted::Word(code.to_owned()));
            }
            let fields = vec![
                patient::field::IDENTIFIER,
                patient::field::NUMBER,
                Field::given("identifier"),
            ];
            any(fields, Some(wanted))
        }
        (Noun::Patient, "phone" | "telecom") => {
            let digits = values.iter().map(|value| {
                let digits: String = code(value)?.chars().filter(char::is_ascii_digit).collect();
                let tail = digits.get(digits.len().checked_sub(PHONE_DIGITS)?..)?;
                Some(Wanted::Text(TextHow::Contains, tail.to_owned()))
            });
            any(vec![patient::field::PHONE], digits.collect())
        }
        (Noun::Patient, "birthdate") => any(
            vec![patient::field::BIRTH_DATE],
            values.iter().map(|value| birth(value, here)).collect(),
        ),
        (Noun::Patient, "gender") => any(vec![patient::field::SEX], words(values)),
        (Noun::Patient, "active") => any(vec![patient::field::ACTIVE], flags(values)),
        (Noun::Practitioner, "active") => any(vec![practitioner::field::ACTIVE], flags(values)),
        (Noun::HealthcareService, "active") => {
            any(vec![healthcare_service::field::ACTIVE], flags(values))
        }
        (Noun::Appointment, "status") => any(vec![appointment::field::STATUS], words(values)),
        (Noun::Appointment, "date") => any(vec![appointment::field::START], times(values)),
        (Noun::Appointment | Noun::Practitioner, "identifier") => None,
        (Noun::Chart, "date") => any(vec![Field::given_time("date")], times(values)),
        (Noun::Chart, "identifier" | "code" | "status" | "category") => {
            let parameter =
                ["identifier", "code", "status", "category"].into_iter().find(|it| *it == name)?;
            let tokens = values.iter().map(|value| match value {
                Value::Token { system, code } => Some(Wanted::Token {
                    code: code.clone(),
                    system: system.clone().map(Option::unwrap_or_default),
                }),
                Value::Reference { .. }
                | Value::Url(_)
                | Value::Date { .. }
                | Value::Text { .. }
                | Value::Number { .. }
                | Value::Uri(_)
                | Value::Flag(_) => None,
            });
            any(vec![Field::given(parameter)], tokens.collect())
        }
        (_, _) => None,
    }
}

fn by_id(noun: Noun, values: &[Value]) -> Condition {
    let codes = values.iter().filter_map(code);
    if noun == Noun::Chart {
        let any = codes.map(|code| Wanted::Word(code.to_owned())).collect();
        return Condition::Holds { fields: vec![chart::field::NAME], any, not: false };
    }
    Condition::IsOneOf(
        codes.filter_map(|code| Uuid::try_parse(code).ok()).map(Uuid::into_bytes).collect(),
    )
}

fn missing(noun: Noun, name: &str, values: &[Value]) -> Option<Condition> {
    let [Value::Flag(missing)] = values else { return None };
    let field = match (noun, name) {
        (Noun::Patient, "birthdate") => patient::field::BIRTH_DATE,
        (Noun::Chart, "date") => Field::given_time("date"),
        (Noun::Chart, "code") => Field::given("code"),
        (Noun::Chart, "status") => Field::given("status"),
        (Noun::Chart, "category") => Field::given("category"),
        (Noun::Chart, "identifier") => Field::given("identifier"),
        (_, _) => return None,
    };
    Some(Condition::Missing(vec![field], *missing))
}

/// References to records of the box; those that are none of its ids fit nothing.
fn of_references(fields: Vec<Field>, values: &[Value]) -> Option<Condition> {
    let mut any = Vec::with_capacity(values.len());
    for value in values {
        let Value::Reference { type_: _, id } = value else { return None };
        if let Ok(uuid) = Uuid::try_parse(id) {
            any.push(Wanted::Id(uuid.into_bytes()));
        }
    }
    Some(Condition::Holds { fields, any, not: false })
}

fn code(value: &Value) -> Option<&str> {
    match value {
        Value::Token { system: _, code } => code.as_deref(),
        Value::Reference { type_: _, id } => Some(id),
        Value::Url(_)
        | Value::Date { .. }
        | Value::Text { .. }
        | Value::Number { .. }
        | Value::Uri(_)
        | Value::Flag(_) => None,
    }
}

fn words(values: &[Value]) -> Option<Vec<Wanted>> {
    values.iter().map(|value| Some(Wanted::Word(code(value)?.to_owned()))).collect()
}

fn flags(values: &[Value]) -> Option<Vec<Wanted>> {
    values.iter().map(|value| Some(Wanted::Flag(code(value)? == "true"))).collect()
}

fn texts(values: &[Value]) -> Option<Vec<Wanted>> {
    let each = values.iter().map(|value| match value {
        // The index holds words by their beginnings, however they are written.
        Value::Text { how: How::Starts | How::Exact, text } => {
            Some(Wanted::Text(TextHow::Starts, text.clone()))
        }
        Value::Text { how: How::Contains | How::Sounds, text: _ }
        | Value::Token { .. }
        | Value::Reference { .. }
        | Value::Url(_)
        | Value::Date { .. }
        | Value::Number { .. }
        | Value::Uri(_)
        | Value::Flag(_) => None,
    });
    each.collect()
}

fn times(values: &[Value]) -> Option<Vec<Wanted>> {
    let each = values.iter().map(|value| match value {
        Value::Date { prefix, from_ms, to_ms } => {
            Some(Wanted::Time(compared(*prefix), *from_ms, *to_ms))
        }
        Value::Token { .. }
        | Value::Reference { .. }
        | Value::Url(_)
        | Value::Text { .. }
        | Value::Number { .. }
        | Value::Uri(_)
        | Value::Flag(_) => None,
    });
    each.collect()
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

fn compared(prefix: Prefix) -> Compare {
    match prefix {
        Prefix::Eq => Compare::Equal,
        Prefix::Ne => Compare::NotEqual,
        Prefix::Gt => Compare::Greater,
        Prefix::Lt => Compare::Less,
        Prefix::Ge => Compare::GreaterOrEqual,
        Prefix::Le => Compare::LessOrEqual,
        Prefix::Sa => Compare::StartsAfter,
        Prefix::Eb => Compare::EndsBefore,
        Prefix::Ap => Compare::Overlaps,
    }
}
