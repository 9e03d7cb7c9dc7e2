//! Bundles that are answered: what a search found, a history, what came of a batch or transaction.
//!
//! Source: <https://hl7.org/fhir/R4/bundle.html>.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::TYPE;
use super::request::Kind;
use crate::element;
use crate::here::Here;
use crate::instant;
use crate::json::Resource;
use crate::outcome::Outcome;

/// The addresses of the pages of a list.
#[derive(Clone, Debug)]
pub struct Pages {
    /// Of this page, with what was looked at only.
    pub this: String,
    /// Of the next one; none at the end.
    pub next: Option<String>,
}

/// What a search found.
#[derive(Debug)]
pub struct Searchset {
    /// How many there are on all pages, if that was counted.
    pub total: Option<u64>,
    /// The addresses of the pages.
    pub pages: Pages,
    /// What fits, on this page.
    pub matches: Vec<Resource>,
    /// What else is wanted. What fits, too, or is there twice, comes once.
    pub included: Vec<Resource>,
    /// What is to be said about the search, such as the names of parameters that were not looked at.
    pub outcome: Option<Outcome>,
}

/// What a search found as a `Bundle`.
pub fn searchset(set: Searchset, here: Here<'_>) -> Resource {
    let Searchset { total, pages, matches, included, outcome } = set;
    let mut bundle = bundle("searchset");
    if let Some(total) = total {
        bundle.set("total", total);
    }
    bundle.set("link", links(pages));
    let mut seen = HashSet::new();
    let mut is_new = |it: &Resource| match it.id() {
        Some(id) => seen.insert((it.resource_type(), id.to_owned())),
        None => true,
    };
    let mut entries = Vec::new();
    for (mode, resources) in [("match", matches), ("include", included)] {
        for resource in resources.into_iter().filter(|it| is_new(it)) {
            let full_url = address(&resource, here);
            entries.push(element::of([
                ("fullUrl", full_url),
                ("resource", Some(resource.into())),
                ("search", Some(json!({ "mode": mode }))),
            ]));
        }
    }
    if let Some(outcome) = outcome {
        entries.push(json!({ "resource": outcome.to_json(), "search": { "mode": "outcome" } }));
    }
    with_entries(bundle, entries)
}

/// A resource that may be the one that is looked for.
#[derive(Debug)]
pub struct Likely {
    /// The resource.
    pub resource: Resource,
    /// How likely it is, 0 to 1.
    pub score: f64,
    /// The same in a word.
    pub grade: Grade,
}

/// How sure it is that a resource is the one that is looked for
/// (<https://hl7.org/fhir/R4/valueset-match-grade.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// It may be.
    Possible,
    /// It most likely is.
    Probable,
    /// It is.
    Certain,
}

impl Grade {
    /// FHIR's code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Probable => "probable",
            Self::Certain => "certain",
        }
    }
}

/// Where R4 has the grade of a match.
const MATCH_GRADE: &str = "http://hl7.org/fhir/StructureDefinition/match-grade";

/// What may be the one that is looked for as a `Bundle`, the likeliest first
/// (<https://hl7.org/fhir/R4/patient-operation-match.html>).
pub fn matched(all: Vec<Likely>, here: Here<'_>) -> Resource {
    let mut bundle = bundle("searchset");
    bundle.set("total", all.len());
    let entries = all.into_iter().map(|Likely { resource, score, grade }| {
        // A decimal is written with as many digits as it has.
        let hundredths = format!("{:.2}", score.clamp(0.0, 1.0));
        let score: Value = serde_json::from_str(&hundredths).unwrap_or(Value::Null);
        element::of([
            ("fullUrl", address(&resource, here)),
            ("resource", Some(resource.into())),
            (
                "search",
                Some(json!({
                    "extension": [{ "url": MATCH_GRADE, "valueCode": grade.as_str() }],
                    "mode": "match",
                    "score": score,
                })),
            ),
        ])
    });
    let entries = entries.collect();
    with_entries(bundle, entries)
}

/// A resource of this box in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its type.
    pub type_: &'static str,
    /// Its id.
    pub id: String,
    /// The version.
    pub version: String,
}

impl Stored {
    fn etag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }

    fn location(&self, here: Here<'_>) -> String {
        let Self { type_, id, version } = self;
        under(here, &format!("{type_}/{id}/_history/{version}"))
    }
}

/// What one change made of a resource.
#[derive(Debug)]
pub struct Version {
    /// The resource.
    pub stored: Stored,
    /// What was done.
    pub change: Change,
    /// When.
    pub at: Timestamp,
    /// What it was from then on; none if it was deleted.
    pub resource: Option<Resource>,
}

/// What was done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was new, and got its id here.
    Created,
    /// It was new, under the id that it was given.
    Put,
    /// It was changed.
    Updated,
    /// It was deleted.
    Deleted,
}

/// Versions as a `Bundle`, in the order in which they are given: the newest first.
pub fn history(
    versions: Vec<Version>,
    total: Option<u64>,
    pages: Pages,
    here: Here<'_>,
) -> Resource {
    let mut bundle = bundle("history");
    if let Some(total) = total {
        bundle.set("total", total);
    }
    bundle.set("link", links(pages));
    let entries = versions.into_iter().map(|it| version(it, here));
    let entries = entries.collect();
    with_entries(bundle, entries)
}

fn version(version: Version, here: Here<'_>) -> Value {
    let Version { stored, change, at, resource } = version;
    let one = format!("{}/{}", stored.type_, stored.id);
    let (method, url, status) = match change {
        Change::Created => ("POST", stored.type_, 201),
        Change::Put => ("PUT", one.as_str(), 201),
        Change::Updated => ("PUT", one.as_str(), 200),
        Change::Deleted => ("DELETE", one.as_str(), 204),
    };
    element::of([
        ("fullUrl", Some(under(here, &one).into())),
        ("resource", resource.map(Value::from)),
        ("request", Some(json!({ "method": method, "url": url }))),
        (
            "response",
            Some(json!({
                "status": phrase(status),
                "etag": stored.etag(),
                "lastModified": instant::write(at, here.zone()),
            })),
        ),
    ])
}

/// What came of one entry of a batch or transaction.
#[derive(Debug)]
pub struct Answer {
    /// The status of HTTP, such as 201.
    pub status: u16,
    /// The resource that was made, changed, or found to be there already: its place and version.
    pub stored: Option<Stored>,
    /// When it last changed.
    pub modified: Option<Timestamp>,
    /// What is to be said about it.
    pub outcome: Option<Outcome>,
    /// The resource, if it is wanted; what was found, if it was searched for.
    pub resource: Option<Resource>,
}

/// What came of a batch or transaction, in the order of its entries.
pub fn answered(kind: Kind, answers: Vec<Answer>, here: Here<'_>) -> Resource {
    let bundle = bundle(match kind {
        Kind::Batch => "batch-response",
        Kind::Transaction => "transaction-response",
    });
    // What is written and read again in one bundle has its address once (invariant bdl-7).
    let mut seen = HashSet::new();
    let entries = answers.into_iter().map(|it| {
        let mut entry = answer(it, here);
        let address = entry.get("fullUrl").map(Value::to_string);
        if address.is_some_and(|address| !seen.insert(address))
            && let Some(entry) = entry.as_object_mut()
        {
            entry.shift_remove("fullUrl");
        }
        entry
    });
    let entries = entries.collect();
    with_entries(bundle, entries)
}

fn answer(answer: Answer, here: Here<'_>) -> Value {
    let Answer { status, stored, modified, outcome, resource } = answer;
    let response = element::of([
        ("status", Some(phrase(status).into())),
        ("location", stored.as_ref().map(|it| it.location(here).into())),
        ("etag", stored.as_ref().map(|it| it.etag().into())),
        ("lastModified", modified.map(|at| instant::write(at, here.zone()).into())),
        ("outcome", outcome.map(|outcome| outcome.to_json())),
    ]);
    element::of([
        ("fullUrl", resource.as_ref().and_then(|it| address(it, here))),
        ("resource", resource.map(Value::from)),
        ("response", Some(response)),
    ])
}

/// A status of HTTP with its words (RFC 9110, section 15).
fn phrase(status: u16) -> String {
    let words = match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        507 => "Insufficient Storage",
        _ => return status.to_string(),
    };
    format!("{status} {words}")
}

fn bundle(kind: &str) -> Resource {
    let mut bundle =
        Resource::of(TYPE).expect("invariant: R4 has the type that this module is named for");
    bundle.set("type", kind);
    bundle
}

/// A list of FHIR has at least one entry.
fn with_entries(mut bundle: Resource, entries: Vec<Value>) -> Resource {
    if !entries.is_empty() {
        bundle.set("entry", entries);
    }
    bundle
}

fn links(pages: Pages) -> Value {
    let Pages { this, next } = pages;
    let link = |relation: &str, url: String| json!({ "relation": relation, "url": url });
    let next = next.map(|url| link("next", url));
    [link("self", this)].into_iter().chain(next).collect()
}

/// Where a resource lies; none if it has no id, as a bundle within a bundle.
fn address(resource: &Resource, here: Here<'_>) -> Option<Value> {
    let id = resource.id()?;
    Some(under(here, &format!("{}/{id}", resource.resource_type())).into())
}

fn under(here: Here<'_>, path: &str) -> String {
    match here.origin.trim_end_matches('/') {
        "" => path.to_owned(),
        origin => format!("{origin}/{path}"),
    }
}
