//! `_summary` and `_elements` of one resource that is read
//! (<https://hl7.org/fhir/R4/search.html#summary>).

use fhir::search::pairs;
use fhir::summary::{Summary, summarised, with_elements};
use fhir::{Here, IssueCode, Outcome};

use super::records::Found;

/// The part that is asked for after the `?`. Whatever else is said there has no meaning for one
/// resource.
pub fn of(found: Found, query: &str, strict: bool, here: Here<'_>) -> Result<Found, Outcome> {
    let mut pairs = pairs(query)?;
    pairs.retain(|(name, _)| ["_summary", "_elements"].contains(&name.as_str()));
    if pairs.is_empty() {
        return Ok(found);
    }
    let Found { resource, at, whose } = found;
    let query = fhir::search::parse(resource.resource_type(), &pairs, strict, here)?;
    if query.summary == Summary::Count {
        let what = "_summary=count is for searches: this is one resource";
        return Err(Outcome::error(IssueCode::Value, what));
    }
    let resource = with_elements(summarised(resource, query.summary), &query.elements);
    Ok(Found { resource, at, whose })
}
