//! Terms on two clocks that tick at slightly different speeds and never jump.
//!
//! The hub counts from when it issued the nonce that the grant echoes, which was before the box
//! lent; the box counts from when it lent. The hub takes a little off, the box puts a little on:
//! if each clock is right to [`DRIFT_PER_MILLE`], the hub has stopped before the box's wait ends.
//!
//! Invariant: no wall clock is read here; a box without a battery for its clock is as safe as any.

use minicbor::{Decode, Encode};

/// How far a clock may run fast or slow, in thousandths. Quartz is right to 0.1 of one.
pub const DRIFT_PER_MILLE: u64 = 10;

/// A moment of the box's clock: milliseconds since it booted (Linux: `CLOCK_BOOTTIME`, which
/// counts while the machine sleeps).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct BoxTime {
    /// Which boot (Linux: `boot_id`).
    #[n(0)]
    pub boot: u64,
    /// Milliseconds since then.
    #[n(1)]
    pub at_ms: u64,
}

/// A moment of the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HubTime {
    /// The nonce that it would issue now.
    pub nonce: Nonce,
    /// The wall clock in milliseconds since 1970 UTC; decides about the cut-off only.
    pub wall_ms: i64,
}

/// What the hub issues with every answer and the box echoes in its grants, untouched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct Nonce {
    /// Which database: another one after each restore.
    #[n(0)]
    pub store: u64,
    /// Which clock: another one after each reboot.
    #[n(1)]
    pub boot: u64,
    /// Milliseconds of that clock.
    #[n(2)]
    pub at_ms: u64,
}

/// Whether the hub may still sell: less than the term, less drift, since its own nonce. A nonce of
/// another clock, of another database or of the future says no.
pub fn may_sell(nonce: Nonce, term_ms: u64, now: Nonce) -> bool {
    let share = u128::from(term_ms) * u128::from(1000 - DRIFT_PER_MILLE) / 1000;
    nonce.store == now.store
        && nonce.boot == now.boot
        && now.at_ms.checked_sub(nonce.at_ms).is_some_and(|passed| u128::from(passed) < share)
}

/// How long the box must still wait before the hub has stopped selling for sure: the term and
/// drift since it lent, or, because a reboot says nothing about how long it took, since the boot.
pub fn wait_left_ms(lent: BoxTime, term_ms: u64, now: BoxTime) -> u64 {
    let wait = (u128::from(term_ms) * u128::from(1000 + DRIFT_PER_MILLE)).div_ceil(1000);
    let passed =
        if lent.boot == now.boot { now.at_ms.saturating_sub(lent.at_ms) } else { now.at_ms };
    u64::try_from(wait.saturating_sub(u128::from(passed))).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a clock shows that runs `rate` thousandths fast, after `real` milliseconds.
    fn shown(real: u64, rate: i64) -> u64 {
        u64::try_from(i128::from(real) * i128::from(1000 + rate) / 1000).unwrap()
    }

    proptest! {
        /// The nonce is issued at 0, the box lends at `lent`, and `now` is any moment after.
        #[test]
        fn the_hub_has_stopped_before_the_wait_is_over(
            term_ms in 1..=crate::loan::TERM_MS_MAX,
            lent in 0..10_000_000_u64,
            after in 0..=2 * crate::loan::TERM_MS_MAX,
            (hub_rate, box_rate) in (-9_i64..=9, -9_i64..=9),
            booted in prop::option::of(0..10_000_000_u64),
        ) {
            let real = lent + after;
            let nonce = Nonce { store: 1, boot: 1, at_ms: 0 };
            let now = Nonce { at_ms: shown(real, hub_rate), ..nonce };
            let at = BoxTime { boot: 1, at_ms: shown(lent, box_rate) };
            let box_now = match booted {
                // A reboot some time after the slot was lent.
                Some(booted) if booted < after => {
                    BoxTime { boot: 2, at_ms: shown(after - booted, box_rate) }
                }
                Some(_) | None => BoxTime { boot: 1, at_ms: shown(real, box_rate) },
            };
            if wait_left_ms(at, term_ms, box_now) == 0 {
                prop_assert!(!may_sell(nonce, term_ms, now));
            }
        }

        #[test]
        fn no_numbers_bring_the_clocks_down(numbers in any::<[u64; 6]>()) {
            let [a, b, c, d, e, term_ms] = numbers;
            let nonce = Nonce { store: a, boot: b, at_ms: c };
            let _ = may_sell(nonce, term_ms, Nonce { at_ms: d, ..nonce });
            let now = BoxTime { boot: a % 2, at_ms: e };
            let _ = wait_left_ms(BoxTime { boot: 0, at_ms: d }, term_ms, now);
        }
    }

    #[test]
    fn a_nonce_of_another_clock_sells_nothing() {
        let nonce = Nonce { store: 1, boot: 1, at_ms: 500 };
        assert!(may_sell(nonce, 100, Nonce { at_ms: 598, ..nonce }));
        assert!(!may_sell(nonce, 100, Nonce { at_ms: 599, ..nonce }), "drift is taken off");
        assert!(!may_sell(nonce, 100, Nonce { at_ms: 499, ..nonce }), "the clock went back");
        assert!(!may_sell(nonce, 100, Nonce { boot: 2, ..nonce }));
        assert!(!may_sell(nonce, 100, Nonce { store: 2, ..nonce }));
    }
}
