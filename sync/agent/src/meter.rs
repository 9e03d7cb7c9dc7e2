//! What the line to the hub costs: bytes, counted where they go out and come in.
//!
//! Counted are bodies and, for each exchange, what goes around them. What TCP sends twice is seen by nobody
//! here, so that a budget is kept coarsely.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What one exchange costs besides its bodies, in bytes: heads of HTTP and frames of TLS, as measured with
/// a connection that is kept open.
const EXCHANGE_BYTES: u64 = 700;

/// Counts for all who speak with the hub; its copies count together.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<AtomicU64>);

impl Meter {
    /// Counts an exchange that begins with a body of so many bytes.
    pub(crate) fn begin(&self, body: usize) {
        self.add(body);
        self.0.fetch_add(EXCHANGE_BYTES, Ordering::Relaxed);
    }

    /// Counts so many bytes of an answer.
    pub(crate) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// What was counted since it was last taken away.
    pub(crate) fn pending(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes away what was noted.
    pub(crate) fn noted(&self, bytes: u64) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}
