//! Which free slots the box lends: a share of each day, spread over the day, not too near and not
//! too far.

/// How much is lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The share of a day's slots that may be away, in hundredths, at most 100.
    pub share_percent: u8,
    /// Nothing is lent that begins sooner than this, in milliseconds.
    pub cutoff_ms: i64,
    /// Nothing is lent that begins later than this, in milliseconds.
    pub horizon_ms: i64,
}

impl Policy {
    /// A fifth of each day, from tomorrow to four weeks ahead.
    pub const USUAL: Self =
        Self { share_percent: 20, cutoff_ms: 24 * HOUR_MS, horizon_ms: 28 * 24 * HOUR_MS };
}

const HOUR_MS: i64 = 3600 * 1000;

/// As many slots of one day as are looked at; a day has 288 times five minutes.
pub const DAY_SLOTS_MAX: usize = 1024;

/// A slot of a day that is free or away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// When it begins, in milliseconds since 1970 UTC.
    pub start_ms: i64,
    /// It is lent, and neither sold as far as is known nor back.
    pub away: bool,
}

/// The places in `day` (all free and lent slots of one schedule and one day, by start) that should be
/// lent now. Shares are rounded down: of a day
/// with few slots nothing is lent.
pub fn choose(policy: Policy, day: &[Candidate], now_ms: i64) -> Vec<usize> {
    let day = &day[..day.len().min(DAY_SLOTS_MAX)];
    let share = usize::from(policy.share_percent.min(100));
    let away = day.iter().filter(|slot| slot.away).count();
    let wanted = (day.len() * share / 100).saturating_sub(away);
    let from = now_ms.saturating_add(policy.cutoff_ms);
    let to = now_ms.saturating_add(policy.horizon_ms);
    let free: Vec<usize> = (0..day.len())
        .filter(|at| !day[*at].away && day[*at].start_ms > from && day[*at].start_ms <= to)
        .collect();
    let wanted = wanted.min(free.len());
    // The middle of each of as many equal parts of what is free.
    (0..wanted).map(|part| free[(2 * part + 1) * free.len() / (2 * wanted)]).collect()
}

/// Until when the hub may sell a slot by its wall clock: the start less the cut-off.
pub fn sell_until_ms(policy: Policy, start_ms: i64) -> i64 {
    start_ms.saturating_sub(policy.cutoff_ms)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(slots: i64) -> Vec<Candidate> {
        let start = |at| 48 * HOUR_MS + at * HOUR_MS / 4;
        (0..slots).map(|at| Candidate { start_ms: start(at), away: false }).collect()
    }

    #[test]
    fn a_fifth_is_lent_and_lies_all_over_the_day() {
        assert_eq!(choose(Policy::USUAL, &day(20), 0), [2, 7, 12, 17]);
        assert_eq!(choose(Policy::USUAL, &day(4), 0), Vec::<usize>::new());
    }

    #[test]
    fn nothing_is_lent_that_is_too_near_or_too_far() {
        let near = choose(Policy::USUAL, &day(20), 30 * HOUR_MS);
        assert!(near.iter().all(|at| day(20)[*at].start_ms > 54 * HOUR_MS));
        assert!(choose(Policy::USUAL, &day(20), 48 * HOUR_MS).is_empty());
        assert!(choose(Policy::USUAL, &day(20), -40 * 24 * HOUR_MS).is_empty());
    }

    proptest! {
        #[test]
        fn the_share_is_never_passed_and_nothing_is_lent_twice(
            share_percent in 0..=200_u8,
            away in prop::collection::vec(any::<bool>(), 0..100),
            now_ms in any::<i64>(),
        ) {
            let mut day = day(i64::try_from(away.len()).unwrap());
            for (slot, away) in day.iter_mut().zip(&away) {
                slot.away = *away;
            }
            let policy = Policy { share_percent, ..Policy::USUAL };
            let chosen = choose(policy, &day, now_ms);
            prop_assert!(chosen.is_sorted_by(|a, b| a < b));
            prop_assert!(chosen.iter().all(|at| !day[*at].away));
            let lent = away.iter().filter(|away| **away).count();
            let most = day.len() * usize::from(share_percent.min(100)) / 100;
            prop_assert!(chosen.is_empty() || lent + chosen.len() <= most);
        }
    }
}
