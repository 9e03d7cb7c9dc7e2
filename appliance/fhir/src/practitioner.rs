//! FHIR Practitioner: the person whom patients come to see
//! (<https://hl7.org/fhir/R4/practitioner.html>).
//!
//! | element | record |
//! |---|---|
//! | `name` | the name with its title |
//! | `active` | whether patients can be booked; so when it is not said |
//!
//! Speciality and room are those of the role: see [`crate::practitioner_role`]. Everything else stays
//! as it was given. The letters of the queue's tokens are not written: they are no part of who it is.

use jiff::Timestamp;
use serde_json::{Value, json};

use prm::practitioner::{Addition, Edit, Practitioner};

use crate::concept::RESOURCE_IDENTIFIER;
use crate::element;
use crate::here::Here;
use crate::human_name::Names;
use crate::json::Resource;
use crate::kept::{Entries as _, Kept};
use crate::outcome::{IssueCode, Outcome};

/// FHIR's name of the type.
pub const TYPE: &str = "Practitioner";

/// What a `Practitioner` says of what the records hold, for the verbs that check it.
#[derive(Clone, Debug)]
pub struct RawPractitioner {
    /// The name with its title.
    pub name: String,
    /// Whether patients can be booked. A new one can be: what this says is for an edit.
    pub active: bool,
}

impl RawPractitioner {
    /// The practitioner as somebody new, of whom nothing but the name is known yet.
    pub fn addition(self) -> Addition {
        let Self { name, active: _ } = self;
        Addition { name, specialties: Vec::new(), location: None }
    }

    /// The practitioner as an edit; what the role says stays.
    pub fn edit(self) -> Edit {
        let Self { name, active } = self;
        Edit { name: Some(name), specialties: None, location: None, active: Some(active) }
    }
}

/// What a `Practitioner` says of what the records hold.
///
/// Refused are one without a name that the records can hold, and `modifierExtension`.
pub fn read(resource: &Resource) -> Result<RawPractitioner, Outcome> {
    element::is_a(resource, TYPE)?;
    element::understood(resource, &[])?;
    let map = resource.map();
    let Some((_, name)) = Names::ONE.read(element::list(map, "name")).into_iter().next() else {
        let what = "a practitioner needs a name of at most 200 letters, in `text` or in parts";
        return Err(Outcome::at("Practitioner.name", IssueCode::Required, what));
    };
    Ok(RawPractitioner { name, active: element::flag(map, "active").unwrap_or(true) })
}

/// A practitioner's record as a `Practitioner`, over what was given. `updated` is when the record last
/// changed.
pub fn write(
    practitioner: &Practitioner,
    here: Here<'_>,
    updated: Timestamp,
    given: Option<&Resource>,
) -> Resource {
    let Practitioner { id, version, name, specialties: _, token_prefix: _, location: _, active } =
        practitioner;
    let mut kept = Kept::begin(TYPE, id, here.meta(*version, updated), given);
    kept.at_first("identifier", Some(own_identifier(id)));
    kept.element(
        "active",
        active,
        |map| element::flag(map, "active").unwrap_or(true),
        |active| Some((*active).into()),
    );
    kept.list("name", &Names::ONE, std::slice::from_ref(name));
    kept.end()
}

/// The id of a record as an identifier that is good everywhere (RFC 9562, section 4).
pub(crate) fn own_identifier(id: impl std::fmt::Display) -> Value {
    json!([{
        "type": RESOURCE_IDENTIFIER.concept(),
        "system": "urn:ietf:rfc:3986",
        "value": format!("urn:uuid:{id}"),
    }])
}

#[cfg(test)]
mod tests;
