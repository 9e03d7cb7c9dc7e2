//! The search parameters that are answered, and where in a resource their values lie.
//!
//! `parameters.txt` is made by `npm run tables` in `tests/fhir` from HL7's search parameters of 4.0.1;
//! what every chart is found by is in `chart/parameters.txt` and not repeated.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::structure;

/// A search parameter of a type of resource.
#[derive(Debug)]
pub struct Parameter {
    /// Its name, such as `birthdate`.
    pub name: &'static str,
    /// What its values are.
    pub kind: ParamKind,
    /// The types of resource that a reference may point to, in the order of the alphabet; any type if
    /// empty. Of the other kinds always empty.
    pub targets: Vec<&'static str>,
    /// Where its values lie.
    pub(crate) places: Vec<Place>,
}

/// What the values of a parameter are (<https://hl7.org/fhir/R4/search.html#ptypes>). The kinds
/// `quantity`, `composite` and `special` are absent, because no parameter that is answered is of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// Codes, identifiers, true or false, telephone numbers.
    Token,
    /// References.
    Reference,
    /// Dates, times and periods.
    Date,
    /// Text.
    String,
    /// Numbers.
    Number,
    /// URIs that are compared letter by letter.
    Uri,
}

impl ParamKind {
    /// FHIR's code (<https://hl7.org/fhir/R4/valueset-search-param-type.html>).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Reference => "reference",
            Self::Date => "date",
            Self::String => "string",
            Self::Number => "number",
            Self::Uri => "uri",
        }
    }

    fn named(name: &str) -> Option<Self> {
        let all = [Self::Token, Self::Reference, Self::Date, Self::String, Self::Number, Self::Uri];
        all.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Where values of a parameter lie.
#[derive(Debug)]
pub(crate) struct Place {
    /// The way there.
    pub(crate) steps: Vec<Step>,
    /// What lies there.
    pub(crate) kind: Kind,
    /// The type of resource that a reference must point to.
    pub(crate) only: Option<&'static str>,
}

/// One element on the way to a value.
#[derive(Debug)]
pub(crate) struct Step {
    /// Its key.
    pub(crate) key: &'static str,
    /// What one of its own elements must say: `system`, `phone`.
    pub(crate) having: Option<(&'static str, &'static str)>,
}

/// The type of what lies at a place, as far as a search tells it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A code without a system of its own, an id, true or false.
    Plain,
    Coding,
    Concept,
    Identifier,
    ContactPoint,
    Reference,
    Canonical,
    Date,
    Period,
    Timing,
    Text,
    HumanName,
    Address,
    Number,
    Uri,
}

impl Kind {
    fn named(name: &str, of: ParamKind) -> Option<Self> {
        Some(match (name, of) {
            ("boolean" | "code" | "id" | "string" | "uri", ParamKind::Token) => Self::Plain,
            ("canonical", ParamKind::Reference) => Self::Canonical,
            ("canonical" | "uri" | "url", ParamKind::Uri) => Self::Uri,
            ("string", ParamKind::String) => Self::Text,
            ("decimal" | "integer" | "positiveInt" | "unsignedInt", _) => Self::Number,
            ("Coding", _) => Self::Coding,
            ("CodeableConcept", _) => Self::Concept,
            ("Identifier", _) => Self::Identifier,
            ("ContactPoint", _) => Self::ContactPoint,
            ("Reference", _) => Self::Reference,
            ("date" | "dateTime" | "instant", _) => Self::Date,
            ("Period", _) => Self::Period,
            ("Timing", _) => Self::Timing,
            ("HumanName", _) => Self::HumanName,
            ("Address", _) => Self::Address,
            (_, _) => return None,
        })
    }
}

/// The parameters of a type of resource in the order of the alphabet; none if R4 has no such type.
pub fn parameters(type_: &str) -> &'static [Parameter] {
    TABLE.get(type_).map(Vec::as_slice).unwrap_or_default()
}

/// One of them.
pub fn parameter(type_: &str, name: &str) -> Option<&'static Parameter> {
    let all = parameters(type_);
    let at = all.binary_search_by(|it| it.name.cmp(name)).ok()?;
    all.get(at)
}

type Table = BTreeMap<&'static str, Vec<Parameter>>;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let texts = [include_str!("../chart/parameters.txt"), include_str!("parameters.txt")];
    table(texts)
});

// The files are a part of the program and every line of them is read in the tests.
#[allow(clippy::panic, reason = "the files are part of the program")]
fn table(texts: [&'static str; 2]) -> Table {
    let mut table: Table = structure::each_type().map(|name| (name, of_every_type())).collect();
    for text in texts {
        let mut type_ = "";
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some(parameter) = line.strip_prefix(' ') else {
                type_ = line;
                continue;
            };
            let all = table.get_mut(type_);
            all.and_then(|all| add(all, parameter)).unwrap_or_else(|| panic!("{type_}: {line}"));
        }
    }
    for all in table.values_mut() {
        all.sort_unstable_by_key(|it| it.name);
    }
    table
}

/// What every resource is found by (<https://hl7.org/fhir/R4/search.html#all>).
fn of_every_type() -> Vec<Parameter> {
    let one = |name, kind, path, value| Parameter {
        name,
        kind,
        targets: Vec::new(),
        places: vec![Place { steps: steps(path), kind: value, only: None }],
    };
    vec![
        one(ID, ParamKind::Token, "id", Kind::Plain),
        one(LAST_UPDATED, ParamKind::Date, "meta.lastUpdated", Kind::Date),
    ]
}

/// The parameter that every type is found by, and no other sort of value is as quick to find.
pub const ID: &str = "_id";
/// When the resource last changed.
pub const LAST_UPDATED: &str = "_lastUpdated";

/// `NAME [KIND[(TARGETS)]] PATH:TYPE[=TARGET]…`; one that is already there is told its targets.
fn add(all: &mut Vec<Parameter>, line: &'static str) -> Option<()> {
    let mut words = line.split(' ').peekable();
    let name = words.next()?;
    let (kind, targets) = match words.next_if(|word| !word.contains(':')) {
        Some(word) => said(word)?,
        None => of_a_chart(name)?,
    };
    let places: Option<Vec<Place>> = words.map(|word| place(word, kind)).collect();
    let places = places?;
    match all.iter_mut().find(|it| it.name == name) {
        Some(there) if places.is_empty() && there.kind == kind => there.targets = targets,
        Some(_) => return None,
        None => all.push(Parameter { name, kind, targets, places }),
    }
    Some(())
}

/// `token`, `reference(Group,Patient)`, `reference(*)`
fn said(word: &'static str) -> Option<(ParamKind, Vec<&'static str>)> {
    let Some((kind, targets)) = word.split_once('(') else {
        return Some((ParamKind::named(word)?, Vec::new()));
    };
    let targets = targets.strip_suffix(')')?;
    let targets = if targets == "*" { Vec::new() } else { targets.split(',').collect() };
    Some((ParamKind::named(kind)?, targets))
}

/// What a parameter of `chart/parameters.txt` is, which is the same for every type.
fn of_a_chart(name: &str) -> Option<(ParamKind, Vec<&'static str>)> {
    Some(match name {
        "identifier" | "code" | "status" | "category" => (ParamKind::Token, Vec::new()),
        "patient" => (ParamKind::Reference, vec!["Patient"]),
        "subject" => (ParamKind::Reference, Vec::new()),
        "date" => (ParamKind::Date, Vec::new()),
        _ => return None,
    })
}

/// `participant.actor:Reference=Location`
fn place(word: &'static str, of: ParamKind) -> Option<Place> {
    let (path, kind) = word.split_once(':')?;
    let (kind, only) = match kind.split_once('=') {
        Some((kind, only)) => (kind, Some(only)),
        None => (kind, None),
    };
    Some(Place { steps: steps(path), kind: Kind::named(kind, of)?, only })
}

/// `telecom[system=phone]`
fn steps(path: &'static str) -> Vec<Step> {
    let step = |part: &'static str| {
        let having = part
            .split_once('[')
            .and_then(|(key, rest)| Some((key, rest.strip_suffix(']')?.split_once('=')?)));
        match having {
            Some((key, having)) => Step { key, having: Some(having) },
            None => Step { key: part, having: None },
        }
    };
    path.split('.').map(step).collect()
}
