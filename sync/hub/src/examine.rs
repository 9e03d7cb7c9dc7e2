//! Whether an entry can be taken: one valid resource of FHIR R4, by the same code as on the box.

use fhir::structure::{is_type, validate};
use fhir::{Resource, Severity};
use serde_json::Value;
use sync_protocol::ledger::{Body, Entry, Reason};

/// What a body says.
#[derive(Debug)]
pub enum Said {
    /// A valid resource.
    Resource(Box<Resource>),
    /// The record is gone.
    Gone,
}

/// Looks at an entry; it is parked with the reason if there is one.
///
/// # Errors
/// Why it cannot be taken.
pub fn examine(entry: &Entry) -> Result<Said, Reason> {
    match &entry.body {
        Body::TooLong(_) => Err(Reason::TooLong),
        Body::Gone => Ok(Said::Gone),
        // It was to be put together before.
        Body::Changed(_) => Err(Reason::Unreadable),
        Body::Given(bytes) => resource(bytes).map(|it| Said::Resource(Box::new(it))),
    }
}

fn resource(bytes: &[u8]) -> Result<Resource, Reason> {
    let Ok(resource) = fhir::json::parse_within(bytes, fhir::json::RESOURCE_VALUES_MAX) else {
        return Err(if is_of_unknown_type(bytes) { Reason::Unknown } else { Reason::Unreadable });
    };
    let is_wrong = validate(&resource).iter().any(|issue| match issue.severity {
        Severity::Fatal | Severity::Error => true,
        Severity::Warning | Severity::Information => false,
    });
    if is_wrong { Err(Reason::Invalid) } else { Ok(resource) }
}

/// Whether this is JSON that names a type which R4 does not have.
fn is_of_unknown_type(bytes: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Typed {
        #[serde(rename = "resourceType")]
        resource_type: Value,
    }
    serde_json::from_slice::<Typed>(bytes)
        .is_ok_and(|it| it.resource_type.as_str().is_some_and(|name| !is_type(name)))
}

#[cfg(test)]
mod tests {
    use sync_protocol::ledger::Key;

    use super::*;

    fn parked(body: &str) -> Option<Reason> {
        let body = Body::Given(body.into());
        examine(&Entry { sequence: 1, key: Key(b"x".to_vec()), body }).err()
    }

    #[test]
    fn each_entry_that_is_not_fhir_says_why() {
        assert_eq!(parked(r#"{"resourceType":"Patient","id":"p"}"#), None);
        assert_eq!(parked(""), Some(Reason::Unreadable));
        assert_eq!(parked("{"), Some(Reason::Unreadable));
        assert_eq!(parked("[]"), Some(Reason::Unreadable));
        assert_eq!(parked(r#"{"resourceType":"Horoscope"}"#), Some(Reason::Unknown));
        assert_eq!(parked(r#"{"resourceType":"Patient","gender":"x"}"#), Some(Reason::Invalid));
    }
}
