//! FHIR HealthcareService: what the clinic does (<https://hl7.org/fhir/R4/healthcareservice.html>).
//!
//! | element | record |
//! |---|---|
//! | `active` | whether it can be booked; so when it is not said |
//! | `name` | what it is called |
//! | `location` | the rooms and equipment that each appointment needs for itself |
//! | [`extension::DURATION`] | how long the patient is there; a quarter of an hour when it is not said |
//! | [`extension::BUFFER`] | how long everybody needs afterwards; no time when it is not said |
//! | [`extension::PERFORMER`] | who does it; everybody when nobody is named |
//!
//! Everything else stays as it was given.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use prm::healthcare_service::{Addition, Edit, HealthcareService};
use prm::id::{LocationId, PractitionerId};

use crate::element::{self, Map};
use crate::extension::{self, Extension};
use crate::here::Here;
use crate::json::Resource;
use crate::kept::{Entries, Kept};
use crate::location::name_of;
use crate::outcome::{IssueCode, Outcome};
use crate::reference::{self, Links};

/// FHIR's name of the type.
pub const TYPE: &str = "HealthcareService";
/// How long a service takes of which it is not said, in minutes.
pub const DURATION_MINUTES: i64 = 15;

/// What a `HealthcareService` says of what the records hold, for the verbs that check it.
#[derive(Clone, Debug)]
pub struct RawHealthcareService {
    /// What it is called.
    pub name: String,
    /// Minutes.
    pub duration_minutes: i64,
    /// Minutes.
    pub buffer_minutes: i64,
    /// Who does it; empty means everybody.
    pub practitioners: Vec<PractitionerId>,
    /// The rooms and equipment that each appointment needs for itself.
    pub locations: Vec<LocationId>,
    /// Whether it can be booked. A new one can be: what this says is for an edit.
    pub active: bool,
}

impl RawHealthcareService {
    /// The service as a new one.
    pub fn addition(self) -> Addition {
        let Self { name, duration_minutes, buffer_minutes, practitioners, locations, active: _ } =
            self;
        Addition { name, duration_minutes, buffer_minutes, practitioners, locations }
    }

    /// The service as an edit of the whole record.
    pub fn edit(self) -> Edit {
        let Self { name, duration_minutes, buffer_minutes, practitioners, locations, active } =
            self;
        Edit {
            name: Some(name),
            duration_minutes: Some(duration_minutes),
            buffer_minutes: Some(buffer_minutes),
            practitioners: Some(practitioners),
            locations: Some(locations),
            active: Some(active),
        }
    }
}

/// What a `HealthcareService` says of what the records hold.
///
/// Refused are one without a name, a length or a performer that cannot be read, and
/// `modifierExtension`.
pub fn read(resource: &Resource, here: Here<'_>) -> Result<RawHealthcareService, Outcome> {
    element::is_a(resource, TYPE)?;
    element::understood(resource, &[])?;
    let map = resource.map();
    let Some(name) = element::text(map, "name") else {
        let what = "a service needs a name";
        return Err(Outcome::at("HealthcareService.name", IssueCode::Required, what));
    };
    let extensions = element::list(map, "extension");
    for lens in [&DURATION, &BUFFER] {
        if extension::first(map, lens.url).is_some_and(|entry| (lens.read)(entry).is_none()) {
            let what = "say the length as `valueDuration` in whole minutes (UCUM `min`)";
            return Err(Outcome::at(extension_at(lens.url), IssueCode::Value, what));
        }
    }
    let performers = Performers { origin: here.origin };
    for (_, entry) in extension::all(extensions, extension::PERFORMER) {
        if performers.one(entry).is_none() {
            let what = "name a practitioner of this box, as Practitioner/<id>";
            return Err(Outcome::at(extension_at(extension::PERFORMER), IssueCode::NotFound, what));
        }
    }
    let practitioners = performers.read(extensions).into_iter();
    let locations = locations(here.origin).read(element::list(map, "location")).into_iter();
    Ok(RawHealthcareService {
        name: name.to_owned(),
        duration_minutes: DURATION.of(map).unwrap_or(DURATION_MINUTES),
        buffer_minutes: BUFFER.of(map).unwrap_or(0),
        practitioners: practitioners
            .map(|(_, id)| PractitionerId::from_bytes(id.into_bytes()))
            .collect(),
        locations: locations.map(|(_, id)| LocationId::from_bytes(id.into_bytes())).collect(),
        active: element::flag(map, "active").unwrap_or(true),
    })
}

/// A service's record as a `HealthcareService`, over what was given. `updated` is when the record last
/// changed.
pub fn write(
    service: &HealthcareService,
    here: Here<'_>,
    updated: Timestamp,
    given: Option<&Resource>,
) -> Resource {
    let HealthcareService {
        id,
        version,
        name,
        duration_minutes,
        buffer_minutes,
        practitioners,
        locations: rooms,
        active,
    } = service;
    let mut kept = Kept::begin(TYPE, id, here.meta(*version, updated), given);
    for (lens, minutes, unsaid) in
        [(&DURATION, *duration_minutes, DURATION_MINUTES), (&BUFFER, *buffer_minutes, 0)]
    {
        let is_said = given.is_some_and(|it| lens.of(it.map()).is_some());
        if given.is_none() || is_said || minutes != unsaid {
            kept.list("extension", lens, &[minutes]);
        }
    }
    let mut performers: Vec<Uuid> = practitioners.iter().map(|id| id.uuid()).collect();
    performers.sort_unstable();
    kept.list("extension", &Performers { origin: here.origin }, &performers);
    kept.element(
        "active",
        active,
        |map| element::flag(map, "active").unwrap_or(true),
        |active| Some((*active).into()),
    );
    kept.at_first("providedBy", Some(reference::to("Organization", here.clinic.id)));
    let mut rooms: Vec<Uuid> = rooms.iter().map(|id| id.uuid()).collect();
    rooms.sort_unstable();
    kept.list("location", &Sorted(locations(here.origin)), &rooms);
    kept.element("name", name, name_of, |name| Some(name.as_str().into()));
    kept.end()
}

/// How long the patient is there.
const DURATION: Extension<i64> =
    Extension { url: extension::DURATION, most: 1, read: minutes, write: of_minutes };
/// How long everybody needs afterwards.
const BUFFER: Extension<i64> =
    Extension { url: extension::BUFFER, most: 1, read: minutes, write: of_minutes };

/// The code of minutes in UCUM.
const MINUTES: &str = "min";

fn minutes(entry: &Map) -> Option<i64> {
    let duration = element::object(entry, "valueDuration")?;
    let unit = element::text(duration, "code").or_else(|| element::text(duration, "unit"))?;
    if unit != MINUTES || duration.contains_key("comparator") {
        return None;
    }
    element::whole(duration, "value")
}

fn of_minutes(url: &'static str, minutes: &i64) -> Value {
    let duration = json!({
        "value": minutes,
        "unit": MINUTES,
        "system": "http://unitsofmeasure.org",
        "code": MINUTES,
    });
    extension::with(url, "valueDuration", duration)
}

/// Where an extension of a service stands, as a FHIRPath.
fn extension_at(url: &str) -> String {
    format!("HealthcareService.extension('{url}')")
}

fn locations(origin: &str) -> Links<'_> {
    Links { resource_type: "Location", most: usize::MAX, origin }
}

/// Links whose order says nothing.
struct Sorted<'a>(Links<'a>);

impl Entries for Sorted<'_> {
    type Said = Uuid;

    fn read(&self, entries: &[Value]) -> Vec<(usize, Uuid)> {
        let mut found = self.0.read(entries);
        found.sort_by_key(|(_, id)| *id);
        found
    }

    fn write(&self, id: &Uuid, old: Option<&Map>) -> Value {
        self.0.write(id, old)
    }
}

/// Who does it. Their order says nothing.
struct Performers<'a> {
    origin: &'a str,
}

impl Performers<'_> {
    fn one(&self, entry: &Map) -> Option<Uuid> {
        let reference = element::object(entry, "valueReference")?;
        reference::record_of("Practitioner", reference, self.origin)
    }
}

impl Entries for Performers<'_> {
    type Said = Uuid;

    fn read(&self, entries: &[Value]) -> Vec<(usize, Uuid)> {
        let mut found: Vec<(usize, Uuid)> = extension::all(entries, extension::PERFORMER)
            .filter_map(|(place, entry)| Some((place, self.one(entry)?)))
            .collect();
        found.sort_by_key(|(_, id)| *id);
        found.dedup_by_key(|(_, id)| *id);
        found
    }

    fn write(&self, id: &Uuid, _old: Option<&Map>) -> Value {
        let reference = reference::to("Practitioner", id);
        extension::with(extension::PERFORMER, "valueReference", reference)
    }
}

#[cfg(test)]
mod tests;
