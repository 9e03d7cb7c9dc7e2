//! Writing a resource: through the verb of its noun where the clinic has one, else kept as given.
//!
//! Invariant: what a verb refuses is not written by another way.

use fhir::appointment::{Answer as Said, RawAppointment};
use fhir::{Here, IssueCode, Outcome, Resource, chart as values};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use prm::appointment::{self, Booking, Status};
use prm::chart::{self, Writing};
use prm::db::{Read, Tx};
use prm::error::{Error, Refusal};
use prm::given::{self, Key};
use prm::id::{
    AppointmentId, HealthcareServiceId, LocationId, Noun, PatientId, PractitionerId, ScheduleId,
    SlotId,
};
use prm::slot::{self, Search};
use prm::stamp::Stamp;
use prm::time::local_date;
use prm::{healthcare_service, location, patient, practitioner, schedule};
use uuid::Uuid;

use super::records::noun_of;

/// Why a cancellation without a reason was made: FHIR does not ask for one, the clinic does.
const NO_REASON: &str = "not said";

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its id in URLs.
    pub id: String,
    /// Whether it is new.
    pub created: bool,
}

/// Why nothing was written: the rules of the clinic, or what the resource says.
pub enum Refused {
    /// A verb said no.
    Rule(Error),
    /// The resource does not say what it must.
    Resource(Outcome),
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

/// Creates a resource, or writes the next version of the one with this id.
pub fn write(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    wanted: &Wanted<'_>,
) -> Result<Written, Refused> {
    let Wanted { resource, id, seen } = wanted;
    let resource_type = resource.resource_type();
    let uuid = id.and_then(|id| Uuid::try_parse(id).ok()).map(Uuid::into_bytes);
    let is_new = |found: Result<(), Error>| match found {
        Ok(()) => Ok(false),
        Err(Error::NotFound(_)) => Ok(true),
        Err(error) => Err(error),
    };
    match (resource_type, uuid) {
        ("Patient", _) => {
            let raw = fhir::patient::read(resource, here)?;
            let Some(id) = given_id(*id, uuid, "Patient")?.map(PatientId::from_bytes) else {
                refuse_unseen(*seen, Noun::Patient)?;
                let active = raw.active;
                let made = patient::register(tx, stamp, raw.registration(true))?;
                let edit = patient::Edit { active: Some(false), ..patient::Edit::default() };
                let made = match active {
                    true => made,
                    false => patient::edit(tx, stamp, made.id, None, edit)?,
                };
                return keep(
                    tx,
                    stamp,
                    here,
                    resource,
                    (Noun::Patient, made.id.as_bytes(), made.version),
                    true,
                );
            };
            let before = patient::get(tx, stamp, id)?;
            if raw.replaced_by != before.merged_into {
                let what = "records are merged at the desk, where it can be undone";
                return Err(Outcome::at("Patient.link", IssueCode::BusinessRule, what).into());
            }
            let after = patient::edit(tx, stamp, id, *seen, raw.edit())?;
            keep(tx, stamp, here, resource, (Noun::Patient, id.as_bytes(), after.version), false)
        }
        ("Practitioner", _) => {
            let raw = fhir::practitioner::read(resource)?;
            let Some(id) = given_id(*id, uuid, "Practitioner")?.map(PractitionerId::from_bytes)
            else {
                refuse_unseen(*seen, Noun::Practitioner)?;
                let active = raw.active;
                let made = practitioner::add(tx, stamp, raw.addition())?;
                let edit = practitioner::Edit { active: Some(false), ..Default::default() };
                let made = match active {
                    true => made,
                    false => practitioner::edit(tx, stamp, made.id, None, edit)?,
                };
                return keep(
                    tx,
                    stamp,
                    here,
                    resource,
                    (Noun::Practitioner, made.id.as_bytes(), made.version),
                    true,
                );
            };
            let after = practitioner::edit(tx, stamp, id, *seen, raw.edit())?;
            keep(
                tx,
                stamp,
                here,
                resource,
                (Noun::Practitioner, id.as_bytes(), after.version),
                false,
            )
        }
        ("PractitionerRole", _) => {
            let raw = fhir::practitioner_role::read(resource, here)?;
            let practitioner = raw.practitioner;
            if uuid.is_some_and(|id| &id != practitioner.as_bytes()) {
                let what = "a practitioner has one role here, whose id is the practitioner's";
                return Err(Outcome::at(
                    "PractitionerRole.practitioner",
                    IssueCode::BusinessRule,
                    what,
                )
                .into());
            }
            let after = practitioner::edit(tx, stamp, practitioner, *seen, raw.edit())?;
            let created = id.is_none();
            keep(
                tx,
                stamp,
                here,
                resource,
                (Noun::Practitioner, practitioner.as_bytes(), after.version),
                created,
            )
        }
        ("Location", _) => {
            let raw = fhir::location::read(resource)?;
            let Some(id) = given_id(*id, uuid, "Location")?.map(LocationId::from_bytes) else {
                refuse_unseen(*seen, Noun::Location)?;
                let active = raw.active;
                let made = location::add(tx, stamp, raw.addition())?;
                let edit = location::Edit { active: Some(false), ..Default::default() };
                let made = match active {
                    true => made,
                    false => location::edit(tx, stamp, made.id, None, edit)?,
                };
                return keep(
                    tx,
                    stamp,
                    here,
                    resource,
                    (Noun::Location, made.id.as_bytes(), made.version),
                    true,
                );
            };
            if location::get(tx, stamp, id)?.kind != raw.kind {
                let what = "a room does not become equipment; add a new location";
                return Err(
                    Outcome::at("Location.physicalType", IssueCode::BusinessRule, what).into()
                );
            }
            let after = location::edit(tx, stamp, id, *seen, raw.edit())?;
            keep(tx, stamp, here, resource, (Noun::Location, id.as_bytes(), after.version), false)
        }
        ("HealthcareService", _) => {
            let raw = fhir::healthcare_service::read(resource, here)?;
            let Some(id) =
                given_id(*id, uuid, "HealthcareService")?.map(HealthcareServiceId::from_bytes)
            else {
                refuse_unseen(*seen, Noun::HealthcareService)?;
                let active = raw.active;
                let made = healthcare_service::add(tx, stamp, raw.addition())?;
                let edit = healthcare_service::Edit { active: Some(false), ..Default::default() };
                let made = match active {
                    true => made,
                    false => healthcare_service::edit(tx, stamp, made.id, None, edit)?,
                };
                return keep(
                    tx,
                    stamp,
                    here,
                    resource,
                    (Noun::HealthcareService, made.id.as_bytes(), made.version),
                    true,
                );
            };
            let after = healthcare_service::edit(tx, stamp, id, *seen, raw.edit())?;
            keep(
                tx,
                stamp,
                here,
                resource,
                (Noun::HealthcareService, id.as_bytes(), after.version),
                false,
            )
        }
        ("Schedule", _) => {
            let raw = fhir::schedule::read(resource, here)?;
            let Some(id) = given_id(*id, uuid, "Schedule")?.map(ScheduleId::from_bytes) else {
                refuse_unseen(*seen, Noun::Schedule)?;
                let made = schedule::add(tx, stamp, raw.addition())?;
                return keep(
                    tx,
                    stamp,
                    here,
                    resource,
                    (Noun::Schedule, made.id.as_bytes(), made.version),
                    true,
                );
            };
            let before = schedule::get(tx, stamp, id)?;
            let ends = before.active && !raw.active;
            let mut after = schedule::edit(tx, stamp, id, *seen, raw.edit(&before)?)?;
            if ends {
                after = schedule::end(tx, stamp, id, None)?;
            }
            keep(tx, stamp, here, resource, (Noun::Schedule, id.as_bytes(), after.version), false)
        }
        ("Appointment", uuid) => {
            if let Some(id) = uuid.map(AppointmentId::from_bytes)
                && !is_new(appointment::get(tx, stamp, id).map(drop))?
            {
                let raw = fhir::appointment::read(resource, here)?;
                let version = step(tx, stamp, id, *seen, raw)?;
                return keep(
                    tx,
                    stamp,
                    here,
                    resource,
                    (Noun::Appointment, id.as_bytes(), version),
                    false,
                );
            }
            if !takes_time(resource, stamp) {
                // What was proposed, waits or is over takes nobody's time: it is kept as given.
                return as_given(tx, stamp, here, wanted);
            }
            let raw = fhir::appointment::read(resource, here)?;
            refuse_unseen(*seen, Noun::Appointment)?;
            let booked = book(tx, stamp, here, uuid.map(AppointmentId::from_bytes), raw)?;
            keep(
                tx,
                stamp,
                here,
                resource,
                (Noun::Appointment, booked.id.as_bytes(), booked.version),
                true,
            )
        }
        ("Organization" | "Encounter" | "Task", Some(id))
            if is_ours(tx, stamp, here, resource_type, id)? =>
        {
            let what = "this record is written by the clinic itself; it can only be read here";
            Err(Outcome::error(IssueCode::BusinessRule, what).into())
        }
        ("Slot" | "AuditEvent", _) => {
            let what = "slots follow from schedules and appointments, audit events from what is done; neither is written";
            Err(Outcome::error(IssueCode::NotSupported, what).into())
        }
        (_, _) => as_given(tx, stamp, here, wanted),
    }
}

/// The id of a record that is to be edited. Only the box makes ids of its own records.
fn given_id(
    id: Option<&str>,
    uuid: Option<[u8; 16]>,
    of: &str,
) -> Result<Option<[u8; 16]>, Outcome> {
    match (id, uuid) {
        (None, _) => Ok(None),
        (Some(_), Some(uuid)) => Ok(Some(uuid)),
        (Some(_), None) => Err(Outcome::error(
            IssueCode::BusinessRule,
            format!(
                "the box gives {of} its id: create it by POST, with your own id as an identifier"
            ),
        )),
    }
}

/// Who says which version was seen wants to change something, not to make it.
fn refuse_unseen(seen: Option<i64>, noun: Noun) -> Result<(), Error> {
    if seen.is_some() { Err(Error::NotFound(noun)) } else { Ok(()) }
}

fn is_ours(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    resource_type: &str,
    id: [u8; 16],
) -> Result<bool, Error> {
    if resource_type == "Organization" {
        return Ok(here.clinic.id.as_bytes() == &id);
    }
    match prm::queue::get(read, stamp, prm::id::QueueEntryId::from_bytes(id)) {
        Ok(_) => Ok(true),
        Err(Error::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether an appointment is to hold somebody's time from now on.
fn takes_time(resource: &Resource, stamp: &Stamp) -> bool {
    let text = |name: &str| resource.get(name).and_then(serde_json::Value::as_str);
    let stands = matches!(text("status"), Some("pending" | "booked" | "arrived" | "checked-in"));
    let is_over = text("end")
        .and_then(|end| end.parse::<jiff::Timestamp>().ok())
        .is_some_and(|end| end <= stamp.now);
    stands && !is_over
}

/// Books what an appointment asks for.
fn book(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    id: Option<AppointmentId>,
    raw: RawAppointment,
) -> Result<appointment::Appointment, Refused> {
    let slot = match (raw.slot, raw.practitioner, raw.start) {
        (Some(slot), _, _) => slot,
        (None, Some(practitioner), Some(start)) => {
            slot_at(tx, stamp, &here.clinic.zone, (practitioner, raw.healthcare_service), start)?
        }
        (None, None, _) | (None, Some(_), None) => {
            let what = "name a slot, or a practitioner and a start";
            return Err(Outcome::at("Appointment.slot", IssueCode::Required, what).into());
        }
    };
    let hold_minutes = match (raw.status, raw.hold_until) {
        (Status::Pending, Some(until)) => {
            let left = until.duration_since(stamp.now).max(SignedDuration::from_secs(60));
            Some(left.as_mins().clamp(1, appointment::HOLD_MINUTES_MAX))
        }
        (Status::Pending, None) => Some(HOLD_MINUTES),
        (
            Status::Booked
            | Status::Arrived
            | Status::CheckedIn
            | Status::Fulfilled
            | Status::Cancelled
            | Status::Noshow
            | Status::EnteredInError,
            _,
        ) => None,
    };
    let booking = Booking {
        id: id.unwrap_or_else(|| AppointmentId::new(stamp.now)),
        patient: raw.patient,
        slot,
        healthcare_service: raw.healthcare_service,
        reason: raw.reason,
        overbook: raw.overbook_reason,
        hold_minutes,
        series: None,
    };
    let booked = appointment::book(tx, stamp, booking)?;
    match raw.status {
        Status::Arrived => Ok(appointment::arrive(tx, stamp, booked.id, None)?),
        Status::CheckedIn => {
            let what = "people are checked in at the kiosk or the desk; book the appointment first";
            Err(Outcome::at("Appointment.status", IssueCode::BusinessRule, what).into())
        }
        Status::Pending
        | Status::Booked
        | Status::Fulfilled
        | Status::Cancelled
        | Status::Noshow
        | Status::EnteredInError => Ok(booked),
    }
}

/// How long a pending appointment is held if it does not say.
const HOLD_MINUTES: i64 = 10;

/// The slot of a practitioner that begins at this time, taken or not: booking says whether it can be
/// had.
fn slot_at(
    read: &Read<'_>,
    stamp: &Stamp,
    zone: &TimeZone,
    (practitioner, service): (PractitionerId, Option<HealthcareServiceId>),
    start: jiff::Timestamp,
) -> Result<SlotId, Refused> {
    let from = local_date(zone, start);
    let search = Search {
        practitioner: Some(practitioner),
        specialty: None,
        service,
        from,
        to: from.tomorrow().unwrap_or(from),
        all: true,
        limit: slot::SLOTS_MAX,
    };
    let found = slot::list(read, stamp, &search)?;
    let found = found.into_iter().find(|slot| slot.start == start).map(|slot| slot.id);
    found.ok_or_else(|| {
        let what =
            "the practitioner has no slot that begins at this time; search Slot, or use $find";
        Refusal::new(prm::error::Code::SlotUnavailable, what).into_error().into()
    })
}

/// Brings an appointment to where an update wants it, by the steps that the clinic knows. Answers the
/// version it is at then.
fn step(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: AppointmentId,
    seen: Option<i64>,
    raw: RawAppointment,
) -> Result<i64, Refused> {
    let mut now = appointment::get(tx, stamp, id)?;
    if raw.patient != now.patient {
        let what = "an appointment stays the patient's; cancel it and book another";
        return Err(Outcome::at("Appointment.participant", IssueCode::BusinessRule, what).into());
    }
    if raw.start.is_some_and(|start| start != now.start)
        || raw.slot.is_some_and(|slot| slot != now.slot())
    {
        let slot = match raw.slot {
            Some(slot) => slot,
            None => {
                let zone = prm::clinic::get(tx)?.zone;
                let whom = (raw.practitioner.unwrap_or(now.practitioner), now.healthcare_service);
                slot_at(tx, stamp, &zone, whom, raw.start.unwrap_or(now.start))?
            }
        };
        now = appointment::move_to(tx, stamp, (id, seen), slot, raw.overbook_reason.clone())?;
    }
    // After a move the version that the caller saw is behind.
    let seen = seen.filter(|seen| *seen == now.version);
    let confirms = raw.answer == Some(Said::Accepted) && now.status == Status::Pending;
    let next = match (now.status, raw.status) {
        (Status::Pending, Status::Booked) => Some(appointment::confirm(tx, stamp, id, seen)?),
        (Status::Pending, Status::Pending) if confirms => {
            Some(appointment::confirm(tx, stamp, id, seen)?)
        }
        (before, wanted) if before == wanted => None,
        (_, Status::Cancelled) => {
            let why = raw.cancel_reason.clone().unwrap_or_else(|| NO_REASON.to_owned());
            Some(appointment::cancel(tx, stamp, (id, seen), Some(why))?)
        }
        (_, Status::Arrived) => Some(appointment::arrive(tx, stamp, id, seen)?),
        (_, Status::Noshow) => Some(appointment::no_show(tx, stamp, id, seen)?),
        (_, Status::Fulfilled) => Some(appointment::complete(tx, stamp, id, seen)?),
        (_, Status::EnteredInError) => Some(appointment::enter_in_error(tx, stamp, id, seen)?),
        (_, Status::CheckedIn) => {
            let what = "people are checked in at the kiosk or the desk";
            return Err(Outcome::at("Appointment.status", IssueCode::BusinessRule, what).into());
        }
        (_, Status::Pending | Status::Booked) => {
            let what = "an appointment does not go back to this status; book another";
            return Err(Outcome::at("Appointment.status", IssueCode::BusinessRule, what).into());
        }
    };
    let now = next.unwrap_or(now);
    let seen = seen.filter(|seen| *seen == now.version);
    Ok(appointment::amend(tx, stamp, (id, seen), raw.reason)?.version)
}

/// Keeps what was given beside the record.
fn keep(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    resource: &Resource,
    (noun, id, version): (Noun, &[u8; 16], i64),
    created: bool,
) -> Result<Written, Refused> {
    let body = text(resource)?;
    let keys = keys(resource, &here.clinic.zone);
    given::keep(tx, stamp, (noun, id, version), (resource.resource_type(), &body, &keys))?;
    Ok(Written { id: Uuid::from_bytes(*id).to_string(), created })
}

/// Keeps a resource that no noun of the clinic is.
fn as_given(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    wanted: &Wanted<'_>,
) -> Result<Written, Refused> {
    let Wanted { resource, id, seen } = wanted;
    let writing = Writing {
        kind: resource.resource_type().to_owned(),
        name: id.map(str::to_owned),
        patient: patient_of(tx, stamp, resource)?,
        body: text(resource)?,
        keys: keys(resource, &here.clinic.zone),
    };
    let kept = chart::keep(tx, stamp, writing, *seen)?;
    Ok(Written { id: kept.name, created: kept.version == 1 })
}

/// The patient of this clinic whom a resource is about.
fn patient_of(
    read: &Read<'_>,
    stamp: &Stamp,
    resource: &Resource,
) -> Result<Option<PatientId>, Refused> {
    let named = values::index(resource, &TimeZone::UTC).into_iter().find_map(|entry| {
        match (entry.parameter, entry.value) {
            ("patient" | "subject", values::Value::Reference { type_, id })
                if type_.is_none_or(|type_| type_ == "Patient") =>
            {
                Uuid::try_parse(&id).ok()
            }
            (_, _) => None,
        }
    });
    let Some(id) = named.map(|id| PatientId::from_bytes(id.into_bytes())) else { return Ok(None) };
    Ok(patient::get(read, stamp, id).map(|patient| Some(patient.id))?)
}

fn text(resource: &Resource) -> Result<String, Error> {
    String::from_utf8(resource.to_vec())
        .map_err(|_| Error::Storage("a resource is not text".into()))
}

/// What a resource is found by.
fn keys(resource: &Resource, zone: &TimeZone) -> Vec<Key> {
    let entries = values::index(resource, zone).into_iter().take(given::KEYS_MAX);
    entries
        .map(|entry| {
            let parameter = entry.parameter.to_owned();
            let code = |code: String, system: String| Key {
                parameter: entry.parameter.to_owned(),
                code,
                system,
                low: 0,
                high: 0,
            };
            match entry.value {
                values::Value::Token { system, code: said } => {
                    code(said.unwrap_or_default(), system.unwrap_or_default())
                }
                values::Value::Reference { type_, id } => {
                    code(id, type_.unwrap_or_default().to_owned())
                }
                values::Value::Text(text) => code(text, TEXT.to_owned()),
                values::Value::Date { from, to } => Key {
                    parameter,
                    code: String::new(),
                    system: String::new(),
                    low: from,
                    high: to,
                },
            }
        })
        .collect()
}

/// The system under which the words beside a code are kept.
pub const TEXT: &str = "text";

/// Whether a type is one that the clinic's own records show.
pub fn is_record(resource_type: &str) -> bool {
    noun_of(resource_type).is_some()
}
