//! The forms of primitive values.

use serde_json::{Value, json};

use super::*;

fn good(primitive: &str, value: &Value) -> bool {
    Primitive::named(primitive).unwrap().check(value).is_ok()
}

#[track_caller]
fn told_apart(primitive: &str, right: &[Value], wrong: &[Value]) {
    for value in right {
        assert!(good(primitive, value), "{value} is a {primitive}");
    }
    for value in wrong {
        assert!(!good(primitive, value), "{value} is not a {primitive}");
    }
}

fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_date_is_a_day_of_the_calendar() {
    let wrong = ["", "26", "0000", "2026-13", "2026-02-30", "2026-2-3", "2026-11-23T10:00:00Z"];
    told_apart(
        "date",
        &[json!("2026"), json!("2026-11"), json!("2024-02-29"), json!("0001-01-01")],
        &wrong.map(|it| json!(it)),
    );
}

#[test]
fn a_time_has_seconds_and_a_zone() {
    let right = ["2026", "2026-11-23", "2026-11-23T10:00:00Z", "2026-11-23T23:59:60.123456789012Z"];
    let wrong = [
        "2026-11-23T10:00Z",
        "2026-11-23T10:00:00",
        "2026-11-23T24:00:00Z",
        "2026-11T10:00:00Z",
        "2026-11-23T10:00:00.Z",
        "2026-11-23T10:00:00+14:30",
        "2026-11-23T10:00:00+5:30",
        "2026-11-23 10:00:00Z",
    ];
    told_apart("dateTime", &right.map(|it| json!(it)), &wrong.map(|it| json!(it)));
    told_apart("instant", &[json!("2026-11-23T10:00:00.5-14:00")], &[json!("2026-11-23")]);
    told_apart(
        "time",
        &[json!("10:00:00"), json!("10:00:00.5")],
        &[json!("10:00"), json!("10:00:00Z")],
    );
}

#[test]
fn numbers_are_whole_where_they_must_be() {
    let big = number("2147483648");
    told_apart("integer", &[json!(-5), json!(0)], &[number("1.0"), number("1e2"), big.clone()]);
    told_apart("unsignedInt", &[json!(0)], &[json!(-1), number("-0"), json!("0")]);
    told_apart("positiveInt", &[json!(1)], &[json!(0), big]);
    told_apart("decimal", &[number("1.50"), number("-1e3")], &[json!("1.5"), json!(true)]);
}

#[test]
fn strings_have_their_forms() {
    told_apart("code", &[json!("a b")], &[json!(" a"), json!("a "), json!("a  b"), json!(5)]);
    told_apart("id", &[json!("A-1.b")], &[json!("a_b"), json!("a".repeat(65))]);
    told_apart("uri", &[json!("urn:a:b")], &[json!("a b"), json!("")]);
    told_apart(
        "oid",
        &[json!("urn:oid:1.2.0")],
        &[json!("urn:oid:1"), json!("urn:oid:3.1"), json!("urn:oid:1.02"), json!("1.2")],
    );
    let uuid = "urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057";
    told_apart("uuid", &[json!(uuid)], &[json!(uuid.to_uppercase()), json!(&uuid[9..])]);
    told_apart(
        "base64Binary",
        &[json!("QUJD"), json!("QUI="), json!("QQ==\nQQ==".replace('\n', "").get(..4).unwrap())],
        &[json!("QUJ"), json!("Q==="), json!("QQ==QUJD"), json!("QU-D")],
    );
}

#[test]
fn a_value_lasts_as_long_as_it_is_precise() {
    let zone = jiff::tz::TimeZone::get("Asia/Kolkata").unwrap();
    let range = |text: &str| {
        let (from, until) = DateTime::parse_searched(text).unwrap().range(&zone);
        format!("{from} {until}")
    };
    assert_eq!(range("2026"), "2025-12-31T18:30:00Z 2026-12-31T18:30:00Z");
    assert_eq!(range("2026-02"), "2026-01-31T18:30:00Z 2026-02-28T18:30:00Z");
    assert_eq!(range("2026-11-23"), "2026-11-22T18:30:00Z 2026-11-23T18:30:00Z");
    assert_eq!(range("2026-11-23T10:00"), "2026-11-23T04:30:00Z 2026-11-23T04:31:00Z");
    assert_eq!(range("2026-11-23T10:00:00Z"), "2026-11-23T10:00:00Z 2026-11-23T10:00:01Z");
    assert_eq!(range("2026-11-23T10:00:00.5Z"), "2026-11-23T10:00:00.5Z 2026-11-23T10:00:00.6Z");
    assert!(DateTime::parse("9999-12-31").unwrap().range(&zone).1 == jiff::Timestamp::MAX);
}

#[test]
fn only_what_is_certainly_later_is_after() {
    let after =
        |a: &str, b: &str| DateTime::parse(a).unwrap().is_after(DateTime::parse(b).unwrap());
    assert!(after("2027", "2026-12-31"));
    assert!(after("2026-11-23T10:00:00Z", "2026-11-23T15:00:00+05:30"));
    assert!(!after("2026-12", "2026-12-05"));
    assert!(!after("2026-11-24T01:00:00Z", "2026-11-23"), "it may be the 23rd somewhere");
    assert!(after("2026-11-25T01:00:00Z", "2026-11-23"));
}
