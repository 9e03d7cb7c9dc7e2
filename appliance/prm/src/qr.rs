//! The appointment's QR: a claim that this clinic gave out this booking, signed so that it is
//! checked without a network.
//!
//! `CP1:` and then, in base45 (RFC 9285), 90 bytes: version (1), clinic (4), appointment (16),
//! not after in hours since 2020-01-01T00:00Z (3, big endian), key id (2) and the Ed25519
//! signature (64) over the prefix `carepost-qr-1` and all bytes before it.
//!
//! Invariant: no personal data is in it; it names a booking, and the date of birth confirms the
//! person.
//! Invariant: nothing in a claim is believed before its signature was checked.

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use zeroize::Zeroizing;

/// What every text begins with.
pub const PREFIX: &str = "CP1:";
/// The length of the text of a QR, in characters: the prefix and three characters for each two
/// of the 90 bytes. An even number of bytes also means that the text never ends in a blank,
/// which base45 has in its alphabet and scanners like to cut off.
pub const TEXT_LENGTH: usize = PREFIX.len() + TOKEN_LENGTH / 2 * 3;
/// As many characters as are looked at; a scanner may add blanks and a line end.
pub const TEXT_MAX: usize = 256;
/// As many public keys as a verifier takes: the box's own, the hub's, and those before them.
pub const KEYS_MAX: usize = 16;

const SIGNED_PREFIX: &[u8] = b"carepost-qr-1";
const VERSION: u8 = 1;
const CLAIM_LENGTH: usize = 26;
const SIGNATURE_LENGTH: usize = 64;
const TOKEN_LENGTH: usize = CLAIM_LENGTH + SIGNATURE_LENGTH;
/// 2020-01-01T00:00Z, in seconds since 1970.
const EPOCH_SECOND: i64 = 1_577_836_800;
const HOUR_SECONDS: i64 = 3600;
const HOURS_MAX: i64 = 0x00FF_FFFF;

/// Which key signed: the first two bytes of the SHA-256 of the public key. Two keys may share
/// one; it saves tries and proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; 2]);

/// What a QR claims, after its signature was found good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The first four bytes of the clinic's id, as chosen by whoever signs.
    pub clinic: [u8; 4],
    /// The appointment's id.
    pub appointment: [u8; 16],
    /// The last instant at which the QR opens a check-in; a full hour.
    pub not_after: Timestamp,
    /// The key that signed.
    pub key_id: KeyId,
}

/// Why a text is not taken as the QR of a booking of this clinic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    /// Some other code: not ours, or a version that this program does not know.
    #[error("this is not the QR of an appointment")]
    NotOurs,
    /// It begins like ours and cannot be read.
    #[error("the QR of the appointment is damaged; scan it again")]
    Damaged,
    /// It was signed with a key that is not trusted here.
    #[error("the QR was signed with a key that is not known here")]
    UnknownKey,
    /// The signature is not that of the key it names.
    #[error("the signature of the QR is wrong")]
    Forged,
    /// Its time is over.
    #[error("the QR is too old")]
    Expired,
    /// It is of another clinic.
    #[error("the QR is of an appointment at another clinic")]
    OtherClinic,
}

/// The bytes are not an Ed25519 key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 key; restore it from the backup")]
pub struct BadKey;

/// The key that signs the QRs of one clinic.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    key_id: KeyId,
}

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
    /// If the bytes are no Ed25519 key or its halves do not belong together.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, BadKey> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes).map_err(|_| BadKey)?;
        let key_id = key_id(pair.public_key().as_ref());
        Ok(Self { pair, key_id })
    }

    /// The id that the QRs signed with this key carry.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The public half (32 bytes), for a [`Verifier`].
    pub fn public_key(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// The text of the QR for an appointment. `not_after` is rounded up to the full hour, so
    /// that a QR is never over before the time that was asked for.
    pub fn sign(&self, clinic: [u8; 4], appointment: [u8; 16], not_after: Timestamp) -> String {
        let mut token = Vec::with_capacity(TOKEN_LENGTH);
        token.push(VERSION);
        token.extend_from_slice(&clinic);
        token.extend_from_slice(&appointment);
        token.extend_from_slice(&hours_up(not_after));
        token.extend_from_slice(&self.key_id.0);
        let signature = self.pair.sign(&signed_bytes(&token));
        token.extend_from_slice(signature.as_ref());
        format!("{PREFIX}{}", base45::encode(&token))
    }
}

/// The clinic and the keys that may sign for it: the box's own, later also the hub's.
#[derive(Clone, Debug)]
pub struct Verifier {
    clinic: [u8; 4],
    keys: Vec<(KeyId, [u8; 32])>,
}

impl Verifier {
    /// A verifier for one clinic that trusts nobody yet.
    pub fn new(clinic: [u8; 4]) -> Self {
        Self { clinic, keys: Vec::new() }
    }

    /// Also trusts the key with this public half (32 bytes). A key that is trusted already
    /// changes nothing.
    ///
    /// # Errors
    /// If it is not 32 bytes long, or [`KEYS_MAX`] keys are trusted already.
    pub fn trust(&mut self, public_key: &[u8]) -> Result<KeyId, BadKey> {
        let key: [u8; 32] = public_key.try_into().map_err(|_| BadKey)?;
        let id = key_id(&key);
        if !self.keys.iter().any(|(_, known)| *known == key) {
            if self.keys.len() >= KEYS_MAX {
                return Err(BadKey);
            }
            self.keys.push((id, key));
        }
        Ok(id)
    }

    /// Reads the text of a QR as a scanner or a person typed it: blanks around it and small
    /// letters do not matter.
    ///
    /// # Errors
    /// If it is not a QR that a trusted key signed for this clinic, or if it is over at `now`.
    pub fn verify(&self, text: &str, now: Timestamp) -> Result<Claim, QrError> {
        let token = decode(text)?;
        let (bytes, signature) = token.split_at(CLAIM_LENGTH);
        let claim = read(bytes);
        // Said before the signature is looked at, because another clinic's key is not known
        // here; either way it is a refusal, so a forger gains nothing.
        if claim.clinic != self.clinic {
            return Err(QrError::OtherClinic);
        }
        let message = signed_bytes(bytes);
        let mut known = false;
        for (_, key) in self.keys.iter().filter(|(id, _)| *id == claim.key_id) {
            known = true;
            if UnparsedPublicKey::new(&ED25519, key).verify(&message, signature).is_ok() {
                return if now > claim.not_after { Err(QrError::Expired) } else { Ok(claim) };
            }
        }
        Err(if known { QrError::Forged } else { QrError::UnknownKey })
    }
}

fn key_id(public_key: &[u8]) -> KeyId {
    let hash = digest(&SHA256, public_key);
    KeyId([hash.as_ref()[0], hash.as_ref()[1]])
}

fn hours_up(time: Timestamp) -> [u8; 3] {
    let seconds = time.as_second() - EPOCH_SECOND + i64::from(time.subsec_nanosecond() > 0);
    let full = seconds.div_euclid(HOUR_SECONDS) + i64::from(seconds.rem_euclid(HOUR_SECONDS) > 0);
    let [_, _, _, _, _, a, b, c] = full.clamp(0, HOURS_MAX).to_be_bytes();
    [a, b, c]
}

fn signed_bytes(claim: &[u8]) -> Vec<u8> {
    [SIGNED_PREFIX, claim].concat()
}

fn decode(text: &str) -> Result<[u8; TOKEN_LENGTH], QrError> {
    if text.len() > TEXT_MAX {
        return Err(QrError::NotOurs);
    }
    let text = text.trim().to_ascii_uppercase();
    let body = text.strip_prefix(PREFIX).ok_or(QrError::NotOurs)?;
    let bytes = base45::decode(body).map_err(|_| QrError::Damaged)?;
    match bytes.first() {
        Some(&VERSION) => bytes.try_into().map_err(|_| QrError::Damaged),
        Some(_) => Err(QrError::NotOurs),
        None => Err(QrError::Damaged),
    }
}

fn read(bytes: &[u8]) -> Claim {
    let mut claim = Claim {
        clinic: [0; 4],
        appointment: [0; 16],
        not_after: Timestamp::UNIX_EPOCH,
        key_id: KeyId([0; 2]),
    };
    claim.clinic.copy_from_slice(&bytes[1..5]);
    claim.appointment.copy_from_slice(&bytes[5..21]);
    let hours = i64::from(u32::from_be_bytes([0, bytes[21], bytes[22], bytes[23]]));
    claim.not_after = Timestamp::from_second(EPOCH_SECOND + hours * HOUR_SECONDS)
        .expect("invariant: 24 bits of hours end in the year 3934");
    claim.key_id.0.copy_from_slice(&bytes[24..26]);
    claim
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CLINIC: [u8; 4] = [0xCA, 0x4E, 0x90, 0x57];
    const APPOINTMENT: [u8; 16] = *b"0123456789abcdef";
    /// The key whose secret is 32 times 0x42, and what it signs for `CLINIC`, `APPOINTMENT` and
    /// 2026-11-23T10:00Z. Made once with another Ed25519 and another base45.
    const SECRET: [u8; 32] = [0x42; 32];
    const VECTOR: &str = "CP1:8A0.-901B*96DL6WW66:6JB7WJC6VCC+C7%TJ66QC5X5J2LHGM04IC%MHQDVK0PGGMIAHX-QJ/1E2892SXNE2M45V6%V15*IKV7675:UJWI7OFO/PCZG59X7*KE+ORKHO8H8C48";

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn fixed_key() -> SigningKey {
        let mut pkcs8 = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 32];
        pkcs8.extend_from_slice(&SECRET);
        SigningKey::from_pkcs8(&pkcs8).unwrap()
    }

    fn trusting(key: &SigningKey) -> Verifier {
        let mut verifier = Verifier::new(CLINIC);
        verifier.trust(key.public_key()).unwrap();
        verifier
    }

    fn token(text: &str) -> Vec<u8> {
        base45::decode(text.strip_prefix(PREFIX).unwrap()).unwrap()
    }

    fn text(token: &[u8]) -> String {
        format!("{PREFIX}{}", base45::encode(token))
    }

    #[test]
    fn the_text_is_that_of_the_published_vector() {
        let key = fixed_key();
        let signed = key.sign(CLINIC, APPOINTMENT, time("2026-11-23T09:00:00.000000001Z"));
        assert_eq!(signed, VECTOR);
        assert_eq!(signed.len(), TEXT_LENGTH);
        let claim = trusting(&key).verify(VECTOR, time("2026-11-23T10:00:00Z")).unwrap();
        assert_eq!(claim.appointment, APPOINTMENT);
        assert_eq!(claim.not_after, time("2026-11-23T10:00:00Z"));
        assert_eq!(claim.key_id, key.key_id());
    }

    #[test]
    fn each_reason_to_refuse_has_its_own_name() {
        let key = fixed_key();
        let verifier = trusting(&key);
        let now = time("2026-11-23T09:30:00Z");
        let refused = |text: &str| verifier.verify(text, now).unwrap_err();
        let other = SigningKey::from_pkcs8(&SigningKey::generate().unwrap()).unwrap();

        assert_eq!(refused("shc:/5676"), QrError::NotOurs);
        assert_eq!(refused(&"CP1:".repeat(100)), QrError::NotOurs);
        assert_eq!(refused("CP1:"), QrError::Damaged);
        assert_eq!(refused(&VECTOR[..VECTOR.len() - 3]), QrError::Damaged);
        assert_eq!(refused("CP1:not base45?"), QrError::Damaged);
        let mut newer = token(VECTOR);
        newer[0] = 2;
        assert_eq!(refused(&text(&newer)), QrError::NotOurs);
        assert_eq!(refused(&other.sign(CLINIC, APPOINTMENT, now)), QrError::UnknownKey);
        assert_eq!(refused(&key.sign([0; 4], APPOINTMENT, now)), QrError::OtherClinic);
        assert_eq!(verifier.verify(VECTOR, time("2026-11-23T10:00:01Z")), Err(QrError::Expired));
    }

    #[test]
    fn a_second_key_of_the_clinic_is_as_good_as_the_first() {
        let hub = SigningKey::from_pkcs8(&SigningKey::generate().unwrap()).unwrap();
        let mut verifier = trusting(&fixed_key());
        verifier.trust(hub.public_key()).unwrap();
        let now = time("2026-11-23T09:30:00Z");
        assert!(verifier.verify(&hub.sign(CLINIC, APPOINTMENT, now), now).is_ok());
        assert!(verifier.verify(VECTOR, now).is_ok());
        assert_eq!(verifier.trust(&[0; 31]), Err(BadKey));
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let verifier = trusting(&fixed_key());
        let now = time("2026-11-23T09:30:00Z");
        let good = token(VECTOR);
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(verifier.verify(&text(&bad), now).is_err(), "bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn no_text_brings_the_verifier_down(text in "(CP1:|cp1:)?.{0,200}") {
            let _ = trusting(&fixed_key()).verify(&text, Timestamp::UNIX_EPOCH);
        }

        #[test]
        fn no_bytes_bring_the_verifier_down(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            prop_assert!(trusting(&fixed_key()).verify(&text(&bytes), Timestamp::UNIX_EPOCH).is_err());
        }

        #[test]
        fn what_was_signed_is_read_back_however_it_was_typed(
            appointment in any::<[u8; 16]>(),
            second in EPOCH_SECOND..EPOCH_SECOND + HOURS_MAX * HOUR_SECONDS,
        ) {
            let key = fixed_key();
            let not_after = Timestamp::from_second(second).unwrap();
            let signed = key.sign(CLINIC, appointment, not_after);
            let typed = format!(" \t{}\r\n", signed.to_ascii_lowercase());
            let claim = trusting(&key).verify(&typed, not_after).unwrap();
            prop_assert_eq!(claim.appointment, appointment);
            prop_assert!(claim.not_after >= not_after);
            prop_assert!(claim.not_after.as_second() - second < HOUR_SECONDS);
        }
    }
}
