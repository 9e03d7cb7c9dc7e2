//! What the hub holds of the log of a box, and what it says about it: the receipt.
//!
//! A box sends its log in stretches ([`Bundle`]); the hub answers each with a [`Receipt`]: how far it
//! holds this log, which entries it could not take, and why. The receipt is the only truth about
//! what was sent; whoever does not know asks with a bundle that has nothing in it.
//!
//! ```text
//!   box                                     hub
//!    │  ask ───────────────────────────────► │  "of this log I hold nothing"
//!    │ ◄─────────────────────────── receipt  │
//!    │  statement, part by part, last ─────► │  all records as they are, as of entry 812
//!    │ ◄─────────── receipt: through 812     │
//!    │  stretch (812, 840] ────────────────► │  stored, 1 of 28 parked: not valid
//!    │ ◄─────────── receipt: through 840     │  (one bad entry does not hold up the others)
//! ```
//!
//! Entries are states, not steps: an entry that comes twice does no harm, and what is repeated, late
//! or out of order is answered with the same receipt. Only the stretch that begins where the hub's
//! holding ends is taken.
//!
//! # Two boxes that speak as one
//!
//! Each entry of a log is hashed together with all before it ([`Mark`]), and each stretch says the
//! mark at its beginning and its end. If a disk was copied, or a backup was put back without a new
//! log id, two logs of one id differ somewhere. Either the hub sees a stretch that begins or ends
//! with a mark that is not its own, or the box sees a receipt with a mark that it does not have
//! and says so ([`Content::Forked`]). From then on the hub takes nothing from either and tells both
//! ([`Standing::Quarantined`]), until a person gives one of them a new log id. A log that was left
//! is [`Standing::Retired`] for ever.
//!
//! Invariant: what a receipt says is held was committed before the receipt was made.

pub mod delta;
mod hold;
mod mark;

pub use delta::Delta;
pub use hold::{Effect, Ledger, Taken};
pub use mark::Mark;
use minicbor::{Decode, Encode};

use crate::lineage::LogId;
use crate::loan::Generation;

/// As many entries as one bundle holds.
pub const ENTRIES_MAX: usize = 500;
/// As many bytes of bodies as one bundle holds.
pub const BUNDLE_BYTES_MAX: usize = 1 << 20;
/// The longest body of an entry; a longer one is sent as [`Body::TooLong`], so that it is known.
pub const ENTRY_BYTES_MAX: usize = 512 << 10;
/// The longest key of an entry, in bytes.
pub const KEY_MAX: usize = 80;
/// As many parked entries as the hub keeps by name; beyond, it only counts them.
pub const PARKED_MAX: usize = 1000;
/// As many parked entries as a receipt names.
pub const NAMED_MAX: usize = 100;
/// As many ends of stretches as the hub remembers to recognise a second box by.
pub const RECENT_MAX: usize = 64;

/// What a record is called, for both ends; opaque here. At most [`KEY_MAX`] bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Key(#[cbor(n(0), with = "minicbor::bytes")] pub Vec<u8>);

/// One record, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct Entry {
    /// The number in the log of the last change of it that is in this bundle.
    #[n(0)]
    pub sequence: u64,
    /// Which record.
    #[n(1)]
    pub key: Key,
    /// The record.
    #[n(2)]
    pub body: Body,
}

/// What a record says; opaque here.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub enum Body {
    /// At most [`ENTRY_BYTES_MAX`] bytes.
    #[n(0)]
    Given(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// It is this long and stays on the box; the hub parks it.
    #[n(1)]
    TooLong(#[cbor(n(0))] u64),
    /// There is no such record any more; the hub forgets it.
    #[n(2)]
    Gone,
    /// As the version that the hub holds, but for this; only for a hub that said [`delta::CAPABILITY`]. It puts
    /// the record together before the ledger is asked. If it holds another version it takes nothing, and
    /// its receipt says what it said before: then the box tells the same in whole.
    #[n(3)]
    Changed(#[cbor(n(0))] Delta),
}

/// What a box sends.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct Bundle {
    /// The log that speaks.
    #[n(0)]
    pub log: LogId,
    /// The generation that the box has, if it was told one.
    #[n(1)]
    pub generation: Option<Generation>,
    /// What is said.
    #[n(2)]
    pub content: Content,
}

/// What a bundle says.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub enum Content {
    /// Nothing; the box wants a receipt.
    #[n(0)]
    Ask,
    /// The receipt spoke of a log that is not this one beyond some number.
    #[n(1)]
    Forked {
        /// The number at which the marks differ.
        #[n(0)]
        at: u64,
    },
    /// A part of all records as they are.
    #[n(2)]
    Statement {
        /// The last entry of the log when the statement began; changes after it follow in stretches.
        #[n(0)]
        as_of: u64,
        /// The mark there.
        #[n(1)]
        mark: Mark,
        /// The last key of the part before; none in the first part.
        #[n(2)]
        from: Option<Key>,
        /// No part follows.
        #[n(3)]
        last: bool,
        /// The records in the order of their keys, so that a part may be cut anywhere and cut
        /// again after a crash. What is made or changed meanwhile follows in stretches.
        #[n(4)]
        entries: Vec<Entry>,
    },
    /// The changes after one number through another.
    #[n(3)]
    Stretch {
        /// The number before the first.
        #[n(0)]
        after: u64,
        /// The mark there.
        #[n(1)]
        before: Mark,
        /// The last number.
        #[n(2)]
        through: u64,
        /// The mark there.
        #[n(3)]
        mark: Mark,
        /// Each record that changed, once.
        #[n(4)]
        entries: Vec<Entry>,
    },
}

/// How far the hub holds a log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub enum Extent {
    /// Nothing of it.
    #[n(0)]
    Nothing,
    /// The records of a statement through this key.
    #[n(1)]
    Statement {
        /// As of which entry.
        #[n(0)]
        as_of: u64,
        /// The mark there.
        #[n(1)]
        mark: Mark,
        /// The last key.
        #[n(2)]
        upto: Key,
    },
    /// All of it through this entry.
    #[n(2)]
    Log {
        /// The last entry.
        #[n(0)]
        through: u64,
        /// The mark there.
        #[n(1)]
        mark: Mark,
    },
}

/// How the hub stands to the log that spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub enum Standing {
    /// It listens.
    #[n(0)]
    Living,
    /// Another log has taken its place.
    #[n(1)]
    Retired,
    /// Two boxes speak with this log; it listens to neither.
    #[n(2)]
    Quarantined,
    /// It does not know the log, and nobody allowed that it takes over.
    #[n(3)]
    NotEnrolled,
}

/// Why an entry is parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub enum Reason {
    /// It cannot be read.
    #[n(0)]
    Unreadable,
    /// It breaks a rule of its type.
    #[n(1)]
    Invalid,
    /// It is of a type or version that the hub does not know.
    #[n(2)]
    Unknown,
    /// It is too long.
    #[n(3)]
    TooLong,
}

/// An entry that the hub could not take. It is mended by the next entry with its key that can be.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct Parked {
    /// Its number in the log.
    #[n(0)]
    pub sequence: u64,
    /// Which record.
    #[n(1)]
    pub key: Key,
    /// Why.
    #[n(2)]
    pub reason: Reason,
}

/// What the hub answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct Receipt {
    /// The log that it is about.
    #[n(0)]
    pub log: LogId,
    /// Its generation.
    #[n(1)]
    pub generation: Generation,
    /// Whether the hub listens.
    #[n(2)]
    pub standing: Standing,
    /// How far it holds the log.
    #[n(3)]
    pub extent: Extent,
    /// The first [`NAMED_MAX`] entries that are parked.
    #[n(4)]
    pub parked: Vec<Parked>,
    /// How many are parked, those not named included.
    #[n(5)]
    pub parked_count: u64,
}

impl Bundle {
    /// The entries in it.
    pub fn entries(&self) -> &[Entry] {
        match &self.content {
            Content::Ask | Content::Forked { .. } => &[],
            Content::Statement { entries, .. } | Content::Stretch { entries, .. } => entries,
        }
    }

    /// Whether the hub may look at it: within the bounds, and its numbers fit together.
    pub fn is_sound(&self) -> bool {
        let (entries, first, to) = match &self.content {
            Content::Ask | Content::Forked { .. } => return true,
            Content::Statement { as_of, mark: _, from, last, entries } => {
                let mut before = from.as_ref();
                for entry in entries {
                    if before.is_some_and(|before| *before >= entry.key) {
                        return false;
                    }
                    before = Some(&entry.key);
                }
                if entries.is_empty() && !last {
                    return false;
                }
                (entries, 0, *as_of)
            }
            Content::Stretch { after, before: _, through, mark: _, entries } => {
                if after >= through {
                    return false;
                }
                (entries, after + 1, *through)
            }
        };
        let bytes = entries.iter().map(|entry| entry.body.bytes()).sum::<usize>();
        entries.len() <= ENTRIES_MAX
            && bytes <= BUNDLE_BYTES_MAX
            && to <= crate::envelope::NUMBER_MAX
            && entries.iter().all(|entry| {
                (first..=to).contains(&entry.sequence)
                    && entry.key.0.len() <= KEY_MAX
                    && entry.body.bytes() <= ENTRY_BYTES_MAX
            })
    }
}

impl Body {
    /// How many bytes of the record are said, with nothing beside them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Given(bytes) => bytes.len(),
            Self::Changed(delta) => delta.len(),
            Self::TooLong(_) | Self::Gone => 0,
        }
    }
}

/// How many of these entries, from the first, go into one bundle: at least one of those that are not
/// longer than [`ENTRY_BYTES_MAX`].
pub fn fitting(entries: &[Entry]) -> usize {
    let mut bytes = 0_usize;
    let fits = entries.iter().take(ENTRIES_MAX).take_while(|entry| {
        bytes = bytes.saturating_add(entry.body.bytes());
        bytes <= BUNDLE_BYTES_MAX
    });
    fits.count()
}
