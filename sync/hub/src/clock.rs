//! The clock: the only place in the hub that asks what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
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
}

impl Clock {
    /// What time it is, in ms since 1970 UTC.
    pub fn now_ms(&self) -> i64 {
        match self {
            Self::System => Timestamp::now().as_millisecond(),
            Self::Set(ms) => ms.load(Ordering::Relaxed),
        }
    }
}

/// A point from which to measure how long something takes.
pub fn stopwatch() -> Instant {
    Instant::now()
}
