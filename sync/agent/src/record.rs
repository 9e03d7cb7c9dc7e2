//! Which resources show a record, and under which key the hub knows each.
//!
//! A key is the type and the id that the change log has: `Patient/0193…`. Keys of one type are in the
//! order of their ids, so that all records can be told in parts.

use prm::change::Change;
use prm::chart;
use prm::db::Read;
use prm::error::{Error, Result};
use prm::id::{ChartId, Noun};
use prm::stamp::Stamp;
use prm::statement;
use sync_protocol::ledger::Key;
use uuid::Uuid;

/// The types that show records of the clinic, in their order, and what they show.
const TYPES: [(&str, Noun); 12] = [
    ("Appointment", Noun::Appointment),
    ("Device", Noun::Device),
    ("Encounter", Noun::QueueEntry),
    ("HealthcareService", Noun::HealthcareService),
    ("Location", Noun::Location),
    ("Organization", Noun::Clinic),
    ("Patient", Noun::Patient),
    ("Practitioner", Noun::Practitioner),
    ("PractitionerRole", Noun::Practitioner),
    ("Schedule", Noun::Schedule),
    ("Slot", Noun::Loan),
    ("Task", Noun::QueueEntry),
];

/// The key of a resource.
pub fn key(kind: &str, id: Uuid) -> Key {
    Key(format!("{kind}/{id}").into_bytes())
}

/// Type and id of a key that [`key`] made.
pub fn parse(key: &Key) -> Option<(&str, Uuid)> {
    let (kind, id) = std::str::from_utf8(&key.0).ok()?.split_once('/')?;
    Some((kind, Uuid::try_parse(id).ok()?))
}

/// The types that show what a change is about.
///
/// # Errors
/// Those of the database.
pub fn kinds_of(read: &Read<'_>, stamp: &Stamp, change: &Change) -> Result<Vec<String>> {
    if change.noun == Noun::Chart.as_str() {
        let id = ChartId::from_bytes(*change.resource.as_bytes());
        return match chart::by_id(read, stamp, id) {
            Ok(chart) => Ok(vec![chart.kind]),
            Err(Error::NotFound(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        };
    }
    let shown = TYPES.iter().filter(|(_, noun)| noun.as_str() == change.noun);
    Ok(shown.map(|(kind, _)| (*kind).to_owned()).collect())
}

/// The keys of all records after a key, in their order, at most `limit`; fewer only at the end of a
/// type, none only at the end of all.
///
/// # Errors
/// Those of the database.
pub fn keys_after(
    read: &Read<'_>,
    stamp: &Stamp,
    from: Option<&Key>,
    limit: usize,
) -> Result<Vec<(String, Uuid)>> {
    let (mut kind, mut after) = match from.and_then(parse) {
        Some((kind, id)) => (Some(kind.to_owned()), Some(id)),
        None => (next_kind(read, stamp, "")?, None),
    };
    while let Some(of) = kind {
        let ids = ids_of(read, stamp, &of, after, limit)?;
        if !ids.is_empty() {
            return Ok(ids.into_iter().map(|id| (of.clone(), id)).collect());
        }
        (kind, after) = (next_kind(read, stamp, &of)?, None);
    }
    Ok(Vec::new())
}

fn next_kind(read: &Read<'_>, stamp: &Stamp, after: &str) -> Result<Option<String>> {
    let own = TYPES.iter().map(|(kind, _)| *kind).find(|kind| *kind > after).map(str::to_owned);
    let kept = statement::chart_kind(read, stamp, after)?;
    Ok(own.into_iter().chain(kept).min())
}

/// Of some types there are both: records of the clinic, and what is kept as given.
fn ids_of(
    read: &Read<'_>,
    stamp: &Stamp,
    kind: &str,
    after: Option<Uuid>,
    limit: usize,
) -> Result<Vec<Uuid>> {
    let mut ids = statement::chart_ids(read, stamp, kind, after, limit)?;
    if let Some((_, noun)) = TYPES.iter().find(|(own, _)| *own == kind) {
        ids.extend(statement::ids(read, stamp, *noun, after, limit)?);
    }
    ids.sort_unstable();
    ids.truncate(limit);
    Ok(ids)
}
