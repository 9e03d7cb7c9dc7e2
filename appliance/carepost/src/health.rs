//! Whether the box is well: the database takes writes, the disk has room, the integrity check
//! that runs after the start found nothing.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prm::db::Db;
use tokio::time::timeout;

/// With less room on the disk than this the box says that it is not ready, in bytes.
pub const DISK_FREE_MIN: u64 = 64 * 1024 * 1024;
/// How long a write may take before the database counts as not writable.
const WRITE_WITHIN: Duration = Duration::from_secs(3);

/// How far the integrity check is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Integrity {
    /// It has not begun.
    #[default]
    NotYet,
    /// It runs.
    Running,
    /// It found nothing.
    Whole,
    /// It found this, or could not be made.
    Damaged(String),
}

/// What is known about the health of the box.
#[derive(Debug, Default)]
pub struct Health {
    integrity: Mutex<Integrity>,
}

impl Health {
    /// How far the integrity check is.
    pub fn integrity(&self) -> Integrity {
        self.integrity.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_integrity(&self, found: Integrity) {
        *self.integrity.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    /// Checks the whole database; takes as long as that takes, or until `stop` is set.
    pub fn check_integrity(&self, db: &Db, stop: &Arc<AtomicBool>) {
        self.set_integrity(Integrity::Running);
        let checked = db.integrity_until(stop);
        if stop.load(Ordering::Relaxed) {
            self.set_integrity(Integrity::NotYet);
            return;
        }
        let found = match checked {
            Ok(wrong) => match wrong.into_iter().next() {
                None => Integrity::Whole,
                Some(first) => Integrity::Damaged(first),
            },
            Err(error) => Integrity::Damaged(error.to_string()),
        };
        if let Integrity::Damaged(found) = &found {
            tracing::error!(%found, "the database is damaged; restore a backup");
        }
        self.set_integrity(found);
    }

    /// Why the box is not ready; nothing if it is.
    pub async fn reasons(&self, db: &Db, data: &Path) -> Vec<String> {
        let mut reasons = Vec::new();
        match timeout(WRITE_WITHIN, db.write(|_| Ok(()))).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => reasons.push(format!("the database takes no writes: {error}")),
            Err(_) => reasons.push("the database is slow to take writes".to_owned()),
        }
        match free_bytes(data) {
            Ok(free) if free < DISK_FREE_MIN => {
                reasons.push(format!("the disk is nearly full: {} MiB left", free / (1 << 20)));
            }
            Ok(_) => {}
            Err(error) => reasons.push(format!("the disk does not answer: {error}")),
        }
        match self.integrity() {
            Integrity::Damaged(found) => reasons.push(format!("the database is damaged: {found}")),
            Integrity::NotYet | Integrity::Running | Integrity::Whole => {}
        }
        reasons
    }
}

/// Bytes that are free for the box on the disk of `path`.
///
/// # Errors
/// If the system does not say.
pub fn free_bytes(path: &Path) -> std::io::Result<u64> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}
