//! What fits a search and what does not.

use serde_json::{Value as Json, json};

use super::*;
use crate::chart;
use crate::fixture::{ORIGIN, clinic, examples, here, resource};
use crate::search::{self, pairs};

/// Whether the resource fits the search, which must be understood whole.
#[track_caller]
fn is_found(it: &Json, query: &str) -> bool {
    is_found_among(it, query, &[])
}

#[track_caller]
fn is_found_among(it: &Json, query: &str, others: &[Resource]) -> bool {
    let it = resource(it.clone());
    let clinic = clinic();
    let pairs = pairs(query).unwrap();
    let query = search::parse(it.resource_type(), &pairs, true, here(&clinic)).unwrap();
    fits(&it, &query, here(&clinic), others)
}

/// Those of the searches that find the resource.
#[track_caller]
fn found_by<'a>(it: &Json, queries: &[&'a str]) -> Vec<&'a str> {
    queries.iter().copied().filter(|query| is_found(it, query)).collect()
}

fn patient() -> Json {
    json!({
        "resourceType": "Patient",
        "id": "one",
        "meta": {"lastUpdated": "2026-11-23T10:00:00.250+05:30"},
        "identifier": [
            {"system": "urn:abha", "value": "7", "type": {"text": "Health account"}},
            {"value": "R-9"},
        ],
        "active": true,
        "name": [{"text": "Smt. Áshá Rao", "family": "Rao"}, {"text": "आशा राव"}],
        "telecom": [
            {"system": "phone", "value": "+919844111173"},
            {"system": "email", "value": "Asha@Example.org"},
        ],
        "birthDate": "1984-05",
        "address": [{"line": ["12 Church Street"], "city": "Bengaluru"}],
    })
}

#[test]
fn a_patient_is_found_by_number_name_telephone_and_date_of_birth() {
    let found = [
        "identifier=7",
        "identifier=urn:abha|7",
        "identifier=urn:abha|",
        "identifier=|R-9",
        "identifier=8,7",
        "identifier:text=health",
        "_id=one",
        "active=true",
        "name=asha",
        "name=rao+asha",
        "name=ash",
        "name:exact=Rao",
        "name:contains=sh%C3%A1+r",
        "family=RAO",
        "phonetic=aasha",
        "phone=9844111173",
        "phone=%2B91+98441+11173",
        "phone=09844111173",
        "phone=4111173",
        "telecom=9844111173",
        "email=asha@example.org",
        "address=church+bengal",
        "address-city=bengaluru",
        "birthdate=1984",
        "birthdate=1984-05",
        "birthdate=lt1990-01-01",
        "gender:missing=true",
        "gender:not=male",
        "_lastUpdated=2026-11-23",
        "_lastUpdated=gt2026-11-23T10:00:00%2B05:30&active=true",
    ];
    // An instant lies in its second and so is not after it.
    assert_eq!(found_by(&patient(), &found), found[..found.len() - 1]);
    let not_found = [
        "identifier=|7",
        "identifier=urn:other|7",
        "identifier=urn:abha|R-9",
        "_id=on",
        "active=false",
        "name=asha+kumar",
        "name:exact=rao",
        "family=asha",
        "phonetic=suresh",
        "phone=9844111174",
        "phone=111173",
        "phone=asha@example.org",
        "email=9844111173",
        "birthdate=1984-05-02",
        "birthdate=gt1984",
        "gender:missing=false",
        "active:not=true",
        "identifier=7&active=false",
    ];
    assert!(found_by(&patient(), &not_found).is_empty());
}

#[test]
fn a_range_of_time_is_compared_with_a_range_of_time() {
    let on = |period: Json| json!({"resourceType": "Encounter", "period": period});
    let two_days = on(json!({"start": "2026-11-22", "end": "2026-11-23"}));
    let fit = [
        "date=2026-11",
        "date=ne2026-11-23",
        "date=gt2026-11-22",
        "date=lt2026-11-23",
        "date=ge2026-11-22",
        "date=le2026-11-23",
        "date=ge2026-11",
        "date=sa2026-11-21",
        "date=eb2026-11-24",
        "date=ap2026-11-24",
    ];
    assert_eq!(found_by(&two_days, &fit), fit);
    let misfit = [
        "date=2026-11-23",
        "date=ne2026",
        "date=gt2026-11-23",
        "date=lt2026-11-22",
        "date=ge2026-11-24",
        "date=le2026-11-21",
        "date=sa2026-11-22",
        "date=eb2026-11-23",
        "date=ap2026-11-26",
    ];
    assert!(found_by(&two_days, &misfit).is_empty());
    let open = on(json!({"start": "2026-11-22"}));
    assert_eq!(found_by(&open, &["date=gt2099", "date=2026-11"]), ["date=gt2099"]);
    assert!(is_found(&on(json!({})), "date:missing=true"));
}

#[test]
fn a_day_is_a_day_of_the_clinic() {
    let late = json!({"resourceType": "Appointment", "start": "2026-11-22T19:00:00Z"});
    assert!(is_found(&late, "date=2026-11-23"));
    assert!(!is_found(&late, "date=2026-11-22"));
}

#[test]
fn a_reference_is_found_however_it_is_written() {
    let of = |reference: &str| {
        json!({
            "resourceType": "Appointment",
            "participant": [
                {"actor": {"reference": "Location/two"}, "status": "accepted"},
                {"actor": {"reference": reference}, "status": "tentative"},
            ],
        })
    };
    for written in ["Patient/one", "Patient/one/_history/2", &format!("{ORIGIN}/Patient/one")] {
        let fit = ["patient=one", "actor=Patient/one", "actor:Patient=one", "location=two"];
        assert_eq!(found_by(&of(written), &fit), fit, "{written}");
        let misfit = ["patient=two", "practitioner=one", "actor:Location=one"];
        assert!(found_by(&of(written), &misfit).is_empty(), "{written}");
    }
    let elsewhere = of("https://example.org/fhir/Patient/one");
    assert!(is_found(&elsewhere, "patient=https://example.org/fhir/Patient/one"));
    assert!(!is_found(&elsewhere, "patient=one"));
    assert!(is_found(&elsewhere, "practitioner:missing=true"));
    assert!(!is_found(&elsewhere, "patient:missing=true"));
    assert!(is_found(&of("#inside"), "patient:missing=true"));
    let logical = json!({
        "resourceType": "Observation",
        "subject": {"identifier": {"system": "urn:abha", "value": "7"}},
    });
    assert!(is_found(&logical, "subject:identifier=urn:abha|7"));
    assert!(!is_found(&logical, "subject:identifier=urn:abha|8"));
}

#[test]
fn a_code_is_found_by_system_and_by_words() {
    let pulse = json!({
        "resourceType": "Observation",
        "code": {
            "coding": [
                {"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"},
                {"system": "urn:lab", "code": "P"},
            ],
            "text": "Pulse",
        },
    });
    let fit = ["code=8867-4", "code=urn:lab|P", "code:text=heart", "code:text=PULSE"];
    assert_eq!(found_by(&pulse, &fit), fit);
    let misfit = ["code=urn:lab|8867-4", "code=|P", "code=p", "code:text=rate", "code:not=P"];
    assert!(found_by(&pulse, &misfit).is_empty());
}

#[test]
fn numbers_are_compared_by_the_digits_that_are_written() {
    let risk = |probability: &str| {
        let text = format!(
            r#"{{"resourceType": "RiskAssessment",
                "prediction": [{{"probabilityDecimal": {probability}}}]}}"#
        );
        serde_json::from_str::<Json>(&text).unwrap()
    };
    let fit = [
        "probability=0.8",
        "probability=0.80",
        "probability=0.804",
        "probability=8.04e-1",
        "probability=ne0.81",
        "probability=gt0.8",
        "probability=lt0.805",
        "probability=ge0.804",
        "probability=le0.8040",
        "probability=ap0.75",
    ];
    assert_eq!(found_by(&risk("0.804"), &fit), fit);
    let misfit =
        ["probability=0.81", "probability=gt0.804", "probability=ap0.7", "probability=1e1"];
    assert!(found_by(&risk("0.804"), &misfit).is_empty());
    assert!(is_found(&risk("0.75"), "probability=0.8"), "the range begins at its lower end");
    assert!(!is_found(&risk("0.85"), "probability=0.8"), "and ends before its upper one");
}

#[test]
fn chains_look_at_what_is_pointed_to_and_at_what_points_here() {
    let pulse = json!({
        "resourceType": "Observation",
        "id": "two",
        "code": {"coding": [{"code": "8867-4"}]},
        "subject": {"reference": "Patient/one"},
    });
    let others = [resource(patient())];
    assert!(is_found_among(&pulse, "patient.name=asha", &others));
    assert!(is_found_among(&pulse, "subject:Patient.identifier=urn:abha|7", &others));
    assert!(!is_found_among(&pulse, "patient.name=suresh", &others));
    assert!(!is_found_among(&pulse, "patient.name=asha", &[]));
    let others = [resource(pulse)];
    assert!(is_found_among(&patient(), "_has:Observation:patient:code=8867-4", &others));
    assert!(!is_found_among(&patient(), "_has:Observation:patient:code=1", &others));
    assert!(!is_found_among(&patient(), "_has:Condition:patient:code=8867-4", &others));
}

/// Everything under which a resource is filed is a search that finds it.
#[test]
fn what_is_in_the_index_of_a_resource_is_found_here() {
    let clinic = clinic();
    let mut count = 0;
    for type_ in ["Observation", "Condition", "Patient", "CarePlan", "Task", "Questionnaire"] {
        for (name, it) in examples(type_) {
            // A sound need not sound like itself.
            let heard = |entry: &chart::Entry| entry.parameter != search::PHONETIC;
            for entry in chart::index(&it, here(&clinic)).into_iter().filter(heard) {
                let parameter = search::parameter(type_, entry.parameter).unwrap();
                let any = vec![asked_for(entry.value)];
                let condition = Condition { parameter, modifier: None, any };
                assert!(matches(&it, &condition, here(&clinic)), "{name}: {condition:?}");
                count += 1;
            }
        }
    }
    assert!(count == 0 || count > 500, "the examples of HL7 are many: {count}");
}

/// The search for just this value.
fn asked_for(value: chart::Value) -> Value {
    match value {
        chart::Value::Token { system, code } => Value::Token { system: Some(system), code },
        chart::Value::Contact { system, place } => {
            Value::Token { system: Some(system), code: Some(place) }
        }
        chart::Value::Reference { type_, id } => {
            if reference::is_id(&id) {
                Value::Reference { type_, id }
            } else {
                Value::Url(id)
            }
        }
        chart::Value::Date { from, to } => {
            Value::Date { prefix: search::Prefix::Eq, from_ms: from, to_ms: to }
        }
        chart::Value::Text(text) => Value::Text { how: search::How::Starts, text },
        chart::Value::Uri(uri) => Value::Uri(uri),
    }
}

#[test]
fn who_does_not_say_it_is_in_use() {
    assert!(is_found(&json!({"resourceType": "Patient"}), "active=true"));
    assert!(!is_found(&json!({"resourceType": "Patient"}), "active=false"));
    assert!(is_found(&json!({"resourceType": "Organization"}), "active:not=false"));
    assert!(is_found(&json!({"resourceType": "Patient"}), "active:missing=true"));
    assert!(!is_found(&json!({"resourceType": "Patient", "active": false}), "active=true"));
}

#[test]
fn resources_are_sorted_by_what_they_say_first_and_times_before_texts() {
    let clinic = clinic();
    let key = |name: &str| {
        let parameter = search::parameter("Patient", name).unwrap();
        sort_key(&resource(patient()), parameter, here(&clinic))
    };
    assert_eq!(key("name"), Some(SortKey::Text("smt asha rao rao".into())));
    assert_eq!(key("_id"), Some(SortKey::Text("one".into())));
    assert_eq!(key("gender"), None);
    let Some(SortKey::Time(born)) = key("birthdate") else { panic!("a birth date is a time") };
    assert!(
        SortKey::Time(born) < SortKey::Time(born + 1)
            && SortKey::Time(born) < SortKey::Text(String::new())
    );
}
