//! What the entries of a bundle say of one another, once their ids are known.
//!
//! Source: <https://hl7.org/fhir/R4/bundle.html#references>.

use std::collections::{HashMap, HashSet};

use crate::here::Here;
use crate::json::Resource;
use crate::outcome::{Issue, IssueCode, Outcome};
use crate::reference::{self, Target};

use super::ISSUES_MAX;

/// Where references of a bundle lead to on this box.
#[derive(Default)]
pub struct Links {
    to: HashMap<String, String>,
    to_come: HashSet<String>,
}

/// Where a reference leads for the time being whose entry is not there yet: to nobody (RFC 2606).
const TO_COME: &str = "https://to-come.invalid/";

/// A reference to the one resource that a search finds.
#[derive(Clone, PartialEq, Eq)]
pub struct Conditional {
    /// The whole reference, such as `Patient?identifier=7`.
    pub reference: String,
    /// The type that is searched.
    pub type_: &'static str,
    /// The search, for [`crate::search::criteria`].
    pub query: String,
    /// Where it stands in the resource.
    pub path: String,
}

impl std::fmt::Debug for Conditional {
    /// What is searched for is personal: logs show the type and the place.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}?… at {}", self.type_, self.path)
    }
}

/// The conditional references of a resource, each search once.
pub fn conditional_references(resource: &Resource, here: Here<'_>) -> Vec<Conditional> {
    let mut all: Vec<Conditional> = Vec::new();
    for found in reference::references(resource) {
        let Some(Target::Conditional { resource_type, query }) =
            reference::parse(found.reference, here.origin)
        else {
            continue;
        };
        if all.iter().all(|it| it.reference != found.reference) {
            all.push(Conditional {
                reference: found.reference.to_owned(),
                type_: resource_type,
                query: query.to_owned(),
                path: found.path,
            });
        }
    }
    all
}

/// The `fullUrl`s of entries to which a resource may refer, given its own.
pub fn addresses(resource: &Resource, full_url: Option<&str>) -> Vec<String> {
    let base = full_url.and_then(|url| before(url, resource.resource_type()));
    let mut all = Vec::new();
    for found in reference::references(resource) {
        all.extend(base.map(|base| format!("{base}{}", found.reference)));
        all.push(found.reference.to_owned());
    }
    all
}

impl Links {
    /// The entry of this `fullUrl`, or what a conditional reference finds, is this resource.
    pub fn add(&mut self, from: &str, type_: &str, id: &str) {
        self.to.insert(from.to_owned(), format!("{type_}/{id}"));
    }

    /// The entry of this `fullUrl` will be there before the bundle is done.
    pub fn expect(&mut self, from: &str) {
        self.to_come.insert(from.to_owned());
    }

    /// Whether a resource that has this `fullUrl` refers to an entry that is still to come. It is
    /// rewritten for the time being, and again when the entry is there.
    pub fn has_to_wait(&self, resource: &Resource, full_url: Option<&str>) -> bool {
        let is_to_come = |url: &String| self.to_come.contains(url) && !self.to.contains_key(url);
        addresses(resource, full_url).iter().any(is_to_come)
    }

    /// The `Type/id` that is known of an entry or a conditional reference.
    pub fn to(&self, from: &str) -> Option<&str> {
        self.to.get(from).map(String::as_str)
    }

    /// Rewrites the references of an entry that has this `fullUrl`.
    ///
    /// Refused is a reference to an entry that is not there, and a conditional one for which nothing
    /// was found. Others stay.
    pub fn rewrite(
        &self,
        resource: &mut Resource,
        full_url: Option<&str>,
        here: Here<'_>,
    ) -> Result<(), Outcome> {
        let base = full_url.and_then(|url| before(url, resource.resource_type()));
        let lost = |found: &reference::Found<'_>| self.lost(found, here);
        let issues: Vec<Issue> =
            reference::references(resource).iter().filter_map(lost).take(ISSUES_MAX).collect();
        if !issues.is_empty() {
            return Err(Outcome { issues });
        }
        reference::rewrite(resource, |said| self.leads(said, base));
        Ok(())
    }

    /// Where a reference leads to; a relative one is first looked for where the entry comes from.
    fn leads(&self, said: &str, base: Option<&str>) -> Option<String> {
        let beside = base.map(|base| format!("{base}{said}"));
        let both = || beside.as_deref().into_iter().chain([said]);
        let found = both().find_map(|url| self.to.get(url)).cloned();
        let waits = both().any(|url| self.to_come.contains(url));
        found.or_else(|| waits.then(|| format!("{TO_COME}{said}")))
    }

    fn lost(&self, found: &reference::Found<'_>, here: Here<'_>) -> Option<Issue> {
        let what = match reference::parse(found.reference, here.origin)? {
            Target::Urn(_) => "no entry of the bundle has this as its fullUrl",
            Target::Conditional { .. } => "exactly one resource must be found by this reference",
            Target::Local(_) | Target::Contained(_) | Target::Foreign(_) | Target::Logical => {
                return None;
            }
        };
        let said = found.reference;
        if self.to.contains_key(said) || self.to_come.contains(said) {
            return None;
        }
        Some(Issue::at(found.path.as_str(), IssueCode::NotFound, what))
    }
}

/// What stands before `Type/id` in an address.
fn before<'a>(full_url: &'a str, type_: &str) -> Option<&'a str> {
    let (above, _) = full_url.rsplit_once('/')?;
    above.strip_suffix(type_).filter(|base| base.ends_with('/'))
}
