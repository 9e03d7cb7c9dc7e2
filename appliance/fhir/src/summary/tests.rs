//! Parts of resources.

use serde_json::{Value as Json, json};

use super::*;
use crate::fixture::{examples, resource, valid};

fn observation() -> Resource {
    valid(resource(json!({
        "resourceType": "Observation",
        "id": "one",
        "meta": {"versionId": "2", "tag": [{"code": "own"}]},
        "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">-</div>"},
        "contained": [
            {"resourceType": "Device", "id": "meter", "owner": {"reference": "#maker"}},
            {"resourceType": "Organization", "id": "maker", "name": "Maker"},
            {"resourceType": "Patient", "id": "who", "active": true},
        ],
        "modifierExtension": [{"url": "urn:not", "valueBoolean": true}],
        "status": "final",
        "code": {"text": "Pulse"},
        "subject": {"reference": "#who"},
        "effectiveDateTime": "2026-11-23",
        "_effectiveDateTime": {"id": "when"},
        "valueQuantity": {"value": 71},
        "note": [{"text": "at rest"}],
        "device": {"reference": "#meter"},
        "component": [{
            "code": {"text": "Rhythm"},
            "valueString": "regular",
            "interpretation": [{"text": "normal"}],
        }],
    })))
}

/// The keys that are left, and whether the tag says so.
fn keys(part: &Resource) -> (Vec<&str>, bool) {
    let tags = part.get("meta").and_then(|meta| meta["tag"].as_array()).unwrap();
    let is_tagged = tags.iter().any(|tag| tag["code"] == "SUBSETTED");
    let keys = part.map().keys().map(String::as_str);
    (keys.filter(|key| *key != "resourceType").collect(), is_tagged)
}

#[test]
fn a_summary_is_what_r4_marks_as_one() {
    let part = valid(summarised(observation(), Summary::True));
    let (keys, is_tagged) = keys(&part);
    let expected = [
        "id",
        "meta",
        "modifierExtension",
        "status",
        "code",
        "subject",
        "effectiveDateTime",
        "_effectiveDateTime",
        "valueQuantity",
        "component",
        "contained",
    ];
    assert_eq!(keys, expected);
    assert!(is_tagged);
    assert_eq!(part.get("component").unwrap()[0].get("interpretation"), None);
    assert_eq!(part.get("component").unwrap()[0]["valueString"], "regular");
    assert_eq!(part.get("meta").unwrap()["tag"][0]["code"], "own");
}

#[test]
fn named_elements_come_with_what_must_be_there() {
    let part = valid(with_elements(observation(), &["value", "device"]));
    let expected = [
        "id",
        "meta",
        "modifierExtension",
        "status",
        "code",
        "valueQuantity",
        "device",
        "contained",
    ];
    assert_eq!(keys(&part), (expected.to_vec(), true));
    let contained: Vec<&Json> = part.get("contained").unwrap().as_array().unwrap().iter().collect();
    assert_eq!((contained.len(), &contained[1]["id"]), (2, &json!("maker")));
    assert_eq!(with_elements(observation(), &[]), observation());
}

#[test]
fn text_is_the_narrative_and_data_all_but_it() {
    let text = valid(summarised(observation(), Summary::Text));
    let expected = ["id", "meta", "text", "modifierExtension", "status", "code"];
    assert_eq!(keys(&text), (expected.to_vec(), true));
    let data = valid(summarised(observation(), Summary::Data));
    assert_eq!((data.get("text"), data.map().len()), (None, observation().map().len() - 1));
    assert_eq!(summarised(data.clone(), Summary::False), data);
    let again = summarised(data.clone(), Summary::Data);
    assert_eq!(again.get("meta"), data.get("meta"), "it is tagged once");
}

#[test]
fn a_summary_of_a_valid_resource_is_valid() {
    for type_ in ["Appointment", "Patient", "Encounter", "Questionnaire", "ValueSet", "CarePlan"] {
        for (_, example) in examples(type_) {
            if structure::validate(&example).is_empty() {
                valid(summarised(example, Summary::True));
            }
        }
    }
}
