//! One resource as it is, or as it was: a record of the clinic as FHIR, or a resource that is kept as
//! it was given.
//!
//! A type can be both: an Organization with the clinic's id is the clinic, every other one is kept.

use fhir::{Here, Resource};
use jiff::Timestamp;
use prm::db::Read;
use prm::error::{Error, Result};
use prm::id::{
    AppointmentId, HealthcareServiceId, LocationId, Noun, PatientId, PractitionerId, QueueEntryId,
    ScheduleId,
};
use prm::stamp::Stamp;
use prm::{
    appointment, change, chart, given, healthcare_service, location, patient, practitioner, queue,
    schedule,
};
use uuid::Uuid;

/// A resource that was found.
pub struct Found {
    /// The resource.
    pub resource: Resource,
    /// Its version.
    pub version: i64,
    /// When the version was made.
    pub updated: Timestamp,
    /// What it is here.
    pub noun: Noun,
    /// Its id here.
    pub id: Uuid,
    /// Whose record it is part of.
    pub patient: Option<PatientId>,
}

/// What was looked for.
pub enum Sought {
    /// It is there.
    Found(Box<Found>),
    /// It was deleted.
    Gone,
}

/// What records of the clinic a type of resource shows.
pub fn noun_of(resource_type: &str) -> Option<Noun> {
    match resource_type {
        "Patient" => Some(Noun::Patient),
        "Practitioner" | "PractitionerRole" => Some(Noun::Practitioner),
        "Organization" => Some(Noun::Clinic),
        "Location" => Some(Noun::Location),
        "HealthcareService" => Some(Noun::HealthcareService),
        "Schedule" => Some(Noun::Schedule),
        "Appointment" => Some(Noun::Appointment),
        "Encounter" | "Task" => Some(Noun::QueueEntry),
        _ => None,
    }
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
    let uuid = plain_uuid(id);
    if let (Some(noun), Some(uuid)) = (noun_of(resource_type), uuid) {
        let loading = Loading { read, stamp, here, version };
        match loading.record(resource_type, noun, uuid) {
            Err(Error::NotFound(_)) => {}
            found => return found.map(|found| Sought::Found(Box::new(found))),
        }
    }
    kept(read, stamp, here, (resource_type, id), version)
}

/// An id as the box writes it: the letters of a UUID in lower case.
fn plain_uuid(id: &str) -> Option<Uuid> {
    let uuid = Uuid::try_parse(id).ok()?;
    (uuid.to_string() == id).then_some(uuid)
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
    let Some(body) = &chart.body else { return Ok(Sought::Gone) };
    let updated = updated(read, chart.id.as_bytes(), chart.version)?;
    let given = parsed(body)?;
    let resource = fhir::chart::write(&given, &chart.name, chart.version, updated, here);
    Ok(Sought::Found(Box::new(Found {
        resource,
        version: chart.version,
        updated,
        noun: Noun::Chart,
        id: chart.id.uuid(),
        patient: chart.patient,
    })))
}

/// When a version was made. Records from before versions were noted have the beginning of time.
fn updated(read: &Read<'_>, id: &[u8; 16], version: i64) -> Result<Timestamp> {
    Ok(change::made_at(read, id, version)?.unwrap_or(Timestamp::UNIX_EPOCH))
}

/// What was kept, read again.
fn parsed(body: &str) -> Result<Resource> {
    fhir::json::parse(body.as_bytes())
        .map_err(|_| Error::Storage("a resource that was kept cannot be read".into()))
}

/// What is needed to load a record.
struct Loading<'a> {
    read: &'a Read<'a>,
    stamp: &'a Stamp,
    here: Here<'a>,
    version: Option<i64>,
}

impl Loading<'_> {
    fn record(&self, resource_type: &'static str, noun: Noun, id: Uuid) -> Result<Found> {
        let bytes = id.into_bytes();
        let (read, stamp) = (self.read, self.stamp);
        match (resource_type, noun) {
            ("Patient", _) => {
                let id = PatientId::from_bytes(bytes);
                let patient = match self.version {
                    None => patient::get(read, stamp, id)?,
                    Some(version) => patient::at_version(read, stamp, id, version)?,
                };
                let found =
                    self.found(resource_type, noun, &bytes, patient.version, Some(patient.id))?;
                found.shown(|updated, given| {
                    fhir::patient::write(&patient, self.here, updated, given)
                })
            }
            ("Practitioner" | "PractitionerRole", _) => {
                let id = PractitionerId::from_bytes(bytes);
                let practitioner = match self.version {
                    None => practitioner::get(read, stamp, id)?,
                    Some(version) => practitioner::at_version(read, stamp, id, version)?,
                };
                let found = self.found(resource_type, noun, &bytes, practitioner.version, None)?;
                found.shown(|updated, given| {
                    if resource_type == "Practitioner" {
                        fhir::practitioner::write(&practitioner, self.here, updated, given)
                    } else {
                        fhir::practitioner_role::write(&practitioner, self.here, updated, given)
                    }
                })
            }
            ("Organization", _) => {
                let clinic = self.here.clinic;
                if clinic.id.as_bytes() != &bytes
                    || self.version.is_some_and(|version| version != clinic.version)
                {
                    return Err(Error::NotFound(noun));
                }
                stamp.needs(prm::stamp::Right::ReadDiary)?;
                let found = self.found(resource_type, noun, &bytes, clinic.version, None)?;
                found.shown(|updated, given| fhir::organization::write(self.here, updated, given))
            }
            ("Location", _) => {
                let id = LocationId::from_bytes(bytes);
                let location = match self.version {
                    None => location::get(read, stamp, id)?,
                    Some(version) => location::at_version(read, stamp, id, version)?,
                };
                let found = self.found(resource_type, noun, &bytes, location.version, None)?;
                found.shown(|updated, given| {
                    fhir::location::write(&location, self.here, updated, given)
                })
            }
            ("HealthcareService", _) => {
                let id = HealthcareServiceId::from_bytes(bytes);
                let service = match self.version {
                    None => healthcare_service::get(read, stamp, id)?,
                    Some(version) => healthcare_service::at_version(read, stamp, id, version)?,
                };
                let found = self.found(resource_type, noun, &bytes, service.version, None)?;
                found.shown(|updated, given| {
                    fhir::healthcare_service::write(&service, self.here, updated, given)
                })
            }
            ("Schedule", _) => {
                let id = ScheduleId::from_bytes(bytes);
                let schedule = match self.version {
                    None => schedule::get(read, stamp, id)?,
                    Some(version) => schedule::at_version(read, stamp, id, version)?,
                };
                let found = self.found(resource_type, noun, &bytes, schedule.version, None)?;
                found.shown(|updated, given| {
                    fhir::schedule::write(&schedule, &[], self.here, updated, given)
                })
            }
            ("Appointment", _) => {
                let id = AppointmentId::from_bytes(bytes);
                let visit = match self.version {
                    None => appointment::get(read, stamp, id)?,
                    Some(version) => appointment::at_version(read, stamp, id, version)?,
                };
                let found =
                    self.found(resource_type, noun, &bytes, visit.version, Some(visit.patient))?;
                let created = change::made_at(read, &bytes, 1)?;
                let practitioner = practitioner::get(read, stamp, visit.practitioner)?.name;
                let location =
                    visit.location.map(|id| location::get(read, stamp, id)).transpose()?;
                let service = visit
                    .healthcare_service
                    .map(|id| healthcare_service::get(read, stamp, id))
                    .transpose()?;
                let shown = fhir::appointment::Shown {
                    practitioner: Some(&practitioner),
                    location: location.as_ref().map(|location| location.name.as_str()),
                    healthcare_service: service.as_ref().map(|service| service.name.as_str()),
                    created,
                };
                found.shown(|updated, given| {
                    fhir::appointment::write(&visit, shown, self.here, updated, given)
                })
            }
            ("Encounter" | "Task", _) => {
                let entry = queue::get(read, stamp, QueueEntryId::from_bytes(bytes))?;
                if self.version.is_some_and(|version| version != entry.version) {
                    return Err(Error::NotFound(noun));
                }
                let found =
                    self.found(resource_type, noun, &bytes, entry.version, entry.patient)?;
                let practitioner = entry
                    .practitioner
                    .map(|id| practitioner::get(read, stamp, id))
                    .transpose()?
                    .map(|practitioner| practitioner.name);
                let name = practitioner.as_deref();
                if resource_type == "Task" {
                    return found.shown(|updated, given| {
                        fhir::task::write(&entry, name, self.here, updated, given)
                    });
                }
                let encounter = fhir::encounter::write(
                    &entry,
                    name,
                    self.here,
                    found.updated,
                    found.given.as_ref(),
                );
                let resource = encounter.ok_or(Error::NotFound(noun))?;
                found.shown(|_, _| resource)
            }
            (_, _) => Err(Error::NotFound(noun)),
        }
    }

    fn found(
        &self,
        resource_type: &str,
        noun: Noun,
        id: &[u8; 16],
        version: i64,
        patient: Option<PatientId>,
    ) -> Result<Unshown> {
        let given = given::of(self.read, self.stamp, (noun, id, version), resource_type)?;
        let given = given.as_deref().map(parsed).transpose()?;
        let updated = updated(self.read, id, version)?;
        Ok(Unshown { noun, id: Uuid::from_bytes(*id), version, updated, patient, given })
    }
}

/// What is known of a record before it is written as FHIR.
struct Unshown {
    noun: Noun,
    id: Uuid,
    version: i64,
    updated: Timestamp,
    patient: Option<PatientId>,
    given: Option<Resource>,
}

impl Unshown {
    fn shown(self, write: impl FnOnce(Timestamp, Option<&Resource>) -> Resource) -> Result<Found> {
        let Self { noun, id, version, updated, patient, given } = self;
        let resource = write(updated, given.as_ref());
        Ok(Found { resource, version, updated, noun, id, patient })
    }
}
