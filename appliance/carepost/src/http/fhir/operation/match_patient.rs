//! `Patient/$match`: who on record a patient may be who is described
//! (<https://hl7.org/fhir/R4/patient-operation-match.html>, IHE PDQm ITI-119).
//!
//! It is weighed by the records' own search for duplicates ([`prm::patient::likely`]).

use crate::http::fhir::stamp::Stamp;
use fhir::bundle::{Grade, Likely, matched as bundle};
use fhir::operation::Input;
use fhir::{Here, IssueCode, Outcome, Resource, patient as mapping};
use prm::db::Read;
use prm::patient::{self, LIKELY_MAX, Likelihood};

use crate::http::fhir::records::{self, Sought};
use crate::http::fhir::search::Shown;
use crate::http::fhir::write::Refused;

/// Records that are answered if the caller does not say how many.
const PAGE: usize = 10;

/// Those whom it may be, the likeliest first, and that they were shown.
///
/// # Errors
/// What cannot be read, and a description that says nothing.
pub fn matched(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    input: &Input,
) -> Result<(Resource, Shown), Refused> {
    let only_certain = input.flag("onlyCertainMatches")?.unwrap_or(false);
    let limit = match input.whole("count")? {
        None => PAGE,
        Some(count) if count > 0 => usize::try_from(count).unwrap_or(LIKELY_MAX),
        Some(_) => return Err(Outcome::error(IssueCode::Value, "count is 1 or more").into()),
    };
    let Some(described) = input.resource_of(mapping::TYPE, "resource")? else {
        let what = "send the patient who is looked for, as the parameter resource";
        return Err(Outcome::error(IssueCode::Required, what).into());
    };
    let description = mapping::describe(described, here)?;
    let mut found = patient::likely(read, stamp, &description, LIKELY_MAX)?;
    if only_certain {
        found.retain(|it| it.likelihood == Likelihood::Certain);
        // Of several that look certain none is.
        if found.len() > 1 {
            found.clear();
        }
    }
    found.truncate(limit);
    let (mut all, mut shown) = (Vec::new(), Shown::default());
    for patient::Likely { patient, score, likelihood } in found {
        let id = patient.id.to_string();
        let one = match records::one(read, stamp, here, (mapping::TYPE, &id), None)? {
            Sought::Found(one) => *one,
            Sought::Gone => return Err(Refused::Gone),
        };
        shown.add(&one);
        let grade = match likelihood {
            Likelihood::Possible => Grade::Possible,
            Likelihood::Probable => Grade::Probable,
            Likelihood::Certain => Grade::Certain,
        };
        all.push(Likely { resource: one.resource, score, grade });
    }
    Ok((bundle(all, here), shown.once()))
}
