//! FHIR PractitionerRole: what a practitioner does here, and where
//! (<https://hl7.org/fhir/R4/practitionerrole.html>).
//!
//! Each practitioner has exactly one role in the clinic, and it has the practitioner's id.
//!
//! | element | record |
//! |---|---|
//! | `practitioner` | the practitioner |
//! | `active` | whether patients can be booked; so when it is not said |
//! | `specialty` | the specialities, the main one first |
//! | `location` | the usual room: the first location of this box |
//! | `availableTime` | the sessions that are held in these days, unless others gave some |
//! | `healthcareService` | what the practitioner does here, unless others gave some |
//!
//! Everything else stays as it was given.

mod derived;

use jiff::Timestamp;

use prm::healthcare_service::HealthcareService;
use prm::id::{LocationId, PractitionerId};
use prm::practitioner::{self, Edit, Practitioner};
use prm::schedule::Schedule;

use crate::concept::Words;
use crate::element;
use crate::here::Here;
use crate::json::Resource;
use crate::kept::{Entries as _, Kept};
use crate::outcome::{IssueCode, Outcome};
use crate::reference::{self, Links};

/// FHIR's name of the type.
pub const TYPE: &str = "PractitionerRole";

/// What a `PractitionerRole` says of what the records hold, for the verbs that check it.
#[derive(Clone, Debug)]
pub struct RawPractitionerRole {
    /// Whose role it is.
    pub practitioner: PractitionerId,
    /// Specialities in any case.
    pub specialties: Vec<String>,
    /// The usual room.
    pub location: Option<LocationId>,
    /// Whether patients can be booked.
    pub active: bool,
}

impl RawPractitionerRole {
    /// The role as an edit of its practitioner; the name stays.
    pub fn edit(self) -> Edit {
        let Self { practitioner: _, specialties, location, active } = self;
        Edit {
            name: None,
            specialties: Some(specialties),
            location: Some(location),
            active: Some(active),
        }
    }
}

/// What a `PractitionerRole` says of what the records hold.
///
/// Refused are one that does not name a practitioner of this box, and `modifierExtension`.
pub fn read(resource: &Resource, here: Here<'_>) -> Result<RawPractitionerRole, Outcome> {
    element::is_a(resource, TYPE)?;
    element::understood(resource, &[])?;
    let map = resource.map();
    let practitioner = element::object(map, "practitioner")
        .and_then(|it| reference::record_of("Practitioner", it, here.origin));
    let Some(practitioner) = practitioner else {
        let what = "a role needs the practitioner of this box whose it is, as Practitioner/<id>";
        return Err(Outcome::at("PractitionerRole.practitioner", IssueCode::Required, what));
    };
    let specialties = SPECIALTIES.read(element::list(map, "specialty")).into_iter();
    let location = locations(here.origin).read(element::list(map, "location")).into_iter().next();
    Ok(RawPractitionerRole {
        practitioner: PractitionerId::from_bytes(practitioner.into_bytes()),
        specialties: specialties.map(|(_, specialty)| specialty).collect(),
        location: location.map(|(_, id)| LocationId::from_bytes(id.into_bytes())),
        active: element::flag(map, "active").unwrap_or(true),
    })
}

/// What other records say of a role.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown<'a> {
    /// The sessions that are held in these days.
    pub schedules: &'a [Schedule],
    /// What the practitioner does.
    pub services: &'a [HealthcareService],
}

/// A practitioner's record as a `PractitionerRole`, over what was given. `updated` is when the record
/// last changed.
pub fn write(
    practitioner: &Practitioner,
    shown: Shown<'_>,
    here: Here<'_>,
    updated: Timestamp,
    given: Option<&Resource>,
) -> Resource {
    let Practitioner { id, version, name, specialties, token_prefix: _, location, active } =
        practitioner;
    let mut kept = Kept::begin(TYPE, id, here.meta(*version, updated), given);
    kept.element(
        "active",
        active,
        |map| element::flag(map, "active").unwrap_or(true),
        |active| Some((*active).into()),
    );
    let of = |map: &element::Map| {
        reference::record_of("Practitioner", element::object(map, "practitioner")?, here.origin)
    };
    kept.element("practitioner", &Some(id.uuid()), of, |_| {
        Some(reference::shown("Practitioner", id, Some(name)))
    });
    kept.at_first("organization", Some(reference::to("Organization", here.clinic.id)));
    kept.list("specialty", &SPECIALTIES, specialties);
    let location = location.map(|id| id.uuid());
    kept.list("location", &locations(here.origin), location.as_slice());
    let Shown { schedules, services } = shown;
    let services = services.iter().map(derived::offered).collect();
    derived::unless_given(&mut kept, given, "healthcareService", services);
    let times = schedules.iter().map(derived::time).collect();
    derived::unless_given(&mut kept, given, "availableTime", times);
    kept.end()
}

/// The specialities, in the words of the records.
const SPECIALTIES: Words =
    Words { as_held: |words| practitioner::specialty(words).ok(), most: usize::MAX };

/// The usual room.
fn locations(origin: &str) -> Links<'_> {
    Links { resource_type: "Location", most: 1, origin }
}

#[cfg(test)]
mod tests;
