//! The clock: the only place in the box that asks what time it is.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use rustix::time::{ClockId, clock_gettime};
use sync_agent::loans::BoxTime;

/// Where Linux says which boot this is.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

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

    /// How long it is since the machine was booted (`CLOCK_BOOTTIME`, which counts while it sleeps and
    /// cannot be set), and which boot that was. A standing clock counts from 1970.
    pub fn since_boot(&self) -> BoxTime {
        match self {
            Self::System => {
                let since = clock_gettime(ClockId::Boottime);
                let seconds = u64::try_from(since.tv_sec).unwrap_or(0);
                let ms = u64::try_from(since.tv_nsec / 1_000_000).unwrap_or(0);
                BoxTime { boot: boot(), at_ms: seconds.saturating_mul(1000).saturating_add(ms) }
            }
            Self::Set(ms) => {
                let at_ms = u64::try_from(ms.load(Ordering::Relaxed)).unwrap_or(0);
                BoxTime { boot: 0, at_ms }
            }
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

/// A number of this boot. Where the system does not say, each start counts as another one, which only
/// makes a wait longer.
fn boot() -> u64 {
    static BOOT: OnceLock<u64> = OnceLock::new();
    *BOOT.get_or_init(|| {
        let said = std::fs::read(BOOT_ID).ok().filter(|it| !it.is_empty());
        let said = said.unwrap_or_else(|| uuid::Uuid::new_v4().into_bytes().to_vec());
        let hash = digest(&SHA256, &said);
        hash.as_ref().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    })
}

/// A point from which to measure how long something takes.
pub fn stopwatch() -> Instant {
    Instant::now()
}
