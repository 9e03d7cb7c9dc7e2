//! What whoever runs the hub wants every box to offer: a list of services, merged by their identifiers.
//!
//! What is new is made, and cannot be booked before somebody at the clinic accepts it. What came before and was
//! not touched here follows the list; what was accepted or edited here is the clinic's own and stays. Nothing
//! is taken away because a list does not name it.
//!
//! What a list calls a service is remembered like what an import takes (`prm::imported`), under the source
//! [`SOURCE`].

use fhir::{Here, IssueCode, Outcome, Resource, healthcare_service as of_fhir};
use prm::clinic;
use prm::db::{Read, Tx};
use prm::error::{Error, Result};
use prm::healthcare_service::{self, HealthcareService};
use prm::id::HealthcareServiceId;
use prm::imported::{self, Imported};
use prm::request::Reply;
use prm::stamp::Stamp as OfRecords;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use sync_agent::ask::Catalogue;

use super::{as_error, is_fatal, refusal, resource};
use crate::http::fhir::interaction::{Only, Work};
use crate::http::fhir::stamp::Stamp;
use crate::http::fhir::wire::Asked;

/// Under this name what a list calls its services is remembered. No import has it: a source's name is
/// given with letters, digits and hyphens only.
const SOURCE: &str = "hub/catalogue";
/// Services that one list has at the most.
const SERVICES_MAX: usize = 500;
/// The longest identifier, in bytes.
const NAME_BYTES_MAX: usize = 500;

/// What became of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    created: u32,
    changed: u32,
    unchanged: u32,
    kept: u32,
    refused: u32,
}

/// A service of a list, by what it is called there.
struct Item {
    name: String,
    given: [u8; 32],
    resource: Resource,
}

/// Merges a list, and answers how many services were created, changed, left as they were, kept as the clinic
/// has them, and refused by its rules. A list that cannot be read is refused whole.
///
/// # Errors
/// Those of the database.
pub fn merge(tx: &mut Tx<'_>, stamp: &OfRecords, catalogue: &Catalogue) -> Result<Reply> {
    let items = match read(&catalogue.bundle) {
        Ok(items) => items,
        Err(outcome) => return Ok(refusal(422, &outcome)),
    };
    let clinic = clinic::get(tx)?;
    let here = Here { clinic: &clinic, origin: "" };
    // The box does it for whoever looks after it: the hub itself may not change what the clinic offers.
    let asked = Asked::alone(Stamp::new(OfRecords::of_sale(stamp.now), None));
    let mut tally = Tally::default();
    for item in items {
        let at = tx.savepoint()?;
        match one(tx, (&asked, here), item, &mut tally) {
            Ok(()) => tx.release(at)?,
            Err(error) if is_fatal(&error) => return Err(error),
            Err(_) => {
                tx.undo(at)?;
                tally.refused += 1;
            }
        }
    }
    let Tally { created, changed, unchanged, kept, refused } = tally;
    let said = [
        ("created", created),
        ("changed", changed),
        ("unchanged", unchanged),
        ("kept", kept),
        ("refused", refused),
    ];
    let parts = said.map(|(name, count)| json!({ "name": name, "valueInteger": count }));
    let body = json!({ "resourceType": "Parameters", "parameter": parts });
    Ok(Reply { status: 200, body: body.to_string().into_bytes(), until: None })
}

fn one(
    tx: &mut Tx<'_>,
    (asked, here): (&Asked, Here<'_>),
    item: Item,
    tally: &mut Tally,
) -> Result<()> {
    let Item { name, given, mut resource } = item;
    let stamp = *asked.stamp;
    let which = (SOURCE, of_fhir::TYPE, name.as_str());
    let came = imported::of(tx, &stamp, which)?;
    let before = came.as_ref().map(|came| untouched(tx, &stamp, came)).transpose()?.flatten();
    match (&came, &before) {
        (Some(came), _) if came.given == given => {
            tally.unchanged += 1;
            return Ok(());
        }
        (Some(_), None) => {
            tally.kept += 1;
            return Ok(());
        }
        (Some(_), Some(_)) | (None, _) => {}
    }
    resource.set("active", false);
    resource.remove("id");
    resource.remove("meta");
    let mut work = Work::new(tx, asked, here);
    let done = match &before {
        None => work.create(resource, None, None),
        Some(before) => {
            let id = before.id.to_string();
            resource.set("id", id.as_str());
            work.put(resource, &id, Only::default())
        }
    };
    let found = done.map_err(as_error)?.found;
    let imported = Imported {
        source: SOURCE.to_owned(),
        kind: of_fhir::TYPE.to_owned(),
        local: found.resource.id().unwrap_or_default().to_owned(),
        version: found.at.map_or(1, |(version, _)| version),
        merged: false,
        name,
        given,
    };
    imported::remember(tx, &stamp, &imported)?;
    match before {
        Some(_) => tally.changed += 1,
        None => tally.created += 1,
    }
    Ok(())
}

/// The service that came under a name, if nobody at the clinic has accepted or edited it.
fn untouched(
    read: &Read<'_>,
    stamp: &OfRecords,
    came: &Imported,
) -> Result<Option<HealthcareService>> {
    let Ok(id) = came.local.parse::<HealthcareServiceId>() else { return Ok(None) };
    match healthcare_service::get(read, stamp, id) {
        Ok(service) if service.version == came.version && !service.active => Ok(Some(service)),
        Ok(_) | Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The services of lists that wait to be accepted, by name.
///
/// # Errors
/// Those of the database.
pub fn waiting(read: &Read<'_>, stamp: &OfRecords) -> Result<Vec<HealthcareService>> {
    let by_box = OfRecords::of_sale(stamp.now);
    let mut found = Vec::new();
    for came in imported::all_of(read, &by_box, (SOURCE, of_fhir::TYPE))? {
        found.extend(untouched(read, stamp, &came)?);
    }
    found.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
    Ok(found)
}

/// The services of a list.
fn read(bytes: &[u8]) -> std::result::Result<Vec<Item>, Outcome> {
    let bundle = resource(bytes)?;
    let wrong = |what: &str| Outcome::error(IssueCode::Structure, what);
    let shape =
        "a catalogue is a Bundle of HealthcareServices, each with an identifier, at most 500";
    let entries = bundle.get("entry").and_then(Value::as_array);
    let entries =
        entries.filter(|it| bundle.resource_type() == "Bundle" && it.len() <= SERVICES_MAX);
    let mut items = Vec::new();
    for entry in entries.ok_or_else(|| wrong(shape))? {
        let inner = entry.get("resource").cloned().ok_or_else(|| wrong(shape))?;
        let resource = Resource::from_value(inner)?;
        let name = name_of(&resource).filter(|_| resource.resource_type() == of_fhir::TYPE);
        let name = name.ok_or_else(|| wrong(shape))?;
        if items.iter().any(|item: &Item| item.name == name) {
            return Err(wrong("an identifier stands in a catalogue once"));
        }
        let mut given = [0; 32];
        given.copy_from_slice(digest(&SHA256, &resource.to_vec()).as_ref());
        items.push(Item { name, given, resource });
    }
    Ok(items)
}

/// What a list calls a service: the system and the value of its first identifier.
fn name_of(resource: &Resource) -> Option<String> {
    let first = resource.get("identifier")?.as_array()?.first()?;
    let part = |name| first.get(name).and_then(Value::as_str);
    let name = format!("{}|{}", part("system")?, part("value")?);
    (name.len() <= NAME_BYTES_MAX).then_some(name)
}
