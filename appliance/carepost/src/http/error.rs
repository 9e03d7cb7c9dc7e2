//! Errors as responses: RFC 9457 problems with a stable code.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use prm::error::{Code, Error};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// What a handler answers.
pub type Answer<T> = Result<T, Problem>;

/// Why a request was not done, as it goes over the wire. Some codes bring more members, for
/// example `alternatives` with `slot_taken`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Problem {
    /// Always `about:blank`: the code says which problem it is.
    #[serde(rename = "type")]
    #[schema(rename = "type")]
    kind: &'static str,
    /// The HTTP status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong and what to do, in English.
    detail: Box<str>,
    /// Which problem; the words are stable.
    code: String,
    /// The field that is wrong, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<Box<str>>,
    #[serde(flatten)]
    #[schema(ignore)]
    more: Box<Map<String, Value>>,
    #[serde(skip)]
    retry_after: Option<u32>,
    #[serde(skip)]
    refused: Option<Box<Code>>,
}

impl Problem {
    /// A problem with a stable code and a sentence that says what to do.
    pub fn new(status: StatusCode, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into().into_boxed_str(),
            code: code.into(),
            field: None,
            more: Box::default(),
            retry_after: None,
            refused: None,
        }
    }

    /// The problem of one field (422).
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            field: Some(field.into().into_boxed_str()),
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
        }
    }

    /// With one more member, for example `alternatives`.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Serialize) -> Self {
        // What cannot be written as JSON is left out; the code and the detail still say enough.
        if let Ok(value) = serde_json::to_value(value) {
            self.more.insert(member.to_owned(), value);
        }
        self
    }

    /// With the seconds after which to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What is wrong and what to do.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The rule that said no, with what it names, when a rule did.
    pub fn refused(&self) -> Option<&Code> {
        self.refused.as_deref()
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::NotFound(noun) => {
                Self::new(StatusCode::NOT_FOUND, format!("{}_not_found", noun.as_str()), detail)
            }
            Error::Refused(refusal) => {
                let problem = Self {
                    field: refusal.field.map(Box::from),
                    refused: Some(Box::new(refusal.code.clone())),
                    ..Self::new(status(&refusal.code), refusal.code.as_str(), refusal.detail)
                };
                match seconds_to_wait(&refusal.code) {
                    Some(seconds) => problem.retry_after(seconds),
                    None => problem,
                }
            }
            Error::Stale { now } => Self::new(StatusCode::PRECONDITION_FAILED, "stale", detail)
                .with("current_version", now),
            Error::Unknown => Self::new(StatusCode::UNAUTHORIZED, "signin_required", detail),
            Error::Forbidden => Self::new(StatusCode::FORBIDDEN, "forbidden", detail),
            Error::Busy => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).retry_after(1)
            }
            Error::Full => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full", detail).retry_after(60)
            }
            Error::Storage(what) => {
                // What SQLite says may name columns, which is for the log, not for strangers.
                tracing::error!(%what, "the database failed");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "storage_failed",
                    "the database failed; nothing was written; `carepost doctor` looks for the cause",
                )
            }
        }
    }
}

/// In how many seconds somebody may come again who came too often; none if that is not why.
pub fn seconds_to_wait(code: &Code) -> Option<u32> {
    match code {
        Code::TooManyTries(seconds) => Some(*seconds),
        Code::TooMany => Some(60),
        Code::LoanNotOver(seconds) => Some(u32::try_from(*seconds).unwrap_or(u32::MAX)),
        Code::Invalid
        | Code::SlotTaken(_)
        | Code::SlotLent(_)
        | Code::SlotUnlearned(_)
        | Code::NotLent
        | Code::SlotUnavailable
        | Code::SessionFull(_)
        | Code::LocationTaken(_)
        | Code::PatientDoubleBooked(_)
        | Code::IllegalStep
        | Code::HoldExpired
        | Code::LikelyDuplicate(_)
        | Code::IdentifierTaken(_)
        | Code::Inactive
        | Code::SeeTheDesk
        | Code::ChoosePerson(_)
        | Code::QueueEmpty
        | Code::NameTaken
        | Code::WrongCode
        | Code::WrongSignin
        | Code::IdempotencyReused
        | Code::LastAdmin => None,
    }
}

/// The HTTP status of a rule that said no.
pub(super) fn status(code: &Code) -> StatusCode {
    match code {
        Code::Invalid | Code::IdempotencyReused => StatusCode::UNPROCESSABLE_ENTITY,
        Code::SlotTaken(_)
        | Code::SlotLent(_)
        | Code::SlotUnlearned(_)
        | Code::LoanNotOver(_)
        | Code::NotLent
        | Code::SlotUnavailable
        | Code::SessionFull(_)
        | Code::LocationTaken(_)
        | Code::PatientDoubleBooked(_)
        | Code::IllegalStep
        | Code::HoldExpired
        | Code::LikelyDuplicate(_)
        | Code::IdentifierTaken(_)
        | Code::Inactive
        | Code::ChoosePerson(_)
        | Code::NameTaken
        | Code::LastAdmin => StatusCode::CONFLICT,
        Code::SeeTheDesk | Code::QueueEmpty | Code::WrongCode => StatusCode::NOT_FOUND,
        Code::WrongSignin => StatusCode::UNAUTHORIZED,
        Code::TooManyTries(_) | Code::TooMany => StatusCode::TOO_MANY_REQUESTS,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 15.5.2, wants to hear how; people sign in on the screens instead.
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// What is answered when a handler failed unexpectedly.
pub fn after_panic(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a handler failed unexpectedly");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "failed",
        "the box failed unexpectedly; look whether it was done before trying again",
    )
    .into_response()
}
