//! Errors as responses: RFC 9457 problems with a stable code.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sync_protocol::envelope::OpenError;

use crate::enroll::NotJoined;
use crate::receive::Refused;
use crate::store::StoreError;

/// Why a request was not done, as it goes over the wire.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// Always `about:blank`: the code says which problem it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The HTTP status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong and what to do, in English.
    detail: String,
    /// Which problem; the words are stable.
    code: &'static str,
    #[serde(skip)]
    retry_after: Option<u32>,
}

impl Problem {
    /// A problem with a stable code and a sentence that says what to do.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            code,
            retry_after: None,
        }
    }

    /// The hub has too much to do (503).
    pub fn busy() -> Self {
        let what = "the hub has much to do; try again in a few seconds";
        Self { retry_after: Some(5), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", what) }
    }

    /// The same, with the seconds after which it may be tried again.
    pub fn after(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// Too many requests of one account (429).
    pub fn too_often(seconds: u32) -> Self {
        let what = format!("too many requests of this account; try again in {seconds} seconds");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_often", what).after(seconds)
    }

    /// The hub cannot write or failed (503). What exactly goes to the log.
    pub fn unavailable(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a request could not be done");
        let what = "the hub cannot do this now; nothing was taken, try again later";
        Self {
            retry_after: Some(30),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", what)
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<NotJoined> for Problem {
    fn from(error: NotJoined) -> Self {
        let detail = error.to_string();
        match error {
            NotJoined::Code => Self::new(StatusCode::NOT_FOUND, "code_not_found", detail),
            NotJoined::Hardware => Self::new(StatusCode::CONFLICT, "hardware_taken", detail),
            NotJoined::Keys => Self::new(StatusCode::CONFLICT, "keys_taken", detail),
            NotJoined::Held => Self::new(StatusCode::CONFLICT, "records_held", detail),
            NotJoined::Store(error) => error.into(),
        }
    }
}

impl From<Refused> for Problem {
    fn from(error: Refused) -> Self {
        let detail = error.to_string();
        match error {
            Refused::Envelope(error) => envelope(error, detail),
            Refused::Unrecognised => unrecognised(),
            Refused::Malformed => Self::new(StatusCode::BAD_REQUEST, "malformed", detail),
            Refused::NotLiving => Self::new(StatusCode::CONFLICT, "not_living", detail),
            Refused::Stopping => Self::busy(),
            Refused::Store(error) => error.into(),
            Refused::Key(_) | Refused::Sales(_) | Refused::NotSealed => Self::unavailable(&error),
        }
    }
}

fn envelope(error: OpenError, detail: String) -> Problem {
    match error {
        OpenError::TooLong => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_long", detail),
        OpenError::Malformed => Problem::new(StatusCode::BAD_REQUEST, "malformed", detail),
        OpenError::Version | OpenError::UnknownDictionary => {
            Problem::new(StatusCode::BAD_REQUEST, "unknown_version", detail)
        }
        OpenError::Elsewhere | OpenError::NotOpened | OpenError::Packing => {
            Problem::new(StatusCode::BAD_REQUEST, "unsealable", detail)
        }
        // Whoever does not hold a key of the box does not hear which of these it is.
        OpenError::UnknownKey | OpenError::Forged => unrecognised(),
        OpenError::Revoked => Problem::new(StatusCode::FORBIDDEN, "revoked", detail),
    }
}

fn unrecognised() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unrecognised", Refused::Unrecognised.to_string())
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
