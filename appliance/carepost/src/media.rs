//! Pictures, voice notes, documents and recordings, in the folder `media`: encrypted files, called like their ids.
//!
//! ```text
//!   <id>.part: written to, goes on after a crash where it was ─► finished: on the disk, and called <id>
//!
//!   CPMEDIA1  nonce sealed(64 KiB) tag  nonce sealed(64 KiB) tag  …  nonce sealed(the rest) tag
//! ```
//!
//! Each piece is sealed (AES-256-GCM) with the id, its number and whether it is the last, so that none can be changed, moved or
//! left out, and any can be read alone. The last one is shorter than the others, and may be empty.
//!
//! Invariant: a file without an ending is whole, and was never changed since it has this name.
//! Invariant: nothing here fills the disk: records and their backups need room, too.

mod blob;
pub(crate) mod code;
mod settle;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use jiff::Timestamp;
use prm::db::Db;
use prm::id::MediaId;
use prm::media;
use prm::stamp::Stamp;
use ring::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

pub use self::blob::{Finished, Pieces, Writer};
pub use self::settle::serve;
use crate::health::free_bytes;
use crate::place;

/// The longest thing that is kept, in bytes: a recorded call of an hour.
pub const BLOB_BYTES_MAX: u64 = 64 << 20;
/// All of them together, in bytes, at the most.
pub const STORE_BYTES_MAX: u64 = 64 << 30;
/// And as many of them.
pub const STORE_FILES_MAX: u64 = 200_000;
/// What nobody knows of, or was not written to, is removed after this long, in seconds.
const LEFT_FOR_SECONDS: i64 = 24 * 60 * 60;

/// As many are looked up at once.
const LISTED_AT_ONCE: u32 = 1_000;

/// The ending of a file that is written to.
const UNFINISHED: &str = "part";

/// Why something cannot be kept or read; one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// There is no room on the disk.
    #[error("no room for pictures and sounds on the disk of {}; make room", .0.display())]
    DiskFull(PathBuf),
    /// As much as the box keeps is there.
    #[error(
        "the box keeps at most {STORE_FILES_MAX} pictures and sounds of {STORE_BYTES_MAX} bytes; no more is taken in"
    )]
    StoreFull,
    /// It is longer than anything that is kept.
    #[error("a picture or sound has at most {BLOB_BYTES_MAX} bytes")]
    TooLong,
    /// Bytes in between are missing.
    #[error("bytes from {0} on come next")]
    Gap(u64),
    /// It is being written.
    #[error("{0} is being written to")]
    Busy(MediaId),
    /// There is no such file.
    #[error("the file of {0} is not there; restore it from a backup")]
    NotThere(MediaId),
    /// It is not as it was written.
    #[error("the file of {0} is damaged; restore it from a backup")]
    Damaged(MediaId),
    /// A file cannot be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The folder of them. Cheap to clone.
#[derive(Clone)]
pub struct Blobs(Arc<Store>);

struct Store {
    folder: PathBuf,
    key: LessSafeKey,
    /// How much must stay free.
    free_min: u64,
    /// What the finished files are together, since they were last counted.
    files: AtomicU64,
    bytes: AtomicU64,
}

/// What a look through the folder came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files that are kept.
    pub files: u64,
    /// Their length together, in bytes.
    pub bytes: u64,
    /// Files that nobody knew of and that were removed.
    pub removed: u64,
}

impl Blobs {
    /// Those of a data folder; folder and key are made if there is nothing yet. So many bytes of the disk stay free.
    ///
    /// # Errors
    /// If there are files but no key, or nothing can be kept there.
    pub fn open(data: &Path, free_min: u64) -> anyhow::Result<Self> {
        let folder = data.join(place::MEDIA);
        place::make_private(&folder)?;
        let key = key(&place::keys(data), &folder)?;
        let (files, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self(Arc::new(Store { folder, key, free_min, files, bytes })))
    }

    /// Begins to write one, or goes on where it was left: [`Writer::length`] says where.
    ///
    /// # Errors
    /// If there is no room, or somebody is writing it.
    pub fn begin(&self, id: MediaId) -> Result<Writer, MediaError> {
        self.must_have_room(0)?;
        Writer::open(self.clone(), id)
    }

    /// How long one is.
    ///
    /// # Errors
    /// If it is not there or damaged.
    pub fn length(&self, id: MediaId) -> Result<u64, MediaError> {
        Pieces::open(self, id, 0..0).map(|pieces| pieces.length())
    }

    /// What one holds from here to there, as far as it goes.
    ///
    /// # Errors
    /// If it is not there or damaged.
    pub fn read(&self, id: MediaId, range: Range<u64>) -> Result<Vec<u8>, MediaError> {
        Ok(Pieces::open(self, id, range)?.collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// The same, piece by piece.
    ///
    /// # Errors
    /// If it is not there or damaged.
    pub fn pieces(&self, id: MediaId, range: Range<u64>) -> Result<Pieces, MediaError> {
        Pieces::open(self, id, range)
    }

    /// Whether one is there.
    pub fn is_there(&self, id: MediaId) -> bool {
        path(&self.0.folder, id).exists()
    }

    /// Removes one, finished or not. One that is not there is removed already.
    ///
    /// # Errors
    /// If the disk does not let it go.
    pub fn remove(&self, id: MediaId) -> Result<(), MediaError> {
        let whole = path(&self.0.folder, id);
        for path in [whole.clone(), whole.with_extension(UNFINISHED)] {
            remove(&path)?;
        }
        sync_folder(&self.0.folder)
    }

    /// Removes what was left a day ago and of which `is_known` knows nothing, and counts the rest. What is not named like ours is
    /// left alone.
    ///
    /// # Errors
    /// If the folder cannot be read, or what `is_known` says.
    pub fn sweep(
        &self,
        now: Timestamp,
        mut is_known: impl FnMut(MediaId) -> anyhow::Result<bool>,
    ) -> anyhow::Result<Swept> {
        let mut swept = Swept::default();
        for entry in fs::read_dir(&self.0.folder)? {
            let entry = entry?;
            let (path, about) = (entry.path(), entry.metadata()?);
            let Some(id) = id_of(&path) else { continue };
            let is_whole = path.extension().is_none();
            let changed = about.modified().ok().and_then(|it| Timestamp::try_from(it).ok());
            let is_old = changed
                .is_some_and(|changed| now.as_second() - changed.as_second() >= LEFT_FOR_SECONDS);
            if is_old && !(is_known(id)? && is_whole) {
                remove(&path)?;
                swept.removed += 1;
            } else if is_whole {
                swept.files += 1;
                swept.bytes += about.len();
            }
        }
        self.0.files.store(swept.files, Ordering::Relaxed);
        self.0.bytes.store(swept.bytes, Ordering::Relaxed);
        Ok(swept)
    }

    /// Refuses if so many bytes more would be too many.
    fn must_have_room(&self, more: u64) -> Result<(), MediaError> {
        let store = &self.0;
        if store.files.load(Ordering::Relaxed) >= STORE_FILES_MAX
            || store.bytes.load(Ordering::Relaxed) + more > STORE_BYTES_MAX
        {
            return Err(MediaError::StoreFull);
        }
        let free = free_bytes(&store.folder).map_err(|error| failed(&store.folder, error))?;
        if free < store.free_min.saturating_add(more) {
            return Err(MediaError::DiskFull(store.folder.clone()));
        }
        Ok(())
    }
}

/// The files of all that is kept, by their names in a data folder, and how many are not there.
///
/// # Errors
/// Those of the database.
pub fn files(db: &Db, data: &Path) -> prm::error::Result<(Vec<String>, usize)> {
    let stamp = Stamp::of_box(Timestamp::UNIX_EPOCH);
    let (mut names, mut missing, mut last) = (Vec::new(), 0, None);
    loop {
        let ids = db.read_blocking(|read| media::kept_after(read, &stamp, last, LISTED_AT_ONCE))?;
        let Some(newest) = ids.last() else { return Ok((names, missing)) };
        last = Some(*newest);
        for id in ids {
            let name = format!("{}/{id}", place::MEDIA);
            if data.join(&name).is_file() { names.push(name) } else { missing += 1 }
        }
    }
}

/// The file of one, in the folder of them.
pub fn path(folder: &Path, id: MediaId) -> PathBuf {
    folder.join(id.to_string())
}

/// Of which one a file is; none if it is no file of ours.
fn id_of(path: &Path) -> Option<MediaId> {
    let ending = path.extension();
    if ending.is_some_and(|ending| ending != UNFINISHED) {
        return None;
    }
    path.file_stem()?.to_str()?.parse().ok()
}

fn remove(path: &Path) -> Result<(), MediaError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn sync_folder(folder: &Path) -> Result<(), MediaError> {
    File::open(folder).and_then(|it| it.sync_all()).map_err(|error| failed(folder, error))
}

fn failed(path: &Path, source: io::Error) -> MediaError {
    if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        MediaError::DiskFull(path.into())
    } else {
        MediaError::File { path: path.into(), source }
    }
}

/// The key of all files. It is made once; while there are files, nothing takes its place.
fn key(keys: &Path, folder: &Path) -> anyhow::Result<LessSafeKey> {
    let path = keys.join(place::MEDIA_KEY);
    let is_empty = fs::read_dir(folder)?.next().is_none();
    let advice = "put back the keys folder, or restore a backup";
    match fs::read(&path).map(Zeroizing::new) {
        Ok(bytes) => {
            let mode = fs::metadata(&path)?.permissions().mode();
            if mode & 0o077 != 0 {
                let path = path.display();
                anyhow::bail!(
                    "the key {path} can be read by others; make it private with `chmod 600`"
                );
            }
            match UnboundKey::new(&AES_256_GCM, &bytes) {
                Ok(key) => return Ok(LessSafeKey::new(key)),
                // It was about to be made.
                Err(_) if is_empty => {}
                Err(_) => anyhow::bail!("the key {} is damaged; {advice}", path.display()),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if !is_empty {
                anyhow::bail!("the key {} is missing; {advice}", path.display());
            }
        }
        Err(error) => {
            return Err(error).with_context(|| format!("the key {}; {advice}", path.display()));
        }
    }
    let mut bytes = Zeroizing::new([0_u8; 32]);
    SystemRandom::new()
        .fill(bytes.as_mut())
        .map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?;
    let write = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        file.write_all(bytes.as_ref())?;
        file.sync_all()?;
        File::open(keys)?.sync_all()
    };
    write().with_context(|| format!("the key {} cannot be written", path.display()))?;
    UnboundKey::new(&AES_256_GCM, bytes.as_ref())
        .map(LessSafeKey::new)
        .map_err(|_| anyhow::anyhow!("the key {} is no key", path.display()))
}

#[cfg(test)]
mod tests;
