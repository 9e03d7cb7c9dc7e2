//! How much programs of others may ask: so many at once, and so often in a minute with one token.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Semaphore;

/// Requests that are worked on at once.
pub const WORKED_MAX: usize = 8;
/// Requests that wait for their turn; who comes beyond is sent away.
pub const WAITING_MAX: usize = 64;
/// Requests with one token in a minute.
pub const A_MINUTE_MAX: u32 = 1_200;
/// Tokens whose requests are counted; beyond, counting begins anew for all.
const COUNTED_MAX: usize = 10_000;
const MINUTE_MS: i64 = 60_000;

/// The turns of those who ask.
#[derive(Debug)]
pub struct Turns {
    pub(crate) worked: Semaphore,
    pub(crate) waiting: Semaphore,
    /// By token: the minute, and how many requests came in it.
    counted: Mutex<HashMap<[u8; 16], (i64, u32)>>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            worked: Semaphore::new(WORKED_MAX),
            waiting: Semaphore::new(WORKED_MAX + WAITING_MAX),
            counted: Mutex::default(),
        }
    }
}

impl Turns {
    /// Counts a request with a token.
    ///
    /// # Errors
    /// After how many seconds to come again, if there were too many.
    pub fn count(&self, token: [u8; 16], now_ms: i64) -> Result<(), u32> {
        let minute = now_ms.div_euclid(MINUTE_MS);
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.len() >= COUNTED_MAX && !counted.contains_key(&token) {
            counted.clear();
        }
        let (in_minute, count) = counted.entry(token).or_insert((minute, 0));
        if *in_minute != minute {
            (*in_minute, *count) = (minute, 0);
        }
        *count = count.saturating_add(1);
        if *count <= A_MINUTE_MAX {
            return Ok(());
        }
        let left = MINUTE_MS - now_ms.rem_euclid(MINUTE_MS);
        Err(u32::try_from(left.div_euclid(1000) + 1).unwrap_or(60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_too_often_comes_again_in_the_next_minute() {
        let turns = Turns::default();
        for _ in 0..A_MINUTE_MAX {
            assert_eq!(turns.count([1; 16], 30_000), Ok(()));
        }
        assert_eq!(turns.count([1; 16], 30_000), Err(31));
        assert_eq!(turns.count([2; 16], 30_000), Ok(()));
        assert_eq!(turns.count([1; 16], 60_000), Ok(()));
    }
}
