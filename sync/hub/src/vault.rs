//! How records lie in the database: AES-256-GCM under a key of their clinic, which lies there wrapped
//! by the hub's master key.
//!
//! What is sealed begins with the number of the key that sealed it, so that a clinic can be given a new
//! key while the hub serves. It is bound to its place (the clinic, and which record), so that a row
//! which somebody moves does not open. Each sealing draws a nonce of 96 bits; a key is good for 2^32 of
//! them.
//!
//! A clinic has one key, or two while its rows go over from one to the other; a hub has one master key,
//! or two while the keys of the clinics go over ([`crate::master`]).

use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use crate::master;

/// The length of keys, in bytes.
pub const KEY_BYTES: usize = 32;
/// The number of a key, before what it sealed: four bytes, the first the highest.
pub const NUMBER_BYTES: usize = 4;
/// A wrapped key: its number, then the nonce, the key and the tag.
const WRAPPED_BYTES: usize = NUMBER_BYTES + NONCE_LEN + KEY_BYTES + 16;

/// A key is not of this length, or does not open what it should, or there is no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the key does not fit what it should open; put back keys and database that belong together"
)]
pub struct WrongKey;

/// The hub's master keys.
pub struct Vault {
    /// Where they are read from again when none of them fits: another process may have changed them.
    folder: Option<PathBuf>,
    masters: RwLock<Masters>,
}

/// The bytes of the master key, and of the one before it while there is one.
pub type MasterBytes = (Zeroizing<Vec<u8>>, Option<Zeroizing<Vec<u8>>>);

struct Masters {
    bytes: MasterBytes,
    /// Wraps, and opens.
    now: LessSafeKey,
    /// Opens what the one now has not wrapped yet.
    before: Option<LessSafeKey>,
}

impl Masters {
    fn new(bytes: MasterBytes) -> Result<Self, WrongKey> {
        let before = bytes.1.as_ref().map(|it| aes(it)).transpose()?;
        Ok(Self { now: aes(&bytes.0)?, before, bytes })
    }
}

/// The keys of one clinic's records.
pub struct ClinicKey {
    clinic: [u8; 16],
    /// By number, the newest last.
    keys: Vec<(u32, LessSafeKey)>,
}

/// New random bytes for a key.
///
/// # Errors
/// If the machine has no randomness to give.
pub fn make_key() -> Result<Zeroizing<[u8; KEY_BYTES]>, WrongKey> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    SystemRandom::new().fill(&mut *key).map_err(|_| WrongKey)?;
    Ok(key)
}

impl Vault {
    /// Of these 32 bytes.
    ///
    /// # Errors
    /// If there are not 32.
    pub fn new(master: &[u8]) -> Result<Self, WrongKey> {
        let masters = Masters::new((Zeroizing::new(master.to_vec()), None))?;
        Ok(Self { folder: None, masters: RwLock::new(masters) })
    }

    /// Of the keys in this folder, also when they are changed.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let masters = RwLock::new(Masters::new(master::read(folder)?)?);
        Ok(Self { folder: Some(folder.to_owned()), masters })
    }

    /// Reads the master keys again; says whether they have changed.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn reload(&self) -> anyhow::Result<bool> {
        let Some(folder) = &self.folder else { return Ok(false) };
        let bytes = master::read(folder)?;
        let mut masters = self.masters.write().unwrap_or_else(PoisonError::into_inner);
        if masters.bytes == bytes {
            return Ok(false);
        }
        *masters = Masters::new(bytes)?;
        Ok(true)
    }

    fn with<T>(&self, work: impl FnOnce(&Masters) -> Result<T, WrongKey>) -> Result<T, WrongKey> {
        work(&self.masters.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A new key for this clinic, wrapped.
    ///
    /// # Errors
    /// If the machine has no randomness to give.
    pub fn make_clinic_key(&self, clinic: [u8; 16]) -> Result<Vec<u8>, WrongKey> {
        self.wrap(clinic, &[(1, make_key()?.to_vec().into())])
    }

    /// The wrapped keys of a clinic with one more, which seals from now on.
    ///
    /// # Errors
    /// If they were wrapped by another master key, or the machine has no randomness to give.
    pub fn add_clinic_key(&self, clinic: [u8; 16], wrapped: &[u8]) -> Result<Vec<u8>, WrongKey> {
        let mut keys = self.unwrap(clinic, wrapped)?;
        let last = keys.last().ok_or(WrongKey)?.0;
        keys.push((last.checked_add(1).ok_or(WrongKey)?, make_key()?.to_vec().into()));
        self.wrap(clinic, &keys)
    }

    /// The wrapped keys of a clinic, wrapped by the master key of now.
    ///
    /// # Errors
    /// If they were wrapped by another master key or for another clinic.
    pub fn rewrap(&self, clinic: [u8; 16], wrapped: &[u8]) -> Result<Vec<u8>, WrongKey> {
        self.hand_over(clinic, wrapped, self)
    }

    /// The wrapped keys of a clinic, wrapped by another vault.
    ///
    /// # Errors
    /// If they were wrapped by another master key or for another clinic.
    pub fn hand_over(
        &self,
        clinic: [u8; 16],
        wrapped: &[u8],
        to: &Self,
    ) -> Result<Vec<u8>, WrongKey> {
        to.wrap(clinic, &self.unwrap(clinic, wrapped)?)
    }

    /// The clinic's keys from their wrapping.
    ///
    /// # Errors
    /// If they were wrapped by another master key or for another clinic.
    pub fn clinic_key(&self, clinic: [u8; 16], wrapped: &[u8]) -> Result<ClinicKey, WrongKey> {
        let keys = self.unwrap(clinic, wrapped)?;
        let keys = keys.into_iter().map(|(number, key)| Ok((number, aes(&key)?)));
        Ok(ClinicKey { clinic, keys: keys.collect::<Result<_, WrongKey>>()? })
    }

    fn wrap(&self, clinic: [u8; 16], keys: &Keys) -> Result<Vec<u8>, WrongKey> {
        self.with(|masters| {
            let mut wrapped = Vec::with_capacity(keys.len() * WRAPPED_BYTES);
            for (number, key) in keys {
                let number = number.to_be_bytes();
                wrapped.extend_from_slice(&number);
                wrapped.extend(seal(&masters.now, &[&clinic[..], &number].concat(), key)?);
            }
            Ok(wrapped)
        })
    }

    fn unwrap(&self, clinic: [u8; 16], wrapped: &[u8]) -> Result<Vec<Key>, WrongKey> {
        let opened = self.with(|masters| masters.unwrap(clinic, wrapped));
        // They may have been changed by another process since they were read.
        match opened {
            Err(WrongKey) if self.reload().is_ok_and(|changed| changed) => {
                self.with(|masters| masters.unwrap(clinic, wrapped))
            }
            Ok(_) | Err(_) => opened,
        }
    }
}

/// A clinic's key with its number.
type Key = (u32, Zeroizing<Vec<u8>>);
type Keys = [Key];

impl Masters {
    fn unwrap(&self, clinic: [u8; 16], wrapped: &[u8]) -> Result<Vec<Key>, WrongKey> {
        let (keys, rest) = wrapped.as_chunks::<WRAPPED_BYTES>();
        if keys.is_empty() || !rest.is_empty() {
            return Err(WrongKey);
        }
        let unwrap = |wrapped: &[u8; WRAPPED_BYTES]| {
            let (number, sealed) = wrapped.split_first_chunk().ok_or(WrongKey)?;
            let place = [&clinic[..], number].concat();
            let key = open(&self.now, &place, sealed).or_else(|wrong| {
                let before = self.before.as_ref().ok_or(wrong)?;
                open(before, &place, sealed)
            })?;
            Ok((u32::from_be_bytes(*number), key))
        };
        keys.iter().map(unwrap).collect()
    }
}

/// How many keys are wrapped here.
pub fn key_count(wrapped: &[u8]) -> usize {
    wrapped.len() / WRAPPED_BYTES
}

/// Of the wrapped keys of a clinic the newest, as it is wrapped.
pub fn newest(wrapped: &[u8]) -> &[u8] {
    &wrapped[wrapped.len().saturating_sub(WRAPPED_BYTES)..]
}

impl ClinicKey {
    /// Seals what the record with this key says. To be written in the transaction in which the clinic
    /// was read, or after looking that its wrapped key is still the same: a key that was left is gone.
    ///
    /// # Errors
    /// If the machine has no randomness to give.
    pub fn seal(&self, key: &[u8], body: &[u8]) -> Result<Vec<u8>, WrongKey> {
        let (number, newest) = self.keys.last().ok_or(WrongKey)?;
        let sealed = seal(newest, &[&self.clinic, key].concat(), body)?;
        Ok([&number.to_be_bytes()[..], &sealed].concat())
    }

    /// Opens what was sealed for the record with this key.
    ///
    /// # Errors
    /// If it was sealed for another record or clinic, by a key that is gone, or was altered.
    pub fn open(&self, key: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, WrongKey> {
        let (number, sealed) = sealed.split_first_chunk().ok_or(WrongKey)?;
        let number = u32::from_be_bytes(*number);
        let (_, fitting) = self.keys.iter().find(|(it, _)| *it == number).ok_or(WrongKey)?;
        open(fitting, &[&self.clinic, key].concat(), sealed)
    }

    /// What everything begins with that is sealed now.
    pub fn number(&self) -> [u8; NUMBER_BYTES] {
        self.keys.last().map_or([0; NUMBER_BYTES], |(number, _)| number.to_be_bytes())
    }
}

fn aes(bytes: &[u8]) -> Result<LessSafeKey, WrongKey> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| WrongKey)?))
}

/// The nonce, then the ciphertext with its tag.
fn seal(key: &LessSafeKey, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, WrongKey> {
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).map_err(|_| WrongKey)?;
    let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = key
        .seal_in_place_separate_tag(nonce, Aad::from(place), &mut sealed[NONCE_LEN..])
        .map_err(|_| WrongKey)?;
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed)
}

fn open(key: &LessSafeKey, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, WrongKey> {
    let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LEN).ok_or(WrongKey)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| WrongKey)?;
    let mut opened = Zeroizing::new(ciphertext.to_vec());
    let length =
        key.open_in_place(nonce, Aad::from(place), &mut opened).map_err(|_| WrongKey)?.len();
    opened.truncate(length);
    Ok(opened)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_opens_in_its_own_place_only() {
        let vault = Vault::new(&[1; 32]).unwrap();
        let wrapped = vault.make_clinic_key([1; 16]).unwrap();
        let own = vault.clinic_key([1; 16], &wrapped).unwrap();
        let sealed = own.seal(b"Patient/1", b"said").unwrap();
        assert_eq!(*own.open(b"Patient/1", &sealed).unwrap(), b"said");
        assert!(own.open(b"Patient/2", &sealed).is_err());
        let others = vault.clinic_key([2; 16], &vault.make_clinic_key([2; 16]).unwrap()).unwrap();
        assert!(others.open(b"Patient/1", &sealed).is_err());
        assert!(vault.clinic_key([2; 16], &wrapped).is_err());
        assert!(Vault::new(&[2; 32]).unwrap().clinic_key([1; 16], &wrapped).is_err());
        assert_ne!(sealed, own.seal(b"Patient/1", b"said").unwrap());
    }

    #[test]
    fn a_second_key_seals_and_the_first_opens_until_it_is_gone() {
        let (vault, other) = (Vault::new(&[1; 32]).unwrap(), Vault::new(&[2; 32]).unwrap());
        let one = vault.make_clinic_key([1; 16]).unwrap();
        let early = vault.clinic_key([1; 16], &one).unwrap().seal(b"a", b"early").unwrap();
        let two = vault.add_clinic_key([1; 16], &one).unwrap();
        assert_eq!((key_count(&one), key_count(&two)), (1, 2));
        let both = vault.clinic_key([1; 16], &two).unwrap();
        let late = both.seal(b"a", b"late").unwrap();
        assert_eq!(*both.open(b"a", &early).unwrap(), b"early");
        assert_eq!((&late[..4], both.number()), (&[0, 0, 0, 2][..], [0, 0, 0, 2]));
        let handed = vault.hand_over([1; 16], newest(&two), &other).unwrap();
        let alone = other.clinic_key([1; 16], &handed).unwrap();
        assert_eq!(*alone.open(b"a", &late).unwrap(), b"late");
        assert!(alone.open(b"a", &early).is_err());
        assert!(vault.clinic_key([1; 16], &handed).is_err());
    }
}
