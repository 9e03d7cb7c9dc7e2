//! How records lie in the database: AES-256-GCM under a key of their clinic, which lies there wrapped
//! by the hub's master key.
//!
//! What is sealed is bound to its place (the clinic, and which record), so that a row which somebody
//! moves does not open. Each sealing draws a nonce of 96 bits; a key is good for 2^32 of them.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

/// The length of keys, in bytes.
pub const KEY_BYTES: usize = 32;

/// A key is not of this length, or does not open what it should, or there is no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the key does not fit what it should open; put back keys and database that belong together"
)]
pub struct WrongKey;

/// The hub's master key.
pub struct Vault {
    master: LessSafeKey,
}

/// The key of one clinic's records.
pub struct ClinicKey {
    clinic: [u8; 16],
    key: LessSafeKey,
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
        Ok(Self { master: aes(master)? })
    }

    /// A new key for this clinic, wrapped.
    ///
    /// # Errors
    /// If the machine has no randomness to give.
    pub fn make_clinic_key(&self, clinic: [u8; 16]) -> Result<Vec<u8>, WrongKey> {
        seal(&self.master, &clinic, &*make_key()?)
    }

    /// The clinic's key from its wrapping.
    ///
    /// # Errors
    /// If it was wrapped by another master key or for another clinic.
    pub fn clinic_key(&self, clinic: [u8; 16], wrapped: &[u8]) -> Result<ClinicKey, WrongKey> {
        let key = open(&self.master, &clinic, wrapped)?;
        Ok(ClinicKey { clinic, key: aes(&key)? })
    }
}

impl ClinicKey {
    /// Seals what the record with this key says.
    ///
    /// # Errors
    /// If the machine has no randomness to give.
    pub fn seal(&self, key: &[u8], body: &[u8]) -> Result<Vec<u8>, WrongKey> {
        seal(&self.key, &[&self.clinic, key].concat(), body)
    }

    /// Opens what was sealed for the record with this key.
    ///
    /// # Errors
    /// If it was sealed for another record or clinic, or was altered.
    pub fn open(&self, key: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, WrongKey> {
        open(&self.key, &[&self.clinic, key].concat(), sealed)
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
}
