//! What else is wanted of a search (<https://hl7.org/fhir/R4/search.html#revinclude>): what the matches
//! point to, and what points to them.

use std::collections::HashSet;

use fhir::search::{self, Condition, Include, Query, Value};
use fhir::{IssueCode, Outcome, Resource, matching};

use super::Unanswered;
use super::page::Page;

/// Resources that are included beside those of a page.
pub const INCLUDED_MAX: usize = 1_000;

/// The resources that an answer holds already.
type Seen = HashSet<(&'static str, String)>;

impl Page<'_> {
    /// What else is wanted. What is included is looked at again where `:iterate` says so.
    pub(super) fn included(&mut self, matches: &[Resource]) -> Result<Vec<Resource>, Unanswered> {
        let mut seen: Seen = matches.iter().filter_map(name).collect();
        let mut included: Vec<Resource> = Vec::new();
        let mut came = self.around(matches, true, &mut seen)?;
        while !came.is_empty() {
            let new = std::mem::take(&mut came);
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
        seen: &mut Seen,
    ) -> Result<Vec<Resource>, Unanswered> {
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
        seen: &mut Seen,
        came: &mut Vec<Resource>,
    ) -> Result<(), Unanswered> {
        let Include { source, by, target, iterate: _ } = include;
        for resource in of.iter().filter(|it| it.resource_type() == *source) {
            for (type_, id) in matching::references(resource, by, self.place.here) {
                let is_wanted = target.is_none_or(|target| target == type_);
                // What the caller may not see is left out.
                let is_wanted = is_wanted && self.place.scopes.sees(type_);
                if is_wanted && seen.insert((type_, id.clone())) {
                    is_bounded(seen)?;
                    came.extend(self.place.records.one(type_, &id)?);
                }
            }
        }
        Ok(())
    }

    fn back(
        &mut self,
        include: &Include,
        of: &[Resource],
        seen: &mut Seen,
        came: &mut Vec<Resource>,
    ) -> Result<(), Unanswered> {
        let Include { source, by, target: _, iterate: _ } = include;
        let to = |it: &Resource| {
            let (type_, id) = name(it)?;
            let can_point = by.targets.is_empty() || by.targets.contains(&type_);
            can_point.then_some(Value::Reference { type_: Some(type_), id })
        };
        let any: Vec<Value> = of.iter().filter_map(to).collect();
        for some in any.chunks(search::VALUES_MAX) {
            let condition = Condition { parameter: by, modifier: None, any: some.to_vec() };
            let query = Query::of(source, vec![condition]);
            let mut page = Page::new(self.place, &query);
            page.looked_at = self.looked_at;
            let (found, _) = page.fill(&[], None, INCLUDED_MAX + 1)?;
            self.looked_at = page.looked_at;
            for one in found {
                if name(&one).is_some_and(|name| seen.insert(name)) {
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

fn is_bounded(seen: &Seen) -> Result<(), Outcome> {
    if seen.len() <= search::COUNT_MAX + INCLUDED_MAX {
        return Ok(());
    }
    let what =
        format!("more than {INCLUDED_MAX} resources would be included; ask for fewer a page");
    Err(Outcome::error(IssueCode::TooCostly, what))
}
