//! Lent slots that the hub holds for somebody who has not said yes.

use fhir::operation::Input;
use fhir::{Issue, IssueCode, Outcome, Resource, Severity};
use jiff::Timestamp;
use serde_json::Value;
use sync_protocol::wire::SlotKey;
use uuid::Uuid;

use super::visit::{self, Comes, Visit};
use super::{Answered, Named, NotDone, lent, named, patient};
use crate::search::Place;
use crate::store::{self, Hold, StoreError};

/// How long the hub holds a slot if it is not said, in minutes; longer on no wish.
pub const MINUTES_MAX: i64 = 10;
/// Slots of one clinic that are held at once.
const HELD_MAX: u64 = 1_000;
const MINUTE_MS: i64 = 60_000;

/// What a hold is sealed for; no key of a record begins so.
fn place_of(id: [u8; 16]) -> Vec<u8> {
    [&b"hold "[..], &id].concat()
}

/// A time that cannot be had, as IHE wants it said (ITI-116): fatal, and not found.
fn gone() -> NotDone {
    let what = "this time is not lent or is taken; find another with $find";
    let mut issue = Issue::error(IssueCode::NotFound, what);
    issue.severity = Severity::Fatal;
    NotDone::Said(404, issue.into())
}

/// Holds a lent slot.
pub(super) fn held(place: Place<'_>, input: &Input, id: Uuid) -> Result<Answered, NotDone> {
    let minutes = input.whole("minutes")?.unwrap_or(MINUTES_MAX).min(MINUTES_MAX);
    if minutes < 1 {
        let what = format!("minutes is 1 to {MINUTES_MAX}");
        return Err(Outcome::error(IssueCode::Value, what).into());
    }
    let slot = match named(place, input)? {
        Some(Named::Time(slot)) => slot,
        Some(Named::Whole(whole)) => fhir::slot::named(&whole).ok_or_else(gone)?,
        Some(Named::There(_)) | None => return Err(gone()),
    };
    let comes = patient(place, input)?;
    let time = lent::time(place, &slot)?.ok_or_else(gone)?;
    let (hub, clinic) = (place.records.hub(), place.records.id());
    let now_ms = hub.clock.now_ms();
    let before = hub.store.read(clinic, |tx| store::hold(tx, clinic, id.into_bytes()))?;
    // Whoever did not hear the answer asks again.
    let before = before.filter(|it| it.until > now_ms);
    let until = before.as_ref().map_or(now_ms.saturating_add(minutes * MINUTE_MS), |it| it.until);
    let until_time = Timestamp::from_millisecond(until).unwrap_or(Timestamp::MAX);
    let visit = Visit {
        id: id.to_string(),
        status: "pending",
        time: &time,
        comes: comes.as_ref().map(|it| (it, "needs-action")),
        wished: None,
        extensions: vec![visit::held_until(until_time, place.here)],
    };
    // Who comes is kept as described, so that who books need not say it again.
    let body = Kept { slot: &slot, comes: comes.as_ref() }.to_vec();
    let hold = |lane: &SlotKey| {
        hub.store.write(clinic, |tx| -> Result<bool, NotDone> {
            let of = store::clinic(tx, clinic)?;
            let (Some(of), true) = (of, store::hold_count(tx, clinic, now_ms)? < HELD_MAX) else {
                return Ok(false);
            };
            let id = id.into_bytes();
            let sealed = hub.key_of(&of)?.seal(&place_of(id), &body)?;
            let hold = Hold { slot: lane.clone(), id, sealed, until };
            Ok(store::put_hold(tx, clinic, &hold, now_ms)?)
        })
    };
    let mut is_held = before.is_some();
    if !is_held {
        for lane in lent::lanes(place, &slot, None)? {
            is_held = hold(&lane)?;
            if is_held {
                break;
            }
        }
    }
    if !is_held {
        return Err(gone());
    }
    let matches = vec![visit.to_resource(place.here)];
    let resource = visit::bundle(matches, ("$hold", None), (1, None), place.here);
    Ok(Answered { status: 200, resource })
}

/// What is kept of a hold.
struct Kept<'a> {
    slot: &'a str,
    comes: Option<&'a Comes>,
}

impl Kept<'_> {
    fn to_vec(&self) -> Vec<u8> {
        let (resource, id) = match self.comes {
            Some(comes) => (Some(&comes.resource), comes.id.as_deref()),
            None => (None, None),
        };
        let kept = serde_json::json!({ "slot": self.slot, "patient": resource, "id": id });
        kept.to_string().into_bytes()
    }
}

/// The slot and who comes, of what is kept.
fn read(bytes: &[u8]) -> Option<(String, Option<Comes>)> {
    let kept: Value = serde_json::from_slice(bytes).ok()?;
    let slot = kept["slot"].as_str()?.to_owned();
    let patient = Resource::from_value(kept["patient"].clone()).ok();
    let comes = patient.map(|it| match kept["id"].as_str() {
        Some(id) => Comes::on_record(&it, id),
        None => Comes::described(&it),
    });
    Some((slot, comes))
}

/// The hold of this id, over or not, with what is kept of it.
fn kept(place: Place<'_>, id: [u8; 16]) -> Result<Option<(Hold, String, Option<Comes>)>, NotDone> {
    let (hub, clinic) = (place.records.hub(), place.records.id());
    let found = hub.store.read(clinic, |tx| -> Result<_, StoreError> {
        Ok(store::clinic(tx, clinic)?.zip(store::hold(tx, clinic, id)?))
    })?;
    let Some((of, hold)) = found else { return Ok(None) };
    let kept = hub.key_of(&of)?.open(&place_of(id), &hold.sealed)?;
    Ok(read(&kept).map(|(slot, comes)| (hold, slot, comes)))
}

/// Books what is held under an id, as a new appointment; none if nothing is held under it.
pub(super) fn booked(
    place: Place<'_>,
    input: &Input,
    (id, new): ([u8; 16], Uuid),
) -> Result<Option<Answered>, NotDone> {
    let (hub, clinic) = (place.records.hub(), place.records.id());
    let Some((hold, slot, held_for)) = kept(place, id)? else { return Ok(None) };
    if hold.until <= hub.clock.now_ms() {
        let what = "this is not held any more; find a time with $find";
        return Err(NotDone::new(422, IssueCode::BusinessRule, what));
    }
    let comes = match (patient(place, input)?, held_for) {
        (Some(said), Some(held)) if said.id != held.id => {
            let what = "this is held for another patient; hold it for this one";
            return Err(Outcome::error(IssueCode::BusinessRule, what).into());
        }
        (Some(said), _) => said,
        (None, Some(held)) => held,
        (None, None) => {
            let what = "say who comes, by patient-reference or patient-resource";
            return Err(Outcome::error(IssueCode::Required, what).into());
        }
    };
    let time = lent::time(place, &slot)?.ok_or_else(gone)?;
    let sold = lent::sell(place, new, (&hold.slot, &time), (&comes, None))?;
    hub.store.write(clinic, |tx| store::drop_hold(tx, clinic, id))?;
    sold.map(Some).ok_or_else(NotDone::taken)
}

/// Lets go what is held; none if nothing is held under this id.
pub(super) fn cancelled(place: Place<'_>, id: [u8; 16]) -> Result<Option<Answered>, NotDone> {
    let (hub, clinic) = (place.records.hub(), place.records.id());
    let Some((_, slot, _)) = kept(place, id)? else { return Ok(None) };
    hub.store.write(clinic, |tx| store::drop_hold(tx, clinic, id))?;
    let Some(time) = lent::time(place, &slot)? else { return Ok(None) };
    let resource = Visit::called_off(Uuid::from_bytes(id), &time).to_resource(place.here);
    Ok(Some(Answered { status: 200, resource }))
}
