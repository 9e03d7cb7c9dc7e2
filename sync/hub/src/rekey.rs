//! A clinic gets a new key, and its rows go over to it in small steps while the hub serves.
//!
//! While they do, both keys open and the new one seals. When no row is left under the old one, it is
//! removed. Interrupted anywhere, it goes on from there when it is started again.

use crate::clock::stopwatch;
use crate::hub::{Hub, ReadError};
use crate::store::{self, SEALED, Sealed, StoreError};
use crate::vault::{key_count, newest};

/// Rows that one transaction takes over: others write in between.
const ROWS_MAX: u32 = 64;
/// How often all rows are gone through. What is written meanwhile is sealed by the new key, so the second
/// time finds nothing but what somebody sealed before and wrote after.
const PASSES_MAX: u32 = 8;

/// Why a clinic has no new key.
#[derive(Debug, thiserror::Error)]
pub enum RekeyError {
    /// Database or keys.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is gone.
    #[error("the clinic is not there any more")]
    Gone,
    /// Rows under the old key keep coming.
    #[error(
        "rows are still under the old key, which stays good; stop older programs and do it again"
    )]
    Restless,
}

impl From<StoreError> for RekeyError {
    fn from(error: StoreError) -> Self {
        Self::Read(error.into())
    }
}

/// Gives a clinic a new key; answers how many rows went over to it.
///
/// # Errors
/// [`RekeyError`]. What was done is kept, and both keys are good.
pub fn rekey(hub: &Hub, clinic: [u8; 16]) -> Result<u64, RekeyError> {
    hub.store.write(clinic, |tx| {
        let found = store::clinic(tx, clinic)?.ok_or(RekeyError::Gone)?;
        if key_count(&found.wrapped_key) == 1 {
            let vault = &hub.keys.vault;
            let wrapped =
                vault.add_clinic_key(clinic, &found.wrapped_key).map_err(ReadError::from)?;
            store::put_wrapped_key(tx, clinic, &wrapped)?;
        }
        Ok::<_, RekeyError>(())
    })?;
    let mut rows = 0;
    for _ in 0..PASSES_MAX {
        for sealed in &SEALED {
            let mut after = Some(Vec::new());
            while let Some(from) = after {
                let began = stopwatch();
                let (done, last) = step(hub, clinic, sealed, &from)?;
                // SQLite gives the lock to whoever asks first: as long as a step takes, others may.
                std::thread::sleep(began.elapsed());
                rows += done;
                after = last;
            }
        }
        if leave_old_key(hub, clinic)? {
            return Ok(rows);
        }
    }
    Err(RekeyError::Restless)
}

/// Takes over the next rows after this place; answers how many there were to be taken over, and where
/// it stopped if there are more.
fn step(
    hub: &Hub,
    clinic: [u8; 16],
    sealed: &Sealed,
    after: &[u8],
) -> Result<(u64, Option<Vec<u8>>), RekeyError> {
    hub.store.write(clinic, |tx| {
        let found = store::clinic(tx, clinic)?.ok_or(RekeyError::Gone)?;
        let key = hub.key_of(&found).map_err(ReadError::from)?;
        let page = store::sealed_after(tx, sealed, clinic, after, ROWS_MAX)?;
        let mut done = 0;
        for (place, body) in &page {
            let Some(body) = body.as_ref().filter(|it| !it.starts_with(&key.number())) else {
                continue;
            };
            let bound_to = [sealed.prefix.as_bytes(), place].concat();
            let opened = key.open(&bound_to, body).map_err(ReadError::from)?;
            let anew = key.seal(&bound_to, &opened).map_err(ReadError::from)?;
            store::put_sealed(tx, sealed, clinic, place, &anew)?;
            done += 1;
        }
        Ok((done, page.into_iter().next_back().map(|(place, _)| place)))
    })
}

/// Removes the old key if nothing is under it any more; says whether it did.
fn leave_old_key(hub: &Hub, clinic: [u8; 16]) -> Result<bool, RekeyError> {
    hub.store.write(clinic, |tx| {
        let found = store::clinic(tx, clinic)?.ok_or(RekeyError::Gone)?;
        let key = hub.key_of(&found).map_err(ReadError::from)?;
        for sealed in &SEALED {
            if store::count_not_sealed_by(tx, sealed, clinic, &key.number())? > 0 {
                return Ok(false);
            }
        }
        store::put_wrapped_key(tx, clinic, newest(&found.wrapped_key))?;
        Ok(true)
    })
}
