//! All resources of a type, one after the other, for whoever takes everything along.

use crate::http::fhir::stamp::Stamp;
use fhir::search::Query;
use fhir::{Here, capability, slot, structure};
use jiff::Timestamp;
use prm::chart;
use prm::db::Read;
use prm::error::Error;
use prm::query::{Compare, Condition};
use prm::time::to_ms;

use super::ROWS_AT_ONCE;
use super::source::{Source, Stream};
use crate::http::fhir::records::{self, Found, Sought};
use crate::http::fhir::write::Refused;

/// The types of which there can be resources. Slots are computed and lie in no record.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    structure::each_type()
        .filter(|type_| !capability::interactions(type_).is_empty() && *type_ != slot::TYPE)
}

/// Tells every resource of a type that the caller may read, changed at or after `since`.
///
/// # Errors
/// *Forbidden* if the caller may read none, and what `tell` answers.
pub fn each<E: From<Refused>>(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    (type_, since): (&'static str, Option<Timestamp>),
    tell: &mut dyn FnMut(Found) -> Result<(), E>,
) -> Result<(), E> {
    let broken = |error: Error| E::from(Refused::from(error));
    let query = Query::of(type_, Vec::new());
    let (mut sources, _) = Source::all(read, stamp, here, &query).map_err(E::from)?;
    // Who wrote what is no record of its own; it is asked of the box that it was written on.
    sources.retain(|source| !matches!(source, Source::Written(_)));
    for source in &mut sources {
        if let (Source::Records(question) | Source::Chart(question), Some(since)) = (source, since)
        {
            let since = to_ms(since);
            question.conditions.push(Condition::ChangedAt(
                Compare::GreaterOrEqual,
                since,
                since + 1,
            ));
        }
    }
    let is_new = |found: &Found| {
        let changed = found.at.map(|(_, changed)| changed);
        since.is_none_or(|since| changed.is_none_or(|changed| changed >= since))
    };
    for source in &sources {
        if let Source::Chart(_) = source {
            // Of most types there is nothing: that is told by the index of their names.
            let mut name = String::new();
            loop {
                let rows = chart::after(read, stamp, type_, &name, ROWS_AT_ONCE).map_err(broken)?;
                let Some(last) = rows.last() else { break };
                name.clone_from(&last.name);
                for row in &rows {
                    if let Sought::Found(found) =
                        records::of_chart(read, here, row).map_err(broken)?
                        && is_new(&found)
                    {
                        tell(*found)?;
                    }
                }
            }
            continue;
        }
        let mut stream = Stream::new(source, &[], None);
        while stream.peek(read, stamp, here, ROWS_AT_ONCE).map_err(broken)?.is_some() {
            let Some((_, row)) = stream.take() else { break };
            let found = Source::load(read, stamp, here, type_, &row).map_err(broken)?;
            if let Some(found) = found.filter(is_new) {
                tell(found)?;
            }
        }
    }
    Ok(())
}
