//! FHIR Task: somebody's place in the queue (<https://hl7.org/fhir/R4/task.html>).
//!
//! It has the id of the place in the queue, and its identifier is what is on the ticket, which is good
//! for that day only. There is nothing to read: people join, are called and leave at the kiosk and the
//! desk. Tasks of elsewhere are stored as they were given.

use jiff::Timestamp;
use serde_json::{Value, json};

use prm::queue::{Kind, QueueEntry, Status};

use crate::concept::{Coded, said};
use crate::element;
use crate::extension::{CALLS, DUE, with};
use crate::here::Here;
use crate::instant;
use crate::json::Resource;
use crate::kept::Kept;
use crate::reference::{shown, to};

/// FHIR's name of the type.
pub const TYPE: &str = "Task";
/// The system of what is on tickets, such as `A-012`.
pub const TOKEN_SYSTEM: &str = "https://carepost.health/fhir/identifier-system/queue-token";
/// The system of how somebody came into the queue: `booked`, `walk-in`, `desk`.
pub const QUEUE_KIND: &str = "https://carepost.health/fhir/CodeSystem/queue-kind";
/// The system of where somebody stands: `waiting`, `called`, `skipped`, `finished`, `left`.
pub const QUEUE_STATUS: &str = "https://carepost.health/fhir/CodeSystem/queue-status";

/// A place in the queue as a `Task`, over what was given. `practitioner` is the name of whom they wait
/// for, `updated` when the entry last changed.
pub fn write(
    entry: &QueueEntry,
    practitioner: Option<&str>,
    here: Here<'_>,
    updated: Timestamp,
    given: Option<&Resource>,
) -> Resource {
    let QueueEntry {
        id,
        version,
        date,
        token,
        kind,
        status,
        patient,
        patient_name,
        practitioner: practitioner_id,
        location,
        room,
        appointment,
        joined_at,
        due,
        called_at,
        calls,
        finished_at,
        priority_reason,
    } = entry;
    let time = |time: Timestamp| Value::from(instant::write(time, here.zone()));
    let mut kept = Kept::begin(TYPE, id, here.meta(*version, updated), given);
    let calls = (*calls).clamp(0, i64::from(i32::MAX));
    kept.says(
        "extension",
        Some(json!([
            with(DUE, "valueInstant", time(*due)),
            with(CALLS, "valueUnsignedInt", calls),
        ])),
    );
    let day = date.to_string();
    kept.says(
        "identifier",
        Some(json!([{
            "system": TOKEN_SYSTEM,
            "value": token,
            "period": { "start": day, "end": day },
        }])),
    );
    kept.says("status", Some(status_of(*status).into()));
    kept.says("businessStatus", Some(words_of(*status).concept()));
    kept.says("intent", Some("order".into()));
    kept.says("priority", Some(if priority_reason.is_some() { "stat" } else { "routine" }.into()));
    kept.says("code", Some(code_of(*kind).concept()));
    kept.says("focus", appointment.map(|id| to("Appointment", id)));
    kept.says("for", patient.map(|id| shown("Patient", id, patient_name.as_deref())));
    kept.says("encounter", patient.map(|_| to("Encounter", id)));
    let period = element::of([("start", called_at.map(time)), ("end", finished_at.map(time))]);
    let was_called = called_at.is_some() || finished_at.is_some();
    kept.says("executionPeriod", was_called.then_some(period));
    kept.says("authoredOn", Some(time(*joined_at)));
    // Who joins just after another joins a millisecond later than the clock says, and a task is not
    // changed before it is there (invariant inv-1).
    kept.says("lastModified", Some(time(updated.max(*joined_at))));
    kept.says("owner", practitioner_id.map(|id| shown("Practitioner", id, practitioner)));
    kept.says("location", location.map(|id| shown("Location", id, room.as_deref())));
    kept.says("reasonCode", priority_reason.as_deref().map(said));
    kept.end()
}

fn status_of(status: Status) -> &'static str {
    match status {
        Status::Waiting => "ready",
        Status::Called => "in-progress",
        Status::Skipped => "on-hold",
        Status::Finished => "completed",
        Status::Left => "cancelled",
    }
}

fn words_of(status: Status) -> Coded {
    let words = match status {
        Status::Waiting => "Waiting",
        Status::Called => "Called",
        Status::Skipped => "Did not come when called",
        Status::Finished => "Was seen",
        Status::Left => "Went away unseen",
    };
    Coded(QUEUE_STATUS, status.as_str(), words)
}

fn code_of(kind: Kind) -> Coded {
    let words = match kind {
        Kind::Booked => "Waits with an appointment",
        Kind::WalkIn => "Waits without an appointment",
        Kind::Desk => "Waits for the desk",
    };
    Coded(QUEUE_KIND, kind.as_str(), words)
}

#[cfg(test)]
pub(crate) mod tests;
