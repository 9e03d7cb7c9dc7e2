//! FHIR Location: rooms, equipment that is booked like a room, and sites
//! (<https://hl7.org/fhir/R4/location.html>).
//!
//! | element | record |
//! |---|---|
//! | `name` | what is on the door |
//! | `status` | `active`, or `suspended` and `inactive`; active when it is not said |
//! | `physicalType` | what it is: `ro` a room, `bu` and `si` a site, [`EQUIPMENT`] equipment; a room when it is nothing of these |
//!
//! Everything else stays as it was given.

use jiff::Timestamp;

use prm::location::{Addition, Edit, Kind, Location};

use crate::concept::Coded;
use crate::element::{self, Map};
use crate::here::Here;
use crate::json::Resource;
use crate::kept::Kept;
use crate::outcome::{IssueCode, Outcome};
use crate::reference;

/// FHIR's name of the type.
pub const TYPE: &str = "Location";

/// The system of what a location is.
const PHYSICAL_TYPE: &str = "http://terminology.hl7.org/CodeSystem/location-physical-type";
const ROOM: Coded = Coded(PHYSICAL_TYPE, "ro", "Room");
const BUILDING: Coded = Coded(PHYSICAL_TYPE, "bu", "Building");
const SITE: Coded = Coded(PHYSICAL_TYPE, "si", "Site");

/// The system of [`EQUIPMENT`], for which HL7 has no code because it is no place.
pub const LOCATION_KIND: &str = "https://carepost.health/fhir/CodeSystem/location-kind";
/// The code of a piece of equipment that one patient uses at a time.
pub const EQUIPMENT: &str = "equipment";
const EQUIPMENT_CODED: Coded = Coded(LOCATION_KIND, EQUIPMENT, "Equipment");

/// What a `Location` says of what the records hold, for the verbs that check it.
#[derive(Clone, Debug)]
pub struct RawLocation {
    /// What is on the door.
    pub name: String,
    /// What it is. It cannot be changed later: what differs from the record is to be refused.
    pub kind: Kind,
    /// Whether it is in use. A new one is: what this says is for an edit.
    pub active: bool,
}

impl RawLocation {
    /// The location as a new one.
    pub fn addition(self) -> Addition {
        let Self { name, kind, active: _ } = self;
        Addition { name, kind }
    }

    /// The location as an edit.
    pub fn edit(self) -> Edit {
        let Self { name, kind: _, active } = self;
        Edit { name: Some(name), active: Some(active) }
    }
}

/// What a `Location` says of what the records hold.
///
/// Refused are one without a name, one that is a kind of place instead of a place (`mode`), and
/// `modifierExtension`.
pub fn read(resource: &Resource) -> Result<RawLocation, Outcome> {
    element::is_a(resource, TYPE)?;
    element::understood(resource, &[])?;
    let map = resource.map();
    let Some(name) = element::text(map, "name") else {
        let what = "a location needs the name that is on the door";
        return Err(Outcome::at("Location.name", IssueCode::Required, what));
    };
    if element::text(map, "mode") == Some("kind") {
        let what = "only a place itself can be booked, not a kind of place; say `instance`";
        return Err(Outcome::at("Location.mode", IssueCode::NotSupported, what));
    }
    Ok(RawLocation { name: name.to_owned(), kind: kind_of(map), active: is_active(map) })
}

/// A location's record as a `Location`, over what was given. `updated` is when the record last changed.
pub fn write(
    location: &Location,
    here: Here<'_>,
    updated: Timestamp,
    given: Option<&Resource>,
) -> Resource {
    let Location { id, version, name, kind, active } = location;
    let mut kept = Kept::begin(TYPE, id, here.meta(*version, updated), given);
    kept.element("status", active, is_active, |active| {
        Some(if *active { "active".into() } else { "inactive".into() })
    });
    kept.element("name", name, name_of, |name| Some(name.as_str().into()));
    kept.at_first("mode", Some("instance".into()));
    kept.element("physicalType", kind, kind_of, |kind| {
        let code = match kind {
            Kind::Room => ROOM,
            Kind::Equipment => EQUIPMENT_CODED,
            Kind::Site => BUILDING,
        };
        Some(code.concept())
    });
    kept.at_first("managingOrganization", Some(reference::to("Organization", here.clinic.id)));
    kept.end()
}

/// The name as the records hold it.
pub(crate) fn name_of(map: &Map) -> String {
    let name = element::text(map, "name").unwrap_or_default();
    prm::contact::name("name", name).unwrap_or_default()
}

fn is_active(map: &Map) -> bool {
    !matches!(element::text(map, "status"), Some("inactive" | "suspended"))
}

fn kind_of(map: &Map) -> Kind {
    let Some(concept) = element::object(map, "physicalType") else { return Kind::Room };
    if EQUIPMENT_CODED.is_in(concept) {
        Kind::Equipment
    } else if BUILDING.is_in(concept) || SITE.is_in(concept) {
        Kind::Site
    } else {
        Kind::Room
    }
}

#[cfg(test)]
mod tests;
