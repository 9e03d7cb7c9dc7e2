//! A patient who was edited at the hub: merged with what was edited here, element by element.

use fhir::merge::{self, Disputed, Merged};
use fhir::{Here, IssueCode, Outcome, Resource, patient};
use jiff::Timestamp;
use prm::clinic;
use prm::conflict;
use prm::db::Tx;
use prm::error::{Error, Result};
use prm::id::PatientId;
use prm::request::Reply;
use prm::stamp::Stamp as OfRecords;
use sync_agent::ask::Edit;

use super::{as_error, is_fatal, refusal, resource};
use crate::http::fhir::interaction::{Only, Work};
use crate::http::fhir::records::{self, Sought};
use crate::http::fhir::stamp::Stamp;
use crate::http::fhir::wire::Asked;

/// Merges an edit, and answers with the patient as they are now. What was edited on both sides stays as
/// it is here, and so does all of an edit that the clinic's rules refuse: the desk sees both.
///
/// # Errors
/// Those of the database.
pub fn merge(tx: &mut Tx<'_>, stamp: &OfRecords, edit: &Edit) -> Result<Reply> {
    let (base, there) = match (person(&edit.base), person(&edit.resource)) {
        (Ok(base), Ok(there)) => (base, there),
        (Err(outcome), _) | (_, Err(outcome)) => return Ok(refusal(422, &outcome)),
    };
    let clinic = clinic::get(tx)?;
    let here = Here { clinic: &clinic, origin: "" };
    let asked = Asked::alone(Stamp::new(OfRecords::of_hub(stamp.now), None));
    let id = PatientId::from_bytes(edit.patient);
    let Some(now) = current(tx, &asked, here, id)? else {
        let what = "there is no such patient at the box";
        return Ok(refusal(404, &Outcome::error(IssueCode::NotFound, what)));
    };
    let changed = merge::changed(&base, &now, &there);
    let room = conflict::OPEN_MAX.saturating_sub(conflict::count_open(tx)?);
    if i64::try_from(changed.len()).is_ok_and(|wanted| wanted > room) {
        let what = "too many edits wait for a person at the clinic; ask again later";
        return Ok(refusal(503, &Outcome::error(IssueCode::TooCostly, what)));
    }
    let Merged { resource: merged, disputed } = merge::merge(&base, &now, &there);
    let disputed = if merged == now || write(tx, &asked, here, (id, merged))? {
        disputed
    } else {
        // All of it was refused: what is said here already is no matter for anybody.
        changed.into_iter().filter(|it| it.here != it.there).collect()
    };
    for it in disputed {
        conflict::note(tx, stamp, id, &of_records(it, edit, stamp.now))?;
    }
    let now = current(tx, &asked, here, id)?.unwrap_or(now);
    Ok(Reply { status: 200, body: now.to_vec(), until: None })
}

/// A Patient in bytes of JSON.
fn person(bytes: &[u8]) -> std::result::Result<Resource, Outcome> {
    let resource = resource(bytes)?;
    if resource.resource_type() == patient::TYPE {
        return Ok(resource);
    }
    let what = "an edit is of a Patient";
    Err(Outcome::error(IssueCode::Structure, what))
}

/// The patient as they are now; none if there never was one.
fn current(tx: &Tx<'_>, asked: &Asked, here: Here<'_>, id: PatientId) -> Result<Option<Resource>> {
    match records::one(tx, &asked.stamp, here, (patient::TYPE, &id.to_string()), None) {
        Ok(Sought::Found(found)) => Ok(Some(found.resource)),
        Ok(Sought::Gone) | Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes the patient, by the verb that all doors use; false if the rules refuse it.
fn write(
    tx: &mut Tx<'_>,
    asked: &Asked,
    here: Here<'_>,
    (id, resource): (PatientId, Resource),
) -> Result<bool> {
    let at = tx.savepoint()?;
    let put = Work::new(tx, asked, here).put(resource, &id.to_string(), Only::default());
    match put.map_err(as_error) {
        Ok(_) => tx.release(at).map(|()| true),
        Err(error) if is_fatal(&error) => Err(error),
        Err(_) => tx.undo(at).map(|()| false),
    }
}

fn of_records(it: Disputed, edit: &Edit, now: Timestamp) -> conflict::Disputed {
    let Disputed { field, base, here, there } = it;
    conflict::Disputed {
        field,
        base: base.to_string(),
        here: here.to_string(),
        there: there.to_string(),
        edited_by: edit.by.clone(),
        edited_at: Timestamp::from_millisecond(edit.at_ms).unwrap_or(now),
    }
}
