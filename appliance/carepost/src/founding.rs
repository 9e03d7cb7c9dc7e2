//! Making a box in an empty folder: keys, certificate authority, database.

use std::fs;
use std::path::Path;

use anyhow::bail;
use jiff::Timestamp;
use prm::db::{Db, Keys};

use crate::{place, tls};

/// Makes the keys, the certificate authority and an empty database in a data folder. What is
/// there already is never touched; what was made is taken away again if anything fails.
///
/// # Errors
/// If a box is there already, or the folder cannot be written.
pub fn prepare(data: &Path, now: Timestamp) -> anyhow::Result<Db> {
    let (keys, database) = (place::keys(data), place::database(data));
    for there in [&keys, &database] {
        if there.exists() {
            bail!("{} exists already; choose another folder, nothing was touched", there.display());
        }
    }
    place::make_private(data)?;
    make(data, now).inspect_err(|_| {
        // All of it was made a moment ago, by this very call.
        let _ = fs::remove_dir_all(&keys);
        let _ = fs::remove_file(&database);
    })
}

fn make(data: &Path, now: Timestamp) -> anyhow::Result<Db> {
    let keys = Keys::create(&place::keys(data)).map_err(prm::db::OpenError::from)?;
    place::make_qr_key(data)?;
    // Random, because the name of the box is seen by everybody in the network.
    let id = uuid::Uuid::new_v4().simple().to_string();
    tls::init_ca(data, &id[..8], now)?;
    Ok(Db::create(&place::database(data), keys)?)
}
