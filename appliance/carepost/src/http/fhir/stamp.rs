//! Who asks at this door: the stamp of the records' verbs, and the scopes to which a token is narrowed.
//!
//! Invariant: nothing here reads or searches resources but with such a stamp; the types see to it. The role
//! says what somebody may do at all, the scopes what of that a token is good for.

use std::ops::Deref;

use fhir::scope::{Permission, Scopes, wanted};
use fhir::search::Query;
use fhir::{IssueCode, Outcome};
use jiff::Timestamp;
use prm::stamp::Stamp as OfRecords;

/// How a refusal begins that ends with the scope that is missing.
const LACKS: &str = "this token lacks the scope ";

/// The scope for want of which something was refused, if it was for that.
pub fn missing_scope(outcome: &Outcome) -> Option<&str> {
    outcome.issues.first()?.diagnostics.strip_prefix(LACKS)
}

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
        if self.covers(type_, permission) {
            return Ok(());
        }
        let what = format!("{LACKS}{}", wanted(type_, permission));
        Err(Outcome::error(IssueCode::Forbidden, what))
    }

    /// Refuses a search that looks at resources of a type that the token may not search: to find a
    /// resource by another is to learn of the other.
    ///
    /// # Errors
    /// *Forbidden*, with the scope that is missing.
    pub fn may_search(&self, query: &Query) -> Result<(), Outcome> {
        self.within(query.type_, Permission::Search)?;
        for chained in &query.chained {
            let mut refused = Ok(());
            for (type_, _) in &chained.any {
                refused = self.within(type_, Permission::Search);
                // What it points to of other types fits nothing.
                if refused.is_ok() {
                    break;
                }
            }
            refused?;
        }
        let looked_at = query.reversed.iter().map(|reversed| reversed.type_);
        let shown = query.revincludes.iter().map(|include| include.source);
        looked_at.chain(shown).try_for_each(|type_| self.within(type_, Permission::Search))
    }
}
