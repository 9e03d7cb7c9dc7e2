//! What tests are made of: a clinic, ids, resources.

use std::io::Write as _;
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use uuid::Uuid;

use prm::clinic::Clinic;
use prm::id::ClinicId;

use crate::here::Here;
use crate::json::{self, Resource};
use crate::outcome::Outcome;
use crate::reference::{self, Target};
use crate::structure;

/// The address under which the tests' clinic serves FHIR.
pub(crate) const ORIGIN: &str = "https://clinic.local/fhir";

/// A clinic in India.
pub(crate) fn clinic() -> Clinic {
    Clinic {
        id: ClinicId::from_bytes(id(1).into_bytes()),
        version: 3,
        name: "Shanti Clinic".into(),
        timezone: "Asia/Kolkata".into(),
        zone: TimeZone::get("Asia/Kolkata").unwrap(),
        country: "IN".into(),
        walk_in_wait_minutes: 30,
        demo: false,
    }
}

/// The clinic with its address.
pub(crate) fn here(clinic: &Clinic) -> Here<'_> {
    Here { clinic, origin: ORIGIN }
}

/// An id that is the same each time.
pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000 | number)
}

/// When records of the tests last changed.
pub(crate) fn updated() -> Timestamp {
    time("2026-11-23T04:30:00Z")
}

/// A point in time.
pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The value as a resource.
pub(crate) fn resource(value: Value) -> Resource {
    Resource::from_value(value).unwrap()
}

/// The resource, which must be valid.
#[track_caller]
pub(crate) fn valid(resource: Resource) -> Resource {
    let issues = structure::validate(&resource);
    let json = serde_json::to_string_pretty(&resource).unwrap();
    assert!(issues.is_empty(), "{}\n{json}", Outcome { issues });
    resource
}

/// The resource without what a writer always says of its own: `id`, `meta`.
pub(crate) fn without_own(resource: &Resource) -> Resource {
    let mut resource = resource.clone();
    resource.remove("id");
    resource.remove("meta");
    resource
}

/// The elements that the issues of a refusal are about.
pub(crate) fn expressions(outcome: &Outcome) -> Vec<&str> {
    outcome.issues.iter().filter_map(|issue| issue.expression.as_deref()).collect()
}

/// HL7's examples of a type, by file name, with the ids of local references made those of records.
/// None where `tests/fhir` is not installed, which is said.
pub(crate) fn examples(resource_type: &str) -> Vec<(String, Resource)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fhir/node_modules/hl7.fhir.r4.examples");
    let Ok(files) = std::fs::read_dir(&folder) else {
        // Where it is written to cannot matter to the test.
        let _ = writeln!(
            std::io::stderr(),
            "left out: HL7's examples are not there; `npm ci` in tests/fhir"
        );
        return Vec::new();
    };
    let mut examples: Vec<(String, Resource)> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(&format!("{resource_type}-")))
        .map(|name| {
            let mut resource = json::parse(&std::fs::read(folder.join(&name)).unwrap()).unwrap();
            reference::rewrite(&mut resource, |text| {
                let Some(Target::Local(local)) = reference::parse(text, "") else { return None };
                Some(format!("{}/{}", local.resource_type, id_for(local.id)))
            });
            (name, resource)
        })
        .collect();
    examples.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert!(!examples.is_empty(), "HL7 has examples of {resource_type}");
    examples
}

/// The id of a record in the place of another id.
fn id_for(text: &str) -> Uuid {
    let sum = text.bytes().fold(7_u128, |sum, byte| sum.wrapping_mul(131) + u128::from(byte));
    id(sum & 0xffff_ffff_ffff)
}
