//! The codes of the value sets that an element must take its code from (bindings that are required).

use serde_json::{Map, Value};

/// The codes of a value set.
pub(super) enum Codes {
    /// The codes of each system, sorted.
    Closed(Vec<(&'static str, Vec<&'static str>)>),
    /// The set cannot be written out here; only the form of the code is looked at.
    Open(Form),
}

/// What a code of an open set looks like.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// A media type (BCP 13), such as `image/png` or `text/plain; charset=UTF-8`.
    MediaType,
    /// A currency (ISO 4217), such as `INR`.
    Currency,
    /// Any code: units of UCUM and answers of LOINC.
    Any,
}

/// A value set as the file has it.
pub(super) struct CodesRow {
    name: &'static str,
    codes: Codes,
}

impl CodesRow {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, codes: Codes::Closed(Vec::new()) }
    }

    pub(super) fn open(name: &'static str) -> Self {
        let form = match name {
            "mimetypes" => Form::MediaType,
            "currencies" => Form::Currency,
            _ => Form::Any,
        };
        Self { name, codes: Codes::Open(form) }
    }

    pub(super) fn add(&mut self, system: &'static str, codes: &[&'static str]) {
        let mut codes = codes.to_vec();
        codes.sort_unstable();
        if let Codes::Closed(systems) = &mut self.codes {
            systems.push((system, codes));
        }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }
}

impl From<CodesRow> for Codes {
    fn from(row: CodesRow) -> Self {
        row.codes
    }
}

impl Codes {
    /// Whether the set has the code, in any system.
    pub(super) fn has(&self, code: &str) -> bool {
        match self {
            Self::Closed(systems) => {
                systems.iter().any(|(_, codes)| codes.binary_search(&code).is_ok())
            }
            Self::Open(form) => form.fits(code),
        }
    }

    /// Whether a `Coding` is of the set.
    pub(super) fn has_coding(&self, coding: &Map<String, Value>) -> bool {
        let text = |key: &str| coding.get(key).and_then(Value::as_str);
        match (self, text("system"), text("code")) {
            (Self::Closed(systems), Some(system), Some(code)) => systems
                .iter()
                .any(|(of, codes)| *of == system && codes.binary_search(&code).is_ok()),
            (Self::Closed(_), _, _) => false,
            (Self::Open(form), _, Some(code)) => form.fits(code),
            (Self::Open(_), _, None) => false,
        }
    }

    /// Whether a `CodeableConcept` has a coding of the set, or says by an extension why it has none.
    pub(super) fn has_concept(&self, concept: &Map<String, Value>) -> bool {
        let codings = concept.get("coding").and_then(Value::as_array);
        match (self, codings) {
            (_, Some(codings)) => {
                codings.iter().filter_map(Value::as_object).any(|it| self.has_coding(it))
            }
            // What is only text may be a unit or an answer that has no code.
            (Self::Open(_), None) => true,
            (Self::Closed(_), None) => concept.contains_key("extension"),
        }
    }
}

impl Form {
    fn fits(self, code: &str) -> bool {
        match self {
            Self::MediaType => is_media_type(code),
            Self::Currency => code.len() == 3 && code.bytes().all(|it| it.is_ascii_uppercase()),
            Self::Any => true,
        }
    }
}

/// `type/subtype`, and parameters that are not looked at (RFC 6838, section 4.2).
fn is_media_type(code: &str) -> bool {
    // R4 says so of `CapabilityStatement.format`.
    if matches!(code, "xml" | "json" | "ttl") {
        return true;
    }
    let name = code.split(';').next().unwrap_or(code);
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "!#$&-^_.+*".contains(letter);
    let part = |part: &str| !part.is_empty() && part.chars().all(allowed);
    name.split_once('/').is_some_and(|(kind, subtype)| part(kind) && part(subtype))
}
