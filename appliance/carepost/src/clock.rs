//! The clock: the only place in the box that asks what time it is.

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
    /// A clock that stands still until it is set, in ms since 1970: for tests and for making
    /// records of days that are over.
    Set(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `time`.
    pub fn standing_at(time: Timestamp) -> Self {
        Self::Set(Arc::new(AtomicI64::new(time.as_millisecond())))
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Set(ms) => Timestamp::from_millisecond(ms.load(Ordering::Relaxed))
                .unwrap_or(Timestamp::UNIX_EPOCH),
        }
    }

    /// Sets a standing clock; the system's clock stays as it is.
    pub fn set(&self, time: Timestamp) {
        match self {
            Self::System => {}
            Self::Set(ms) => ms.store(time.as_millisecond(), Ordering::Relaxed),
        }
    }
}

/// A point from which to measure how long something takes.
pub fn stopwatch() -> Instant {
    Instant::now()
}
