//! Whatever comes in: no panic, and no more issues than are allowed.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::*;
use crate::json::parse;

/// Keys that mean something, so that the walk gets deep.
const KEYS: [&str; 24] = [
    "resourceType",
    "id",
    "meta",
    "text",
    "div",
    "status",
    "contained",
    "extension",
    "url",
    "valueString",
    "_valueString",
    "valueQuantity",
    "name",
    "given",
    "_given",
    "entry",
    "resource",
    "reference",
    "subject",
    "period",
    "start",
    "end",
    "coding",
    "identifier",
];
const TEXTS: [&str; 12] = [
    "Patient",
    "Bundle",
    "Parameters",
    "#a",
    "a",
    "2026-11-23",
    "2026-11-23T10:00:00Z",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\">",
    "<",
    "&",
    "Patient/a",
    "\u{0}é",
];

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(&TEXTS[..]).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    let key = prop_oneof![9 => proptest::sample::select(&KEYS[..]).prop_map(str::to_owned), 1 => ".{0,6}"];
    leaf().prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn looked_at(bytes: &[u8]) {
    if let Ok(resource) = parse(bytes) {
        assert!(validate(&resource).len() <= ISSUES_MAX);
        let again = parse(&resource.to_vec()).expect("what was read is read again");
        assert_eq!(again.to_vec(), resource.to_vec());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        looked_at(&bytes);
    }

    #[test]
    fn any_text_in_place_of_a_narrative_is_looked_at(text in "(<[a-z/!-]{0,4}|[ \"'=>&;#]|.){0,40}") {
        let text = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{text}");
        looked_at(json!({"resourceType": "Patient", "text": {"div": text}}).to_string().as_bytes());
    }

    #[test]
    fn any_tree_is_looked_at(
        elements in prop::collection::vec((proptest::sample::select(&KEYS[..]), tree()), 0..8),
        name in proptest::sample::select(vec!["Patient", "Bundle", "Observation", "Parameters"]),
    ) {
        let mut map: Map<String, Value> =
            elements.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        map.insert("resourceType".to_owned(), name.into());
        looked_at(Value::Object(map).to_string().as_bytes());
    }

    #[test]
    fn any_tree_in_any_element_is_looked_at(at in any::<prop::sample::Index>(), value in tree()) {
        let all: Vec<(&str, Element)> =
            each_type().flat_map(|name| elements(name).into_iter().map(move |it| (name, it))).collect();
        let (name, element) = all[at.index(all.len())];
        let value = if element.many { json!([value]) } else { value };
        looked_at(json!({"resourceType": name, element.name: value}).to_string().as_bytes());
    }
}
