//! How much programs of others may ask: so many at once, and so often in a minute with one token.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Semaphore;

/// Requests that are worked on at once.
pub const WORKED_MAX: usize = 8;
/// Requests that wait for their turn; who comes beyond is sent away.
pub const WAITING_MAX: usize = 64;
/// Requests that wait for a box to answer.
pub const ASKING_MAX: usize = 256;
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
    pub(crate) asking: Semaphore,
    /// By token: the minute, and how many requests came in it.
    counted: Mutex<HashMap<[u8; 16], (i64, u32)>>,
    /// Keys under which something is being done; no more than requests that are worked on.
    keys: Mutex<HashSet<[u8; 16]>>,
}

/// As long as this is there, nobody else does something under the same key.
#[derive(Debug)]
pub struct Alone<'a> {
    of: &'a Turns,
    key: [u8; 16],
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.of.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            worked: Semaphore::new(WORKED_MAX),
            waiting: Semaphore::new(WORKED_MAX + WAITING_MAX),
            asking: Semaphore::new(ASKING_MAX),
            counted: Mutex::default(),
            keys: Mutex::default(),
        }
    }
}

impl Turns {
    /// Begins something under a key; none if it is being done already.
    pub fn alone(&self, key: [u8; 16]) -> Option<Alone<'_>> {
        let is_new = self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        is_new.then_some(Alone { of: self, key })
    }

    /// Counts a request with a token.
    ///
    /// # Errors
    /// After how many seconds to come again, if there were too many.
    pub fn count(&self, token: [u8; 16], now_ms: i64) -> Result<(), u32> {
        self.count_of(token, A_MINUTE_MAX, now_ms)
    }

    /// Counts a request with a token, or by an account, of which so many may come in a minute.
    ///
    /// # Errors
    /// After how many seconds to come again, if there were too many.
    pub fn count_of(&self, token: [u8; 16], most: u32, now_ms: i64) -> Result<(), u32> {
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
        if *count <= most {
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

    #[test]
    fn what_is_being_done_under_a_key_is_not_begun_again() {
        let turns = Turns::default();
        let first = turns.alone([1; 16]);
        assert!(
            first.is_some() && turns.alone([1; 16]).is_none() && turns.alone([2; 16]).is_some()
        );
        drop(first);
        assert!(turns.alone([1; 16]).is_some());
    }
}
