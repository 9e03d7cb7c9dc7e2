//! When to speak with the hub again, after what came of the last time. It says how long to wait and
//! waits itself for nothing.

use std::time::Duration;

use sync_protocol::pause::{PAUSE_MS_MAX, pause_ms};

use crate::{Fault, Turn};

/// How often the box looks for changes that it was not told of, and whether it has joined a hub: what
/// the command line writes comes from another process.
pub const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// At the most.
    pub long: Duration,
    /// Whether a change of the records ends it.
    pub or_change: bool,
}

/// How often it failed in a row.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    failures: u32,
    seed: u64,
}

impl Pace {
    /// Of a box with this id: boxes that lost the hub together do not come back together.
    pub fn new(box_id: &[u8; 16]) -> Self {
        let (high, low) = box_id.split_at(8);
        let number =
            |bytes: &[u8]| bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        Self { failures: 0, seed: number(high) ^ number(low) }
    }

    /// How long to wait after a turn.
    pub fn after(&mut self, turn: &Result<Turn, Fault>) -> Wait {
        let ms = |ms: u64| Duration::from_millis(ms.min(PAUSE_MS_MAX));
        match turn {
            Ok(turn) => {
                self.failures = 0;
                match turn {
                    Turn::Told { more: true, pause_ms } => {
                        Wait { long: ms(*pause_ms), or_change: false }
                    }
                    Turn::Told { more: false, pause_ms } if *pause_ms > 0 => {
                        Wait { long: ms(*pause_ms), or_change: false }
                    }
                    Turn::Told { more: false, pause_ms: _ } | Turn::Idle | Turn::Held => {
                        Wait { long: LOOK_AGAIN, or_change: true }
                    }
                    Turn::Alone | Turn::Stopped(_) | Turn::Replacing => {
                        Wait { long: LOOK_AGAIN, or_change: false }
                    }
                }
            }
            Err(_) => {
                self.failures = self.failures.saturating_add(1);
                Wait { long: ms(pause_ms(self.failures, self.seed)), or_change: false }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HttpError;

    #[test]
    fn failures_wait_longer_and_longer_and_no_change_of_records_hurries_them() {
        let mut pace = Pace::new(&[7; 16]);
        let mut last = Duration::ZERO;
        for _ in 0..12 {
            let wait = pace.after(&Err(Fault::Http(HttpError::NoAnswer)));
            assert!(!wait.or_change);
            assert!(wait.long >= last / 2, "it does not shrink by more than chance");
            last = wait.long;
        }
        assert!((150_000..=300_000).contains(&last.as_millis()), "{last:?}");
        let told = Turn::Told { more: true, pause_ms: 0 };
        assert_eq!(pace.after(&Ok(told)), Wait { long: Duration::ZERO, or_change: false });
        assert!(
            pace.after(&Err(Fault::Http(HttpError::NoAnswer))).long <= Duration::from_secs(1),
            "it begins anew"
        );
    }

    #[test]
    fn a_hub_that_asks_for_patience_gets_it_but_not_for_ever() {
        let mut pace = Pace::new(&[7; 16]);
        let asked = |pause_ms| Ok(Turn::Told { more: true, pause_ms });
        assert_eq!(pace.after(&asked(7_000)).long, Duration::from_secs(7));
        assert_eq!(pace.after(&asked(u64::MAX)).long, Duration::from_secs(300));
        assert_eq!(pace.after(&Ok(Turn::Idle)), Wait { long: LOOK_AGAIN, or_change: true });
    }
}
