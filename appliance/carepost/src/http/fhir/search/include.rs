//! What else is wanted of a search (<https://hl7.org/fhir/R4/search.html#revinclude>): what the matches
//! point to, and what points to them.

use std::collections::HashSet;

use fhir::search::{self, Include, Query, Value};
use fhir::{IssueCode, Outcome, Resource, matching};
use prm::error::Error;

use super::source::Source;
use super::{Page, Shown, sort};
use crate::http::fhir::records::{self, Found, Sought};
use crate::http::fhir::write::Refused;

/// Resources that are included beside those of a page.
pub const INCLUDED_MAX: usize = 1_000;

impl Page<'_> {
    /// What else is wanted. What is included is looked at again where `:iterate` says so.
    pub(super) fn included(
        &mut self,
        matches: &[Resource],
        shown: &mut Shown,
    ) -> Result<Vec<Resource>, Refused> {
        let mut seen: HashSet<(&'static str, String)> = HashSet::new();
        seen.extend(matches.iter().filter_map(name));
        let mut included: Vec<Resource> = Vec::new();
        let mut came = self.around(matches, true, &mut seen)?;
        while !came.is_empty() {
            came.iter().for_each(|found| shown.add(found));
            let new: Vec<Resource> = came.into_iter().map(|found| found.resource).collect();
            came = self.around(&new, false, &mut seen)?;
            included.extend(new);
        }
        Ok(included)
    }

    /// What these resources point to and what points to them, as far as it was not seen.
    fn around(
        &mut self,
        of: &[Resource],
        are_matches: bool,
        seen: &mut HashSet<(&'static str, String)>,
    ) -> Result<Vec<Found>, Refused> {
        let mut came = Vec::new();
        let counts = |include: &&Include| are_matches || include.iterate;
        for include in self.query.includes.iter().filter(counts) {
            self.forward(include, of, seen, &mut came)?;
        }
        for include in self.query.revincludes.iter().filter(counts) {
            self.back(include, of, seen, &mut came)?;
        }
        Ok(came)
    }

    fn forward(
        &mut self,
        include: &Include,
        of: &[Resource],
        seen: &mut HashSet<(&'static str, String)>,
        came: &mut Vec<Found>,
    ) -> Result<(), Refused> {
        let Include { source, by, target, iterate: _ } = include;
        for resource in of.iter().filter(|it| it.resource_type() == *source) {
            for (type_, id) in matching::references(resource, by, self.here) {
                let is_wanted = target.is_none_or(|target| target == type_);
                let is_wanted = is_wanted && self.stamp.sees(type_);
                if !is_wanted || !seen.insert((type_, id.clone())) {
                    continue;
                }
                is_bounded(seen)?;
                match records::one(self.read, self.stamp, self.here, (type_, &id), None) {
                    Ok(Sought::Found(found)) => came.push(*found),
                    // What the caller may not read is left out.
                    Ok(Sought::Gone) | Err(Error::NotFound(_) | Error::Forbidden) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    fn back(
        &mut self,
        include: &Include,
        of: &[Resource],
        seen: &mut HashSet<(&'static str, String)>,
        came: &mut Vec<Found>,
    ) -> Result<(), Refused> {
        let Include { source, by, target: _, iterate: _ } = include;
        let to = |it: &Resource| {
            let (type_, id) = name(it)?;
            let can_point = by.targets.is_empty() || by.targets.contains(&type_);
            can_point.then_some(Value::Reference { type_: Some(type_), id })
        };
        let any: Vec<Value> = of.iter().filter_map(to).collect();
        // Whoever may not read them is told so although there may be none.
        records::may_read(self.stamp, source)?;
        for some in any.chunks(search::VALUES_MAX) {
            let condition = search::Condition { parameter: by, modifier: None, any: some.to_vec() };
            let query = Query::of(source, vec![condition]);
            let (sources, _) = Source::all(self.read, self.stamp, self.here, &query)?;
            let mut page = Page::new(self.read, self.stamp, self.here, &query);
            page.looked_at = self.looked_at;
            let sorted = sort::sorted(&query, &sources);
            let (found, _) = page.fill(&sources, &sorted, None, INCLUDED_MAX + 1)?;
            self.looked_at = page.looked_at;
            for one in found {
                if name(&one.resource).is_some_and(|name| seen.insert(name)) {
                    is_bounded(seen)?;
                    came.push(one);
                }
            }
        }
        Ok(())
    }
}

fn name(resource: &Resource) -> Option<(&'static str, String)> {
    Some((resource.resource_type(), resource.id()?.to_owned()))
}

fn is_bounded(seen: &HashSet<(&'static str, String)>) -> Result<(), Outcome> {
    if seen.len() <= search::COUNT_MAX + INCLUDED_MAX {
        return Ok(());
    }
    let what =
        format!("more than {INCLUDED_MAX} resources would be included; ask for fewer a page");
    Err(Outcome::error(IssueCode::TooCostly, what))
}
