//! What is said to an operation: `Parameters`, the one resource that it is about, or what stands after
//! the `?` of an address (<https://hl7.org/fhir/R4/operations.html#executing>).

use serde_json::Value;

use crate::concept;
use crate::element::{self, Map};
use crate::here::Here;
use crate::json::Resource;
use crate::outcome::{Issue, IssueCode, Outcome};
use crate::primitive::DateTime;
use crate::reference::{self, Target};
use crate::search;

/// FHIR's name of the type.
const PARAMETERS: &str = "Parameters";
/// What says how the answer is to be written; the door answers these for every request.
const OF_THE_ANSWER: [&str; 2] = ["_format", "_pretty"];
/// The most parameters that are looked at.
const INPUTS_MAX: usize = 256;

/// What was said, by name; a name may come several times.
#[derive(Default)]
pub struct Input {
    said: Vec<(String, Said)>,
}

enum Said {
    /// After the `?`, or a primitive.
    Text(String),
    /// A datatype.
    Element(Map),
    /// A resource.
    Resource(Resource),
}

/// What a reference points at.
#[derive(Clone, PartialEq, Eq)]
pub enum Pointer {
    /// A resource of this box.
    To {
        /// Its type.
        type_: &'static str,
        /// Its id.
        id: String,
    },
    /// The resource that has this identifier.
    Identified {
        /// Whose it is.
        system: Option<String>,
        /// The identifier.
        value: Option<String>,
    },
}

impl Input {
    /// What stands after the `?`.
    pub fn of_query(pairs: Vec<(String, String)>) -> Self {
        let said = pairs.into_iter().take(INPUTS_MAX);
        Self { said: said.map(|(name, text)| (name, Said::Text(text))).collect() }
    }

    /// What a body says: the parameters, or the resource that is the only one (`resource`).
    ///
    /// # Errors
    /// Parameters that are more than a value or a resource.
    pub fn of_body(body: Resource) -> Result<Self, Outcome> {
        if body.resource_type() != PARAMETERS {
            return Ok(Self { said: vec![("resource".to_owned(), Said::Resource(body))] });
        }
        let mut body = body.into_map();
        let Some(Value::Array(parameters)) = body.shift_remove("parameter") else {
            return Ok(Self::default());
        };
        if parameters.len() > INPUTS_MAX {
            let what = format!("an operation is told at most {INPUTS_MAX} things");
            return Err(Outcome::error(IssueCode::TooCostly, what));
        }
        let (mut said, mut issues) = (Vec::new(), Vec::new());
        for (at, parameter) in parameters.into_iter().enumerate() {
            match one(parameter) {
                Some(pair) => said.push(pair),
                None => {
                    let what = "a parameter has a name, and a value or a resource";
                    let path = format!("Parameters.parameter[{at}]");
                    issues.push(Issue::at(path, IssueCode::Required, what));
                }
            }
        }
        if issues.is_empty() { Ok(Self { said }) } else { Err(Outcome { issues }) }
    }

    /// What was said elsewhere as well.
    pub fn extend(&mut self, other: Self) {
        self.said.extend(other.said);
    }

    /// Refuses what goes by another name than these; how the answer is to be written may be said as well.
    ///
    /// # Errors
    /// Any other name. It came in, and is not repeated.
    pub fn goes_by(&self, names: &[&str]) -> Result<(), Outcome> {
        let is_known = |name: &str| OF_THE_ANSWER.contains(&name) || names.contains(&name);
        if self.said.iter().all(|(name, _)| is_known(name)) {
            return Ok(());
        }
        let what = match names {
            [] => "this operation is told nothing".to_owned(),
            names => format!("this operation is told {}, nothing else", names.join(", ")),
        };
        Err(Outcome::error(IssueCode::NotSupported, what))
    }

    /// Whether anything was said under a name.
    pub fn says(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// What was said under a name, as text.
    pub fn texts<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.all(name).filter_map(|said| match said {
            Said::Text(text) => Some(text.as_str()),
            Said::Element(_) | Said::Resource(_) => None,
        })
    }

    /// The first of it.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts(name).next()
    }

    /// A whole number.
    ///
    /// # Errors
    /// What is none.
    pub fn whole(&self, name: &str) -> Result<Option<i64>, Outcome> {
        self.parsed(name, "a whole number")
    }

    /// True or false.
    ///
    /// # Errors
    /// What is neither.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Outcome> {
        self.parsed(name, "true or false")
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str, what: &str) -> Result<Option<T>, Outcome> {
        let wrong = || Outcome::error(IssueCode::Value, format!("{name} is {what}"));
        self.text(name).map(|text| text.parse().map_err(|_| wrong())).transpose()
    }

    /// The stretch of time that a `dateTime` means, in milliseconds since 1970, the end not included. One
    /// without a zone is of the clinic's.
    ///
    /// # Errors
    /// What is none.
    pub fn time(&self, name: &str, here: Here<'_>) -> Result<Option<(i64, i64)>, Outcome> {
        let Some(text) = self.text(name) else { return Ok(None) };
        // Whoever does not encode the `+` of a zone sends a space.
        let time = DateTime::parse_searched(&text.replace(' ', "+")).ok_or_else(|| {
            let what = format!("{name} is a date, or a time such as 2026-11-23T10:00:00+05:30");
            Outcome::error(IssueCode::Value, what)
        })?;
        Ok(Some(search::date_range(time, here.zone())))
    }

    /// Codes as a search writes them, `system|code` or words: a text, a `Coding` or a `CodeableConcept`.
    pub fn tokens(&self, name: &str) -> Vec<String> {
        self.all(name).filter_map(token).collect()
    }

    /// The words of a text or of a `CodeableConcept`.
    pub fn words(&self, name: &str) -> Option<&str> {
        self.all(name).find_map(|said| match said {
            Said::Text(text) => Some(text.as_str()),
            Said::Element(map) => concept::words(map),
            Said::Resource(_) => None,
        })
    }

    /// The resource that was given.
    pub fn resource(&self, name: &str) -> Option<&Resource> {
        self.all(name).find_map(|said| match said {
            Said::Resource(resource) => Some(resource),
            Said::Text(_) | Said::Element(_) => None,
        })
    }

    /// The resource of this type that was given.
    ///
    /// # Errors
    /// One of another type.
    pub fn resource_of(&self, type_: &str, name: &str) -> Result<Option<&Resource>, Outcome> {
        match self.resource(name) {
            Some(resource) if resource.resource_type() != type_ => {
                Err(Outcome::error(IssueCode::Invalid, format!("{name} is a resource: {type_}")))
            }
            found => Ok(found),
        }
    }

    /// What references point at: resources of this box, or those that have an identifier.
    ///
    /// # Errors
    /// What is no reference, or one to elsewhere.
    pub fn pointers(&self, name: &str, here: Here<'_>) -> Result<Vec<Pointer>, Outcome> {
        self.all(name).map(|said| pointer(name, said, here)).collect()
    }

    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Said> {
        let name = name.to_owned();
        self.said.iter().filter(move |(own, _)| *own == name).map(|(_, said)| said)
    }
}

fn pointer(name: &str, said: &Said, here: Here<'_>) -> Result<Pointer, Outcome> {
    let target = match said {
        Said::Text(text) => reference::parse(text, here.origin),
        Said::Element(map) => reference::target(map, here.origin),
        Said::Resource(_) => None,
    };
    let identifier = match said {
        Said::Element(map) => element::object(map, "identifier"),
        Said::Text(_) | Said::Resource(_) => None,
    };
    match (target, identifier) {
        (Some(Target::Local(local)), _) => {
            Ok(Pointer::To { type_: local.resource_type, id: local.id.to_owned() })
        }
        (Some(Target::Logical), Some(identifier)) => Ok(Pointer::Identified {
            system: element::text(identifier, "system").map(str::to_owned),
            value: element::text(identifier, "value").map(str::to_owned),
        }),
        (_, _) => {
            let what = format!("{name} refers to a resource of this box, as Type/id");
            Err(Outcome::error(IssueCode::Value, what))
        }
    }
}

fn token(said: &Said) -> Option<String> {
    match said {
        Said::Text(text) => Some(text.clone()),
        Said::Element(map) => {
            let coding = concept::codings(map).next().unwrap_or(map);
            match (element::text(coding, "system"), element::text(coding, "code")) {
                (Some(system), Some(code)) => Some(format!("{system}|{code}")),
                (None, Some(code)) => Some(code.to_owned()),
                (_, None) => concept::words(map).map(str::to_owned),
            }
        }
        Said::Resource(_) => None,
    }
}

fn one(parameter: Value) -> Option<(String, Said)> {
    let Value::Object(mut map) = parameter else { return None };
    let name = element::text(&map, "name")?.to_owned();
    if let Some(resource) = map.shift_remove("resource") {
        return Some((name, Said::Resource(Resource::from_value(resource).ok()?)));
    }
    let key = map.keys().find(|key| key.starts_with("value"))?.clone();
    let said = match map.shift_remove(&key)? {
        Value::String(text) => Said::Text(text),
        Value::Bool(flag) => Said::Text(flag.to_string()),
        Value::Number(number) => Said::Text(number.to_string()),
        Value::Object(element) => Said::Element(element),
        Value::Null | Value::Array(_) => return None,
    };
    Some((name, said))
}
