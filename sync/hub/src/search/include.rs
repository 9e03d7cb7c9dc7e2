//! What else is wanted of a search (<https://hl7.org/fhir/R4/search.html#revinclude>): what the matches
//! point to, and what points to them.

use fhir::Resource;
use fhir::search::{INCLUDED_MAX, Include, Query, Seen};

use super::Unanswered;
use super::page::Page;

impl Page<'_> {
    /// What else is wanted. What is included is looked at again where `:iterate` says so.
    pub(super) fn included(&mut self, matches: &[Resource]) -> Result<Vec<Resource>, Unanswered> {
        let mut seen = Seen::of(matches);
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
        for (type_, id) in include.targets(of, self.place.here) {
            // What the caller may not see is left out.
            if self.place.scopes.sees(type_) && seen.is_new(type_, &id)? {
                came.extend(self.place.records.one(type_, &id)?);
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
        for condition in include.pointing_to(of) {
            let query = Query::of(include.source, vec![condition]);
            let mut page = Page::new(self.place, &query);
            page.looked_at = self.looked_at;
            let (found, _) = page.fill(&[], None, INCLUDED_MAX + 1)?;
            self.looked_at = page.looked_at;
            for one in found {
                if seen.is_new_one(&one)? {
                    came.push(one);
                }
            }
        }
        Ok(())
    }
}
