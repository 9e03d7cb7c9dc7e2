//! What a client sends to the token endpoint: a form, each of whose fields stands there once
//! (RFC 6749, section 3.2).

use std::collections::HashMap;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

use super::denied::Denied;

/// As large may a form be, in bytes: an assertion and scopes, each letter written as three.
const FORM_BYTES_MAX: usize = 64 * 1024;
/// As long may it take to arrive.
const FORM_TIME_MAX: Duration = Duration::from_secs(10);

/// The fields of a form.
pub struct Form(HashMap<String, String>);

impl Form {
    /// Reads a form.
    ///
    /// # Errors
    /// If it is none, does not arrive, or says something twice.
    pub async fn read(headers: &HeaderMap, body: Body) -> Result<Self, Denied> {
        let said = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = said.and_then(|text| text.split(';').next()).map(str::trim).unwrap_or_default();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            let what = "send a form: application/x-www-form-urlencoded";
            return Err(Denied::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, what));
        }
        let body = Limited::new(body, FORM_BYTES_MAX).collect();
        let bytes = match timeout(FORM_TIME_MAX, body).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                let what = "the form has too many bytes";
                return Err(Denied::with_status(StatusCode::PAYLOAD_TOO_LARGE, what));
            }
            Ok(Err(_)) => return Err(Denied::invalid("the form did not arrive whole")),
            Err(_) => {
                let what = "the form took too long";
                return Err(Denied::with_status(StatusCode::REQUEST_TIMEOUT, what));
            }
        };
        let unreadable = Denied::invalid("the form cannot be read");
        let text = std::str::from_utf8(&bytes).map_err(|_| unreadable)?;
        let pairs = fhir::search::pairs(text).map_err(|_| unreadable)?;
        let mut fields = HashMap::new();
        for (name, value) in pairs {
            if fields.insert(name, value).is_some() {
                return Err(Denied::invalid("each parameter stands in the form once"));
            }
        }
        // A parameter without a value is one that was left out (RFC 6749, section 3.2).
        fields.retain(|_, value| !value.is_empty());
        Ok(Self(fields))
    }

    /// A field, if it is there.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}
