//! Parts of resources that change, and those that do not.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::fixture::{self, valid};
use crate::structure;

/// What stands beside a name that nobody knows.
fn unsaid() -> Json {
    json!({"extension": [{"url": "urn:absent", "valueCode": "unknown"}]})
}

fn patient() -> Resource {
    valid(fixture::resource(json!({
        "resourceType": "Patient",
        "id": "one",
        "identifier": [{"system": "urn:a", "value": "1"}, {"system": "urn:b", "value": "2"}],
        "name": [{"use": "official", "given": ["Asha", null], "_given": [null, unsaid()]}],
        "telecom": [
            {"system": "phone", "value": "+919844111173", "use": "home"},
            {"system": "email", "value": "asha@example.org"},
        ],
        "birthDate": "1984-05-02",
        "_birthDate": {"extension": [{"url": "urn:told", "valueString": "by her"}]},
        "deceasedBoolean": false,
        "contact": [{"name": {"text": "Ravi Rao"}}],
    })))
}

/// The patient after a JSON Patch.
fn patched(operations: Json) -> Result<Resource, Outcome> {
    json(operations.to_string().as_bytes())?.apply(&patient())
}

/// The patient after a FHIRPath Patch of one operation.
fn edited(kind: &str, path: &str, more: &[Json]) -> Result<Resource, Outcome> {
    let mut parts = vec![
        json!({"name": "type", "valueCode": kind}),
        json!({"name": "path", "valueString": path}),
    ];
    parts.extend_from_slice(more);
    let parameters = json!({
        "resourceType": "Parameters",
        "parameter": [{"name": "operation", "part": parts}],
    });
    resource(&valid(fixture::resource(parameters)))?.apply(&patient())
}

fn name(name: &str) -> Json {
    json!({"name": "name", "valueString": name})
}

fn at(name: &str, index: u32) -> Json {
    json!({"name": name, "valueInteger": index})
}

fn value(type_: &str, value: impl Into<Json>) -> Json {
    let mut part = json!({"name": "value"});
    part[format!("value{type_}")] = value.into();
    part
}

#[track_caller]
fn code(result: Result<Resource, Outcome>) -> IssueCode {
    result.unwrap_err().issues[0].code
}

/// What stands at a JSON Pointer of the patient.
#[track_caller]
fn there(patient: Result<Resource, Outcome>, pointer: &str) -> Option<Json> {
    let patient = valid(patient.unwrap());
    Json::from(patient).pointer(pointer).cloned()
}

/// RFC 6902, appendix A, as far as it is about documents.
#[test]
fn json_patch_does_what_its_standard_shows() {
    let examples = [
        (
            r#"{"foo":"bar"}"#,
            r#"[{"op":"add","path":"/baz","value":"qux"}]"#,
            r#"{"foo":"bar","baz":"qux"}"#,
        ),
        (
            r#"{"foo":["bar","baz"]}"#,
            r#"[{"op":"add","path":"/foo/1","value":"qux"}]"#,
            r#"{"foo":["bar","qux","baz"]}"#,
        ),
        (r#"{"baz":"qux","foo":"bar"}"#, r#"[{"op":"remove","path":"/baz"}]"#, r#"{"foo":"bar"}"#),
        (
            r#"{"foo":["bar","qux","baz"]}"#,
            r#"[{"op":"remove","path":"/foo/1"}]"#,
            r#"{"foo":["bar","baz"]}"#,
        ),
        (
            r#"{"baz":"qux","foo":"bar"}"#,
            r#"[{"op":"replace","path":"/baz","value":"boo"}]"#,
            r#"{"baz":"boo","foo":"bar"}"#,
        ),
        (
            r#"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
            r#"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
            r#"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#,
        ),
        (
            r#"{"foo":["all","grass","cows","eat"]}"#,
            r#"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#,
            r#"{"foo":["all","cows","eat","grass"]}"#,
        ),
        (
            r#"{"foo":["a",2,"c"]}"#,
            r#"[{"op":"test","path":"/foo/1","value":2}]"#,
            r#"{"foo":["a",2,"c"]}"#,
        ),
        (
            r#"{"foo":"bar"}"#,
            r#"[{"op":"add","path":"/child","value":{"grandchild":{}}}]"#,
            r#"{"foo":"bar","child":{"grandchild":{}}}"#,
        ),
        (
            r#"{"foo":"bar"}"#,
            r#"[{"op":"add","path":"/baz","value":"qux","xyz":123}]"#,
            r#"{"foo":"bar","baz":"qux"}"#,
        ),
        (r#"{"/":9,"~1":10}"#, r#"[{"op":"test","path":"/~01","value":10}]"#, r#"{"/":9,"~1":10}"#),
        (
            r#"{"foo":["bar"]}"#,
            r#"[{"op":"add","path":"/foo/-","value":["abc","def"]}]"#,
            r#"{"foo":["bar",["abc","def"]]}"#,
        ),
        // Beside the appendix: a copy, and what is replaced by what it holds (4.5, 4.4).
        (
            r#"{"foo":{"bar":1}}"#,
            r#"[{"op":"copy","from":"/foo","path":"/baz"},{"op":"move","from":"/baz/bar","path":"/baz"}]"#,
            r#"{"foo":{"bar":1},"baz":1}"#,
        ),
    ];
    for (before, patch, after) in examples {
        let operations = json::read(&serde_json::from_str(patch).unwrap()).unwrap();
        let done = json::apply(&operations, serde_json::from_str(before).unwrap()).unwrap();
        assert_eq!(done.to_string(), after);
    }
    let refused = [
        (r#"{"baz":"qux"}"#, r#"[{"op":"test","path":"/baz","value":"bar"}]"#, IssueCode::Conflict),
        (
            r#"{"foo":"bar"}"#,
            r#"[{"op":"add","path":"/baz/bat","value":"qux"}]"#,
            IssueCode::NotFound,
        ),
        (
            r#"{"/":9,"~1":10}"#,
            r#"[{"op":"test","path":"/~01","value":"10"}]"#,
            IssueCode::Conflict,
        ),
        (r#"{"foo":[1]}"#, r#"[{"op":"add","path":"/foo/2","value":3}]"#, IssueCode::NotFound),
        (r#"{"foo":[1]}"#, r#"[{"op":"remove","path":"/foo/00"}]"#, IssueCode::NotFound),
    ];
    for (before, patch, code) in refused {
        let operations = json::read(&serde_json::from_str(patch).unwrap()).unwrap();
        let done = json::apply(&operations, serde_json::from_str(before).unwrap());
        assert_eq!(done.unwrap_err().issues[0].code, code, "{patch}");
    }
}

#[test]
fn a_json_patch_changes_what_it_names_and_nothing_else() {
    let changed = patched(json!([
        {"op": "test", "path": "/birthDate", "value": "1984-05-02"},
        {"op": "replace", "path": "/birthDate", "value": "1984-05-03"},
        {"op": "remove", "path": "/telecom/0"},
        {"op": "remove", "path": "/name"},
        {"op": "add", "path": "/gender", "value": "female"},
    ]));
    let changed = valid(changed.unwrap());
    let mut expected = patient();
    expected.set("birthDate", "1984-05-03");
    expected.remove("name");
    expected.set("telecom", json!([{"system": "email", "value": "asha@example.org"}]));
    expected.set("gender", "female");
    assert_eq!(changed.to_vec(), expected.to_vec(), "the order stays as well");
}

#[test]
fn a_patch_cannot_make_something_else_of_a_resource() {
    let replace =
        |path: &str, value: Json| json!([{"op": "replace", "path": path, "value": value}]);
    assert_eq!(code(patched(replace("/id", "two".into()))), IssueCode::Value);
    assert_eq!(code(patched(replace("/resourceType", "Person".into()))), IssueCode::Value);
    assert_eq!(code(patched(replace("", json!({"resourceType": "Patient"})))), IssueCode::Value);
    assert_eq!(code(patched(replace("", json!([])))), IssueCode::Structure);
    assert_eq!(code(patched(replace("/gender", "a\u{1}b".into()))), IssueCode::NotFound);
    assert_eq!(code(patched(replace("/birthDate", "a\u{1}b".into()))), IssueCode::Value);
    assert_eq!(code(edited("replace", "Patient.id", &[value("Id", "two")])), IssueCode::Value);
}

#[test]
fn a_patch_has_bounds() {
    let one = json!({"op": "remove", "path": "/gender"});
    assert_eq!(code(patched(vec![one; OPERATIONS_MAX + 1].into())), IssueCode::TooCostly);
    assert_eq!(code(patched(json!([]))), IssueCode::Required);
    // Each copy doubles what there is.
    let double = json!({"op": "copy", "from": "/contact", "path": "/contact/-"});
    assert_eq!(code(patched(vec![double; 40].into())), IssueCode::TooCostly);
    assert_eq!(code(patched(json!({"op": "remove"}))), IssueCode::Structure);
    let into_itself = json!([{"op": "move", "from": "/contact", "path": "/contact/0/name"}]);
    assert_eq!(code(patched(into_itself)), IssueCode::Structure);
    let deep = json!([{"op": "add", "path": "/a".repeat(100), "value": 1}]);
    assert_eq!(code(patched(deep)), IssueCode::Structure);
    assert!(json(b"[{").is_err());
}

#[test]
fn what_is_added_comes_last_in_a_list_and_once_elsewhere() {
    let gender = edited("add", "Patient", &[name("gender"), value("Code", "female")]);
    assert_eq!(there(gender, "/gender"), Some("female".into()));
    let third = json!({"system": "urn:c", "value": "3"});
    let added = edited("add", "Patient", &[name("identifier"), value("Identifier", third.clone())]);
    assert_eq!(there(added, "/identifier/2"), Some(third));
    let path = "Patient.contact[0]";
    let telecom = json!({"system": "phone", "value": "1234567"});
    let added = edited("add", path, &[name("telecom"), value("ContactPoint", telecom.clone())]);
    assert_eq!(there(added, "/contact/0/telecom"), Some(json!([telecom])));
    let added = edited("add", path, &[name("gender"), value("Code", "male")]);
    assert_eq!(there(added, "/contact/0/gender"), Some("male".into()));
    let again = edited("add", "Patient", &[name("birthDate"), value("Date", "1984")]);
    assert_eq!(code(again), IssueCode::Conflict);
    let other = edited("add", "Patient", &[name("deceased"), value("DateTime", "2026")]);
    assert_eq!(code(other), IssueCode::Conflict, "of a choice there is one");
    let unknown = edited("add", "Patient", &[name("colour"), value("String", "red")]);
    assert_eq!(code(unknown), IssueCode::Structure);
    // A list of primitive values stays beside the list of what stands beside them.
    let added = edited("add", "Patient.name[0]", &[name("given"), value("String", "Devi")]);
    let name = there(added, "/name/0").unwrap();
    assert_eq!(name["given"], json!(["Asha", null, "Devi"]));
    assert_eq!(name["_given"], json!([null, unsaid(), null]));
}

#[test]
fn an_element_of_no_data_type_is_brought_in_parts() {
    let part = |name: &str, type_: &str, value: Json| {
        let mut part = json!({"name": name});
        part[format!("value{type_}")] = value;
        part
    };
    let parts = json!({"name": "value", "part": [
        part("name", "HumanName", json!({"text": "Devi Rao"})),
        part("telecom", "ContactPoint", json!({"system": "phone", "value": "1234567"})),
    ]});
    let added = edited("add", "Patient", &[name("contact"), parts]);
    let expected = json!({
        "name": {"text": "Devi Rao"},
        "telecom": [{"system": "phone", "value": "1234567"}],
    });
    assert_eq!(there(added, "/contact/1"), Some(expected));
}

#[test]
fn what_is_inserted_stands_where_it_is_told() {
    let new = json!({"system": "urn:c", "value": "3"});
    let insert = |path: &str, index| {
        edited("insert", path, &[at("index", index), value("Identifier", new.clone())])
    };
    assert_eq!(there(insert("Patient.identifier", 0), "/identifier/0"), Some(new.clone()));
    assert_eq!(there(insert("Patient.identifier", 2), "/identifier/2"), Some(new.clone()));
    assert_eq!(code(insert("Patient.identifier", 3)), IssueCode::NotFound);
    assert_eq!(code(insert("Patient.birthDate", 0)), IssueCode::Structure);
    assert_eq!(code(insert("Patient.identifier[0]", 0)), IssueCode::Structure);
}

#[test]
fn what_is_deleted_goes_with_what_stands_beside_it() {
    let gone = valid(edited("delete", "Patient.birthDate", &[]).unwrap());
    assert_eq!((gone.get("birthDate"), gone.get("_birthDate")), (None, None));
    let email = edited("delete", "Patient.telecom.where(system = 'phone')", &[]);
    assert_eq!(there(email, "/telecom/0/system"), Some("email".into()));
    let gone = there(edited("delete", "Patient.name.given[1]", &[]), "/name/0").unwrap();
    assert_eq!(gone, json!({"use": "official", "given": ["Asha"]}));
    // A list of which the last goes is not there any more.
    assert_eq!(there(edited("delete", "Patient.contact.first()", &[]), "/contact"), None);
    assert_eq!(edited("delete", "Patient.photo", &[]).unwrap(), patient(), "nothing to delete");
    assert_eq!(code(edited("delete", "Patient.telecom", &[])), IssueCode::MultipleMatches);
    assert_eq!(code(edited("delete", "Patient", &[])), IssueCode::NotSupported);
}

#[test]
fn what_is_replaced_keeps_its_place() {
    let replaced = valid(edited("replace", "Patient.birthDate", &[value("Date", "1984")]).unwrap());
    assert_eq!(
        (replaced.get("birthDate"), replaced.get("_birthDate")),
        (Some(&"1984".into()), None)
    );
    let replaced =
        valid(edited("replace", "Patient.deceased", &[value("DateTime", "2026")]).unwrap());
    assert_eq!(replaced.get("deceasedBoolean"), None);
    let keys = |it: &Resource| it.map().keys().cloned().collect::<Vec<_>>();
    let expected: Vec<String> =
        keys(&patient()).iter().map(|key| key.replace("Boolean", "DateTime")).collect();
    assert_eq!(keys(&replaced), expected);
    let number = "Patient.telecom.where(system = 'email').value";
    let replaced = edited("replace", number, &[value("String", "a@example.org")]);
    assert_eq!(there(replaced, "/telecom/1/value"), Some("a@example.org".into()));
    let photo = edited("replace", "Patient.photo", &[value("Attachment", json!({"title": "-"}))]);
    assert_eq!(code(photo), IssueCode::NotFound);
    let wrong = edited("replace", "Patient.deceased", &[value("Quantity", json!({"value": 1}))]);
    assert_eq!(code(wrong), IssueCode::Structure);
}

#[test]
fn what_is_moved_ends_where_it_is_told() {
    let moved =
        |path: &str, from, to| edited("move", path, &[at("source", from), at("destination", to)]);
    let systems = there(moved("Patient.identifier", 0, 1), "/identifier").unwrap();
    assert_eq!((&systems[0]["value"], &systems[1]["value"]), (&json!("2"), &json!("1")));
    let name = there(moved("Patient.name[0].given", 1, 0), "/name/0").unwrap();
    assert_eq!(name["given"], json!([null, "Asha"]));
    assert_eq!(name["_given"], json!([unsaid(), null]));
    assert_eq!(code(moved("Patient.identifier", 0, 2)), IssueCode::NotFound);
}

#[test]
fn a_path_that_says_more_is_refused_by_name() {
    for path in [
        "Patient.name | Patient.contact.name",
        "Patient.name.where(use = 'official' and given = 'Asha')",
        "Patient.descendants()",
        "Patient.name[use='official']",
        "Patient.",
        "",
    ] {
        let refused = edited("delete", if path.is_empty() { " " } else { path }, &[]);
        assert_eq!(code(refused), IssueCode::NotSupported, "{path}");
    }
    assert_eq!(code(edited("delete", "Person.name", &[])), IssueCode::Value);
    assert_eq!(code(edited("delete", "Patient.colour", &[])), IssueCode::Structure);
    assert_eq!(code(edited("twist", "Patient.name", &[])), IssueCode::Structure);
    let quoted = r"Patient.name.where(use = 'it\'s').last()";
    assert_eq!(edited("delete", quoted, &[]).unwrap(), patient());
}

#[test]
fn a_bundle_brings_a_json_patch_in_a_binary() {
    let data = STANDARD.encode(r#"[{"op":"remove","path":"/birthDate"}]"#);
    let binary = |kind: &str| {
        let it = json!({"resourceType": "Binary", "contentType": kind, "data": data});
        resource(&fixture::resource(it))
    };
    let changed = binary("application/json-patch+json").unwrap().apply(&patient()).unwrap();
    assert_eq!(changed.get("birthDate"), None);
    assert_eq!(binary("text/plain").unwrap_err().issues[0].code, IssueCode::NotSupported);
}

#[test]
fn the_elements_of_every_type_are_found_with_their_shape() {
    use super::shape::Shape;
    for type_ in structure::each_type() {
        let shape = Shape::of(type_).unwrap();
        for element in structure::elements(type_) {
            let child = shape.child(element.name).unwrap();
            assert_eq!(child.many, element.many, "{type_}.{}", element.name);
            assert_eq!(child.keys().len() > 1, element.choice, "{type_}.{}", element.name);
        }
    }
    let item = Shape::of("Questionnaire").unwrap().child("item").unwrap().below("item").unwrap();
    let within = item.child("item").unwrap().below("item").unwrap();
    assert_eq!(within, item, "items hold items");
    assert!(item.child("linkId").unwrap().below("linkId").is_none());
}

proptest! {
    #[test]
    fn whatever_path_is_given_is_followed_or_refused(path in r"Patient[a-z.()\[\]'= 0-9|~/\\é]{0,40}") {
        let _ = edited("delete", &path, &[]);
        let pointer = path.replace("Patient", "/");
        let _ = patched(json!([{"op": "remove", "path": pointer}]));
    }
}
