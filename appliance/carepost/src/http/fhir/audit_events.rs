//! Lines of the audit as FHIR. Reading them is written to the audit.

use fhir::search::{Condition, Prefix, Query, Value};
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

/// Which lines a search can be about.
pub fn filter(query: &Query) -> Filter {
    let mut filter = Filter::default();
    let plain = query.conditions.iter().filter(|it| it.modifier.is_none());
    for Condition { parameter, modifier: _, any } in plain {
        let [one] = any.as_slice() else { continue };
        match (parameter.name, one) {
            ("date", Value::Date { prefix, from_ms, to_ms }) => {
                between(&mut filter, *prefix, *from_ms, *to_ms);
            }
            ("patient", Value::Reference { type_: _, id }) => {
                filter.patient = id.parse::<PatientId>().ok().or(filter.patient);
            }
            ("entity", Value::Reference { type_: Some("Patient"), id }) => {
                filter.patient = id.parse::<PatientId>().ok().or(filter.patient);
            }
            ("agent", Value::Reference { type_: Some("Device"), id }) => {
                filter.actor = Uuid::try_parse(id).ok().or(filter.actor);
            }
            (_, _) => {}
        }
    }
    filter
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
