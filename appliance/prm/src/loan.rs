//! Slots that are lent to the hub, so that it can sell them while the line is cut.
//!
//! What a loan may do next is decided by the protocol of box and hub, which this crate does not know:
//! its state lies here as bytes that the protocol wrote. What is decided here is what the diary has
//! to do with it. Whoever takes a step gives the new state, and the claims and the row are written in
//! the same transaction.
//!
//! Invariant: a loan that is away holds the claims of its lane, and no other loan holds any. So the
//! primary key of the claims forbids the desk to book what is lent, and to lend what is booked.
//! Invariant: a row stays until its slot is over, because the protocol counts how often a slot was lent.

mod displaced;
mod row;
mod sale;
mod step;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

pub use self::displaced::{
    Displaced, displace, displace_lost, displaced, displaced_count, done, rebook,
};
pub use self::row::{Filter, LIST_MAX, at, away_count, due, get, in_order, list, without};
pub use self::sale::{
    Confirmation, SALE_BYTES_MAX, SALES_MAX, details, forget_confirmation, forget_details,
    keep_confirmation, keep_details, shown, wanting,
};
pub use self::step::{Lending, Next, adopt, forget_over, lend, note, put, withdraw};
use crate::appointment::claim;
use crate::db::Read;
use crate::error::Result;
use crate::id::{AppointmentId, LoanId, PractitionerId, SlotId};
use crate::stamp::Stamp;
use crate::time::Ticks;

/// One lane of a slot that was lent at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loan {
    /// The id.
    pub id: LoanId,
    /// Grows with each step that the diary sees.
    pub version: i64,
    /// The slot.
    pub slot: SlotId,
    /// Which of the places of the slot.
    pub lane: i64,
    /// Of whom.
    pub practitioner: PractitionerId,
    /// The end of the slot.
    pub end: Timestamp,
    /// Whether it is lent now.
    pub is_away: bool,
    /// Whether the hub has to hear something about it.
    pub is_due: bool,
    /// The appointment for which the hub sold it, as far as is known.
    pub sale: Option<AppointmentId>,
    /// What the protocol knows, as it wrote it.
    pub state: Vec<u8>,
}

impl Loan {
    /// The ticks of its claims.
    fn ticks(&self) -> Ticks {
        Ticks::of(self.slot.start(), self.end)
    }

    /// The appointment that has its lane now, if it is not away.
    pub fn occupant(&self, read: &Read<'_>, stamp: &Stamp) -> Result<Option<AppointmentId>> {
        claim::occupant(read, stamp, self.practitioner.as_bytes(), (self.ticks(), self.lane))
    }
}
