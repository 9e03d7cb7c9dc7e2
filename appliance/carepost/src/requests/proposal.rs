//! A wish for an appointment that was said at the hub: the desk books it, otherwise or not at all.
//!
//! Nothing of it enters the records before somebody decides. Whoever is not on record is registered with
//! the booking.

use fhir::bundle::Links;
use fhir::{Here, IssueCode, Outcome, Resource};
use prm::appointment::{self, Appointment};
use prm::clinic::Clinic;
use prm::db::{Read, Tx};
use prm::error::{Error, Result};
use prm::id::{AppointmentId, Noun, PatientId, RequestId, SlotId};
use prm::patient;
use prm::request::{self, Kind, Reply};
use prm::stamp::{Role, Stamp as OfRecords};
use serde_json::{Value, json};
use sync_agent::ask::{Ask, Proposal};
use uuid::Uuid;

use super::{as_error, resource};
use crate::http::fhir::interaction::Work;
use crate::http::fhir::stamp::Stamp;
use crate::http::fhir::wire::Asked;

/// What a proposal says.
pub struct Proposed {
    /// Who wants to come.
    pub patient: Resource,
    /// What the appointment may call them.
    called: Vec<String>,
    /// What they want.
    pub appointment: Resource,
}

/// What somebody at the desk says to a proposal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish {
    /// The record of who wants to come; without it theirs if they are on record by the id that was said,
    /// else a new one.
    pub patient: Option<PatientId>,
    /// Another time than the one that was wished for.
    pub slot: Option<SlotId>,
    /// Whether to register although very likely the same person is on record.
    pub accept_duplicate: bool,
}

/// What the bytes of a proposal say: a Bundle of one Patient and one Appointment, which is `proposed`.
///
/// # Errors
/// What is wrong with it.
pub fn read(bytes: &[u8]) -> std::result::Result<Proposed, Outcome> {
    let bundle = resource(bytes)?;
    let wrong = || {
        let what = "a proposal is a Bundle of one Patient and one proposed Appointment";
        Outcome::error(IssueCode::Structure, what)
    };
    let (mut patient, mut appointment, mut called) = (None, None, Vec::new());
    let entries = bundle.get("entry").and_then(Value::as_array).ok_or_else(wrong)?;
    for entry in entries {
        let inner = Resource::from_value(entry.get("resource").cloned().ok_or_else(wrong)?)?;
        let place = match inner.resource_type() {
            "Patient" => {
                called.extend(entry.get("fullUrl").and_then(Value::as_str).map(str::to_owned));
                called.extend(inner.id().map(|id| format!("Patient/{id}")));
                &mut patient
            }
            "Appointment" => &mut appointment,
            _ => return Err(wrong()),
        };
        if place.replace(inner).is_some() {
            return Err(wrong());
        }
    }
    let is_proposed = |it: &Resource| it.get("status").and_then(Value::as_str) == Some("proposed");
    let appointment = appointment.filter(is_proposed).ok_or_else(wrong)?;
    Ok(Proposed { patient: patient.ok_or_else(wrong)?, called, appointment })
}

/// What a proposal that was taken in says.
///
/// # Errors
/// If what is kept is none.
pub fn of_kept(body: &[u8]) -> Result<Proposed> {
    let damaged = || Error::Storage("a request of the hub is not what was kept".into());
    match Ask::from_bytes(body) {
        Ok(Ask::Proposal(Proposal { id: _, bundle })) => read(&bundle).map_err(|_| damaged()),
        Ok(Ask::Sale(_) | Ask::Operation(_) | Ask::Edit(_) | Ask::Catalogue(_)) | Err(_) => {
            Err(damaged())
        }
    }
}

/// The record of who wants to come, if they are on record by the id that was said.
///
/// # Errors
/// Those of the database.
pub fn on_record(
    read: &Read<'_>,
    stamp: &OfRecords,
    proposed: &Proposed,
) -> Result<Option<PatientId>> {
    let said = proposed.patient.id().and_then(|id| Uuid::try_parse(id).ok());
    let Some(id) = said.map(|id| PatientId::from_bytes(id.into_bytes())) else { return Ok(None) };
    match patient::get(read, stamp, id) {
        Ok(patient) => Ok(Some(patient.id)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Books what was proposed, by the verb that all doors use, and tells the hub.
///
/// # Errors
/// What the clinic's rules refuse; *not found* if nobody waits for a decision on it.
pub fn accept(
    tx: &mut Tx<'_>,
    stamp: &OfRecords,
    clinic: &Clinic,
    (id, wish): (RequestId, Wish),
) -> Result<Appointment> {
    let waiting = request::get(tx, stamp, Kind::Proposal, id)?;
    let proposed = of_kept(&waiting.body)?;
    // Who decides has the right to; what is written then is what was said at the hub.
    let of_hub = OfRecords { role: Role::Hub, ..*stamp };
    let asked = Asked::alone(Stamp::new(of_hub, None));
    let here = Here { clinic, origin: "" };
    let comes = match wish.patient {
        Some(patient) => Some(patient::get(tx, stamp, patient)?.id),
        None => on_record(tx, stamp, &proposed)?,
    };
    let mut work = Work::new(tx, &asked, here);
    let comes = match comes {
        Some(patient) => patient,
        None => register(&mut work, &proposed.patient, wish.accept_duplicate)?,
    };
    let mut appointment = proposed.appointment;
    let mut links = Links::default();
    for name in &proposed.called {
        links.add(name, "Patient", &comes.to_string());
    }
    let lost = |outcome: Outcome| as_error(outcome.into());
    links.rewrite(&mut appointment, None, here).map_err(lost)?;
    appointment.remove("id");
    appointment.set("status", "booked");
    if let Some(slot) = wish.slot {
        at_another_time(&mut appointment, slot);
    }
    let done = work.create(appointment, None, None).map_err(as_error)?;
    let made = done.found.resource;
    let reply = Reply { status: 201, body: made.to_vec(), until: None };
    request::decide(tx, stamp, (id, "accept"), Some(comes), &reply)?;
    let booked: Option<AppointmentId> = made.id().and_then(|id| id.parse().ok());
    appointment::get(tx, stamp, booked.ok_or(Error::NotFound(Noun::Appointment))?)
}

/// Does not book what was proposed, and tells the hub.
///
/// # Errors
/// *Not found* if nobody waits for a decision on it.
pub fn decline(tx: &mut Tx<'_>, stamp: &OfRecords, id: RequestId, reason: &str) -> Result<()> {
    let waiting = request::get(tx, stamp, Kind::Proposal, id)?;
    let mut appointment = of_kept(&waiting.body)?.appointment;
    appointment.set("status", "cancelled");
    appointment.set("cancelationReason", json!({ "text": reason }));
    let reply = Reply { status: 200, body: appointment.to_vec(), until: None };
    request::decide(tx, stamp, (id, "decline"), None, &reply)
}

fn register(
    work: &mut Work<'_, '_>,
    resource: &Resource,
    accept_duplicate: bool,
) -> Result<PatientId> {
    let raw = fhir::patient::read(resource, work.here).map_err(|it| as_error(it.into()))?;
    let stamp = *work.stamp();
    let made = patient::register(work.tx, &stamp, raw.registration(accept_duplicate))?;
    let named = (fhir::patient::TYPE, &*made.id.to_string());
    work.given_again(resource, named).map_err(as_error)?;
    Ok(made.id)
}

/// Puts an appointment into a slot, whoever's it is.
fn at_another_time(appointment: &mut Resource, slot: SlotId) {
    for said in ["start", "end", "minutesDuration"] {
        appointment.remove(said);
    }
    appointment.set("slot", json!([{ "reference": format!("Slot/{slot}") }]));
    if let Some(Value::Array(participants)) = appointment.get_mut("participant") {
        participants.retain(|it| {
            let named = it.pointer("/actor/reference").and_then(Value::as_str).unwrap_or_default();
            !named.starts_with("Practitioner")
        });
    }
}
