//! The receipt of a booking that the hub sold under a loan: the same QR as the box's own.
//!
//! `CP1:` and, in base45 (RFC 9285), 90 bytes: version 1 (1 byte), clinic (4), appointment (16), not
//! after in hours since 2020-01-01T00:00Z (3, big endian), key id (2: the first bytes of the SHA-256
//! of the public key), Ed25519 signature (64) over the text `carepost-qr-1` and all bytes before
//! it. So a kiosk that trusts the hub's key for its clinic beside the box's own checks it without
//! a network, and needs no other code for it.
//!
//! The slot and the fence of the sale are not in it; there is no room, and a code that says more
//! than which appointment tells more than it must. They are in the [`Sold`] that the hub signs
//! for the patient's confirmation (message or portal), which the desk can take in when the
//! line is cut: it is what [`crate::loan::ToBox::Sale`] says.
//!
//! Invariant: no personal data is in either.

use crate::envelope::{SigningKey, VerifyingKey};
use crate::loan::{BookingId, Epoch, Fence, Generation};
use crate::wire::SLOT_KEY_MAX;

/// What every text begins with.
pub const PREFIX: &str = "CP1:";
/// What the text of a [`Sold`] begins with.
pub const SOLD_PREFIX: &str = "CPS1:";
/// As many characters as are looked at.
pub const TEXT_MAX: usize = 512;

const LABEL: &[u8] = b"carepost-qr-1";
const SOLD_LABEL: &[u8] = b"carepost-sold-1";
const VERSION: u8 = 1;
const SIGNATURE: usize = 64;
/// Version, clinic, generation, epoch, booking and the length of the slot.
const SOLD_FIXED: usize = 1 + 16 + 8 + 8 + 16 + 1;
/// 2020-01-01T00:00Z in hours since 1970.
const HOURS_2020: i64 = 438_288;
const HOUR_MS: i64 = 3600 * 1000;
const HOURS_MAX: i64 = 0x00FF_FFFF;

/// The text of the QR for an appointment. `not_after_ms` (milliseconds since 1970 UTC) is rounded up
/// to the full hour.
pub fn sign(key: &SigningKey, clinic: [u8; 4], appointment: [u8; 16], not_after_ms: i64) -> String {
    let hour = not_after_ms.div_euclid(HOUR_MS) + i64::from(not_after_ms.rem_euclid(HOUR_MS) > 0);
    let hours = hour.saturating_sub(HOURS_2020).clamp(0, HOURS_MAX);
    let id = key.verifying_key().id();
    let mut token = vec![VERSION];
    token.extend_from_slice(&clinic);
    token.extend_from_slice(&appointment);
    token.extend_from_slice(&hours.to_be_bytes()[5..]);
    token.extend_from_slice(&id.0[..2]);
    let signature = key.sign(&[LABEL, &token].concat());
    token.extend_from_slice(&signature);
    format!("{PREFIX}{}", base45::encode(&token))
}

/// What the hub says to a patient who bought a slot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sold {
    /// The clinic's id.
    pub clinic: [u8; 16],
    /// The loan under which it was sold; each has one sale.
    pub fence: Fence,
    /// The booking.
    pub booking: BookingId,
    /// The slot's key; opaque here, at most [`SLOT_KEY_MAX`] bytes.
    pub slot: Vec<u8>,
}

/// Why a text is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SoldError {
    /// Some other code.
    #[error("this is not a confirmation of an online booking")]
    NotOurs,
    /// It begins like ours and cannot be read.
    #[error("the confirmation is damaged; scan it again")]
    Damaged,
    /// Of another clinic.
    #[error("the confirmation is of another clinic")]
    OtherClinic,
    /// No key that is trusted has signed it.
    #[error("the confirmation was not signed by the hub of this clinic")]
    Forged,
}

impl Sold {
    /// The signed text; none if the slot's key is too long.
    pub fn sign(&self, key: &SigningKey) -> Option<String> {
        let mut token = self.bytes()?;
        let signature = key.sign(&[SOLD_LABEL, &token].concat());
        token.extend_from_slice(&signature);
        Some(format!("{SOLD_PREFIX}{}", base45::encode(&token)))
    }

    /// Reads a text that one of these keys signed for this clinic, without a network. Blanks around
    /// it and small letters do not matter.
    ///
    /// # Errors
    /// [`SoldError`].
    pub fn verify(text: &str, clinic: [u8; 16], keys: &[VerifyingKey]) -> Result<Self, SoldError> {
        if text.len() > TEXT_MAX {
            return Err(SoldError::NotOurs);
        }
        let text = text.trim().to_ascii_uppercase();
        let text = text.strip_prefix(SOLD_PREFIX).ok_or(SoldError::NotOurs)?;
        let token = base45::decode(text).map_err(|_| SoldError::Damaged)?;
        let (claim, signature) = token
            .split_at_checked(token.len().saturating_sub(SIGNATURE))
            .ok_or(SoldError::Damaged)?;
        let sold = Self::read(claim).ok_or(SoldError::Damaged)?;
        if sold.clinic != clinic {
            return Err(SoldError::OtherClinic);
        }
        let signed = [SOLD_LABEL, claim].concat();
        let is_signed = keys.iter().any(|key| key.has_signed(&signed, signature));
        is_signed.then_some(sold).ok_or(SoldError::Forged)
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        let length =
            u8::try_from(self.slot.len()).ok().filter(|it| usize::from(*it) <= SLOT_KEY_MAX)?;
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.clinic);
        bytes.extend_from_slice(&self.fence.generation.0.to_be_bytes());
        bytes.extend_from_slice(&self.fence.epoch.0.to_be_bytes());
        bytes.extend_from_slice(&self.booking.0);
        bytes.push(length);
        bytes.extend_from_slice(&self.slot);
        Some(bytes)
    }

    fn read(claim: &[u8]) -> Option<Self> {
        let (fixed, slot) = claim.split_at_checked(SOLD_FIXED)?;
        let fence = Fence {
            generation: Generation(u64::from_be_bytes(fixed[17..25].try_into().ok()?)),
            epoch: Epoch(u64::from_be_bytes(fixed[25..33].try_into().ok()?)),
        };
        let sold = Self {
            clinic: fixed[1..17].try_into().ok()?,
            fence,
            booking: BookingId(fixed[33..49].try_into().ok()?),
            slot: slot.to_vec(),
        };
        // Written again it has to be the same: that checks version and length, too.
        (sold.bytes().as_deref() == Some(claim)).then_some(sold)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CLINIC: [u8; 16] = *b"clinic-000000001";

    fn key(seed: u8) -> SigningKey {
        let mut pkcs8 = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 32];
        pkcs8.extend_from_slice(&[seed; 32]);
        SigningKey::from_pkcs8(&pkcs8).unwrap()
    }

    fn sold() -> Sold {
        let fence = Fence { generation: Generation(1), epoch: Epoch(7) };
        Sold {
            clinic: CLINIC,
            fence,
            booking: BookingId([3; 16]),
            slot: b"schedule+start".to_vec(),
        }
    }

    /// The vector that the box's own reader is tested with: one clinic, one appointment, one key.
    #[test]
    fn the_hub_writes_the_qr_that_the_box_reads() {
        let vector = "CP1:8A0.-901B*96DL6WW66:6JB7WJC6VCC+C7%TJ66QC5X5J2LHGM04IC%MHQDVK0PGGMIAHX-QJ/1E2892SXNE2M45V6%V15*IKV7675:UJWI7OFO/PCZG59X7*KE+ORKHO8H8C48";
        let clinic = [0xCA, 0x4E, 0x90, 0x57];
        // 2026-11-23T09:00:00.001Z
        let not_after_ms = 1_795_424_400_001;
        assert_eq!(sign(&key(0x42), clinic, *b"0123456789abcdef", not_after_ms), vector);
    }

    #[test]
    fn the_desk_reads_what_the_hub_sold_without_a_network() {
        let text = sold().sign(&key(1)).unwrap();
        let keys = [key(2).verifying_key(), key(1).verifying_key()];
        let typed = format!(" {}\r\n", text.to_ascii_lowercase());
        assert_eq!(Sold::verify(&typed, CLINIC, &keys), Ok(sold()));
        assert_eq!(Sold::verify(&text, [0; 16], &keys), Err(SoldError::OtherClinic));
        assert_eq!(Sold::verify(&text, CLINIC, &keys[..1]), Err(SoldError::Forged));
        assert_eq!(Sold::verify("CP1:8A0", CLINIC, &keys), Err(SoldError::NotOurs));
        assert_eq!(Sold::verify(&text[..40], CLINIC, &keys), Err(SoldError::Damaged));
        assert_eq!(Sold::verify(&"C".repeat(600), CLINIC, &keys), Err(SoldError::NotOurs));
        let long = Sold { slot: vec![0; SLOT_KEY_MAX + 1], ..sold() };
        assert_eq!(long.sign(&key(1)), None);
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let text = sold().sign(&key(1)).unwrap();
        let good = base45::decode(text.strip_prefix(SOLD_PREFIX).unwrap()).unwrap();
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let text = format!("{SOLD_PREFIX}{}", base45::encode(&bad));
            assert!(Sold::verify(&text, CLINIC, &[key(1).verifying_key()]).is_err(), "bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn no_text_brings_the_reader_down(text in "(CPS1:|cps1:)?.{0,200}") {
            let _ = Sold::verify(&text, CLINIC, &[key(1).verifying_key()]);
        }

        #[test]
        fn no_bytes_bring_the_reader_down(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let text = format!("{SOLD_PREFIX}{}", base45::encode(&bytes));
            prop_assert!(Sold::verify(&text, CLINIC, &[key(1).verifying_key()]).is_err());
        }
    }
}
