//! Searching the records of a clinic (<https://hl7.org/fhir/R4/search.html>): the terms of a search narrow
//! what is opened, and each resource is then looked at with all that is asked by the code of the box, so
//! that the hub answers as the box does.
//!
//! Without an order that is asked for, resources come in that of their names in the log. Pages are cut by
//! what they are sorted by: what comes or goes between two of them neither hides nor repeats another. Where
//! a page ends is sealed, because it may name people.

mod include;
mod narrow;
mod page;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fhir::bundle::{Pages, Searchset, searchset};
use fhir::matching::{SortKey, sorts};
use fhir::scope::Scopes;
use fhir::search::{CURSOR, Query, Sort, Total};
use fhir::summary::{Summary, summarised, with_elements};
use fhir::{Here, Issue, IssueCode, Outcome, Resource};
use serde::{Deserialize, Serialize};

use self::page::Page;
use crate::hub::ReadError;
use crate::records::Records;
use crate::store::StoreError;

/// Resources of a page if the caller does not say how many.
const PAGE: usize = 50;
/// Resources that one search opens; beyond it the caller has to ask more narrowly.
pub const LOOKED_AT_MAX: usize = 5_000;

/// Why a search was not answered.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// It cannot be read, or takes too much, or more than the caller may see.
    #[error(transparent)]
    Asked(#[from] Outcome),
    /// The index is being made.
    #[error("the index of the records is being made; try again in a minute")]
    Indexing,
    /// Database or keys.
    #[error(transparent)]
    Failed(#[from] ReadError),
}

impl From<StoreError> for Unanswered {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// What is searched, for whom.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The records of the clinic.
    pub records: &'a Records<'a>,
    /// What the caller may see.
    pub scopes: &'a Scopes,
    /// The clinic, and the address under which it is asked.
    pub here: Here<'a>,
}

/// Answers a search as a bundle. `link` is the address of the search without its cursor.
///
/// # Errors
/// [`Unanswered`].
pub fn answer(place: Place<'_>, query: &Query, link: &str) -> Result<Resource, Unanswered> {
    place.scopes.may_search(query)?;
    if !place.records.is_indexed()? {
        return Err(Unanswered::Indexing);
    }
    let (by, ignored) = sorted(query);
    let begin = query.cursor.as_deref().map(|text| opened(place.records, text)).transpose()?;
    let is_first = begin.is_none();
    let only_counts = query.summary == Summary::Count || query.count == Some(0);
    let wants_total = only_counts || !matches!(query.total, None | Some(Total::None));
    let mut page = Page::new(place, query);
    let (matches, next) = if only_counts {
        (Vec::new(), None)
    } else {
        page.fill(&by, begin, query.count.unwrap_or(PAGE))?
    };
    let total = if is_first && next.is_none() && !only_counts {
        u64::try_from(matches.len()).ok()
    } else if wants_total {
        Some(page.total()?)
    } else {
        None
    };
    let included = page.included(&matches)?;
    let shaped = |resource| with_elements(summarised(resource, query.summary), &query.elements);
    let next = next.map(|place_of| sealed(place.records, &place_of)).transpose()?;
    let separator = if link.contains('?') { '&' } else { '?' };
    let next = next.map(|cursor| format!("{link}{separator}{CURSOR}={cursor}"));
    let set = Searchset {
        total,
        pages: Pages { this: link.to_owned(), next },
        matches: matches.into_iter().map(shaped).collect(),
        included: included.into_iter().map(shaped).collect(),
        outcome: remarks(query, &ignored),
    };
    Ok(searchset(set, place.here))
}

/// What a search finds, at most `limit`, in the order of the log.
///
/// # Errors
/// [`Unanswered`].
pub fn all_of(place: Place<'_>, query: &Query, limit: usize) -> Result<Vec<Resource>, Unanswered> {
    if !place.records.is_indexed()? {
        return Err(Unanswered::Indexing);
    }
    Ok(Page::new(place, query).fill(&[], None, limit)?.0)
}

/// By what is sorted, and by what is not.
fn sorted(query: &Query) -> (Vec<Sort>, Vec<&'static str>) {
    let (by, not): (Vec<Sort>, Vec<Sort>) =
        query.sort.iter().copied().partition(|it| sorts(it.parameter));
    (by, not.iter().map(|it| it.parameter.name).collect())
}

/// What is to be said about a search that was answered otherwise than it was asked.
fn remarks(query: &Query, unsorted: &[&'static str]) -> Option<Outcome> {
    let mut issues = Vec::new();
    if !query.ignored.is_empty() {
        let what = format!("not looked at: {}", query.ignored.join(", "));
        issues.push(Issue::warning(IssueCode::NotSupported, what));
    }
    if !unsorted.is_empty() {
        let what = format!("not sorted by: {}", unsorted.join(", "));
        issues.push(Issue::warning(IssueCode::NotSupported, what));
    }
    (!issues.is_empty()).then_some(Outcome { issues })
}

/// Where a resource stands among those that are found.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Standing {
    /// What it is sorted by.
    keys: Vec<Option<SortKey>>,
    /// What it is called in the log.
    name: Vec<u8>,
}

fn sealed(records: &Records<'_>, standing: &Standing) -> Result<String, ReadError> {
    let text = serde_json::to_vec(standing).unwrap_or_default();
    Ok(URL_SAFE_NO_PAD.encode(records.seal(&text)?))
}

fn opened(records: &Records<'_>, text: &str) -> Result<Standing, Unanswered> {
    let text = match URL_SAFE_NO_PAD.decode(text) {
        Ok(sealed) => records.unseal(&sealed)?,
        Err(_) => None,
    };
    text.and_then(|text| serde_json::from_slice(&text).ok()).ok_or_else(|| {
        let what = "this page link is not one of the hub's, or no longer; begin again";
        Outcome::error(IssueCode::Value, what).into()
    })
}
