//! Which of the lives of a box the hub listens to: its log, and the generation that goes with it.
//!
//! A box that was restored from a backup, or replaced, writes a log with a new id. The hub gives
//! each such log the next [`Generation`]; what an earlier one says is not heard any more.
//!
//! Invariant: a log id that was left never comes back to life; a generation only grows.

use crate::loan::Generation;
use minicbor::{Decode, Encode};

/// As many logs as a box may have had. A box is restored a few times in its life; more is a
/// fault, or somebody who tries ids.
pub const RETIRED_MAX: usize = 64;

/// How far a generation that a box says it has is believed.
pub const GENERATION_MAX: u64 = 1 << 40;

/// The id of a change log: new whenever a database is made, restored or given to a new box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct LogId(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

/// What the hub remembers about the lives of one box.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Lineage {
    /// The generation that goes with the living log.
    #[n(0)]
    pub generation: Generation,
    /// The log that is listened to.
    #[n(1)]
    pub log: LogId,
    /// The logs before it, oldest first.
    #[n(2)]
    pub retired: Vec<LogId>,
}

/// Whose log it is that speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meeting {
    /// The one that is listened to.
    Living,
    /// One never heard before: this lineage replaces the one there was.
    Reborn(Lineage),
    /// One that was left: a second box that thinks it is this one, or a very late message.
    Retired,
    /// This box had [`RETIRED_MAX`] logs; a person must look.
    TooMany,
}

impl Lineage {
    /// A box that is enrolled for the first time.
    pub fn first(log: LogId) -> Self {
        Self { generation: Generation(1), log, retired: Vec::new() }
    }

    /// What a log that speaks for this box is, and which generation it says it has, if any: a hub
    /// that was restored from a backup may have forgotten some. A log never heard before is only
    /// looked at here; whoever authenticated the box decides whether it may take over.
    pub fn meet(&self, log: LogId, says: Option<Generation>) -> Meeting {
        if log == self.log {
            return Meeting::Living;
        }
        if self.retired.contains(&log) {
            return Meeting::Retired;
        }
        let next = Generation(self.generation.0.saturating_add(1));
        let generation = says.map_or(next, |says| says.max(next));
        if self.retired.len() >= RETIRED_MAX || generation.0 > GENERATION_MAX {
            return Meeting::TooMany;
        }
        let mut retired = self.retired.clone();
        retired.push(self.log);
        Meeting::Reborn(Self { generation, log, retired })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_was_left_never_comes_back() {
        let first = Lineage::first(LogId([1; 16]));
        assert_eq!(first.meet(LogId([1; 16]), None), Meeting::Living);
        let Meeting::Reborn(second) = first.meet(LogId([2; 16]), None) else { panic!() };
        assert_eq!(second.generation, Generation(2));
        assert_eq!(second.meet(LogId([1; 16]), Some(Generation(1))), Meeting::Retired);
    }

    #[test]
    fn a_hub_that_forgot_generations_does_not_give_them_out_again() {
        let restored = Lineage::first(LogId([1; 16]));
        let Meeting::Reborn(next) = restored.meet(LogId([3; 16]), Some(Generation(5))) else {
            panic!()
        };
        assert_eq!(next.generation, Generation(5));
        assert_eq!(restored.meet(LogId([3; 16]), Some(Generation(u64::MAX))), Meeting::TooMany);
    }

    #[test]
    fn a_box_has_a_bounded_number_of_lives() {
        let mut lineage = Lineage::first(LogId([255; 16]));
        for life in 0..64 {
            let Meeting::Reborn(next) = lineage.meet(LogId([life; 16]), None) else { panic!() };
            lineage = next;
        }
        assert_eq!(lineage.meet(LogId([100; 16]), None), Meeting::TooMany);
    }
}
