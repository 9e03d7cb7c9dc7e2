//! A question as SQL: fixed words around what is bound.

use rusqlite::types::Value as Bound;

use super::{
    CONDITIONS_MAX, Column, Compare, Condition, Field, Given, GivenKind, How, Place, Question,
    Sort, Wanted, table,
};
use crate::error::{Error, Result};
use crate::id::Noun;
use crate::name;
use crate::stamp::{Right, Stamp};

/// What is selected of the sort keys.
pub(super) fn listed(keys: &[String]) -> String {
    keys.iter().map(|key| format!(", {key}")).collect()
}

/// What a field is sorted by: never null, so that places can be compared.
pub(super) fn sort_key(field: Field) -> Result<String> {
    match field.0 {
        Column::Word(column) | Column::Text(column) | Column::Date(column) => {
            Ok(format!("coalesce({column}, '')"))
        }
        Column::Time(low, _) | Column::Flag(low) => Ok(format!("coalesce({low}, 0)")),
        Column::Given(given) => {
            let (column, none) = match given.holds {
                GivenKind::Code => ("code", "''"),
                GivenKind::Time => ("low", "0"),
            };
            let of = of_given(given);
            Ok(format!(
                "coalesce((SELECT min(v.{column}) FROM chart_value v
                   WHERE v.resource = r.id AND {of}), {none})"
            ))
        }
        Column::Changed => Ok(format!("coalesce({MADE_AT}, 0)")),
        Column::Id(_) | Column::Name(_) | Column::Token { .. } | Column::Rows(..) => {
            Err(Error::invalid("sort", "it cannot be sorted by this"))
        }
    }
}

/// When the newest version of `r` was made.
const MADE_AT: &str = "(SELECT c.at FROM change c WHERE c.resource = r.id AND c.version = r.version
  ORDER BY c.sequence LIMIT 1)";

/// Which values of other systems are meant. The names are the program's own.
fn of_given(given: Given) -> String {
    let Given { kind, parameter, holds: _ } = given;
    format!("v.kind = '{kind}' AND v.parameter = '{parameter}'")
}

/// What other systems call `r` in references.
fn text_id(noun: Noun) -> &'static str {
    match noun {
        Noun::Chart => "r.name",
        Noun::Clinic
        | Noun::Patient
        | Noun::Practitioner
        | Noun::Location
        | Noun::HealthcareService
        | Noun::Schedule
        | Noun::Leave
        | Noun::ClosedDay
        | Noun::Slot
        | Noun::Appointment
        | Noun::QueueEntry
        | Noun::Staff
        | Noun::Session
        | Noun::Token
        | Noun::Device
        | Noun::Audit
        | Noun::Merge => {
            "lower(substr(hex(r.id), 1, 8) || '-' || substr(hex(r.id), 9, 4) || '-'
               || substr(hex(r.id), 13, 4) || '-' || substr(hex(r.id), 17, 4) || '-'
               || substr(hex(r.id), 21))"
        }
    }
}

/// A statement that grows, and what is bound in it.
#[derive(Default)]
pub(super) struct Sql {
    pub(super) bound: Vec<Bound>,
    conditions: usize,
}

impl Sql {
    fn bind(&mut self, value: impl Into<Bound>) -> String {
        self.bound.push(value.into());
        format!("?{}", self.bound.len())
    }

    /// The condition under which `r` fits.
    pub(super) fn fits(&mut self, stamp: &Stamp, question: &Question) -> Result<String> {
        stamp.needs(Right::to_read(question.noun))?;
        let mut text = match (&question.kind, question.noun) {
            (Some(kind), Noun::Chart) => {
                format!("r.body IS NOT NULL AND r.kind = {}", self.bind(kind.clone()))
            }
            (Some(_) | None, _) => "1".to_owned(),
        };
        for condition in &question.conditions {
            text.push_str(" AND ");
            text.push_str(&self.condition(stamp, question.noun, condition)?);
        }
        Ok(text)
    }

    fn condition(&mut self, stamp: &Stamp, noun: Noun, condition: &Condition) -> Result<String> {
        self.conditions += 1;
        if self.conditions > CONDITIONS_MAX {
            return Err(Error::invalid("conditions", "ask with fewer conditions at once"));
        }
        match condition {
            Condition::Holds { fields, any, not } => {
                let mut ways = Vec::new();
                for Field(column) in fields {
                    ways.push(self.holds(column, any)?);
                }
                let not = if *not { "NOT " } else { "" };
                Ok(format!("{not}coalesce({}, 0)", either(&ways)))
            }
            Condition::Missing(fields, missing) => {
                let ways: Vec<String> =
                    fields.iter().map(|Field(column)| present(column)).collect();
                let not = if *missing { "NOT " } else { "" };
                Ok(format!("{not}{}", either(&ways)))
            }
            Condition::RefersTo(fields, other) => {
                let mut ways = Vec::new();
                for Field(column) in fields {
                    ways.push(self.refers_to(stamp, column, other)?);
                }
                Ok(either(&ways))
            }
            Condition::ReferredBy(Field(column), other) => {
                let inside = self.fits(stamp, other)?;
                let rows = table(other)?;
                match column {
                    Column::Id(column) => {
                        Ok(format!("r.id IN (SELECT {column} FROM {rows} r WHERE {inside})"))
                    }
                    Column::Given(given) => {
                        let (own, said) = if noun == Noun::Chart {
                            ("r.name", "v.code")
                        } else {
                            // What is no UUID becomes null, which nothing is equal to.
                            ("r.id", "unhex(replace(v.code, '-', ''))")
                        };
                        Ok(format!(
                            "{own} IN (SELECT {said} FROM {rows} r
                               JOIN chart_value v ON v.resource = r.id
                               WHERE {} AND {inside})",
                            of_given(*given)
                        ))
                    }
                    Column::Word(_)
                    | Column::Flag(_)
                    | Column::Time(..)
                    | Column::Date(_)
                    | Column::Text(_)
                    | Column::Name(_)
                    | Column::Token { .. }
                    | Column::Rows(..)
                    | Column::Changed => Err(no_reference()),
                }
            }
            Condition::AnyOf(some) => {
                let ways = some.iter().map(|one| self.condition(stamp, noun, one));
                Ok(either(&ways.collect::<Result<Vec<_>>>()?))
            }
            Condition::IsOneOf(ids) => {
                let ids: Vec<String> = ids.iter().map(|id| self.bind(id.to_vec())).collect();
                Ok(format!("r.id IN ({})", ids.join(", ")))
            }
            Condition::ChangedAt(compare, from, to) => {
                let end = format!("({MADE_AT} + 1)");
                Ok(self.time(*compare, (MADE_AT, &end), (*from, *to)))
            }
        }
    }

    fn refers_to(&mut self, stamp: &Stamp, column: &Column, other: &Question) -> Result<String> {
        match column {
            Column::Id(column) => {
                let inner = self.subquery(stamp, other, "r.id")?;
                Ok(format!("{column} IN ({inner})"))
            }
            Column::Rows(rows, Column::Id(column)) => {
                let inner = self.subquery(stamp, other, "r.id")?;
                Ok(format!("EXISTS (SELECT 1 FROM {rows} AND {column} IN ({inner}))"))
            }
            Column::Given(given) => {
                let inner = self.subquery(stamp, other, text_id(other.noun))?;
                Ok(format!(
                    "r.id IN (SELECT v.resource FROM chart_value v
                       WHERE {} AND v.code IN ({inner}))",
                    of_given(*given)
                ))
            }
            Column::Rows(..)
            | Column::Word(_)
            | Column::Flag(_)
            | Column::Time(..)
            | Column::Date(_)
            | Column::Text(_)
            | Column::Name(_)
            | Column::Token { .. }
            | Column::Changed => Err(no_reference()),
        }
    }

    /// What is selected of the records that fit, as a query of its own.
    fn subquery(&mut self, stamp: &Stamp, question: &Question, selected: &str) -> Result<String> {
        let inside = self.fits(stamp, question)?;
        Ok(format!("SELECT {selected} FROM {} r WHERE {inside}", table(question)?))
    }

    fn holds(&mut self, column: &Column, any: &[Wanted]) -> Result<String> {
        if let Column::Rows(rows, inner) = column {
            let inner = self.holds(inner, any)?;
            return Ok(format!("EXISTS (SELECT 1 FROM {rows} AND {inner})"));
        }
        if let Column::Given(given) = column {
            let inner = match given.holds {
                GivenKind::Code => Column::Token { code: "v.code", system: "v.system" },
                GivenKind::Time => Column::Time("v.low", "v.high"),
            };
            let inner = self.holds(&inner, any)?;
            return Ok(format!(
                "r.id IN (SELECT v.resource FROM chart_value v WHERE {} AND {inner})",
                of_given(*given)
            ));
        }
        let mut ways = Vec::with_capacity(any.len());
        for wanted in any {
            ways.push(self.holds_one(column, wanted)?);
        }
        Ok(either(&ways))
    }

    fn holds_one(&mut self, column: &Column, wanted: &Wanted) -> Result<String> {
        Ok(match (column, wanted) {
            (Column::Id(column), Wanted::Id(id)) => {
                format!("{column} = {}", self.bind(id.to_vec()))
            }
            (Column::Word(column), Wanted::Word(word)) => {
                format!("{column} = {}", self.bind(word.clone()))
            }
            (Column::Flag(column), Wanted::Flag(yes)) => {
                format!("{column} = {}", self.bind(i64::from(*yes)))
            }
            (Column::Time(low, high), Wanted::Time(compare, from, to)) => {
                self.time(*compare, (low, high), (*from, *to))
            }
            (Column::Date(column), Wanted::Date(compare, from, to)) => {
                self.date(*compare, column, from, to)
            }
            (Column::Text(column), Wanted::Text(how, text)) => self.text(*how, column, text),
            (Column::Name(number), Wanted::Text(how, text)) => self.name(*how, number, text),
            (Column::Token { code, system }, Wanted::Token { code: c, system: s }) => {
                let mut parts = Vec::new();
                if let Some(c) = c {
                    parts.push(format!("{code} = {}", self.bind(c.clone())));
                }
                if let Some(s) = s {
                    parts.push(format!("{system} = {}", self.bind(s.clone())));
                }
                if parts.is_empty() { "1".to_owned() } else { format!("({})", parts.join(" AND ")) }
            }
            // What other systems gave holds references and texts as codes.
            (Column::Token { code, .. }, Wanted::Word(word)) => {
                format!("{code} = {}", self.bind(word.clone()))
            }
            (Column::Token { code, .. }, Wanted::Text(How::Starts, text)) => {
                // Folded already: a stretch of the index, not a pattern.
                let (from, to) =
                    (self.bind(text.clone()), self.bind(format!("{text}{LETTER_LAST}")));
                format!("({code} >= {from} AND {code} < {to})")
            }
            (Column::Token { code, .. }, Wanted::Text(how, text)) => self.text(*how, code, text),
            (
                Column::Id(_)
                | Column::Word(_)
                | Column::Flag(_)
                | Column::Time(..)
                | Column::Date(_)
                | Column::Text(_)
                | Column::Name(_)
                | Column::Token { .. },
                _,
            ) => return Ok("0".to_owned()),
            (Column::Rows(..) | Column::Given(_) | Column::Changed, _) => {
                return Err(no_reference());
            }
        })
    }

    fn time(
        &mut self,
        compare: Compare,
        (low, high): (&str, &str),
        (from, to): (i64, i64),
    ) -> String {
        match compare {
            Compare::Equal => {
                format!("({low} >= {} AND {high} <= {})", self.bind(from), self.bind(to))
            }
            Compare::NotEqual => {
                format!("NOT ({low} >= {} AND {high} <= {})", self.bind(from), self.bind(to))
            }
            Compare::Greater => format!("{high} > {}", self.bind(to)),
            Compare::Less => format!("{low} < {}", self.bind(from)),
            Compare::GreaterOrEqual => {
                let (from, to) = (self.bind(from), self.bind(to));
                format!("({high} > {to} OR ({low} >= {from} AND {high} <= {to}))")
            }
            Compare::LessOrEqual => {
                let (from, to) = (self.bind(from), self.bind(to));
                format!("({low} < {from} OR ({low} >= {from} AND {high} <= {to}))")
            }
            Compare::StartsAfter => format!("{low} >= {}", self.bind(to)),
            Compare::EndsBefore => format!("{high} <= {}", self.bind(from)),
            Compare::Overlaps => {
                format!("({low} < {} AND {high} > {})", self.bind(to), self.bind(from))
            }
        }
    }

    /// Dates as text sort as they follow each other; one without day or month stands before all of
    /// its days and reaches to the end of them.
    fn date(&mut self, compare: Compare, column: &str, from: &str, to: &str) -> String {
        let (from, to) = (from.to_owned(), to.to_owned());
        match compare {
            Compare::Equal => self.within(column, from, to),
            Compare::NotEqual => format!("NOT {}", self.within(column, from, to)),
            Compare::Greater => self.reaches_beyond(column, to),
            Compare::Less => format!("{column} < {}", self.bind(from)),
            Compare::GreaterOrEqual => {
                let beyond = self.reaches_beyond(column, to.clone());
                format!("({} OR {beyond})", self.within(column, from, to))
            }
            Compare::LessOrEqual => {
                let before = format!("{column} < {}", self.bind(from.clone()));
                format!("({} OR {before})", self.within(column, from, to))
            }
            Compare::StartsAfter => format!("{column} >= {}", self.bind(to)),
            Compare::EndsBefore => {
                let from = self.bind(from);
                format!("({column} < {from} AND {from} NOT LIKE {column} || '-%')")
            }
            Compare::Overlaps => {
                let holds = format!("{} LIKE {column} || '-%'", self.bind(from.clone()));
                format!("({} OR {holds})", self.within(column, from, to))
            }
        }
    }

    fn within(&mut self, column: &str, from: String, to: String) -> String {
        format!("({column} >= {} AND {column} < {})", self.bind(from), self.bind(to))
    }

    fn reaches_beyond(&mut self, column: &str, to: String) -> String {
        let to = self.bind(to);
        format!("({column} >= {to} OR {to} LIKE {column} || '-%')")
    }

    fn text(&mut self, how: How, column: &str, text: &str) -> String {
        match how {
            How::Exact => format!("{column} = {}", self.bind(text.to_owned())),
            How::Sounds => "0".to_owned(),
            How::Starts => {
                format!("{column} LIKE {} ESCAPE '\\'", self.bind(format!("{}%", escaped(text))))
            }
            How::Contains => {
                format!("{column} LIKE {} ESCAPE '\\'", self.bind(format!("%{}%", escaped(text))))
            }
        }
    }

    /// Names of patients by their words: the index of the search holds each by its beginning and by
    /// its sound, but only of records that are in use. Of the others those are let through whose name
    /// may fit, or cannot be compared letter by letter.
    fn name(&mut self, how: How, number: &str, text: &str) -> String {
        let words = match how {
            How::Starts | How::Contains | How::Exact => crate::search::beginning(text),
            How::Sounds => sounding(text),
        };
        let Some(words) = words else { return "0".to_owned() };
        let words = self.bind(words);
        let found = format!(
            "{number} IN (SELECT rowid FROM patient_word WHERE patient_word MATCH {words})"
        );
        let has_other = "EXISTS (SELECT 1 FROM patient_name n WHERE n.patient = r.id";
        match how {
            How::Exact => {
                let exact = self.bind(text.to_owned());
                format!(
                    "(({found} OR r.active = 0)
                      AND (r.name = {exact} OR {has_other} AND n.text = {exact})))"
                )
            }
            How::Starts | How::Contains => {
                let word = name::words(text).into_iter().next().unwrap_or_default();
                let word = self.bind(format!("%{}%", escaped(&word)));
                format!(
                    "({found} OR (r.active = 0 AND (r.name LIKE {word} ESCAPE '\\'
                        OR r.name GLOB '*[^A-Za-z ]*' OR {has_other}))))"
                )
            }
            How::Sounds => format!("({found} OR r.active = 0)"),
        }
    }

    /// What comes after a place: greater in the first key in which they differ.
    pub(super) fn beyond(
        &mut self,
        keys: &[String],
        sorts: &[Sort],
        place: &Place,
    ) -> Result<String> {
        if place.values.len() != keys.len() {
            return Err(Error::invalid("cursor", "this cursor is of another search; begin again"));
        }
        let values: Vec<String> =
            place.values.iter().map(|value| self.bind(value.clone())).collect();
        let id = self.bind(place.id.to_vec());
        let mut ways = Vec::new();
        let mut equal = String::new();
        for ((key, value), sort) in keys.iter().zip(&values).zip(sorts) {
            let past = if sort.descending { "<" } else { ">" };
            ways.push(format!("({equal}{key} {past} {value})"));
            equal.push_str(&format!("{key} = {value} AND "));
        }
        ways.push(format!("({equal}r.id > {id})"));
        Ok(format!(" AND {}", either(&ways)))
    }
}

/// The words of a name by their sounds, as the index of the search holds them: behind a 1.
fn sounding(text: &str) -> Option<String> {
    let words = name::words(text);
    let heard = words.iter().map(|word| format!("(\"{word}\" OR \"1{}\")", name::sound(word)));
    (!words.is_empty()).then(|| heard.collect::<Vec<_>>().join(" AND "))
}

/// Whether a field holds anything.
fn present(column: &Column) -> String {
    match column {
        Column::Id(column)
        | Column::Word(column)
        | Column::Flag(column)
        | Column::Date(column)
        | Column::Text(column)
        | Column::Name(column)
        | Column::Time(column, _)
        | Column::Token { code: column, .. } => format!("({column} IS NOT NULL)"),
        Column::Rows(rows, _) => format!("EXISTS (SELECT 1 FROM {rows})"),
        Column::Given(given) => format!(
            "EXISTS (SELECT 1 FROM chart_value v WHERE v.resource = r.id AND {})",
            of_given(*given)
        ),
        Column::Changed => "1".to_owned(),
    }
}

/// Sorts behind every letter.
const LETTER_LAST: char = '\u{10FFFF}';

fn either(ways: &[String]) -> String {
    match ways {
        [] => "0".to_owned(),
        [one] => one.clone(),
        _ => format!("({})", ways.join(" OR ")),
    }
}

/// A text in which the signs of LIKE stand for themselves.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

fn no_reference() -> Error {
    Error::invalid("search", "this field refers to nothing that can be searched here")
}
