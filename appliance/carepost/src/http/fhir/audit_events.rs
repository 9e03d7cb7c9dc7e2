//! Lines of the audit as FHIR. Reading them is written to the audit.

use fhir::search::{self, Condition, Prefix, Query, Value};
use fhir::{Here, audit_event};
use prm::audit::{self, Filter, Line};
use prm::db::Read;
use prm::error::{Error, Result};
use prm::id::{Noun, PatientId};
use prm::stamp::{Right, Stamp};
use prm::time;
use uuid::Uuid;

use super::records::Found;

/// The line of this id: its place in the audit.
///
/// # Errors
/// *Not found* if there is none; *forbidden* if the caller may not read the audit.
pub fn one(read: &Read<'_>, stamp: &Stamp, here: Here<'_>, id: &str) -> Result<Found> {
    stamp.needs(Right::ReadAudit)?;
    let none = || Error::NotFound(Noun::Audit);
    let sequence: i64 = id.parse().map_err(|_| none())?;
    let before = sequence.checked_add(1).filter(|_| sequence.to_string() == id);
    let filter = Filter { before: Some(before.ok_or_else(none)?), ..Filter::default() };
    let found = audit::list(read, stamp, &filter, 1)?.into_iter().next();
    found.filter(|line| line.sequence == sequence).map(|line| shown(&line, here)).ok_or_else(none)
}

/// A line as a resource.
pub fn shown(line: &Line, here: Here<'_>) -> Found {
    let resource = audit_event::write(line, here);
    // Nobody's record is shown, only that it was: so the audit has a line of its own for it.
    Found { resource, at: Some((1, line.at)), whose: Vec::new() }
}

/// Which lines a search can be about, as far as columns say it.
pub fn filter(query: &Query) -> Filter {
    let mut filter = Filter::default();
    let plain = query.conditions.iter().filter(|it| it.modifier.is_none());
    for Condition { parameter, modifier: _, any } in plain {
        if parameter.name == search::ID {
            of_these(&mut filter, any);
            continue;
        }
        let [one] = any.as_slice() else { continue };
        match one {
            Value::Date { prefix, from_ms, to_ms }
                if ["date", search::LAST_UPDATED].contains(&parameter.name) =>
            {
                between(&mut filter, *prefix, *from_ms, *to_ms);
            }
            Value::Reference { type_, id } => about(&mut filter, parameter.name, *type_, id),
            Value::Token { system: _, code: Some(code) } => {
                let verbs = audit_event::verbs(parameter.name, code);
                filter.verbs = verbs.or(filter.verbs.take());
            }
            Value::Token { .. }
            | Value::Url(_)
            | Value::Date { .. }
            | Value::Text { .. }
            | Value::Number { .. }
            | Value::Uri(_)
            | Value::Flag(_) => {}
        }
    }
    filter
}

/// Only lines of these ids.
fn of_these(filter: &mut Filter, any: &[Value]) {
    let lines = any.iter().filter_map(|value| match value {
        Value::Token { system: _, code } => code.as_deref()?.parse::<i64>().ok(),
        Value::Reference { .. }
        | Value::Url(_)
        | Value::Date { .. }
        | Value::Text { .. }
        | Value::Number { .. }
        | Value::Uri(_)
        | Value::Flag(_) => None,
    });
    let (first, last) = (lines.clone().min().unwrap_or(1), lines.max().unwrap_or(0));
    filter.first = filter.first.max(Some(first));
    filter.last = Some(filter.last.map_or(last, |before| before.min(last)));
}

/// Only lines that refer to this.
fn about(filter: &mut Filter, parameter: &str, type_: Option<&str>, id: &str) {
    let uuid = Uuid::try_parse(id).ok();
    match (parameter, type_, uuid) {
        ("patient", _, Some(id)) => filter.patient = Some(PatientId::from_bytes(id.into_bytes())),
        ("entity", _, Some(id)) => filter.about = Some(id),
        // Of those who did something only devices are resources.
        ("agent", Some("Device") | None, Some(id)) => filter.actor = Some(id),
        // Nothing else has an id of this form.
        ("patient" | "entity" | "agent", _, _) => of_these(filter, &[]),
        (_, _, _) => {}
    }
}

fn between(filter: &mut Filter, prefix: Prefix, from_ms: i64, to_ms: i64) {
    let (from, to) = match prefix {
        Prefix::Eq | Prefix::Ap => (Some(from_ms), Some(to_ms)),
        Prefix::Gt | Prefix::Ge | Prefix::Sa => (Some(from_ms), None),
        Prefix::Lt | Prefix::Le | Prefix::Eb => (None, Some(to_ms)),
        Prefix::Ne => (None, None),
    };
    let at = |ms: Option<i64>| ms.map(time::from_ms);
    filter.from = filter.from.max(at(from));
    filter.to = [filter.to, at(to)].into_iter().flatten().min();
}
