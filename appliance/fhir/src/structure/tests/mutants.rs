//! HL7's examples of the types that matter most, broken in one place at a time: each is refused.

use std::fs;

use serde_json::{Map, Value, json};

use super::super::table::{Element, Key, Kind, Node, table};
use super::super::*;
use super::examples::{known, names, package};
use crate::json::parse;
use crate::primitive::Primitive;

/// The types that the records are mapped to, then those of a chart.
const TYPES: [&str; 24] = [
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "Location",
    "HealthcareService",
    "Schedule",
    "Slot",
    "Appointment",
    "Encounter",
    "Task",
    "Device",
    "RelatedPerson",
    "AuditEvent",
    "Observation",
    "Condition",
    "MedicationRequest",
    "AllergyIntolerance",
    "Immunization",
    "DocumentReference",
    "DiagnosticReport",
    "Coverage",
    "ServiceRequest",
    "QuestionnaireResponse",
];
/// Examples of each type that are broken.
const EXAMPLES_MAX: usize = 3;

/// One change at a place.
struct Mutant {
    /// The object, as a JSON pointer.
    at: String,
    key: String,
    /// What stands there then; none takes the element out.
    value: Option<Value>,
}

/// All mutants of an object and of what lies in it.
fn mutants(node: &Node, map: &Map<String, Value>, at: &str, found: &mut Vec<Mutant>) {
    let changes = changes(node, map).into_iter();
    found.extend(changes.map(|(key, value)| Mutant { at: at.to_owned(), key, value }));
    for (name, value) in map {
        let Some(Kind::Node(inner)) = node.key(name).map(|key| key.kind) else { continue };
        let is_list = value.is_array();
        let entries = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for (place, entry) in entries.iter().enumerate() {
            let place = if is_list { format!("/{place}") } else { String::new() };
            if let Some(map) = entry.as_object() {
                mutants(table().node(inner), map, &format!("{at}/{name}{place}"), found);
            }
        }
    }
}

/// What can be broken of an object: a key, and what stands there then.
fn changes(node: &Node, map: &Map<String, Value>) -> Vec<(String, Option<Value>)> {
    let mut found = vec![("nonsense".to_owned(), Some(json!("x")))];
    let absent = |it: &&Element| it.many && !it.choice && !map.contains_key(it.name);
    found.extend(
        node.elements.iter().filter(absent).map(|it| (it.name.to_owned(), Some(json!([])))),
    );
    for (name, value) in map {
        let Some(key) = node.key(name) else { continue };
        let element = &node.elements[key.element];
        if element.required && !map.contains_key(&key.sibling) {
            found.push((name.clone(), None));
        }
        let wrong = wrong_values(key).into_iter();
        let wrong = wrong.map(|it| if element.many { json!([it]) } else { it });
        let wrong = wrong.chain(wrong_kinds(element, value));
        found.extend(wrong.map(|it| (name.clone(), Some(it))));
        found.extend(other_choice(node, element, name).map(|other| (other, Some(json!("x")))));
    }
    found
}

fn wrong_kinds(element: &Element, value: &Value) -> Vec<Value> {
    let mut wrong = vec![Value::Null, json!([]), json!({}), json!([null]), json!({"x": 1})];
    wrong.push(if element.many { value[0].clone() } else { json!([value]) });
    let one = if element.many { value.get(0).unwrap_or(value) } else { value };
    let of_another_kind = if one.is_string() { json!(5) } else { json!("x") };
    wrong.push(if element.many { json!([of_another_kind]) } else { of_another_kind });
    wrong
}

fn wrong_values(key: &Key) -> Vec<Value> {
    let by_form = match key.kind {
        Kind::Primitive(Primitive::Date | Primitive::DateTime | Primitive::Instant) => {
            vec![json!("2026-02-30"), json!("23.11.2026"), json!("2026-11-23T10:00")]
        }
        Kind::Primitive(
            Primitive::Code | Primitive::Id | Primitive::Uri | Primitive::Canonical,
        ) => {
            vec![json!(" a  b ")]
        }
        Kind::Primitive(Primitive::PositiveInt) => vec![json!(0), json!(1.5)],
        Kind::Primitive(Primitive::String | Primitive::Markdown) => vec![json!("")],
        Kind::Primitive(_) | Kind::Node(_) | Kind::Resource => Vec::new(),
    };
    let by_code = match key.kind {
        Kind::Primitive(_) if key.codes.is_some() => vec![json!("no-such-code")],
        Kind::Node(_) if key.codes.is_some() => {
            vec![json!({"text": "x"}), json!({"coding": [{"code": "x"}]})]
        }
        Kind::Primitive(_) | Kind::Node(_) | Kind::Resource => Vec::new(),
    };
    // No element may point to this type.
    let by_target =
        if key.targets.is_empty() { None } else { Some(json!({"reference": "TestReport/x"})) };
    by_form.into_iter().chain(by_code).chain(by_target).collect()
}

/// The key of a choice with another type than the one that is there.
fn other_choice(node: &Node, element: &Element, name: &str) -> Option<String> {
    let all =
        ["String", "Boolean", "DateTime", "Period", "Quantity", "CodeableConcept", "Reference"];
    let other = |kind: &&str| format!("{}{kind}", element.name);
    let mut others = all.iter().map(other).filter(|it| it != name && node.key(it).is_some());
    if element.choice { others.next() } else { None }
}

fn broken(whole: &Value, mutant: Mutant) -> Resource {
    let mut whole = whole.clone();
    let map = whole.pointer_mut(&mutant.at).and_then(Value::as_object_mut).unwrap();
    match mutant.value {
        Some(value) => drop(map.insert(mutant.key, value)),
        None => drop(map.shift_remove(&mutant.key)),
    }
    Resource::from_value(whole).unwrap()
}

#[test]
fn every_mutant_is_refused() {
    let Some(package) = package() else { return };
    let faulty: Vec<String> = known().into_keys().map(|(file, _, _)| file).collect();
    let mut count = 0;
    for resource_type in TYPES {
        let start = format!("{resource_type}-");
        let own = |name: &&String| name.starts_with(&start) && !faulty.contains(name);
        let names = names(&package);
        let chosen: Vec<&String> = names.iter().filter(own).take(EXAMPLES_MAX).collect();
        assert!(!chosen.is_empty(), "there is an example of {resource_type}");
        for name in chosen {
            let resource = parse(&fs::read(package.join(name)).unwrap()).unwrap();
            let (_, node) = table().resource(resource_type).unwrap();
            let mut all = Vec::new();
            mutants(node, resource.map(), "", &mut all);
            let whole = Value::from(resource);
            for mutant in all {
                let what = format!("{name} {} {} {:?}", mutant.at, mutant.key, mutant.value);
                assert!(!validate(&broken(&whole, mutant)).is_empty(), "{what}");
                count += 1;
            }
        }
    }
    assert!(count > 10_000, "there are {count} mutants");
}
