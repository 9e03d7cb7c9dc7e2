//! Reading JSON.

use super::*;

fn refused(text: &str) -> IssueCode {
    parse(text.as_bytes()).expect_err(text).issues[0].code
}

#[test]
fn what_comes_in_goes_out_again() {
    let text = r#"{"id":"a","resourceType":"Observation","valueQuantity":{"value":1.50},"x":[1e+5,-0,null,true]}"#;
    let resource = parse(text.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(resource.to_vec()).unwrap(), text);
    assert_eq!((resource.resource_type(), resource.id()), ("Observation", Some("a")));
    assert_eq!(format!("{resource:?}"), "Observation/a");
}

#[test]
fn what_is_not_one_resource_is_refused() {
    for text in ["", "{", "[]", "5", "null", "\u{feff}{}", "{} x", r#"{"a":1,}"#, r#"{"a":01}"#] {
        assert!(matches!(
            refused(text),
            IssueCode::Invalid | IssueCode::Structure | IssueCode::Required
        ));
    }
    assert!(parse(b"{\"resourceType\":\"Patient\",\"id\":\"\xff\"}").is_err());
    assert_eq!(refused("{}"), IssueCode::Required);
    assert_eq!(refused(r#"{"resourceType":"Person2"}"#), IssueCode::Structure);
    assert_eq!(refused(r#"{"resourceType":["Patient"]}"#), IssueCode::Structure);
}

#[test]
fn what_two_readers_could_read_in_two_ways_is_refused() {
    assert_eq!(refused(r#"{"resourceType":"Patient","id":"a","id":"b"}"#), IssueCode::Structure);
    assert_eq!(refused(r#"{"resourceType":"Patient","a":[{"b":1,"b":1}]}"#), IssueCode::Structure);
    assert_eq!(refused(r#"{"resourceType":"Patient","a":"\u0000"}"#), IssueCode::Value);
    assert_eq!(refused(r#"{"resourceType":"Patient","a\u0007":1}"#), IssueCode::Value);
    assert!(parse(br#"{"resourceType":"Patient","a":"\t\r\n"}"#).is_ok());
}

#[test]
fn what_lies_too_deep_is_refused() {
    let nested = |depth: usize| {
        format!(r#"{{"resourceType":"Patient","a":{}1{}}}"#, "[".repeat(depth), "]".repeat(depth))
    };
    assert!(parse(nested(DEPTH_MAX - 1).as_bytes()).is_ok());
    assert_eq!(refused(&nested(DEPTH_MAX)), IssueCode::TooCostly);
    assert_eq!(refused(&nested(100_000)), IssueCode::TooCostly);
}

#[test]
fn more_values_than_the_memory_has_room_for_are_refused() {
    // The resource, its type and the list are values, too.
    let listed = |count: usize| {
        format!(r#"{{"resourceType":"Patient","a":[{}1]}}"#, "{},".repeat(count - 4))
    };
    assert!(parse_within(listed(90).as_bytes(), 90).is_ok());
    let refused = parse_within(listed(91).as_bytes(), 90).unwrap_err();
    assert_eq!(refused.issues[0].code, IssueCode::TooLong);
}

#[test]
fn what_a_resource_is_does_not_change() {
    let mut patient = Resource::of("Patient").unwrap();
    patient.set("resourceType", "Task");
    patient.set("id", "a");
    assert!(patient.remove("resourceType").is_none() && patient.get_mut("resourceType").is_none());
    assert_eq!(patient.to_vec(), br#"{"resourceType":"Patient","id":"a"}"#);
    assert!(Resource::of("HumanName").is_none());
}
