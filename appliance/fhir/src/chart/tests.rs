//! What a chart is found by.

use jiff::tz::TimeZone;
use serde_json::json;

use super::*;

fn found(resource: serde_json::Value) -> Vec<(&'static str, String)> {
    let resource = Resource::from_value(resource).unwrap();
    let zone = TimeZone::get("Asia/Kolkata").unwrap();
    let shown = |entry: Entry| {
        let value = match entry.value {
            Value::Token { system, code } => {
                format!("{}|{}", system.unwrap_or_default(), code.unwrap_or_default())
            }
            Value::Reference { type_, id } => format!("{} {id}", type_.unwrap_or("?")),
            Value::Date { from, to } => format!("{from}..{to}"),
            Value::Text(text) => text,
        };
        (entry.parameter, value)
    };
    index(&resource, &zone).into_iter().map(shown).collect()
}

fn said(parameter: &'static str, values: &[&str]) -> Vec<(&'static str, String)> {
    values.iter().map(|value| (parameter, (*value).to_owned())).collect()
}

#[test]
fn an_observation_is_found_by_its_patient_its_time_and_its_codes() {
    let found = found(json!({
        "resourceType": "Observation",
        "identifier": [{"system": "urn:lab", "value": "7"}],
        "status": "final",
        "category": [{"coding": [{"system": "urn:category", "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}],
            "text": "Pulse"},
        "subject": {"reference": "Patient/one/_history/2"},
        "effectiveDateTime": "1970-01-02",
    }));
    let day = 24 * 3_600_000;
    let offset = 5 * 3_600_000 + 30 * 60_000;
    let expected = [
        said("identifier", &["urn:lab|7"]),
        said("patient", &["Patient one"]),
        said("subject", &["Patient one"]),
        said("date", &[&format!("{}..{}", day - offset, 2 * day - offset)]),
        said("code", &["http://loinc.org|8867-4", "Heart rate", "Pulse"]),
        said("status", &["|final"]),
        said("category", &["urn:category|vital-signs"]),
    ];
    assert_eq!(found, expected.concat());
}

#[test]
fn a_subject_that_is_no_patient_is_not_found_as_one() {
    let found = found(json!({
        "resourceType": "Observation",
        "subject": {"reference": "Group/herd"},
    }));
    assert_eq!(found, said("subject", &["Group herd"]));
}

#[test]
fn references_elsewhere_are_found_whole() {
    let entries = |reference: serde_json::Value| {
        found(json!({"resourceType": "AllergyIntolerance", "patient": reference}))
    };
    let absolute = "https://example.org/fhir/Patient/one";
    assert_eq!(
        entries(json!({"reference": absolute})),
        said("patient", &[&format!("Patient {absolute}")])
    );
    let urn = "urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057";
    assert_eq!(entries(json!({"reference": urn})), said("patient", &[&format!("? {urn}")]));
    assert!(entries(json!({"reference": "#contained"})).is_empty());
    assert!(entries(json!({"identifier": {"value": "7"}})).is_empty());
}

#[test]
fn a_period_without_an_end_goes_on() {
    let found = found(json!({
        "resourceType": "CarePlan",
        "period": {"start": "1970-01-01T00:00:00.0005Z"},
    }));
    assert_eq!(found, said("date", &[&format!("0..{}", i64::MAX)]));
}

#[test]
fn a_timing_is_as_long_as_all_its_events() {
    let found = found(json!({
        "resourceType": "Observation",
        "effectiveTiming": {"event": ["1970-01-01T00:00:02Z", "1970-01-01T00:00:01Z"]},
    }));
    assert_eq!(found, said("date", &["1000..3000"]));
}

#[test]
fn every_line_of_the_table_is_read() {
    let text = include_str!("parameters.txt");
    let words: usize = text
        .lines()
        .filter_map(|line| line.strip_prefix(' '))
        .map(|line| line.split(' ').count() - 1)
        .sum();
    assert_eq!(PLACES.values().map(Vec::len).sum::<usize>(), words);
    assert!(PLACES.keys().all(|name| crate::structure::is_type(name)));
}
