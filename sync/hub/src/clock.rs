//! The clock: the only place in the hub that asks what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use jiff::Timestamp;
use uuid::Uuid;

/// Tells the time.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// A clock that stands still until it is set, in ms since 1970: for tests.
    Set(Arc<AtomicI64>),
    /// Two clocks that stand still until they are set: the one on the wall, and one that only goes on,
    /// by which terms are counted; both in ms. For tests in which both matter.
    Two(Arc<AtomicI64>, Arc<AtomicU64>),
}

impl Clock {
    /// What time it is, in ms since 1970 UTC.
    pub fn now_ms(&self) -> i64 {
        match self {
            Self::System => Timestamp::now().as_millisecond(),
            Self::Set(ms) | Self::Two(ms, _) => ms.load(Ordering::Relaxed),
        }
    }

    /// How long it is since then, in ms, by a clock that cannot be set.
    pub fn ms_since(&self, then: Instant) -> u64 {
        match self {
            Self::System | Self::Set(_) => {
                u64::try_from(then.elapsed().as_millis()).unwrap_or(u64::MAX)
            }
            Self::Two(_, ms) => ms.load(Ordering::Relaxed),
        }
    }
}

impl Clock {
    /// A new id, in the order of time (UUID version 7, RFC 9562).
    pub fn new_id(&self) -> Uuid {
        let mut random = [0; 10];
        random.copy_from_slice(&Uuid::new_v4().as_bytes()[6..]);
        let ms = u64::try_from(self.now_ms()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid()
    }
}

/// A point from which to measure how long something takes.
pub fn stopwatch() -> Instant {
    Instant::now()
}
