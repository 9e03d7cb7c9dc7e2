//! Why a FHIR request was not done, as an OperationOutcome
//! (<https://hl7.org/fhir/R4/operationoutcome.html>).

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use fhir::slot::TYPE as SLOT;
use fhir::{IssueCode, Outcome, Severity, scope};
use prm::error::{Code, Error};
use prm::slot;
use serde_json::{Value, json};

use super::FHIR_JSON;
use super::wire::Asked;
use super::write::Refused;
use crate::app::App;
use crate::http::error::{Problem, status};

/// The extension of an issue with a slot that is free instead.
const ALTERNATIVE: &str = "https://carepost.health/fhir/StructureDefinition/alternative-slot";

/// What a handler answers.
pub type Answer<T> = Result<T, Fault>;

/// Why a request was not done.
#[derive(Debug)]
pub struct Fault {
    status: StatusCode,
    outcome: Box<Outcome>,
    retry_after: Option<u32>,
    refused: Option<Box<Code>>,
    alternatives: Vec<Value>,
}

impl Fault {
    /// A fault with its status and what is wrong.
    pub fn new(status: StatusCode, code: IssueCode, diagnostics: impl Into<String>) -> Self {
        Self::of(status, Outcome::error(code, diagnostics))
    }

    /// A fault with all that is wrong.
    pub fn of(status: StatusCode, outcome: Outcome) -> Self {
        Self {
            status,
            outcome: Box::new(outcome),
            retry_after: None,
            refused: None,
            alternatives: Vec::new(),
        }
    }

    /// There is nothing under this type and id.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, IssueCode::NotFound, "there is no such resource here")
    }

    /// It was deleted.
    pub fn gone() -> Self {
        let what = "this resource was deleted; its earlier versions are under _history";
        Self::new(StatusCode::GONE, IssueCode::Deleted, what)
    }

    /// The fault of an entry of a bundle: each issue says in which.
    fn within(mut self, at: usize) -> Self {
        for issue in &mut self.outcome.issues {
            let place = format!("Bundle.entry[{at}].resource");
            issue.expression = Some(match issue.expression.take() {
                None => format!("Bundle.entry[{at}]"),
                Some(inner) if inner.starts_with("Bundle.") => inner,
                Some(inner) => match inner.split_once('.') {
                    Some((_, rest)) => format!("{place}.{rest}"),
                    None => place,
                },
            });
        }
        self
    }

    /// To be tried again after so many seconds.
    #[must_use]
    pub fn after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// All that is wrong.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// A hold that cannot be had, as IHE wants it said (ITI-116): fatal, and not found.
    pub fn of_a_hold(mut self) -> Self {
        let is_gone = matches!(
            self.refused.as_deref(),
            Some(
                Code::SlotTaken(_)
                    | Code::SlotLent(_)
                    | Code::SlotUnavailable
                    | Code::SessionFull(_)
                    | Code::LocationTaken(_)
            )
        );
        if (is_gone || self.status == StatusCode::NOT_FOUND)
            && let Some(issue) = self.outcome.issues.first_mut()
        {
            (issue.severity, issue.code) = (Severity::Fatal, IssueCode::NotFound);
            self.status = StatusCode::NOT_FOUND;
        }
        self
    }

    /// With the nearest free slots, if it was a slot that could not be had.
    pub async fn with_alternatives(mut self, app: &App, asked: &Asked) -> Self {
        let Some(
            Code::SlotTaken(slot)
            | Code::SlotLent(slot)
            | Code::SessionFull(slot)
            | Code::LocationTaken(slot),
        ) = self.refused.as_deref()
        else {
            return self;
        };
        if !asked.stamp.sees(SLOT) {
            return self;
        }
        let (slot, stamp) = (*slot, asked.stamp);
        let near = app.db.read(move |read| slot::nearest(read, &stamp, slot, None)).await;
        // Whoever lost the slot hears so even if nothing else can be found.
        let near = near.unwrap_or_default();
        self.alternatives = near
            .iter()
            .map(|slot| {
                let reference =
                    json!({ "reference": format!("Slot/{}", slot.id), "display": app.local(slot.start) });
                json!({ "url": ALTERNATIVE, "valueReference": reference })
            })
            .collect();
        self
    }
}

impl From<Outcome> for Fault {
    fn from(outcome: Outcome) -> Self {
        let status = StatusCode::from_u16(outcome.status());
        Self::of(status.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY), outcome)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let (status, code, retry_after) = match &error {
            Error::NotFound(_) => (StatusCode::NOT_FOUND, IssueCode::NotFound, None),
            // A page link that the box did not make is no matter of the records.
            Error::Refused(refusal) if matches!(refusal.field, Some("_cursor" | "cursor")) => {
                (StatusCode::BAD_REQUEST, IssueCode::Value, None)
            }
            Error::Refused(refusal) => (status(&refusal.code), issue(&refusal.code), None),
            Error::Stale { .. } => (StatusCode::PRECONDITION_FAILED, IssueCode::Conflict, None),
            Error::Unknown => (StatusCode::UNAUTHORIZED, IssueCode::Login, None),
            Error::Forbidden => (StatusCode::FORBIDDEN, IssueCode::Forbidden, None),
            Error::Busy => (StatusCode::SERVICE_UNAVAILABLE, IssueCode::Throttled, Some(1)),
            Error::Full => (StatusCode::INSUFFICIENT_STORAGE, IssueCode::Exception, Some(60)),
            Error::Storage(_) => (StatusCode::INTERNAL_SERVER_ERROR, IssueCode::Exception, None),
        };
        let detail = match &error {
            Error::Storage(what) => {
                // What SQLite says may name columns, which is for the log, not for strangers.
                tracing::error!(%what, "the database failed");
                "the database failed; nothing was written".to_owned()
            }
            Error::NotFound(_)
            | Error::Refused(_)
            | Error::Stale { .. }
            | Error::Unknown
            | Error::Forbidden
            | Error::Busy
            | Error::Full => error.to_string(),
        };
        let refused = match error {
            Error::Refused(refusal) => Some(Box::new(refusal.code)),
            Error::NotFound(_)
            | Error::Stale { .. }
            | Error::Unknown
            | Error::Forbidden
            | Error::Busy
            | Error::Full
            | Error::Storage(_) => None,
        };
        Self { retry_after, refused, ..Self::new(status, code, detail) }
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Rule(error) => error.into(),
            Refused::Resource(outcome) => outcome.into(),
            Refused::Gone => Self::gone(),
            Refused::Entry(at, refused) => Self::from(*refused).within(at),
        }
    }
}

/// FHIR's word for a rule that said no.
fn issue(code: &Code) -> IssueCode {
    match code {
        Code::Invalid => IssueCode::Value,
        Code::SlotTaken(_)
        | Code::SlotLent(_)
        | Code::SlotUnlearned(_)
        | Code::SlotUnavailable
        | Code::SessionFull(_)
        | Code::LocationTaken(_)
        | Code::PatientDoubleBooked(_) => IssueCode::Conflict,
        Code::LikelyDuplicate(_) | Code::IdentifierTaken(_) | Code::NameTaken => {
            IssueCode::Duplicate
        }
        Code::TooManyTries(_) | Code::TooMany => IssueCode::TooCostly,
        Code::WrongSignin | Code::WrongCode => IssueCode::Login,
        Code::SeeTheDesk | Code::QueueEmpty => IssueCode::NotFound,
        Code::ChoosePerson(_) => IssueCode::MultipleMatches,
        Code::IllegalStep
        | Code::HoldExpired
        | Code::LoanNotOver(_)
        | Code::NotLent
        | Code::Inactive
        | Code::IdempotencyReused
        | Code::LastAdmin => IssueCode::BusinessRule,
    }
}

impl From<Problem> for Fault {
    /// What the doors say to everybody, such as about a body that is too large.
    fn from(problem: Problem) -> Self {
        let (status, code) = match problem.status() {
            status @ StatusCode::UNAUTHORIZED => (status, IssueCode::Login),
            status @ StatusCode::PAYLOAD_TOO_LARGE => (status, IssueCode::TooLong),
            status => (status, IssueCode::Processing),
        };
        Self::new(status, code, problem.detail())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut body = self.outcome.to_json();
        if !self.alternatives.is_empty()
            && let Some(issue) = body.pointer_mut("/issue/0").and_then(Value::as_object_mut)
        {
            issue.insert("extension".into(), self.alternatives.into());
        }
        let body = body.to_string();
        let mut response =
            (self.status, [(CONTENT_TYPE, HeaderValue::from_static(FHIR_JSON))], body)
                .into_response();
        if let Some(challenge) = challenge(self.status, &self.outcome) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
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

/// What is answered when a handler failed unexpectedly.
pub fn after_panic(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a handler failed unexpectedly");
    let what = "the box failed unexpectedly; look whether it was done before trying again";
    Fault::new(StatusCode::INTERNAL_SERVER_ERROR, IssueCode::Exception, what).into_response()
}
