//! Loans: the box lends free slots to the hub, so that both can book while the line is cut and
//! no slot is ever sold twice.
//!
//! Each slot has one owner. It changes hands by a *grant* (box to hub, next epoch) and by a
//! *return* (hub to box, same epoch, with what was sold). Between the two only the hub sells.
//!
//! ```text
//!            lend (epoch + 1)                        grant
//!   ┌──────┐ ───────────────► ┌──────┐      ─────────────────────►  ┌──────┐ sell: once, before
//!   │ Here │                  │ Away │ box                      hub │ held │ the term and the
//!   └──────┘ ◄─────────────── └──────┘      ◄─────────────────────  └──────┘ cut-off
//!      ▲        return            │                  return: unsold, sold,
//!      └──────────────────────────┘                  cancelled or unknown
//!        override: a person, after the wait, epoch + 1
//! ```
//!
//! The trap that this avoids: a term that is over says when the hub *could* sell, never *what* it
//! sold. So no clock gives a slot back. Only the return does, or a person who waited until no
//! sale can be made any more and takes the risk that one was made before.
//!
//! # How it is used
//!
//! [`Lender`] is what the box keeps about one slot, [`Borrower`] what the hub keeps. Both are plain
//! values, columns of a row. A verb takes the old value and answers the new one with what has to
//! be done. The caller writes the new value and the [`Effect`]s in one transaction, and sends only
//! after the commit. What must arrive is not a list beside the state but is read off it
//! ([`Lender::outgoing`], [`Borrower::outgoing`]): a message is due until the state says that the
//! other side has it. So it cannot be lost by a crash, and it does no harm to send it twice.
//!
//! # The rules
//!
//! 1. Each side books only what it owns, in the transaction that books.
//! 2. A slot is lent only while free; the grant is sent after the commit, until it is answered.
//! 3. The hub takes a grant only if its [`Fence`] is higher than any that it has seen of the slot.
//! 4. Before the hub takes a higher fence it puts the return of the lower one among its messages.
//! 5. The hub sells once for each loan, only what it holds, only before the term and the cut-off.
//! 6. Notices of sales are information; nothing is safe because of them.
//! 7. With the return the hub stops selling under that fence, for ever.
//! 8. The box takes a return only of the fence under which the slot is away.
//! 9. What else is booked online while the line is cut is a request, not a booking, and no loan.
//! 10. Only the owner cancels or moves.
//! 11. Terms are counted on clocks that cannot jump, with room for drift ([`clock`]).
//! 12. An override needs a person, comes after the wait, and raises the epoch. A sale that comes to
//!     light later takes the slot if it is free, else it is one task: the patient was displaced.
//! 13. A box that was restored or replaced is a new [`Generation`]. The hub does not hear the old
//!     one any more, gives back what it held of it, and the new one books and lends nothing before
//!     it knows the hub's [`Account`].
//!
//! # What is always true
//!
//! - **I1** At most one confirmed booking for each slot, where nobody overrode.
//! - **I2** A slot never has two owners.
//! - **I3** The owner knows of every confirmed booking, or a message about it is due.
//! - **I4** Epochs grow, and the hub never knows a higher one than the box.
//! - **I5** When the line holds, every sale reaches the box and no message stays due.
//! - **I6** After an override nothing is sold any more under the fence that it ended; a sale that
//!   collides is exactly one displaced patient.
//!
//! The tests explore all orders of messages (lost, doubled, late, reordered), crashes, reboots,
//! restores, overrides and clocks for a few slots: two slots with three epochs and four bookings, one
//! slot with everything else. They take out each rule, and see which of these breaks:
//!
//! | without | breaks |
//! |---|---|
//! | 1 ownership before booking | I1 |
//! | 2 commit before the grant | I2 |
//! | 3 only higher fences; a recall that overtakes its grant leaves its fence | I1 |
//! | 4 return before a higher fence | I3 |
//! | 5 no sale after the term; one sale for each loan | I6; I1 |
//! | 6 notices are news only | I2 |
//! | 7 no sale after the return; the return is kept until it is settled | I2; I3 |
//! | 8 returns of this fence only; settled after the commit | I2; I3 |
//! | 10 only the owner cancels | I2 |
//! | the trap: a term that is over frees no slot | I1 |
//! | 11 the wait, also after a reboot | I6 |
//! | 12 the loan is remembered; one task; old loans are answered | I3; I6; I5 |
//! | 13 learning first; believing the account; old generations are not heard | I1; I4; I2 |
//! | a restored hub is another database | I1 |
//!
//! Rule 9 has no state. That an override raises the epoch (12) is for those who read fences: the next
//! loan would raise it anyway.
//!
//! # What it does not promise
//!
//! What the box itself booked after its last backup is lost with the box; a loan cannot know it. If
//! the hub is restored, the sales it forgot are not known again, but their slots stay held until a
//! person decides, because the return says [`Outcome::Unknown`]. If both are restored, what was sold
//! after both backups is known to the patients' receipts only. A hub that lies can waste what it
//! was lent, nothing else.

mod borrower;
pub mod clock;
mod lender;
pub mod policy;

pub use borrower::{Borrower, Holding, Past};
pub use lender::{Holder, Lender, Loan, Overridden, Ruling, Standing};
use minicbor::{Decode, Encode};

use clock::Nonce;

/// How often the epoch of a slot may be raised, and how far numbers from outside are believed.
pub const EPOCH_MAX: u64 = 1 << 40;
/// The longest term of a loan: 35 days, in milliseconds.
pub const TERM_MS_MAX: u64 = 35 * 24 * 3600 * 1000;
/// As many loans of one slot may be waiting for their truth after overrides.
pub const OVERRIDDEN_MAX: usize = 8;
/// As many sold or unknown loans of one slot as the hub remembers; beyond, it does not borrow it.
pub const PAST_MAX: usize = 32;

/// The id of a booking; opaque here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct BookingId(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

/// Which life of a box, counted by the hub from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Generation(#[cbor(n(0))] pub u64);

/// How often a slot has changed hands outwards or was overridden. 0: never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Epoch(#[cbor(n(0))] pub u64);

/// The name of one loan of a slot, and the order of all of them: first by generation, then by epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct Fence {
    /// The life of the box that lent.
    #[n(0)]
    pub generation: Generation,
    /// Which of the slot's epochs.
    #[n(1)]
    pub epoch: Epoch,
}

impl Fence {
    /// Before the first loan.
    pub const NONE: Self = Self { generation: Generation(0), epoch: Epoch(0) };

    /// The next epoch, in this generation.
    fn next(self, generation: Generation) -> Result<Self, Refusal> {
        if self.epoch.0 >= EPOCH_MAX {
            return Err(Refusal::Exhausted);
        }
        Ok(Self { generation, epoch: Epoch(self.epoch.0 + 1) })
    }
}

/// Under which conditions a slot is lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct Terms {
    /// The newest nonce that the box has from the hub; the term runs from when it was issued.
    #[n(0)]
    pub nonce: Nonce,
    /// How long the hub may sell, in milliseconds, at most [`TERM_MS_MAX`].
    #[n(1)]
    pub term_ms: u64,
    /// Until when the hub may sell by its wall clock (start less cut-off), in milliseconds since
    /// 1970 UTC. Nothing is safe because of it: a wrong clock sells too late, never twice.
    #[n(2)]
    pub sell_until_ms: i64,
}

/// How a loan ended at the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub enum Outcome {
    /// Nobody bought it.
    #[n(0)]
    Unsold,
    /// Sold, and the patient was told so.
    #[n(1)]
    Sold(#[cbor(n(0))] BookingId),
    /// Sold, and the patient cancelled at the hub.
    #[n(2)]
    Cancelled(#[cbor(n(0))] BookingId),
    /// The hub was restored from a backup and cannot say.
    #[n(3)]
    Unknown,
}

/// What the box says to the hub about one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub enum ToHub {
    /// The slot is the hub's under this fence. Due until the hub answers.
    #[n(0)]
    Grant {
        /// The loan.
        #[n(0)]
        fence: Fence,
        /// Its conditions.
        #[n(1)]
        terms: Terms,
    },
    /// The box wants the slot back, or wants to know how the loan ended. Due until the return.
    #[n(1)]
    Recall {
        /// The loan.
        #[n(0)]
        fence: Fence,
        /// The nonce of its grant: shows whether the hub can know of it at all.
        #[n(1)]
        nonce: Nonce,
    },
    /// The return of this loan is in the box's database.
    #[n(2)]
    Settled {
        /// The loan.
        #[n(0)]
        fence: Fence,
    },
}

/// What the hub says to the box about one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub enum ToBox {
    /// The grant is in the hub's database.
    #[n(0)]
    Taken {
        /// The loan.
        #[n(0)]
        fence: Fence,
    },
    /// A patient bought the slot; news only, the return says it again.
    #[n(1)]
    Sale {
        /// The loan.
        #[n(0)]
        fence: Fence,
        /// The booking.
        #[n(1)]
        booking: BookingId,
    },
    /// The loan is over. Due until the box says that it is settled.
    #[n(2)]
    Return {
        /// The loan.
        #[n(0)]
        fence: Fence,
        /// How it ended.
        #[n(1)]
        outcome: Outcome,
    },
}

/// What the hub knows about one slot, said to a box that starts a new generation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct Account {
    /// The highest fence that the hub has seen.
    #[n(0)]
    pub fence: Fence,
    /// The hub's database, as in its nonces.
    #[n(1)]
    pub store: u64,
    /// Every loan that was sold or whose end is unknown, oldest first; at most [`PAST_MAX`].
    #[n(2)]
    pub past: Vec<(Fence, Outcome)>,
}

impl Account {
    /// What a hub says about a slot that it has never heard of.
    pub fn nothing(store: u64) -> Self {
        Self { fence: Fence::NONE, store, past: Vec::new() }
    }
}

/// What has to be done together with the new state: what is written goes into the same
/// transaction, what is sent goes out after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect<M> {
    /// The hub's sale becomes a booking of the box's diary.
    Adopt(BookingId),
    /// A task for the desk: this patient has a confirmation for a slot that is not free.
    Displace(BookingId),
    /// The patient cancelled at the hub what was adopted or displaced here: cancel it, close the task.
    Withdraw(BookingId),
    /// Send this; if it is lost, nothing is.
    Send(M),
}

/// A new state and what goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<S, M> {
    /// To be written in place of the old one.
    pub state: S,
    /// In this order.
    pub effects: Vec<Effect<M>>,
}

/// The bytes of a value that a program keeps between two steps.
fn to_bytes<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("invariant: writing numbers and bytes into memory cannot fail")
}

/// The rules say no. The state stays as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// This box was restored or replaced and has not yet learned what was sold meanwhile.
    #[error("this box does not yet know what the hub sold; connect it to the hub once")]
    Unlearned,
    /// The slot is lent to the hub.
    #[error("the slot is held for online booking; recall it or ask the hub")]
    Lent,
    /// The slot is not lent, or not to this side.
    #[error("the slot is not on loan")]
    NotLent,
    /// Somebody has it.
    #[error("the slot is booked")]
    Booked,
    /// Not this booking.
    #[error("the slot does not hold this booking")]
    OtherBooking,
    /// The hub may still be selling.
    #[error("the hub may still sell this slot for {left_ms} ms; wait or recall it")]
    NotYet {
        /// How long still, in milliseconds of the box's own clock.
        left_ms: u64,
    },
    /// The term or the cut-off is over.
    #[error("the time in which the hub may sell this slot is over")]
    Over,
    /// An earlier sale of the slot is not yet settled with the box.
    #[error("an earlier sale of this slot is not settled yet")]
    Unsettled,
    /// Who speaks is not the living generation of this box.
    #[error("another generation of this box has taken over")]
    OldGeneration,
    /// The term is zero or longer than may be.
    #[error("the term of a loan is from 1 ms to 35 days")]
    Term,
    /// A number of this slot has reached its bound.
    #[error("the slot was lent too often; book it at the desk")]
    Exhausted,
}

#[cfg(test)]
mod tests;
