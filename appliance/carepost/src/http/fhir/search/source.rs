//! Where the resources of a type lie, and a row of what lies there.
//!
//! A type that the clinic has records of can also be kept as given: it has two sources.

use std::collections::VecDeque;

use fhir::search::Query;
use fhir::{Here, audit_event, provenance, related_person, slot};
use prm::audit::{self, Filter, Line};
use prm::chart;
use prm::db::Read;
use prm::error::{Error, Result};
use prm::id::{ChartId, Noun, PatientId, PractitionerId};
use prm::provenance::{Filter as Versions, Written, list};
use prm::query::{self, Place, Question, Relation, Sort};
use prm::stamp::Right;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::narrow;
use crate::http::fhir::records::{self, Found, Sought};
use crate::http::fhir::stamp::Stamp;
use crate::http::fhir::write::Refused;
use crate::http::fhir::{audit_events, provenances, slots};

/// Where resources of a type lie.
pub enum Source {
    /// The clinic itself, which is one.
    Clinic,
    /// In the clinic's records.
    Records(Question),
    /// As they were given.
    Chart(Question),
    /// Between two patients.
    Relations(Option<PatientId>),
    /// In sessions.
    Slots(Box<slots::Span>),
    /// In the audit.
    Audit(Box<Filter>),
    /// In the change log, beside the audit.
    Written(Box<Versions>),
}

/// A row of a source: enough to load the resource, and to go on behind it.
pub enum Row {
    Clinic,
    Record(Place),
    Chart(Place),
    Relation(Relation),
    Slot(Box<(prm::slot::Slot, slot::Status)>),
    Line(Box<Line>),
    Written(Box<Written>),
}

/// What a row is sorted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Key {
    /// As in the database, numbers come before texts.
    Number(i64),
    Text(String),
}

/// The place of a row in its source.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mark {
    pub keys: Vec<Key>,
    id: String,
}

/// What kind of records a source holds.
impl Source {
    /// The noun whose rights are needed.
    fn noun(&self) -> Noun {
        match self {
            Self::Clinic => Noun::Clinic,
            Self::Records(question) => question.noun,
            Self::Chart(_) => Noun::Chart,
            Self::Relations(_) => Noun::Patient,
            Self::Slots(_) => Noun::Slot,
            Self::Audit(_) => Noun::Audit,
            // All of them may be read, if there are any.
            Self::Written(versions) => versions.nouns.first().copied().unwrap_or(Noun::Audit),
        }
    }

    /// The sources of a type that the caller may read, and whether there is one more.
    ///
    /// # Errors
    /// *Forbidden* if there is none; what the search has to say more narrowly.
    pub fn all(
        read: &Read<'_>,
        stamp: &Stamp,
        here: Here<'_>,
        query: &Query,
    ) -> std::result::Result<(Vec<Self>, bool), Refused> {
        stamp.may_search(query)?;
        records::may_read(stamp, query.type_)?;
        let type_ = query.type_;
        let mut sources = Vec::new();
        match type_ {
            slot::TYPE => {
                let span = slots::Span::of(read, stamp, here, query)?;
                sources.push(Self::Slots(Box::new(span)));
            }
            audit_event::TYPE => sources.push(Self::Audit(Box::new(audit_events::filter(query)))),
            provenance::TYPE => {
                sources.push(Self::Written(Box::new(provenances::filter(stamp, query))));
            }
            related_person::TYPE => {
                sources.push(Self::Relations(narrow::relations_of(query)));
            }
            _ => match records::noun_of(type_) {
                Some(Noun::Clinic) => sources.push(Self::Clinic),
                Some(noun) if stamp.may(Right::to_read(noun)) => {
                    let question = narrow::question(read, stamp, here, query, noun)?;
                    sources.push(Self::Records(question));
                }
                Some(noun) => sources.push(Self::Records(narrow::everything(type_, noun))),
                None => {}
            },
        }
        if records::is_kept(type_) {
            let question = if stamp.may(Right::ReadChart) {
                narrow::question(read, stamp, here, query, Noun::Chart)?
            } else {
                narrow::everything(type_, Noun::Chart)
            };
            sources.push(Self::Chart(question));
        }
        let before = sources.len();
        sources.retain(|source| stamp.may(Right::to_read(source.noun())));
        let hides_some = sources.len() < before;
        Ok((sources, hides_some))
    }

    /// The question for the database, where there is one.
    pub fn question(&self) -> Option<&Question> {
        match self {
            Self::Records(question) | Self::Chart(question) => Some(question),
            Self::Clinic
            | Self::Relations(_)
            | Self::Slots(_)
            | Self::Audit(_)
            | Self::Written(_) => None,
        }
    }

    /// The rows behind a place, at most `limit`, in order.
    ///
    /// # Errors
    /// Those of the queries, and a place that is none of this source.
    fn rows(
        &self,
        read: &Read<'_>,
        stamp: &Stamp,
        here: Here<'_>,
        (sorts, after): (&[Sort], Option<&Mark>),
        limit: usize,
    ) -> Result<Vec<Row>> {
        Ok(match self {
            Self::Clinic if after.is_none() => vec![Row::Clinic],
            Self::Clinic => Vec::new(),
            Self::Records(question) | Self::Chart(question) => {
                let after = after.map(Mark::place).transpose()?;
                let rows = query::page(read, stamp, question, (sorts, after.as_ref()), limit)?;
                let row = |place| match self {
                    Self::Chart(_) => Row::Chart(place),
                    Self::Clinic
                    | Self::Records(_)
                    | Self::Relations(_)
                    | Self::Slots(_)
                    | Self::Audit(_)
                    | Self::Written(_) => Row::Record(place),
                };
                rows.into_iter().map(row).collect()
            }
            Self::Relations(patient) => {
                let after = after.map(Mark::relation).transpose()?;
                let rows = query::relations(read, stamp, *patient, after, limit)?;
                rows.into_iter().map(Row::Relation).collect()
            }
            Self::Slots(span) => {
                let after = after.map(Mark::slot).transpose()?;
                let rows = slots::list(read, stamp, here, span, after, limit)?;
                rows.into_iter().map(|row| Row::Slot(Box::new(row))).collect()
            }
            Self::Audit(filter) => {
                let before = after.map(Mark::line).transpose()?;
                let filter = Filter { before, ..filter.as_ref().clone() };
                let limit = u32::try_from(limit).unwrap_or(audit::LIST_MAX);
                let rows = audit::list(read, stamp, &filter, limit)?;
                rows.into_iter().map(|line| Row::Line(Box::new(line))).collect()
            }
            Self::Written(versions) => {
                let before = after.map(Mark::line).transpose()?;
                let versions = Versions { before, ..versions.as_ref().clone() };
                let rows = list(read, stamp, &versions, limit)?;
                rows.into_iter().map(|row| Row::Written(Box::new(row))).collect()
            }
        })
    }

    /// The resource of a row.
    ///
    /// # Errors
    /// Those of reading it.
    pub fn load(
        read: &Read<'_>,
        stamp: &Stamp,
        here: Here<'_>,
        type_: &'static str,
        row: &Row,
    ) -> Result<Option<Found>> {
        let found = match row {
            Row::Clinic => {
                let id = here.clinic.id.to_string();
                records::one(read, stamp, here, (type_, &id), None)
            }
            Row::Record(place) => {
                let id = Uuid::from_bytes(place.id).to_string();
                records::one(read, stamp, here, (type_, &id), None)
            }
            Row::Chart(place) => {
                let chart = chart::by_id(read, stamp, ChartId::from_bytes(place.id))?;
                records::of_chart(read, here, &chart)
            }
            Row::Relation(relation) => {
                let id = related_person::id_of(relation.patient, relation.related);
                records::one(read, stamp, here, (type_, &id), None)
            }
            Row::Slot(row) => return Ok(Some(slots::shown(&row.0, row.1, here))),
            Row::Line(line) => return Ok(Some(audit_events::shown(line, here))),
            Row::Written(written) => return Ok(provenances::of_row(written, here)),
        };
        match found {
            Ok(Sought::Found(found)) => Ok(Some(*found)),
            // A place in the queue of somebody unknown is no Encounter.
            Ok(Sought::Gone) | Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Row {
    /// Its place.
    pub fn mark(&self) -> Mark {
        match self {
            Self::Clinic => Mark { keys: Vec::new(), id: String::new() },
            Self::Record(place) | Self::Chart(place) => {
                let key = |word: std::result::Result<i64, String>| match word {
                    Ok(number) => Key::Number(number),
                    Err(text) => Key::Text(text),
                };
                let id = Uuid::from_bytes(place.id).to_string();
                Mark { keys: place.words().map(key).collect(), id }
            }
            Self::Relation(relation) => Mark {
                keys: Vec::new(),
                id: related_person::id_of(relation.patient, relation.related),
            },
            Self::Slot(row) => {
                let id = format!("{}/{}", row.0.practitioner, row.0.id);
                Mark { keys: Vec::new(), id }
            }
            Self::Line(line) => Mark { keys: Vec::new(), id: line.sequence.to_string() },
            Self::Written(written) => Mark { keys: Vec::new(), id: written.sequence.to_string() },
        }
    }
}

/// A link to a page that the box did not make.
fn forged() -> Error {
    Error::invalid("_cursor", "this page link is not one of the box's; begin again")
}

impl Mark {
    fn place(&self) -> Result<Place> {
        let id = Uuid::try_parse(&self.id).map_err(|_| forged())?.into_bytes();
        let values = self.keys.iter().map(|key| match key {
            Key::Number(number) => (*number).into(),
            Key::Text(text) => text.clone().into(),
        });
        Ok(Place { values: values.collect(), id })
    }

    fn relation(&self) -> Result<Relation> {
        let (patient, related) = related_person::parse_id(&self.id).ok_or_else(forged)?;
        Ok(Relation { patient, related })
    }

    fn slot(&self) -> Result<slots::Place> {
        let (practitioner, slot) = self.id.split_once('/').ok_or_else(forged)?;
        let practitioner: PractitionerId = practitioner.parse().map_err(|_| forged())?;
        let slot: prm::id::SlotId = slot.parse().map_err(|_| forged())?;
        Ok((slot.start(), practitioner, slot))
    }

    fn line(&self) -> Result<i64> {
        self.id.parse().map_err(|_| forged())
    }
}

/// A source while it is read.
pub struct Stream<'a> {
    pub source: &'a Source,
    sorts: &'a [Sort],
    rows: VecDeque<(Mark, Row)>,
    asked: Option<Mark>,
    is_at_end: bool,
    /// The last row that was looked at.
    pub last: Option<Mark>,
}

impl<'a> Stream<'a> {
    /// A source from a place on.
    pub fn new(source: &'a Source, sorts: &'a [Sort], after: Option<Mark>) -> Self {
        let (asked, last) = (after.clone(), after);
        Self { source, sorts, rows: VecDeque::new(), asked, is_at_end: false, last }
    }

    /// The place of the next row, if there is one; `more` rows are asked for at once.
    ///
    /// # Errors
    /// Those of the queries.
    pub fn peek(
        &mut self,
        read: &Read<'_>,
        stamp: &Stamp,
        here: Here<'_>,
        more: usize,
    ) -> Result<Option<&Mark>> {
        if self.rows.is_empty() && !self.is_at_end {
            let order = (self.sorts, self.asked.as_ref());
            let rows = self.source.rows(read, stamp, here, order, more)?;
            self.is_at_end = rows.len() < more;
            self.rows = rows.into_iter().map(|row| (row.mark(), row)).collect();
            if let Some((mark, _)) = self.rows.back() {
                self.asked = Some(mark.clone());
            }
        }
        Ok(self.rows.front().map(|(mark, _)| mark))
    }

    /// Takes the next row that was looked at before.
    pub fn take(&mut self) -> Option<(Mark, Row)> {
        self.rows.pop_front()
    }
}
