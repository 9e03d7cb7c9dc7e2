//! Bundles: many requests in one, and many resources in one answer.
//!
//! Sources: <https://hl7.org/fhir/R4/http.html#transaction>, <https://hl7.org/fhir/R4/bundle.html>.
//!
//! A batch or transaction is [`read`], its entries are done in the order of [`Submission::order`],
//! their references rewritten by [`Links`], and what came of them is written by [`answered`]. Searches
//! are answered by [`searchset`], histories by [`history`].
//!
//! Absent: operations (`$…`) and `_search` by POST as entries; addresses of entries in narratives and in
//! elements that are no `Reference` are not rewritten.

mod answer;
mod links;
mod request;
#[cfg(test)]
mod tests;

pub use answer::{
    Answer, Change, Grade, Likely, Pages, Searchset, Stored, Version, answered, history, matched,
    searchset,
};
pub use links::{Conditional, Links, addresses, conditional_references};
pub use request::{Action, Entry, Kind, Submission, Target, apart, checked, read};

/// The longest batch or transaction, in bytes.
pub const BYTES_MAX: usize = 32 * 1024 * 1024;
/// The most entries of a batch or transaction.
pub const ENTRIES_MAX: usize = 10_000;
/// The most issues that are found in one bundle; what lies behind them is not looked at.
pub const ISSUES_MAX: usize = 50;

/// FHIR's name of the type.
pub const TYPE: &str = "Bundle";
/// The element with the resources.
pub(crate) const ENTRY: &str = "entry";
