//! One resource as it is, or as it was: a record of the clinic as FHIR, or a resource that is kept as
//! it was given.
//!
//! A type can be both: an Organization with the clinic's id is the clinic, every other one is kept.

use fhir::{Here, Resource, audit_event, capability, provenance, slot};
use jiff::Timestamp;
use prm::chart::{self, Chart};
use prm::db::Read;
use prm::error::{Error, Result};
use prm::id::{Noun, PatientId};
use prm::stamp::Right;
use prm::stamp::Stamp as OfRecords;
use prm::{change, given};
use uuid::Uuid;

pub use super::record::{Record, noun_of};
use super::stamp::Stamp;
use super::{audit_events, provenances, slots};

/// A resource that was found.
pub struct Found {
    /// The resource.
    pub resource: Resource,
    /// Its version and when that was made; none of what is computed.
    pub at: Option<(i64, Timestamp)>,
    /// Whose records it shows.
    pub whose: Vec<Whose>,
}

/// A record that was shown, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whose {
    /// What it is here.
    pub noun: Noun,
    /// Its id here.
    pub id: Uuid,
    /// Whose record it is part of.
    pub patient: PatientId,
}

/// What was looked for.
pub enum Sought {
    /// It is there.
    Found(Box<Found>),
    /// It was deleted.
    Gone,
}

/// Types of which every resource is a record of the clinic, or computed.
const ONLY_RECORDS: [&str; 8] = [
    "AuditEvent",
    "HealthcareService",
    "Location",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Schedule",
    "Slot",
];

/// Whether resources of a type can be there as they were given.
pub fn is_kept(resource_type: &str) -> bool {
    !capability::interactions(resource_type).is_empty() && !ONLY_RECORDS.contains(&resource_type)
}

/// Refuses who may read no resource of a type.
///
/// # Errors
/// *Unknown* or *forbidden*.
pub fn may_read(stamp: &Stamp, resource_type: &str) -> Result<()> {
    let of_records = match resource_type {
        provenance::TYPE => provenances::nouns(stamp).first().copied(),
        slot::TYPE => Some(Noun::Slot),
        audit_event::TYPE => Some(Noun::Audit),
        _ => noun_of(resource_type),
    };
    let kept = is_kept(resource_type).then_some(Noun::Chart);
    let rights = of_records.into_iter().chain(kept).map(Right::to_read);
    let mut refused = Err(Error::NotFound(Noun::Chart));
    for right in rights {
        refused = stamp.needs(right);
        if refused.is_ok() {
            return Ok(());
        }
    }
    refused
}

/// The resource of this type and id, at a version or as it is now.
///
/// # Errors
/// *Not found* if there is none; *forbidden* if the caller may not read such records.
pub fn one(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    (resource_type, id): (&'static str, &str),
    version: Option<i64>,
) -> Result<Sought> {
    if !stamp.touches(resource_type) {
        return Err(Error::Forbidden);
    }
    let found = match resource_type {
        slot::TYPE if version.is_none() => slots::one(read, stamp, here, id),
        audit_event::TYPE if version.is_none() => audit_events::one(read, stamp, here, id),
        provenance::TYPE if version.is_none_or(|it| it == 1) => {
            provenances::one(read, stamp, here, id)
        }
        _ => Record::load(read, stamp, here, (resource_type, id), version)
            .and_then(|record| shown(read, stamp, here, (resource_type, &record))),
    };
    match found {
        Ok(found) => Ok(Sought::Found(Box::new(found))),
        Err(error @ (Error::NotFound(_) | Error::Forbidden)) if is_kept(resource_type) => {
            match kept(read, stamp, here, (resource_type, id), version) {
                // Who may not read the clinic's records does not learn that there is none.
                Err(Error::NotFound(_)) => Err(error),
                found => found,
            }
        }
        Err(error) => Err(error),
    }
}

/// Whether there is such a resource, neither deleted nor unknown.
///
/// # Errors
/// *Forbidden* if the caller may not read such records.
pub fn exists(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    (resource_type, id): (&'static str, &str),
) -> Result<bool> {
    let found = match resource_type {
        slot::TYPE => slots::one(read, stamp, here, id).map(drop),
        audit_event::TYPE => audit_events::one(read, stamp, here, id).map(drop),
        provenance::TYPE => provenances::one(read, stamp, here, id).map(drop),
        _ => Record::load(read, stamp, here, (resource_type, id), None).map(drop),
    };
    match found {
        Ok(()) => Ok(true),
        Err(error @ (Error::NotFound(_) | Error::Forbidden)) if is_kept(resource_type) => {
            match chart::get(read, stamp, resource_type, id) {
                Ok(chart) => Ok(chart.body.is_some()),
                Err(Error::NotFound(_)) if matches!(error, Error::NotFound(_)) => Ok(false),
                Err(Error::NotFound(_)) if !is_hidden(read, stamp, (resource_type, id))? => {
                    Ok(false)
                }
                Err(Error::NotFound(_)) => Err(error),
                Err(other) => Err(other),
            }
        }
        Err(Error::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether an id may be that of a record which the caller may not read: it is in the change log, and
/// not that of a resource that is kept as given.
///
/// # Errors
/// Those of the database.
pub fn is_hidden(
    read: &Read<'_>,
    stamp: &OfRecords,
    (resource_type, id): (&str, &str),
) -> Result<bool> {
    let Ok(uuid) = Uuid::try_parse(id) else { return Ok(false) };
    match chart::get(read, stamp, resource_type, id) {
        Ok(_) => Ok(false),
        Err(Error::NotFound(_)) => Ok(change::made_at(read, uuid.as_bytes(), 1)?.is_some()),
        Err(error) => Err(error),
    }
}

/// A record with what was given of it.
fn shown(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    (resource_type, record): (&str, &Record),
) -> Result<Found> {
    let (noun, id, version) = (record.noun(), record.id(here), record.version(here));
    // Of a relation nothing is ever given: its id is that of the patient.
    let given = match record {
        Record::RelatedPerson(_) => None,
        Record::Patient(_)
        | Record::Practitioner(_)
        | Record::PractitionerRole(_)
        | Record::Organization
        | Record::Location(_)
        | Record::HealthcareService(_)
        | Record::Schedule(_)
        | Record::Appointment(_)
        | Record::Encounter(_)
        | Record::Task(_)
        | Record::Device(_) => {
            given::of(read, stamp, (noun, id.as_bytes(), version), resource_type)?
        }
    };
    let given = given.as_deref().map(parsed).transpose()?;
    let updated = record.updated(read, here)?;
    let resource = record.write(here, updated, given.as_ref()).ok_or(Error::NotFound(noun))?;
    Ok(Found { resource, at: Some((version, updated)), whose: record.whose(here) })
}

fn kept(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    (resource_type, id): (&'static str, &str),
    version: Option<i64>,
) -> Result<Sought> {
    let chart = match version {
        None => chart::get(read, stamp, resource_type, id)?,
        Some(version) => chart::at_version(read, stamp, (resource_type, id), version)?,
    };
    of_chart(read, here, &chart)
}

/// A resource that is kept as it was given.
///
/// # Errors
/// Those of the database.
pub fn of_chart(read: &Read<'_>, here: Here<'_>, chart: &Chart) -> Result<Sought> {
    let Some(body) = &chart.body else { return Ok(Sought::Gone) };
    let updated = change::made_at(read, chart.id.as_bytes(), chart.version)?;
    let updated = updated.unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(Sought::Found(Box::new(as_given(&parsed(body)?, chart, updated, here))))
}

/// A resource that was given, under the name and the version that it has here.
pub fn as_given(given: &Resource, chart: &Chart, updated: Timestamp, here: Here<'_>) -> Found {
    let id = chart.id.uuid();
    let whose = chart.patient.map(|patient| Whose { noun: Noun::Chart, id, patient });
    Found {
        resource: fhir::chart::write(given, &chart.name, chart.version, updated, here),
        at: Some((chart.version, updated)),
        whose: whose.into_iter().collect(),
    }
}

/// What was kept, read again.
fn parsed(body: &str) -> Result<Resource> {
    fhir::json::parse(body.as_bytes())
        .map_err(|_| Error::Storage("a resource that was kept cannot be read".into()))
}
