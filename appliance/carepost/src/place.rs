//! Where things are in the data folder.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use prm::qr::SigningKey;
use zeroize::Zeroizing;

/// The database.
pub const DATABASE: &str = "carepost.db";
/// The keys: everybody who has this folder and the database has everything.
pub const KEYS: &str = "keys";
/// The key that signs the QRs of appointments, in `keys`.
pub const QR_KEY: &str = "qr.key";
/// What may be lost, such as when the last backup was made.
pub const STATE: &str = "state";

/// Pictures and sounds, encrypted.
pub const MEDIA: &str = "media";
/// The key of them, in `keys`.
pub const MEDIA_KEY: &str = "media.key";

/// Dialogues under way, in `state`.
pub const DIALOGUES: &str = "dialogues";
/// The key of them, in `keys`.
pub const DIALOGUES_KEY: &str = "dialogues.key";

/// The database of a data folder.
pub fn database(data: &Path) -> PathBuf {
    data.join(DATABASE)
}

/// The folder of the keys.
pub fn keys(data: &Path) -> PathBuf {
    data.join(KEYS)
}

/// The folder of what may be lost; made if it is not there.
///
/// # Errors
/// If it cannot be made.
pub fn state(data: &Path) -> anyhow::Result<PathBuf> {
    let folder = data.join(STATE);
    make_private(&folder)?;
    Ok(folder)
}

/// Makes a folder that only its owner may look into, if it is not there.
///
/// # Errors
/// If it cannot be made.
pub fn make_private(folder: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("the folder {} cannot be made", folder.display()))
}

/// Makes the key of the QRs; one that is there already is never overwritten.
///
/// # Errors
/// If it is there already or cannot be written.
pub fn make_qr_key(data: &Path) -> anyhow::Result<()> {
    let path = keys(data).join(QR_KEY);
    let key = SigningKey::generate()?;
    let write = || -> std::io::Result<()> {
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(&key)?;
        file.sync_all()
    };
    write().with_context(|| format!("the key {} cannot be written", path.display()))
}

/// The key of the QRs.
///
/// # Errors
/// If it is missing or damaged.
pub fn load_qr_key(data: &Path) -> anyhow::Result<SigningKey> {
    let path = keys(data).join(QR_KEY);
    let bytes = Zeroizing::new(fs::read(&path).with_context(|| {
        format!(
            "the key {} cannot be read; put back the keys folder, or restore a backup",
            path.display()
        )
    })?);
    SigningKey::from_pkcs8(&bytes).with_context(|| {
        format!(
            "the key {} is damaged; put back the keys folder, or restore a backup",
            path.display()
        )
    })
}
