//! Visits that were agreed (FHIR Appointment): booking, and every step after it.
//!
//! Invariant: an appointment that stands holds claims on every five minutes of each actor it
//! needs, in a table whose primary key forbids two in one place.

mod adopt;
mod book;
pub(crate) mod claim;
pub mod field;
mod row;
mod series;
mod step;

use jiff::Timestamp;

pub(crate) use self::adopt::{Adoption, adopt};
pub use self::book::{Booking, HOLD_MINUTES_MAX, book};
pub use self::row::{Filter, LIST_MAX, at_version, get, list, standing_of};
pub(crate) use self::row::{find, of_patient_on};
pub use self::series::{Conflict, Every, OCCURRENCES_MAX, Repeated, Unit, book_series};
pub(crate) use self::step::check_in;
pub use self::step::{
    amend, arrive, cancel, complete, confirm, enter_in_error, expire_holds, move_to, no_show,
};
use serde::{Deserialize, Serialize};

use crate::contact::Phone;
use crate::error::{Error, Result};
use crate::id::{
    AppointmentId, HealthcareServiceId, LocationId, PatientId, PractitionerId, ScheduleId,
    SeriesId, SlotId,
};
use crate::slot::OVERBOOK_LANE;

/// FHIR's AppointmentStatus, as far as the box uses it (R4, value set `appointmentstatus`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Held for somebody who has not said yes.
    Pending,
    /// Agreed.
    Booked,
    /// The patient is on the premises.
    Arrived,
    /// The patient is in the queue.
    CheckedIn,
    /// The visit took place.
    Fulfilled,
    /// Called off.
    Cancelled,
    /// The patient did not come.
    Noshow,
    /// Should never have been written.
    EnteredInError,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Booked,
        Self::Arrived,
        Self::CheckedIn,
        Self::Fulfilled,
        Self::Cancelled,
        Self::Noshow,
        Self::EnteredInError,
    ];

    /// FHIR's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Booked => "booked",
            Self::Arrived => "arrived",
            Self::CheckedIn => "checked-in",
            Self::Fulfilled => "fulfilled",
            Self::Cancelled => "cancelled",
            Self::Noshow => "noshow",
            Self::EnteredInError => "entered-in-error",
        }
    }

    /// The status of that word.
    pub fn parse(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word).ok_or_else(|| {
            let words: Vec<_> = Self::ALL.iter().map(|status| status.as_str()).collect();
            Error::invalid("status", format!("the status is one of {}", words.join(", ")))
        })
    }

    /// Whether the appointment holds its time.
    pub fn stands(self) -> bool {
        match self {
            Self::Pending | Self::Booked | Self::Arrived | Self::CheckedIn | Self::Fulfilled => {
                true
            }
            Self::Cancelled | Self::Noshow | Self::EnteredInError => false,
        }
    }

    /// The steps that FHIR's life of an appointment allows. Somebody marked as not come may
    /// still be checked in: late is not never.
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Pending => {
                matches!(next, Self::Booked | Self::Cancelled | Self::EnteredInError)
            }
            Self::Booked => matches!(
                next,
                Self::Arrived
                    | Self::CheckedIn
                    | Self::Cancelled
                    | Self::Noshow
                    | Self::EnteredInError
            ),
            Self::Arrived => matches!(
                next,
                Self::CheckedIn
                    | Self::Fulfilled
                    | Self::Cancelled
                    | Self::Noshow
                    | Self::EnteredInError
            ),
            Self::CheckedIn => matches!(
                next,
                Self::Fulfilled | Self::Cancelled | Self::Noshow | Self::EnteredInError
            ),
            Self::Noshow => matches!(next, Self::CheckedIn | Self::EnteredInError),
            Self::Fulfilled | Self::Cancelled => matches!(next, Self::EnteredInError),
            Self::EnteredInError => false,
        }
    }
}

/// A visit that was agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// The id.
    pub id: AppointmentId,
    /// Grows with each step.
    pub version: i64,
    /// Where it stands.
    pub status: Status,
    /// Who comes.
    pub patient: PatientId,
    /// The name of who comes.
    pub patient_name: String,
    /// The first telephone number of who comes.
    pub patient_phone: Option<Phone>,
    /// To whom.
    pub practitioner: PractitionerId,
    /// Where.
    pub location: Option<LocationId>,
    /// For what.
    pub healthcare_service: Option<HealthcareServiceId>,
    /// In which session.
    pub schedule: ScheduleId,
    /// The start.
    pub start: Timestamp,
    /// The end.
    pub end: Timestamp,
    /// The end of its claims: the end and the buffer of the service.
    pub blocked_to: Timestamp,
    /// The lane of its claims on the practitioner.
    pub lane: i64,
    /// Why the patient comes.
    pub reason: Option<String>,
    /// Why it was called off.
    pub cancel_reason: Option<String>,
    /// Why it was booked over another.
    pub overbook_reason: Option<String>,
    /// When the patient said again that they will come.
    pub confirmed_at: Option<Timestamp>,
    /// Until when a pending one is held.
    pub hold_until: Option<Timestamp>,
    /// The series that it is of.
    pub series: Option<SeriesId>,
}

impl Appointment {
    /// The slot in which it begins.
    pub fn slot(&self) -> SlotId {
        SlotId::new(self.schedule, self.start)
    }

    /// Whether staff booked it over another on purpose.
    pub fn is_overbooked(&self) -> bool {
        self.lane >= OVERBOOK_LANE
    }
}

#[cfg(test)]
mod tests;
