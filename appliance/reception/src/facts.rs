//! What reception knows when it answers: nothing else is read.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use prm::contact::{BirthDate, Phone};
use prm::id::{AppointmentId, HealthcareServiceId, PatientId, PractitionerId, SlotId};
use serde::{Deserialize, Serialize};

use crate::understand::Lexicon;

/// What reception knows at one step.
#[derive(Clone)]
pub struct Facts {
    /// The time.
    pub now: Timestamp,
    /// The clinic's zone.
    pub zone: TimeZone,
    /// The clinic.
    pub clinic: ClinicFacts,
    /// Those whom patients may book.
    pub practitioners: Vec<PractitionerFact>,
    /// What may be booked.
    pub services: Vec<ServiceFact>,
    /// The names of both, read once: see [`lexicon`].
    pub lexicon: Arc<Lexicon>,
    /// The number from which is written or called, where the medium tells it.
    pub phone: Option<Phone>,
    /// Who that may be.
    pub who: Who,
    /// What can be done just now.
    pub can: Can,
    /// The clinic's own wording.
    pub wording: Wording,
}

/// What is said about the clinic itself.
#[derive(Clone)]
pub struct ClinicFacts {
    /// Its name, as patients know it.
    pub name: String,
    /// Its telephone number as people read it.
    pub phone: Option<String>,
    /// Its country (ISO 3166-1), for telephone numbers in national form.
    pub country: String,
    /// The languages it answers in (BCP 47), its usual one first. Those that reception does not speak are passed over.
    pub languages: Vec<String>,
    /// The numbers to call in an emergency, such as 112 and 108.
    pub emergency: Vec<String>,
}

/// Somebody whom patients come to see.
#[derive(Clone)]
pub struct PractitionerFact {
    /// The id.
    pub id: PractitionerId,
    /// The name with its title.
    pub name: String,
    /// Specialities as lower-case words, the main one first.
    pub specialties: Vec<String>,
}

/// Something that the clinic does.
#[derive(Clone)]
pub struct ServiceFact {
    /// The id.
    pub id: HealthcareServiceId,
    /// What it is called.
    pub name: String,
    /// Who does it; empty means everybody.
    pub practitioners: Vec<PractitionerId>,
}

/// Who may be writing or calling, by the address alone.
#[derive(Clone)]
pub enum Who {
    /// Nobody on record has this address.
    Unknown,
    /// These have: a family shares a phone.
    People(Vec<Person>),
}

/// Somebody on record.
#[derive(Clone, Serialize, Deserialize)]
pub struct Person {
    /// The id.
    pub id: PatientId,
    /// The name.
    pub name: String,
    /// The birth, by which they prove who they are.
    pub birth: Option<BirthDate>,
}

/// What can be done just now.
#[derive(Clone, Copy)]
pub struct Can {
    /// Whether the clinic's own diary answers. It does not where the hub answers while the box is away: then only
    /// the times that are lent to the hub can be booked, and the rest waits.
    pub book: bool,
}

/// The clinic's own sentences: by language, then by the id of the sentence, as Fluent patterns.
#[derive(Clone, Default)]
pub struct Wording(pub HashMap<String, HashMap<String, String>>);

/// A time that is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotFact {
    /// The slot.
    pub id: SlotId,
    /// With whom.
    pub practitioner: PractitionerId,
    /// The start.
    pub start: Timestamp,
}

/// A day with free times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreeDay {
    /// The local date.
    pub date: Date,
    /// How many times are free.
    pub free: usize,
}

/// An appointment that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppointmentFact {
    /// The id.
    pub id: AppointmentId,
    /// Whose it is.
    pub patient: PatientId,
    /// With whom.
    pub practitioner: PractitionerId,
    /// For what.
    pub service: Option<HealthcareServiceId>,
    /// The start.
    pub start: Timestamp,
}

/// A place in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceFact {
    /// The token, as it is called out.
    pub token: String,
    /// For whom is waited; nobody for the desk.
    pub practitioner: Option<PractitionerId>,
    /// Whether the token is called already.
    pub called: bool,
    /// How many wait before.
    pub ahead: i64,
    /// How long it will take, in minutes, as far as can be said.
    pub minutes: Option<i64>,
}

/// The names by which practitioners, specialities and services are understood.
pub fn lexicon(
    country: &str,
    practitioners: &[PractitionerFact],
    services: &[ServiceFact],
) -> Lexicon {
    let mut lexicon = Lexicon::new(country);
    for PractitionerFact { id, name, specialties } in practitioners {
        lexicon.add_practitioner(*id, name, specialties);
    }
    for ServiceFact { id, name, practitioners: _ } in services {
        lexicon.add_service(*id, name, &[]);
    }
    lexicon
}

impl Facts {
    /// The local date.
    pub(crate) fn today(&self) -> Date {
        prm::time::local_date(&self.zone, self.now)
    }

    /// Those on record with this address.
    pub(crate) fn people(&self) -> &[Person] {
        match &self.who {
            Who::Unknown => &[],
            Who::People(people) => people,
        }
    }

    pub(crate) fn practitioner(&self, id: PractitionerId) -> Option<&PractitionerFact> {
        self.practitioners.iter().find(|practitioner| practitioner.id == id)
    }

    pub(crate) fn healthcare_service(&self, id: HealthcareServiceId) -> Option<&ServiceFact> {
        self.services.iter().find(|service| service.id == id)
    }
}
