//! Whose turn it is in a data folder: those who serve it may be several, who takes a box's place is alone.

use std::fs::File;
use std::path::Path;

use anyhow::{Context as _, bail};
use rustix::fs::{FlockOperation, flock};

use crate::place;

/// The file that is locked, in the folder of what may be lost.
const LOCK: &str = "serve.lock";

/// The turn to serve, as long as the file is held.
///
/// # Errors
/// If the box is just taking another's place, or the folder cannot be written.
pub fn serve(data: &Path) -> anyhow::Result<File> {
    let file = lock(data)?;
    if flock(&file, FlockOperation::NonBlockingLockShared).is_err() {
        bail!(
            "this box is just taking another's place; wait until `carepost enroll --replace` is done"
        );
    }
    Ok(file)
}

/// The turn to be alone, as long as the file is held.
///
/// # Errors
/// If the box is served, or the folder cannot be written.
pub fn alone(data: &Path) -> anyhow::Result<File> {
    let file = lock(data)?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        bail!("this box is served, and would book meanwhile; stop it first");
    }
    Ok(file)
}

fn lock(data: &Path) -> anyhow::Result<File> {
    let path = place::state(data)?.join(LOCK);
    File::create(&path).with_context(|| format!("{} cannot be written", path.display()))
}
