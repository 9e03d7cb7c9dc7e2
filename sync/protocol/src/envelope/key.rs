//! The keys of box and hub: Ed25519 to sign, X25519 to seal.

use hpke::{Deserializable as _, Kem as _, Serializable as _};
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use zeroize::{Zeroize as _, Zeroizing};

use super::random::Random;
use super::{KEYS_MAX, Kem, PrivateKey};

/// Which key: the first eight bytes of the SHA-256 of its public half. It saves tries and proves
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 8]);

/// The bytes are no such key, or there are too many keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a key of this sort, or one too many")]
pub struct BadKey;

/// The secret half of a sender's Ed25519 key.
pub struct SigningKey {
    pair: Ed25519KeyPair,
}

/// The public half of a sender's Ed25519 key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyingKey(pub [u8; 32]);

/// The secret half of a receiver's X25519 key.
pub struct OpeningKey {
    secret: Zeroizing<[u8; 32]>,
    public: SealingKey,
}

/// The public half of a receiver's X25519 key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealingKey([u8; 32]);

impl SigningKey {
    /// Makes a new key and answers it as PKCS#8 bytes, to be kept secret.
    ///
    /// # Errors
    /// If the machine has no randomness to give.
    pub fn generate() -> Result<Zeroizing<Vec<u8>>, BadKey> {
        let random = ring::rand::SystemRandom::new();
        let document = Ed25519KeyPair::generate_pkcs8(&random).map_err(|_| BadKey)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// The key in these PKCS#8 bytes (with or without its public half).
    ///
    /// # Errors
    /// If the bytes are no Ed25519 key.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, BadKey> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes).map_err(|_| BadKey)?;
        Ok(Self { pair })
    }

    /// The public half, for those who check.
    pub fn verifying_key(&self) -> VerifyingKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.pair.public_key().as_ref());
        VerifyingKey(bytes)
    }

    /// Its id.
    pub fn id(&self) -> KeyId {
        self.verifying_key().id()
    }

    pub(crate) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.pair.sign(bytes).as_ref());
        signature
    }
}

impl VerifyingKey {
    /// Its id.
    pub fn id(&self) -> KeyId {
        id(&self.0)
    }

    pub(crate) fn has_signed(&self, bytes: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(bytes, signature).is_ok()
    }
}

impl OpeningKey {
    /// A new key.
    ///
    /// # Errors
    /// If the machine has no randomness to give.
    pub fn generate() -> Result<Self, BadKey> {
        let (private, _) = Kem::gen_keypair_with_rng(&mut Random::new().ok_or(BadKey)?);
        let mut bytes = private.to_bytes();
        let mut secret = Zeroizing::new([0; 32]);
        secret.copy_from_slice(&bytes);
        bytes.as_mut_slice().zeroize();
        Self::from_bytes(&secret)
    }

    /// The key with these 32 secret bytes (RFC 7748).
    ///
    /// # Errors
    /// If they are no X25519 key.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, BadKey> {
        let private = PrivateKey::from_bytes(bytes).map_err(|_| BadKey)?;
        let public = SealingKey::from_bytes(&Kem::sk_to_pk(&private).to_bytes())?;
        Ok(Self { secret: Zeroizing::new(*bytes), public })
    }

    /// The secret bytes, to be kept.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.secret
    }

    /// The public half, for those who seal.
    pub fn sealing_key(&self) -> SealingKey {
        self.public
    }

    /// Its id.
    pub fn id(&self) -> KeyId {
        self.public.id()
    }
}

impl SealingKey {
    /// The key with these 32 public bytes.
    ///
    /// # Errors
    /// If there are not 32.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadKey> {
        bytes.try_into().map(Self).map_err(|_| BadKey)
    }

    /// The public bytes.
    pub fn bytes(&self) -> [u8; 32] {
        self.0
    }

    /// Its id.
    pub fn id(&self) -> KeyId {
        id(&self.0)
    }
}

/// What a person compares at both ends before they are trusted: the first eight bytes of the SHA-256 of
/// both public keys, four groups of four hexadecimal digits.
pub fn fingerprint(verifying: &VerifyingKey, sealing: &SealingKey) -> String {
    let KeyId(bytes) = id(&[verifying.0, sealing.0].concat());
    let groups = bytes.chunks(2).map(|two| two.iter().map(|byte| format!("{byte:02x}")).collect());
    groups.collect::<Vec<String>>().join("-")
}

/// Puts one more into a short list.
pub(super) fn add<T>(list: &mut Vec<T>, one: T) -> Result<(), BadKey> {
    if list.len() >= KEYS_MAX {
        return Err(BadKey);
    }
    list.push(one);
    Ok(())
}

fn id(public: &[u8]) -> KeyId {
    let mut id = KeyId([0; 8]);
    id.0.copy_from_slice(&digest(&SHA256, public).as_ref()[..8]);
    id
}
