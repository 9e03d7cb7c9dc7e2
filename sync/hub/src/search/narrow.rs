//! Which records a search has to open: those that have its terms, where it has any that tell enough.

use std::collections::BTreeSet;

use fhir::scope::Permission;
use fhir::search::{Chained, Query, Reversed};
use fhir::{Resource, matching, terms};

use super::Unanswered;
use super::page::Page;

/// Resources of another type by which a search is narrowed; if there are more, it is not.
const REFERRED_MAX: usize = 500;

impl Page<'_> {
    /// The keys of all records that can fit; none if every one of the type can.
    pub(super) fn candidates(&mut self) -> Result<Option<BTreeSet<Vec<u8>>>, Unanswered> {
        let mut sets = terms::of_query(self.query);
        for chained in &self.query.chained {
            sets.extend(self.of_chained(chained)?);
        }
        for reversed in &self.query.reversed {
            sets.extend(self.of_reversed(reversed)?);
        }
        let mut all: Option<BTreeSet<Vec<u8>>> = None;
        for set in &sets {
            // What too many have is looked at in each resource.
            let Some(keys) = self.place.records.keys(set)? else { continue };
            all = Some(match all {
                Some(before) => before.intersection(&keys).cloned().collect(),
                None => keys,
            });
        }
        Ok(all)
    }

    /// The terms of what points to one of the resources that fit; none if those are too many.
    fn of_chained(&mut self, chained: &Chained) -> Result<Option<Vec<String>>, Unanswered> {
        let Chained { by, any } = chained;
        let mut ids = Vec::new();
        for (type_, condition) in any {
            // What the caller may not search fits nothing.
            if !self.place.scopes.allows(type_, Permission::Search) {
                continue;
            }
            let query = Query::of(type_, vec![condition.clone()]);
            let Some(found) = self.referred(&query)? else { return Ok(None) };
            ids.extend(found.iter().filter_map(|it| it.id().map(str::to_owned)));
        }
        let ids = ids.iter().map(String::as_str);
        Ok(Some(terms::of_references(self.query.type_, by, ids)))
    }

    /// The terms of what the resources that fit point to; none if those are too many.
    fn of_reversed(&mut self, reversed: &Reversed) -> Result<Option<Vec<String>>, Unanswered> {
        let Reversed { type_, by, condition } = reversed;
        let query = Query::of(type_, vec![condition.clone()]);
        let Some(found) = self.referred(&query)? else { return Ok(None) };
        let own = self.query.type_;
        let of_one = |it| matching::references(it, by, self.place.here);
        let ids = found.iter().flat_map(of_one).filter(|(type_, _)| *type_ == own);
        Ok(Some(ids.map(|(_, id)| terms::of_id(own, &id)).collect()))
    }

    /// What fits a search of another type; none if it is more than [`REFERRED_MAX`], or nothing narrows
    /// that search in its turn.
    fn referred(&mut self, query: &Query) -> Result<Option<Vec<Resource>>, Unanswered> {
        if terms::of_query(query).is_empty() {
            return Ok(None);
        }
        let mut page = Page::new(self.place, query);
        page.looked_at = self.looked_at;
        let (found, _) = page.fill(&[], None, REFERRED_MAX + 1)?;
        self.looked_at = page.looked_at;
        Ok((found.len() <= REFERRED_MAX).then_some(found))
    }
}
