//! Who answers what somebody wrote: the clinic's box or, while it is away, the hub. Never both.
//!
//! Everything that is said to people goes by the hub, and it has what they wrote first. So it decides, in the
//! transaction that writes it down. A box asks before it answers, and waits for the answer; a hub that found the box away
//! takes the message for itself, and the box hears what was said in its name.
//!
//! ```text
//!           the box asks, and all before it is settled            the box says that it is through with it
//!   Open ─────────────────────────────────────────────────► Box ───────────────────────────────────────► Done
//!     │     the box is away, and all before it is settled
//!     └────────────────────────────────────────────────► Claimed ── what is said is written ──► Answered or Noted
//! ```
//!
//! To one person one message is answered after the other, and each answer follows from the dialogue that the one before
//! left. So the dialogue goes along: up with *done*, and down with *yours* if the hub spoke last ([`goes_along`]).
//! While it is not known how far the box came with a message, the hub only says that what comes after it is there
//! ([`How::Note`]).
//!
//! # Invariants
//!
//! - A message goes to one of the two for good. No time that passed takes it back: a box that was given a message and
//!   died answers it when it is back.
//! - Whether a box is away is a guess ([`is_away`]), and a wrong guess costs nothing but a seam: what was decided is
//!   written in one place.
//! - What a hub does not know is the box's: a hub that was put back has claimed nothing of it.

use minicbor::{Decode, Encode};

use super::ItemId;

/// The hub was told that a box is gone for so long before it answers in its place, in milliseconds: a box that was only
/// started anew can do more.
pub const GONE_FOR_MS: i64 = 10_000;
/// Of a box of which that is not known, nothing was heard for so long since somebody wrote, in milliseconds.
pub const AWAY_AFTER_MS: i64 = 60_000;
/// What a box did not hear whose it is, it asks again after this long, in milliseconds.
pub const ASK_AGAIN_MS: i64 = 5_000;
/// The longest dialogue that goes along, in bytes.
pub const DIALOGUE_BYTES_MAX: usize = 64 << 10;
/// As many bytes of dialogues go along with one batch; what is left out is asked again.
pub const DIALOGUES_BYTES_MAX: usize = 1 << 20;

/// That a box is to answer a message.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Yours {
    /// The item in which it was told.
    #[n(0)]
    pub id: ItemId,
    /// How the dialogue stands before it, where the hub spoke last; opaque here.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub dialogue: Option<Vec<u8>>,
}

/// Where a message is, as the hub has written it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Turn {
    /// Nobody answers it yet.
    Open,
    /// The box does.
    Box,
    /// The box has, or left it to a person.
    Done,
    /// The hub does.
    Claimed,
    /// The hub has.
    Answered,
    /// The hub only said that it is there.
    Noted,
}

impl Turn {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Box, Self::Done, Self::Claimed, Self::Answered, Self::Noted];

    /// The word for it, in the hub's rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Box => "box",
            Self::Done => "done",
            Self::Claimed => "claimed",
            Self::Answered => "answered",
            Self::Noted => "noted",
        }
    }

    /// Whether it is known who answers it, and that nothing more changes the dialogue unseen.
    fn is_decided(self) -> bool {
        match self {
            Self::Open | Self::Claimed => false,
            Self::Box | Self::Done | Self::Answered | Self::Noted => true,
        }
    }
}

/// What a hub knows of a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// When the box was last heard by any hub, or this hub began to listen, in milliseconds since 1970 UTC.
    pub heard_ms: i64,
    /// Since when it is told that it is gone, if that is so.
    pub gone_ms: Option<i64>,
    /// When the hub last answered in its place, in milliseconds since 1970 UTC, if it did.
    pub answered_ms: Option<i64>,
}

/// Whether the hub takes a box to be away for a message that came at this time. Once it was found away it is, until it is
/// heard again: whoever is spoken to does not wait anew for each answer.
pub fn is_away(sight: Sight, received_ms: i64, now_ms: i64) -> bool {
    if sight.answered_ms.is_some_and(|at| sight.heard_ms < at) {
        return true;
    }
    match sight.gone_ms {
        Some(gone_ms) if sight.heard_ms <= gone_ms => now_ms.saturating_sub(gone_ms) >= GONE_FOR_MS,
        Some(_) | None => now_ms.saturating_sub(sight.heard_ms.max(received_ms)) >= AWAY_AFTER_MS,
    }
}

/// How a hub answers what it claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// By reception, from the dialogue as it stands.
    Answer,
    /// By saying that it is there, and no more: how the dialogue stands is not known.
    Note,
}

/// How a hub that found the box away claims a message; none if it is not to be claimed now. `before` are the earlier
/// messages of the same person, in order.
pub fn claim(before: &[Turn], own: Turn) -> Option<How> {
    if own != Turn::Open || !before.iter().all(|it| it.is_decided()) {
        return None;
    }
    Some(if before.contains(&Turn::Box) { How::Note } else { How::Answer })
}

/// What a box is told that asks whose a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asked {
    /// It is the box's from now on: to be written before it is told.
    Given,
    /// It is the box's already, or unknown here.
    Yours,
    /// Nothing: the hub answers it, or something before it is open. Who has answered will tell; it may ask again.
    Nothing,
}

/// What a box is told that asks whose a message is. `own` is none for what is not known. `before` are the earlier messages
/// of the same person, in order.
pub fn ask(before: &[Turn], own: Option<Turn>) -> Asked {
    match own {
        None | Some(Turn::Box | Turn::Done) => Asked::Yours,
        Some(Turn::Claimed | Turn::Answered | Turn::Noted) => Asked::Nothing,
        Some(Turn::Open) if before.iter().all(|it| it.is_decided()) => Asked::Given,
        Some(Turn::Open) => Asked::Nothing,
    }
}

/// Whether the dialogue that the hub knows goes along with a message that is given to the box: if the hub has spoken since
/// the box did, and how it stands is known.
pub fn goes_along(before: &[Turn]) -> bool {
    let is_noted = |it: &&Turn| **it == Turn::Noted;
    let noted = before.iter().rev().take_while(is_noted).count();
    match before.iter().rev().find(|it| !is_noted(it)) {
        Some(Turn::Answered) => true,
        // What the box remembers is of before the notes, and it does not know that they change nothing.
        Some(Turn::Done) => noted > 0,
        Some(Turn::Open | Turn::Box | Turn::Claimed | Turn::Noted) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_away_when_that_is_told_or_nothing_is_heard() {
        let heard = |heard_ms, gone_ms| Sight { heard_ms, gone_ms, answered_ms: None };
        let at = 1_000_000;
        assert!(!is_away(heard(at, None), at, at + AWAY_AFTER_MS - 1));
        assert!(is_away(heard(at, None), at, at + AWAY_AFTER_MS));
        // It was heard since, or only now something is there to be answered.
        assert!(!is_away(heard(at + 1, None), at, at + AWAY_AFTER_MS));
        assert!(!is_away(heard(at, None), at + 1, at + AWAY_AFTER_MS));
        assert!(!is_away(heard(at, Some(at)), at, at + GONE_FOR_MS - 1));
        assert!(is_away(heard(at, Some(at)), at, at + GONE_FOR_MS));
        // It was told before that came.
        assert!(is_away(heard(at, Some(at)), at + GONE_FOR_MS, at + GONE_FOR_MS));
        // It was found away, and was not heard since.
        let answered = |answered_ms| Sight { answered_ms, ..heard(at, None) };
        assert!(is_away(answered(Some(at + 1)), at + 2, at + 2));
        assert!(!is_away(answered(Some(at)), at + 2, at + 2));
        // It was heard after that was told.
        assert!(!is_away(heard(at + 1, Some(at)), at, at + GONE_FOR_MS));
    }

    #[test]
    fn each_place_has_a_word_of_its_own() {
        let words: std::collections::BTreeSet<_> = Turn::ALL.map(Turn::as_str).into();
        assert_eq!(words.len(), Turn::ALL.len());
    }

    #[test]
    fn the_dialogue_goes_along_where_the_box_cannot_know_how_it_stands() {
        use Turn::{Answered, Box, Claimed, Done, Noted, Open};
        for before in [&[Answered][..], &[Done, Answered], &[Answered, Noted], &[Done, Noted]] {
            assert!(goes_along(before), "{before:?}");
        }
        for before in
            [&[][..], &[Done], &[Answered, Done], &[Box, Noted], &[Noted], &[Open], &[Claimed]]
        {
            assert!(!goes_along(before), "{before:?}");
        }
    }
}
