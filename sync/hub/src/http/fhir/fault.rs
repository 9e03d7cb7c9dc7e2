//! Why a FHIR request was not done, as an OperationOutcome
//! (<https://hl7.org/fhir/R4/operationoutcome.html>).

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use fhir::{IssueCode, Outcome, scope};

use super::FHIR_JSON;
use crate::booking::NotDone;
use crate::hub::ReadError;
use crate::loans::NotSold;
use crate::requests::NotAsked;
use crate::search::Unanswered;
use crate::store::StoreError;

/// What a handler answers.
pub type Answer<T> = Result<T, Fault>;

/// Why a request was not done.
#[derive(Debug)]
pub struct Fault {
    status: StatusCode,
    outcome: Box<Outcome>,
    retry_after: Option<u32>,
}

impl Fault {
    /// A fault with its status and what is wrong.
    pub fn new(status: StatusCode, code: IssueCode, diagnostics: impl Into<String>) -> Self {
        Self::of(status, Outcome::error(code, diagnostics))
    }

    fn of(status: StatusCode, outcome: Outcome) -> Self {
        Self { status, outcome: Box::new(outcome), retry_after: None }
    }

    /// There is nothing under this type and id.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, IssueCode::NotFound, "there is no such resource here")
    }

    /// No token, or none that is good for the clinic in the address, whether or not there is such a clinic:
    /// all alike.
    pub fn unknown() -> Self {
        let what = "show a token of this clinic: Authorization: Bearer ...";
        Self::new(StatusCode::UNAUTHORIZED, IssueCode::Login, what)
    }

    /// The hub has too much to do, or this token asked too often.
    pub fn later(status: StatusCode, seconds: u32) -> Self {
        let what = "too much is asked at once; try again later";
        Self::new(status, IssueCode::Throttled, what).after(seconds)
    }

    /// The hub failed. What exactly goes to the log.
    pub fn failed(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a request of FHIR could not be answered");
        let what = "the hub cannot do this now; try again later";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, IssueCode::Exception, what).after(30)
    }

    /// To be tried again after so many seconds.
    #[must_use]
    pub fn after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl From<Outcome> for Fault {
    fn from(outcome: Outcome) -> Self {
        let status = StatusCode::from_u16(outcome.status());
        Self::of(status.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY), outcome)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::failed(&error)
    }
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Self {
        Self::failed(&error)
    }
}

impl From<Unanswered> for Fault {
    fn from(error: Unanswered) -> Self {
        match error {
            Unanswered::Asked(outcome) => outcome.into(),
            Unanswered::Indexing => {
                let what = error.to_string();
                Self::new(StatusCode::SERVICE_UNAVAILABLE, IssueCode::Timeout, what).after(60)
            }
            Unanswered::Failed(error) => error.into(),
        }
    }
}

impl From<NotDone> for Fault {
    fn from(error: NotDone) -> Self {
        match error {
            NotDone::Said(status, outcome) => {
                let status = StatusCode::from_u16(status);
                Self::of(status.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY), outcome)
            }
            NotDone::Read(error) => error.into(),
            NotDone::Search(error) => error.into(),
            NotDone::Queue(error) => error.into(),
            NotDone::Loan(NotSold::TooLong) => {
                let what = NotSold::TooLong.to_string();
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, IssueCode::TooLong, what)
            }
            NotDone::Loan(error) => Self::failed(&error),
        }
    }
}

impl From<NotAsked> for Fault {
    fn from(error: NotAsked) -> Self {
        match error {
            NotAsked::Full(_) | NotAsked::Stopping => {
                Self::later(StatusCode::SERVICE_UNAVAILABLE, 30)
            }
            NotAsked::NoClinic => Self::unknown(),
            NotAsked::Store(error) => error.into(),
            NotAsked::Key(error) => Self::failed(&error),
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let body = self.outcome.to_json().to_string();
        let kind = HeaderValue::from_static(FHIR_JSON);
        let mut response = (self.status, [(CONTENT_TYPE, kind)], body).into_response();
        let headers = response.headers_mut();
        if let Some(challenge) = challenge(self.status, &self.outcome) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// How to be let in: with a token, or with one that has the scope (RFC 6750, section 3).
fn challenge(status: StatusCode, outcome: &Outcome) -> Option<HeaderValue> {
    if status == StatusCode::UNAUTHORIZED {
        return Some(HeaderValue::from_static("Bearer"));
    }
    let scope = scope::missing(outcome).filter(|_| status == StatusCode::FORBIDDEN)?;
    HeaderValue::from_str(&format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"")).ok()
}
