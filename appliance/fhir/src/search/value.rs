//! One value after a `=`, read for its parameter.
//!
//! Source: <https://hl7.org/fhir/R4/search.html#ptypes>.

use super::{How, Kind, Modifier, PHONETIC, ParamKind, Parameter, Value, date, escape};
use crate::here::Here;
use crate::outcome::{IssueCode, Outcome};
use crate::reference::{self, Target};

/// The longest number that is compared, in characters.
const NUMBER_CHARACTERS_MAX: usize = 40;

/// The value that `text` (its `\` still in it) says; none if it says nothing.
pub(super) fn read(
    text: &str,
    parameter: &'static Parameter,
    modifier: Option<Modifier>,
    here: Here<'_>,
) -> Result<Option<Value>, Outcome> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let plain = escape::plain(text.trim());
    let (value, says) = match (modifier, parameter.kind) {
        (Some(Modifier::Missing), _) => (flag(&plain), "say true or false"),
        (Some(Modifier::Identifier), _) => (token(text, false), TOKEN),
        (Some(Modifier::Type(type_)), _) => {
            let said = reference_to(&plain, Some(type_), here);
            (said.filter(|value| is_to(value, type_)), REFERENCE)
        }
        (Some(Modifier::Exact), _) => (Some(Value::Text { how: How::Exact, text: plain }), ""),
        (Some(Modifier::Contains), _) => {
            (Some(Value::Text { how: How::Contains, text: plain }), "")
        }
        (Some(Modifier::Text), _) => (Some(Value::Text { how: How::Starts, text: plain }), ""),
        (None | Some(Modifier::Not), ParamKind::Token) => {
            (token(text, stands_alone(parameter)), TOKEN)
        }
        (None | Some(Modifier::Not), ParamKind::Reference) => {
            (reference_to(&plain, only_target(parameter), here), REFERENCE)
        }
        (None | Some(Modifier::Not), ParamKind::Date) => (
            date::read(&plain, here.zone()),
            "write dates as 2026-11-23 or 2026-11-23T10:00:00+05:30, before them eq, ne, gt, lt, ge, \
             le, sa, eb or ap",
        ),
        (None | Some(Modifier::Not), ParamKind::String) => {
            let how = if parameter.name == PHONETIC { How::Sounds } else { How::Starts };
            (Some(Value::Text { how, text: plain }), "")
        }
        (None | Some(Modifier::Not), ParamKind::Number) => (
            number(&plain),
            "write numbers as 0.80 or 1e3, before them eq, ne, gt, lt, ge, le, sa, eb or ap",
        ),
        (None | Some(Modifier::Not), ParamKind::Uri) => (Some(Value::Uri(plain)), ""),
    };
    let refused = || Outcome::error(IssueCode::Value, format!("{}: {says}", parameter.name));
    value.map(Some).ok_or_else(refused)
}

const TOKEN: &str = "write code, system|code, |code or system|";
const REFERENCE: &str = "write the id, Type/id or the whole address of the resource";

fn flag(text: &str) -> Option<Value> {
    match text {
        "true" => Some(Value::Flag(true)),
        "false" => Some(Value::Flag(false)),
        _ => None,
    }
}

/// Whether all values of the parameter are codes that have no system of their own.
fn stands_alone(parameter: &Parameter) -> bool {
    parameter.places.iter().all(|place| place.kind == Kind::Plain)
}

fn token(text: &str, stands_alone: bool) -> Option<Value> {
    let said = |text: &str| Some(escape::plain(text.trim())).filter(|text| !text.is_empty());
    let (system, code) = match escape::split_once(text, '|') {
        Some((system, code)) => (Some(said(system)), said(code)),
        None => (None, said(text)),
    };
    let system = system.filter(|_| !stands_alone);
    let has_any = code.is_some() || matches!(system, Some(Some(_)));
    has_any.then_some(Value::Token { system, code })
}

/// The one type that a parameter may point to.
fn only_target(parameter: &Parameter) -> Option<&'static str> {
    match parameter.targets.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

/// A bare id is one of the type `type_`.
fn reference_to(text: &str, type_: Option<&'static str>, here: Here<'_>) -> Option<Value> {
    match reference::parse(text, here.origin) {
        Some(Target::Local(local)) => {
            Some(Value::Reference { type_: Some(local.resource_type), id: local.id.to_owned() })
        }
        Some(Target::Urn(url) | Target::Foreign(url)) => Some(Value::Url(url.to_owned())),
        Some(Target::Contained(_) | Target::Conditional { .. } | Target::Logical) => None,
        None => reference::is_id(text).then(|| Value::Reference { type_, id: text.to_owned() }),
    }
}

fn is_to(value: &Value, type_: &str) -> bool {
    match value {
        Value::Reference { type_: Some(said), .. } => *said == type_,
        Value::Reference { type_: None, .. }
        | Value::Url(_)
        | Value::Token { .. }
        | Value::Date { .. }
        | Value::Text { .. }
        | Value::Number { .. }
        | Value::Uri(_)
        | Value::Flag(_) => false,
    }
}

fn number(text: &str) -> Option<Value> {
    let (prefix, text) = date::prefixed(text);
    is_decimal(text).then(|| Value::Number { prefix, decimal: text.to_owned() })
}

/// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let mantissa = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, part) = match mantissa.split_once('.') {
        Some((whole, part)) => (whole, Some(part)),
        None => (mantissa, None),
    };
    let unsigned = |text: &'_ str| text.strip_prefix(['+', '-']).unwrap_or(text).to_owned();
    text.len() <= NUMBER_CHARACTERS_MAX
        && digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && part.is_none_or(digits)
        && exponent.is_none_or(|exponent| exponent.len() <= 3 && digits(&unsigned(exponent)))
}
