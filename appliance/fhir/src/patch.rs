//! Changing parts of a resource: JSON Patch and FHIRPath Patch.
//!
//! Sources: RFC 6902 and RFC 6901, <https://hl7.org/fhir/R4/fhirpatch.html>,
//! <https://hl7.org/fhir/R4/http.html#patch>.
//! Invariant: a patch is done whole or not at all, and what a resource is (type and id) stays. Whether
//! what comes of it is valid is for [`crate::structure::validate`] to say.
//!
//! RFC 6902 is written out here because the elements behind one that goes are to keep their order, and
//! because copies of copies need a bound.
//!
//! Of FHIRPath a path may have names, indexes, `first()`, `last()` and `where(element = 'x')`; another
//! path is refused. Absent: XML Patch; extensions of a primitive value in a FHIRPath Patch.

mod edit;
mod fhirpath;
mod json;
mod place;
mod pointer;
mod shape;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::element;
use crate::json::Resource;
use crate::outcome::{IssueCode, Outcome};

/// The most operations of one patch.
pub const OPERATIONS_MAX: usize = 256;
/// The most values (objects, lists, and what is in them) that the copies of one patch may add.
pub const COPIED_MAX: usize = 100_000;

/// A patch that was read.
#[derive(Debug)]
pub struct Patch(Form);

#[derive(Debug)]
enum Form {
    Json(Vec<json::Operation>),
    Path(Vec<edit::Operation>),
}

/// A patch by the media type `application/json-patch+json`.
pub fn json(bytes: &[u8]) -> Result<Patch, Outcome> {
    let read = serde_json::from_slice(bytes);
    let value: Value = read.map_err(|_| {
        Outcome::error(IssueCode::Invalid, "a JSON Patch is a list of operations in JSON, in UTF-8")
    })?;
    Ok(Patch(Form::Json(json::read(&value)?)))
}

/// A patch as a resource: `Parameters` with a FHIRPath Patch, or a `Binary` with a JSON Patch as a
/// bundle has it.
pub fn resource(resource: &Resource) -> Result<Patch, Outcome> {
    match resource.resource_type() {
        "Parameters" => Ok(Patch(Form::Path(edit::read(resource)?))),
        "Binary" => {
            let kind = element::text(resource.map(), "contentType").unwrap_or_default();
            if kind.split(';').next() != Some("application/json-patch+json") {
                let what = "a patch in a Binary is application/json-patch+json";
                return Err(Outcome::at("Binary.contentType", IssueCode::NotSupported, what));
            }
            let data = element::text(resource.map(), "data").unwrap_or_default();
            let data: String = data.split_ascii_whitespace().collect();
            let bytes = STANDARD.decode(data).map_err(|_| {
                Outcome::at("Binary.data", IssueCode::Value, "the data is written in base64")
            })?;
            json(&bytes)
        }
        _ => {
            let what = "a patch is a Parameters, or a Binary with a JSON Patch";
            Err(Outcome::error(IssueCode::NotSupported, what))
        }
    }
}

impl Patch {
    /// The resource with the changes.
    ///
    /// Refused are an operation that finds nothing at its path or that its path does not allow, a test
    /// that fails ([`IssueCode::Conflict`]), a new type or id, and what [`crate::json::parse`] refuses.
    pub fn apply(&self, resource: &Resource) -> Result<Resource, Outcome> {
        let changed = match &self.0 {
            Form::Json(operations) => json::apply(operations, resource.clone().into())?,
            Form::Path(operations) => edit::apply(operations, resource.clone())?,
        };
        // What a patch brings was not read as strictly as a resource is.
        let bytes = serde_json::to_vec(&changed).unwrap_or_default();
        let changed = crate::json::parse(&bytes)?;
        if changed.resource_type() != resource.resource_type()
            || changed.get("id") != resource.get("id")
        {
            let what = "a patch cannot change the type or the id of a resource";
            return Err(Outcome::error(IssueCode::Value, what));
        }
        Ok(changed)
    }
}

/// An issue of one of the operations, counted from 1.
fn of_operation(at: usize, code: IssueCode, what: &str) -> Outcome {
    Outcome::error(code, format!("operation {}: {what}", at + 1))
}

/// Refuses more than [`OPERATIONS_MAX`], and none.
fn bounded(count: usize) -> Result<(), Outcome> {
    let what = match count {
        0 => "there is no operation in the patch".to_owned(),
        1..=OPERATIONS_MAX => return Ok(()),
        _ => format!("a patch has at most {OPERATIONS_MAX} operations"),
    };
    let code = if count == 0 { IssueCode::Required } else { IssueCode::TooCostly };
    Err(Outcome::error(code, what))
}
