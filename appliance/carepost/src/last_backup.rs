//! When the last backup was made: a line in `state/`, which may be lost.

use std::fs;
use std::path::Path;

use jiff::Timestamp;

use crate::place;

const FILE: &str = "last-backup";

/// Remembers that a backup was made at `now`.
///
/// # Errors
/// If it cannot be written.
pub fn remember(data: &Path, now: Timestamp) -> anyhow::Result<()> {
    Ok(fs::write(place::state(data)?.join(FILE), now.to_string())?)
}

/// When the last backup was made, as far as is known.
pub fn made_at(data: &Path) -> Option<Timestamp> {
    fs::read_to_string(data.join(place::STATE).join(FILE)).ok()?.trim().parse().ok()
}

/// Whole hours since the last backup, as far as is known.
pub fn age_hours(data: &Path, now: Timestamp) -> Option<i64> {
    let made_at = made_at(data)?;
    Some((now.as_second() - made_at.as_second()).max(0).div_euclid(3600))
}
