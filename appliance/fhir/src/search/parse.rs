//! Reading the names and values of a search.

use super::{
    CONDITIONS_MAX, COUNT_MAX, CURSOR, Chained, Condition, INCLUDES_MAX, Include, Kind, Modifier,
    NAME_BYTES_MAX, PAIRS_MAX, ParamKind, Parameter, Query, Reversed, SORTS_MAX, Sort, Total,
    VALUE_BYTES_MAX, VALUES_MAX, escape, pairs, parameter, parameters, value,
};
use crate::here::Here;
use crate::outcome::{Issue, IssueCode, Outcome};
use crate::structure;
use crate::summary::Summary;

/// Reads a search for resources of a type.
///
/// A name that is not known is left out and named in [`Query::ignored`]; if `strict`, it is refused
/// (<https://hl7.org/fhir/R4/search.html#errors>). Always refused are modifiers that are not answered,
/// values that cannot be read, and more than the bounds of [`crate::search`].
pub fn parse(
    type_: &str,
    pairs: &[(String, String)],
    strict: bool,
    here: Here<'_>,
) -> Result<Query, Outcome> {
    let Some(type_) = structure::type_name(type_) else {
        let what = "FHIR R4 has no resource of this name";
        return Err(Outcome::error(IssueCode::NotSupported, what));
    };
    if pairs.len() > PAIRS_MAX {
        let what = format!("a search has at most {PAIRS_MAX} parameters");
        return Err(Outcome::error(IssueCode::TooCostly, what));
    }
    let mut reader =
        Reader { here, strict, query: Query::of(type_, Vec::new()), issues: Vec::new() };
    for (name, value) in pairs {
        if let Err(outcome) = reader.pair(name, value) {
            reader.issues.extend(outcome.issues);
        }
    }
    reader.end()
}

/// Reads the search by which one resource is meant: in `ifNoneExist`, in a conditional update, patch
/// or delete, in a conditional reference (<https://hl7.org/fhir/R4/http.html#ccreate>).
///
/// It is read strictly, and refused if there is no condition in it: everything would fit. `_format`
/// may stand beside, nothing else.
pub fn criteria(type_: &str, query: &str, here: Here<'_>) -> Result<Query, Outcome> {
    let pairs = pairs(query)?;
    let found = parse(type_, &pairs, true, here)?;
    let conditions = found.conditions.len() + found.chained.len() + found.reversed.len();
    if conditions == 0 {
        let what = "say by what the resource is found; without a condition every one is meant";
        return Err(Outcome::error(IssueCode::Required, what));
    }
    if pairs.iter().any(|(name, _)| is_of_the_answer(name)) {
        let what = "parameters that shape the answer have no place in the search for one resource";
        return Err(Outcome::error(IssueCode::Invalid, what));
    }
    Ok(found)
}

/// Whether a parameter says what the answer looks like, not what is looked for.
fn is_of_the_answer(name: &str) -> bool {
    let name = name.split(':').next().unwrap_or(name);
    name == CURSOR
        || ["_sort", "_count", "_total", "_summary", "_elements", "_include", "_revinclude"]
            .contains(&name)
}

/// A search that is being read.
struct Reader<'a> {
    here: Here<'a>,
    strict: bool,
    query: Query,
    issues: Vec<Issue>,
}

impl Reader<'_> {
    fn end(self) -> Result<Query, Outcome> {
        let Self { here: _, strict: _, query, mut issues } = self;
        let all = query.conditions.len() + query.chained.len() + query.reversed.len();
        if all > CONDITIONS_MAX {
            let what = format!("a search has at most {CONDITIONS_MAX} conditions");
            issues.push(Issue::error(IssueCode::TooCostly, what));
        }
        let is_in_part = matches!(query.summary, Summary::True | Summary::Text | Summary::Data);
        if is_in_part && !query.elements.is_empty() {
            let what = "say either _summary or _elements";
            issues.push(Issue::error(IssueCode::Invalid, what));
        }
        if issues.is_empty() { Ok(query) } else { Err(Outcome { issues }) }
    }

    fn pair(&mut self, name: &str, value: &str) -> Result<(), Outcome> {
        if name.len() > NAME_BYTES_MAX || value.len() > VALUE_BYTES_MAX {
            let what = format!(
                "the name of a parameter has at most {NAME_BYTES_MAX} bytes, its value \
                 {VALUE_BYTES_MAX}"
            );
            return Err(Outcome::error(IssueCode::TooLong, what));
        }
        match name {
            // The door answers these two for every request.
            "_format" | "_pretty" => Ok(()),
            "_sort" => self.sort(value),
            "_count" => self.count(value),
            "_total" => self.total(value),
            "_summary" => self.summary(value),
            "_elements" => self.elements(value),
            CURSOR => self.cursor(value),
            "_include" | "_include:iterate" => self.include(name, value),
            "_revinclude" | "_revinclude:iterate" => self.include(name, value),
            _ => match name.strip_prefix("_has:") {
                Some(rest) => self.reversed(name, rest, value),
                None => self.asked(name, value),
            },
        }
    }

    /// What is not looked at is named, or refused by whoever wants to know.
    fn ignore(&mut self, name: &str, why: &str) -> Result<(), Outcome> {
        let shown = shown(name);
        if self.strict {
            return Err(Outcome::error(IssueCode::NotSupported, format!("{shown}: {why}")));
        }
        if !self.query.ignored.contains(&shown) {
            self.query.ignored.push(shown);
        }
        Ok(())
    }

    fn asked(&mut self, name: &str, value: &str) -> Result<(), Outcome> {
        if let Some((reference, rest)) = name.split_once('.') {
            return self.chained(name, reference, rest, value);
        }
        let type_ = self.query.type_;
        match self.condition(type_, name, value)? {
            Read::Condition(condition) => self.query.conditions.push(condition),
            Read::Unknown => return self.ignore(name, UNKNOWN),
            Read::Empty => return self.ignore(name, EMPTY),
        }
        Ok(())
    }

    /// `name:exact` of a type, and its values.
    fn condition(&self, type_: &str, name: &str, value: &str) -> Result<Read, Outcome> {
        let (name, modifier) = match name.split_once(':') {
            Some((name, modifier)) => (name, Some(modifier)),
            None => (name, None),
        };
        let Some(parameter) = parameter(type_, name) else { return Ok(Read::Unknown) };
        let modifier = modifier.map(|word| modifier_of(parameter, word)).transpose()?;
        let parts = match modifier {
            Some(Modifier::Missing) => vec![value],
            Some(_) | None => escape::split(value, ','),
        };
        if parts.len() > VALUES_MAX {
            let what = format!("{}: at most {VALUES_MAX} values, parted by commas", parameter.name);
            return Err(Outcome::error(IssueCode::TooCostly, what));
        }
        let mut any = Vec::with_capacity(parts.len());
        for part in parts {
            any.extend(value::read(part, parameter, modifier, self.here)?);
        }
        let condition = Condition { parameter, modifier, any };
        Ok(if condition.any.is_empty() { Read::Empty } else { Read::Condition(condition) })
    }

    /// `patient.name`, `subject:Patient.identifier`
    fn chained(
        &mut self,
        name: &str,
        reference: &str,
        rest: &str,
        value: &str,
    ) -> Result<(), Outcome> {
        let (reference, said) = match reference.split_once(':') {
            Some((reference, said)) => (reference, Some(said)),
            None => (reference, None),
        };
        let Some(by) = reference_of(self.query.type_, reference) else {
            return self.ignore(name, UNKNOWN);
        };
        if rest.contains('.') || rest.starts_with("_has") {
            return Err(refused(by, "chains of one step only are answered"));
        }
        let types: Vec<&'static str> = match said {
            Some(said) => vec![target_of(by, said)?],
            None if by.targets.is_empty() => {
                let what = "this may point to anything; name the type, as in subject:Patient.name";
                return Err(refused(by, what));
            }
            None => by.targets.clone(),
        };
        let mut any = Vec::new();
        let (mut is_empty, mut issues) = (false, Vec::new());
        for type_ in types {
            match self.condition(type_, rest, value) {
                Ok(Read::Condition(condition)) => any.push((type_, condition)),
                Ok(Read::Empty) => is_empty = true,
                Ok(Read::Unknown) => {}
                Err(outcome) => issues.extend(outcome.issues),
            }
        }
        match (any.is_empty(), issues.is_empty()) {
            (false, _) => self.query.chained.push(Chained { by, any }),
            (true, false) => return Err(Outcome { issues }),
            (true, true) => return self.ignore(name, if is_empty { EMPTY } else { UNKNOWN }),
        }
        Ok(())
    }

    /// `Observation:patient:code`
    fn reversed(&mut self, name: &str, rest: &str, value: &str) -> Result<(), Outcome> {
        let mut words = rest.splitn(3, ':');
        let (type_, reference, rest) = (words.next(), words.next(), words.next());
        let type_ = type_.and_then(structure::type_name);
        let (Some(type_), Some(reference), Some(rest)) = (type_, reference, rest) else {
            let what = "write _has:Type:reference:parameter";
            return Err(Outcome::error(IssueCode::Invalid, what));
        };
        let here = self.query.type_;
        let by = reference_of(type_, reference)
            .filter(|by| by.targets.is_empty() || by.targets.contains(&here));
        let Some(by) = by else { return self.ignore(name, UNKNOWN) };
        if rest.contains('.') || rest.starts_with("_has") {
            return Err(refused(by, "_has of one step only is answered"));
        }
        match self.condition(type_, rest, value)? {
            Read::Condition(condition) => {
                self.query.reversed.push(Reversed { type_, by, condition });
            }
            Read::Unknown => return self.ignore(name, UNKNOWN),
            Read::Empty => return self.ignore(name, EMPTY),
        }
        Ok(())
    }

    /// `date,-_lastUpdated`
    fn sort(&mut self, value: &str) -> Result<(), Outcome> {
        for word in value.split(',').filter(|word| !word.is_empty()) {
            let (name, descending) = match word.strip_prefix('-') {
                Some(name) => (name, true),
                None => (word, false),
            };
            let Some(parameter) = parameter(self.query.type_, name) else {
                return self.ignore("_sort", "no parameter of this name to sort by");
            };
            if self.query.sort.len() == SORTS_MAX {
                let what = format!("_sort: at most {SORTS_MAX} parameters");
                return Err(Outcome::error(IssueCode::TooCostly, what));
            }
            self.query.sort.push(Sort { parameter, descending });
        }
        Ok(())
    }

    fn count(&mut self, value: &str) -> Result<(), Outcome> {
        let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || self.query.count.is_some() {
            let what = "_count is a whole number, said once";
            return Err(Outcome::error(IssueCode::Value, what));
        }
        // More digits than a number holds are more than the most.
        let count = value.parse().unwrap_or(COUNT_MAX);
        self.query.count = Some(count.min(COUNT_MAX));
        Ok(())
    }

    fn total(&mut self, value: &str) -> Result<(), Outcome> {
        let total = match value {
            "none" => Total::None,
            "estimate" => Total::Estimate,
            "accurate" => Total::Accurate,
            _ => {
                let what = "_total is none, estimate or accurate";
                return Err(Outcome::error(IssueCode::Value, what));
            }
        };
        self.query.total = Some(total);
        Ok(())
    }

    fn summary(&mut self, value: &str) -> Result<(), Outcome> {
        let Some(summary) = Summary::named(value) else {
            let what = "_summary is true, text, data, count or false";
            return Err(Outcome::error(IssueCode::Value, what));
        };
        self.query.summary = summary;
        Ok(())
    }

    fn elements(&mut self, value: &str) -> Result<(), Outcome> {
        let type_ = self.query.type_;
        let all = structure::elements(type_);
        for word in value.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let own = word.strip_prefix(type_).and_then(|rest| rest.strip_prefix('.'));
            let name = own.unwrap_or(word);
            let Some(element) = all.iter().find(|element| element.name == name) else {
                self.ignore("_elements", "elements are named as in the resource, without a path")?;
                continue;
            };
            if !self.query.elements.contains(&element.name) {
                self.query.elements.push(element.name);
            }
        }
        Ok(())
    }

    fn cursor(&mut self, value: &str) -> Result<(), Outcome> {
        if value.is_empty() || self.query.cursor.is_some() {
            let what = "follow the next link as it was given";
            return Err(Outcome::error(IssueCode::Value, what));
        }
        self.query.cursor = Some(value.to_owned());
        Ok(())
    }

    /// `Appointment:actor:Practitioner`, `Appointment:*`, `*`
    fn include(&mut self, name: &'_ str, value: &str) -> Result<(), Outcome> {
        let iterate = name.ends_with(":iterate");
        let is_reverse = name.starts_with("_revinclude");
        let mut words = value.split(':');
        let source = words.next().unwrap_or_default();
        let source = if source == "*" { self.query.type_ } else { source };
        let by = words.next().unwrap_or("*");
        let target = words.next().map(structure::type_name);
        let Some(source) = structure::type_name(source) else {
            return self.ignore(name, INCLUDE);
        };
        let (false, None | Some(Some(_)), None) =
            (is_reverse && value.starts_with('*'), target, words.next())
        else {
            return self.ignore(name, INCLUDE);
        };
        let target = target.flatten();
        let all = parameters(source).iter().filter(|it| it.kind == ParamKind::Reference);
        let found: Vec<Include> = all
            .filter(|it| by == "*" || it.name == by)
            .filter(|it| target.is_none_or(|target| points_to(it, target)))
            .map(|by| Include { source, by, target, iterate })
            .collect();
        if found.is_empty() {
            return self.ignore(name, INCLUDE);
        }
        let list = if is_reverse { &mut self.query.revincludes } else { &mut self.query.includes };
        list.extend(found);
        if self.query.includes.len() + self.query.revincludes.len() > INCLUDES_MAX {
            let what = format!("at most {INCLUDES_MAX} of _include and _revinclude");
            return Err(Outcome::error(IssueCode::TooCostly, what));
        }
        Ok(())
    }
}

const UNKNOWN: &str = "this type is not searched by a parameter of this name";
const EMPTY: &str = "the parameter has no value";
const INCLUDE: &str = "write Type:reference or Type:reference:Type";

/// What a name and its values were.
enum Read {
    Condition(Condition),
    /// The type has no parameter of this name.
    Unknown,
    /// There is nothing after the `=`.
    Empty,
}

fn refused(by: &Parameter, what: &str) -> Outcome {
    Outcome::error(IssueCode::NotSupported, format!("{}: {what}", by.name))
}

fn reference_of(type_: &str, name: &str) -> Option<&'static Parameter> {
    parameter(type_, name).filter(|it| it.kind == ParamKind::Reference)
}

fn points_to(by: &Parameter, type_: &str) -> bool {
    by.targets.is_empty() || by.targets.contains(&type_)
}

fn target_of(by: &Parameter, said: &str) -> Result<&'static str, Outcome> {
    let type_ = structure::type_name(said).filter(|type_| points_to(by, type_));
    type_.ok_or_else(|| refused(by, "this never points to a resource of that type"))
}

fn modifier_of(parameter: &Parameter, word: &str) -> Result<Modifier, Outcome> {
    let has_words = parameter.places.iter().any(|place| match place.kind {
        Kind::Coding | Kind::Concept | Kind::Identifier => true,
        Kind::Plain
        | Kind::ContactPoint
        | Kind::Reference
        | Kind::Canonical
        | Kind::Date
        | Kind::Period
        | Kind::Timing
        | Kind::Text
        | Kind::HumanName
        | Kind::Address
        | Kind::Number
        | Kind::Uri => false,
    });
    Ok(match (word, parameter.kind) {
        ("missing", _) => Modifier::Missing,
        ("exact", ParamKind::String) => Modifier::Exact,
        ("contains", ParamKind::String) => Modifier::Contains,
        ("not", ParamKind::Token) => Modifier::Not,
        ("text", ParamKind::Token) if has_words => Modifier::Text,
        ("identifier", ParamKind::Reference) => Modifier::Identifier,
        (word, ParamKind::Reference) if structure::is_type(word) => {
            Modifier::Type(target_of(parameter, word)?)
        }
        (_, _) => return Err(refused(parameter, "this modifier is not answered here")),
    })
}

/// The name of a parameter as it may be repeated: it came in, and so may be anything.
fn shown(name: &str) -> String {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte);
    if !name.is_empty() && name.bytes().all(is_name) { name.to_owned() } else { "?".to_owned() }
}
