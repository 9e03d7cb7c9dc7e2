//! The bytes of an envelope, written and read. Nothing is checked here but the form.

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

use super::{KeyId, Kind, NUMBER_MAX, OpenError, Place, VERSION};
use crate::lineage::LogId;

const ENTRIES: u64 = 13;
/// The entry with the signature: key, head of the byte string, bytes.
const SIGNATURE_ENTRY: usize = 1 + 2 + 64;

/// Everything that can be read without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub place: Place,
    pub signed_by: KeyId,
    pub sealed_for: KeyId,
    pub dictionary: u64,
}

/// An envelope, cut into its parts.
pub struct Envelope<'a> {
    pub head: Head,
    /// What the sealing binds: all before `enc`.
    pub aad: &'a [u8],
    pub enc: &'a [u8],
    pub ciphertext: &'a [u8],
    /// All before the signature.
    pub signed: &'a [u8],
    pub signature: &'a [u8],
}

/// The envelope up to and without `enc`.
pub fn head(head: &Head) -> Vec<u8> {
    let Head { place, signed_by, sealed_for, dictionary } = head;
    let Place { kind, clinic, box_id, log, after, through } = place;
    let mut entries = Entries::default();
    entries.write(|it| it.map(ENTRIES)?.u8(0)?.u64(VERSION)?.u8(1)?.u64(kind.number())?.ok());
    entries.write(|it| it.u8(2)?.bytes(clinic)?.u8(3)?.bytes(box_id)?.u8(4)?.bytes(&log.0)?.ok());
    entries.write(|it| it.u8(5)?.u64(*after)?.u8(6)?.u64(*through)?.ok());
    entries.write(|it| it.u8(7)?.bytes(&signed_by.0)?.u8(8)?.bytes(&sealed_for.0)?.ok());
    entries.write(|it| it.u8(9)?.u64(*dictionary)?.ok());
    entries.bytes
}

/// Adds what was sealed.
pub fn add_sealed(envelope: &mut Vec<u8>, enc: &[u8], ciphertext: &[u8]) {
    let mut entries = Entries { bytes: std::mem::take(envelope) };
    entries.write(|it| it.u8(10)?.bytes(enc)?.u8(11)?.bytes(ciphertext)?.ok());
    *envelope = entries.bytes;
}

/// Adds the signature.
pub fn add_signature(envelope: &mut Vec<u8>, signature: &[u8; 64]) {
    let mut entries = Entries { bytes: std::mem::take(envelope) };
    entries.write(|it| it.u8(12)?.bytes(signature)?.ok());
    *envelope = entries.bytes;
}

/// Cuts an envelope into its parts. It has one encoding only: what was read is written again and has
/// to be the same, so that no two texts mean the same envelope.
pub fn read(bytes: &[u8]) -> Result<Envelope<'_>, OpenError> {
    let mut reader = Decoder::new(bytes);
    let version = version(&mut reader).ok_or(OpenError::Malformed)?;
    if version != VERSION {
        return Err(OpenError::Version);
    }
    let envelope = parts(bytes, &mut reader).ok_or(OpenError::Malformed)?;
    let mut again = head(&envelope.head);
    add_sealed(&mut again, envelope.enc, envelope.ciphertext);
    (again == envelope.signed).then_some(envelope).ok_or(OpenError::Malformed)
}

fn version(reader: &mut Decoder<'_>) -> Option<u64> {
    let is_map = reader.datatype().ok()? == Type::Map && reader.map().ok()? == Some(ENTRIES);
    (is_map && reader.u64().ok()? == 0).then(|| reader.u64().ok())?
}

fn parts<'a>(bytes: &'a [u8], reader: &mut Decoder<'a>) -> Option<Envelope<'a>> {
    let number = number(reader, 1)?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.number() == number)?;
    let clinic = array(reader, 2)?;
    let box_id = array(reader, 3)?;
    let log = LogId(array(reader, 4)?);
    let (after, through) = (self::number(reader, 5)?, self::number(reader, 6)?);
    let (signed_by, sealed_for) = (KeyId(array(reader, 7)?), KeyId(array(reader, 8)?));
    let dictionary = self::number(reader, 9)?;
    let aad = bytes.get(..reader.position())?;
    let enc = text(reader, 10)?;
    let ciphertext = text(reader, 11)?;
    let signed = bytes.get(..reader.position())?;
    let signature = text(reader, 12)?;
    let fits = after <= through
        && through <= NUMBER_MAX
        && enc.len() == 32
        && signature.len() == 64
        && bytes.len() == signed.len() + SIGNATURE_ENTRY;
    let place = Place { kind, clinic, box_id, log, after, through };
    let head = Head { place, signed_by, sealed_for, dictionary };
    fits.then_some(Envelope { head, aad, enc, ciphertext, signed, signature })
}

fn number(reader: &mut Decoder<'_>, key: u64) -> Option<u64> {
    (reader.u64().ok()? == key).then(|| reader.u64().ok())?
}

fn text<'a>(reader: &mut Decoder<'a>, key: u64) -> Option<&'a [u8]> {
    (reader.u64().ok()? == key).then(|| reader.bytes().ok())?
}

fn array<const N: usize>(reader: &mut Decoder<'_>, key: u64) -> Option<[u8; N]> {
    text(reader, key)?.try_into().ok()
}

/// A map that grows in memory, where writing cannot fail.
#[derive(Default)]
struct Entries {
    bytes: Vec<u8>,
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

impl Entries {
    fn write(&mut self, write: impl FnOnce(&mut Encoder<&mut Vec<u8>>) -> Written) {
        let written = write(&mut Encoder::new(&mut self.bytes));
        written
            .expect("invariant: a vector takes all bytes, and numbers and bytes have an encoding");
    }
}
