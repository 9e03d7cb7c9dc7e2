//! What is asked of an operation, and of which.

use serde_json::json;

use super::*;
use crate::fixture::{clinic, here, resource};

#[test]
fn an_operation_is_asked_where_it_is_offered() {
    assert_eq!(Operation::of("Appointment", "find", false), Some(Operation::Find));
    assert_eq!(Operation::of("Appointment", "find", true), None);
    assert_eq!(Operation::of("Patient", "find", false), None);
    assert_eq!(Operation::of("Patient", "everything", true), Some(Operation::Everything));
    assert_eq!(Operation::of("Patient", "everything", false), None);
    assert_eq!(Operation::of("Basic", "validate", true), Some(Operation::Validate));
    assert_eq!(Operation::of("Basic", "expand", true), None);
}

#[test]
fn parameters_a_resource_and_an_address_say_the_same() {
    let clinic = clinic();
    let said = Input::of_body(resource(json!({ "resourceType": "Parameters", "parameter": [
        { "name": "start", "valueDateTime": "2026-11-23" },
        { "name": "count", "valueInteger": 3 },
        { "name": "onlyCertainMatches", "valueBoolean": true },
        { "name": "practitioner", "valueReference": { "reference": "Practitioner/one" } },
        { "name": "practitioner", "valueReference": { "identifier": { "system": "urn:no", "value": "7" } } },
        { "name": "reason", "valueCodeableConcept": { "text": "ill" } },
        { "name": "resource", "resource": { "resourceType": "Patient", "id": "x" } },
    ] })));
    let said = said.unwrap();
    assert_eq!(said.text("start"), Some("2026-11-23"));
    assert_eq!(said.whole("count"), Ok(Some(3)));
    assert_eq!(said.flag("onlyCertainMatches"), Ok(Some(true)));
    assert!(said.whole("start").is_err());
    assert_eq!(said.words("reason"), Some("ill"));
    assert_eq!(said.resource("resource").and_then(crate::Resource::id), Some("x"));
    let pointers = said.pointers("practitioner", here(&clinic)).unwrap();
    let to = |id: &str| Pointer::To { type_: "Practitioner", id: id.into() };
    assert!(pointers[0] == to("one"));
    let identified = Pointer::Identified { system: Some("urn:no".into()), value: Some("7".into()) };
    assert!(pointers[1] == identified);
    let asked = Input::of_query(vec![("practitioner".into(), "Practitioner/one".into())]);
    assert!(asked.pointers("practitioner", here(&clinic)).unwrap() == [to("one")]);
    let elsewhere = Input::of_query(vec![("practitioner".into(), "https://x.example/P/1".into())]);
    assert!(elsewhere.pointers("practitioner", here(&clinic)).is_err());
    let alone = Input::of_body(resource(json!({ "resourceType": "Patient" }))).unwrap();
    assert!(alone.resource("resource").is_some());
    let empty = json!({ "resourceType": "Parameters", "parameter": [{ "name": "start" }] });
    assert!(Input::of_body(resource(empty)).is_err());
}
