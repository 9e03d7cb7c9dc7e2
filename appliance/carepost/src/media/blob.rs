//! One encrypted file: written piece by piece, read from anywhere.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use prm::id::MediaId;
use ring::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use ring::digest::{Context, SHA256};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::{BLOB_BYTES_MAX, Blobs, MediaError, UNFINISHED, failed, path, sync_folder};

/// How a file begins, with the version of its layout.
const MAGIC: &[u8; 8] = b"CPMEDIA1";
/// What a piece holds, in bytes.
const PIECE: usize = 64 << 10;
/// What a nonce and a tag add to it, in bytes.
const AROUND: usize = NONCE_LEN + 16;
/// What is sealed with a piece: whose it is, its number, whether it is the last.
const LABEL: usize = 16 + 8 + 1;

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// How long it is.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
}

/// Writes one. What is dropped before it is finished stays, and goes on where whole pieces of 64 KiB end.
pub struct Writer {
    blobs: Blobs,
    id: MediaId,
    file: File,
    path: PathBuf,
    hash: Context,
    /// Pieces in the file.
    pieces: u64,
    /// What is not a whole piece yet.
    rest: Vec<u8>,
}

impl Writer {
    pub(super) fn open(blobs: Blobs, id: MediaId) -> Result<Self, MediaError> {
        let path = path(&blobs.0.folder, id).with_extension(UNFINISHED);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(&path).map_err(|error| failed(&path, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(MediaError::Busy(id)),
            Err(TryLockError::Error(error)) => return Err(failed(&path, error)),
        }
        let (hash, rest) = (Context::new(&SHA256), Vec::with_capacity(PIECE));
        let mut writer = Self { blobs, id, file, path, hash, pieces: 0, rest };
        writer.go_on().map_err(|error| failed(&writer.path, error))?;
        Ok(writer)
    }

    /// Finds where whole pieces end. What is behind them was torn by a crash.
    fn go_on(&mut self) -> io::Result<()> {
        let mut begin = [0; MAGIC.len()];
        let is_ours = read_full(&mut self.file, &mut begin)? == MAGIC.len() && begin == *MAGIC;
        if is_ours {
            let mut sealed = vec![0; PIECE + AROUND];
            while read_full(&mut self.file, &mut sealed)? == sealed.len() {
                let Some(plain) =
                    unseal(&self.blobs.0.key, (self.id, self.pieces, false), &mut sealed)
                else {
                    break;
                };
                self.hash.update(plain);
                self.pieces += 1;
            }
        } else {
            self.file.rewind()?;
            self.file.write_all(MAGIC)?;
        }
        let end = place(self.pieces);
        self.file.set_len(end)?;
        self.file.seek(SeekFrom::Start(end)).map(drop)
    }

    /// How much there is: the next bytes begin here.
    pub fn length(&self) -> u64 {
        self.pieces * PIECE as u64 + self.rest.len() as u64
    }

    /// Writes bytes that begin at `at`. Those that are there already are passed over.
    ///
    /// # Errors
    /// If bytes before them are missing, there is no room, or it becomes too long.
    pub fn append(&mut self, at: u64, bytes: &[u8]) -> Result<(), MediaError> {
        let length = self.length();
        if at > length {
            return Err(MediaError::Gap(length));
        }
        let known = usize::try_from(length - at).unwrap_or(usize::MAX);
        let Some(bytes) = bytes.get(known..) else { return Ok(()) };
        if length + bytes.len() as u64 > BLOB_BYTES_MAX {
            return Err(MediaError::TooLong);
        }
        self.blobs.must_have_room(bytes.len() as u64)?;
        let mut left = bytes;
        while !left.is_empty() {
            let (now, later) = left.split_at(left.len().min(PIECE - self.rest.len()));
            self.rest.extend_from_slice(now);
            left = later;
            if self.rest.len() == PIECE {
                self.seal(false)?;
            }
        }
        Ok(())
    }

    /// Ends it. When this returns it is whole and on the disk.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub fn finish(mut self) -> Result<Finished, MediaError> {
        let bytes = self.length();
        self.seal(true)?;
        self.file.sync_all().map_err(|error| failed(&self.path, error))?;
        let store = &self.blobs.0;
        let to = path(&store.folder, self.id);
        fs::rename(&self.path, &to).map_err(|error| failed(&to, error))?;
        sync_folder(&store.folder)?;
        store.files.fetch_add(1, Ordering::Relaxed);
        store.bytes.fetch_add(bytes, Ordering::Relaxed);
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(self.hash.finish().as_ref());
        Ok(Finished { bytes, sha256 })
    }

    /// Seals what is not in the file yet.
    fn seal(&mut self, is_last: bool) -> Result<(), MediaError> {
        self.hash.update(&self.rest);
        let label = (self.id, self.pieces, is_last);
        let sealed = seal(&self.blobs.0.key, label, &mut self.rest);
        let sealed = sealed.ok_or_else(|| {
            failed(&self.path, io::Error::other("the system gives no random numbers"))
        })?;
        self.file.write_all(&sealed).map_err(|error| failed(&self.path, error))?;
        self.pieces += 1;
        self.rest.clear();
        Ok(())
    }
}

/// What one holds from here to there, piece by piece.
pub struct Pieces {
    file: File,
    path: PathBuf,
    key: LessSafeKey,
    id: MediaId,
    length: u64,
    /// What is still to be read.
    left: Range<u64>,
}

impl Pieces {
    pub(super) fn open(blobs: &Blobs, id: MediaId, range: Range<u64>) -> Result<Self, MediaError> {
        let path = path(&blobs.0.folder, id);
        let read_failed = |error: io::Error| {
            if error.kind() == io::ErrorKind::NotFound {
                MediaError::NotThere(id)
            } else {
                failed(&path, error)
            }
        };
        let mut file = File::open(&path).map_err(read_failed)?;
        let mut begin = [0; MAGIC.len()];
        let is_ours = read_full(&mut file, &mut begin).map_err(read_failed)? == MAGIC.len()
            && begin == *MAGIC;
        let about = file.metadata().map_err(read_failed)?;
        let length = length(about.len()).filter(|_| is_ours).ok_or(MediaError::Damaged(id))?;
        let left = range.start.min(length)..range.end.min(length);
        let key = blobs.0.key.clone();
        let mut pieces = Self { file, path, key, id, length, left };
        // Only the last piece says where it ends.
        pieces.open_piece(length / PIECE as u64)?;
        Ok(pieces)
    }

    /// How long all of it is, whatever of it is read.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The next bytes.
    fn piece(&mut self) -> Result<Vec<u8>, MediaError> {
        let number = self.left.start / PIECE as u64;
        let begins = number * PIECE as u64;
        let plain = self.open_piece(number)?;
        let from = usize::try_from(self.left.start - begins).unwrap_or(usize::MAX);
        let to = usize::try_from(self.left.end - begins).unwrap_or(usize::MAX).min(plain.len());
        let bytes = plain.get(from..to).unwrap_or_default().to_vec();
        self.left.start = begins + to as u64;
        Ok(bytes)
    }

    /// All that a piece holds.
    fn open_piece(&mut self, number: u64) -> Result<Vec<u8>, MediaError> {
        let begins = number * PIECE as u64;
        let holds = (self.length - begins).min(PIECE as u64);
        let mut sealed = vec![0; holds as usize + AROUND];
        let read = self
            .file
            .seek(SeekFrom::Start(place(number)))
            .and_then(|_| self.file.read_exact(&mut sealed));
        read.map_err(|error| failed(&self.path, error))?;
        let label = (self.id, number, holds < PIECE as u64);
        let plain = unseal(&self.key, label, &mut sealed).ok_or(MediaError::Damaged(self.id))?;
        Ok(plain.to_vec())
    }
}

impl Iterator for Pieces {
    type Item = Result<Vec<u8>, MediaError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left.is_empty() {
            return None;
        }
        let piece = self.piece();
        if piece.is_err() {
            self.left = 0..0;
        }
        Some(piece)
    }
}

/// Where a piece begins in its file.
fn place(number: u64) -> u64 {
    MAGIC.len() as u64 + number * (PIECE + AROUND) as u64
}

/// How much a file of this length holds; none if there is no such file.
fn length(file: u64) -> Option<u64> {
    let body = file.checked_sub(MAGIC.len() as u64)?;
    let (whole, rest) = (body / (PIECE + AROUND) as u64, body % (PIECE + AROUND) as u64);
    Some(whole * PIECE as u64 + rest.checked_sub(AROUND as u64)?)
}

fn label((id, number, is_last): (MediaId, u64, bool)) -> [u8; LABEL] {
    let mut label = [0; LABEL];
    label[..16].copy_from_slice(id.as_bytes());
    label[16..24].copy_from_slice(&number.to_be_bytes());
    label[24] = u8::from(is_last);
    label
}

/// Nonce, sealed bytes, tag. At random, a nonce comes twice with 2^-32 at most if there are 2^32 pieces: more than a store holds.
fn seal(key: &LessSafeKey, about: (MediaId, u64, bool), plain: &mut [u8]) -> Option<Vec<u8>> {
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).ok()?;
    let tag = key
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(label(about)),
            plain,
        )
        .ok()?;
    Some([&nonce, &*plain, tag.as_ref()].concat())
}

fn unseal<'a>(
    key: &LessSafeKey,
    about: (MediaId, u64, bool),
    sealed: &'a mut [u8],
) -> Option<&'a [u8]> {
    let (nonce, sealed) = sealed.split_first_chunk_mut::<NONCE_LEN>()?;
    let nonce = Nonce::assume_unique_for_key(*nonce);
    key.open_in_place(nonce, Aad::from(label(about)), sealed).ok().map(|plain| &*plain)
}

/// Reads until the buffer is full or the file ends; how much was read.
fn read_full(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while let Some(left) = buffer.get_mut(read..).filter(|left| !left.is_empty()) {
        match file.read(left) {
            Ok(0) => break,
            Ok(count) => read += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}
