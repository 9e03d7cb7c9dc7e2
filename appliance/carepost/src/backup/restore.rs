//! Opening a backup: with the file that `age-keygen` wrote, checked to the last byte.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use age::DecryptError;
use age::stream::StreamReader;
use serde::Deserialize;
use tar::{Archive, Entry};

use super::{
    BackupError, CHUNK, FORMAT, Hashed, MANIFEST, MANIFEST_MAX, Manifest, Part, is_plain_name,
    read_failed, sync_folder, within_bounds, write_failed,
};

const MAGIC: &[u8] = b"age-encryption.org/";
const IDENTITY_FILE_MAX: u64 = 1 << 20;
/// After the last part come blocks of zeros; more than this is no padding.
const TRAILER_MAX: u64 = 1 << 20;

type Identities = Vec<Box<dyn age::Identity + Send + Sync>>;
type Sealed = StreamReader<BufReader<File>>;

/// Opens the backup `from` with an identity file and reads its manifest. The parts are not
/// looked at yet.
///
/// # Errors
/// If it is none of our backups, was encrypted for somebody else, or is damaged or too new.
pub fn open(from: &Path, identity_file: &Path) -> Result<Contents, BackupError> {
    let identities = read_identities(identity_file)?;
    let mut archive = unseal(from, &identities)?;
    let mut entries = archive.entries().map_err(|error| damaged(from, &error))?.raw(true);
    let manifest = read_manifest(from, entries.next())?;
    Ok(Contents { path: from.to_owned(), identities, manifest })
}

/// A backup that can be read.
pub struct Contents {
    path: PathBuf,
    identities: Identities,
    manifest: Manifest,
}

impl Contents {
    /// What is in it.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Reads all of it and compares every part with the manifest; writes nothing.
    ///
    /// # Errors
    /// If anything is missing, changed or cut short.
    pub fn check(&self) -> Result<(), BackupError> {
        self.walk(|_, content| {
            io::copy(content, &mut io::sink()).map_err(|error| damaged(&self.path, &error))?;
            Ok(())
        })
    }

    /// Unpacks all of it into the folder `into`, which must be empty or not there yet. Files are
    /// readable by their owner only and on the disk when this returns.
    ///
    /// # Errors
    /// As [`Contents::check`], or if there is no room; then `into` is as before.
    pub fn unpack(&self, into: &Path) -> Result<(), BackupError> {
        let folder = match into.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            Some(_) | None => Path::new("."),
        };
        if into.exists() {
            let mut inside = fs::read_dir(into).map_err(|error| read_failed(into, error))?;
            if inside.next().is_some() {
                return Err(BackupError::NotEmpty(into.into()));
            }
        }
        let temporary = tempfile::Builder::new()
            .prefix(".carepost-restore-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(folder)
            .map_err(|error| write_failed(folder, error))?;
        self.walk(|part, content| {
            let shown = into.join(&part.name);
            unpack_part(&temporary.path().join(&part.name), content)
                .map_err(|fault| fault.at(&self.path, &shown))
        })?;
        sync_folders(temporary.path(), &self.manifest)?;
        // Renaming onto an empty folder replaces it.
        fs::rename(temporary.path(), into).map_err(|error| write_failed(into, error))?;
        let _moved = temporary.keep();
        sync_folder(folder)
    }

    /// Hands every part to `visit`, in order, and checks what was read of it against the
    /// manifest; then checks that nothing follows.
    fn walk(
        &self,
        mut visit: impl FnMut(&Part, &mut dyn Read) -> Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        let fault = |why: String| BackupError::Damaged { path: self.path.clone(), why };
        let mut archive = unseal(&self.path, &self.identities)?;
        // Raw: long names and other extensions of tar are not followed. We write none, and
        // anybody may encrypt a file for us.
        let mut entries = archive.entries().map_err(|error| damaged(&self.path, &error))?.raw(true);
        let manifest = read_manifest(&self.path, entries.next())?;
        for part in &manifest.parts {
            let Some(entry) = entries.next() else {
                return Err(fault(format!("{} is missing", part.name)));
            };
            let entry = entry.map_err(|error| damaged(&self.path, &error))?;
            let named = entry.path_bytes().as_ref() == part.name.as_bytes();
            if !named || !entry.header().entry_type().is_file() || entry.size() != part.size {
                return Err(fault(format!("{} is not where it should be", part.name)));
            }
            let mut content = Hashed::new(entry);
            visit(part, &mut content)?;
            if content.finish() != (part.size, part.sha256.clone()) {
                return Err(fault(format!("{} has changed", part.name)));
            }
        }
        match entries.next() {
            None => {}
            Some(Ok(_)) => return Err(fault("there are files that it does not name".to_owned())),
            Some(Err(error)) => return Err(damaged(&self.path, &error)),
        }
        // Only the end of the stream tells that it was not cut short.
        let mut rest = archive.into_inner().take(TRAILER_MAX);
        let rest = io::copy(&mut rest, &mut io::sink());
        match rest.map_err(|error| damaged(&self.path, &error))? {
            TRAILER_MAX => Err(fault("something follows its end".to_owned())),
            _ => Ok(()),
        }
    }
}

fn read_identities(path: &Path) -> Result<Identities, BackupError> {
    let bad = |why: &str| BackupError::BadIdentity { path: path.into(), why: why.to_owned() };
    let file = File::open(path).map_err(|error| read_failed(path, error))?;
    let parsed = age::IdentityFile::from_buffer(BufReader::new(file.take(IDENTITY_FILE_MAX)));
    let parsed = parsed.map_err(|error| {
        // The library names the line only, never what stands in it.
        if error.kind() == io::ErrorKind::InvalidData {
            bad(&error.to_string())
        } else {
            read_failed(path, error)
        }
    })?;
    let identities = parsed.into_identities().map_err(|_| bad("it holds no usable identity"))?;
    if identities.is_empty() { Err(bad("it holds no identity")) } else { Ok(identities) }
}

fn unseal(path: &Path, identities: &Identities) -> Result<Archive<Sealed>, BackupError> {
    let file = File::open(path).map_err(|error| read_failed(path, error))?;
    let mut file = BufReader::with_capacity(CHUNK, file);
    let start = file.fill_buf().map_err(|error| read_failed(path, error))?;
    if !start.starts_with(&MAGIC[..MAGIC.len().min(start.len())]) {
        return Err(BackupError::NotABackup(path.into()));
    }
    let refused = |error: DecryptError| {
        if matches!(error, DecryptError::NoMatchingKeys) {
            BackupError::WrongIdentity(path.into())
        } else {
            BackupError::Damaged { path: path.into(), why: one_line(&error.to_string()) }
        }
    };
    let sealed = age::Decryptor::new_buffered(file).map_err(refused)?;
    let identities = identities.iter().map(|identity| identity.as_ref() as &dyn age::Identity);
    Ok(Archive::new(sealed.decrypt(identities).map_err(refused)?))
}

fn read_manifest(
    path: &Path,
    entry: Option<io::Result<Entry<'_, Sealed>>>,
) -> Result<Manifest, BackupError> {
    /// The part of a manifest that every version keeps.
    #[derive(Deserialize)]
    struct Version {
        format: u32,
        program: String,
    }
    let not_ours = || BackupError::NotABackup(path.into());
    let entry = entry.ok_or_else(not_ours)?.map_err(|error| {
        // What is inside is no tar; a damaged one would not have been decrypted.
        if error.kind() == io::ErrorKind::Other { not_ours() } else { damaged(path, &error) }
    })?;
    let named = entry.path_bytes().as_ref() == MANIFEST.as_bytes();
    if !named || !entry.header().entry_type().is_file() || entry.size() > MANIFEST_MAX {
        return Err(not_ours());
    }
    let mut json = Vec::new();
    entry.take(MANIFEST_MAX).read_to_end(&mut json).map_err(|error| damaged(path, &error))?;
    let version: Version = serde_json::from_slice(&json).map_err(|_| not_ours())?;
    if version.format > FORMAT {
        return Err(BackupError::Newer { path: path.into(), program: version.program });
    }
    let manifest: Manifest = serde_json::from_slice(&json).map_err(|_| not_ours())?;
    if !within_bounds(&manifest) {
        return Err(BackupError::TooLarge);
    }
    match manifest.parts.iter().find(|part| !is_plain_name(&part.name)) {
        Some(part) => Err(BackupError::BadName(part.name.clone())),
        None => Ok(manifest),
    }
}

/// Which side of copying a part failed.
enum Fault {
    Reading(io::Error),
    Writing(io::Error),
}

impl Fault {
    fn at(self, from: &Path, to: &Path) -> BackupError {
        match self {
            Self::Reading(error) => damaged(from, &error),
            Self::Writing(error) => write_failed(to, error),
        }
    }
}

fn unpack_part(target: &Path, content: &mut dyn Read) -> Result<(), Fault> {
    if let Some(folder) = target.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(Fault::Writing)?;
    }
    let mut options = OpenOptions::new();
    let mut file =
        options.write(true).create_new(true).mode(0o600).open(target).map_err(Fault::Writing)?;
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = content.read(&mut chunk).map_err(Fault::Reading)?;
        if count == 0 {
            return file.sync_all().map_err(Fault::Writing);
        }
        file.write_all(&chunk[..count]).map_err(Fault::Writing)?;
    }
}

fn sync_folders(root: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let mut folders: Vec<PathBuf> = manifest
        .parts
        .iter()
        .flat_map(|part| Path::new(&part.name).ancestors().skip(1))
        .map(|folder| root.join(folder))
        .collect();
    folders.sort_unstable();
    folders.dedup();
    folders.iter().try_for_each(|folder| sync_folder(folder))
}

/// A fault met while reading. The library reports a changed byte and a missing end in the same
/// words, because the last block is marked by its authentication only.
fn damaged(path: &Path, error: &io::Error) -> BackupError {
    BackupError::Damaged { path: path.into(), why: one_line(&error.to_string()) }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
