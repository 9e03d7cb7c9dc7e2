//! Searching (<https://hl7.org/fhir/R4/search.html>): the database narrows with the conditions that it
//! has columns for, and each resource is then looked at with all of them, so that an answer never
//! holds what was not asked for.
//!
//! A type that the clinic has records of can also be kept as given: the records come first.

mod narrow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fhir::bundle::{Pages, Searchset, searchset};
use fhir::search::{CURSOR, Include, Query, Sort, Total, Value as Sought};
use fhir::summary::{Summary, summarised, with_elements};
use fhir::{Here, Issue, IssueCode, Outcome, Resource, matching, search};
use prm::db::Read;
use prm::error::Error;
use prm::id::{ChartId, Noun, PatientId};
use prm::query::{self, Place, Question};
use prm::stamp::Stamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::records::{self, Found, Sought as Loaded};
use super::write::Refused;

/// Resources of a page if the caller does not say how many.
const PAGE: usize = 50;
/// Resources that one search looks at; beyond it the caller has to ask more narrowly.
pub const LOOKED_AT_MAX: usize = 5_000;
/// Resources that are included beside those of a page.
const INCLUDED_MAX: usize = 1_000;
/// Rows that are asked of the database at once.
const ROWS_AT_ONCE: usize = 200;

/// What a search found, and whose records were shown.
pub struct Answered {
    /// The bundle.
    pub bundle: Resource,
    /// The patients of the records in it.
    pub patients: Vec<PatientId>,
}

/// Where a search goes on.
#[derive(Serialize, Deserialize)]
struct Cursor {
    source: usize,
    values: Vec<Word>,
    id: Uuid,
}

/// What a page was sorted by.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Word {
    Number(i64),
    Text(String),
}

/// Answers a search as a bundle. `link` is the address of the search without its cursor.
///
/// # Errors
/// What the caller may not read, or has to ask more narrowly.
pub fn answer(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    query: &Query,
    link: &str,
) -> Result<Answered, Refused> {
    let sources = sources(query, here)?;
    let size = match query.summary {
        Summary::Count => 0,
        Summary::False | Summary::True | Summary::Text | Summary::Data => {
            query.count.unwrap_or(PAGE)
        }
    };
    let wants_total =
        query.summary == Summary::Count || !matches!(query.total, None | Some(Total::None));
    let mut page = Page { read, stamp, here, query, looked_at: 0 };
    let begin = query.cursor.as_deref().map(cursor).transpose()?;
    let (found, next) = if size == 0 && query.summary == Summary::Count {
        (Vec::new(), None)
    } else {
        page.fill(&sources, begin.as_ref(), size)?
    };
    let total = if query.cursor.is_none() && next.is_none() && query.summary != Summary::Count {
        u64::try_from(found.len()).ok()
    } else if wants_total {
        Some(page.total(&sources)?)
    } else {
        None
    };
    let mut patients: Vec<PatientId> = found.iter().filter_map(|found| found.patient).collect();
    let matches: Vec<Resource> = found.into_iter().map(|found| found.resource).collect();
    let included = page.included(&matches, &mut patients)?;
    let shaped = |resource| with_elements(summarised(resource, query.summary), &query.elements);
    let next = next.map(|cursor| format!("{link}{}{CURSOR}={}", separator(link), written(&cursor)));
    let outcome = (!query.ignored.is_empty()).then(|| {
        let what = format!("not looked at: {}", query.ignored.join(", "));
        Outcome { issues: vec![Issue::warning(IssueCode::NotSupported, what)] }
    });
    let bundle = searchset(
        Searchset {
            total,
            pages: Pages { this: link.to_owned(), next },
            matches: matches.into_iter().map(shaped).collect(),
            included: included.into_iter().map(shaped).collect(),
            outcome,
        },
        here,
    );
    patients.sort_unstable();
    patients.dedup();
    Ok(Answered { bundle, patients })
}

/// The ids of the resources that a search for one finds, at most two of them.
///
/// # Errors
/// As those of a search.
pub fn few(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    type_: &str,
    criteria: &str,
) -> Result<Vec<String>, Refused> {
    let query = search::criteria(type_, criteria, here)?;
    let mut page = Page { read, stamp, here, query: &query, looked_at: 0 };
    let (found, _) = page.fill(&sources(&query, here)?, None, 2)?;
    Ok(found.iter().filter_map(|found| found.resource.id().map(str::to_owned)).collect())
}

fn separator(link: &str) -> char {
    if link.contains('?') { '&' } else { '?' }
}

fn cursor(text: &str) -> Result<Cursor, Outcome> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(|| {
        Outcome::error(IssueCode::Value, "this page link is not one of the box's; begin again")
    })
}

fn written(cursor: &Cursor) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(cursor).unwrap_or_default())
}

/// The kinds of records in which a type is found, each with the question for the database.
fn sources(query: &Query, here: Here<'_>) -> Result<Vec<Question>, Refused> {
    let mut nouns = Vec::new();
    match records::noun_of(query.type_) {
        Some(Noun::Clinic) | None => {}
        Some(noun) => nouns.push(noun),
    }
    if !matches!(
        query.type_,
        "Patient"
            | "Practitioner"
            | "PractitionerRole"
            | "Location"
            | "HealthcareService"
            | "Schedule"
    ) {
        nouns.push(Noun::Chart);
    }
    nouns.into_iter().map(|noun| Ok(narrow::question(query, noun, here)?)).collect()
}

/// A page while it is filled.
struct Page<'a> {
    read: &'a Read<'a>,
    stamp: &'a Stamp,
    here: Here<'a>,
    query: &'a Query,
    looked_at: usize,
}

impl Page<'_> {
    /// Fills a page, and says where the next one begins, if there is one.
    fn fill(
        &mut self,
        sources: &[Question],
        begin: Option<&Cursor>,
        size: usize,
    ) -> Result<(Vec<Found>, Option<Cursor>), Refused> {
        let mut found: Vec<Found> = Vec::new();
        let mut last: Option<Cursor> = None;
        let first = begin.map_or(0, |cursor| cursor.source);
        if first == 0 && begin.is_none() {
            found.extend(self.clinic()?);
        }
        for (nth, question) in sources.iter().enumerate().skip(first) {
            let sorts = narrow::sorts(&self.query.sort, question.noun);
            let mut after = begin.filter(|cursor| cursor.source == nth).map(place);
            loop {
                let order = (sorts.as_slice(), after.as_ref());
                let rows = query::page(self.read, self.stamp, question, order, ROWS_AT_ONCE)?;
                let Some(end) = rows.last().cloned() else { break };
                for row in rows {
                    self.look()?;
                    let Some(one) = self.load(question.noun, &row)? else { continue };
                    if found.len() == size {
                        return Ok((found, last));
                    }
                    last = Some(of_place(nth, &row));
                    found.push(one);
                }
                after = Some(end);
            }
        }
        Ok((found, None))
    }

    fn look(&mut self) -> Result<(), Outcome> {
        self.looked_at += 1;
        if self.looked_at <= LOOKED_AT_MAX {
            return Ok(());
        }
        let what = format!(
            "more than {LOOKED_AT_MAX} resources would have to be looked at; ask by more, such as a patient or a date"
        );
        Err(Outcome::error(IssueCode::TooCostly, what))
    }

    /// The clinic itself, where it fits.
    fn clinic(&self) -> Result<Option<Found>, Refused> {
        if records::noun_of(self.query.type_) != Some(Noun::Clinic) {
            return Ok(None);
        }
        let id = self.here.clinic.id.to_string();
        self.fits(records::one(self.read, self.stamp, self.here, (self.query.type_, &id), None)?)
    }

    /// The resource of a row, where it fits.
    fn load(&self, noun: Noun, row: &Place) -> Result<Option<Found>, Refused> {
        let id = if noun == Noun::Chart {
            prm::chart::by_id(self.read, self.stamp, ChartId::from_bytes(row.id))?.name
        } else {
            Uuid::from_bytes(row.id).to_string()
        };
        match records::one(self.read, self.stamp, self.here, (self.query.type_, &id), None) {
            Ok(loaded) => self.fits(loaded),
            // A place in the queue of somebody unknown is no Encounter.
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn fits(&self, loaded: Loaded) -> Result<Option<Found>, Refused> {
        let Loaded::Found(found) = loaded else { return Ok(None) };
        let fits = self
            .query
            .conditions
            .iter()
            .all(|condition| matching::matches(&found.resource, condition, self.here));
        Ok(fits.then_some(*found))
    }

    /// How many fit on all pages.
    fn total(&mut self, sources: &[Question]) -> Result<u64, Refused> {
        if narrow::is_exact(self.query) {
            let mut total = i64::from(self.clinic()?.is_some());
            for question in sources {
                total += query::count(self.read, self.stamp, question)?;
            }
            return Ok(u64::try_from(total).unwrap_or(0));
        }
        self.looked_at = 0;
        let (found, _) = self.fill(sources, None, LOOKED_AT_MAX)?;
        Ok(u64::try_from(found.len()).unwrap_or(0))
    }

    /// What else is wanted: what the matches point to, and what points to them.
    fn included(
        &mut self,
        matches: &[Resource],
        patients: &mut Vec<PatientId>,
    ) -> Result<Vec<Resource>, Refused> {
        let mut included: Vec<Resource> = Vec::new();
        let mut wanted: Vec<(&'static str, String)> = Vec::new();
        for Include { source, by, target, iterate: _ } in &self.query.includes {
            for resource in matches.iter().filter(|it| it.resource_type() == *source) {
                for (type_, id) in matching::references(resource, by, self.here) {
                    if target.is_none_or(|target| target == type_)
                        && !wanted.contains(&(type_, id.clone()))
                    {
                        wanted.push((type_, id));
                    }
                }
            }
        }
        for (type_, id) in wanted.into_iter().take(INCLUDED_MAX) {
            match records::one(self.read, self.stamp, self.here, (type_, &id), None) {
                Ok(Loaded::Found(found)) => {
                    patients.extend(found.patient);
                    included.push(found.resource);
                }
                Ok(Loaded::Gone) | Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        for Include { source, by, target: _, iterate: _ } in &self.query.revincludes {
            let any: Vec<Sought> = matches
                .iter()
                .filter_map(|it| {
                    Some(Sought::Reference {
                        type_: Some(it.resource_type()),
                        id: it.id()?.to_owned(),
                    })
                })
                .collect();
            for some in any.chunks(search::VALUES_MAX) {
                let condition =
                    search::Condition { parameter: by, modifier: None, any: some.to_vec() };
                let query = Query::of(source, vec![condition]);
                let mut page = Page {
                    read: self.read,
                    stamp: self.stamp,
                    here: self.here,
                    query: &query,
                    looked_at: self.looked_at,
                };
                let room = INCLUDED_MAX.saturating_sub(included.len());
                let (found, _) = page.fill(&sources(&query, self.here)?, None, room)?;
                self.looked_at = page.looked_at;
                patients.extend(found.iter().filter_map(|found| found.patient));
                included.extend(found.into_iter().map(|found| found.resource));
            }
        }
        Ok(included)
    }
}

fn place(cursor: &Cursor) -> Place {
    let values = cursor.values.iter().map(|word| match word {
        Word::Number(number) => (*number).into(),
        Word::Text(text) => text.clone().into(),
    });
    Place { values: values.collect(), id: cursor.id.into_bytes() }
}

fn of_place(source: usize, place: &Place) -> Cursor {
    let values = place.words().map(|word| match word {
        Ok(number) => Word::Number(number),
        Err(text) => Word::Text(text),
    });
    Cursor { source, values: values.collect(), id: Uuid::from_bytes(place.id) }
}

/// By what to sort in the database.
pub(super) type Sorted = Vec<query::Sort>;

/// What FHIR calls it.
pub(super) type By = Sort;
