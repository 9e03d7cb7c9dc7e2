//! Selling a slot that a box has lent, and calling off what was sold while the hub still holds it.

use sync_protocol::ask::{Ask, Sale};
use sync_protocol::loan::{BookingId, Fence, Refusal};
use sync_protocol::qr::{self, Sold};
use sync_protocol::wire::{DETAILS_BYTES_MAX, SlotKey};

use super::{Of, sale_key, time};
use crate::hub::Hub;
use crate::receive::Refused;
use crate::requests::{self, NotAsked};
use crate::store::{self, Clinic, LoanRow, SaleRow, StoreError};

/// What somebody wants to buy.
#[derive(Clone, Debug)]
pub struct Asking<'a> {
    /// The slot.
    pub slot: &'a SlotKey,
    /// The id of the booking, which becomes the appointment's; a new UUID.
    pub booking: BookingId,
    /// A FHIR Bundle of the Patient and the Appointment, as JSON, for the box.
    pub bundle: &'a [u8],
    /// Until when the QR opens a check-in, in ms since 1970 UTC.
    pub not_after_ms: i64,
}

/// What somebody bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bought {
    /// The loan under which it was sold.
    pub fence: Fence,
    /// The QR that opens the check-in (`CP1:`), signed by the hub.
    pub qr: String,
    /// The confirmation that tells the box of the sale while the line is cut (`CPS1:`).
    pub confirmation: String,
}

/// Why a slot was not sold, or not called off.
#[derive(Debug, thiserror::Error)]
pub enum NotSold {
    /// The rules say no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What is to be told to the box is too long.
    #[error("what is said about the patient has at most 16 KiB")]
    TooLong,
    /// There is no such clinic, or it has no box that is listened to.
    #[error("this clinic has no box that is listened to")]
    NoBox,
    /// The sale stands, but is not counted beside the database: nobody is told of it.
    #[error("the sale could not be counted: {0}; look at the disk of the hub")]
    NotCounted(std::io::Error),
    /// The box could not be told of it: too much waits for it.
    #[error(transparent)]
    NotAsked(#[from] NotAsked),
    /// The database or the keys.
    #[error(transparent)]
    Fault(#[from] Refused),
}

impl From<StoreError> for NotSold {
    fn from(error: StoreError) -> Self {
        Self::Fault(error.into())
    }
}

/// Sells a slot: row, sale and who bought in one transaction; what the patient gets is good from then on.
/// Asked again with the same booking, nothing is sold again, and the same is answered.
///
/// # Errors
/// [`NotSold`].
pub fn sell(hub: &Hub, clinic: [u8; 16], asking: &Asking<'_>) -> Result<Bought, NotSold> {
    let Asking { slot, booking, bundle, not_after_ms } = *asking;
    if bundle.len() > DETAILS_BYTES_MAX {
        return Err(NotSold::TooLong);
    }
    let known = known(hub, clinic)?;
    let now = time(hub, &known);
    let (fence, sales) = hub.store.write(clinic, |tx| {
        if let Some(sold) = store::sale(tx, clinic, booking)? {
            let sales = store::loan_store(tx, clinic)?.map_or(0, |(_, sales)| sales);
            return if sold.slot == *slot {
                Ok((sold.fence, sales))
            } else {
                Err(Refusal::Booked.into())
            };
        }
        let of = of(tx, clinic, now)?;
        let mut row = of.row(slot)?.ok_or(Refusal::NotLent)?;
        let step = row.state.sell(booking, now)?;
        row.news = true;
        let fence = step.state.fence;
        of.put(&mut row, step.state)?;
        // The clinic as it is in this transaction: it may have been given a new key meanwhile.
        let known = store::clinic(tx, clinic)?.ok_or(NotSold::NoBox)?;
        let key = hub.key_of(&known).map_err(Refused::from)?;
        let sealed = key.seal(&sale_key(booking), bundle).map_err(Refused::from)?;
        let slot = slot.clone();
        let told = Sale { booking, slot: slot.clone(), fence, bundle: bundle.to_vec() };
        requests::put(hub, tx, clinic, &Ask::Sale(told))?;
        let sale = SaleRow { booking, slot, fence, sealed, sold_at: now.wall_ms };
        store::add_sale(tx, clinic, &sale)?;
        Ok::<_, NotSold>((fence, store::count_sale(tx, clinic)?))
    })?;
    hub.sales.count(hub, clinic, sales).map_err(NotSold::NotCounted)?;
    hub.requests.wake(clinic);
    let short = clinic.first_chunk().copied().unwrap_or_default();
    let sold = Sold { clinic, fence, booking, slot: slot.0.clone() };
    Ok(Bought {
        fence,
        qr: qr::sign(&hub.keys.sign, short, booking.0, not_after_ms),
        confirmation: sold.sign(&hub.keys.sign).ok_or(NotSold::TooLong)?,
    })
}

/// Calls off what was sold, while the hub holds the slot; after that the box is asked.
///
/// # Errors
/// [`NotSold`].
pub fn cancel(
    hub: &Hub,
    clinic: [u8; 16],
    slot: &SlotKey,
    booking: BookingId,
) -> Result<(), NotSold> {
    let now = time(hub, &known(hub, clinic)?);
    hub.store.write(clinic, |tx| {
        let of = of(tx, clinic, now)?;
        let mut row = of.row(slot)?.ok_or(Refusal::NotLent)?;
        let state = row.state.cancel(booking)?;
        Ok(of.put(&mut row, state)?)
    })
}

/// Slots that may be sold now, after one, in the order of their keys; looked at are `limit` of those that are held.
///
/// # Errors
/// [`NotSold`].
pub fn on_offer(
    hub: &Hub,
    clinic: [u8; 16],
    after: Option<&SlotKey>,
    limit: u32,
) -> Result<Vec<SlotKey>, NotSold> {
    let now = time(hub, &known(hub, clinic)?);
    hub.store.read(clinic, |tx| {
        let of = of(tx, clinic, now)?;
        let rows = store::loans_held(tx, clinic, after, limit)?;
        // Whatever can be sold is on offer: that a booking is of nobody's does not matter.
        let nobody = BookingId([0; 16]);
        let may_sell = |row: &LoanRow| of.renewed(&row.state).sell(nobody, now).is_ok();
        Ok(rows.into_iter().filter(may_sell).map(|row| row.slot).collect())
    })
}

/// The clinic, whose sales are known to be all there.
fn known(hub: &Hub, clinic: [u8; 16]) -> Result<Clinic, NotSold> {
    let found = hub.store.read(clinic, |tx| store::clinic(tx, clinic))?.ok_or(NotSold::NoBox)?;
    super::begin(hub, clinic)?;
    Ok(found)
}

/// The loans of a clinic whose box is listened to.
fn of<'a, 'c>(
    tx: &'a store::sql::Tx<'c>,
    clinic: [u8; 16],
    now: sync_protocol::loan::clock::HubTime,
) -> Result<Of<'a, 'c>, NotSold> {
    let enrolled = store::enrolled(tx, clinic)?.ok_or(NotSold::NoBox)?;
    let log = enrolled.ledger.as_ref().map(|it| it.lineage.log).ok_or(NotSold::NoBox)?;
    let living = enrolled.living(log).ok_or(NotSold::NoBox)?;
    Ok(Of { tx, clinic, living, now })
}
