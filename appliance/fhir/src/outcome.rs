//! What is wrong with a resource or a request, as FHIR says it: an [`Outcome`] with its issues.
//!
//! Source: <https://hl7.org/fhir/R4/operationoutcome.html>.
//! Invariant: the text of an issue never repeats a value that came in, because it could be personal.
//! It names the element and says what to do.

use std::fmt;

use serde_json::{Map, Value};

/// Why something was not done, or what is to be known about what was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", first(.issues))]
pub struct Outcome {
    /// The issues, in the order in which they were found; at least one.
    pub issues: Vec<Issue>,
}

/// One thing that is wrong or worth saying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// How bad it is.
    pub severity: Severity,
    /// Of which kind it is.
    pub code: IssueCode,
    /// What to do, in English, without a value that came in.
    pub diagnostics: String,
    /// The element as a FHIRPath, such as `Patient.contact[0].name.family`.
    pub expression: Option<String>,
}

/// How bad an issue is (`http://hl7.org/fhir/issue-severity`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Nothing more could be looked at.
    Fatal,
    /// It was not done.
    Error,
    /// It was done, but may not be what was meant.
    Warning,
    /// Nothing is wrong.
    Information,
}

/// The kinds of issue that the box answers (`http://hl7.org/fhir/issue-type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssueCode {
    /// The content cannot be read, for instance because it is not JSON.
    Invalid,
    /// An element that does not exist, or of the wrong shape.
    Structure,
    /// A required element is missing.
    Required,
    /// A value is not in the format of its element.
    Value,
    /// A rule between elements does not hold.
    Invariant,
    /// Sign in first.
    Login,
    /// The caller may not do this.
    Forbidden,
    /// It could not be processed.
    Processing,
    /// The box does not do this.
    NotSupported,
    /// There is one already.
    Duplicate,
    /// More than one fits.
    MultipleMatches,
    /// There is none.
    NotFound,
    /// It was deleted.
    Deleted,
    /// The content is too long.
    TooLong,
    /// A code is not one of its value set.
    CodeInvalid,
    /// It would take too much; ask for less.
    TooCostly,
    /// A rule of the clinic says no.
    BusinessRule,
    /// It does not fit what is on record now.
    Conflict,
    /// Somebody else holds it.
    LockError,
    /// The box failed.
    Exception,
    /// It took too long.
    Timeout,
    /// Too many requests.
    Throttled,
    /// Nothing is wrong.
    Informational,
}

impl Severity {
    /// FHIR's code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fatal => "fatal",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Information => "information",
        }
    }
}

impl IssueCode {
    /// FHIR's code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Structure => "structure",
            Self::Required => "required",
            Self::Value => "value",
            Self::Invariant => "invariant",
            Self::Login => "login",
            Self::Forbidden => "forbidden",
            Self::Processing => "processing",
            Self::NotSupported => "not-supported",
            Self::Duplicate => "duplicate",
            Self::MultipleMatches => "multiple-matches",
            Self::NotFound => "not-found",
            Self::Deleted => "deleted",
            Self::TooLong => "too-long",
            Self::CodeInvalid => "code-invalid",
            Self::TooCostly => "too-costly",
            Self::BusinessRule => "business-rule",
            Self::Conflict => "conflict",
            Self::LockError => "lock-error",
            Self::Exception => "exception",
            Self::Timeout => "timeout",
            Self::Throttled => "throttled",
            Self::Informational => "informational",
        }
    }
}

impl Issue {
    /// An error that concerns no element in particular.
    pub fn error(code: IssueCode, diagnostics: impl Into<String>) -> Self {
        let diagnostics = diagnostics.into();
        Self { severity: Severity::Error, code, diagnostics, expression: None }
    }

    /// An error of the element at `expression`.
    pub fn at(
        expression: impl Into<String>,
        code: IssueCode,
        diagnostics: impl Into<String>,
    ) -> Self {
        Self { expression: Some(expression.into()), ..Self::error(code, diagnostics) }
    }

    /// What the caller may like to know although nothing is wrong.
    pub fn information(diagnostics: impl Into<String>) -> Self {
        let severity = Severity::Information;
        Self { severity, ..Self::error(IssueCode::Informational, diagnostics) }
    }

    /// What was done, but may not be what was meant.
    pub fn warning(code: IssueCode, diagnostics: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, diagnostics) }
    }

    fn to_json(&self) -> Value {
        let mut issue = Map::new();
        issue.insert("severity".into(), self.severity.as_str().into());
        issue.insert("code".into(), self.code.as_str().into());
        // A string of FHIR holds at least one character.
        if !self.diagnostics.is_empty() {
            issue.insert("diagnostics".into(), self.diagnostics.as_str().into());
        }
        if let Some(expression) = &self.expression {
            issue.insert("expression".into(), Value::Array(vec![expression.as_str().into()]));
        }
        Value::Object(issue)
    }
}

impl Outcome {
    /// One error that concerns no element in particular.
    pub fn error(code: IssueCode, diagnostics: impl Into<String>) -> Self {
        Issue::error(code, diagnostics).into()
    }

    /// One error of the element at `expression`.
    pub fn at(
        expression: impl Into<String>,
        code: IssueCode,
        diagnostics: impl Into<String>,
    ) -> Self {
        Issue::at(expression, code, diagnostics).into()
    }

    /// The status of HTTP for what is wrong with a resource or a request: 422 where a rule of FHIR or of the
    /// clinic is broken or something else is missing, 400 where it cannot be read at all, or where no
    /// element is wrong but the request itself, such as a search.
    pub fn status(&self) -> u16 {
        let first = self.issues.first();
        let is_of_element = first.is_some_and(|issue| issue.expression.is_some());
        match first.map(|issue| issue.code) {
            Some(IssueCode::Required | IssueCode::Value) if !is_of_element => 400,
            Some(
                IssueCode::Invalid
                | IssueCode::Structure
                | IssueCode::NotSupported
                | IssueCode::TooCostly,
            ) => 400,
            Some(IssueCode::MultipleMatches | IssueCode::Duplicate) => 412,
            Some(IssueCode::TooLong) => 413,
            Some(IssueCode::Forbidden) => 403,
            Some(
                IssueCode::Required
                | IssueCode::Value
                | IssueCode::Invariant
                | IssueCode::Login
                | IssueCode::Processing
                | IssueCode::NotFound
                | IssueCode::Deleted
                | IssueCode::CodeInvalid
                | IssueCode::BusinessRule
                | IssueCode::Conflict
                | IssueCode::LockError
                | IssueCode::Exception
                | IssueCode::Timeout
                | IssueCode::Throttled
                | IssueCode::Informational,
            )
            | None => 422,
        }
    }

    /// The resource `OperationOutcome`.
    pub fn to_json(&self) -> Value {
        let mut outcome = Map::new();
        outcome.insert("resourceType".into(), "OperationOutcome".into());
        outcome.insert("issue".into(), self.issues.iter().map(Issue::to_json).collect());
        Value::Object(outcome)
    }
}

impl From<Issue> for Outcome {
    fn from(issue: Issue) -> Self {
        Self { issues: vec![issue] }
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.expression {
            Some(expression) => write!(f, "{expression}: {}", self.diagnostics),
            None => f.write_str(&self.diagnostics),
        }
    }
}

fn first(issues: &[Issue]) -> String {
    issues.first().map(Issue::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_an_operation_outcome() {
        let outcome = Outcome::at("Patient.birthDate", IssueCode::Value, "write it as 1984-05-02");
        let expected = serde_json::json!({
            "resourceType": "OperationOutcome",
            "issue": [{
                "severity": "error",
                "code": "value",
                "diagnostics": "write it as 1984-05-02",
                "expression": ["Patient.birthDate"],
            }],
        });
        assert_eq!(outcome.to_json(), expected);
        assert_eq!(outcome.to_string(), "Patient.birthDate: write it as 1984-05-02");
    }
}
