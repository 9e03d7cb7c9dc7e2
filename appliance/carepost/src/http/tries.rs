//! Tries at short codes, bounded by the minute: what may be lost at a restart.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use prm::error::{Code, Error, Result};

/// Places that are counted at once; when there are more, the whole minute is refused.
const PLACES_MAX: usize = 10_000;

/// Counts tries in the minute that runs.
#[derive(Debug, Default)]
pub struct Tries(Mutex<Minute>);

#[derive(Debug, Default)]
struct Minute {
    minute: i64,
    by_place: HashMap<(&'static str, String), u32>,
}

impl Tries {
    /// Counts a try of `what` from `place`. Refuses when it is more than `most` in this minute.
    ///
    /// # Errors
    /// `too_many_tries`, with the seconds until the next minute.
    pub fn count(&self, what: &'static str, place: &str, most: u32, now: Timestamp) -> Result<()> {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = now.as_second().div_euclid(60);
        if tries.minute != minute {
            *tries = Minute { minute, by_place: HashMap::new() };
        }
        let full = tries.by_place.len() >= PLACES_MAX;
        let key = (what, place.to_owned());
        let counted = match tries.by_place.get_mut(&key) {
            Some(counted) => {
                *counted = counted.saturating_add(1);
                *counted
            }
            None if full => u32::MAX,
            None => {
                tries.by_place.insert(key, 1);
                1
            }
        };
        if counted <= most {
            return Ok(());
        }
        let left = u32::try_from(60 - now.as_second().rem_euclid(60)).unwrap_or(60);
        Err(Error::refused(
            Code::TooManyTries(left),
            format!("too many tries; wait {left} seconds"),
        ))
    }
}
