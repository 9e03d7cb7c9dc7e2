//! Who wrote the versions of the clinic's records, as FHIR. Whoever may read a record may ask who wrote it.

use fhir::search::{self, Condition, Prefix, Query, Value};
use fhir::{Here, provenance};
use prm::db::Read;
use prm::error::{Error, Result};
use prm::id::Noun;
use prm::provenance::{Filter, Written, list};
use prm::stamp::{Right, Stamp};
use prm::time;
use uuid::Uuid;

use super::records::{Found, Whose};

/// The kinds of record of which the caller may ask.
pub fn nouns(stamp: &Stamp) -> Vec<Noun> {
    let all = provenance::TARGETS.into_iter().map(|(noun, _)| noun);
    all.filter(|noun| stamp.may(Right::to_read(*noun))).collect()
}

/// Who wrote the version of this id.
///
/// # Errors
/// *Not found* if there is none; *forbidden* if the caller may not read such records.
pub fn one(read: &Read<'_>, stamp: &Stamp, here: Here<'_>, id: &str) -> Result<Found> {
    let none = || Error::NotFound(Noun::Audit);
    let (noun, record, version) = provenance::parse_id(id).ok_or_else(none)?;
    let filter = Filter {
        nouns: vec![noun],
        resources: Some(vec![record]),
        version: Some(version),
        ..Filter::default()
    };
    let found = list(read, stamp, &filter, 1)?.into_iter().next();
    found.and_then(|written| shown(&written, noun, here)).ok_or_else(none)
}

/// Who wrote a version, as a resource.
pub fn of_row(written: &Written, here: Here<'_>) -> Option<Found> {
    let mut nouns = provenance::TARGETS.into_iter().map(|(noun, _)| noun);
    shown(written, nouns.find(|noun| noun.as_str() == written.noun)?, here)
}

fn shown(written: &Written, noun: Noun, here: Here<'_>) -> Option<Found> {
    let resource = provenance::write(written, here)?;
    let whose = written.patient.map(|patient| Whose { noun, id: written.resource, patient });
    Some(Found { resource, at: Some((1, written.at)), whose: whose.into_iter().collect() })
}

/// Which versions a search can be about, as far as columns say it.
pub fn filter(stamp: &Stamp, query: &Query) -> Filter {
    let mut filter = Filter { nouns: nouns(stamp), ..Filter::default() };
    let plain = query.conditions.iter().filter(|it| it.modifier.is_none());
    for Condition { parameter, modifier: _, any } in plain {
        match parameter.name {
            search::ID => only(&mut filter, any.iter().filter_map(record_of_id)),
            "target" | "patient" => only(&mut filter, any.iter().filter_map(record)),
            "agent" => {
                if let [Value::Reference { type_: _, id }] = any.as_slice() {
                    // Nobody has an id of another form.
                    filter.actor = Some(Uuid::try_parse(id).unwrap_or_default());
                }
            }
            "recorded" | search::LAST_UPDATED => {
                if let [Value::Date { prefix, from_ms, to_ms }] = any.as_slice() {
                    between(&mut filter, *prefix, *from_ms, *to_ms);
                }
            }
            _ => {}
        }
    }
    filter
}

/// Only versions of these records: what is asked for twice has to be both.
fn only(filter: &mut Filter, records: impl Iterator<Item = Uuid>) {
    let records: Vec<Uuid> = records.collect();
    filter.resources = Some(match filter.resources.take() {
        None => records,
        Some(before) => before.into_iter().filter(|id| records.contains(id)).collect(),
    });
}

fn record_of_id(value: &Value) -> Option<Uuid> {
    let Value::Token { system: _, code: Some(code) } = value else { return None };
    provenance::parse_id(code).map(|(_, record, _)| record)
}

fn record(value: &Value) -> Option<Uuid> {
    let Value::Reference { type_: _, id } = value else { return None };
    Uuid::try_parse(id).ok()
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
