//! What the table says about resources.

mod any;
mod examples;
mod made;
mod mutants;

use serde_json::{Value, json};

use super::*;
use crate::outcome::IssueCode;

fn issues(resource: Value) -> Vec<Issue> {
    validate(&Resource::from_value(resource).unwrap())
}

#[track_caller]
fn valid(resource: Value) {
    assert_eq!(issues(resource), Vec::new());
}

/// The one issue is at this place and of this code.
#[track_caller]
fn refused(resource: Value, expression: &str, code: IssueCode) {
    let found = issues(resource);
    let [issue] = found.as_slice() else { panic!("one issue is wanted: {found:?}") };
    assert_eq!((issue.expression.as_deref(), issue.code), (Some(expression), code), "{issue}");
}

fn patient(element: &str, value: Value) -> Value {
    json!({"resourceType": "Patient", element: value})
}

#[test]
fn the_whole_table_is_read() {
    assert_eq!(each_type().count(), 146);
    assert!(is_type("Patient") && !is_type("DomainResource") && !is_type("HumanName"));
    for name in each_type() {
        assert!(elements(name).len() <= table::ELEMENTS_MAX);
    }
    let gender = elements("Patient").into_iter().find(|it| it.name == "gender").unwrap();
    assert_eq!(gender, Element { name: "gender", required: false, many: false, choice: false });
}

#[test]
fn a_person_with_everything_in_its_place_is_valid() {
    valid(json!({
        "resourceType": "Patient",
        "id": "one",
        "meta": {"versionId": "1", "lastUpdated": "2026-11-23T10:00:00.000+05:30"},
        "text": {"status": "generated",
            "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p class='a'>Asha&#160;&amp; <br/></p></div>"},
        "contained": [{"resourceType": "Organization", "id": "o", "name": "A"}],
        "extension": [{"url": "http://example.org/a", "valueDecimal": 1.50}],
        "name": [{"given": ["Asha", null], "_given": [null, {"extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}]}],
        "gender": "female",
        "birthDate": "1984-05",
        "_birthDate": {"id": "b"},
        "deceasedBoolean": false,
        "managingOrganization": {"reference": "#o"},
        "generalPractitioner": [{"reference": "https://example.org/fhir/Practitioner/one"}],
    }));
}

#[test]
fn what_r4_does_not_have_is_refused_by_its_place() {
    refused(patient("nonsense", json!(1)), "Patient.nonsense", IssueCode::Structure);
    refused(patient("Asha Rao", json!(1)), "Patient", IssueCode::Structure);
    refused(patient("_name", json!({"id": "a"})), "Patient._name", IssueCode::Structure);
    let contact = json!([{"name": {"family": 5}}]);
    refused(patient("contact", contact), "Patient.contact[0].name.family", IssueCode::Structure);
}

#[test]
fn how_many_and_of_which_kind_is_looked_at() {
    refused(patient("name", json!({"family": "A"})), "Patient.name", IssueCode::Structure);
    refused(patient("gender", json!(["male"])), "Patient.gender", IssueCode::Structure);
    refused(patient("name", json!([])), "Patient.name", IssueCode::Structure);
    refused(patient("name", json!([{}])), "Patient.name[0]", IssueCode::Structure);
    refused(patient("name", json!([{"id": "a"}])), "Patient.name[0]", IssueCode::Structure);
    refused(patient("name", json!([null])), "Patient.name[0]", IssueCode::Structure);
    refused(patient("active", json!("true")), "Patient.active", IssueCode::Structure);
    refused(patient("active", Value::Null), "Patient.active", IssueCode::Structure);
    refused(patient("birthDate", json!("")), "Patient.birthDate", IssueCode::Value);
    refused(patient("id", json!("a b")), "Patient.id", IssueCode::Value);
    let link = json!([{"type": "refer"}]);
    refused(patient("link", link), "Patient.link[0].other", IssueCode::Required);
}

#[test]
fn what_stands_beside_a_value_is_looked_at() {
    let name =
        |given: Value, beside: Value| patient("name", json!([{"given": given, "_given": beside}]));
    let path = "Patient.name[0].given";
    refused(name(json!(["A", "B"]), json!([null])), path, IssueCode::Structure);
    refused(name(json!([null]), json!([null])), &format!("{path}[0]"), IssueCode::Structure);
    refused(
        name(json!(["A"]), json!([{"id": "a", "x": 1}])),
        &format!("{path}[0].x"),
        IssueCode::Structure,
    );
    refused(patient("_gender", json!({})), "Patient.gender", IssueCode::Structure);
    refused(patient("_gender", json!("x")), "Patient.gender", IssueCode::Structure);
    valid(patient("_gender", json!({"extension": [{"url": "u", "valueCode": "unknown"}]})));
}

#[test]
fn a_choice_has_one_type() {
    let mut both = patient("deceasedBoolean", json!(true));
    both["deceasedDateTime"] = json!("2026");
    refused(both, "Patient.deceased", IssueCode::Structure);
    refused(patient("deceasedString", json!("x")), "Patient.deceasedString", IssueCode::Structure);
    refused(patient("deceased", json!(true)), "Patient.deceased", IssueCode::Structure);
}

#[test]
fn codes_are_from_the_value_set_that_is_required() {
    refused(patient("gender", json!("f")), "Patient.gender", IssueCode::CodeInvalid);
    let allergy = |status: Value| {
        json!({"resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/one"},
            "clinicalStatus": status})
    };
    let system = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical";
    let coded = |system: &str, code: &str| json!({"coding": [{"system": system, "code": code}]});
    valid(allergy(coded(system, "active")));
    let path = "AllergyIntolerance.clinicalStatus";
    for wrong in [coded(system, "activ"), coded("urn:a", "active"), json!({"text": "active"})] {
        refused(allergy(wrong), path, IssueCode::CodeInvalid);
    }
    let photo = |kind: &str| patient("photo", json!([{"contentType": kind}]));
    valid(photo("image/png; a=b"));
    refused(photo("png"), "Patient.photo[0].contentType", IssueCode::CodeInvalid);
}

#[test]
fn references_point_to_what_they_may() {
    let general = |reference: Value| patient("generalPractitioner", json!([reference]));
    let path = "Patient.generalPractitioner[0]";
    for wrong in ["Patient/one", "http://a.b/Patient/one/_history/1", "Patient?identifier=1"] {
        refused(general(json!({"reference": wrong})), path, IssueCode::Structure);
    }
    refused(general(json!({"type": "Patient", "display": "x"})), path, IssueCode::Structure);
    for right in
        ["Practitioner/one", "urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057", "http://a.b/x"]
    {
        valid(general(json!({"reference": right})));
    }
    refused(general(json!({"reference": "#a"})), path, IssueCode::Invariant);
}

#[test]
fn a_resource_within_another_is_looked_at_by_its_own_type() {
    let bundle = |resource: Value| json!({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource}]});
    valid(bundle(json!({"resourceType": "Patient"})));
    let place = "Bundle.entry[0].resource";
    refused(bundle(patient("x", json!(1))), &format!("{place}.x"), IssueCode::Structure);
    refused(bundle(json!({"id": "a"})), place, IssueCode::Structure);
    refused(bundle(json!({"resourceType": "DomainResource"})), place, IssueCode::Structure);
    let inner = json!({"resourceType": "Organization", "id": "o", "partOf": {"reference": "#o"}});
    refused(patient("contained", json!([inner])), "Patient.contained[0]", IssueCode::Invariant);
}

#[test]
fn a_narrative_is_xhtml_that_runs_nothing() {
    let div = |inner: &str| {
        let div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{inner}</div>");
        patient("text", json!({"status": "additional", "div": div}))
    };
    valid(div("a <b>b</b> <img src=\"#a\" alt='x'/> &lt; <!-- <script> -->"));
    valid(div("<a href=\"https://example.org/?a=1&amp;b=2\">c</a>"));
    let wrong = [
        "",
        " ",
        "a <b>b",
        "a </div><div>b",
        "<script>a</script>",
        "<iframe src='x'>a</iframe>",
        "<p onclick=\"x\">a</p>",
        "<a href=\"java\nscript:x\">a</a>",
        "<a href=\"&#106;avascript:x\">a</a>",
        "<p class=a>b</p>",
        "a & b",
        "a <br>",
        "<p xmlns=\"http://www.w3.org/2000/svg\">a</p>",
        "<!DOCTYPE html>a",
    ];
    for wrong in wrong {
        refused(div(wrong), "Patient.text.div", IssueCode::Invariant);
    }
    let bare = json!({"status": "additional", "div": "<div>a</div>"});
    refused(patient("text", bare), "Patient.text.div", IssueCode::Invariant);
}

#[test]
fn no_issue_repeats_what_came_in_and_there_are_not_too_many() {
    let secret = "Asha-9844111173";
    let names = vec![json!({"family": 5, "use": secret, "given": secret}); ISSUES_MAX];
    let found = issues(json!({"resourceType": "Patient", "name": names, "birthDate": secret,
        "id": format!("{secret} "), secret: 1}));
    assert_eq!(found.len(), ISSUES_MAX);
    assert!(found.iter().all(|issue| !issue.to_string().contains("Asha")), "{found:?}");
}
