//! What is inside an envelope: one body for each kind, as CBOR (RFC 8949).
//!
//! A struct is an array of its fields in the order of their numbers (`#[n(…)]` beside each field),
//! an enum an array of the number of its variant and of the array of its fields, an id a byte string,
//! an absent value null. Definite lengths, shortest forms. A new field goes to the end with the next
//! number and may be absent; whether the other side knows it is asked by a [`Capabilities`] name.
//!
//! Invariant: what was read is within its bounds, and is written again as the same bytes.

use minicbor::{Decode, Encode};

use crate::capability::{Capabilities, NAMES_MAX};
use crate::downlink::{BATCH_MAX, Batch, Progress, REQUEST_BYTES_MAX};
use crate::envelope::{BODY_MAX, Kind, NUMBER_MAX};
use crate::ledger::{Bundle, KEY_MAX, NAMED_MAX, Receipt};
use crate::loan::clock::Nonce;
use crate::loan::{Account, BookingId, EPOCH_MAX, Generation, PAST_MAX, TERM_MS_MAX, ToBox, ToHub};

/// As many slots as one message about loans speaks of.
pub const SLOTS_MAX: usize = 2000;
/// The longest key of a slot, in bytes.
pub const SLOT_KEY_MAX: usize = 64;
/// As many sales may be told of in one message with who bought.
pub const DETAILS_MAX: usize = 100;
/// The longest that is said about one sale, in bytes.
pub const DETAILS_BYTES_MAX: usize = 16 * 1024;

/// What is a slot, for both ends; opaque here. At most [`SLOT_KEY_MAX`] bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct SlotKey(#[cbor(n(0), with = "minicbor::bytes")] pub Vec<u8>);

/// The body of [`Kind::Bundle`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Up {
    /// What is sent.
    #[n(0)]
    pub bundle: Bundle,
    /// What the box can do.
    #[n(1)]
    pub capabilities: Vec<String>,
}

/// The body of [`Kind::Receipt`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Answer {
    /// What the hub holds.
    #[n(0)]
    pub receipt: Receipt,
    /// To be echoed in grants.
    #[n(1)]
    pub nonce: Nonce,
    /// What the hub can do.
    #[n(2)]
    pub capabilities: Vec<String>,
    /// How long the hub asks the box to wait before it sends more, in milliseconds; 0 for not at all.
    #[n(3)]
    pub pause_ms: u64,
}

/// The body of [`Kind::LoansUp`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LoansUp {
    /// The generation that speaks; none if the box asks for the hub's accounts, because it begins
    /// a new one.
    #[n(0)]
    pub by: Option<Generation>,
    /// What is said about which slot.
    #[n(1)]
    pub said: Vec<(SlotKey, ToHub)>,
    /// If accounts are asked for: those after this key; none for the first ones.
    #[n(2)]
    pub after: Option<SlotKey>,
    /// Sales of which the box has heard without who bought; at most [`DETAILS_MAX`].
    #[n(3)]
    pub wanting: Vec<BookingId>,
}

/// The body of [`Kind::LoansDown`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LoansDown {
    /// What is said about which slot.
    #[n(0)]
    pub said: Vec<(SlotKey, ToBox)>,
    /// For a box that begins a generation.
    #[n(1)]
    pub accounts: Option<Accounts>,
    /// Who bought, of the sales that were asked for.
    #[n(2)]
    pub details: Vec<Details>,
    /// More is due than is in here.
    #[n(3)]
    pub more: bool,
}

/// Who bought a slot; opaque here.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Details {
    /// The sale.
    #[n(0)]
    pub booking: BookingId,
    /// What is known of who bought; none if the hub knows nothing of it any more. At most
    /// [`DETAILS_BYTES_MAX`] bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub body: Option<Vec<u8>>,
}

/// A part of what the hub knows of the slots of a box.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Accounts {
    /// The generation that begins.
    #[n(0)]
    pub generation: Generation,
    /// The slots of this part, in the order of their keys.
    #[n(1)]
    pub slots: Vec<(SlotKey, Account)>,
    /// The part begins after this key; none in the first one.
    #[n(2)]
    pub from: Option<SlotKey>,
    /// No part follows: of all other slots the hub knows nothing.
    #[n(3)]
    pub last: bool,
}

/// The bytes are not such a body, or it is beyond its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what the envelope holds is not what its kind says; update the older of the two programs")]
pub struct Malformed;

/// What an envelope of some kind holds.
pub trait Inside: Encode<()> + for<'b> Decode<'b, ()> {
    /// In which kind of envelope it lies.
    const KIND: Kind;

    /// Whether it is within its bounds.
    fn is_sound(&self) -> bool;
}

/// The bytes of a body.
///
/// # Errors
/// If it is beyond its bounds.
pub fn write<T: Inside>(body: &T) -> Result<Vec<u8>, Malformed> {
    if !body.is_sound() {
        return Err(Malformed);
    }
    minicbor::to_vec(body).map_err(|_| Malformed)
}

/// The body in these bytes.
///
/// # Errors
/// If they are not exactly one such body within its bounds, in its one encoding.
pub fn read<T: Inside>(bytes: &[u8]) -> Result<T, Malformed> {
    if bytes.len() > BODY_MAX {
        return Err(Malformed);
    }
    let body: T = minicbor::decode(bytes).map_err(|_| Malformed)?;
    if write(&body)? == bytes { Ok(body) } else { Err(Malformed) }
}

impl Inside for Up {
    const KIND: Kind = Kind::Bundle;

    fn is_sound(&self) -> bool {
        self.bundle.is_sound() && are_names(&self.capabilities)
    }
}

impl Inside for Answer {
    const KIND: Kind = Kind::Receipt;

    fn is_sound(&self) -> bool {
        let parked = &self.receipt.parked;
        parked.len() <= NAMED_MAX
            && parked.iter().all(|it| it.key.0.len() <= KEY_MAX && it.sequence <= NUMBER_MAX)
            && are_names(&self.capabilities)
    }
}

impl Inside for LoansUp {
    const KIND: Kind = Kind::LoansUp;

    fn is_sound(&self) -> bool {
        let fits = |said: &ToHub| match said {
            ToHub::Grant { fence, terms } => {
                fence.epoch.0 <= EPOCH_MAX && (1..=TERM_MS_MAX).contains(&terms.term_ms)
            }
            ToHub::Recall { fence, nonce: _ } | ToHub::Settled { fence } => {
                fence.epoch.0 <= EPOCH_MAX
            }
        };
        self.said.len() <= SLOTS_MAX
            && self.said.iter().all(|(slot, said)| is_key(slot) && fits(said))
            && self.after.as_ref().is_none_or(is_key)
            && self.wanting.len() <= DETAILS_MAX
    }
}

impl Inside for LoansDown {
    const KIND: Kind = Kind::LoansDown;

    fn is_sound(&self) -> bool {
        let accounts = self.accounts.as_ref().is_none_or(|accounts| {
            accounts.slots.len() <= SLOTS_MAX
                && accounts.from.as_ref().is_none_or(is_key)
                && accounts.slots.iter().all(|(slot, account)| {
                    is_key(slot)
                        && account.past.len() <= PAST_MAX
                        && account.fence.epoch.0 <= EPOCH_MAX
                        && account.past.is_sorted_by(|a, b| a.0 < b.0)
                        && account.past.iter().all(|past| past.0 <= account.fence)
                })
        });
        let is_short =
            |it: &Details| it.body.as_ref().is_none_or(|it| it.len() <= DETAILS_BYTES_MAX);
        accounts
            && self.said.len() <= SLOTS_MAX
            && self.said.iter().all(|(slot, _)| is_key(slot))
            && self.details.len() <= DETAILS_MAX
            && self.details.iter().all(is_short)
    }
}

impl Inside for Batch {
    const KIND: Kind = Kind::Requests;

    fn is_sound(&self) -> bool {
        self.requests.len() <= BATCH_MAX
            && self.after <= NUMBER_MAX
            && self.requests.iter().all(|request| request.body.len() <= REQUEST_BYTES_MAX)
            && (self.after + 1..).zip(&self.requests).all(|(number, it)| it.number == number)
    }
}

impl Inside for Progress {
    const KIND: Kind = Kind::Taken;

    fn is_sound(&self) -> bool {
        self.position.taken <= NUMBER_MAX
    }
}

fn are_names(names: &[String]) -> bool {
    names.len() <= NAMES_MAX && Capabilities::new(names.iter().map(String::as_str)).is_ok()
}

fn is_key(key: &SlotKey) -> bool {
    (1..=SLOT_KEY_MAX).contains(&key.0.len())
}

#[cfg(test)]
mod tests;
