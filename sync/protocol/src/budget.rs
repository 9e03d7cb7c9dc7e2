//! What a box sends on a line that costs by the byte: what people wait for goes whatever it costs, the
//! rest as far as the day's budget reaches.
//!
//! All bytes count, but only the bulk is ever held back: the first statement of all records, and a
//! backlog that is more than one bundle. So a budget that is used up stops no booking, no sale and no
//! answer, and a backlog is told some more each day.
//!
//! Invariant: with no bound, nothing is held back.

use crate::uplink::Next;

/// A backlog of at most so many changes is told at once: it fits into one bundle.
pub const AWAITED_CHANGES_MAX: u64 = 2_000;

/// Whether somebody waits for what is sent next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Haste {
    /// Somebody does, or it is too small to matter.
    Awaited,
    /// Nobody does today.
    Bulk,
}

/// Whether somebody waits for this, if the log goes through `head`.
pub fn haste(next: &Next, head: u64) -> Haste {
    match next {
        Next::Begin | Next::Part { .. } => Haste::Bulk,
        Next::Stretch { after } if head.saturating_sub(*after) > AWAITED_CHANGES_MAX => Haste::Bulk,
        Next::Stretch { .. } | Next::Ask | Next::Report { .. } | Next::Idle | Next::Stopped => {
            Haste::Awaited
        }
    }
}

/// How many bytes a day may cost; none is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget(pub Option<u64>);

/// What a day has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// The clinic's date, in days since 1970.
    pub day: i64,
    /// Bytes up and down.
    pub bytes: u64,
}

impl Spent {
    /// The same as it is on a day: another day begins at nothing, also one that a clock was set back to.
    pub fn on(self, day: i64) -> Self {
        if self.day == day { self } else { Self { day, bytes: 0 } }
    }

    /// With so many bytes more.
    pub fn and(self, bytes: u64) -> Self {
        Self { bytes: self.bytes.saturating_add(bytes), ..self }
    }
}

impl Budget {
    /// Whether it is sent now. What is begun is sent whole, so a day costs at most one bundle of bulk more.
    pub fn lets(self, haste: Haste, spent: Spent) -> bool {
        match (haste, self.0) {
            (Haste::Awaited, _) | (Haste::Bulk, None) => true,
            (Haste::Bulk, Some(most)) => spent.bytes < most,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::{Key, Mark};

    const TEN: Budget = Budget(Some(10));

    fn part() -> Next {
        Next::Part { as_of: 9, mark: Mark([0; 32]), from: Key(b"Patient/1".to_vec()) }
    }

    #[test]
    fn the_bulk_waits_for_the_next_day_and_nothing_that_is_awaited_does() {
        let used = Spent { day: 7, bytes: 10 };
        let small = Next::Stretch { after: 5_000 };
        for (next, haste_of_it) in [
            (Next::Begin, Haste::Bulk),
            (part(), Haste::Bulk),
            (Next::Stretch { after: 0 }, Haste::Bulk),
            (small, Haste::Awaited),
            (Next::Ask, Haste::Awaited),
            (Next::Report { at: 3 }, Haste::Awaited),
        ] {
            assert_eq!(haste(&next, 7_000), haste_of_it, "{next:?}");
            assert_eq!(TEN.lets(haste_of_it, used.on(7)), haste_of_it == Haste::Awaited);
            assert!(TEN.lets(haste_of_it, used.on(8)), "{next:?} goes the day after");
        }
    }

    proptest! {
        #[test]
        fn a_day_costs_at_most_its_budget_and_one_bundle_of_bulk(
            bundles in proptest::collection::vec(1_u64..5_000, 0..200),
            most in 0_u64..50_000,
        ) {
            let mut spent = Spent { day: 1, bytes: 0 };
            for bytes in bundles {
                if Budget(Some(most)).lets(Haste::Bulk, spent) {
                    spent = spent.and(bytes);
                }
                prop_assert!(Budget(None).lets(Haste::Bulk, spent));
                prop_assert!(Budget(Some(most)).lets(Haste::Awaited, spent));
            }
            prop_assert!(spent.bytes < most.saturating_add(5_000));
        }
    }
}
