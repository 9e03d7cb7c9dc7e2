//! Questions about the records: which of one kind fit a list of conditions, page by page.
//!
//! A noun says in its own file by which [`Field`]s it can be asked. Only those become SQL; what was
//! asked for is bound, never written into it.
//!
//! Invariant: pages are cut by what they are sorted by and the id, not by counting, so that a record
//! that comes or goes between two pages neither hides nor repeats another.

mod log;
mod relation;
mod sql;

use rusqlite::types::Value as Bound;

pub use self::log::{Log, changes};
pub use self::relation::{Relation, relations};

use self::sql::{Sql, listed, sort_key};
use crate::db::Read;
use crate::error::{Error, Result};
use crate::id::Noun;
use crate::stamp::Stamp;

/// Records that one page answers at the most.
pub const PAGE_MAX: usize = 1_000;
/// Conditions of one question, those about other records counted.
pub const CONDITIONS_MAX: usize = 256;
/// Things to sort by at once.
pub const SORTS_MAX: usize = 3;

/// Something by which records of a kind can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field(pub(crate) Column);

/// Where a field is found. The row asked about is `r`; in [`Column::Rows`] the other is `x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Sixteen bytes.
    Id(&'static str),
    /// A word of the records, exactly.
    Word(&'static str),
    /// A whole number, asked for as a word; never null.
    Number(&'static str),
    /// Yes or no.
    Flag(&'static str),
    /// A stretch of time in ms since 1970, the end not included.
    Time(&'static str, &'static str),
    /// A moment in ms since 1970; never null.
    Instant(&'static str),
    /// A date as text, of which the day, or day and month, may be missing.
    Date(&'static str),
    /// Text, without regard to case.
    Text(&'static str),
    /// Words of names, however they are written: the number of the patient.
    Name(&'static str),
    /// Digits of telephone numbers: the number of the patient.
    Digits(&'static str),
    /// A code and whose it is.
    Token {
        /// The code.
        code: &'static str,
        /// Whose it is.
        system: &'static str,
    },
    /// The same in rows of another table.
    Rows {
        /// The table, as `x`.
        table: &'static str,
        /// The column that says whose row it is.
        owner: &'static str,
        /// What is in them.
        holds: &'static Column,
    },
    /// The same in what other systems gave.
    Given(Given),
    /// When the newest version was made, in ms since 1970.
    Changed,
}

/// Where something is found in what other systems gave. Both names are the program's own, never of
/// whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// What others call such records.
    pub(crate) kind: &'static str,
    /// The name of a search parameter.
    pub(crate) parameter: &'static str,
    /// What it holds.
    pub(crate) holds: GivenKind,
}

/// What a search parameter holds of what other systems gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GivenKind {
    /// Codes, references, texts.
    Code,
    /// Stretches of time.
    Time,
}

impl Field {
    /// Its id, to sort by.
    pub const ID: Self = Self(Column::Word("lower(hex(r.id))"));

    /// When the newest version of a record was made.
    pub const CHANGED: Self = Self(Column::Changed);

    /// A code, reference or text in what other systems gave of such records, by the name of a search
    /// parameter.
    pub const fn given(kind: &'static str, parameter: &'static str) -> Self {
        Self(Column::Given(Given { kind, parameter, holds: GivenKind::Code }))
    }

    /// A time in what other systems gave of such records, by the name of a search parameter.
    pub const fn given_time(kind: &'static str, parameter: &'static str) -> Self {
        Self(Column::Given(Given { kind, parameter, holds: GivenKind::Time }))
    }
}

/// How a time is compared (FHIR R4, search.html#prefix).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// Lies within.
    Equal,
    /// Does not lie within.
    NotEqual,
    /// Reaches beyond the end.
    Greater,
    /// Begins before the beginning.
    Less,
    /// Lies within or reaches beyond the end.
    GreaterOrEqual,
    /// Lies within or begins before the beginning.
    LessOrEqual,
    /// Begins at the end or later.
    StartsAfter,
    /// Ends at the beginning or earlier.
    EndsBefore,
    /// Has anything in common.
    Overlaps,
}

/// How a text is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It begins so.
    Starts,
    /// It sounds so; of names only.
    Sounds,
    /// It holds this somewhere.
    Contains,
    /// It is this, case included.
    Exact,
}

/// One thing that a field may hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// These sixteen bytes.
    Id([u8; 16]),
    /// This word.
    Word(String),
    /// Yes or no.
    Flag(bool),
    /// A time compared with a stretch in ms since 1970, the end not included.
    Time(Compare, i64, i64),
    /// A date compared with a stretch of dates such as `1984-05`, the end not included.
    Date(Compare, String, String),
    /// A text.
    Text(How, String),
    /// A code and whose it is; `None` is any, an empty system is nobody's.
    Token {
        /// The code.
        code: Option<String>,
        /// Whose it is.
        system: Option<String>,
    },
}

/// What must be so.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// One of the fields holds one of the things, or with `not` none does.
    Holds {
        /// Where to look.
        fields: Vec<Field>,
        /// What to look for.
        any: Vec<Wanted>,
        /// Whether it must not be so.
        not: bool,
    },
    /// None of the fields holds anything, or with `false` one does.
    Missing(Vec<Field>, bool),
    /// One of the fields refers to a record that fits.
    RefersTo(Vec<Field>, Box<Question>),
    /// A record that fits refers to it by that field.
    ReferredBy(Field, Box<Question>),
    /// One of these is so.
    AnyOf(Vec<Condition>),
    /// It is one of these records.
    IsOneOf(Vec<[u8; 16]>),
    /// Its newest version was made at that time.
    ChangedAt(Compare, i64, i64),
}

/// Which records: of this kind, with all of these conditions.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The kind of record.
    pub noun: Noun,
    /// The kind of chart resource, where it is one.
    pub kind: Option<String>,
    /// What must be so.
    pub conditions: Vec<Condition>,
}

/// What a page is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The field.
    pub field: Field,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// Where a page ended: what it was sorted by, and the record.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// What the last record holds in each field that the page is sorted by: text or a number.
    pub values: Vec<Bound>,
    /// The last record.
    pub id: [u8; 16],
}

impl Place {
    /// What the last record holds in each field, in order: a number, or else a text.
    pub fn words(&self) -> impl Iterator<Item = std::result::Result<i64, String>> + '_ {
        self.values.iter().map(|value| match value {
            Bound::Integer(number) => Ok(*number),
            Bound::Text(text) => Err(text.clone()),
            Bound::Null | Bound::Real(_) | Bound::Blob(_) => Err(String::new()),
        })
    }
}

/// The records that fit, at most `limit` (and never more than [`PAGE_MAX`]), after `after`.
pub fn page(
    read: &Read<'_>,
    stamp: &Stamp,
    question: &Question,
    (sorts, after): (&[Sort], Option<&Place>),
    limit: usize,
) -> Result<Vec<Place>> {
    let (text, bound, keys) = selected(stamp, question, (sorts, after), limit)?;
    let mut statement = read.sql().prepare_cached(&text)?;
    let mut rows = statement.query(rusqlite::params_from_iter(bound))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let values = (1..=keys).map(|nth| row.get(nth)).collect::<rusqlite::Result<_>>()?;
        found.push(Place { id: row.get(0)?, values });
    }
    Ok(found)
}

/// The statement of a page, what is bound in it, and by how many keys it is sorted.
fn selected(
    stamp: &Stamp,
    question: &Question,
    (sorts, after): (&[Sort], Option<&Place>),
    limit: usize,
) -> Result<(String, Vec<Bound>, usize)> {
    if sorts.len() > SORTS_MAX {
        return Err(Error::invalid("sort", format!("sort by at most {SORTS_MAX} things at once")));
    }
    let mut sql = Sql::default();
    let fits = sql.fits(stamp, question)?;
    let keys = sorts.iter().map(|sort| sort_key(sort.field)).collect::<Result<Vec<_>>>()?;
    let mut text = format!("SELECT r.id{} FROM {} r WHERE {fits}", listed(&keys), table(question)?);
    if let Some(place) = after {
        text.push_str(&sql.beyond(&keys, sorts, place)?);
    }
    text.push_str(" ORDER BY ");
    for (key, sort) in keys.iter().zip(sorts) {
        text.push_str(key);
        text.push_str(if sort.descending { " DESC, " } else { ", " });
    }
    text.push_str("r.id LIMIT ");
    text.push_str(&limit.min(PAGE_MAX).to_string());
    Ok((text, sql.bound, keys.len()))
}

/// How many records fit.
pub fn count(read: &Read<'_>, stamp: &Stamp, question: &Question) -> Result<i64> {
    let mut sql = Sql::default();
    let fits = sql.fits(stamp, question)?;
    let text = format!("SELECT count(*) FROM {} r WHERE {fits}", table(question)?);
    Ok(read
        .sql()
        .prepare_cached(&text)?
        .query_row(rusqlite::params_from_iter(sql.bound), |row| row.get(0))?)
}

fn table(question: &Question) -> Result<&'static str> {
    match question.noun {
        Noun::Patient => Ok("patient"),
        Noun::Practitioner => Ok("practitioner"),
        Noun::Location => Ok("location"),
        Noun::HealthcareService => Ok("healthcare_service"),
        Noun::Schedule => Ok("schedule"),
        Noun::Appointment => Ok("appointment"),
        Noun::QueueEntry => Ok("queue_entry"),
        Noun::Device => Ok("device"),
        Noun::Chart => Ok("chart"),
        Noun::Clinic
        | Noun::Leave
        | Noun::ClosedDay
        | Noun::Slot
        | Noun::Loan
        | Noun::Staff
        | Noun::Session
        | Noun::Token
        | Noun::Audit
        | Noun::Merge
        | Noun::Request
        | Noun::Conflict
        | Noun::Conversation
        | Noun::Message
        | Noun::Media
        | Noun::Call
        | Noun::Ticket
        | Noun::Waitlist
        | Noun::Faq
        | Noun::Template
        | Noun::CannedAnswer
        | Noun::PatientInstruction
        | Noun::ReminderRule
        | Noun::Reminder => Err(Error::invalid("kind", "these cannot be searched")),
    }
}

#[cfg(test)]
mod tests;
