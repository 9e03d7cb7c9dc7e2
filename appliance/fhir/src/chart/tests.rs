//! What a chart is found by.

use prm::name::sound;
use serde_json::json;

use super::*;
use crate::fixture::{clinic, here, resource};

fn found(given: serde_json::Value) -> Vec<(&'static str, String)> {
    let clinic = clinic();
    let shown = |entry: Entry| {
        let value = match entry.value {
            Value::Token { system, code } => {
                format!("{}|{}", system.unwrap_or_default(), code.unwrap_or_default())
            }
            Value::Reference { type_, id } => format!("{} {id}", type_.unwrap_or("?")),
            Value::Date { from, to } => format!("{from}..{to}"),
            Value::Contact { system, place } => format!("{}|{place}", system.unwrap_or_default()),
            Value::Text(text) | Value::Uri(text) => text,
        };
        (entry.parameter, value)
    };
    index(&resource(given), here(&clinic)).into_iter().map(shown).collect()
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
        said("category", &["urn:category|vital-signs"]),
        said("code", &["http://loinc.org|8867-4"]),
        said("date", &[&format!("{}..{}", day - offset, 2 * day - offset)]),
        said("identifier", &["urn:lab|7"]),
        said("patient", &["Patient one"]),
        said("status", &["|final"]),
        said("subject", &["Patient one"]),
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
        said("patient", &[&format!("? {absolute}")])
    );
    let own = format!("{}/Patient/one", crate::fixture::ORIGIN);
    assert_eq!(entries(json!({"reference": own})), said("patient", &["Patient one"]));
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
fn a_task_is_found_by_who_owns_it_and_somebody_by_the_words_of_the_name() {
    let task = found(json!({
        "resourceType": "Task",
        "owner": {"reference": "Practitioner/one"},
        "authoredOn": "1970-01-01T00:00:01Z",
    }));
    assert_eq!(
        task,
        [said("authored-on", &["1000..2000"]), said("owner", &["Practitioner one"])].concat()
    );
    let related = found(json!({
        "resourceType": "RelatedPerson",
        "active": true,
        "name": [{"text": "Ms Rani  SHARMA"}],
        "telecom": [{"system": "phone", "value": "098441 11173"}, {"system": "email", "value": "R@x.in"}],
    }));
    let expected = [
        said("active", &["|true"]),
        said("email", &["email|r@x.in"]),
        said("name", &["ms", "rani", "sharma"]),
        said("phone", &["phone|9844111173"]),
        said("phonetic", &[&sound("ms"), &sound("rani"), &sound("sharma")]),
        said("telecom", &["phone|9844111173", "email|r@x.in"]),
    ];
    assert_eq!(related, expected.concat());
}

#[test]
fn a_thousand_codes_leave_room_for_the_rest() {
    let concepts: Vec<_> = (0..1000).map(|code| json!({"code": code.to_string()})).collect();
    let found = found(json!({
        "resourceType": "CodeSystem",
        "status": "active",
        "concept": concepts,
        "identifier": [{"system": "urn:x", "value": "7"}],
    }));
    assert_eq!(found.len(), ENTRIES_MAX);
    assert!(found.contains(&("status", "|active".to_owned())));
    assert!(found.contains(&("identifier", "urn:x|7".to_owned())));
}
