//! Files that are encrypted piece by piece (AES-256-GCM), with a key that is never on the disk.
//!
//! Each piece has a nonce of its own, made of the number of the file and of the piece; the last one
//! says that it is the last, so that a file that was cut is found out.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

/// Bytes of a piece before it is encrypted.
pub const PIECE: usize = 64 * 1024;
/// Bytes by which the encryption makes a piece longer.
const TAG: usize = 16;

/// The key of one export.
#[derive(Clone)]
pub struct Key(Arc<LessSafeKey>);

impl Key {
    /// A new one.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub fn generate() -> io::Result<Self> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        let made = SystemRandom::new().fill(bytes.as_mut());
        let key = made.and_then(|()| UnboundKey::new(&AES_256_GCM, bytes.as_ref()));
        let no_key = |_| io::Error::other("the system gives no random numbers");
        Ok(Self(Arc::new(LessSafeKey::new(key.map_err(no_key)?))))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Key")
    }
}

fn nonce(file: u32, piece: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[..4].copy_from_slice(&file.to_be_bytes());
    bytes[4..].copy_from_slice(&piece.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

fn aad(is_last: bool) -> Aad<[u8; 1]> {
    Aad::from([u8::from(is_last)])
}

/// A file while it is written.
pub struct Writer {
    out: BufWriter<File>,
    key: Key,
    file: u32,
    piece: u64,
    plain: Vec<u8>,
}

impl Writer {
    /// A new file; `file` is its number, which no other file of the key has.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn create(path: &Path, key: Key, file: u32) -> io::Result<Self> {
        let out = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let plain = Vec::with_capacity(PIECE + TAG);
        Ok(Self { out: BufWriter::new(out), key, file, piece: 0, plain })
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            // A full piece waits until it is known that another follows.
            if self.plain.len() == PIECE {
                self.seal(false)?;
            }
            let fits = bytes.len().min(PIECE - self.plain.len());
            let (now, later) = bytes.split_at(fits);
            self.plain.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn end(mut self) -> io::Result<()> {
        self.seal(true)?;
        self.out.flush()
    }

    fn seal(&mut self, is_last: bool) -> io::Result<()> {
        let nonce = nonce(self.file, self.piece);
        self.key
            .0
            .seal_in_place_append_tag(nonce, aad(is_last), &mut self.plain)
            .map_err(|_| io::Error::other("a piece could not be encrypted"))?;
        self.out.write_all(&self.plain)?;
        self.plain.clear();
        self.piece += 1;
        Ok(())
    }
}

/// A file while it is read.
pub struct Reader {
    from: BufReader<File>,
    key: Key,
    file: u32,
    piece: u64,
    next: Vec<u8>,
    is_at_end: bool,
}

impl Reader {
    /// Opens a file with the number that it was written with.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open(path: &Path, key: Key, file: u32) -> io::Result<Self> {
        let mut from = BufReader::new(File::open(path)?);
        let next = sealed(&mut from)?;
        Ok(Self { from, key, file, piece: 0, next, is_at_end: false })
    }

    /// The next piece; none after the last.
    ///
    /// # Errors
    /// If the file was cut or altered.
    pub fn piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.is_at_end {
            return Ok(None);
        }
        let after = sealed(&mut self.from)?;
        let mut piece = std::mem::replace(&mut self.next, after);
        self.is_at_end = self.next.is_empty();
        let nonce = nonce(self.file, self.piece);
        let plain = self.key.0.open_in_place(nonce, aad(self.is_at_end), &mut piece);
        let length = plain.map_err(|_| io::Error::other("a piece was cut or altered"))?.len();
        piece.truncate(length);
        self.piece += 1;
        Ok(Some(piece))
    }
}

/// A file that is read at any place.
pub struct Pieces {
    from: File,
    key: Key,
    file: u32,
    length: u64,
    /// The piece that was opened last, because whoever reads goes on nearby.
    open: Mutex<Option<(u64, Vec<u8>)>>,
}

impl Pieces {
    /// Opens a file with the number that it was written with.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open(path: &Path, key: Key, file: u32) -> io::Result<Self> {
        let from = File::open(path)?;
        let length = from.metadata()?.len();
        Ok(Self { from, key, file, length, open: Mutex::new(None) })
    }

    /// How many bytes are sealed in it.
    pub fn size(&self) -> u64 {
        self.length - self.pieces() * TAG as u64
    }

    fn pieces(&self) -> u64 {
        self.length.div_ceil((PIECE + TAG) as u64)
    }

    /// Reads some bytes from a place on; none at the end.
    ///
    /// # Errors
    /// If the file was cut or altered.
    pub fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        let (piece, within) = (at / PIECE as u64, (at % PIECE as u64) as usize);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.as_ref().is_none_or(|(which, _)| *which != piece) {
            *open = Some((piece, self.unsealed(piece)?));
        }
        let plain = open.as_ref().map_or(&[][..], |(_, plain)| plain.as_slice());
        let rest = plain.get(within..).unwrap_or_default();
        let length = rest.len().min(into.len());
        into[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn unsealed(&self, piece: u64) -> io::Result<Vec<u8>> {
        if piece >= self.pieces() {
            return Ok(Vec::new());
        }
        let start = piece * (PIECE + TAG) as u64;
        let length = (self.length - start).min((PIECE + TAG) as u64);
        let mut bytes = vec![0; length as usize];
        self.from.read_exact_at(&mut bytes, start)?;
        let is_last = piece + 1 == self.pieces();
        let plain = self.key.0.open_in_place(nonce(self.file, piece), aad(is_last), &mut bytes);
        let length = plain.map_err(|_| io::Error::other("a piece was cut or altered"))?.len();
        bytes.truncate(length);
        Ok(bytes)
    }
}

/// The next encrypted piece; nothing at the end.
fn sealed(from: &mut BufReader<File>) -> io::Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(PIECE + TAG);
    from.take((PIECE + TAG) as u64).read_to_end(&mut piece)?;
    Ok(piece)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_is_read_again_and_what_was_cut_altered_or_swapped_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let key = Key::generate().unwrap();
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
            let _ = fs::remove_file(&path);
            let text: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let mut writer = Writer::create(&path, key.clone(), 7).unwrap();
            text.chunks(1000).for_each(|some| writer.write(some).unwrap());
            writer.end().unwrap();
            let read = |file: u32| -> io::Result<Vec<u8>> {
                let mut reader = Reader::open(&path, key.clone(), file)?;
                let mut all = Vec::new();
                while let Some(piece) = reader.piece()? {
                    all.extend(piece);
                }
                Ok(all)
            };
            assert_eq!(read(7).unwrap(), text);
            assert!(read(8).is_err(), "another file's number");
            let pieces = Pieces::open(&path, key.clone(), 7).unwrap();
            assert_eq!(pieces.size(), text.len() as u64);
            for at in [0, 1, PIECE - 1, PIECE, PIECE + 1, length] {
                let mut some = [0; 5];
                let read = pieces.read_at(&mut some, at as u64).unwrap();
                let there = text.get(at..).unwrap_or_default();
                assert_eq!(some[..read], there[..read]);
                assert_eq!(read == 0, there.is_empty());
            }
            let sealed = fs::read(&path).unwrap();
            assert!(length < 16 || !sealed.windows(16).any(|some| some == &text[..16]));
            if length > PIECE {
                fs::write(&path, &sealed[..PIECE + TAG]).unwrap();
                assert!(read(7).is_err(), "cut between two pieces");
            }
            let mut altered = sealed.clone();
            *altered.last_mut().unwrap() ^= 1;
            fs::write(&path, &altered).unwrap();
            assert!(read(7).is_err(), "altered");
        }
    }
}
