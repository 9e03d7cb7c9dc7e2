//! What this box can do, as a `CapabilityStatement`.
//!
//! Source: <https://hl7.org/fhir/R4/capabilitystatement.html>.
//! Invariant: it is written from the tables that the doors go by ([`interactions`],
//! [`crate::search::parameters`]), so that it promises what is answered.

mod copy;
#[cfg(test)]
mod tests;

pub use copy::{is_copied, of_copy};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::bundle;
use crate::element;
use crate::here::Here;
use crate::instant;
use crate::json::Resource;
use crate::operation::Operation;
use crate::search::{ParamKind, Parameter, parameters};
use crate::smart;
use crate::structure;

/// FHIR's name of the type.
pub const TYPE: &str = "CapabilityStatement";

/// What can be done with resources of a type (<https://hl7.org/fhir/R4/http.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interaction {
    /// Reading the newest version.
    Read,
    /// Reading any version.
    Vread,
    /// Putting a whole resource in place of what is there.
    Update,
    /// Changing a part.
    Patch,
    /// Deleting.
    Delete,
    /// The versions of one resource.
    HistoryInstance,
    /// The versions of all resources of the type.
    HistoryType,
    /// Making a new one.
    Create,
    /// Searching.
    SearchType,
}

impl Interaction {
    /// FHIR's code (<https://hl7.org/fhir/R4/valueset-type-restful-interaction.html>).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Vread => "vread",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::HistoryInstance => "history-instance",
            Self::HistoryType => "history-type",
            Self::Create => "create",
            Self::SearchType => "search-type",
        }
    }
}

/// Records of the clinic that are told through FHIR, too. They are never deleted.
const RECORDS: [&str; 7] = [
    "Appointment",
    "HealthcareService",
    "Location",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Schedule",
];
/// What the box says of itself: it is computed or written as things happen.
const OBSERVED: [&str; 2] = ["AuditEvent", "Slot"];
/// What is no record of anything, and what would have to be acted upon.
const REFUSED: [&str; 3] = ["OperationOutcome", "Parameters", "Subscription"];

const OF_A_RECORD: [Interaction; 8] = [
    Interaction::Read,
    Interaction::Vread,
    Interaction::Update,
    Interaction::Patch,
    Interaction::HistoryInstance,
    Interaction::HistoryType,
    Interaction::Create,
    Interaction::SearchType,
];
const OF_A_CHART: [Interaction; 9] = [
    Interaction::Read,
    Interaction::Vread,
    Interaction::Update,
    Interaction::Patch,
    Interaction::Delete,
    Interaction::HistoryInstance,
    Interaction::HistoryType,
    Interaction::Create,
    Interaction::SearchType,
];

/// What can be done with resources of a type; nothing if they are not served.
pub fn interactions(type_: &str) -> &'static [Interaction] {
    if RECORDS.contains(&type_) {
        &OF_A_RECORD
    } else if OBSERVED.contains(&type_) {
        &[Interaction::Read, Interaction::SearchType]
    } else if structure::is_type(type_) && !REFUSED.contains(&type_) {
        &OF_A_CHART
    } else {
        &[]
    }
}

/// Whether an update of an id that is not known makes a new resource. Records get their ids here.
pub fn update_creates(type_: &str) -> bool {
    interactions(type_).contains(&Interaction::Update) && !RECORDS.contains(&type_)
}

/// An operation that is answered in files.
#[derive(Clone, Copy, Debug)]
pub struct Offered {
    /// Its name without the `$`.
    pub name: &'static str,
    /// The address of its definition.
    pub definition: &'static str,
    /// The type that it is asked of; none if it is asked of the box.
    pub on: Option<&'static str>,
}

/// What is to be said beside the tables.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The version of the program.
    pub version: &'a str,
    /// When what it can do last changed.
    pub at: Timestamp,
    /// The statements of guides that the box follows.
    pub instantiates: &'a [&'a str],
    /// What is offered beside the [`Operation`]s.
    pub others: &'a [Offered],
}

/// What this box can do.
pub fn statement(about: About<'_>, here: Here<'_>) -> Resource {
    let About { version, at, instantiates, others } = about;
    let mut statement =
        Resource::of(TYPE).expect("invariant: R4 has the type that this module is named for");
    let implementation = element::of([
        ("description", Some(here.clinic.name.as_str().into())),
        ("url", (!here.origin.is_empty()).then(|| here.origin.into())),
    ]);
    statement.set("status", "active");
    statement.set("date", instant::write(at, here.zone()));
    statement.set("kind", "instance");
    if !instantiates.is_empty() {
        statement.set("instantiates", json!(instantiates));
    }
    statement.set("software", json!({ "name": "Carepost", "version": version }));
    statement.set("implementation", implementation);
    statement.set("fhirVersion", "4.0.1");
    statement.set("format", json!(["application/fhir+json", "json"]));
    statement.set("patchFormat", json!(["application/json-patch+json", "application/fhir+json"]));
    let types = structure::each_type().filter(|type_| !interactions(type_).is_empty());
    let rest = element::of([
        ("mode", Some("server".into())),
        ("documentation", Some(bounds().into())),
        ("security", (!here.origin.is_empty()).then(|| smart::security(here.origin))),
        ("resource", Some(types.map(|type_| served(type_, others)).collect())),
        ("interaction", Some(json!([{ "code": "transaction" }, { "code": "batch" }]))),
        ("operation", of_box(others)),
        ("compartment", Some(json!(["http://hl7.org/fhir/CompartmentDefinition/patient"]))),
    ]);
    statement.set("rest", json!([rest]));
    statement
}

/// What is to be known beside the tables.
fn bounds() -> String {
    let (entries, bytes) = (bundle::ENTRIES_MAX, bundle::BYTES_MAX / 1024 / 1024);
    format!(
        "JSON only. A batch or transaction has at most {entries} entries and {bytes} MiB, any other body \
         1 MiB. A search that would have to look at too many resources is refused as too costly: ask by \
         more, such as a patient or a date. In a Bundle only $find and $everything are asked, by GET; other operations alone."
    )
}

/// What is asked of the box and of no type.
fn of_box(others: &[Offered]) -> Option<Value> {
    let all: Vec<Value> = others.iter().filter(|it| it.on.is_none()).map(Offered::said).collect();
    (!all.is_empty()).then(|| all.into())
}

impl Offered {
    fn said(&self) -> Value {
        json!({ "name": self.name, "definition": self.definition })
    }
}

fn served(type_: &'static str, others: &[Offered]) -> Value {
    let interactions = interactions(type_);
    let can = |interaction| interactions.contains(&interaction);
    let codes = interactions.iter().map(|it| json!({ "code": it.as_str() }));
    let is_versioned = can(Interaction::Vread);
    element::of([
        ("type", Some(type_.into())),
        ("profile", Some(format!("http://hl7.org/fhir/StructureDefinition/{type_}").into())),
        ("documentation", note(type_).map(Value::from)),
        ("interaction", Some(codes.collect())),
        ("versioning", Some(if is_versioned { "versioned" } else { "no-version" }.into())),
        ("readHistory", Some(is_versioned.into())),
        ("updateCreate", Some(update_creates(type_).into())),
        ("conditionalCreate", Some(can(Interaction::Create).into())),
        ("conditionalUpdate", Some(can(Interaction::Update).into())),
        (
            "conditionalDelete",
            Some(if can(Interaction::Delete) { "single" } else { "not-supported" }.into()),
        ),
        ("searchInclude", listed(includes(type_))),
        ("searchRevInclude", listed(revincludes(type_))),
        ("searchParam", Some(parameters(type_).iter().map(parameter).collect())),
        ("operation", offered(type_, others)),
    ])
}

/// What is done with resources of a type beyond keeping them.
fn note(type_: &str) -> Option<&'static str> {
    (type_ == "AppointmentResponse").then_some(
        "What the patient of an appointment answers is done at once: accepted confirms it, declined calls it \
         off. It is kept, as is what others answer, which changes nothing.",
    )
}

fn parameter(parameter: &Parameter) -> Value {
    let Parameter { name, kind, targets: _, places: _ } = parameter;
    json!({ "name": name, "type": kind.as_str() })
}

fn references(type_: &str) -> impl Iterator<Item = &'static Parameter> {
    parameters(type_).iter().filter(|it| it.kind == ParamKind::Reference)
}

fn includes(type_: &'static str) -> Vec<String> {
    references(type_).map(|by| format!("{type_}:{}", by.name)).collect()
}

/// The references that are made for this type among others; those to anything go without saying.
fn revincludes(type_: &'static str) -> Vec<String> {
    let mut all = Vec::new();
    for source in structure::each_type().filter(|source| !interactions(source).is_empty()) {
        let to_here = references(source).filter(|by| by.targets.contains(&type_));
        all.extend(to_here.map(|by| format!("{source}:{}", by.name)));
    }
    all
}

/// A list of FHIR has at least one entry.
fn listed(all: Vec<String>) -> Option<Value> {
    if all.is_empty() { None } else { Some(all.into()) }
}

fn offered(type_: &str, others: &[Offered]) -> Option<Value> {
    let of_it = Operation::ALL.into_iter().filter(|it| it.is_on(type_));
    let said = |it: Operation| {
        element::of([
            ("name", Some(it.name().into())),
            ("definition", Some(it.definition().into())),
            ("documentation", it.note().map(Value::from)),
        ])
    };
    let of_others = others.iter().filter(|it| it.on == Some(type_)).map(Offered::said);
    let all: Vec<Value> = of_it.map(said).chain(of_others).collect();
    if all.is_empty() { None } else { Some(all.into()) }
}
