//! The keys of a box: files of random bytes that only their owner may read.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of each key.
const KEY_BYTES: usize = 32;

/// The keys of the store: one for the database, one for the audit's chain. They are
/// separate, so that whoever can write the database cannot mend the chain.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Keys {
    database: [u8; KEY_BYTES],
    audit: [u8; KEY_BYTES],
}

/// Why keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A key file is missing.
    #[error("the key {0} is missing; put back the keys folder, or restore a backup")]
    Missing(PathBuf),
    /// A key file can be read by others.
    #[error("the key {0} can be read by others; make it private with `chmod 600`")]
    Exposed(PathBuf),
    /// A key file does not hold a key.
    #[error("the key {0} is damaged; put back the keys folder, or restore a backup")]
    Damaged(PathBuf),
    /// The disk failed.
    #[error("the key {path} cannot be used: {why}")]
    Failed {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
}

impl Keys {
    /// Makes new keys in `folder` (made 0700), as `database.key` and `audit.key` (0600).
    /// Files that are there already are never overwritten.
    pub fn create(folder: &Path) -> Result<Self, KeysError> {
        let fail = |path: &Path, why: &dyn std::fmt::Display| KeysError::Failed {
            path: path.to_owned(),
            why: why.to_string(),
        };
        fs::create_dir_all(folder).map_err(|error| fail(folder, &error))?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
            .map_err(|error| fail(folder, &error))?;
        let make = |name: &str| -> Result<[u8; KEY_BYTES], KeysError> {
            let path = folder.join(name);
            let mut key = [0; KEY_BYTES];
            SystemRandom::new()
                .fill(&mut key)
                .map_err(|_| fail(&path, &"the system gives no random numbers"))?;
            let write = || -> std::io::Result<()> {
                let mut file =
                    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
                file.write_all(&key)?;
                file.sync_all()
            };
            write().map_err(|error| fail(&path, &error))?;
            Ok(key)
        };
        let keys = Self { database: make("database.key")?, audit: make("audit.key")? };
        // The names must be on the disk before the database that needs them is.
        fs::File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| fail(folder, &error))?;
        Ok(keys)
    }

    /// Reads the keys in `folder`.
    pub fn load(folder: &Path) -> Result<Self, KeysError> {
        Ok(Self {
            database: read(&folder.join("database.key"))?,
            audit: read(&folder.join("audit.key"))?,
        })
    }

    pub(crate) fn audit(&self) -> ring::hmac::Key {
        ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &self.audit)
    }

    pub(super) fn database_pragma(&self) -> zeroize::Zeroizing<String> {
        use std::fmt::Write as _;
        let mut pragma = zeroize::Zeroizing::new(String::with_capacity(2 * KEY_BYTES + 24));
        pragma.push_str("PRAGMA key = \"x'");
        for byte in self.database {
            // Writing to a String cannot fail.
            let _ = write!(pragma, "{byte:02x}");
        }
        pragma.push_str("'\"");
        pragma
    }
}

fn read(path: &Path) -> Result<[u8; KEY_BYTES], KeysError> {
    let bytes = zeroize::Zeroizing::new(fs::read(path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            KeysError::Missing(path.to_owned())
        } else {
            KeysError::Failed { path: path.to_owned(), why: error.to_string() }
        }
    })?);
    let mode = fs::metadata(path)
        .map_err(|error| KeysError::Failed { path: path.to_owned(), why: error.to_string() })?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        return Err(KeysError::Exposed(path.to_owned()));
    }
    bytes.as_slice().try_into().map_err(|_| KeysError::Damaged(path.to_owned()))
}
