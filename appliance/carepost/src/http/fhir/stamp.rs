//! Who asks at this door: the stamp of the records' verbs, and the scopes to which a token is narrowed.
//!
//! Invariant: nothing here reads or searches resources but with such a stamp; the types see to it. The role
//! says what somebody may do at all, the scopes what of that a token is good for.

use std::ops::Deref;

use fhir::Outcome;
use fhir::scope::{Permission, Scopes};
use fhir::search::Query;
use jiff::Timestamp;
use prm::stamp::Stamp as OfRecords;

/// Who asks. To the verbs of the records it is their own stamp.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    of_records: OfRecords,
    scopes: Option<Scopes>,
}

impl Deref for Stamp {
    type Target = OfRecords;

    fn deref(&self) -> &OfRecords {
        &self.of_records
    }
}

impl Stamp {
    /// Somebody with these scopes; without any the role alone decides.
    pub fn new(of_records: OfRecords, scopes: Option<Scopes>) -> Self {
        Self { of_records, scopes }
    }

    /// The box itself.
    pub fn of_box(now: Timestamp) -> Self {
        Self::new(OfRecords::of_box(now), None)
    }

    /// Whether the token is narrowed at all.
    pub fn is_narrowed(&self) -> bool {
        self.scopes.is_some()
    }

    /// Whether the token is good for this.
    pub fn covers(&self, type_: &str, permission: Permission) -> bool {
        self.scopes.is_none_or(|scopes| scopes.allows(type_, permission))
    }

    /// Whether the token lets resources of a type be seen, by reading or by searching.
    pub fn sees(&self, type_: &str) -> bool {
        self.covers(type_, Permission::Read) || self.covers(type_, Permission::Search)
    }

    /// Whether the token has to do with resources of a type that are there: whoever changes one looks at
    /// it, too.
    pub fn touches(&self, type_: &str) -> bool {
        self.sees(type_) || self.covers(type_, Permission::Update)
    }

    /// Refuses what the token is not good for.
    ///
    /// # Errors
    /// *Forbidden*, with the scope that is missing.
    pub fn within(&self, type_: &str, permission: Permission) -> Result<(), Outcome> {
        self.scopes.map_or(Ok(()), |scopes| scopes.within(type_, permission))
    }

    /// Refuses a search that looks at resources of a type that the token may not search.
    ///
    /// # Errors
    /// *Forbidden*, with the scope that is missing.
    pub fn may_search(&self, query: &Query) -> Result<(), Outcome> {
        self.scopes.map_or(Ok(()), |scopes| scopes.may_search(query))
    }
}
