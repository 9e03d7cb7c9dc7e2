//! A record of the clinic that is shown as a resource.
//!
//! Invariant: it is loaded by the queries of its noun, so that nobody sees through FHIR what the desk
//! would not show.

use fhir::{Here, Resource, related_person};
use jiff::Timestamp;
use prm::appointment::Appointment;
use prm::db::Read;
use prm::device::Device;
use prm::error::{Error, Result};
use prm::healthcare_service::HealthcareService;
use prm::id::{
    AppointmentId, DeviceId, HealthcareServiceId, LocationId, Noun, PatientId, PractitionerId,
    QueueEntryId, ScheduleId,
};
use prm::location::Location;
use prm::patient::{Patient, Relative};
use prm::practitioner::Practitioner;
use prm::queue::QueueEntry;
use prm::schedule::Schedule;
use prm::stamp::{Right, Stamp};
use prm::time::local_date;
use prm::{
    appointment, change, device, healthcare_service, location, patient, practitioner, queue,
    schedule,
};
use uuid::Uuid;

use super::records::Whose;

/// A record, and what it shows of others.
pub enum Record {
    /// A patient.
    Patient(Box<Patient>),
    /// Somebody who sees patients.
    Practitioner(Practitioner),
    /// What they do here.
    PractitionerRole(Box<Role>),
    /// The clinic.
    Organization,
    /// A room, a piece of equipment or a site.
    Location(Location),
    /// What is done here.
    HealthcareService(HealthcareService),
    /// A weekly session.
    Schedule(Schedule),
    /// A visit that was agreed.
    Appointment(Box<Visit>),
    /// A patient who is here.
    Encounter(Box<Turn>),
    /// The same person's place in the queue.
    Task(Box<Turn>),
    /// A kiosk or a board.
    Device(Device),
    /// What one patient is to another.
    RelatedPerson(Box<Kin>),
}

/// What a practitioner does here, and when.
pub struct Role {
    practitioner: Practitioner,
    schedules: Vec<Schedule>,
    services: Vec<HealthcareService>,
}

/// An appointment with the names that it shows.
pub struct Visit {
    appointment: Appointment,
    practitioner: String,
    location: Option<String>,
    healthcare_service: Option<String>,
    created: Option<Timestamp>,
}

/// A place in the queue with the name of whom it is for.
pub struct Turn {
    entry: QueueEntry,
    practitioner: Option<String>,
}

/// A patient, and somebody of the family.
pub struct Kin {
    patient: Patient,
    relative: Relative,
}

/// What records of the clinic a type of resource shows.
pub fn noun_of(resource_type: &str) -> Option<Noun> {
    match resource_type {
        "Patient" | "RelatedPerson" => Some(Noun::Patient),
        "Practitioner" | "PractitionerRole" => Some(Noun::Practitioner),
        "Organization" => Some(Noun::Clinic),
        "Location" => Some(Noun::Location),
        "HealthcareService" => Some(Noun::HealthcareService),
        "Schedule" => Some(Noun::Schedule),
        "Appointment" => Some(Noun::Appointment),
        "Encounter" | "Task" => Some(Noun::QueueEntry),
        "Device" => Some(Noun::Device),
        _ => None,
    }
}

/// An id as the box writes it: the letters of a UUID in lower case.
fn plain_uuid(id: &str) -> Option<Uuid> {
    let uuid = Uuid::try_parse(id).ok()?;
    (uuid.to_string() == id).then_some(uuid)
}

impl Record {
    /// The record that a type shows under this id, at a version or as it is now.
    ///
    /// # Errors
    /// *Not found* if there is none; *forbidden* if the caller may not read such records.
    pub fn load(
        read: &Read<'_>,
        stamp: &Stamp,
        here: Here<'_>,
        (resource_type, id): (&str, &str),
        version: Option<i64>,
    ) -> Result<Self> {
        let Some(noun) = noun_of(resource_type) else {
            return Err(Error::NotFound(Noun::Chart));
        };
        stamp.needs(Right::to_read(noun))?;
        if resource_type == related_person::TYPE {
            let kin = Kin::load(read, stamp, id)?;
            let record = Self::RelatedPerson(Box::new(kin));
            return record.only_at(here, version);
        }
        let bytes = plain_uuid(id).ok_or(Error::NotFound(noun))?.into_bytes();
        match resource_type {
            "Patient" => {
                let id = PatientId::from_bytes(bytes);
                Ok(Self::Patient(Box::new(match version {
                    None => patient::get(read, stamp, id)?,
                    Some(version) => patient::at_version(read, stamp, id, version)?,
                })))
            }
            "Practitioner" | "PractitionerRole" => {
                let id = PractitionerId::from_bytes(bytes);
                let found = match version {
                    None => practitioner::get(read, stamp, id)?,
                    Some(version) => practitioner::at_version(read, stamp, id, version)?,
                };
                match resource_type {
                    "Practitioner" => Ok(Self::Practitioner(found)),
                    _ => Self::of_role(read, stamp, here, found),
                }
            }
            "Organization" if here.clinic.id.as_bytes() == &bytes => {
                Self::Organization.only_at(here, version)
            }
            "Location" => {
                let id = LocationId::from_bytes(bytes);
                Ok(Self::Location(match version {
                    None => location::get(read, stamp, id)?,
                    Some(version) => location::at_version(read, stamp, id, version)?,
                }))
            }
            "HealthcareService" => {
                let id = HealthcareServiceId::from_bytes(bytes);
                Ok(Self::HealthcareService(match version {
                    None => healthcare_service::get(read, stamp, id)?,
                    Some(version) => healthcare_service::at_version(read, stamp, id, version)?,
                }))
            }
            "Schedule" => {
                let id = ScheduleId::from_bytes(bytes);
                Ok(Self::Schedule(match version {
                    None => schedule::get(read, stamp, id)?,
                    Some(version) => schedule::at_version(read, stamp, id, version)?,
                }))
            }
            "Appointment" => {
                let id = AppointmentId::from_bytes(bytes);
                let found = match version {
                    None => appointment::get(read, stamp, id)?,
                    Some(version) => appointment::at_version(read, stamp, id, version)?,
                };
                Self::of_appointment(read, stamp, found)
            }
            "Encounter" | "Task" => {
                let entry = queue::get(read, stamp, QueueEntryId::from_bytes(bytes))?;
                Self::of_turn(read, stamp, resource_type, entry)?.only_at(here, version)
            }
            "Device" => {
                let id = DeviceId::from_bytes(bytes);
                let all = device::list(read, stamp)?;
                let found = all.into_iter().find(|device| device.id == id);
                Self::Device(found.ok_or(Error::NotFound(noun))?).only_at(here, version)
            }
            _ => Err(Error::NotFound(noun)),
        }
    }

    /// A practitioner with the sessions that are held in these days and what they do. An earlier
    /// version has none of it: it is not known any more.
    ///
    /// # Errors
    /// Those of the queries.
    pub fn of_role(
        read: &Read<'_>,
        stamp: &Stamp,
        here: Here<'_>,
        practitioner: Practitioner,
    ) -> Result<Self> {
        let id = practitioner.id;
        let is_newest = practitioner::get(read, stamp, id)?.version == practitioner.version;
        let (mut schedules, mut services) = (Vec::new(), Vec::new());
        if is_newest && practitioner.active {
            schedules = schedule::list(read, stamp, Some(id))?;
            services = healthcare_service::list(read, stamp)?;
        }
        let today = local_date(&here.clinic.zone, stamp.now);
        schedules.retain(|it| {
            it.valid_from.is_none_or(|from| from <= today)
                && it.valid_to.is_none_or(|to| today <= to)
        });
        services.retain(|it| it.active && it.is_done_by(id));
        Ok(Self::PractitionerRole(Box::new(Role { practitioner, schedules, services })))
    }

    /// An appointment with the names that it shows.
    ///
    /// # Errors
    /// As those of reading what it names.
    pub fn of_appointment(
        read: &Read<'_>,
        stamp: &Stamp,
        appointment: Appointment,
    ) -> Result<Self> {
        let location = appointment.location.map(|id| location::get(read, stamp, id)).transpose()?;
        let service = appointment
            .healthcare_service
            .map(|id| healthcare_service::get(read, stamp, id))
            .transpose()?;
        Ok(Self::Appointment(Box::new(Visit {
            practitioner: practitioner::get(read, stamp, appointment.practitioner)?.name,
            location: location.map(|location| location.name),
            healthcare_service: service.map(|service| service.name),
            created: change::made_at(read, appointment.id.as_bytes(), 1)?,
            appointment,
        })))
    }

    fn of_turn(
        read: &Read<'_>,
        stamp: &Stamp,
        resource_type: &str,
        entry: QueueEntry,
    ) -> Result<Self> {
        let practitioner =
            entry.practitioner.map(|id| practitioner::get(read, stamp, id)).transpose()?;
        let turn = Turn { practitioner: practitioner.map(|found| found.name), entry };
        Ok(if resource_type == "Task" {
            Self::Task(Box::new(turn))
        } else {
            Self::Encounter(Box::new(turn))
        })
    }

    /// Of these records only the newest version is known.
    fn only_at(self, here: Here<'_>, version: Option<i64>) -> Result<Self> {
        if version.is_none_or(|version| version == self.version(here)) {
            return Ok(self);
        }
        Err(Error::NotFound(self.noun()))
    }

    /// What it is here.
    pub fn noun(&self) -> Noun {
        match self {
            Self::Patient(_) | Self::RelatedPerson(_) => Noun::Patient,
            Self::Practitioner(_) | Self::PractitionerRole(_) => Noun::Practitioner,
            Self::Organization => Noun::Clinic,
            Self::Location(_) => Noun::Location,
            Self::HealthcareService(_) => Noun::HealthcareService,
            Self::Schedule(_) => Noun::Schedule,
            Self::Appointment(_) => Noun::Appointment,
            Self::Encounter(_) | Self::Task(_) => Noun::QueueEntry,
            Self::Device(_) => Noun::Device,
        }
    }

    /// Its id here; of a relation the patient's.
    pub fn id(&self, here: Here<'_>) -> Uuid {
        match self {
            Self::Patient(patient) => patient.id.uuid(),
            Self::Practitioner(found) => found.id.uuid(),
            Self::PractitionerRole(role) => role.practitioner.id.uuid(),
            Self::Organization => here.clinic.id.uuid(),
            Self::Location(location) => location.id.uuid(),
            Self::HealthcareService(service) => service.id.uuid(),
            Self::Schedule(schedule) => schedule.id.uuid(),
            Self::Appointment(visit) => visit.appointment.id.uuid(),
            Self::Encounter(turn) | Self::Task(turn) => turn.entry.id.uuid(),
            Self::Device(device) => device.id.uuid(),
            Self::RelatedPerson(kin) => kin.patient.id.uuid(),
        }
    }

    /// Its version; of a relation it grows with either record.
    pub fn version(&self, here: Here<'_>) -> i64 {
        match self {
            Self::Patient(patient) => patient.version,
            Self::Practitioner(found) => found.version,
            Self::PractitionerRole(role) => role.practitioner.version,
            Self::Organization => here.clinic.version,
            Self::Location(location) => location.version,
            Self::HealthcareService(service) => service.version,
            Self::Schedule(schedule) => schedule.version,
            Self::Appointment(visit) => visit.appointment.version,
            Self::Encounter(turn) | Self::Task(turn) => turn.entry.version,
            Self::Device(device) => device.version,
            Self::RelatedPerson(kin) => {
                kin.patient.version.saturating_add(kin.relative.patient.version)
            }
        }
    }

    /// When this version was made. Records from before versions were noted have the beginning of
    /// time.
    ///
    /// # Errors
    /// Those of the database.
    pub fn updated(&self, read: &Read<'_>, here: Here<'_>) -> Result<Timestamp> {
        let made_at = |id: Uuid, version| change::made_at(read, id.as_bytes(), version);
        let made = match self {
            Self::RelatedPerson(kin) => {
                let Kin { patient, relative: Relative { patient: related, .. } } = kin.as_ref();
                made_at(patient.id.uuid(), patient.version)?
                    .max(made_at(related.id.uuid(), related.version)?)
            }
            Self::Patient(_)
            | Self::Practitioner(_)
            | Self::PractitionerRole(_)
            | Self::Organization
            | Self::Location(_)
            | Self::HealthcareService(_)
            | Self::Schedule(_)
            | Self::Appointment(_)
            | Self::Encounter(_)
            | Self::Task(_)
            | Self::Device(_) => made_at(self.id(here), self.version(here))?,
        };
        Ok(made.unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// Whose record is shown.
    pub fn whose(&self, here: Here<'_>) -> Vec<Whose> {
        let patients = match self {
            Self::Patient(patient) => vec![patient.id],
            Self::Appointment(visit) => vec![visit.appointment.patient],
            Self::Encounter(turn) | Self::Task(turn) => turn.entry.patient.into_iter().collect(),
            Self::RelatedPerson(kin) => {
                let both = [kin.patient.id, kin.relative.patient.id];
                let whose =
                    |patient: PatientId| Whose { noun: Noun::Patient, id: patient.uuid(), patient };
                return both.map(whose).into();
            }
            Self::Practitioner(_)
            | Self::PractitionerRole(_)
            | Self::Organization
            | Self::Location(_)
            | Self::HealthcareService(_)
            | Self::Schedule(_)
            | Self::Device(_) => Vec::new(),
        };
        let whose = |patient| Whose { noun: self.noun(), id: self.id(here), patient };
        patients.into_iter().map(whose).collect()
    }

    /// The record as a resource, over what was given. None is an Encounter of somebody unknown.
    pub fn write(
        &self,
        here: Here<'_>,
        updated: Timestamp,
        given: Option<&Resource>,
    ) -> Option<Resource> {
        Some(match self {
            Self::Patient(patient) => fhir::patient::write(patient, here, updated, given),
            Self::Practitioner(found) => fhir::practitioner::write(found, here, updated, given),
            Self::PractitionerRole(role) => {
                let Role { practitioner, schedules, services } = role.as_ref();
                let shown = fhir::practitioner_role::Shown { schedules, services };
                fhir::practitioner_role::write(practitioner, shown, here, updated, given)
            }
            Self::Organization => fhir::organization::write(here, updated, given),
            Self::Location(location) => fhir::location::write(location, here, updated, given),
            Self::HealthcareService(service) => {
                fhir::healthcare_service::write(service, here, updated, given)
            }
            Self::Schedule(schedule) => fhir::schedule::write(schedule, &[], here, updated, given),
            Self::Appointment(visit) => {
                let Visit { appointment, practitioner, location, healthcare_service, created } =
                    visit.as_ref();
                let shown = fhir::appointment::Shown {
                    practitioner: Some(practitioner),
                    location: location.as_deref(),
                    healthcare_service: healthcare_service.as_deref(),
                    created: *created,
                };
                fhir::appointment::write(appointment, shown, here, updated, given)
            }
            Self::Encounter(turn) => {
                let name = turn.practitioner.as_deref();
                return fhir::encounter::write(&turn.entry, name, here, updated, given);
            }
            Self::Task(turn) => {
                let name = turn.practitioner.as_deref();
                fhir::task::write(&turn.entry, name, here, updated, given)
            }
            Self::Device(device) => fhir::device::write(device, here, updated, given),
            Self::RelatedPerson(kin) => {
                related_person::write(&kin.patient, &kin.relative, here, updated, given)
            }
        })
    }
}

impl Kin {
    /// What somebody was said to be to a patient, by the id that FHIR has for it.
    fn load(read: &Read<'_>, stamp: &Stamp, id: &str) -> Result<Self> {
        let none = Error::NotFound(Noun::Patient);
        let Some((patient, related)) = related_person::parse_id(id) else { return Err(none) };
        let patient = patient::get(read, stamp, patient)?;
        let family = patient::family(read, stamp, patient.id)?;
        let said = |it: &Relative| it.patient.id == related && it.relationship.is_some();
        let relative = family.into_iter().find(said).filter(|_| patient.active);
        Ok(Self { patient, relative: relative.ok_or(none)? })
    }
}
