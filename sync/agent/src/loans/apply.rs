//! A step of a loan written with all that goes with it, in one transaction.

use prm::appointment;
use prm::db::{Read, Tx};
use prm::error::{Error, Result};
use prm::hub;
use prm::id::AppointmentId;
use prm::loan::{self, Loan};
use prm::request;
use prm::stamp::Stamp;
use sync_protocol::ask::Ask;
use sync_protocol::loan::{BookingId, Effect, Fence, Lender, Standing, Step, ToBox, ToHub};
use sync_protocol::uplink::Stop;
use sync_protocol::wire::SlotKey;

use super::{buyer, key, state};
use crate::word;

/// What came of it.
#[derive(Debug)]
pub(super) enum Applied {
    /// Written; these are to be sent.
    Done(Vec<ToHub>),
    /// Nothing was written, because it is not known who bought these.
    Wanting(Vec<BookingId>),
}

/// Takes in what the hub said about a slot. None if this box never lent that: another one did, of which
/// this is an older copy, and it has stopped.
pub(super) fn hear(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    standing: Standing,
    (slot_key, said): (&SlotKey, ToBox),
) -> Result<Option<Applied>> {
    // What is not a slot of ours was never lent: it is settled by saying so.
    let nothing = || match said {
        ToBox::Return { fence, outcome: _ } => vec![ToHub::Settled { fence }],
        ToBox::Taken { .. } | ToBox::Sale { .. } => Vec::new(),
    };
    let Some(place) = key::parse(slot_key) else { return Ok(Some(Applied::Done(nothing()))) };
    let row = state::row(tx, stamp, place)?;
    let before = row.as_ref().map(|row| state::lender(tx, stamp, row)).transpose()?;
    let newest = before.as_ref().map_or(Fence::NONE, |it| it.fence);
    if standing == Standing::Living(fence_of(said).generation) && fence_of(said) > newest {
        stop(tx, stamp)?;
        return Ok(None);
    }
    let Some((row, before)) = row.zip(before) else { return Ok(Some(Applied::Done(nothing()))) };
    let mut step = match before.hear(standing, said) {
        Ok(step) => step,
        Err(refusal) => return Err(state::refused(refusal, row.slot)),
    };
    // A slot that was sold comes back at once, so that the patient is in the diary.
    if let ToBox::Sale { .. } = said
        && let Ok(recalled) = step.state.recall()
        && state::next(&step.state).sale.is_some()
    {
        step.state = recalled;
    }
    apply(tx, stamp, "settle", (&row, &before), step).map(Some)
}

/// The loan that is spoken of.
fn fence_of(said: ToBox) -> Fence {
    match said {
        ToBox::Taken { fence }
        | ToBox::Sale { fence, booking: _ }
        | ToBox::Return { fence, outcome: _ } => fence,
    }
}

/// Two boxes speak as one: the hub is told so, and nothing else until a person decides.
fn stop(tx: &mut Tx<'_>, stamp: &Stamp) -> Result<()> {
    let Some(standing) = hub::standing(tx)? else { return Ok(()) };
    let at = standing.through.unsigned_abs();
    let (word, at) = word::of_stop(Stop::Forked { at });
    let stop_at = at.and_then(|at| i64::try_from(at).ok());
    hub::note(tx, stamp, &hub::Standing { stop: Some(word.to_owned()), stop_at, ..standing }, None)
}

/// Writes a step.
pub(super) fn apply(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    verb: &'static str,
    (row, before): (&Loan, &Lender),
    step: Step<Lender, ToHub>,
) -> Result<Applied> {
    let Step { state: after, effects } = step;
    let mut wanting = Vec::new();
    for effect in &effects {
        match effect {
            Effect::Adopt(booking) | Effect::Displace(booking) => {
                if !is_known(tx, stamp, state::appointment(*booking))? {
                    wanting.push(*booking);
                }
            }
            Effect::Withdraw(_) | Effect::Send(_) => {}
        }
    }
    if !wanting.is_empty() {
        return Ok(Applied::Wanting(wanting));
    }
    let is_news_only = effects.iter().all(|effect| match effect {
        Effect::Send(_) => true,
        Effect::Adopt(_) | Effect::Displace(_) | Effect::Withdraw(_) => false,
    });
    let row = if after == *before && is_news_only {
        row.clone()
    } else {
        loan::put(tx, stamp, verb, row, state::next(&after))?
    };
    let mut sent = Vec::new();
    for effect in effects {
        match effect {
            Effect::Adopt(booking) => adopt(tx, stamp, &row, booking)?,
            Effect::Displace(booking) => displace(tx, stamp, &row, booking)?,
            Effect::Withdraw(booking) => {
                loan::withdraw(tx, stamp, state::appointment(booking))?;
            }
            Effect::Send(said) => sent.push(said),
        }
    }
    Ok(Applied::Done(sent))
}

/// Whether it is known who bought: it was told, or it is in the diary.
pub(super) fn is_known(read: &Read<'_>, stamp: &Stamp, id: AppointmentId) -> Result<bool> {
    if bundle(read, stamp, id)?.is_some() {
        return Ok(true);
    }
    match appointment::get(read, stamp, id) {
        Ok(_) => Ok(true),
        Err(Error::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Who bought, as it was told: by the exchange about loans, or as a request of the hub.
pub(super) fn bundle(read: &Read<'_>, stamp: &Stamp, id: AppointmentId) -> Result<Option<Vec<u8>>> {
    match loan::details(read, stamp, id)? {
        Some(told) => Ok(Some(told)),
        None => {
            let asked = request::sale(read, stamp, *id.as_bytes())?;
            Ok(asked.and_then(|body| match Ask::from_bytes(&body) {
                Ok(Ask::Sale(sale)) => Some(sale.bundle),
                Ok(Ask::Operation(_) | Ask::Proposal(_) | Ask::Edit(_) | Ask::Catalogue(_))
                | Err(_) => None,
            }))
        }
    }
}

/// Forgets who bought, because the sale is in the diary or became work for the desk.
pub(super) fn forget(tx: &mut Tx<'_>, stamp: &Stamp, id: AppointmentId) -> Result<()> {
    loan::forget_details(tx, stamp, id)?;
    request::adopted(tx, stamp, *id.as_bytes())
}

fn adopt(tx: &mut Tx<'_>, stamp: &Stamp, row: &Loan, booking: BookingId) -> Result<()> {
    let id = state::appointment(booking);
    // Told of before, in another life of this box or by another way: it is in the diary.
    let Some(body) = bundle(tx, stamp, id)? else { return Ok(()) };
    let buyer::Buyer { patient, reason } = buyer::of(tx, stamp, (id, &body))?;
    loan::adopt(tx, stamp, row, (id, patient, reason))?;
    forget(tx, stamp, id)
}

fn displace(tx: &mut Tx<'_>, stamp: &Stamp, row: &Loan, booking: BookingId) -> Result<()> {
    let id = state::appointment(booking);
    let patient = match bundle(tx, stamp, id)? {
        Some(body) => buyer::of(tx, stamp, (id, &body))?.patient,
        None => appointment::get(tx, stamp, id)?.patient,
    };
    loan::displace(tx, stamp, row, (id, patient))?;
    forget(tx, stamp, id)
}
