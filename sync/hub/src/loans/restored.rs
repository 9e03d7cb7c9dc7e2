//! Whether a clinic's part of the database was put back from a copy that does not know of all sales.
//!
//! A hub that was put back may have sold what it does not know of any more. So what it held then is given
//! back as unknown, and a person decides at the box. That it was put back shows in the number of sales: the
//! database counts them, and a file beside it, which belongs to no copy, does the same. Where the file
//! knows of more, or is missing, sales are missing.
//!
//! Invariant: a patient hears of a sale only after both have counted it, the database first: so a hub that
//! stopped in between is not taken for one that was put back.

use std::collections::HashMap;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FlockOperation, flock};
use uuid::Uuid;

use crate::hub::Hub;
use crate::receive::Refused;
use crate::store::{self, LoanRow, StoreError};

/// The folder with the numbers of sales, a file for each clinic.
pub const SALES: &str = "sales";
/// Rows that are looked at in one transaction.
const ROWS_AT_ONCE: u32 = 500;

/// The clinics that were looked at since the hub was started.
#[derive(Debug, Default)]
pub struct Sales(Mutex<HashMap<[u8; 16], Known>>);

/// What is known of one.
#[derive(Clone, Copy, Debug)]
struct Known {
    store: u64,
    /// What the file says.
    counted: u64,
}

impl Sales {
    /// Which database this is to a clinic; none before it was looked at.
    pub(crate) fn store(&self, clinic: [u8; 16]) -> Option<u64> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&clinic).map(|it| it.store)
    }

    /// Has the file of a clinic say that there were at least so many sales.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn count(&self, hub: &Hub, clinic: [u8; 16], sales: u64) -> std::io::Result<()> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = known.get_mut(&clinic).filter(|it| it.counted < sales) else {
            return Ok(());
        };
        write(&path(hub, clinic), sales)?;
        known.counted = sales;
        Ok(())
    }
}

/// Begins the loans of a clinic in this run of the hub: looks whether sales are missing. Once done, it is done.
///
/// # Errors
/// [`Refused`]; without it nothing may be sold or heard.
pub fn begin(hub: &Hub, clinic: [u8; 16]) -> Result<(), Refused> {
    let mut all = hub.sales.0.lock().unwrap_or_else(PoisonError::into_inner);
    if all.contains_key(&clinic) {
        return Ok(());
    }
    let path = path(hub, clinic);
    // The file first: what is sold meanwhile is counted in the database first.
    let counted: Option<u64> = match fs::read_to_string(&path) {
        // What is no number counts like a file that is missing.
        Ok(text) => text.trim().parse().ok(),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(Refused::Sales(error)),
    };
    let known = hub.store.read(clinic, |tx| store::loan_store(tx, clinic))?;
    let fresh = crate::vault::make_key()?;
    let fresh = fresh.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let (store, sales) = match (known, counted) {
        (None, counted) => (fresh, counted.unwrap_or(0)),
        (Some((store, sales)), Some(counted)) if counted <= sales => (store, sales),
        (Some((_, sales)), counted) => {
            let held = void(hub, clinic)?;
            let clinic = Uuid::from_bytes(clinic);
            tracing::warn!(
                %clinic,
                held,
                "the database does not know of all sales; what it held was given back as unknown"
            );
            (fresh, counted.map_or(sales, |counted| counted.max(sales)))
        }
    };
    let store = hub.store.write(clinic, |tx| -> Result<_, StoreError> {
        // Another hub on this database may have begun them meanwhile; both have to say the same.
        if known.is_none()
            && let Some((store, _)) = store::loan_store(tx, clinic)?
        {
            return Ok(store);
        }
        store::look_at_held(tx, clinic)?;
        store::put_loan_store(tx, clinic, store, sales)?;
        Ok(store)
    })?;
    if counted != Some(sales) {
        write(&path, sales).map_err(Refused::Sales)?;
    }
    all.insert(clinic, Known { store, counted: sales });
    Ok(())
}

/// A clinic's part of the database was put back from a backup of its own: what it held under loans is
/// given back as unknown. A hub that serves meanwhile has to be started again.
///
/// # Errors
/// [`Refused`].
pub fn put_back(hub: &Hub, clinic: [u8; 16]) -> Result<(), Refused> {
    match fs::remove_file(path(hub, clinic)) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(Refused::Sales(error)),
        Ok(()) | Err(_) => {}
    }
    hub.sales.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&clinic);
    begin(hub, clinic)
}

fn path(hub: &Hub, clinic: [u8; 16]) -> PathBuf {
    hub.data.join(SALES).join(Uuid::from_bytes(clinic).to_string())
}

/// Has a file say that there were at least so many. Several hubs may do it at once: one after the other, so that
/// none puts a smaller number in place of a greater.
fn write(path: &Path, sales: u64) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let turn = fs::File::open(folder)?;
    flock(&turn, FlockOperation::LockExclusive)?;
    let counted = fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok());
    if counted.is_some_and(|counted: u64| counted >= sales) {
        return Ok(());
    }
    let new = path.with_extension("new");
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(sales.to_string().as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    turn.sync_all()
}

/// Gives back all that is held, as unknown where it is not known to be sold. Answers how much that was.
fn void(hub: &Hub, clinic: [u8; 16]) -> Result<usize, StoreError> {
    let mut count = 0;
    loop {
        let given_back = hub.store.write(clinic, |tx| -> Result<usize, StoreError> {
            let rows = store::loans_held(tx, clinic, None, ROWS_AT_ONCE)?;
            for row in &rows {
                let state = row.state.restored();
                store::put_loan(tx, clinic, &LoanRow { state, news: false, ..row.clone() })?;
            }
            Ok(rows.len())
        })?;
        if given_back == 0 {
            return Ok(count);
        }
        count += given_back;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hubs_that_count_at_once_never_lower_the_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(SALES).join("clinic");
        std::thread::scope(|scope| {
            for hub in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    for sales in (hub..40).step_by(4) {
                        write(path, sales).unwrap();
                    }
                });
            }
        });
        assert_eq!(fs::read_to_string(&path).unwrap(), "39");
        write(&path, 7).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "39");
    }
}
