//! FHIR Encounter: a patient who is here (<https://hl7.org/fhir/R4/encounter.html>).
//!
//! An encounter begins when somebody joins the queue, with or without an appointment. It has the id of
//! the place in the queue, because that is what there is of it from the first to the last minute; the
//! appointment, if there is one, is named in `appointment`. Somebody in the desk's line whom nobody
//! knows yet has none.
//!
//! There is nothing to read: people join, are called and leave at the kiosk and the desk. Encounters
//! of elsewhere are stored as they were given.

use jiff::Timestamp;
use serde_json::{Value, json};

use prm::queue::{Kind, QueueEntry, Status};

use crate::concept::{Coded, said};
use crate::element;
use crate::here::Here;
use crate::instant;
use crate::json::Resource;
use crate::kept::Kept;
use crate::reference::{shown, to};

/// FHIR's name of the type.
pub const TYPE: &str = "Encounter";

/// The patient comes and goes on the same day.
const AMBULATORY: Coded =
    Coded("http://terminology.hl7.org/CodeSystem/v3-ActCode", "AMB", "ambulatory");
/// Goes first.
const EMERGENCY: Coded =
    Coded("http://terminology.hl7.org/CodeSystem/v3-ActPriority", "EM", "emergency");

/// A place in the queue as an `Encounter`, over what was given; none if nobody knows who it is.
/// `practitioner` is the name of whom they wait for, `updated` when the entry last changed.
pub fn write(
    entry: &QueueEntry,
    practitioner: Option<&str>,
    here: Here<'_>,
    updated: Timestamp,
    given: Option<&Resource>,
) -> Option<Resource> {
    let QueueEntry {
        id,
        version,
        date: _,
        token: _,
        kind,
        status,
        patient,
        patient_name,
        practitioner: practitioner_id,
        location,
        room,
        appointment,
        joined_at,
        due: _,
        called_at: _,
        calls: _,
        finished_at,
        priority_reason,
    } = entry;
    let patient = patient.as_ref()?;
    let mut kept = Kept::begin(TYPE, id, here.meta(*version, updated), given);
    kept.says("status", Some(status_of(*status).into()));
    kept.says("class", Some(AMBULATORY.coding()));
    kept.at_first("type", Some(json!([said(type_of(*kind))])));
    let priority = priority_reason.as_deref().map(|reason| EMERGENCY.concept_as(reason));
    kept.says("priority", priority);
    kept.says("subject", Some(shown("Patient", patient, patient_name.as_deref())));
    let individual = practitioner_id.map(|id| shown("Practitioner", id, practitioner));
    kept.says("participant", individual.map(|it| json!([{ "individual": it }])));
    kept.says("appointment", appointment.map(|id| json!([to("Appointment", id)])));
    // Whoever joins is behind all others also when the clock was put back; no period ends before it begins (per-1).
    let end = finished_at.map(|time| instant::write(time.max(*joined_at), here.zone()));
    let period = element::of([
        ("start", Some(instant::write(*joined_at, here.zone()).into())),
        ("end", end.map(Value::from)),
    ]);
    kept.says("period", Some(period));
    let place = location.map(|id| shown("Location", id, room.as_deref()));
    kept.says("location", place.map(|it| json!([{ "location": it }])));
    kept.says("serviceProvider", Some(to("Organization", here.clinic.id)));
    Some(kept.end())
}

/// Somebody who was skipped is taken to be on the premises until they are known to have left.
fn status_of(status: Status) -> &'static str {
    match status {
        Status::Waiting | Status::Skipped => "arrived",
        Status::Called => "in-progress",
        Status::Finished => "finished",
        Status::Left => "cancelled",
    }
}

fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Booked => "visit by appointment",
        Kind::WalkIn => "visit without appointment",
        Kind::Desk => "visit to the desk",
    }
}

#[cfg(test)]
mod tests;
