//! FHIR Organization: the clinic itself (<https://hl7.org/fhir/R4/organization.html>).
//!
//! The clinic is founded and set up at the box, not through FHIR, so that the box reads nothing. Whoever
//! holds a copy of its records reads from it whose they are ([`own`]).
//! Other organizations, such as insurers, are stored as they were given.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use uuid::Uuid;

use prm::clinic::Clinic;
use prm::id::ClinicId;

use crate::concept::Coded;
use crate::element;
use crate::extension::{Extension, TIME_ZONE, with};
use crate::here::{Here, NOWHERE};
use crate::json::Resource;
use crate::kept::Kept;
use crate::practitioner::own_identifier;

/// FHIR's name of the type.
pub const TYPE: &str = "Organization";

/// What kind of organization a clinic is.
const PROVIDER: Coded =
    Coded("http://terminology.hl7.org/CodeSystem/organization-type", "prov", "Healthcare Provider");

/// The extension that names the time zone.
const ZONE: Extension<String> = Extension {
    url: TIME_ZONE,
    most: 1,
    read: |entry| element::text(entry, "valueCode").map(str::to_owned),
    write: |url, name| with(url, "valueCode", name.as_str()),
};

/// The clinic as an `Organization`, over what was given. `updated` is when it last changed.
pub fn write(here: Here<'_>, updated: Timestamp, given: Option<&Resource>) -> Resource {
    let Clinic { id, version, name, timezone, zone: _, country, walk_in_wait_minutes: _, demo: _ } =
        here.clinic;
    let mut kept = Kept::begin(TYPE, id, here.meta(*version, updated), given);
    kept.list("extension", &ZONE, std::slice::from_ref(timezone));
    kept.at_first("identifier", Some(own_identifier(id)));
    kept.element(
        "active",
        &true,
        |map| element::flag(map, "active").unwrap_or(true),
        |active| Some((*active).into()),
    );
    kept.at_first("type", Some(json!([PROVIDER.concept()])));
    kept.says("name", Some(name.as_str().into()));
    kept.at_first("address", Some(json!([{ "country": country }])));
    kept.end()
}

/// The clinic that an `Organization` shows, if a box wrote it as its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// The clinic's id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its IANA time zone.
    pub timezone: Option<String>,
    /// Its country, two letters.
    pub country: Option<String>,
}

/// The clinic that an `Organization` shows, if a box wrote it as its own: other organizations do not have
/// the identifier that is their id.
pub fn own(resource: &Resource) -> Option<Own> {
    if resource.resource_type() != TYPE {
        return None;
    }
    let id = resource.id()?;
    let is_own = resource.get("identifier")?.get(0) == own_identifier(id).get(0);
    if !is_own {
        return None;
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let extensions = resource.get("extension").and_then(Value::as_array);
    let zone = extensions.into_iter().flatten().find(|it| it["url"] == TIME_ZONE);
    Some(Own {
        id: Uuid::try_parse(id).ok()?,
        name: text(resource.get("name")?)?,
        timezone: zone.and_then(|it| text(&it["valueCode"])),
        country: resource.get("address").and_then(|it| text(&it[0]["country"])),
    })
}

impl Own {
    /// The clinic, as far as it is said; its clock is that of Greenwich if its zone is none that is known here.
    pub fn clinic(self) -> Clinic {
        let Self { id, name, timezone, country } = self;
        let known = timezone.and_then(|name| Some((TimeZone::get(&name).ok()?, name)));
        let (zone, timezone) = known.unwrap_or_else(|| (TimeZone::UTC, NOWHERE.timezone.clone()));
        Clinic {
            id: ClinicId::from_bytes(id.into_bytes()),
            name,
            timezone,
            zone,
            country: country.unwrap_or_default(),
            ..NOWHERE.clone()
        }
    }
}

#[cfg(test)]
mod tests;
