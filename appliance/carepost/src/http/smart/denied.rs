//! Why no token was granted, as OAuth says it (RFC 6749, section 5.2).

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderValue, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use prm::error::Error;
use serde_json::json;

use crate::http::error::seconds_to_wait;

/// Why no token was granted. What is said repeats nothing that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    status: StatusCode,
    error: &'static str,
    description: &'static str,
    retry_after: Option<u32>,
}

impl Denied {
    /// Whoever asks is no client, or did not prove to be one.
    pub const INVALID_CLIENT: Self = Self::of(
        StatusCode::UNAUTHORIZED,
        "invalid_client",
        "the client is not known here, or its assertion is not good; the log of the box says why",
    );
    /// Nothing that is asked for was the client registered for.
    pub const INVALID_SCOPE: Self = Self::of(
        StatusCode::BAD_REQUEST,
        "invalid_scope",
        "scope names nothing that the client was registered for, such as system/Patient.rs",
    );
    /// Another grant than the one that programs have.
    pub const UNSUPPORTED_GRANT: Self = Self::of(
        StatusCode::BAD_REQUEST,
        "unsupported_grant_type",
        "grant_type is client_credentials",
    );

    const fn of(status: StatusCode, error: &'static str, description: &'static str) -> Self {
        Self { status, error, description, retry_after: None }
    }

    /// The request cannot be read.
    pub const fn invalid(description: &'static str) -> Self {
        Self::of(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    /// The request cannot be read, and this status says why.
    pub const fn with_status(status: StatusCode, description: &'static str) -> Self {
        Self::of(status, "invalid_request", description)
    }

    const fn later(status: StatusCode, seconds: u32) -> Self {
        let denied = Self::of(status, "temporarily_unavailable", "try again later");
        Self { retry_after: Some(seconds), ..denied }
    }
}

impl From<Error> for Denied {
    fn from(error: Error) -> Self {
        match error {
            Error::Unknown | Error::Forbidden | Error::NotFound(_) => Self::INVALID_CLIENT,
            Error::Refused(refusal) => match seconds_to_wait(&refusal.code) {
                Some(seconds) => Self::later(StatusCode::TOO_MANY_REQUESTS, seconds),
                None => Self::INVALID_CLIENT,
            },
            Error::Stale { .. } | Error::Busy => Self::later(StatusCode::SERVICE_UNAVAILABLE, 1),
            Error::Full => Self::later(StatusCode::INSUFFICIENT_STORAGE, 60),
            Error::Storage(what) => {
                // What SQLite says may name columns, which is for the log, not for strangers.
                tracing::error!(%what, "the database failed");
                let what = "the database failed; no token was granted";
                Self::of(StatusCode::INTERNAL_SERVER_ERROR, "server_error", what)
            }
        }
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let Self { status, error, description, retry_after } = self;
        let body = Json(json!({ "error": error, "error_description": description }));
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 15.5.2, wants to hear how.
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
