//! Codes, identifiers and telephone numbers.
//!
//! Source: <https://hl7.org/fhir/R4/search.html#token>.

use serde_json::Value as Json;

use prm::contact::ascii_digits;
use prm::patient::{Identifier, is_abha_system};

use crate::search::{Kind, PHONE_DIGITS_MIN};

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) system: Option<&'a Option<String>>,
    pub(super) code: Option<&'a str>,
}

impl Asked<'_> {
    /// Whether an element says it.
    pub(super) fn fits(self, kind: Kind, json: &Json) -> bool {
        match kind {
            Kind::Plain => match json {
                Json::String(code) => self.says(None, Some(code)),
                Json::Bool(is) => self.says(None, Some(if *is { "true" } else { "false" })),
                Json::Null | Json::Number(_) | Json::Array(_) | Json::Object(_) => false,
            },
            Kind::Coding => self.says(json["system"].as_str(), json["code"].as_str()),
            Kind::Concept => {
                let codings = json["coding"].as_array().into_iter().flatten();
                codings.into_iter().any(|coding| self.fits(Kind::Coding, coding))
            }
            Kind::Identifier => {
                let (system, value) = (json["system"].as_str(), json["value"].as_str());
                self.says(system, value) || self.is_abha(system, value)
            }
            Kind::ContactPoint => self.reaches(json),
            Kind::Reference
            | Kind::Canonical
            | Kind::Date
            | Kind::Period
            | Kind::Timing
            | Kind::Text
            | Kind::HumanName
            | Kind::Address
            | Kind::Number
            | Kind::Uri => false,
        }
    }

    fn says(self, system: Option<&str>, code: Option<&str>) -> bool {
        (system.is_some() || code.is_some())
            && self.system.is_none_or(|asked| asked.as_deref() == system)
            && self.code.is_none_or(|asked| Some(asked) == code)
    }

    /// An ABHA number is the same under both names of its system, however its digits are grouped.
    fn is_abha(self, system: Option<&str>, value: Option<&str>) -> bool {
        let (Some(system), Some(value)) = (system.filter(|it| is_abha_system(it)), value) else {
            return false;
        };
        let asked = match self.system {
            None => system,
            Some(Some(asked)) if is_abha_system(asked) => asked,
            Some(_) => return false,
        };
        let Some(code) = self.code else { return true };
        let said = Identifier::parse(system, value);
        said.is_ok_and(|said| Identifier::parse(asked, code).is_ok_and(|asked| asked == said))
    }

    /// A number by its digits, anything else without regard to capitals.
    fn reaches(self, json: &Json) -> bool {
        let system = json["system"].as_str();
        if self.system.is_some_and(|asked| asked.as_deref() != system) {
            return false;
        }
        let (Some(asked), Some(said)) = (self.code, json["value"].as_str()) else {
            return self.code.is_none();
        };
        if is_number(system) {
            is_same_number(asked, said)
        } else {
            asked.to_lowercase() == said.to_lowercase()
        }
    }
}

/// Whether what is reached by this system is a number.
pub(super) fn is_number(system: Option<&str>) -> bool {
    matches!(system, Some("phone" | "fax" | "pager" | "sms"))
}

/// The digits of a telephone number without zeros at the beginning, as they are compared.
pub fn digits(text: &str) -> String {
    let all: String = ascii_digits(text).chars().filter(char::is_ascii_digit).collect();
    all.trim_start_matches('0').to_owned()
}

/// The last [`PHONE_DIGITS_MIN`] of the [`digits`], or all if they are fewer: what two numbers have in
/// common that may be the same.
pub fn last_digits(text: &str) -> String {
    let mut all = digits(text);
    all.drain(..all.len().saturating_sub(PHONE_DIGITS_MIN));
    all
}

/// Whether one of the numbers ends with the other, zeros at the beginning left out.
fn is_same_number(asked: &str, said: &str) -> bool {
    let (asked, said) = (digits(asked), digits(said));
    let is_long = asked.len().min(said.len()) >= PHONE_DIGITS_MIN;
    asked == said || is_long && (asked.ends_with(&said) || said.ends_with(&asked))
}
