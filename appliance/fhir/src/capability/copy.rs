//! What whoever holds a copy of a clinic's records can do: they are read and searched there, by the same
//! tables as on the box, and written on the box only.

use serde_json::{Value, json};

use super::{About, Interaction, TYPE, includes, interactions, listed, parameter, revincludes};
use crate::element;
use crate::here::Here;
use crate::instant;
use crate::json::Resource;
use crate::operation::Operation;
use crate::search::parameters;
use crate::structure;

/// What is done with what is copied.
const OF_A_COPY: [Interaction; 2] = [Interaction::Read, Interaction::SearchType];
/// What stays on the box.
const STAYS: [&str; 1] = ["AuditEvent"];

/// Whether resources of a type are in a copy.
pub fn is_copied(type_: &str) -> bool {
    !interactions(type_).is_empty() && !STAYS.contains(&type_)
}

/// What can be done there. `operations` are asked as they are of the box; `security` says in words how a
/// program is let in.
pub fn of_copy(
    about: About<'_>,
    here: Here<'_>,
    (operations, security): (&[Operation], &str),
) -> Resource {
    let About { version, at, instantiates: _, others: _ } = about;
    let mut statement =
        Resource::of(TYPE).expect("invariant: R4 has the type that this module is named for");
    let name = Some(here.clinic.name.as_str()).filter(|name| !name.is_empty());
    let implementation = element::of([
        ("description", Some(name.unwrap_or("A clinic's records").into())),
        ("url", (!here.origin.is_empty()).then(|| here.origin.into())),
    ]);
    statement.set("status", "active");
    statement.set("date", instant::write(at, here.zone()));
    statement.set("kind", "instance");
    statement.set("software", json!({ "name": "Carepost hub", "version": version }));
    statement.set("implementation", implementation);
    statement.set("fhirVersion", "4.0.1");
    statement.set("format", json!(["application/fhir+json", "json"]));
    let types = structure::each_type().filter(|type_| is_copied(type_));
    let rest = element::of([
        ("mode", Some("server".into())),
        ("documentation", Some(NOTE.into())),
        ("security", Some(json!({ "description": security }))),
        ("resource", Some(types.map(|type_| served(type_, operations)).collect())),
    ]);
    statement.set("rest", json!([rest]));
    statement
}

/// What is to be known beside the tables.
const NOTE: &str = "JSON only. These are the records as the clinic's box last told them. A search that would \
    have to look at too many resources is refused as too costly: ask by more, such as a patient or a date.";

fn served(type_: &'static str, operations: &[Operation]) -> Value {
    let codes = OF_A_COPY.iter().map(|it| json!({ "code": it.as_str() }));
    let offered = operations.iter().filter(|it| it.is_on(type_));
    let offered: Vec<Value> = offered
        .map(|it| {
            element::of([
                ("name", Some(it.name().into())),
                ("definition", Some(it.definition().into())),
                ("documentation", it.note().map(Value::from)),
            ])
        })
        .collect();
    element::of([
        ("type", Some(type_.into())),
        ("profile", Some(format!("http://hl7.org/fhir/StructureDefinition/{type_}").into())),
        ("interaction", Some(codes.collect())),
        ("versioning", Some("versioned".into())),
        ("readHistory", Some(false.into())),
        ("updateCreate", Some(false.into())),
        ("conditionalCreate", Some(false.into())),
        ("conditionalUpdate", Some(false.into())),
        ("conditionalDelete", Some("not-supported".into())),
        ("searchInclude", listed(includes(type_))),
        ("searchRevInclude", listed(revincludes(type_))),
        ("searchParam", Some(parameters(type_).iter().map(parameter).collect())),
        ("operation", (!offered.is_empty()).then(|| offered.into())),
    ])
}
