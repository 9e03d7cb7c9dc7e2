//! The clock: the only place in the hub that asks what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use jiff::Timestamp;

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

/// A point from which to measure how long something takes.
pub fn stopwatch() -> Instant {
    Instant::now()
}
