//! The hub's master key, and how a new one takes its place while hubs serve.
//!
//! 1. The new key is written, the old one gets a second name (`master.old`), the new one the first.
//! 2. In one transaction all keys of clinics are wrapped by the new one. A process that has only the
//!    old one reads the files again when it meets the first of them.
//! 3. The old one is removed. With it goes what older copies of the database say.
//!
//! Interrupted anywhere, it goes on from there when it is started again: as long as there is an old key
//! both are tried.
//!
//! Invariant: a clinic that is added meanwhile is not wrapped by the old key alone. Whoever adds one looks
//! after writing it whether the master key is still the same, and step 2 waits for those who have not
//! committed yet.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::hub::{Hub, ReadError};
use crate::place::{self, KEYS};
use crate::store::{self, StoreError};
use crate::vault::{KEY_BYTES, MasterBytes, make_key};

/// The key that wraps the keys of the clinics, in the folder of the keys; 32 bytes.
pub const KEY: &str = "master.key";
/// The one before, while a rotation is under way.
pub const OLD: &str = "master.old";
/// The next one, before a rotation has begun.
const NEW: &str = "master.new";

/// The master key in this folder, and the one before while there is one.
///
/// # Errors
/// If one cannot be read, is damaged, or others may read it.
pub fn read(folder: &Path) -> anyhow::Result<MasterBytes> {
    // The old one first: then it is no harm if a rotation ends in between.
    let old = folder.join(OLD);
    let before = if old.exists() { place::read(&old).ok() } else { None };
    let now = place::read(&folder.join(KEY))?;
    let is_whole = |it: &[u8]| it.len() == KEY_BYTES;
    if !is_whole(&now) || before.as_ref().is_some_and(|it| !is_whole(it)) {
        bail!("a master key in {} is damaged; put back the keys folder", folder.display());
    }
    Ok((now, before))
}

/// Gives the hub a new master key; answers how many clinics have their keys wrapped by it.
///
/// # Errors
/// If another process is at it, a file cannot be written, or the database fails; then it is to be
/// started again.
pub fn rotate(hub: &Hub) -> anyhow::Result<usize> {
    let folder = hub.data.join(KEYS);
    let alone = File::open(&folder)?;
    alone.try_lock().context("another process gives the hub a new master key; wait for it")?;
    begin(&folder)
        .with_context(|| format!("the keys in {} cannot be written", folder.display()))?;
    hub.keys.vault.reload()?;
    let clinics = hub.store.write_all(|tx| -> Result<usize, ReadError> {
        let clinics = store::clinics(tx)?;
        for clinic in &clinics {
            tx.enter(clinic.id)?;
            let found = store::clinic(tx, clinic.id)?.ok_or(StoreError::Damaged("a clinic"))?;
            let wrapped = hub.keys.vault.rewrap(clinic.id, &found.wrapped_key)?;
            store::put_wrapped_key(tx, clinic.id, &wrapped)?;
        }
        Ok(clinics.len())
    })?;
    fs::remove_file(folder.join(OLD))?;
    alone.sync_all()?;
    hub.keys.vault.reload()?;
    Ok(clinics)
}

/// Puts a new key in place, unless that was done before and the rest was not.
fn begin(folder: &Path) -> anyhow::Result<()> {
    let (key, old, new) = (folder.join(KEY), folder.join(OLD), folder.join(NEW));
    let folder = File::open(folder)?;
    if old.exists() {
        if place::read(&old)? != place::read(&key)? {
            return Ok(());
        }
        fs::remove_file(&old)?;
    }
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        Ok(()) | Err(_) => {}
    }
    place::write(&new, &*make_key()?)?;
    fs::hard_link(&key, &old)?;
    folder.sync_all()?;
    fs::rename(&new, &key)?;
    Ok(folder.sync_all()?)
}
