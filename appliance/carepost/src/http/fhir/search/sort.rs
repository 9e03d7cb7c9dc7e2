//! By what a search is sorted (<https://hl7.org/fhir/R4/search.html#sort>): by what every source of the
//! type can be sorted by in the database.

use std::cmp::Ordering;

use fhir::search::{ID, LAST_UPDATED, ParamKind, Parameter, Query, Sort as Asked};
use prm::id::Noun;
use prm::query::{Field, SORTS_MAX, Sort};
use prm::{
    appointment, chart, healthcare_service, location, patient, practitioner, queue, schedule,
};

use super::source::{Key, Source};

/// How the rows of all sources follow each other.
pub struct Sorted {
    /// By what each source is sorted.
    pub sorts: Vec<Vec<Sort>>,
    /// The parameters that were asked for and are not sorted by.
    pub ignored: Vec<&'static str>,
    /// Whether the sources simply follow each other, each in its own order.
    pub is_one_by_one: bool,
}

impl Sorted {
    /// One source after the other, each in the order in which it is read at the least cost.
    pub fn none(sources: &[Source]) -> Self {
        let sorts = sources.iter().map(|source| natural(source).into_iter().collect()).collect();
        Self { sorts, ignored: Vec::new(), is_one_by_one: true }
    }

    /// Whether a row of one source comes before one of another.
    pub fn comes_before(&self, one: &[Key], other: &[Key]) -> bool {
        let sorts = self.sorts.first().map(Vec::as_slice).unwrap_or_default();
        for ((one, other), sort) in one.iter().zip(other).zip(sorts) {
            let order = one.cmp(other);
            let order = if sort.descending { order.reverse() } else { order };
            if order != Ordering::Equal {
                return order == Ordering::Less;
            }
        }
        false
    }
}

/// How a search is sorted.
pub fn sorted(query: &Query, sources: &[Source]) -> Sorted {
    let mut sorted = Sorted {
        sorts: vec![Vec::new(); sources.len()],
        ignored: Vec::new(),
        is_one_by_one: false,
    };
    for Asked { parameter, descending } in &query.sort {
        let fields = sources.iter().map(|source| field(query.type_, parameter, source));
        let fields: Option<Vec<Field>> = fields.collect();
        match fields.filter(|_| sorted.sorts.first().is_some_and(|it| it.len() < SORTS_MAX)) {
            Some(fields) => {
                for (sorts, field) in sorted.sorts.iter_mut().zip(fields) {
                    sorts.push(Sort { field, descending: *descending });
                }
            }
            None => sorted.ignored.push(parameter.name),
        }
    }
    if sorted.sorts.iter().all(Vec::is_empty) {
        return Sorted { ignored: sorted.ignored, ..Sorted::none(sources) };
    }
    sorted
}

/// The order in which a source is read if nobody asks for another: that of an index by which most is
/// found. Others are in the order of their ids.
fn natural(source: &Source) -> Option<Sort> {
    let field = match source {
        Source::Records(question) if question.noun == Noun::Patient => patient::field::NUMBER,
        Source::Records(question) if question.noun == Noun::Appointment => {
            appointment::field::START
        }
        Source::Records(_)
        | Source::Chart(_)
        | Source::Clinic
        | Source::Relations(_)
        | Source::Slots(_)
        | Source::Written(_)
        | Source::Audit(_) => return None,
    };
    Some(Sort { field, descending: false })
}

/// What a source is sorted by for a parameter.
fn field(type_: &'static str, parameter: &Parameter, source: &Source) -> Option<Field> {
    let noun = match source {
        Source::Records(question) => question.noun,
        Source::Chart(_) => Noun::Chart,
        Source::Clinic
        | Source::Relations(_)
        | Source::Slots(_)
        | Source::Written(_)
        | Source::Audit(_) => return None,
    };
    match (noun, parameter.name) {
        (Noun::Chart, ID) => Some(chart::field::NAME),
        (_, ID) => Some(Field::ID),
        (_, LAST_UPDATED) => Some(Field::CHANGED),
        (Noun::Chart, name) => match parameter.kind {
            ParamKind::Date => Some(Field::given_time(type_, name)),
            ParamKind::Token | ParamKind::Reference | ParamKind::String | ParamKind::Uri => {
                Some(Field::given(type_, name))
            }
            ParamKind::Number => None,
        },
        (Noun::Patient, "name" | "given" | "family") => Some(patient::field::SORT_NAME),
        (Noun::Patient, "birthdate") => Some(patient::field::BIRTH_DATE),
        (Noun::Patient, "gender") => Some(patient::field::SEX),
        (Noun::Patient, "active") => Some(patient::field::ACTIVE),
        (Noun::Patient, "email") => Some(patient::field::EMAIL),
        (Noun::Patient, "address-city") => Some(patient::field::CITY),
        (Noun::Practitioner, "name" | "given" | "family") if type_ == "Practitioner" => {
            Some(practitioner::field::NAME)
        }
        (Noun::Practitioner, "active") => Some(practitioner::field::ACTIVE),
        (Noun::Location, "name") => Some(location::field::NAME),
        (Noun::HealthcareService, "name") => Some(healthcare_service::field::NAME),
        (Noun::HealthcareService, "active") => Some(healthcare_service::field::ACTIVE),
        (Noun::Schedule, "active") => Some(schedule::field::ACTIVE),
        (Noun::Appointment, "date") => Some(appointment::field::START),
        (Noun::Appointment, "status") => Some(appointment::field::STATUS),
        (Noun::QueueEntry, "date") if type_ == "Encounter" => Some(queue::field::JOINED),
        (Noun::QueueEntry, "authored-on") => Some(queue::field::JOINED),
        (_, _) => None,
    }
}
