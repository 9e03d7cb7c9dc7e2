//! A box that takes another's place gets back what the hub holds of the clinic, page by page.
//!
//! The hub keeps nothing about it: each page says where the next begins, and it may be asked for again.
//! What the hub holds does not change meanwhile, because the box tells nothing before it has everything.

use minicbor::{Decode, Encode};

use crate::envelope::Kind;
use crate::ledger::{BUNDLE_BYTES_MAX, ENTRIES_MAX, ENTRY_BYTES_MAX, KEY_MAX, Key};
use crate::wire::Inside;

/// What becomes of the records that a hub holds when a box joins with a log that did not tell them: a log's
/// first statement takes away what it does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnHeld {
    /// They stay, and the box may not join. A person has to say one of the others.
    Refuse,
    /// The box takes them back before it tells anything.
    Restore,
    /// They are forgotten, as far as the box does not have them.
    Forget,
}

impl OnHeld {
    /// As an enrolment says it; nothing for [`OnHeld::Refuse`].
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Refuse => None,
            Self::Restore => Some("restore"),
            Self::Forget => Some("forget"),
        }
    }

    /// What [`OnHeld::as_str`] made; none if it is anything else.
    pub fn parse(said: Option<&str>) -> Option<Self> {
        [Self::Refuse, Self::Restore, Self::Forget].into_iter().find(|it| it.as_str() == said)
    }
}

/// The body of [`Kind::Restore`]: the box wants the records after a key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Restore {
    /// From the first record on if there is none.
    #[n(0)]
    pub after: Option<Key>,
    /// Random; the page says it again, so that an older page is no answer.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub nonce: [u8; 16],
}

/// The body of [`Kind::Restored`]: some records in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Restored {
    /// That of the question.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub nonce: [u8; 16],
    /// The records, each key once.
    #[n(1)]
    pub records: Vec<Held>,
    /// No page follows.
    #[n(2)]
    pub last: bool,
}

/// A record as the hub holds it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Held {
    /// Which record.
    #[n(0)]
    pub key: Key,
    /// What it says, as its box said it.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub body: Vec<u8>,
}

impl Inside for Restore {
    const KIND: Kind = Kind::Restore;

    fn is_sound(&self) -> bool {
        self.after.as_ref().is_none_or(|key| key.0.len() <= KEY_MAX)
    }
}

impl Inside for Restored {
    const KIND: Kind = Kind::Restored;

    fn is_sound(&self) -> bool {
        let bytes = self.records.iter().map(|it| it.body.len()).sum::<usize>();
        self.records.len() <= ENTRIES_MAX
            && bytes <= BUNDLE_BYTES_MAX
            && self.records.is_sorted_by(|a, b| a.key < b.key)
            && self.records.iter().all(|it| {
                it.key.0.len() <= KEY_MAX && it.body.len() <= ENTRY_BYTES_MAX
            })
            // A page that is empty and not the last would be asked for again, for ever.
            && (self.last || !self.records.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{read, write};

    fn held(key: &str) -> Held {
        Held { key: Key(key.into()), body: b"{}".to_vec() }
    }

    #[test]
    fn a_page_says_the_same_again_and_is_within_its_bounds() {
        let page =
            Restored { nonce: [7; 16], records: vec![held("A/1"), held("A/2")], last: false };
        assert_eq!(read::<Restored>(&write(&page).unwrap()).unwrap(), page);
        let question = Restore { after: Some(Key(b"A/2".to_vec())), nonce: [7; 16] };
        assert_eq!(read::<Restore>(&write(&question).unwrap()).unwrap(), question);
        for wrong in [
            Restored { records: vec![held("A/2"), held("A/1")], ..page.clone() },
            Restored { records: vec![held("A/1"), held("A/1")], ..page.clone() },
            Restored { records: Vec::new(), ..page.clone() },
            Restored { records: vec![held(&"A".repeat(KEY_MAX + 1))], ..page.clone() },
        ] {
            assert!(write(&wrong).is_err(), "{wrong:?}");
        }
    }
}
