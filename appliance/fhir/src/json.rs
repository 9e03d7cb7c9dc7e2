//! FHIR's JSON: from bytes to a [`Resource`] and back.
//!
//! Source: <https://hl7.org/fhir/R4/json.html>.
//! Invariant: numbers keep their text and elements their order, so that what is stored is what came.

mod read;
#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::{Map, Value};

use crate::outcome::{IssueCode, Outcome};
use crate::structure;

pub use read::{DEPTH_MAX, RESOURCE_VALUES_MAX, VALUES_MAX, parse, parse_within};

/// The key that says what a resource is.
pub(crate) const RESOURCE_TYPE: &str = "resourceType";

/// A resource in memory: a JSON object whose `resourceType` is one of R4's.
///
/// That it is valid is not said: [`structure::validate`] says that.
#[derive(Clone, PartialEq)]
pub struct Resource {
    resource_type: &'static str,
    map: Map<String, Value>,
}

impl Resource {
    /// A resource of this type with no element yet; none if R4 has no such type.
    pub fn of(resource_type: &str) -> Option<Self> {
        let resource_type = structure::type_name(resource_type)?;
        let mut map = Map::new();
        map.insert(RESOURCE_TYPE.into(), resource_type.into());
        Some(Self { resource_type, map })
    }

    /// The object as a resource; refused without a `resourceType` that R4 has.
    pub fn from_map(map: Map<String, Value>) -> Result<Self, Outcome> {
        let Some(said) = map.get(RESOURCE_TYPE) else {
            let what = "the object has no resourceType; say which resource it is";
            return Err(Outcome::error(IssueCode::Required, what));
        };
        let Some(resource_type) = said.as_str().and_then(structure::type_name) else {
            let what = "resourceType is not the name of a resource of FHIR R4";
            return Err(Outcome::error(IssueCode::Structure, what));
        };
        Ok(Self { resource_type, map })
    }

    /// The value as a resource; refused unless it is an object with a `resourceType` that R4 has.
    pub fn from_value(value: Value) -> Result<Self, Outcome> {
        match value {
            Value::Object(map) => Self::from_map(map),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => {
                let what = "a resource is a JSON object with a resourceType";
                Err(Outcome::error(IssueCode::Structure, what))
            }
        }
    }

    /// The name of its type, such as `Patient`.
    pub fn resource_type(&self) -> &'static str {
        self.resource_type
    }

    /// Its logical id, where it has one.
    pub fn id(&self) -> Option<&str> {
        self.map.get("id")?.as_str()
    }

    /// The element (or its `_` sibling) as it stands.
    pub fn get(&self, element: &str) -> Option<&Value> {
        self.map.get(element)
    }

    /// The element to be changed in place. What the resource is cannot be changed.
    pub fn get_mut(&mut self, element: &str) -> Option<&mut Value> {
        if element == RESOURCE_TYPE { None } else { self.map.get_mut(element) }
    }

    /// Puts the element in place of what is there, else after the last. What the resource is stays.
    pub fn set(&mut self, element: &str, value: impl Into<Value>) {
        if element != RESOURCE_TYPE {
            self.map.insert(element.to_owned(), value.into());
        }
    }

    /// Takes the element out; the order of the others stays. What the resource is stays.
    pub fn remove(&mut self, element: &str) -> Option<Value> {
        if element == RESOURCE_TYPE { None } else { self.map.shift_remove(element) }
    }

    /// All elements in their order, `resourceType` among them.
    pub fn map(&self) -> &Map<String, Value> {
        &self.map
    }

    /// All elements in their order, `resourceType` among them.
    pub fn into_map(self) -> Map<String, Value> {
        self.map
    }

    /// The resource as compact JSON.
    pub fn to_vec(&self) -> Vec<u8> {
        // The keys are text, so that writing into memory cannot fail.
        serde_json::to_vec(&self.map).unwrap_or_default()
    }
}

impl fmt::Debug for Resource {
    /// Records are personal: logs show the type and the id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.resource_type, self.id().unwrap_or("…"))
    }
}

impl serde::Serialize for Resource {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.map.serialize(serializer)
    }
}

impl From<Resource> for Value {
    fn from(resource: Resource) -> Self {
        Self::Object(resource.map)
    }
}
