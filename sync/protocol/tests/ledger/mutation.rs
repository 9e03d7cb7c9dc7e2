//! The rules, taken out one at a time, and the property that notices.
//!
//! Not among them: that the hub looks at marks. As long as the boxes look, too, they notice first; the
//! hub looks for the sake of boxes that do not.

use sync_protocol::ledger::{Bundle, Content, Extent, Ledger, Receipt, Standing, Taken};
use sync_protocol::uplink::Own;

use super::property::{HELD, NOTICED, WHOLE};
use super::world::{Bounds, Device, World, is_bad};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// The receipt goes out, and the hub falls before its commit.
    ReceiptBeforeTheCommit,
    /// A stretch is taken that begins beyond what is held.
    GapTaken,
    /// A part of a statement is taken although one before it is missing.
    PartSkipped,
    /// The box does not look whether a receipt is about its own log.
    BoxIgnoresMarks,
    /// The hub refuses the second box and goes on with the first.
    ForkTolerated,
    /// A bad entry is dropped.
    BadEntryDropped,
    /// A bad entry holds up all behind it.
    BadEntryBlocks,
    /// A statement adds and never takes away.
    StatementNeverComplete,
    /// The hub believes that a log that was left is the living one.
    RetiredLogHeard,
}

impl Mutation {
    pub const ALL: [Self; 9] = [
        Self::ReceiptBeforeTheCommit,
        Self::GapTaken,
        Self::PartSkipped,
        Self::BoxIgnoresMarks,
        Self::ForkTolerated,
        Self::BadEntryDropped,
        Self::BadEntryBlocks,
        Self::StatementNeverComplete,
        Self::RetiredLogHeard,
    ];

    pub fn caught_by(self) -> &'static str {
        match self {
            Self::ReceiptBeforeTheCommit
            | Self::BoxIgnoresMarks
            | Self::BadEntryDropped
            | Self::RetiredLogHeard => HELD,
            Self::ForkTolerated => NOTICED,
            Self::GapTaken
            | Self::PartSkipped
            | Self::BadEntryBlocks
            | Self::StatementNeverComplete => WHOLE,
        }
    }

    pub fn bounds(self) -> Bounds {
        let quiet = Bounds { entries: 2, ..Bounds::QUIET };
        match self {
            Self::ReceiptBeforeTheCommit | Self::BadEntryDropped | Self::BadEntryBlocks => quiet,
            Self::GapTaken | Self::PartSkipped => Bounds { hub_restores: true, ..quiet },
            Self::BoxIgnoresMarks | Self::ForkTolerated => Bounds { clones: true, ..quiet },
            Self::StatementNeverComplete | Self::RetiredLogHeard => {
                Bounds { restores: true, ..quiet }
            }
        }
    }
}

/// The verbs as the model calls them: the code of production, unless a rule is taken out.
impl World {
    pub fn before_taking(&self, ledger: &Ledger, bundle: &Bundle) -> Option<(Ledger, Bundle)> {
        let (mut ledger, mut bundle) = (ledger.clone(), bundle.clone());
        match (self.mutation, &mut bundle.content) {
            (Some(Mutation::GapTaken), Content::Stretch { after, before, .. }) => {
                if let Extent::Log { through, mark } = &mut ledger.extent {
                    (*through, *mark) = ((*through).max(*after), *before);
                }
            }
            (Some(Mutation::PartSkipped), Content::Statement { as_of, mark, from, .. }) => {
                if let (Extent::Nothing, Some(upto)) = (&ledger.extent, from.clone()) {
                    ledger.extent = Extent::Statement { as_of: *as_of, mark: *mark, upto };
                }
            }
            (Some(Mutation::RetiredLogHeard), _) => {
                ledger.lineage.retired.clear();
            }
            (Some(Mutation::BadEntryBlocks), Content::Stretch { entries, .. }) => {
                if entries.iter().any(|entry| is_bad(entry.key.0[0])) {
                    return None;
                }
            }
            (_, _) => {}
        }
        Some((ledger, bundle))
    }

    pub fn after_taking(&self, before: &Ledger, mut taken: Taken) -> Taken {
        match self.mutation {
            Some(Mutation::ForkTolerated) if taken.ledger.quarantined => {
                taken.ledger = before.clone();
                taken.receipt.standing = Standing::Living;
            }
            Some(Mutation::BadEntryDropped) => taken.ledger.parked.clear(),
            Some(_) | None => {}
        }
        taken
    }

    pub fn own(&self, device: &Device, receipt: &Receipt, at: u64) -> Own {
        match (&receipt.extent, self.mutation) {
            (
                Extent::Log { through: _, mark } | Extent::Statement { as_of: _, mark, upto: _ },
                Some(Mutation::BoxIgnoresMarks),
            ) => Own::Mark(*mark),
            (_, _) => device.own(at),
        }
    }
}
