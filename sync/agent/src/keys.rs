//! The keys of the box towards its hub: Ed25519 to sign, X25519 to open what is sealed for it.
//!
//! Invariant: a key that is there is never overwritten, and never leaves the folder of the keys.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sync_protocol::envelope::{OpeningKey, SigningKey, fingerprint};
use zeroize::Zeroizing;

/// The file of the signing key: PKCS#8.
pub const SIGNING: &str = "sync-sign.key";
/// The file of the opening key: its 32 bytes.
pub const OPENING: &str = "sync-seal.key";

/// The keys of a box.
pub struct BoxKeys {
    /// Signs what the box sends.
    pub signing: SigningKey,
    /// Opens what is sealed for the box.
    pub opening: OpeningKey,
}

/// Why the keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file cannot be read or written.
    #[error("the key {path} cannot be used: {why}; put back the keys folder, or restore a backup")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// A file holds no key.
    #[error("the key {0} is damaged; put back the keys folder, or restore a backup")]
    Damaged(PathBuf),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Randomness,
}

/// The folder of the keys, which are read when they are first needed: a box that joined no hub has none.
pub(crate) struct KeyFolder {
    path: PathBuf,
    read: Option<BoxKeys>,
}

impl KeyFolder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, read: None }
    }

    /// # Errors
    /// [`KeyError`].
    pub(crate) fn keys(&mut self) -> Result<&BoxKeys, KeyError> {
        let keys = match self.read.take() {
            Some(keys) => keys,
            None => BoxKeys::load(&self.path)?,
        };
        Ok(self.read.insert(keys))
    }
}

impl BoxKeys {
    /// The keys in a folder; those that are not there are made, so that a second try to join is made
    /// with the keys of the first.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn ensure(folder: &Path) -> Result<Self, KeyError> {
        let signing = SigningKey::generate().map_err(|_| KeyError::Randomness)?;
        make(&folder.join(SIGNING), &signing)?;
        let opening = OpeningKey::generate().map_err(|_| KeyError::Randomness)?;
        make(&folder.join(OPENING), opening.bytes())?;
        Self::load(folder)
    }

    /// The keys in a folder.
    ///
    /// # Errors
    /// If one is missing or damaged.
    pub fn load(folder: &Path) -> Result<Self, KeyError> {
        let path = folder.join(SIGNING);
        let signing =
            SigningKey::from_pkcs8(&read(&path)?).map_err(|_| KeyError::Damaged(path.clone()))?;
        let path = folder.join(OPENING);
        let bytes = read(&path)?;
        let bytes = <&[u8; 32]>::try_from(bytes.as_slice());
        let opening = bytes.ok().and_then(|bytes| OpeningKey::from_bytes(bytes).ok());
        Ok(Self { signing, opening: opening.ok_or(KeyError::Damaged(path))? })
    }

    /// What a person compares at the hub.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.signing.verifying_key(), &self.opening.sealing_key())
    }
}

fn make(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let written = || -> io::Result<()> {
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    match written() {
        Err(why) if why.kind() != io::ErrorKind::AlreadyExists => {
            Err(KeyError::File { path: path.to_owned(), why })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let read = fs::read(path).map(Zeroizing::new);
    read.map_err(|why| KeyError::File { path: path.to_owned(), why })
}
