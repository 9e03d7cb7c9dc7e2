//! Backups: files in a tar, encrypted with age, that the stock programs `age` and `tar` open:
//! `age -d -i key.txt backup.age | tar x`. First in the tar is `manifest.json`, which names
//! every part with its size and SHA-256.
//!
//! Invariant: a file with a backup's name is a whole backup; it gets the name only after it is
//! on the disk.
//! Invariant: unpacking leaves either everything, checked, or nothing, and writes nowhere else.

mod restore;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

pub use restore::{Contents, open};

/// The version of the layout that this program writes, and the newest that it reads.
pub const FORMAT: u32 = 1;
/// As many people may hold a key to a backup.
pub const RECIPIENTS_MAX: usize = 16;
/// As many files may be in a backup.
pub const PARTS_MAX: usize = 250_000;
/// As large as all parts together may be, in bytes.
pub const SIZE_MAX: u64 = 1 << 40;
/// As large as the manifest may be, in bytes; 250,000 parts need about 55 MiB.
pub const MANIFEST_MAX: u64 = 96 << 20;
/// As long as the name of a part may be, in bytes: the room in the plainest tar header.
pub const NAME_MAX: usize = 100;

const MANIFEST: &str = "manifest.json";
const CHUNK: usize = 64 * 1024;

/// What is in a backup; also the first file in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the layout.
    pub format: u32,
    /// The program that wrote it, with its version.
    pub program: String,
    /// The id of the clinic.
    pub clinic: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// The files, in the order in which they follow.
    pub parts: Vec<Part>,
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its path in the backup, for example `keys/db.key`.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// The SHA-256 of its content, in small hexadecimal.
    pub sha256: String,
}

/// Why there is no backup, or why one cannot be opened; one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Nobody could open it.
    #[error(
        "name at least one recipient with --recipient age1..., or nobody could open the backup"
    )]
    NoRecipient,
    /// More than [`RECIPIENTS_MAX`] recipients.
    #[error("a backup is for at most {RECIPIENTS_MAX} recipients")]
    TooManyRecipients,
    /// Not the public key of an age identity.
    #[error("{0:?} is no age recipient; `age-keygen -y KEYFILE` prints the one of a key")]
    BadRecipient(String),
    /// The secret half was given where the public one belongs. It is not repeated here.
    #[error(
        "a secret key was given as recipient; give the public one (age1...), and make a new key if others could read this one"
    )]
    SecretRecipient,
    /// The name of a part is not a plain relative path, or is there twice.
    #[error("{0:?} cannot be the name of a part of a backup")]
    BadName(String),
    /// More parts or bytes than a backup holds.
    #[error("too much for one backup: at most {PARTS_MAX} files and {SIZE_MAX} bytes")]
    TooLarge,
    /// A part was written to while it was read.
    #[error("{} changed while it was backed up; back up a copy that nobody writes to", .0.display())]
    Changed(PathBuf),
    /// There is no room on the disk.
    #[error("no room for {}; make room or choose another disk, then do it again", .0.display())]
    Full(PathBuf),
    /// The disk cannot hold a file this large.
    #[error(
        "{} is too large for this disk, as on a FAT stick over 4 GiB; format it as exFAT or ext4, or choose another", .0.display()
    )]
    TooLargeForDisk(PathBuf),
    /// The target of a restore holds something.
    #[error("{} is not empty; restore into a new folder", .0.display())]
    NotEmpty(PathBuf),
    /// A file cannot be read or written.
    #[error("{}: {source}; check the path and who may use it", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file with the identity holds none.
    #[error("{}: {why}; give the file that `age-keygen` wrote (AGE-SECRET-KEY-1...)", .path.display())]
    BadIdentity {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// None of the identities opens it.
    #[error(
        "{} was encrypted for somebody else; use the identity of one of its recipients", .0.display()
    )]
    WrongIdentity(PathBuf),
    /// Some other kind of file.
    #[error("{} is no backup of Carepost", .0.display())]
    NotABackup(PathBuf),
    /// Changed or cut short since it was written.
    #[error("{} is damaged or cut short ({why}); copy it again, or use another backup", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        why: String,
    },
    /// Written by a later version of the program.
    #[error("{} was made by {program}, which is newer; update this program first", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The program that made it.
        program: String,
    },
}

/// Writes a backup to `to`, replacing what was there: the files in `parts`, each under the name
/// given, for all of `recipients` (`age1...`). The files must not be written to meanwhile.
/// When this returns, the backup is on the disk and readable by its owner only.
///
/// # Errors
/// If a recipient or name is no good, a file cannot be read, or there is no room; then `to` is
/// as before.
pub fn write(
    to: &Path,
    recipients: &[String],
    parts: &[(&str, &Path)],
    clinic: &str,
    now: Timestamp,
) -> Result<Manifest, BackupError> {
    let recipients = parse_recipients(recipients)?;
    let manifest = describe(parts, clinic, now)?;
    let folder = match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let failed = |error| write_failed(to, error);

    // A temporary file is made with mode 0600 and goes away by itself if this fails.
    let temporary = tempfile::Builder::new()
        .prefix(".carepost-backup-")
        .tempfile_in(folder)
        .map_err(|error| write_failed(folder, error))?;
    let encryptor = age::Encryptor::with_recipients(
        recipients.iter().map(|recipient| recipient as &dyn age::Recipient),
    )
    .map_err(|_| BackupError::NoRecipient)?;
    let sealed = encryptor
        .wrap_output(BufWriter::with_capacity(CHUNK, temporary.as_file()))
        .map_err(failed)?;

    let mut tar = tar::Builder::new(sealed);
    let json = serde_json::to_vec_pretty(&manifest)
        .expect("invariant: a manifest is text and numbers only");
    let length = json.len() as u64;
    tar.append(&header(MANIFEST, length, now)?, json.as_slice()).map_err(failed)?;
    for (part, (_, path)) in manifest.parts.iter().zip(parts) {
        append(&mut tar, part, path, to, now)?;
    }
    let sealed = tar.into_inner().map_err(failed)?;
    sealed.finish().and_then(|mut file| file.flush()).map_err(failed)?;
    temporary.as_file().sync_all().map_err(failed)?;
    temporary.persist(to).map_err(|error| failed(error.error))?;
    sync_folder(folder)?;
    Ok(manifest)
}

fn parse_recipients(given: &[String]) -> Result<Vec<age::x25519::Recipient>, BackupError> {
    match given.len() {
        0 => return Err(BackupError::NoRecipient),
        count if count > RECIPIENTS_MAX => return Err(BackupError::TooManyRecipients),
        _ => {}
    }
    let parse = |text: &String| {
        let text = text.trim();
        if text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY") {
            return Err(BackupError::SecretRecipient);
        }
        text.parse().map_err(|_| BackupError::BadRecipient(text.to_owned()))
    };
    given.iter().map(parse).collect()
}

fn describe(
    parts: &[(&str, &Path)],
    clinic: &str,
    now: Timestamp,
) -> Result<Manifest, BackupError> {
    let mut described: Vec<Part> = Vec::with_capacity(parts.len());
    let mut names = HashSet::with_capacity(parts.len());
    for (name, path) in parts {
        if !is_plain_name(name) || !names.insert(*name) {
            return Err(BackupError::BadName((*name).to_owned()));
        }
        let failed = |error| read_failed(path, error);
        let mut file = Hashed::new(File::open(path).map_err(failed)?);
        io::copy(&mut file, &mut io::sink()).map_err(failed)?;
        let (size, sha256) = file.finish();
        described.push(Part { name: (*name).to_owned(), size, sha256 });
    }
    let manifest = Manifest {
        format: FORMAT,
        program: concat!("carepost ", env!("CARGO_PKG_VERSION")).to_owned(),
        clinic: clinic.to_owned(),
        made_at: now,
        parts: described,
    };
    if within_bounds(&manifest) { Ok(manifest) } else { Err(BackupError::TooLarge) }
}

fn append<W: Write>(
    tar: &mut tar::Builder<W>,
    part: &Part,
    path: &Path,
    to: &Path,
    now: Timestamp,
) -> Result<(), BackupError> {
    let file = File::open(path).map_err(|error| read_failed(path, error))?;
    // One byte more than there was shows that the file has grown.
    let mut hashed = Hashed::new(file.take(part.size + 1));
    let appended = tar.append(&header(&part.name, part.size, now)?, &mut hashed);
    if let Some(error) = hashed.failed.take() {
        return Err(read_failed(path, error.into()));
    }
    appended.map_err(|error| write_failed(to, error))?;
    if hashed.finish() != (part.size, part.sha256.clone()) {
        return Err(BackupError::Changed(path.into()));
    }
    Ok(())
}

fn header(name: &str, size: u64, now: Timestamp) -> Result<tar::Header, BackupError> {
    let mut header = tar::Header::new_gnu();
    header.set_path(name).map_err(|_| BackupError::BadName(name.to_owned()))?;
    header.set_size(size);
    header.set_mode(0o600);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(u64::try_from(now.as_second()).unwrap_or(0));
    header.set_cksum();
    Ok(header)
}

fn within_bounds(manifest: &Manifest) -> bool {
    let total = manifest.parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(part.size));
    manifest.parts.len() <= PARTS_MAX && total.is_some_and(|total| total <= SIZE_MAX)
}

/// Whether a name stays inside the folder it is unpacked into, on any system.
fn is_plain_name(name: &str) -> bool {
    let plain = |step: &str| {
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        !step.is_empty() && !step.starts_with(['.', '-']) && step.chars().all(letter)
    };
    name.len() <= NAME_MAX && name != MANIFEST && name.split('/').all(plain)
}

/// Reads through to what is inside and keeps the hash, the length, and whether reading failed.
struct Hashed<R> {
    inner: R,
    context: Context,
    size: u64,
    failed: Option<io::ErrorKind>,
}

impl<R: Read> Hashed<R> {
    fn new(inner: R) -> Self {
        Self { inner, context: Context::new(&SHA256), size: 0, failed: None }
    }

    fn finish(self) -> (u64, String) {
        let hash = self.context.finish();
        (self.size, hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count =
            self.inner.read(buffer).inspect_err(|error| self.failed = Some(error.kind()))?;
        self.context.update(&buffer[..count]);
        self.size += count as u64;
        Ok(count)
    }
}

fn sync_folder(folder: &Path) -> Result<(), BackupError> {
    File::open(folder)
        .and_then(|opened| opened.sync_all())
        .map_err(|error| write_failed(folder, error))
}

fn read_failed(path: &Path, source: io::Error) -> BackupError {
    BackupError::File { path: path.into(), source }
}

fn write_failed(path: &Path, source: io::Error) -> BackupError {
    if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        BackupError::Full(path.into())
    } else if source.kind() == io::ErrorKind::FileTooLarge {
        BackupError::TooLargeForDisk(path.into())
    } else {
        BackupError::File { path: path.into(), source }
    }
}
