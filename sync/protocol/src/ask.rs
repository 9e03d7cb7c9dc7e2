//! What a request from the hub says (the body of a [`crate::downlink::Request`]), and what the box
//! answers to it.
//!
//! CBOR by the rules of [`crate::wire`]. Whatever is said in FHIR R4 is bytes of JSON here.
//!
//! | [`Ask`] | the box | answers |
//! |---|---|---|
//! | [`Sale`] | keeps it until the loan that it belongs to says the same | nothing; the loan settles |
//! | [`Operation`] | does it at once, or never | what its own FHIR door answers |
//! | [`Proposal`] | shows it to the desk, who decides | what was decided |
//! | [`Edit`] | merges it field by field | the version that came of it |
//! | [`Catalogue`] | makes what is new, for a person to accept | how many it made, changed and kept |
//!
//! The id of an ask is that of its request: asked twice, it is done once.

use minicbor::{Decode, Encode};

use crate::downlink::REQUEST_BYTES_MAX;
pub use crate::downlink::RequestId as Id;
use crate::envelope::Kind;
use crate::loan::{BookingId, EPOCH_MAX, Fence};
use crate::wire::{Inside, Malformed, SLOT_KEY_MAX, SlotKey};

/// The longest answer, in bytes: as many appointments as one page of a search has.
pub const REPLY_BYTES_MAX: usize = 2 << 20;
/// The longest word for who edited, in bytes.
pub const BY_BYTES_MAX: usize = 200;

/// What the hub asks of the box.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Ask {
    /// What was sold under a loan.
    #[n(0)]
    Sale(#[n(0)] Sale),
    /// Something that somebody waits for.
    #[n(1)]
    Operation(#[n(0)] Operation),
    /// A wish for an appointment, which a person decides.
    #[n(2)]
    Proposal(#[n(0)] Proposal),
    /// A patient who was edited at the hub.
    #[n(3)]
    Edit(#[n(0)] Edit),
    /// What whoever runs the hub wants the clinic to offer.
    #[n(4)]
    Catalogue(#[n(0)] Catalogue),
}

/// The details of a booking that the hub sold under a loan.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Sale {
    /// The booking; the id of the request, too.
    #[n(0)]
    pub booking: BookingId,
    /// The slot.
    #[n(1)]
    pub slot: SlotKey,
    /// The loan under which it was sold.
    #[n(2)]
    pub fence: Fence,
    /// A FHIR Bundle of the Patient and the Appointment.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub bundle: Vec<u8>,
}

/// Which operation of `Appointment` (IHE ITI Scheduling; `$cancel` is our own).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Name {
    /// Which times are free.
    #[n(0)]
    Find,
    /// Hold a time for some minutes.
    #[n(1)]
    Hold,
    /// Book a time, or confirm one that is held.
    #[n(2)]
    Book,
    /// Call off what was held or booked.
    #[n(3)]
    Cancel,
}

impl Name {
    /// As it stands in an address under `/fhir/Appointment/`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Find => "$find",
            Self::Hold => "$hold",
            Self::Book => "$book",
            Self::Cancel => "$cancel",
        }
    }
}

/// An operation of the box's own FHIR door, for somebody who waits.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Operation {
    /// Its id.
    #[n(0)]
    pub id: Id,
    /// Which.
    #[n(1)]
    pub name: Name,
    /// A FHIR Parameters resource.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub parameters: Vec<u8>,
    /// After this the box does not do it any more, in ms since 1970 UTC.
    #[n(3)]
    pub deadline_ms: i64,
}

/// A wish for an appointment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Proposal {
    /// Its id.
    #[n(0)]
    pub id: Id,
    /// A FHIR Bundle of the Patient and the Appointment (`proposed`).
    #[cbor(n(1), with = "minicbor::bytes")]
    pub bundle: Vec<u8>,
}

/// A patient who was edited at the hub.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Edit {
    /// Its id.
    #[n(0)]
    pub id: Id,
    /// The patient's id at the box.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub patient: [u8; 16],
    /// The version of the box from which the edit began.
    #[n(2)]
    pub base_version: u64,
    /// The FHIR Patient from which it began: that version, with those edits of the hub on it that
    /// were asked before.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub base: Vec<u8>,
    /// The FHIR Patient as it was edited.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub resource: Vec<u8>,
    /// Who edited, by a word of the hub, for whoever decides at the box. At most [`BY_BYTES_MAX`] bytes.
    #[n(5)]
    pub by: String,
    /// When, in ms since 1970 UTC.
    #[n(6)]
    pub at_ms: i64,
}

/// What whoever runs the hub wants the clinic to offer: a list of services.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Catalogue {
    /// Its id.
    #[n(0)]
    pub id: Id,
    /// A FHIR Bundle of HealthcareServices, each with an identifier.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub bundle: Vec<u8>,
}

/// The body of [`Kind::Reply`]: what the box answers to an ask.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Reply {
    /// The ask.
    #[n(0)]
    pub id: Id,
    /// As a HTTP status.
    #[n(1)]
    pub status: u16,
    /// A FHIR resource; empty where the status says all.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub body: Vec<u8>,
    /// The answer that the hub took before, as [`crate::downlink::Progress::answered`] says it.
    #[n(3)]
    pub before: Option<Id>,
}

impl Ask {
    /// The id of the request that carries it.
    pub fn id(&self) -> Id {
        match self {
            Self::Sale(sale) => Id(sale.booking.0),
            Self::Operation(operation) => operation.id,
            Self::Proposal(proposal) => proposal.id,
            Self::Edit(edit) => edit.id,
            Self::Catalogue(catalogue) => catalogue.id,
        }
    }

    /// The bytes of a request's body.
    ///
    /// # Errors
    /// If it is beyond its bounds.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Malformed> {
        let bytes = minicbor::to_vec(self).map_err(|_| Malformed)?;
        if self.is_sound() && bytes.len() <= REQUEST_BYTES_MAX { Ok(bytes) } else { Err(Malformed) }
    }

    /// The ask in these bytes.
    ///
    /// # Errors
    /// If they are not exactly one ask within its bounds, in its one encoding; a newer hub may ask
    /// for what this program does not know.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > REQUEST_BYTES_MAX {
            return Err(Malformed);
        }
        let ask: Self = minicbor::decode(bytes).map_err(|_| Malformed)?;
        if ask.to_bytes()? == bytes { Ok(ask) } else { Err(Malformed) }
    }

    fn is_sound(&self) -> bool {
        match self {
            Self::Sale(Sale { booking: _, slot, fence, bundle: _ }) => {
                (1..=SLOT_KEY_MAX).contains(&slot.0.len()) && fence.epoch.0 <= EPOCH_MAX
            }
            Self::Edit(edit) => edit.by.len() <= BY_BYTES_MAX,
            Self::Operation(_) | Self::Proposal(_) | Self::Catalogue(_) => true,
        }
    }
}

impl Inside for Reply {
    const KIND: Kind = Kind::Reply;

    fn is_sound(&self) -> bool {
        (100..=599).contains(&self.status) && self.body.len() <= REPLY_BYTES_MAX
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::loan::{Epoch, Generation};
    use crate::wire;

    const ID: Id = Id([1; 16]);

    fn sale() -> Sale {
        let fence = Fence { generation: Generation(2), epoch: Epoch(3) };
        let (booking, slot) = (BookingId([5; 16]), SlotKey(vec![9]));
        Sale { booking, slot, fence, bundle: b"{}".to_vec() }
    }

    fn edit() -> Edit {
        Edit {
            id: ID,
            patient: [2; 16],
            base_version: 4,
            base: b"{}".to_vec(),
            resource: b"{}".to_vec(),
            by: "portal".to_owned(),
            at_ms: 5,
        }
    }

    fn all() -> [Ask; 5] {
        let parameters = b"{}".to_vec();
        [
            Ask::Sale(sale()),
            Ask::Operation(Operation { id: ID, name: Name::Book, parameters, deadline_ms: -7 }),
            Ask::Proposal(Proposal { id: ID, bundle: b"{}".to_vec() }),
            Ask::Edit(edit()),
            Ask::Catalogue(Catalogue { id: ID, bundle: b"{}".to_vec() }),
        ]
    }

    #[test]
    fn what_was_asked_is_read_back_and_no_part_of_it_is() {
        for ask in all() {
            let bytes = ask.to_bytes().unwrap();
            assert_eq!(Ask::from_bytes(&bytes), Ok(ask));
            assert_eq!(Ask::from_bytes(&[&bytes[..], &[0]].concat()), Err(Malformed));
            for length in 0..bytes.len() {
                assert_eq!(Ask::from_bytes(&bytes[..length]), Err(Malformed));
            }
        }
        let reply = Reply { id: ID, status: 201, body: b"{}".to_vec(), before: Some(Id([3; 16])) };
        assert_eq!(wire::read(&wire::write(&reply).unwrap()), Ok(reply));
    }

    /// The bytes are a promise to programs of another age.
    #[test]
    fn the_bytes_of_an_ask_stay_as_they_are() {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let [sale, operation, proposal, edit, catalogue] =
            all().map(|ask| hex(&ask.to_bytes().unwrap()));
        let (id, five) = (format!("50{}", "01".repeat(16)), "05".repeat(16));
        assert_eq!(sale, format!("8200818450{five}4109820203427b7d"));
        assert_eq!(operation, format!("82018184{id}02427b7d26"));
        assert_eq!(proposal, format!("82028182{id}427b7d"));
        assert_eq!(catalogue, format!("82048182{id}427b7d"));
        let two = "02".repeat(16);
        assert_eq!(edit, format!("82038187{id}50{two}04427b7d427b7d66706f7274616c05"));
    }

    #[test]
    fn what_is_beyond_its_bounds_is_neither_asked_nor_answered() {
        let long = Ask::Proposal(Proposal { id: ID, bundle: vec![0; REQUEST_BYTES_MAX] });
        assert_eq!(long.to_bytes(), Err(Malformed));
        assert_eq!(
            Ask::Sale(Sale { slot: SlotKey(Vec::new()), ..sale() }).to_bytes(),
            Err(Malformed)
        );
        let by = "x".repeat(BY_BYTES_MAX + 1);
        assert_eq!(Ask::Edit(Edit { by, ..edit() }).to_bytes(), Err(Malformed));
        let reply = Reply { id: ID, status: 200, body: vec![0; REPLY_BYTES_MAX + 1], before: None };
        assert_eq!(wire::write(&reply), Err(Malformed));
        assert_eq!(
            wire::write(&Reply { id: ID, status: 99, body: Vec::new(), before: None }),
            Err(Malformed)
        );
    }

    proptest! {
        /// Pieces of good asks, put together otherwise: what is read is written as it was.
        #[test]
        fn no_mutation_brings_the_reader_down(
            (which, from, length) in (0..5_usize, 0..100_usize, 0..8_usize),
            piece in prop::collection::vec(any::<u8>(), 0..8),
        ) {
            let mut bytes = all()[which].to_bytes().unwrap();
            let from = from.min(bytes.len());
            let to = (from + length).min(bytes.len());
            bytes.splice(from..to, piece);
            if let Ok(ask) = Ask::from_bytes(&bytes) {
                prop_assert_eq!(ask.to_bytes().unwrap(), bytes);
            }
        }
    }
}
