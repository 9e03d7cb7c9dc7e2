//! A clinic alone, in a file: backed up, put back here or at another hub, or erased.
//!
//! The file is an SQLite database of the hub's own tables with the rows of one clinic, encrypted with
//! age: `age -d -i key.txt shanti.age > shanti.db`. Its records stay encrypted under the clinic's key,
//! which is wrapped by a key made for this file; that one lies in the file, in table `backup`. So the
//! file says everything to whoever holds the age identity, and nothing to anybody else.
//!
//! What was put back is as it was when the backup was made. The box hears from its next receipt how far
//! the hub holds its log now, and sends the rest again. Enrolment codes and tokens do not come back.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use age::DecryptError;
use zeroize::Zeroizing;

use crate::hub::{Hub, ReadError};
use crate::loans;
use crate::receive::Refused;
use crate::reindex::reindex_clinic;
use crate::store::{self, Clinic, IfMissing, Store, StoreError};
use crate::vault::{Vault, WrongKey, make_key};

/// As many people may hold an identity that opens a backup.
pub const RECIPIENTS_MAX: usize = 16;
/// The largest backup that is unpacked, in bytes.
pub const SIZE_MAX: u64 = 1 << 40;
/// The longest file of identities, in bytes.
const IDENTITY_FILE_MAX: u64 = 1 << 20;

/// Why there is no backup, or why one is not put back; one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The loans of the clinic could not be given back; run `carepost-hub clinic erase` and restore it again.
    #[error("what the clinic held under loans could not be given back: {0}")]
    Loans(#[from] Refused),
    /// Nobody could open it, or too many are named.
    #[error(
        "name one to {RECIPIENTS_MAX} recipients with --recipient age1..., or nobody could open the backup"
    )]
    Recipients,
    /// Not the public key of an age identity. It is not repeated: it may be the secret one.
    #[error(
        "a recipient is the public key of an age identity (age1...); `age-keygen -y KEYFILE` prints it"
    )]
    BadRecipient,
    /// The file with the identity holds none.
    #[error("{0} holds no age identity; give the file that `age-keygen` wrote")]
    BadIdentity(PathBuf),
    /// It was encrypted for others.
    #[error("{0} was encrypted for somebody else; use the identity of one of its recipients")]
    WrongIdentity(PathBuf),
    /// It is no backup, or not whole.
    #[error("{0} is no backup of a clinic, or damaged or cut short; copy it again, or use another")]
    NotABackup(PathBuf),
    /// A file cannot be read or written.
    #[error("{0}: {1}; look at the path, its rights, and the room on the disk")]
    File(PathBuf, io::Error),
    /// The clinic is there.
    #[error(
        "there is a clinic with this id or name; a backup is put back where there is none (see `carepost-hub clinic erase`)"
    )]
    Exists,
    /// Its box is another clinic's by now.
    #[error(
        "the box of this clinic is the box of another clinic by now; take it out there first (`carepost-hub clinic erase`)"
    )]
    BoxTaken,
    /// An account of this clinic is another clinic's by now.
    #[error(
        "an account of this clinic at a provider of messages is another clinic's by now; take it out there first (`carepost-hub channel remove`)"
    )]
    ChannelTaken,
    /// The clinic went away meanwhile.
    #[error("the clinic is not there any more")]
    Gone,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Keys and database do not belong together.
    #[error(transparent)]
    Key(#[from] WrongKey),
}

impl From<ReadError> for BackupError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(error) => error.into(),
            ReadError::Key(error) => error.into(),
        }
    }
}

/// Writes a clinic into the file `to`, for these recipients (`age1...`); answers how many rows that were.
/// What was there is replaced when the new file is whole and on the disk.
///
/// # Errors
/// [`BackupError`]; then `to` is as before.
pub fn write(
    hub: &Hub,
    clinic: [u8; 16],
    to: &Path,
    recipients: &[String],
) -> Result<u64, BackupError> {
    if recipients.is_empty() || recipients.len() > RECIPIENTS_MAX {
        return Err(BackupError::Recipients);
    }
    let parse = |it: &String| it.trim().parse().map_err(|_| BackupError::BadRecipient);
    let recipients: Vec<age::x25519::Recipient> =
        recipients.iter().map(parse).collect::<Result<_, _>>()?;
    let failed = |error| BackupError::File(hub.data.clone(), error);
    let folder = tempfile::tempdir_in(&hub.data).map_err(failed)?;
    let plain = folder.path().join("clinic.db");
    let rows = pack(hub, clinic, &plain)?;

    let failed = |error| BackupError::File(to.to_owned(), error);
    let parent = to.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile::NamedTempFile::new_in(parent).map_err(failed)?;
    let each = recipients.iter().map(|it| it as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(each).map_err(|_| BackupError::Recipients)?;
    let mut sealed = encryptor.wrap_output(BufWriter::new(file.as_file())).map_err(failed)?;
    let mut plain = File::open(&plain).map_err(failed)?;
    io::copy(&mut plain, &mut sealed).map_err(failed)?;
    sealed.finish().and_then(|mut it| it.flush()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(to).map_err(|error| failed(error.error))?;
    File::open(parent).and_then(|it| it.sync_all()).map_err(failed)?;
    Ok(rows)
}

/// Puts a clinic into a database of its own.
fn pack(hub: &Hub, clinic: [u8; 16], plain: &Path) -> Result<u64, BackupError> {
    let key = make_key()?;
    let vault = Vault::new(&*key)?;
    let copy = Store::open(plain, IfMissing::Make)?;
    hub.store.read(clinic, |from| {
        let found = store::clinic(from, clinic)?.ok_or(BackupError::Gone)?;
        let wrapped_key = hub.keys.vault.hand_over(clinic, &found.wrapped_key, &vault)?;
        let packed = Clinic { wrapped_key, ..found };
        copy.write(clinic, |to| {
            store::put_backup_key(to, clinic, &*key)?;
            Ok(store::carry(from, to, &packed)?)
        })
    })
}

/// Puts back a clinic from a backup, opened with the identities in a file; answers its name and how many
/// rows came.
///
/// # Errors
/// [`BackupError`]; then nothing was written.
pub fn restore(hub: &Hub, from: &Path, identity: &Path) -> Result<(String, u64), BackupError> {
    let failed = |error| BackupError::File(hub.data.clone(), error);
    let folder = tempfile::tempdir_in(&hub.data).map_err(failed)?;
    let plain = folder.path().join("clinic.db");
    unseal(from, identity, &plain)?;
    // What was written by an older program is brought to the format of now by this.
    let packed = Store::open(&plain, IfMissing::Refuse).map_err(|error| {
        let is_newer = matches!(error, StoreError::Newer(_));
        if is_newer { error.into() } else { BackupError::NotABackup(from.to_owned()) }
    })?;
    let not_one = || BackupError::NotABackup(from.to_owned());
    let (id, done) = packed.survey(|packed| {
        let (id, key) = store::backup_key(packed).map_err(|_| not_one())?.ok_or_else(not_one)?;
        let vault = Vault::new(&Zeroizing::new(key))?;
        let found = store::clinic(packed, id)?.ok_or_else(not_one)?;
        let its_box = store::enrolled(packed, id)?;
        hub.store
            .write(id, |tx| {
                let named = store::clinic_named(tx, &found.name)?;
                if named.is_some() || store::clinic(tx, id)?.is_some() {
                    return Err(BackupError::Exists);
                }
                if let Some(it) = &its_box
                    && (store::owner_of_hardware(tx, &it.hardware)?.is_some()
                        || store::owner_of_key(tx, &it.sign)?.is_some())
                {
                    return Err(BackupError::BoxTaken);
                }
                for name in store::channel_names_alone(packed, id)? {
                    if !store::channel_owners(tx, name, 1)?.is_empty() {
                        return Err(BackupError::ChannelTaken);
                    }
                }
                let clinic = Clinic {
                    wrapped_key: vault.hand_over(id, &found.wrapped_key, &hub.keys.vault)?,
                    life: new_life()?,
                    ..found.clone()
                };
                let rows = store::carry(packed, tx, &clinic)?;
                // What was asked of the box since is not known here; what is open is asked again.
                store::restored_requests(tx, id, (clinic.life.unsigned_abs() >> 1).max(1))?;
                store::end_messages_out(tx, id)?;
                Ok((clinic.name, rows))
            })
            .map(|done| (id, done))
    })?;
    loans::put_back(hub, id)?;
    // A backup of a program that made no index yet.
    reindex_clinic(hub, id)?;
    Ok(done)
}

/// A number that no life of a clinic had before.
fn new_life() -> Result<i64, WrongKey> {
    let drawn = make_key()?;
    Ok(drawn.first_chunk().map_or(0, |it| i64::from_le_bytes(*it)))
}

/// Erases a clinic: its key, and all its rows; answers how many there were. Copies of the database from
/// before still open with the master key, until [`crate::master::rotate`] has removed that.
///
/// # Errors
/// [`StoreError`]; then nothing was written.
pub fn erase(hub: &Hub, clinic: [u8; 16]) -> Result<u64, StoreError> {
    let rows = hub.store.write(clinic, |tx| store::erase(tx, clinic))?;
    hub.store.compact()?;
    Ok(rows)
}

/// Decrypts a backup into a file that only its owner may look into.
fn unseal(from: &Path, identity: &Path, plain: &Path) -> Result<(), BackupError> {
    let bad = || BackupError::BadIdentity(identity.to_owned());
    let file = File::open(identity).map_err(|it| BackupError::File(identity.to_owned(), it))?;
    let read = age::IdentityFile::from_buffer(BufReader::new(file.take(IDENTITY_FILE_MAX)));
    let identities = read.map_err(|_| bad())?.into_identities().map_err(|_| bad())?;
    if identities.is_empty() {
        return Err(bad());
    }
    let not_one = || BackupError::NotABackup(from.to_owned());
    let file = File::open(from).map_err(|error| BackupError::File(from.to_owned(), error))?;
    let refused = |error: DecryptError| {
        if matches!(error, DecryptError::NoMatchingKeys) {
            BackupError::WrongIdentity(from.to_owned())
        } else {
            not_one()
        }
    };
    let sealed = age::Decryptor::new_buffered(BufReader::new(file)).map_err(refused)?;
    let each = identities.iter().map(|it| it.as_ref() as &dyn age::Identity);
    let mut opened = sealed.decrypt(each).map_err(refused)?.take(SIZE_MAX);
    let failed = |error| BackupError::File(plain.to_owned(), error);
    let mut out = fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(out.write(true).create_new(true), 0o600);
    let mut out = BufWriter::new(out.open(plain).map_err(failed)?);
    let mut chunk = Zeroizing::new(vec![0; 64 * 1024]);
    loop {
        // Only the end of the stream tells that it was not cut short.
        let read = opened.read(&mut chunk).map_err(|_| not_one())?;
        if read == 0 {
            return out.flush().map_err(failed);
        }
        out.write_all(&chunk[..read]).map_err(failed)?;
    }
}
