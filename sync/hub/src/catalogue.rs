//! What whoever runs the hub wants a clinic's box to offer: a list of services, put into the box's queue.
//!
//! One list is one request, however often it is asked; asked again it says what the box answered.

use fhir::structure::validate;
use ring::digest::{Context, SHA256};
use serde_json::Value;
use sync_protocol::ask::{Ask, Catalogue, Id, Reply};
use sync_protocol::downlink::REQUEST_BYTES_MAX;

use crate::hub::Hub;
use crate::requests::{self, NotAsked};

/// The longest list, in bytes; what goes around it takes some of a request, too.
pub const CATALOGUE_BYTES_MAX: usize = REQUEST_BYTES_MAX - 64;

/// Why a list was not asked of a box.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// It is too long for one request.
    #[error("a list has at most 256 KiB; make two of it")]
    TooLong,
    /// It is not FHIR R4; the first thing that is wrong.
    #[error("this is no valid FHIR R4: {0}")]
    Invalid(String),
    /// It is another resource, or a service of it cannot be known again.
    #[error(
        "this is no Bundle of HealthcareServices, each with an identifier (system and value) by which it is known again"
    )]
    NoCatalogue,
    /// It could not be put into the queue.
    #[error(transparent)]
    NotAsked(#[from] NotAsked),
}

/// Asks the box of a clinic to take a list (a FHIR Bundle as JSON); answers what it said to it, if it has
/// taken it before.
///
/// # Errors
/// [`CatalogueError`].
pub fn ask(hub: &Hub, clinic: [u8; 16], bundle: Vec<u8>) -> Result<Option<Reply>, CatalogueError> {
    check(&bundle)?;
    let ask = Ask::Catalogue(Catalogue { id: id(clinic, &bundle), bundle });
    let reply = hub.store.write(clinic, |tx| {
        requests::put(hub, tx, clinic, &ask)?;
        requests::reply(hub, tx, clinic, ask.id())
    })?;
    hub.requests.wake(clinic);
    Ok(reply)
}

fn check(bytes: &[u8]) -> Result<(), CatalogueError> {
    if bytes.len() > CATALOGUE_BYTES_MAX {
        return Err(CatalogueError::TooLong);
    }
    let first = |issues: &[fhir::Issue]| {
        CatalogueError::Invalid(
            issues.first().map_or_else(String::new, |it| it.diagnostics.clone()),
        )
    };
    let bundle = fhir::json::parse(bytes).map_err(|outcome| first(&outcome.issues))?;
    let issues = validate(&bundle);
    if !issues.is_empty() {
        return Err(first(&issues));
    }
    let entries = bundle.get("entry").and_then(Value::as_array).map(Vec::as_slice);
    let entries = entries.unwrap_or_default();
    let is_named = |entry: &Value| {
        let resource = &entry["resource"];
        let identifier = &resource["identifier"][0];
        resource["resourceType"] == "HealthcareService"
            && identifier["system"].is_string()
            && identifier["value"].is_string()
    };
    if bundle.resource_type() != "Bundle" || entries.is_empty() || !entries.iter().all(is_named) {
        return Err(CatalogueError::NoCatalogue);
    }
    Ok(())
}

/// Of one list for one clinic.
fn id(clinic: [u8; 16], bytes: &[u8]) -> Id {
    let mut context = Context::new(&SHA256);
    context.update(b"catalogue");
    context.update(&clinic);
    context.update(bytes);
    let mut id = [0; 16];
    id.copy_from_slice(&context.finish().as_ref()[..16]);
    Id(id)
}
