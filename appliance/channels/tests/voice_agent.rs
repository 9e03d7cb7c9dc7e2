//! What the voice agent says of a call is kept whole, or the field that is wrong is named.

use channels::voice_agent::{BODY_BYTES_MAX, read};
use serde_json::{Value, json};

fn report() -> Value {
    json!({
        "call_id": "0b5c", "patient_phone": "+919844111173", "recording_url": "https://zoice.example/r/1",
        "transcript": "I want to see Dr Rao", "extracted_data": { "intent": "book_appointment", "day": "Monday" },
        "duration_seconds": 120, "sentiment": 0.75, "agent": { "version": 3 }
    })
}

fn with(field: &str, value: Value) -> Vec<u8> {
    let mut report = report();
    report[field] = value;
    report.to_string().into_bytes()
}

#[test]
fn a_report_is_read_and_what_is_not_known_is_kept() {
    let call = read(report().to_string().as_bytes(), "IN").expect("a report");
    assert_eq!((call.call_id.as_str(), call.duration_seconds), ("0b5c", 120));
    assert_eq!(call.patient_phone.expect("a number").as_str(), "+919844111173");
    assert_eq!(call.intent.as_deref(), Some("book_appointment"));
    assert_eq!(call.extracted, r#"{"intent":"book_appointment","day":"Monday"}"#);
    assert_eq!(call.others, r#"{"sentiment":0.75,"agent":{"version":3}}"#);
    let little = read(br#"{"call_id":"1","patient_phone":null}"#, "IN").expect("a report");
    assert_eq!((little.patient_phone, little.transcript.as_str()), (None, ""));
}

#[test]
fn the_field_that_is_wrong_is_named() {
    for (field, value) in [
        ("call_id", Value::Null),
        ("call_id", "".into()),
        ("call_id", "1".repeat(200).into()),
        ("patient_phone", "call me".into()),
        ("patient_phone", 5.into()),
        ("recording_url", "u".repeat(3_000).into()),
        ("transcript", json!(["a"])),
        ("duration_seconds", (-1).into()),
        ("duration_seconds", "120".into()),
        ("duration_seconds", 1e300.into()),
        ("extracted_data", "none".into()),
    ] {
        let wrong = read(&with(field, value.clone()), "IN").expect_err("a wrong field");
        assert_eq!(wrong.field, Some(field), "{value}");
    }
    let wrong = read(&with("extracted_data", json!({ "intent": 5 })), "IN").expect_err("wrong");
    assert_eq!(wrong.field, Some("extracted_data.intent"));
    for whole in [b"[]".to_vec(), b"{".to_vec(), b"".to_vec(), vec![b' '; BODY_BYTES_MAX + 1]] {
        assert_eq!(read(&whole, "IN").expect_err("no report").field, None);
    }
}
