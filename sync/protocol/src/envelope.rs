//! The sealed envelope: what goes between a box and the hub, whatever carries it.
//!
//! Only the receiver can read it, only the sender can have made it, and it fits no other place: not
//! another clinic, box, log, stretch, kind or direction.
//!
//! # Layout
//!
//! One CBOR map (RFC 8949) in the deterministic encoding of its section 4.2.1: definite lengths,
//! shortest forms, keys in ascending order, all thirteen present.
//!
//! | key | type | what |
//! |---|---|---|
//! | 0 | unsigned | version, 1 |
//! | 1 | unsigned | [`Kind`], which says the direction, too |
//! | 2 | 16 bytes | clinic |
//! | 3 | 16 bytes | box |
//! | 4 | 16 bytes | log id |
//! | 5 | unsigned | after: the stretch begins behind this number |
//! | 6 | unsigned | through: the last number of the stretch, at most 2^53 |
//! | 7 | 8 bytes | [`KeyId`] of the sender's Ed25519 key |
//! | 8 | 8 bytes | [`KeyId`] of the receiver's X25519 key |
//! | 9 | unsigned | number of the zstd dictionary, 0 for none |
//! | 10 | 32 bytes | HPKE `enc` |
//! | 11 | bytes | ciphertext with its tag of 16 bytes |
//! | 12 | 64 bytes | Ed25519 signature |
//!
//! - HPKE is RFC 9180 in base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305
//!   (0x0020, 0x0001, 0x0003), one message to a context. `info` is the text `carepost-envelope-1`,
//!   `aad` is all bytes of the envelope before the entry with key 10, the head of the map included.
//!   So the sender's key is bound, too: nobody can sign somebody else's ciphertext as his own.
//! - What is sealed is one zstd frame (RFC 8878) with a window of at most 1 MiB ([`WINDOW_LOG_MAX`])
//!   and at most [`BODY_MAX`] bytes in it.
//! - The signature is over the text `carepost-envelope-1`, a zero byte, and all bytes of the envelope
//!   before the entry with key 12; that is all but the last 67.
//! - A [`KeyId`] is the first eight bytes of the SHA-256 of the public key (32 bytes).
//!
//! A key is changed by accepting the new one beside the old one for a while; a key is revoked by
//! refusing its id ([`Receiver::revoke`]), even if it is still listed.
//!
//! `tests/vectors/envelope.txt` holds keys, an envelope and its body; `tests/open.py` opens it with
//! implementations that share no code with this one.
//!
//! Invariant: nothing in an envelope is believed before its signature was checked, and nothing is
//! unpacked before it was opened.

pub mod dictionary;
mod key;
mod layout;
mod packing;
mod random;
#[cfg(test)]
mod tests;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, OpModeR, OpModeS, Serializable as _};
pub use key::{BadKey, KeyId, OpeningKey, SealingKey, SigningKey, VerifyingKey, fingerprint};
pub use packing::{Dictionary, WINDOW_LOG_MAX};

use crate::lineage::LogId;

/// The media type of an envelope, where HTTP carries it.
pub const MEDIA_TYPE: &str = "application/vnd.carepost.sealed";
/// The longest envelope that is looked at, in bytes.
pub const ENVELOPE_MAX: usize = 4 << 20;
/// The longest body, in bytes, before it is packed and after it is unpacked.
pub const BODY_MAX: usize = 16 << 20;
/// As many keys as a receiver takes of each sort: those in use and those on their way out.
pub const KEYS_MAX: usize = 8;
/// As many ids as a receiver can refuse.
pub const REVOKED_MAX: usize = 256;
/// As far as the numbers of a log or of requests go.
pub const NUMBER_MAX: u64 = 1 << 53;

const VERSION: u64 = 1;
const LABEL: &[u8] = b"carepost-envelope-1";
const SIGNED_LABEL: &[u8] = b"carepost-envelope-1\0";

type Kem = X25519HkdfSha256;
type PublicKey = <Kem as hpke::Kem>::PublicKey;
type PrivateKey = <Kem as hpke::Kem>::PrivateKey;

/// What is inside, and who sends it to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Box to hub: entries of the log.
    Bundle,
    /// Hub to box: what it holds.
    Receipt,
    /// Box to hub: about loans.
    LoansUp,
    /// Hub to box: about loans.
    LoansDown,
    /// Hub to box: requests, numbered by the hub.
    Requests,
    /// Box to hub: how far the requests are in its database.
    Taken,
    /// Hub to box: messages of people that came in at the hub, and what it has of the box's.
    MessageIn,
    /// Box to hub: messages to people, and what it has of the hub's.
    MessageOut,
    /// Box to hub: the answer to a request.
    Reply,
    /// Box to hub: a box that takes another's place wants what the hub holds.
    Restore,
    /// Hub to box: some of that.
    Restored,
}

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Box to hub.
    Up,
    /// Hub to box.
    Down,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::Bundle,
        Self::Receipt,
        Self::LoansUp,
        Self::LoansDown,
        Self::Requests,
        Self::Taken,
        Self::MessageIn,
        Self::MessageOut,
        Self::Reply,
        Self::Restore,
        Self::Restored,
    ];

    /// Its number on the wire.
    pub fn number(self) -> u64 {
        match self {
            Self::Bundle => 1,
            Self::Receipt => 2,
            Self::LoansUp => 3,
            Self::LoansDown => 4,
            Self::Requests => 5,
            Self::Taken => 6,
            Self::MessageIn => 7,
            Self::MessageOut => 8,
            Self::Reply => 9,
            Self::Restore => 10,
            Self::Restored => 11,
        }
    }

    /// Who sends it.
    pub fn direction(self) -> Direction {
        match self {
            Self::Bundle
            | Self::LoansUp
            | Self::Taken
            | Self::MessageOut
            | Self::Reply
            | Self::Restore => Direction::Up,
            Self::Receipt | Self::LoansDown | Self::Requests | Self::MessageIn | Self::Restored => {
                Direction::Down
            }
        }
    }
}

/// Where an envelope belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// What is inside.
    pub kind: Kind,
    /// The clinic's id.
    pub clinic: [u8; 16],
    /// The box's id.
    pub box_id: [u8; 16],
    /// The log of the box that it is about.
    pub log: LogId,
    /// The stretch begins after this number; 0 where numbers mean nothing.
    pub after: u64,
    /// The last number of the stretch.
    pub through: u64,
}

/// Which envelopes are for whoever opens: all else is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The kind that is answered here.
    pub kind: Kind,
    /// The clinic.
    pub clinic: [u8; 16],
    /// The box that sent it or that it is for.
    pub box_id: [u8; 16],
}

/// An envelope that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Where it belongs; kind, clinic and box are as expected.
    pub place: Place,
    /// Which key signed it.
    pub signed_by: KeyId,
    /// What was sealed.
    pub body: Vec<u8>,
}

/// Whoever opens: his keys, and whom he believes.
#[derive(Default)]
pub struct Receiver {
    opening: Vec<OpeningKey>,
    signers: Vec<VerifyingKey>,
    revoked: Vec<KeyId>,
    dictionaries: Vec<Dictionary>,
}

/// Why nothing was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The body is longer than [`BODY_MAX`], or does not shrink below [`ENVELOPE_MAX`].
    #[error("too long for one envelope; send less at once")]
    TooLong,
    /// `after` is beyond `through`, or a number is beyond [`NUMBER_MAX`].
    #[error("the stretch of an envelope goes from a number to one not before it")]
    Stretch,
    /// The machine has no randomness, or the receiver's key is no X25519 key.
    #[error("the envelope could not be sealed")]
    Failed,
}

/// Why an envelope was not opened. It says nothing about what was inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Longer than [`ENVELOPE_MAX`].
    #[error("the envelope is longer than {ENVELOPE_MAX} bytes")]
    TooLong,
    /// Not the layout of an envelope, or not in the one encoding that it has.
    #[error("this is not an envelope, or it is damaged")]
    Malformed,
    /// A version that this program does not know.
    #[error("the envelope is of a version that is not known here; update this program")]
    Version,
    /// For another clinic or box, or of a kind that is not answered here.
    #[error("the envelope belongs elsewhere")]
    Elsewhere,
    /// The sender's or receiver's key is not known here.
    #[error("the envelope names a key that is not known here; enrol again")]
    UnknownKey,
    /// The sender's or receiver's key was revoked.
    #[error("the envelope names a key that was revoked")]
    Revoked,
    /// The signature is not that of the key that it names.
    #[error("the signature of the envelope is wrong")]
    Forged,
    /// It was not sealed for this key, or not for this place.
    #[error("the envelope cannot be opened with this key")]
    NotOpened,
    /// The dictionary is not known here.
    #[error(
        "the envelope was packed with a dictionary that is not known here; update this program"
    )]
    UnknownDictionary,
    /// It is not one zstd frame, or it unpacks to more than [`BODY_MAX`] bytes.
    #[error("what the envelope holds cannot be unpacked")]
    Packing,
}

/// Packs, seals and signs a body.
///
/// # Errors
/// [`SealError`].
pub fn seal(
    place: &Place,
    body: &[u8],
    from: &SigningKey,
    to: &SealingKey,
    dictionary: Option<&Dictionary>,
) -> Result<Vec<u8>, SealError> {
    let mut random = random::Random::new().ok_or(SealError::Failed)?;
    seal_with(place, body, from, to, dictionary, &mut random)
}

fn seal_with(
    place: &Place,
    body: &[u8],
    from: &SigningKey,
    to: &SealingKey,
    dictionary: Option<&Dictionary>,
    random: &mut random::Random,
) -> Result<Vec<u8>, SealError> {
    if place.after > place.through || place.through > NUMBER_MAX {
        return Err(SealError::Stretch);
    }
    if body.len() > BODY_MAX {
        return Err(SealError::TooLong);
    }
    let packed = packing::pack(body, dictionary).map_err(|_| SealError::Failed)?;
    let mut envelope = layout::head(&layout::Head {
        place: *place,
        signed_by: from.id(),
        sealed_for: to.id(),
        dictionary: dictionary.map_or(0, |it| it.number),
    });
    let receiver = PublicKey::from_bytes(&to.bytes()).map_err(|_| SealError::Failed)?;
    let (enc, ciphertext) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeS::Base,
        &receiver,
        LABEL,
        &packed,
        &envelope,
        random,
    )
    .map_err(|_| SealError::Failed)?;
    layout::add_sealed(&mut envelope, &enc.to_bytes(), &ciphertext);
    let signature = from.sign(&[SIGNED_LABEL, &envelope].concat());
    layout::add_signature(&mut envelope, &signature);
    if envelope.len() > ENVELOPE_MAX {
        return Err(SealError::TooLong);
    }
    Ok(envelope)
}

impl Receiver {
    /// Opens envelopes for this key, too.
    ///
    /// # Errors
    /// If there are [`KEYS_MAX`] already.
    pub fn open_with(&mut self, key: OpeningKey) -> Result<(), BadKey> {
        key::add(&mut self.opening, key)
    }

    /// Believes this signer, too.
    ///
    /// # Errors
    /// If there are [`KEYS_MAX`] already.
    pub fn believe(&mut self, key: VerifyingKey) -> Result<(), BadKey> {
        key::add(&mut self.signers, key)
    }

    /// Refuses this key from now on, whether or not it is listed.
    ///
    /// # Errors
    /// If [`REVOKED_MAX`] are refused already; then a listed key has to be taken off the list.
    pub fn revoke(&mut self, id: KeyId) -> Result<(), BadKey> {
        if self.revoked.contains(&id) {
            return Ok(());
        }
        if self.revoked.len() >= REVOKED_MAX {
            return Err(BadKey);
        }
        self.revoked.push(id);
        Ok(())
    }

    /// Unpacks with this dictionary, where an envelope names it.
    ///
    /// # Errors
    /// If there are [`KEYS_MAX`] already, or one with its number.
    pub fn unpack_with(&mut self, dictionary: Dictionary) -> Result<(), BadKey> {
        if self.dictionaries.iter().any(|it| it.number == dictionary.number) {
            return Err(BadKey);
        }
        key::add(&mut self.dictionaries, dictionary)
    }

    /// Checks, opens and unpacks an envelope.
    ///
    /// # Errors
    /// [`OpenError`], the first that applies in the order of its variants.
    pub fn open(&self, bytes: &[u8], expected: &Expected) -> Result<Opened, OpenError> {
        if bytes.len() > ENVELOPE_MAX {
            return Err(OpenError::TooLong);
        }
        let envelope = layout::read(bytes)?;
        let head = envelope.head;
        let Place { kind, clinic, box_id, log: _, after: _, through: _ } = head.place;
        if (Expected { kind, clinic, box_id }) != *expected {
            return Err(OpenError::Elsewhere);
        }
        let find =
            |id: KeyId| if self.revoked.contains(&id) { Err(OpenError::Revoked) } else { Ok(id) };
        let signer = find(head.signed_by)?;
        let opener = find(head.sealed_for)?;
        let signer = self.signers.iter().find(|key| key.id() == signer);
        let opener = self.opening.iter().find(|key| key.id() == opener);
        let (Some(signer), Some(opener)) = (signer, opener) else {
            return Err(OpenError::UnknownKey);
        };
        if !signer.has_signed(&[SIGNED_LABEL, envelope.signed].concat(), envelope.signature) {
            return Err(OpenError::Forged);
        }
        let packed = unseal(opener, &envelope).ok_or(OpenError::NotOpened)?;
        let body = packing::unpack(&packed, self.dictionary(head.dictionary)?)
            .ok_or(OpenError::Packing)?;
        Ok(Opened { place: head.place, signed_by: head.signed_by, body })
    }

    fn dictionary(&self, number: u64) -> Result<Option<&Dictionary>, OpenError> {
        if number == 0 {
            return Ok(None);
        }
        let found = self.dictionaries.iter().find(|it| it.number == number);
        found.map(Some).ok_or(OpenError::UnknownDictionary)
    }
}

/// Where an envelope says that it belongs: enough to find the keys to open it with, and not to be
/// believed before [`Receiver::open`].
///
/// # Errors
/// [`OpenError::TooLong`], [`OpenError::Malformed`] and [`OpenError::Version`].
pub fn claimed(bytes: &[u8]) -> Result<Place, OpenError> {
    if bytes.len() > ENVELOPE_MAX {
        return Err(OpenError::TooLong);
    }
    Ok(layout::read(bytes)?.head.place)
}

fn unseal(key: &OpeningKey, envelope: &layout::Envelope<'_>) -> Option<Vec<u8>> {
    let private = PrivateKey::from_bytes(key.bytes()).ok()?;
    let enc = <Kem as hpke::Kem>::EncappedKey::from_bytes(envelope.enc).ok()?;
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeR::Base,
        &private,
        &enc,
        LABEL,
        envelope.ciphertext,
        envelope.aad,
    )
    .ok()
}
