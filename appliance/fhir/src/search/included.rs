//! What an answer holds beside its matches (<https://hl7.org/fhir/R4/search.html#revinclude>): what they point
//! to and what points to them, each once, and not too much of it.

use std::collections::HashSet;

use super::{COUNT_MAX, Condition, Include, VALUES_MAX, Value};
use crate::{Here, IssueCode, Outcome, Resource, matching};

/// Resources that are included beside those of a page.
pub const INCLUDED_MAX: usize = 1_000;

/// The resources that an answer holds already.
pub struct Seen(HashSet<(&'static str, String)>);

impl Seen {
    /// Of an answer with these matches.
    pub fn of(matches: &[Resource]) -> Self {
        Self(matches.iter().filter_map(name).collect())
    }

    /// Whether this resource is not in the answer yet; it is from now on.
    ///
    /// # Errors
    /// *Too costly* if more than [`INCLUDED_MAX`] would be included.
    pub fn is_new(&mut self, type_: &'static str, id: &str) -> Result<bool, Outcome> {
        let is_new = self.0.insert((type_, id.to_owned()));
        if self.0.len() <= COUNT_MAX + INCLUDED_MAX {
            return Ok(is_new);
        }
        let what =
            format!("more than {INCLUDED_MAX} resources would be included; ask for fewer a page");
        Err(Outcome::error(IssueCode::TooCostly, what))
    }

    /// The same of a resource that was found; one without an id is never new.
    ///
    /// # Errors
    /// As [`Seen::is_new`].
    pub fn is_new_one(&mut self, found: &Resource) -> Result<bool, Outcome> {
        found.id().map_or(Ok(false), |id| self.is_new(found.resource_type(), id))
    }
}

impl Include {
    /// Type and id of what these resources point to and is wanted.
    pub fn targets<'a>(
        &'a self,
        of: &'a [Resource],
        here: Here<'a>,
    ) -> impl Iterator<Item = (&'static str, String)> + 'a {
        let sources = of.iter().filter(|it| it.resource_type() == self.source);
        sources
            .flat_map(move |it| matching::references(it, self.by, here))
            .filter(|(type_, _)| self.target.is_none_or(|target| target == *type_))
    }

    /// What finds what points to these resources: a condition for each search, as one takes only so many values.
    pub fn pointing_to(&self, of: &[Resource]) -> Vec<Condition> {
        let to = |it: &Resource| {
            let (type_, id) = name(it)?;
            let can_point = self.by.targets.is_empty() || self.by.targets.contains(&type_);
            can_point.then_some(Value::Reference { type_: Some(type_), id })
        };
        let any: Vec<Value> = of.iter().filter_map(to).collect();
        let condition =
            |some: &[Value]| Condition { parameter: self.by, modifier: None, any: some.to_vec() };
        any.chunks(VALUES_MAX).map(condition).collect()
    }
}

fn name(resource: &Resource) -> Option<(&'static str, String)> {
    Some((resource.resource_type(), resource.id()?.to_owned()))
}
