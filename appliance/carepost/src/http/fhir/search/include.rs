//! What else is wanted of a search (<https://hl7.org/fhir/R4/search.html#revinclude>): what the matches
//! point to, and what points to them.

use fhir::Resource;
use fhir::search::{INCLUDED_MAX, Include, Query, Seen};
use prm::error::Error;

use super::source::Source;
use super::{Page, Shown, sort};
use crate::http::fhir::records::{self, Found, Sought};
use crate::http::fhir::write::Refused;

impl Page<'_> {
    /// What else is wanted. What is included is looked at again where `:iterate` says so.
    pub(super) fn included(
        &mut self,
        matches: &[Resource],
        shown: &mut Shown,
    ) -> Result<Vec<Resource>, Refused> {
        let mut seen = Seen::of(matches);
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
        seen: &mut Seen,
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
        seen: &mut Seen,
        came: &mut Vec<Found>,
    ) -> Result<(), Refused> {
        for (type_, id) in include.targets(of, self.here) {
            if !self.stamp.sees(type_) || !seen.is_new(type_, &id)? {
                continue;
            }
            match records::one(self.read, self.stamp, self.here, (type_, &id), None) {
                Ok(Sought::Found(found)) => came.push(*found),
                // What the caller may not read is left out.
                Ok(Sought::Gone) | Err(Error::NotFound(_) | Error::Forbidden) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn back(
        &mut self,
        include: &Include,
        of: &[Resource],
        seen: &mut Seen,
        came: &mut Vec<Found>,
    ) -> Result<(), Refused> {
        // Whoever may not read them is told so although there may be none.
        records::may_read(self.stamp, include.source)?;
        for condition in include.pointing_to(of) {
            let query = Query::of(include.source, vec![condition]);
            let (sources, _) = Source::all(self.read, self.stamp, self.here, &query)?;
            let mut page = Page::new(self.read, self.stamp, self.here, &query);
            page.looked_at = self.looked_at;
            let sorted = sort::sorted(&query, &sources);
            let (found, _) = page.fill(&sources, &sorted, None, INCLUDED_MAX + 1)?;
            self.looked_at = page.looked_at;
            for one in found {
                if seen.is_new_one(&one.resource)? {
                    came.push(one);
                }
            }
        }
        Ok(())
    }
}
