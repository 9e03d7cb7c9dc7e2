//! Searching (<https://hl7.org/fhir/R4/search.html>): the database narrows with the conditions that it
//! has columns for, and each resource is then looked at with all of them, so that an answer never
//! holds what was not asked for.
//!
//! Pages are cut by what they are sorted by: what comes or goes between two of them neither hides nor
//! repeats another.

pub mod everything;
mod include;
mod narrow;
mod sort;
mod source;

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fhir::bundle::{Pages, Searchset, searchset};
use fhir::scope::Permission;
use fhir::search::{CURSOR, Chained, Condition, Query, Reversed, Total, Value};
use fhir::summary::{Summary, summarised, with_elements};
use fhir::{Here, Issue, IssueCode, Outcome, Resource, audit_event, matching, search, slot};
use prm::db::Read;
use prm::error::{Error, Result};
use prm::id::PatientId;
use prm::query;

use self::sort::Sorted;
use self::source::{Mark, Source, Stream};
use super::records::{self, Found, Sought};
use super::stamp::Stamp;
use super::write::Refused;

/// Resources of a page if the caller does not say how many.
const PAGE: usize = 50;
/// Resources that one search looks at; beyond it the caller has to ask more narrowly.
pub const LOOKED_AT_MAX: usize = 5_000;
/// Rows that are asked of a source at once.
const ROWS_AT_ONCE: usize = 200;
/// Resources that are remembered during a search because others refer to them.
const REMEMBERED_MAX: usize = 2_000;

/// What a search found, and whose records were shown.
pub struct Answered {
    /// The bundle.
    pub bundle: Resource,
    /// What was shown.
    pub shown: Shown,
}

/// Whose records were shown, and whether the audit was.
#[derive(Default)]
pub struct Shown {
    /// The patients, each once.
    pub patients: Vec<PatientId>,
    /// Whether lines of the audit are among it.
    pub audit: bool,
}

impl Shown {
    /// One resource more.
    pub fn add(&mut self, found: &Found) {
        self.patients.extend(found.whose.iter().map(|whose| whose.patient));
        self.audit |= found.resource.resource_type() == audit_event::TYPE;
    }

    /// What another search showed.
    pub fn append(&mut self, other: Self) {
        self.patients.extend(other.patients);
        self.audit |= other.audit;
    }

    /// The patients, each once.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.patients.sort_unstable();
        self.patients.dedup();
        self
    }
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
) -> std::result::Result<Answered, Refused> {
    let (sources, hides_some) = Source::all(read, stamp, here, query)?;
    let sorted = sort::sorted(query, &sources);
    let only_counts = query.summary == Summary::Count || query.count == Some(0);
    let wants_total = only_counts || !matches!(query.total, None | Some(Total::None));
    let mut page = Page::new(read, stamp, here, query);
    let begin = query.cursor.as_deref().map(cursor).transpose()?;
    let is_first = begin.is_none();
    let (found, next) = if only_counts {
        (Vec::new(), None)
    } else {
        page.fill(&sources, &sorted, begin, query.count.unwrap_or(PAGE))?
    };
    let total = if is_first && next.is_none() && !only_counts {
        u64::try_from(found.len()).ok()
    } else if wants_total {
        Some(page.total(&sources)?)
    } else {
        None
    };
    let mut shown = Shown::default();
    found.iter().for_each(|found| shown.add(found));
    let matches: Vec<Resource> = found.into_iter().map(|found| found.resource).collect();
    let included = page.included(&matches, &mut shown)?;
    let shaped = |resource| with_elements(summarised(resource, query.summary), &query.elements);
    let separator = if link.contains('?') { '&' } else { '?' };
    let next = next.map(|cursor| format!("{link}{separator}{CURSOR}={cursor}"));
    let outcome = remarks(query, &sorted, &sources, hides_some);
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
    Ok(Answered { bundle, shown: shown.once() })
}

/// What is to be said about a search that was answered otherwise than it was asked.
fn remarks(
    query: &Query,
    sorted: &Sorted,
    sources: &[Source],
    hides_some: bool,
) -> Option<Outcome> {
    let mut issues = Vec::new();
    if !query.ignored.is_empty() {
        let what = format!("not looked at: {}", query.ignored.join(", "));
        issues.push(Issue::warning(IssueCode::NotSupported, what));
    }
    if !sorted.ignored.is_empty() {
        let what = format!("not sorted by: {}", sorted.ignored.join(", "));
        issues.push(Issue::warning(IssueCode::NotSupported, what));
    }
    if hides_some {
        let what = "your role may see only some of these; the others are left out";
        issues.push(Issue::warning(IssueCode::Forbidden, what));
    }
    let end = sources.iter().find_map(|source| match source {
        Source::Slots(span) => span.unasked_end,
        Source::Clinic
        | Source::Records(_)
        | Source::Chart(_)
        | Source::Relations(_)
        | Source::Written(_)
        | Source::Audit(_) => None,
    });
    if end.is_some() {
        let what = "slots are computed for a fortnight if start does not say to when";
        issues.push(Issue::information(what));
    }
    (!issues.is_empty()).then_some(Outcome { issues })
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
) -> std::result::Result<Vec<String>, Refused> {
    let query = search::criteria(type_, criteria, here)?;
    let found = all_of(read, stamp, here, &query, 2)?;
    Ok(found.iter().filter_map(|found| found.resource.id().map(str::to_owned)).collect())
}

/// What a search finds, at most `limit`, in the order of the records.
///
/// # Errors
/// As those of a search.
pub fn all_of(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    query: &Query,
    limit: usize,
) -> std::result::Result<Vec<Found>, Refused> {
    let (sources, _) = Source::all(read, stamp, here, query)?;
    let sorted = sort::sorted(query, &sources);
    let mut page = Page::new(read, stamp, here, query);
    Ok(page.fill(&sources, &sorted, None, limit)?.0)
}

/// A page of what a search finds, in the order of the records, from where another page ended; and where
/// it ended itself, if there is more.
///
/// # Errors
/// As those of a search.
pub fn page(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    query: &Query,
    (begin, size): (Option<&str>, usize),
) -> std::result::Result<(Vec<Found>, Option<String>), Refused> {
    let (sources, _) = Source::all(read, stamp, here, query)?;
    let sorted = sort::sorted(query, &sources);
    let begin = begin.map(cursor).transpose()?;
    Page::new(read, stamp, here, query).fill(&sources, &sorted, begin, size)
}

/// Where a page begins: a place in each source.
type Cursor = Vec<Option<Mark>>;

fn cursor(text: &str) -> std::result::Result<Cursor, Outcome> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(forged)
}

fn forged() -> Outcome {
    let what = "this page link is not one of the box's; begin again";
    Outcome::error(IssueCode::Value, what)
}

/// A page while it is filled.
struct Page<'a> {
    read: &'a Read<'a>,
    stamp: &'a Stamp,
    here: Here<'a>,
    query: &'a Query,
    looked_at: usize,
    /// What others refer to; none of what is not there or not for the caller.
    known: HashMap<(&'static str, String), Option<Resource>>,
}

impl<'a> Page<'a> {
    fn new(read: &'a Read<'a>, stamp: &'a Stamp, here: Here<'a>, query: &'a Query) -> Self {
        Self { read, stamp, here, query, looked_at: 0, known: HashMap::new() }
    }

    /// Fills a page, and says where the next one begins, if there is one.
    fn fill(
        &mut self,
        sources: &[Source],
        sorted: &Sorted,
        begin: Option<Cursor>,
        size: usize,
    ) -> std::result::Result<(Vec<Found>, Option<String>), Refused> {
        let begin = begin.unwrap_or_else(|| vec![None; sources.len()]);
        if begin.len() != sources.len() {
            return Err(forged().into());
        }
        let mut streams: Vec<Stream<'_>> = sources
            .iter()
            .zip(&sorted.sorts)
            .zip(begin)
            .map(|((source, sorts), after)| Stream::new(source, sorts, after))
            .collect();
        let mut found: Vec<Found> = Vec::new();
        while let Some(nth) = self.next(&mut streams, sorted, size)? {
            let Some((mark, row)) = streams.get_mut(nth).and_then(Stream::take) else { break };
            self.look()?;
            let loaded = Source::load(self.read, self.stamp, self.here, self.query.type_, &row)?;
            if let Some(one) = loaded
                && self.fits(&one.resource)?
            {
                if found.len() == size {
                    let places: Cursor = streams.iter().map(|it| it.last.clone()).collect();
                    let text = serde_json::to_vec(&places).unwrap_or_default();
                    return Ok((found, Some(URL_SAFE_NO_PAD.encode(text))));
                }
                found.push(one);
            }
            if let Some(stream) = streams.get_mut(nth) {
                stream.last = Some(mark);
            }
        }
        Ok((found, None))
    }

    /// Which source has the row that comes next.
    fn next(
        &self,
        streams: &mut [Stream<'_>],
        sorted: &Sorted,
        size: usize,
    ) -> Result<Option<usize>> {
        // One more than wanted tells whether there is more; if many do not fit, many are asked for.
        let more = if self.looked_at == 0 { size.saturating_add(1) } else { ROWS_AT_ONCE };
        let more = more.min(ROWS_AT_ONCE);
        let mut first: Option<(usize, &Mark)> = None;
        for (nth, stream) in streams.iter_mut().enumerate() {
            let Some(mark) = stream.peek(self.read, self.stamp, self.here, more)? else { continue };
            if first.is_none_or(|(_, before)| sorted.comes_before(&mark.keys, &before.keys)) {
                first = Some((nth, mark));
            }
            if sorted.is_one_by_one {
                break;
            }
        }
        Ok(first.map(|(nth, _)| nth))
    }

    fn look(&mut self) -> std::result::Result<(), Outcome> {
        self.looked_at += 1;
        if self.looked_at <= self.most() {
            return Ok(());
        }
        let what = format!(
            "more than {} resources would have to be looked at; ask by more, such as a patient or a date",
            self.most()
        );
        Err(Outcome::error(IssueCode::TooCostly, what))
    }

    /// How many may be looked at. Slots are not loaded one by one.
    fn most(&self) -> usize {
        if self.query.type_ == slot::TYPE { prm::slot::SLOTS_MAX } else { LOOKED_AT_MAX }
    }

    /// Whether a resource is what is looked for.
    fn fits(&mut self, resource: &Resource) -> std::result::Result<bool, Refused> {
        let query = self.query;
        if !query.conditions.iter().all(|it| matching::matches(resource, it, self.here)) {
            return Ok(false);
        }
        for chained in &query.chained {
            if !self.is_chained(resource, chained)? {
                return Ok(false);
            }
        }
        for reversed in &query.reversed {
            if !self.is_reversed(resource, reversed)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether one of the resources that it points to fits.
    fn is_chained(&mut self, resource: &Resource, chained: &Chained) -> Result<bool> {
        let Chained { by, any } = chained;
        for (type_, id) in matching::references(resource, by, self.here) {
            let conditions = any.iter().filter(|(of, _)| *of == type_);
            for (_, condition) in conditions {
                let here = self.here;
                let other = self.recalled(type_, &id)?;
                if other.is_some_and(|other| matching::matches(other, condition, here)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// A resource that another refers to.
    fn recalled(&mut self, type_: &'static str, id: &str) -> Result<Option<&Resource>> {
        let key = (type_, id.to_owned());
        if !self.known.contains_key(&key) && self.stamp.covers(type_, Permission::Search) {
            let found = match records::one(self.read, self.stamp, self.here, (type_, id), None) {
                Ok(Sought::Found(found)) => Some(found.resource),
                // What the caller may not read fits nothing.
                Ok(Sought::Gone) | Err(Error::NotFound(_) | Error::Forbidden) => None,
                Err(error) => return Err(error),
            };
            if self.known.len() >= REMEMBERED_MAX {
                self.known.clear();
            }
            self.known.insert(key.clone(), found);
        }
        Ok(self.known.get(&key).and_then(Option::as_ref))
    }

    /// Whether one of the resources that point to it fits.
    fn is_reversed(
        &mut self,
        resource: &Resource,
        reversed: &Reversed,
    ) -> std::result::Result<bool, Refused> {
        let Reversed { type_, by, condition } = reversed;
        let Some(id) = resource.id() else { return Ok(false) };
        let own = Value::Reference { type_: Some(resource.resource_type()), id: id.to_owned() };
        let here = Condition { parameter: by, modifier: None, any: vec![own] };
        let query = Query::of(type_, vec![here, condition.clone()]);
        let (sources, _) = Source::all(self.read, self.stamp, self.here, &query)?;
        let mut page = Page::new(self.read, self.stamp, self.here, &query);
        page.looked_at = self.looked_at;
        let (found, _) = page.fill(&sources, &sort::sorted(&query, &sources), None, 1)?;
        self.looked_at = page.looked_at;
        Ok(!found.is_empty())
    }

    /// How many fit on all pages.
    fn total(&mut self, sources: &[Source]) -> std::result::Result<u64, Refused> {
        let questions: Option<Vec<_>> = sources.iter().map(Source::question).collect();
        if let Some(questions) = questions.filter(|all| narrow::are_exact(self.query, all)) {
            let mut total = 0;
            for question in questions {
                total += query::count(self.read, self.stamp, question)?;
            }
            return Ok(u64::try_from(total).unwrap_or(0));
        }
        self.looked_at = 0;
        let sorted = Sorted::none(sources);
        let (found, _) = self.fill(sources, &sorted, None, usize::MAX)?;
        Ok(u64::try_from(found.len()).unwrap_or(0))
    }
}
