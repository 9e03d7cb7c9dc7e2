//! What references point at, where they stand, and rewriting them.

use serde_json::json;

use super::*;
use crate::fixture::{ORIGIN, id, resource};

#[test]
fn a_reference_points_at_one_kind_of_target() {
    let local =
        |resource_type, id, version| Some(Target::Local(Local { resource_type, id, version }));
    let cases = [
        ("Patient/a-1", local("Patient", "a-1", None)),
        ("Patient/a-1/_history/3", local("Patient", "a-1", Some("3"))),
        ("https://clinic.local/fhir/Patient/a", local("Patient", "a", None)),
        ("https://clinic.local/fhir/Patient/a/_history/2", local("Patient", "a", Some("2"))),
        (
            "https://clinic.local/fhir2/Patient/a",
            Some(Target::Foreign("https://clinic.local/fhir2/Patient/a")),
        ),
        (
            "https://other.example/Patient/a",
            Some(Target::Foreign("https://other.example/Patient/a")),
        ),
        (
            "urn:uuid:0198aaaa-0000-7000-8000-000000000001",
            Some(Target::Urn("urn:uuid:0198aaaa-0000-7000-8000-000000000001")),
        ),
        ("#p1", Some(Target::Contained("p1"))),
        ("#", Some(Target::Contained(""))),
        (
            "Patient?identifier=urn:x|1",
            Some(Target::Conditional { resource_type: "Patient", query: "identifier=urn:x|1" }),
        ),
        ("", None),
        ("Patient", None),
        ("Patient/", None),
        ("Patient?", None),
        ("Human/a", None),
        ("Patient/a b", None),
        ("Patient/a/b", None),
        ("Patient/a/_history", None),
        ("/Patient/a", None),
    ];
    for (text, target) in cases {
        assert_eq!(parse(text, ORIGIN), target, "{text}");
    }
    assert_eq!(parse("https://x/Patient/a", ""), Some(Target::Foreign("https://x/Patient/a")));
}

#[test]
fn only_an_id_that_is_written_like_a_records_is_one() {
    let uuid_of = |text: &str| {
        let reference = json!({ "reference": format!("Patient/{text}") });
        record_of("Patient", reference.as_object().unwrap(), "")
    };
    let record = id(0xabc);
    assert_eq!(uuid_of(&record.to_string()), Some(record));
    assert_eq!(uuid_of(&record.to_string().to_uppercase()), None);
    assert_eq!(uuid_of(&record.simple().to_string()), None);
    assert_eq!(uuid_of("example"), None);
}

#[test]
fn every_reference_is_found_and_rewritten_wherever_it_stands() {
    let before = json!({
        "resourceType": "Immunization",
        "contained": [{ "resourceType": "Patient", "managingOrganization": { "reference": "urn:uuid:1" } }],
        "extension": [{ "url": "urn:x", "valueReference": { "reference": "urn:uuid:2" } }],
        "patient": { "reference": "urn:uuid:3", "_reference": { "id": "r" }, "display": "urn:uuid:3" },
        "performer": [
            { "actor": { "identifier": { "value": "4", "assigner": { "reference": "urn:uuid:4" } } } },
            { "actor": { "reference": "Practitioner/5" } },
        ],
        "education": [{ "reference": "urn:uuid:6" }],
    });
    let mut resource = resource(before.clone());
    let found: Vec<(String, String)> = references(&resource)
        .into_iter()
        .map(|found| (found.path, found.reference.to_owned()))
        .collect();
    let at = |path: &str, reference: &str| (path.to_owned(), reference.to_owned());
    let expected = [
        at("Immunization.contained[0].managingOrganization", "urn:uuid:1"),
        at("Immunization.extension[0].valueReference", "urn:uuid:2"),
        at("Immunization.patient", "urn:uuid:3"),
        at("Immunization.performer[0].actor.identifier.assigner", "urn:uuid:4"),
        at("Immunization.performer[1].actor", "Practitioner/5"),
    ];
    assert_eq!(found, expected);

    rewrite(&mut resource, |text| Some(format!("Patient/{}", text.strip_prefix("urn:uuid:")?)));
    let text = Value::from(resource.clone()).to_string();
    let changed =
        before.to_string().replace("\"reference\":\"urn:uuid:", "\"reference\":\"Patient/");
    let expected =
        changed.replace("[{\"reference\":\"Patient/6\"}]", "[{\"reference\":\"urn:uuid:6\"}]");
    assert_eq!(text, expected);

    drop_displays(&mut resource);
    let text = Value::from(resource).to_string();
    assert_eq!(text, expected.replace(",\"display\":\"urn:uuid:3\"", ""));
}

#[test]
fn what_stands_within_a_bundle_refers_to_the_bundle() {
    let entry = json!({
        "fullUrl": "urn:uuid:1",
        "resource": { "resourceType": "Condition", "subject": { "reference": "urn:uuid:2" } },
    });
    let signature = json!({ "who": { "reference": "Practitioner/3" } });
    let mut bundle = resource(json!({
        "resourceType": "Bundle", "type": "collection", "entry": [entry], "signature": signature,
    }));
    let before = bundle.clone();
    assert_eq!(
        references(&bundle).iter().map(|it| it.reference).collect::<Vec<_>>(),
        ["Practitioner/3"]
    );
    rewrite(&mut bundle, |text| text.starts_with("urn:").then(|| "Patient/2".to_owned()));
    assert_eq!(bundle, before);
    let mut parameters = resource(json!({
        "resourceType": "Parameters",
        "parameter": [{ "name": "a", "resource": Value::from(before.clone()) }],
    }));
    assert_eq!(references(&parameters).len(), 1);
    rewrite(&mut parameters, |_| Some("Patient/2".to_owned()));
    let inner = &parameters.get("parameter").unwrap()[0]["resource"];
    assert_eq!(inner["entry"], before.get("entry").unwrap().clone());
}
