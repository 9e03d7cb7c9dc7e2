//! What the clinic does: how long it takes, who does it, which rooms and equipment it needs
//! (FHIR HealthcareService).

pub mod field;

use rusqlite::types::{FromSql, ToSql};

use serde::{Deserialize, Serialize};

use crate::change::next_version;
use crate::contact;
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{HealthcareServiceId, LocationId, Noun, PractitionerId};
use crate::location;
use crate::past;
use crate::practitioner;
use crate::stamp::{Right, Stamp};

/// Practitioners, or locations, named by one service at the most.
pub const NAMED_MAX: usize = 200;

/// Something the clinic does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthcareService {
    /// The id.
    pub id: HealthcareServiceId,
    /// Grows with each edit.
    pub version: i64,
    /// What it is called.
    pub name: String,
    /// How long the patient is there, in minutes.
    pub duration_minutes: i64,
    /// How long everybody needs afterwards, in minutes.
    pub buffer_minutes: i64,
    /// Who does it; empty means everybody.
    pub practitioners: Vec<PractitionerId>,
    /// The rooms and equipment that each appointment needs for itself.
    pub locations: Vec<LocationId>,
    /// Whether it can be booked.
    pub active: bool,
}

impl HealthcareService {
    /// Whether this practitioner does it.
    pub fn is_done_by(&self, practitioner: PractitionerId) -> bool {
        self.practitioners.is_empty() || self.practitioners.contains(&practitioner)
    }
}

/// What is said to add a service.
#[derive(Clone, Debug)]
pub struct Addition {
    /// What it is called.
    pub name: String,
    /// Minutes, in steps of five, 5 to 720.
    pub duration_minutes: i64,
    /// Minutes, in steps of five, 0 to 240.
    pub buffer_minutes: i64,
    /// Who does it; empty means everybody.
    pub practitioners: Vec<PractitionerId>,
    /// The rooms and equipment that each appointment needs for itself.
    pub locations: Vec<LocationId>,
}

/// What is to be changed; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// What it is called.
    pub name: Option<String>,
    /// Minutes, in steps of five, 5 to 720.
    pub duration_minutes: Option<i64>,
    /// Minutes, in steps of five, 0 to 240.
    pub buffer_minutes: Option<i64>,
    /// Who does it; replaces all.
    pub practitioners: Option<Vec<PractitionerId>>,
    /// Rooms and equipment; replaces all.
    pub locations: Option<Vec<LocationId>>,
    /// Whether it can be booked.
    pub active: Option<bool>,
}

/// Adds a service.
pub fn add(tx: &mut Tx<'_>, stamp: &Stamp, addition: Addition) -> Result<HealthcareService> {
    stamp.needs(Right::WriteDiary)?;
    let Addition { name, duration_minutes, buffer_minutes, practitioners, locations } = addition;
    let service = HealthcareService {
        id: HealthcareServiceId::new(stamp.now),
        version: 1,
        name,
        duration_minutes,
        buffer_minutes,
        practitioners,
        locations,
        active: true,
    };
    write(tx, stamp, "add", service)
}

/// Changes a service; appointments that were booked keep their length.
pub fn edit(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: HealthcareServiceId,
    seen: Option<i64>,
    edit: Edit,
) -> Result<HealthcareService> {
    stamp.needs(Right::WriteDiary)?;
    let before = find(tx, id)?;
    let Edit { name, duration_minutes, buffer_minutes, practitioners, locations, active } = edit;
    let service = HealthcareService {
        id,
        version: next_version(before.version, seen)?,
        name: name.unwrap_or(before.name),
        duration_minutes: duration_minutes.unwrap_or(before.duration_minutes),
        buffer_minutes: buffer_minutes.unwrap_or(before.buffer_minutes),
        practitioners: practitioners.unwrap_or(before.practitioners),
        locations: locations.unwrap_or(before.locations),
        active: active.unwrap_or(before.active),
    };
    write(tx, stamp, "edit", service)
}

/// A service as it was at a version; *not found* if there never was such a version.
pub fn at_version(
    read: &Read<'_>,
    stamp: &Stamp,
    id: HealthcareServiceId,
    version: i64,
) -> Result<HealthcareService> {
    let newest = get(read, stamp, id)?;
    past::at(read, (Noun::HealthcareService, id.as_bytes(), version), newest)
}

/// One service.
pub fn get(read: &Read<'_>, stamp: &Stamp, id: HealthcareServiceId) -> Result<HealthcareService> {
    stamp.needs(Right::ReadDiary)?;
    find(read, id)
}

/// All services by name.
pub fn list(read: &Read<'_>, stamp: &Stamp) -> Result<Vec<HealthcareService>> {
    stamp.needs(Right::ReadDiary)?;
    let mut statement =
        read.sql().prepare_cached("SELECT id FROM healthcare_service ORDER BY name, id")?;
    let ids = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    ids.into_iter().map(|id| find(read, id)).collect()
}

/// One service that the clinic still does, for the verbs of later nouns.
pub(crate) fn active(read: &Read<'_>, id: HealthcareServiceId) -> Result<HealthcareService> {
    let service = find(read, id)?;
    if service.active {
        Ok(service)
    } else {
        Err(Error::refused(Code::Inactive, "the clinic does not do this any more"))
    }
}

/// One service, for the verbs of later nouns.
pub(crate) fn find(read: &Read<'_>, id: HealthcareServiceId) -> Result<HealthcareService> {
    let mut statement = read.sql().prepare_cached(
        "SELECT version, name, duration_minutes, buffer_minutes, active
         FROM healthcare_service WHERE id = ?1",
    )?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or(Error::NotFound(Noun::HealthcareService))?;
    Ok(HealthcareService {
        id,
        version: row.get(0)?,
        name: row.get(1)?,
        duration_minutes: row.get(2)?,
        buffer_minutes: row.get(3)?,
        active: row.get(4)?,
        practitioners: named(
            read,
            "SELECT practitioner FROM healthcare_service_practitioner WHERE healthcare_service = ?1 ORDER BY 1",
            id,
        )?,
        locations: named(
            read,
            "SELECT location FROM healthcare_service_location WHERE healthcare_service = ?1 ORDER BY 1",
            id,
        )?,
    })
}

fn write(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    verb: &'static str,
    raw: HealthcareService,
) -> Result<HealthcareService> {
    let name = contact::name("name", &raw.name)?;
    in_steps("duration_minutes", raw.duration_minutes, 5, 720)?;
    in_steps("buffer_minutes", raw.buffer_minutes, 0, 240)?;
    if raw.practitioners.len() > NAMED_MAX || raw.locations.len() > NAMED_MAX {
        return Err(Error::invalid(
            "practitioner_ids",
            format!("a service names at most {NAMED_MAX} practitioners and as many locations"),
        ));
    }
    let before = if raw.version > 1 { Some(find(tx, raw.id)?) } else { None };
    must_be_active(tx, before.as_ref(), &raw)?;
    let service = HealthcareService { name, ..raw };
    if let Some(before) = &before {
        let which = (Noun::HealthcareService, service.id.as_bytes(), before.version);
        past::keep(tx, which, before)?;
    }
    tx.sql()
        .prepare_cached(
            "INSERT INTO healthcare_service (id, version, name, duration_minutes, buffer_minutes, active)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET version = ?2, name = ?3, duration_minutes = ?4,
               buffer_minutes = ?5, active = ?6",
        )?
        .execute((
            service.id,
            service.version,
            &service.name,
            service.duration_minutes,
            service.buffer_minutes,
            service.active,
        ))?;
    rename(tx, "practitioner", service.id, &service.practitioners)?;
    rename(tx, "location", service.id, &service.locations)?;
    tx.record(
        stamp,
        verb,
        (Noun::HealthcareService, service.id.as_bytes(), service.version),
        None,
    )?;
    find(tx, service.id)
}

/// Refuses practitioners and locations that are not in use. Those that were named before stay:
/// one out of use keeps nobody from other edits.
fn must_be_active(
    tx: &Tx<'_>,
    before: Option<&HealthcareService>,
    now: &HealthcareService,
) -> Result<()> {
    for practitioner in &now.practitioners {
        if !before.is_some_and(|before| before.practitioners.contains(practitioner)) {
            practitioner::active(tx, *practitioner)?;
        }
    }
    for location in &now.locations {
        if !before.is_some_and(|before| before.locations.contains(location)) {
            location::must_be_active(tx, *location)?;
        }
    }
    Ok(())
}

/// Refuses a number of minutes that is not a multiple of five between two bounds.
pub(crate) fn in_steps(field: &'static str, minutes: i64, min: i64, max: i64) -> Result<()> {
    if (min..=max).contains(&minutes) && minutes % 5 == 0 {
        Ok(())
    } else {
        Err(Error::invalid(
            field,
            format!("{field} is between {min} and {max} minutes, in steps of 5"),
        ))
    }
}

fn named<T: FromSql>(read: &Read<'_>, sql: &str, id: HealthcareServiceId) -> Result<Vec<T>> {
    let mut statement = read.sql().prepare_cached(sql)?;
    let ids = statement.query_map([id], |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

fn rename<T: ToSql>(tx: &Tx<'_>, what: &str, id: HealthcareServiceId, ids: &[T]) -> Result<()> {
    tx.sql()
        .prepare_cached(&format!(
            "DELETE FROM healthcare_service_{what} WHERE healthcare_service = ?1"
        ))?
        .execute([id])?;
    let mut insert = tx.sql().prepare_cached(&format!(
        "INSERT OR IGNORE INTO healthcare_service_{what} (healthcare_service, {what}) VALUES (?1, ?2)"
    ))?;
    for named in ids {
        insert.execute((id, named))?;
    }
    Ok(())
}
