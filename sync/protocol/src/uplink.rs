//! The box's side of the ledger: what to send next, and what a receipt means.
//!
//! The box believes only receipts. After a start it knows nothing and asks. If the hub holds less
//! than it once said (its own backup), the box sends again from there; if it holds what this box
//! never wrote, there is a second box with this log, and both stop.

use crate::ledger::{Content, Extent, Key, Mark, Receipt, Standing};
use crate::lineage::LogId;
use crate::loan::Generation;

/// What the box keeps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Uplink {
    /// Its log.
    pub log: LogId,
    /// The generation that the hub gave it.
    pub generation: Option<Generation>,
    /// What it knows of the hub.
    pub state: State,
}

/// What the box knows of the hub.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Nothing since it started.
    Asking,
    /// The hub holds this much.
    Known(Extent),
    /// A second box has this log, or it has another life: nothing is sent until a person decides.
    Stopped(Stop),
}

/// Why nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stop {
    /// The hub holds entries that this box did not write. The hub has to hear of it.
    Forked {
        /// At this number.
        at: u64,
    },
    /// The hub said that two boxes speak with this log.
    Quarantined,
    /// The hub listens to another log of this box.
    Retired,
    /// The hub does not know this log.
    NotEnrolled,
    /// The hub was restored, and this box does not have its log from there on any more: it needs a
    /// new log id, which begins with a full statement.
    Pruned,
}

/// What the box finds in its own log at a number that the hub named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Own {
    /// This mark.
    Mark(Mark),
    /// Nothing any more: the log was cut short there on purpose.
    Pruned,
    /// Nothing yet: the log does not go that far.
    Never,
}

/// What to send.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Next {
    /// An empty bundle, for a receipt.
    Ask,
    /// [`Content::Forked`].
    Report {
        /// The number.
        at: u64,
    },
    /// The first part of a full statement, as of the last entry of the log.
    Begin,
    /// The next part of the statement.
    Part {
        /// As of which entry.
        as_of: u64,
        /// The mark there.
        mark: Mark,
        /// The records after this key.
        from: Key,
    },
    /// A stretch that begins after this entry.
    Stretch {
        /// The last entry that the hub holds.
        after: u64,
    },
    /// Nothing: the hub holds all.
    Idle,
    /// Nothing, until a person decides.
    Stopped,
}

impl Uplink {
    /// With a new log, or after a start.
    pub fn new(log: LogId) -> Self {
        Self { log, generation: None, state: State::Asking }
    }

    /// What to send, if the log goes through `head`.
    pub fn next(&self, head: u64) -> Next {
        match &self.state {
            State::Asking => Next::Ask,
            State::Stopped(Stop::Forked { at }) => Next::Report { at: *at },
            State::Stopped(
                Stop::Quarantined | Stop::Retired | Stop::NotEnrolled | Stop::Pruned,
            ) => Next::Stopped,
            State::Known(Extent::Nothing) => Next::Begin,
            State::Known(Extent::Statement { as_of, mark, upto }) => {
                Next::Part { as_of: *as_of, mark: *mark, from: upto.clone() }
            }
            State::Known(Extent::Log { through, mark: _ }) if *through < head => {
                Next::Stretch { after: *through }
            }
            State::Known(Extent::Log { .. }) => Next::Idle,
        }
    }

    /// The process or the line was away: what the hub holds is not known any more.
    pub fn restarted(&self) -> Self {
        let state = match &self.state {
            State::Asking | State::Known(_) => State::Asking,
            State::Stopped(stop) => State::Stopped(*stop),
        };
        Self { state, ..self.clone() }
    }

    /// Takes in a receipt; one about another log changes nothing. `own` looks into the box's log.
    pub fn hear(&self, receipt: &Receipt, own: impl Fn(u64) -> Own) -> Self {
        let mut next = self.clone();
        if receipt.log != self.log {
            return next;
        }
        if let State::Stopped(_) = self.state
            && receipt.standing == Standing::Living
        {
            // Said before the hub knew.
            return next;
        }
        next.state = match receipt.standing {
            Standing::Quarantined => State::Stopped(Stop::Quarantined),
            Standing::Retired => State::Stopped(Stop::Retired),
            Standing::NotEnrolled => State::Stopped(Stop::NotEnrolled),
            Standing::Living => match &receipt.extent {
                Extent::Nothing => State::Known(Extent::Nothing),
                Extent::Statement { as_of: at, mark, upto: _ }
                | Extent::Log { through: at, mark } => match own(*at) {
                    Own::Mark(ours) if ours == *mark => State::Known(receipt.extent.clone()),
                    Own::Mark(_) | Own::Never => State::Stopped(Stop::Forked { at: *at }),
                    Own::Pruned => State::Known(Extent::Nothing),
                },
            },
        };
        if receipt.standing == Standing::Living {
            next.generation = Some(receipt.generation);
        }
        next
    }
}

/// The content of a bundle that has nothing in it, if that is what [`Uplink::next`] says.
pub fn empty(next: &Next) -> Option<Content> {
    match next {
        Next::Ask => Some(Content::Ask),
        Next::Report { at } => Some(Content::Forked { at: *at }),
        Next::Begin | Next::Part { .. } | Next::Stretch { .. } | Next::Idle | Next::Stopped => None,
    }
}
