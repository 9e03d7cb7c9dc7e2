//! Edits on two sides, in any order.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// What the tests edit, and what each may say; 0 is nothing.
const FIELDS: [&str; 5] = ["gender", "birthDate", "name", "telecom:phone", "telecom:email"];

fn value(field: usize, which: u8) -> Value {
    match (FIELDS[field], which) {
        (_, 0) => Value::Null,
        ("gender", it) => json!(["male", "female", "other"][usize::from(it) % 3]),
        ("birthDate", it) => json!(format!("198{it}-05-02")),
        ("name", it) => json!([{ "text": format!("Name {it}") }]),
        ("telecom:phone", it) => {
            json!([{ "system": "phone", "value": format!("+91984411117{it}") }])
        }
        (_, it) => json!([{ "system": "email", "value": format!("a{it}@example.org") }]),
    }
}

fn patient() -> Resource {
    let mut patient = Resource::of("Patient").unwrap();
    patient.set("id", "1");
    let telecom = json!([{ "system": "url", "value": "https://example.org" }]);
    patient.set("telecom", telecom);
    patient
}

fn said(resource: &Resource, field: usize) -> Value {
    parts(resource).get(FIELDS[field]).cloned().unwrap_or(Value::Null)
}

#[derive(Clone, Debug)]
enum Step {
    Here(usize, u8),
    There(usize, u8),
    /// The oldest edit of there arrives here.
    Arrive,
    /// What is here is told there.
    Tell,
}

fn step() -> impl Strategy<Value = Step> {
    let field = 0..FIELDS.len();
    prop_oneof![
        3 => (field.clone(), 0..4_u8).prop_map(|(field, which)| Step::Here(field, which)),
        3 => (field, 0..4_u8).prop_map(|(field, which)| Step::There(field, which)),
        2 => Just(Step::Arrive),
        1 => Just(Step::Tell),
    ]
}

/// An edit of there: what it began with, and what came of it.
type Edit = (Resource, Resource);

/// What the other side sees: what it was told, with its own edits that were not answered.
fn view(told: &Resource, edits: &[Edit]) -> Resource {
    edits.iter().fold(told.clone(), |seen, (base, there)| merge(base, &seen, there).resource)
}

proptest! {
    #[test]
    fn any_two_sequences_of_edits_end_equal_and_lose_nothing_silently(
        steps in prop::collection::vec(step(), 0..40),
    ) {
        let (mut here, mut told, mut edits) = (patient(), patient(), Vec::<Edit>::new());
        let mut disputed = Vec::new();
        let arrive = |here: &mut Resource, edits: &mut Vec<Edit>, disputed: &mut Vec<Disputed>| {
            let (base, there) = edits.remove(0);
            let merged = merge(&base, here, &there);
            for (field, name) in FIELDS.iter().enumerate() {
                let (was, wanted) = (said(&base, field), said(&there, field));
                let (before, now) = (said(here, field), said(&merged.resource, field));
                let is_disputed = merged.disputed.iter().any(|it| {
                    it.field == *name && it.here == before && it.there == wanted && it.base == was
                });
                if was == wanted {
                    assert_eq!(now, before, "what was not edited there stays");
                } else if before == was {
                    assert_eq!(now, wanted, "what was edited there alone is taken");
                } else {
                    assert_eq!(now, before, "what was said here stands");
                    assert!(before == wanted || is_disputed, "and the other is told");
                }
            }
            *here = merged.resource;
            disputed.extend(merged.disputed);
        };
        for step in steps {
            match step {
                Step::Here(field, which) => here = with(&here, FIELDS[field], &value(field, which)),
                Step::There(field, which) => {
                    let base = view(&told, &edits);
                    let there = with(&base, FIELDS[field], &value(field, which));
                    edits.push((base, there));
                }
                Step::Arrive if edits.is_empty() => {}
                Step::Arrive => {
                    arrive(&mut here, &mut edits, &mut disputed);
                    told = here.clone();
                }
                Step::Tell => told = here.clone(),
            }
        }
        while !edits.is_empty() {
            arrive(&mut here, &mut edits, &mut disputed);
        }
        told = here.clone();
        prop_assert_eq!(view(&told, &edits), here);
        // Whoever takes the other value gets it, and nothing else with it.
        for it in disputed {
            let taken = with(&told, &it.field, &it.there);
            prop_assert_eq!(parts(&taken).get(&it.field).cloned().unwrap_or(Value::Null), it.there);
            let others = |of: &Resource| {
                let mut parts = parts(of);
                parts.remove(&it.field);
                parts
            };
            prop_assert_eq!(others(&taken), others(&told));
        }
    }
}

#[test]
fn a_new_address_there_does_not_collide_with_a_new_number_here() {
    let base = with(&patient(), "telecom:phone", &value(3, 1));
    let here = with(&base, "telecom:phone", &value(3, 2));
    let there = with(&base, "telecom:email", &value(4, 1));
    let merged = merge(&base, &here, &there);
    assert!(merged.disputed.is_empty());
    assert_eq!((said(&merged.resource, 3), said(&merged.resource, 4)), (value(3, 2), value(4, 1)));
    assert_eq!(merged.resource.get("telecom").unwrap().as_array().unwrap().len(), 3);
}

#[test]
fn which_resource_it_is_cannot_be_edited() {
    let mut there = patient();
    there.set("id", "2");
    there.set("meta", json!({ "versionId": "7" }));
    assert_eq!(merge(&patient(), &patient(), &there).resource, patient());
    assert_eq!(with(&patient(), "id", &json!("2")), patient());
}
