//! What the Zoice voice agent says of a call, as JSON.
//!
//! Fields that are not known are kept. What is known is either right or named: the caller is a program, and its
//! maker mends what is named.

use prm::contact::Phone;
use serde_json::{Map, Value};

use crate::heard::CallReport;

/// The longest body, in bytes.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// The longest id of a call, in bytes.
pub const CALL_ID_BYTES_MAX: usize = 128;
/// The longest address of a recording, in bytes.
pub const ADDRESS_BYTES_MAX: usize = 2_048;
/// The longest word for what a caller wants, in bytes.
pub const INTENT_BYTES_MAX: usize = 128;
/// The longest call, in seconds: a day.
pub const DURATION_SECONDS_MAX: u32 = 24 * 60 * 60;

/// Not a report of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Malformed {
    /// Which field is wrong; none if the whole is.
    pub field: Option<&'static str>,
    /// What would be right.
    pub reason: &'static str,
}

const fn wrong(field: &'static str, reason: &'static str) -> Malformed {
    Malformed { field: Some(field), reason }
}

/// Reads a report. `country` (ISO 3166-1) is that of numbers without a country code.
///
/// # Errors
/// [`Malformed`], which names the field.
pub fn read(body: &[u8], country: &str) -> Result<CallReport, Malformed> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Malformed { field: None, reason: "the report of a call has at most 1 MiB" });
    }
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(body) else {
        return Err(Malformed { field: None, reason: "the report of a call is a JSON object" });
    };
    let call_id = text(&mut fields, "call_id", "call_id is the text by which the call is known")?
        .filter(|it| (1..=CALL_ID_BYTES_MAX).contains(&it.len()))
        .ok_or(wrong("call_id", "call_id is a text of 1 to 128 bytes"))?;
    let patient_phone = text(&mut fields, "patient_phone", "patient_phone is a text")?
        .filter(|it| !it.trim().is_empty())
        .map(|it| Phone::parse(&it, country))
        .transpose()
        .map_err(|_| wrong("patient_phone", "patient_phone is a number as +919844111173"))?;
    let recording_url = text(&mut fields, "recording_url", "recording_url is a text")?;
    if recording_url.as_ref().is_some_and(|it| it.len() > ADDRESS_BYTES_MAX) {
        return Err(wrong("recording_url", "recording_url has at most 2,048 bytes"));
    }
    let transcript = text(&mut fields, "transcript", "transcript is a text")?.unwrap_or_default();
    let duration_seconds = match fields.shift_remove("duration_seconds") {
        None | Some(Value::Null) => 0,
        Some(Value::Number(number)) => seconds(&number)
            .ok_or(wrong("duration_seconds", "duration_seconds is a number of 0 to 86,400"))?,
        Some(Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
            return Err(wrong("duration_seconds", "duration_seconds is a number of 0 to 86,400"));
        }
    };
    let extracted = match fields.shift_remove("extracted_data") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(extracted)) => extracted,
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            return Err(wrong("extracted_data", "extracted_data is an object"));
        }
    };
    let intent = match extracted.get("intent") {
        None | Some(Value::Null) => None,
        Some(Value::String(intent)) if intent.len() <= INTENT_BYTES_MAX => Some(intent.clone()),
        Some(_) => {
            return Err(wrong(
                "extracted_data.intent",
                "extracted_data.intent is a text of at most 128 bytes",
            ));
        }
    };
    Ok(CallReport {
        call_id,
        patient_phone,
        recording_url,
        transcript,
        intent,
        extracted: Value::Object(extracted).to_string(),
        duration_seconds,
        others: Value::Object(fields).to_string(),
    })
}

fn text(
    fields: &mut Map<String, Value>,
    field: &'static str,
    reason: &'static str,
) -> Result<Option<String>, Malformed> {
    match fields.shift_remove(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(wrong(field, reason))
        }
    }
}

/// Whole seconds; a fraction is dropped.
fn seconds(number: &serde_json::Number) -> Option<u32> {
    let seconds = number.as_f64().filter(|it| it.is_finite() && *it >= 0.0)?;
    let most = f64::from(DURATION_SECONDS_MAX);
    (seconds <= most).then_some(seconds as u32)
}
