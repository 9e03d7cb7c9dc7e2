//! How long to wait before trying again: longer each time, and never in step with other boxes.

/// The longest pause, in milliseconds: five minutes.
pub const PAUSE_MS_MAX: u64 = 5 * 60 * 1000;
/// The first pause is up to this long, in milliseconds.
const FIRST_MS: u64 = 1000;

/// The pause after so many failures in a row (from 1), anywhere between half of the bound and the
/// bound, which doubles up to [`PAUSE_MS_MAX`]. `seed` is the box's own, so that boxes which lost the
/// hub together do not come back together; the same seed gives the same pauses.
pub fn pause_ms(failures: u32, seed: u64) -> u64 {
    let doubled = FIRST_MS.saturating_mul(1 << failures.saturating_sub(1).min(20));
    let bound = doubled.min(PAUSE_MS_MAX);
    bound / 2 + mixed(seed ^ u64::from(failures)) % (bound / 2 + 1)
}

/// The mixing function of SplitMix64 (Steele, Lea and Flood, 2014).
fn mixed(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_five_minutes_and_stay_there() {
        let ranges = [(1, 500, 1000), (2, 1000, 2000), (5, 8000, 16_000), (40, 150_000, 300_000)];
        for (failures, least, most) in ranges {
            for seed in 0..200 {
                assert!((least..=most).contains(&pause_ms(failures, seed)), "{failures} {seed}");
            }
        }
    }

    #[test]
    fn boxes_do_not_come_back_together() {
        let mut pauses: Vec<u64> = (0..1000).map(|seed| pause_ms(6, seed)).collect();
        pauses.sort_unstable();
        pauses.dedup();
        assert!(pauses.len() > 900);
        assert_eq!(pause_ms(6, 7), pause_ms(6, 7));
    }
}
