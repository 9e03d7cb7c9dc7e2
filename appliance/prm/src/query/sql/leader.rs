//! Which condition of a question leads.

use crate::query::{Column, Compare, Condition, Field, Given, GivenKind, Wanted};

/// What a condition is in its question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// It says which records are walked through.
    Leads,
    /// It is a test of each of them.
    Follows,
}

/// How few records a condition lets through, as far as its form tells; the fewest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fits {
    /// Those that are named.
    Named,
    /// One, or the few of one patient.
    Few,
    /// Those of a number, a name or a day.
    Some,
    /// A part of all.
    Many,
}

/// The condition that leads, if there is one that has an index.
pub(super) fn leader(conditions: &[Condition]) -> Option<usize> {
    let ranked = conditions.iter().enumerate().filter_map(|(nth, it)| Some((fits(it)?, nth)));
    ranked.min().map(|(_, nth)| nth)
}

fn fits(condition: &Condition) -> Option<Fits> {
    match condition {
        Condition::IsOneOf(_) => Some(Fits::Named),
        Condition::Holds { fields, any, not: false } => {
            worst(fields.iter().map(|Field(column)| of_column(column, any)))
        }
        Condition::Holds { fields: _, any: _, not: true } | Condition::Missing(..) => None,
        Condition::RefersTo(..) | Condition::ReferredBy(..) => Some(Fits::Many),
        Condition::AnyOf(some) => worst(some.iter().map(fits)),
        Condition::ChangedAt(compare, from, to) => {
            super::since(*compare, (*from, *to)).map(|_| Fits::Many)
        }
    }
}

/// Of several ways, each is walked: all need an index, and the one that fits the most counts.
fn worst(ways: impl Iterator<Item = Option<Fits>>) -> Option<Fits> {
    ways.collect::<Option<Vec<_>>>()?.into_iter().max()
}

fn of_column(column: &Column, any: &[Wanted]) -> Option<Fits> {
    match column {
        Column::Id("r.patient" | "r.appointment" | "r.id")
        | Column::Word("r.name")
        | Column::Text("r.email")
        | Column::Number(_) => Some(Fits::Few),
        Column::Rows { table: _, owner: _, holds: Column::Token { .. } } => Some(Fits::Few),
        Column::Name(_) | Column::Digits(_) => Some(Fits::Some),
        Column::Date(_) | Column::Instant(_) => Some(in_time(any)),
        Column::Given(Given { kind: _, parameter, holds: GivenKind::Code }) => {
            Some(of_given(parameter))
        }
        Column::Given(Given { kind: _, parameter: _, holds: GivenKind::Time }) => Some(Fits::Many),
        Column::Id(_)
        | Column::Word(_)
        | Column::Text(_)
        | Column::Flag(_)
        | Column::Time(..)
        | Column::Token { .. }
        | Column::Rows { .. }
        | Column::Changed => None,
    }
}

/// A stretch that has an end is short as a rule.
fn in_time(any: &[Wanted]) -> Fits {
    let has_end = |wanted: &Wanted| match wanted {
        Wanted::Time(compare, ..) | Wanted::Date(compare, ..) => {
            matches!(compare, Compare::Equal | Compare::Overlaps)
        }
        Wanted::Id(_)
        | Wanted::Word(_)
        | Wanted::Flag(_)
        | Wanted::Text(..)
        | Wanted::Token { .. } => false,
    };
    if any.iter().all(has_end) { Fits::Some } else { Fits::Many }
}

/// What is found by a parameter, judged by its name: what names one thing fits few.
fn of_given(parameter: &str) -> Fits {
    match parameter {
        "identifier" | "patient" | "subject" | "actor" | "encounter" | "appointment" | "focus"
        | "based-on" | "email" => Fits::Few,
        "phone" | "telecom" | "name" | "given" | "family" | "phonetic" => Fits::Some,
        _ => Fits::Many,
    }
}
