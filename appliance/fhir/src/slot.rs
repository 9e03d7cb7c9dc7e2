//! FHIR Slot: a time that can be booked (<https://hl7.org/fhir/R4/slot.html>).
//!
//! Slots are computed from schedules and never stored, so that there is nothing to read, no version,
//! and no time of a last change. The id is that of the records, `<schedule>.<minutes since 1970>`: its
//! characters and its length are those of a FHIR id.

mod time;

pub use time::{Time, named};

use prm::slot::Slot;

use crate::concept;
use crate::extension::{PLACES_LEFT, with};
use crate::here::Here;
use crate::instant;
use crate::json::Resource;
use crate::reference;

/// FHIR's name of the type.
pub const TYPE: &str = "Slot";

/// Whether a time can be booked (<https://hl7.org/fhir/R4/valueset-slotstatus.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It takes another patient.
    Free,
    /// It is taken.
    Busy,
    /// It is taken by somebody who has not said yes: a hold.
    BusyTentative,
    /// Nobody is seen then: the practitioner is away, the clinic is closed, or it is over.
    BusyUnavailable,
}

impl Status {
    /// FHIR's code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Busy => "busy",
            Self::BusyTentative => "busy-tentative",
            Self::BusyUnavailable => "busy-unavailable",
        }
    }
}

/// A time of a session as a `Slot`.
///
/// With whom and where is said by its schedule. `service` is the name of the service for which slots
/// were looked for, if they were looked for so.
pub fn write(slot: &Slot, status: Status, service: Option<&str>, here: Here<'_>) -> Resource {
    let Slot { id, practitioner: _, location: _, start, end, free, lent: _ } = slot;
    let mut resource =
        Resource::of(TYPE).expect("invariant: R4 has the type that this module is named for");
    resource.set("id", id.to_string());
    let left = (*free).clamp(0, i64::from(i32::MAX));
    resource.set("extension", vec![with(PLACES_LEFT, "valueUnsignedInt", left)]);
    if let Some(service) = service {
        resource.set("serviceType", vec![concept::said(service)]);
    }
    resource.set("schedule", reference::to("Schedule", id.schedule));
    resource.set("status", status.as_str());
    resource.set("start", instant::write(*start, here.zone()));
    resource.set("end", instant::write(*end, here.zone()));
    resource
}

#[cfg(test)]
mod tests;
