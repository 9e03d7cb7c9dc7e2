//! What the box that serves sees of the relay, for `carepost doctor`: a file in `state/`, which may be lost.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::place;

const FILE: &str = "relay.json";
/// No time: before anything was heard.
const NEVER: i64 = i64::MIN;

/// What was seen last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// When this was written.
    pub at: Timestamp,
    /// Whether the broker had let the box in.
    pub connected: bool,
    /// Since when it is so.
    pub since: Timestamp,
    /// Why not, if not.
    pub why: Option<String>,
    /// When something of the hub was last opened, since the program began.
    pub heard_at: Option<Timestamp>,
}

impl Seen {
    /// Writes it down.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn remember(&self, data: &Path) -> anyhow::Result<()> {
        Ok(fs::write(place::state(data)?.join(FILE), serde_json::to_vec(self)?)?)
    }

    /// What a box in this folder saw last, as far as is known.
    pub fn read(data: &Path) -> Option<Self> {
        let bytes = fs::read(data.join(place::STATE).join(FILE)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

/// When something of the hub was last opened.
#[derive(Clone, Debug)]
pub struct LastHeard(Arc<AtomicI64>);

impl Default for LastHeard {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(NEVER)))
    }
}

impl LastHeard {
    /// Something was opened now.
    pub fn note(&self, now: Timestamp) {
        self.0.store(now.as_millisecond(), Ordering::Relaxed);
    }

    /// When it was, if ever.
    pub fn at(&self) -> Option<Timestamp> {
        let at = self.0.load(Ordering::Relaxed);
        if at == NEVER { None } else { Timestamp::from_millisecond(at).ok() }
    }
}
