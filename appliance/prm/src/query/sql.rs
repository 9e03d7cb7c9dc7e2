//! A question as SQL: fixed words around what is bound.
//!
//! One condition of a question leads: the one that fits the fewest records and has an index. It becomes
//! a set of records to walk through; the others are tests of each of them.

mod compare;
mod leader;

use rusqlite::types::Value as Bound;

use self::leader::{Part, leader};
use super::{
    CONDITIONS_MAX, Column, Compare, Condition, Field, Given, GivenKind, How, Place, Question,
    Sort, Wanted, table,
};
use crate::error::{Error, Result};
use crate::id::Noun;
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
        // Never null, and to be read in order from an index.
        Column::Instant(column) | Column::Number(column) => Ok(column.to_owned()),
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
        Column::Id(_)
        | Column::Name(_)
        | Column::Digits(_)
        | Column::Token { .. }
        | Column::Rows { .. } => Err(Error::invalid("sort", "it cannot be sorted by this")),
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
    if noun == Noun::Chart {
        return "r.name";
    }
    "lower(substr(hex(r.id), 1, 8) || '-' || substr(hex(r.id), 9, 4) || '-'
       || substr(hex(r.id), 13, 4) || '-' || substr(hex(r.id), 17, 4) || '-'
       || substr(hex(r.id), 21))"
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
        let leader = leader(&question.conditions);
        for (nth, condition) in question.conditions.iter().enumerate() {
            let part = if Some(nth) == leader { Part::Leads } else { Part::Follows };
            text.push_str(" AND ");
            text.push_str(&self.condition(stamp, question.noun, condition, part)?);
        }
        Ok(text)
    }

    fn condition(
        &mut self,
        stamp: &Stamp,
        noun: Noun,
        condition: &Condition,
        part: Part,
    ) -> Result<String> {
        self.conditions += 1;
        if self.conditions > CONDITIONS_MAX {
            return Err(Error::invalid("conditions", "ask with fewer conditions at once"));
        }
        match condition {
            Condition::Holds { fields, any, not: false }
                if part == Part::Leads && are_of_names(fields, any) =>
            {
                self.named(fields, any)
            }
            Condition::Holds { fields, any, not } => {
                let mut ways = Vec::new();
                for Field(column) in fields {
                    ways.push(self.holds(column, any, part)?);
                }
                // What is not known is not so; only then the opposite is. No index is read through this.
                let ways = either(&ways);
                Ok(if *not { format!("NOT coalesce({ways}, 0)") } else { ways })
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
                    | Column::Number(_)
                    | Column::Flag(_)
                    | Column::Time(..)
                    | Column::Instant(_)
                    | Column::Date(_)
                    | Column::Text(_)
                    | Column::Name(_)
                    | Column::Digits(_)
                    | Column::Token { .. }
                    | Column::Rows { .. }
                    | Column::Changed => Err(no_reference()),
                }
            }
            Condition::AnyOf(some) => {
                let ways = some.iter().map(|one| self.condition(stamp, noun, one, part));
                Ok(either(&ways.collect::<Result<Vec<_>>>()?))
            }
            Condition::IsOneOf(ids) => {
                let ids: Vec<String> = ids.iter().map(|id| self.bind(id.to_vec())).collect();
                Ok(format!("r.id IN ({})", ids.join(", ")))
            }
            Condition::ChangedAt(compare, from, to) => {
                let exact = self.instant(*compare, MADE_AT, (*from, *to));
                let Some(since) = since(*compare, (*from, *to)) else { return Ok(exact) };
                let noun = self.bind(noun.as_str().to_owned());
                let since = self.bind(since);
                Ok(format!(
                    "(r.id IN (SELECT c.resource FROM change c WHERE c.noun = {noun} AND c.at >= {since})
                      AND {exact})"
                ))
            }
        }
    }

    fn refers_to(&mut self, stamp: &Stamp, column: &Column, other: &Question) -> Result<String> {
        match column {
            Column::Id(column) => {
                let inner = self.subquery(stamp, other, "r.id")?;
                Ok(format!("{column} IN ({inner})"))
            }
            Column::Rows { table, owner, holds: Column::Id(column) } => {
                let inner = self.subquery(stamp, other, "r.id")?;
                Ok(format!("r.id IN (SELECT {owner} FROM {table} WHERE {column} IN ({inner}))"))
            }
            Column::Given(given) => {
                let inner = self.subquery(stamp, other, text_id(other.noun))?;
                Ok(format!(
                    "r.id IN (SELECT v.resource FROM chart_value v
                       WHERE {} AND v.code IN ({inner}))",
                    of_given(*given)
                ))
            }
            Column::Rows { .. }
            | Column::Word(_)
            | Column::Number(_)
            | Column::Flag(_)
            | Column::Time(..)
            | Column::Instant(_)
            | Column::Date(_)
            | Column::Text(_)
            | Column::Name(_)
            | Column::Digits(_)
            | Column::Token { .. }
            | Column::Changed => Err(no_reference()),
        }
    }

    /// What is selected of the records that fit, as a query of its own.
    fn subquery(&mut self, stamp: &Stamp, question: &Question, selected: &str) -> Result<String> {
        let inside = self.fits(stamp, question)?;
        Ok(format!("SELECT {selected} FROM {} r WHERE {inside}", table(question)?))
    }

    /// Those with one of these names as one set of their numbers, so that they are walked through in order
    /// and a page ends where it is full.
    fn named(&mut self, fields: &[Field], any: &[Wanted]) -> Result<String> {
        let mut sets = Vec::new();
        for Field(column) in fields {
            if let Column::Given(given) = column {
                let column = Column::Token { code: "v.code", system: "v.system" };
                let inner = self.holds(&column, any, Part::Leads)?;
                if inner != NEVER {
                    sets.push(format!(
                        "SELECT i.number FROM chart_value v JOIN patient i ON i.id = v.resource
                         WHERE {} AND {inner}",
                        of_given(*given)
                    ));
                }
                continue;
            }
            for wanted in any {
                let Wanted::Text(how, text) = wanted else { continue };
                sets.extend(self.numbers_by_name(*how, text));
            }
        }
        if sets.is_empty() {
            return Ok(NEVER.to_owned());
        }
        Ok(format!("r.number IN ({})", sets.join(" UNION ALL ")))
    }

    fn holds(&mut self, column: &Column, any: &[Wanted], part: Part) -> Result<String> {
        match column {
            Column::Rows { table, owner, holds } => {
                let inner = self.holds(holds, any, part)?;
                if inner == NEVER {
                    return Ok(inner);
                }
                Ok(match part {
                    Part::Leads => format!("r.id IN (SELECT {owner} FROM {table} WHERE {inner})"),
                    Part::Follows => {
                        format!("EXISTS (SELECT 1 FROM {table} WHERE {owner} = r.id AND {inner})")
                    }
                })
            }
            Column::Given(given) => {
                let of = of_given(*given);
                let inner = match given.holds {
                    GivenKind::Code => {
                        let column = Column::Token { code: "v.code", system: "v.system" };
                        self.holds(&column, any, part)?
                    }
                    // Times have no code: so much of the index is not walked through.
                    GivenKind::Time => {
                        let inner = self.holds(&Column::Time("v.low", "v.high"), any, part)?;
                        if inner == NEVER { inner } else { format!("v.code = '' AND {inner}") }
                    }
                };
                if inner == NEVER {
                    return Ok(inner);
                }
                Ok(match part {
                    Part::Leads => format!(
                        "r.id IN (SELECT v.resource FROM chart_value v WHERE {of} AND {inner})"
                    ),
                    Part::Follows => format!(
                        "EXISTS (SELECT 1 FROM chart_value v WHERE v.resource = r.id AND {of} AND {inner})"
                    ),
                })
            }
            Column::Id(_)
            | Column::Word(_)
            | Column::Number(_)
            | Column::Flag(_)
            | Column::Time(..)
            | Column::Instant(_)
            | Column::Date(_)
            | Column::Text(_)
            | Column::Name(_)
            | Column::Digits(_)
            | Column::Token { .. }
            | Column::Changed => {
                let mut ways = Vec::with_capacity(any.len());
                for wanted in any {
                    ways.push(self.holds_one(column, wanted)?);
                }
                Ok(either(&ways))
            }
        }
    }

    fn holds_one(&mut self, column: &Column, wanted: &Wanted) -> Result<String> {
        Ok(match (column, wanted) {
            (Column::Id(column), Wanted::Id(id)) => {
                format!("{column} = {}", self.bind(id.to_vec()))
            }
            (Column::Word(column), Wanted::Word(word)) => {
                format!("{column} = {}", self.bind(word.clone()))
            }
            (Column::Number(column), Wanted::Word(word)) => match word.parse::<i64>() {
                Ok(number) if number.to_string() == *word => {
                    format!("{column} = {}", self.bind(number))
                }
                Ok(_) | Err(_) => NEVER.to_owned(),
            },
            (Column::Flag(column), Wanted::Flag(yes)) => {
                format!("{column} = {}", self.bind(i64::from(*yes)))
            }
            (Column::Time(low, high), Wanted::Time(compare, from, to)) => {
                self.time(*compare, (low, high), (*from, *to))
            }
            (Column::Instant(column), Wanted::Time(compare, from, to)) => {
                self.instant(*compare, column, (*from, *to))
            }
            (Column::Date(column), Wanted::Date(compare, from, to)) => {
                self.date(*compare, column, from, to)
            }
            (Column::Text(column), Wanted::Text(how, text)) => self.text(*how, column, text),
            (Column::Text(column), Wanted::Word(word)) => {
                format!("{column} = {} COLLATE NOCASE", self.bind(word.clone()))
            }
            (Column::Name(number), Wanted::Text(how, text)) => self.name(*how, number, text),
            (Column::Digits(number), Wanted::Text(_, digits)) => self.digits(number, digits),
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
                | Column::Number(_)
                | Column::Flag(_)
                | Column::Time(..)
                | Column::Instant(_)
                | Column::Date(_)
                | Column::Text(_)
                | Column::Name(_)
                | Column::Digits(_)
                | Column::Token { .. },
                _,
            ) => return Ok(NEVER.to_owned()),
            (Column::Rows { .. } | Column::Given(_) | Column::Changed, _) => {
                return Err(no_reference());
            }
        })
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
        let mut text = format!(" AND {}", either(&ways));
        // It follows from the above, but an index is entered by this.
        if let (Some(key), Some(value), Some(sort)) = (keys.first(), values.first(), sorts.first())
        {
            let past = if sort.descending { "<=" } else { ">=" };
            text.push_str(&format!(" AND {key} {past} {value}"));
        }
        Ok(text)
    }
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
        | Column::Digits(column)
        | Column::Number(column)
        | Column::Instant(column)
        | Column::Time(column, _)
        | Column::Token { code: column, .. } => format!("({column} IS NOT NULL)"),
        Column::Rows { table, owner, holds: _ } => {
            format!("EXISTS (SELECT 1 FROM {table} WHERE {owner} = r.id)")
        }
        Column::Given(given) => format!(
            "EXISTS (SELECT 1 FROM chart_value v WHERE v.resource = r.id AND {})",
            of_given(*given)
        ),
        Column::Changed => "1".to_owned(),
    }
}

/// Whether all fields are names of patients, or what others gave of them, and nothing is compared to the
/// letter.
fn are_of_names(fields: &[Field], any: &[Wanted]) -> bool {
    let mut columns = fields.iter().map(|Field(column)| column);
    let is_name = |column: &Column| matches!(column, Column::Name(_));
    let is_given = |column: &Column| {
        matches!(column, Column::Given(Given { kind: _, parameter: _, holds: GivenKind::Code }))
    };
    let is_exact = |wanted: &Wanted| matches!(wanted, Wanted::Text(How::Exact, _));
    columns.clone().any(is_name)
        && columns.all(|column| is_name(column) || is_given(column))
        && !any.iter().any(is_exact)
}

/// The earliest moment that fits, if there is one.
fn since(compare: Compare, (from, to): (i64, i64)) -> Option<i64> {
    match compare {
        Compare::Equal | Compare::Overlaps | Compare::GreaterOrEqual => Some(from),
        Compare::Greater | Compare::StartsAfter => Some(to),
        Compare::NotEqual | Compare::Less | Compare::LessOrEqual | Compare::EndsBefore => None,
    }
}

/// Sorts behind every letter.
const LETTER_LAST: char = '\u{10FFFF}';

/// What is never so.
const NEVER: &str = "0";

/// One of these. What is never so is left out: beside it no index would be read.
fn either(ways: &[String]) -> String {
    let ways: Vec<&str> = ways.iter().map(String::as_str).filter(|way| *way != NEVER).collect();
    match ways.as_slice() {
        [] => NEVER.to_owned(),
        [one] => (*one).to_owned(),
        _ => format!("({})", ways.join(" OR ")),
    }
}

fn no_reference() -> Error {
    Error::invalid("search", "this field refers to nothing that can be searched here")
}
