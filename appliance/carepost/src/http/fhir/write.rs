//! Writing a resource: through the verb of its noun where the clinic has one, else kept as given.
//!
//! Invariant: what a verb refuses is not written by another way.

pub mod appointment;
pub mod merged;
mod response;

use fhir::matching::last_digits;
use fhir::{Here, IssueCode, Outcome, Resource, chart as values};
use prm::chart::{self, Writing};
use prm::db::{Read, Tx};
use prm::error::Error;
use prm::given::{self, Key};
use prm::id::{HealthcareServiceId, LocationId, Noun, PatientId, PractitionerId, ScheduleId};
use prm::stamp::Stamp;
use prm::time::{from_ms, to_ms};
use prm::{healthcare_service, location, patient, practitioner, schedule};
use uuid::Uuid;

use super::records::{self, Found, Record};

/// What is to be written.
pub struct Wanted<'a> {
    /// The resource, valid R4, its references resolved.
    pub resource: &'a Resource,
    /// The id under which it is to be; a new one if none is said.
    pub id: Option<&'a str>,
    /// The version that the caller has seen.
    pub seen: Option<i64>,
}

/// What was written.
pub struct Written {
    /// The resource as it is now.
    pub found: Found,
    /// Whether it is new.
    pub created: bool,
}

/// Why nothing was written: the rules of the clinic, or what the resource says.
#[derive(Debug)]
pub enum Refused {
    /// A verb said no.
    Rule(Error),
    /// The resource does not say what it must.
    Resource(Outcome),
    /// What is read was deleted.
    Gone,
    /// So it is with this entry of a bundle.
    Entry(usize, Box<Self>),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Rule(error)
    }
}

impl From<Outcome> for Refused {
    fn from(outcome: Outcome) -> Self {
        Self::Resource(outcome)
    }
}

/// A record that a verb wrote, and whether it is new.
type Wrote = Result<(Record, bool), Refused>;

/// Creates a resource, or writes the next version of the one with this id.
pub fn write(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    wanted: &Wanted<'_>,
) -> Result<Written, Refused> {
    let Wanted { resource, id, seen: _ } = wanted;
    let uuid = id.and_then(|id| Uuid::try_parse(id).ok()).map(Uuid::into_bytes);
    let (record, created) = match resource.resource_type() {
        "Patient" => patient(tx, stamp, here, wanted)?,
        "Practitioner" => practitioner(tx, stamp, wanted)?,
        "PractitionerRole" => role(tx, stamp, here, wanted)?,
        "Location" => location(tx, stamp, wanted)?,
        "HealthcareService" => healthcare_service(tx, stamp, here, wanted)?,
        "Schedule" => schedule(tx, stamp, here, wanted)?,
        "Appointment" => match appointment::write(tx, stamp, here, wanted)? {
            Some(wrote) => wrote,
            // What was proposed, waits or is over takes nobody's time.
            None => return as_given(tx, stamp, here, wanted),
        },
        "AppointmentResponse" => {
            response::heard(tx, stamp, here, wanted)?;
            return as_given(tx, stamp, here, wanted);
        }
        "Slot" | "AuditEvent" => {
            let what = "slots follow from schedules and appointments, audit events from what is done; neither is written";
            return Err(Outcome::error(IssueCode::NotSupported, what).into());
        }
        type_ if is_ours(tx, stamp, here, type_, *id, uuid)? => {
            let what = "this record is written by the clinic itself; it can only be read here";
            return Err(Outcome::error(IssueCode::BusinessRule, what).into());
        }
        _ => return as_given(tx, stamp, here, wanted),
    };
    let found = keep(tx, stamp, here, resource, &record)?;
    Ok(Written { found, created })
}

/// The id of a record that is to be edited. Only the box makes ids of its own records.
fn given_id(wanted: &Wanted<'_>) -> Result<Option<[u8; 16]>, Refused> {
    let Wanted { resource, id, seen } = wanted;
    let of = resource.resource_type();
    match id.map(|id| Uuid::try_parse(id).ok()) {
        // Who says which version was seen wants to change something, not to make it.
        None if seen.is_some() => Err(Error::NotFound(Noun::Chart).into()),
        None => Ok(None),
        Some(Some(uuid)) => Ok(Some(uuid.into_bytes())),
        Some(None) => Err(no_such_id(of).into()),
    }
}

fn no_such_id(of: &str) -> Outcome {
    let what =
        format!("the box gives {of} its id: create it by POST, with your own id as an identifier");
    Outcome::error(IssueCode::BusinessRule, what)
}

/// A record of the box that nobody else writes.
fn is_ours(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    resource_type: &str,
    id: Option<&str>,
    uuid: Option<[u8; 16]>,
) -> Result<bool, Error> {
    match (resource_type, id, uuid) {
        ("Provenance", Some(id), _) => Ok(fhir::provenance::parse_id(id).is_some()),
        ("RelatedPerson", Some(id), _) => Ok(fhir::related_person::parse_id(id).is_some()),
        ("Organization", _, Some(id)) => Ok(here.clinic.id.as_bytes() == &id),
        ("Encounter" | "Task" | "Device", Some(id), Some(_)) => {
            match Record::load(read, stamp, here, (resource_type, id), None) {
                Ok(_) => Ok(true),
                Err(Error::NotFound(_)) => Ok(false),
                // Who may not see the clinic's records may still write what is none of them.
                Err(Error::Forbidden) if !records::is_hidden(read, stamp, (resource_type, id))? => {
                    Ok(false)
                }
                Err(error) => Err(error),
            }
        }
        (_, _, _) => Ok(false),
    }
}

fn patient(tx: &mut Tx<'_>, stamp: &Stamp, here: Here<'_>, wanted: &Wanted<'_>) -> Wrote {
    let raw = fhir::patient::read(wanted.resource, here)?;
    let Some(id) = given_id(wanted)?.map(PatientId::from_bytes) else {
        let active = raw.active;
        let mut made = patient::register(tx, stamp, raw.registration(true))?;
        if !active {
            let edit = patient::Edit { active: Some(false), ..patient::Edit::default() };
            made = patient::edit(tx, stamp, made.id, None, edit)?;
        }
        return Ok((Record::Patient(Box::new(made)), true));
    };
    let before = patient::get(tx, stamp, id)?;
    if raw.replaced_by != before.merged_into {
        let what = "records are merged at the desk, where it can be undone";
        return Err(Outcome::at("Patient.link", IssueCode::BusinessRule, what).into());
    }
    let after = patient::edit(tx, stamp, id, wanted.seen, raw.edit())?;
    Ok((Record::Patient(Box::new(after)), false))
}

fn practitioner(tx: &mut Tx<'_>, stamp: &Stamp, wanted: &Wanted<'_>) -> Wrote {
    let raw = fhir::practitioner::read(wanted.resource)?;
    let Some(id) = given_id(wanted)?.map(PractitionerId::from_bytes) else {
        let active = raw.active;
        let mut made = practitioner::add(tx, stamp, raw.addition())?;
        if !active {
            let edit = practitioner::Edit { active: Some(false), ..Default::default() };
            made = practitioner::edit(tx, stamp, made.id, None, edit)?;
        }
        return Ok((Record::Practitioner(made), true));
    };
    let after = practitioner::edit(tx, stamp, id, wanted.seen, raw.edit())?;
    Ok((Record::Practitioner(after), false))
}

fn role(tx: &mut Tx<'_>, stamp: &Stamp, here: Here<'_>, wanted: &Wanted<'_>) -> Wrote {
    let raw = fhir::practitioner_role::read(wanted.resource, here)?;
    let practitioner = raw.practitioner;
    if wanted.id.is_some_and(|id| id != practitioner.to_string()) {
        let what = "a practitioner has one role here, whose id is the practitioner's";
        let place = "PractitionerRole.practitioner";
        return Err(Outcome::at(place, IssueCode::BusinessRule, what).into());
    }
    let after = practitioner::edit(tx, stamp, practitioner, wanted.seen, raw.edit())?;
    Ok((Record::of_role(tx, stamp, here, after)?, wanted.id.is_none()))
}

fn location(tx: &mut Tx<'_>, stamp: &Stamp, wanted: &Wanted<'_>) -> Wrote {
    let raw = fhir::location::read(wanted.resource)?;
    let Some(id) = given_id(wanted)?.map(LocationId::from_bytes) else {
        let active = raw.active;
        let mut made = location::add(tx, stamp, raw.addition())?;
        if !active {
            let edit = location::Edit { active: Some(false), ..Default::default() };
            made = location::edit(tx, stamp, made.id, None, edit)?;
        }
        return Ok((Record::Location(made), true));
    };
    if location::get(tx, stamp, id)?.kind != raw.kind {
        let what = "a room does not become equipment; add a new location";
        return Err(Outcome::at("Location.physicalType", IssueCode::BusinessRule, what).into());
    }
    let after = location::edit(tx, stamp, id, wanted.seen, raw.edit())?;
    Ok((Record::Location(after), false))
}

fn healthcare_service(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    wanted: &Wanted<'_>,
) -> Wrote {
    let raw = fhir::healthcare_service::read(wanted.resource, here)?;
    let Some(id) = given_id(wanted)?.map(HealthcareServiceId::from_bytes) else {
        let active = raw.active;
        let mut made = healthcare_service::add(tx, stamp, raw.addition())?;
        if !active {
            let edit = healthcare_service::Edit { active: Some(false), ..Default::default() };
            made = healthcare_service::edit(tx, stamp, made.id, None, edit)?;
        }
        return Ok((Record::HealthcareService(made), true));
    };
    let after = healthcare_service::edit(tx, stamp, id, wanted.seen, raw.edit())?;
    Ok((Record::HealthcareService(after), false))
}

fn schedule(tx: &mut Tx<'_>, stamp: &Stamp, here: Here<'_>, wanted: &Wanted<'_>) -> Wrote {
    let raw = fhir::schedule::read(wanted.resource, here)?;
    let Some(id) = given_id(wanted)?.map(ScheduleId::from_bytes) else {
        let active = raw.active;
        let mut made = schedule::add(tx, stamp, raw.addition())?;
        if !active {
            made = schedule::end(tx, stamp, made.id, None)?;
        }
        return Ok((Record::Schedule(made), true));
    };
    let before = schedule::get(tx, stamp, id)?;
    let ends = before.active && !raw.active;
    if raw.active && !before.active {
        let what = "a session that was ended does not begin again; add another";
        return Err(Outcome::at("Schedule.active", IssueCode::BusinessRule, what).into());
    }
    let mut after = schedule::edit(tx, stamp, id, wanted.seen, raw.edit(&before)?)?;
    if ends {
        after = schedule::end(tx, stamp, id, None)?;
    }
    Ok((Record::Schedule(after), false))
}

/// Keeps what was given beside the record, and answers both as one resource.
fn keep(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    resource: &Resource,
    record: &Record,
) -> Result<Found, Refused> {
    let (noun, id, version) = (record.noun(), record.id(here), record.version(here));
    // As the change log keeps it.
    let updated = from_ms(to_ms(stamp.now));
    let none = || Error::NotFound(noun);
    let alone = record.write(here, updated, None).ok_or_else(none)?;
    let keys = keys(resource, Some(&alone), here);
    let body = text(resource)?;
    let which = (noun, id.as_bytes(), version);
    given::keep(tx, stamp, which, (resource.resource_type(), &body, &keys))?;
    let resource = record.write(here, updated, Some(resource)).ok_or_else(none)?;
    Ok(Found { resource, at: Some((version, updated)), whose: record.whose(here) })
}

/// Keeps anew what was given of a record, at the version that it has.
pub fn given_again(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    (type_, id): (&'static str, &str),
    resource: &Resource,
) -> Result<Found, Refused> {
    let record = Record::load(tx, stamp, here, (type_, id), None)?;
    keep(tx, stamp, here, resource, &record)
}

/// Keeps a resource that no noun of the clinic is.
fn as_given(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    wanted: &Wanted<'_>,
) -> Result<Written, Refused> {
    let Wanted { resource, id, seen } = wanted;
    let keys = keys(resource, None, here);
    let writing = Writing {
        kind: resource.resource_type().to_owned(),
        name: id.map(str::to_owned),
        patient: patient_of(tx, stamp, here, resource)?,
        body: text(resource)?,
        keys,
    };
    let before = match id {
        Some(id) => kept_before(tx, stamp, resource.resource_type(), id)?,
        None => false,
    };
    let kept = chart::keep(tx, stamp, writing, *seen)?;
    let found = records::as_given(resource, &kept, from_ms(to_ms(stamp.now)), here);
    Ok(Written { found, created: !before })
}

/// Whether there is such a resource now; one that was deleted comes anew.
fn kept_before(
    read: &Read<'_>,
    stamp: &Stamp,
    resource_type: &str,
    id: &str,
) -> Result<bool, Error> {
    match chart::get(read, stamp, resource_type, id) {
        Ok(chart) => Ok(chart.body.is_some()),
        Err(Error::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The patient of this clinic whom a resource is about.
fn patient_of(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    resource: &Resource,
) -> Result<Option<PatientId>, Refused> {
    let Some(id) = values::patient(resource, here) else { return Ok(None) };
    Ok(patient::get(read, stamp, PatientId::from_bytes(id.into_bytes()))
        .map(|patient| Some(patient.id))?)
}

fn text(resource: &Resource) -> Result<String, Error> {
    String::from_utf8(resource.to_vec())
        .map_err(|_| Error::Storage("a resource is not text".into()))
}

/// What a resource is found by, beyond what its record says without it.
fn keys(resource: &Resource, alone: Option<&Resource>, here: Here<'_>) -> Vec<Key> {
    let known = alone.map(|alone| values::index(alone, here)).unwrap_or_default();
    let entries = values::index(resource, here).into_iter().filter(|it| !known.contains(it));
    entries.map(key).collect()
}

fn key(entry: values::Entry) -> Key {
    let key = |code: String, system: Option<String>| Key {
        parameter: entry.parameter.to_owned(),
        code,
        system: system.unwrap_or_default(),
        low: 0,
        high: 0,
    };
    match entry.value {
        values::Value::Token { system, code } => key(code.unwrap_or_default(), system),
        values::Value::Contact { system, place } => {
            // By the digits that a search looks for (`search/narrow/kept.rs`).
            let is_number = place.bytes().all(|byte| byte.is_ascii_digit());
            key(if is_number { last_digits(&place) } else { place }, system)
        }
        values::Value::Reference { type_, id } => key(id, type_.map(str::to_owned)),
        values::Value::Text(text) | values::Value::Uri(text) => key(text, None),
        values::Value::Date { from, to } => Key { low: from, high: to, ..key(String::new(), None) },
    }
}
