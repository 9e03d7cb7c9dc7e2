//! Where things are in the hub's data folder, and its own keys.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use sync_protocol::envelope::{OpeningKey, SigningKey};
use zeroize::Zeroizing;

use crate::master;
use crate::vault::Vault;

/// The database.
pub const DATABASE: &str = "hub.db";
/// The keys: everybody who has this folder and the database has everything.
pub const KEYS: &str = "keys";
/// The hub's Ed25519 key (PKCS#8), in `keys`.
pub const SIGN_KEY: &str = "sign.key";
/// The hub's X25519 key, in `keys`; 32 bytes.
pub const SEAL_KEY: &str = "seal.key";

/// The hub's own keys.
pub struct HubKeys {
    /// Signs receipts.
    pub sign: SigningKey,
    /// Opens bundles.
    pub seal: OpeningKey,
    /// Opens the keys of the clinics.
    pub vault: Vault,
}

/// The database of a data folder.
pub fn database(data: &Path) -> PathBuf {
    data.join(DATABASE)
}

/// The keys of a data folder; they are made if they are missing and no database is `in_use` with them.
///
/// # Errors
/// If a key is missing beside a database, damaged, readable by others, or cannot be written.
pub fn open_keys(data: &Path, in_use: bool) -> anyhow::Result<HubKeys> {
    let folder = data.join(KEYS);
    if !folder.exists() {
        if in_use {
            bail!(
                "{} is missing, but there is a database; put back the keys folder that belongs to it",
                folder.display()
            );
        }
        make_keys(data, &folder)?;
    }
    let sign = read(&folder.join(SIGN_KEY))?;
    let seal = read(&folder.join(SEAL_KEY))?;
    let damaged = || {
        format!("a key in {} is damaged; put back the keys folder from a copy", folder.display())
    };
    let seal: Zeroizing<[u8; 32]> =
        Zeroizing::new(seal.as_slice().try_into().with_context(damaged)?);
    Ok(HubKeys {
        sign: SigningKey::from_pkcs8(&sign).with_context(damaged)?,
        seal: OpeningKey::from_bytes(&seal).with_context(damaged)?,
        vault: Vault::open(&folder).with_context(damaged)?,
    })
}

/// Makes all keys in a folder beside, which gets its name last: there are all keys or none.
fn make_keys(data: &Path, folder: &Path) -> anyhow::Result<()> {
    let new = data.join("keys.new");
    let make = || -> anyhow::Result<()> {
        make_private(data)?;
        match fs::remove_dir_all(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
        make_private(&new)?;
        write(&new.join(master::KEY), &*crate::vault::make_key()?)?;
        write(&new.join(SIGN_KEY), &SigningKey::generate()?)?;
        write(&new.join(SEAL_KEY), OpeningKey::generate()?.bytes())?;
        fs::File::open(&new)?.sync_all()?;
        fs::rename(&new, folder)?;
        Ok(fs::File::open(data)?.sync_all()?)
    };
    make().with_context(|| format!("the keys cannot be made in {}", data.display()))
}

/// Makes a folder that only its owner may look into, if it is not there.
fn make_private(folder: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Writes a new file that only its owner may look into.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A key that only its owner may look into.
pub(crate) fn read(path: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let read = || -> std::io::Result<(u32, Zeroizing<Vec<u8>>)> {
        let mode = fs::metadata(path)?.permissions().mode();
        Ok((mode, Zeroizing::new(fs::read(path)?)))
    };
    let (mode, bytes) = read().with_context(|| {
        format!("the key {} cannot be read; put back the keys folder", path.display())
    })?;
    if mode & 0o077 != 0 {
        bail!("others may read the key {0}; run: chmod 600 {0}", path.display());
    }
    Ok(bytes)
}
