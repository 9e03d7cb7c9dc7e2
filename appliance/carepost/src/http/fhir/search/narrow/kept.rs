//! What other systems gave, as the database holds it ([`fhir::chart::index`]).

use fhir::matching::{folded, last_digits};
use fhir::search::{How, ParamKind, Parameter, Value};
use prm::given::KEY_BYTES_MAX;
use prm::name::sound;
use prm::patient::{abha_spellings, is_abha_system};
use prm::query::{Field, How as TextHow, Wanted};

use super::compared;

/// Where the values of a parameter are; nowhere if they are not indexed, or if what is not said counts
/// as said.
pub fn field(type_: &'static str, parameter: &Parameter) -> Option<Field> {
    if parameter.name == "active" {
        return None;
    }
    match parameter.kind {
        ParamKind::Token | ParamKind::Reference | ParamKind::String | ParamKind::Uri => {
            Some(Field::given(type_, parameter.name))
        }
        ParamKind::Date => Some(Field::given_time(type_, parameter.name)),
        ParamKind::Number => None,
    }
}

/// Where to look, and for what.
pub fn wanted(
    type_: &'static str,
    parameter: &Parameter,
    values: &[Value],
) -> Option<(Field, Vec<Wanted>)> {
    let field = field(type_, parameter)?;
    let mut any = Vec::with_capacity(values.len());
    for value in values {
        any.extend(one(parameter, value)?);
    }
    Some((field, any))
}

fn one(parameter: &Parameter, value: &Value) -> Option<Vec<Wanted>> {
    let fits = |text: &str| text.len() <= KEY_BYTES_MAX;
    Some(match value {
        Value::Token { system, code } if is_contact(parameter) => {
            let system = system.clone().map(Option::unwrap_or_default);
            contact(system, code.as_deref())
        }
        Value::Token { system, code } => {
            let system = system.clone().map(Option::unwrap_or_default);
            let is_short = system.as_deref().is_none_or(fits) && code.as_deref().is_none_or(fits);
            let mut any = abha(parameter, system.as_deref(), code.as_deref());
            any.push(is_short.then(|| Wanted::Token { code: code.clone(), system })?);
            any
        }
        Value::Reference { type_, id } => {
            vec![Wanted::Token { code: Some(id.clone()), system: type_.map(str::to_owned) }]
        }
        Value::Url(url) => {
            let url = url.split("/_history/").next().unwrap_or(url);
            vec![fits(url).then(|| Wanted::Word(url.to_owned()))?]
        }
        Value::Uri(uri) => vec![fits(uri).then(|| Wanted::Word(uri.clone()))?],
        Value::Date { prefix, from_ms, to_ms } => {
            vec![Wanted::Time(compared(*prefix), *from_ms, *to_ms)]
        }
        Value::Text { how, text } => vec![words(*how, text)?],
        Value::Number { .. } | Value::Flag(_) => return None,
    })
}

/// The other ways in which an ABHA number may be written.
fn abha(parameter: &Parameter, system: Option<&str>, code: Option<&str>) -> Vec<Wanted> {
    if parameter.name != "identifier" || !system.is_none_or(is_abha_system) {
        return Vec::new();
    }
    let spellings = code.map(abha_spellings).unwrap_or_default().into_iter();
    let wanted = |(system, code): (&str, String)| Wanted::Token {
        code: Some(code),
        system: Some(system.to_owned()),
    };
    spellings.map(wanted).collect()
}

/// Names and addresses are held word by word, other texts whole: the longest word must be there.
fn words(how: How, text: &str) -> Option<Wanted> {
    let folded = folded(text);
    let word = folded.split(' ').max_by_key(|word| word.len()).unwrap_or_default();
    if word.is_empty() || word.len() > KEY_BYTES_MAX {
        return None;
    }
    match how {
        // In a text of several words it need not be the first.
        How::Starts if word.len() == folded.len() => {
            Some(Wanted::Text(TextHow::Starts, word.to_owned()))
        }
        How::Starts | How::Contains | How::Exact => {
            Some(Wanted::Text(TextHow::Contains, word.to_owned()))
        }
        How::Sounds => Some(Wanted::Word(sound(word))),
    }
}

/// A number by the end of its digits, or another address in small letters.
fn contact(system: Option<String>, code: Option<&str>) -> Vec<Wanted> {
    let Some(code) = code else { return vec![Wanted::Token { code: None, system }] };
    let mut any = vec![Wanted::Token { code: Some(code.to_lowercase()), system: None }];
    any.push(Wanted::Word(last_digits(code)));
    any
}

fn is_contact(parameter: &Parameter) -> bool {
    ["phone", "email", "telecom"].contains(&parameter.name)
}

/// Whether what is found so is all that fits and nothing else.
pub fn is_exact(parameter: &Parameter, wanted: &[Wanted]) -> bool {
    let is_token = |it: &Wanted| matches!(it, Wanted::Token { .. } | Wanted::Word(_));
    !is_contact(parameter) && wanted.iter().all(is_token)
}

/// The code, or the id, that a value says.
pub fn code(value: &Value) -> Option<&str> {
    match value {
        Value::Token { system: _, code } => code.as_deref(),
        Value::Reference { type_: _, id } => Some(id),
        Value::Url(_)
        | Value::Date { .. }
        | Value::Text { .. }
        | Value::Number { .. }
        | Value::Uri(_)
        | Value::Flag(_) => None,
    }
}
