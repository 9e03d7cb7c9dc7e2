//! What an envelope keeps to itself, where it fits, and what no bytes may do.

use std::path::Path;

use proptest::prelude::*;

use super::random::Random;
use super::*;

const PLACE: Place = Place {
    kind: Kind::Bundle,
    clinic: *b"clinic-000000001",
    box_id: *b"box-000000000001",
    log: LogId(*b"log-000000000001"),
    after: 41,
    through: 1000,
};
const EXPECTED: Expected =
    Expected { kind: PLACE.kind, clinic: PLACE.clinic, box_id: PLACE.box_id };

/// The vector that programs in other languages are tried with.
#[test]
fn the_published_vector_opens_and_would_be_written_like_that_again() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/envelope.txt");
    let body = br#"{"resourceType":"Bundle","type":"collection","entry":[]}"#;
    let sealed_with = |dictionary: Option<&Dictionary>| {
        let (sign, to) = (signing_key(), opening_key().sealing_key());
        seal_with(&PLACE, body, &sign, &to, dictionary, &mut Random::fixed([9; 32])).unwrap()
    };
    let (sealed, packed) = (sealed_with(None), sealed_with(Some(&dictionary::first())));
    let lines = [
        ("signing_seed", SIGNING_SEED.to_vec()),
        ("verifying_key", signing_key().verifying_key().0.to_vec()),
        ("opening_key", OPENING_KEY.to_vec()),
        ("sealing_key", opening_key().sealing_key().bytes().to_vec()),
        ("envelope", sealed.clone()),
        ("envelope_with_dictionary", packed.clone()),
        ("body", body.to_vec()),
    ];
    let text: String = lines.iter().map(|(name, it)| format!("{name} = {}\n", hex(it))).collect();
    if std::env::var_os("CAREPOST_WRITE_VECTORS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    for (name, now) in [("envelope = ", sealed), ("envelope_with_dictionary = ", packed)] {
        let published: Vec<u8> = written
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .map(|hex| hex.as_bytes().chunks(2).map(unhex).collect())
            .unwrap();
        let mut receiver = receiver();
        receiver.unpack_with(dictionary::first()).unwrap();
        let opened = receiver.open(&published, &EXPECTED).unwrap();
        assert_eq!((opened.place, opened.body.as_slice()), (PLACE, &body[..]));
        assert_eq!(opened.signed_by, signing_key().id());
        // zstd may come to pack otherwise; what comes before the ciphertext may not change.
        assert_eq!(published[..190], now[..190], "{name}");
    }
}

#[test]
fn it_fits_no_other_clinic_box_or_kind() {
    let sealed = sealed(b"a body");
    for expected in [
        Expected { clinic: [0; 16], ..EXPECTED },
        Expected { box_id: [0; 16], ..EXPECTED },
        Expected { kind: Kind::Receipt, ..EXPECTED },
    ] {
        assert_eq!(receiver().open(&sealed, &expected), Err(OpenError::Elsewhere));
    }
}

/// Somebody with a key that is believed takes the ciphertext of another and signs it as his own, or
/// puts it elsewhere.
#[test]
fn what_was_sealed_by_one_is_not_signed_by_another() {
    let thief = SigningKey::from_pkcs8(&SigningKey::generate().unwrap()).unwrap();
    let mut receiver = receiver();
    receiver.believe(thief.verifying_key()).unwrap();
    let sealed = sealed(b"a body");
    let envelope = layout::read(&sealed).unwrap();
    let resigned = |place: Place, key: &SigningKey| {
        let head = layout::Head { place, signed_by: key.id(), ..envelope.head };
        let mut bytes = layout::head(&head);
        layout::add_sealed(&mut bytes, envelope.enc, envelope.ciphertext);
        let signature = key.sign(&[SIGNED_LABEL, &bytes].concat());
        layout::add_signature(&mut bytes, &signature);
        bytes
    };
    assert!(receiver.open(&resigned(PLACE, &signing_key()), &EXPECTED).is_ok());
    let stolen = resigned(PLACE, &thief);
    assert_eq!(receiver.open(&stolen, &EXPECTED), Err(OpenError::NotOpened));
    let moved = resigned(Place { after: 40, ..PLACE }, &signing_key());
    assert_eq!(receiver.open(&moved, &EXPECTED), Err(OpenError::NotOpened));
    let other = resigned(Place { log: LogId([0; 16]), ..PLACE }, &signing_key());
    assert_eq!(receiver.open(&other, &EXPECTED), Err(OpenError::NotOpened));
}

#[test]
fn keys_are_changed_one_beside_the_other_and_revoked_by_id() {
    let sealed = sealed(b"a body");
    let mut later = receiver();
    later.open_with(OpeningKey::generate().unwrap()).unwrap();
    later
        .believe(SigningKey::from_pkcs8(&SigningKey::generate().unwrap()).unwrap().verifying_key())
        .unwrap();
    assert!(later.open(&sealed, &EXPECTED).is_ok());
    later.revoke(signing_key().id()).unwrap();
    assert_eq!(later.open(&sealed, &EXPECTED), Err(OpenError::Revoked));
    let mut stranger = Receiver::default();
    assert_eq!(stranger.open(&sealed, &EXPECTED), Err(OpenError::UnknownKey));
    stranger.believe(signing_key().verifying_key()).unwrap();
    assert_eq!(stranger.open(&sealed, &EXPECTED), Err(OpenError::UnknownKey));
    for _ in 1..KEYS_MAX {
        stranger.believe(signing_key().verifying_key()).unwrap();
    }
    assert_eq!(stranger.believe(signing_key().verifying_key()), Err(BadKey));
}

#[test]
fn a_bomb_is_not_unpacked() {
    // 17 MiB of zeros shrink to about 2 kB.
    let bomb = zstd::bulk::compress(&vec![0; BODY_MAX + (1 << 20)], 3).unwrap();
    assert!(bomb.len() < 10_000);
    assert_eq!(receiver().open(&sealed_raw(&bomb), &EXPECTED), Err(OpenError::Packing));
    // A frame that asks for a window of 8 MiB.
    let mut wide = zstd::bulk::Compressor::new(1).unwrap();
    wide.set_parameter(zstd::stream::raw::CParameter::WindowLog(23)).unwrap();
    wide.set_parameter(zstd::stream::raw::CParameter::ContentSizeFlag(false)).unwrap();
    let wide = wide.compress(&vec![1; 9 << 20]).unwrap();
    assert_eq!(receiver().open(&sealed_raw(&wide), &EXPECTED), Err(OpenError::Packing));
    // More than one frame, and half a frame.
    let frame = packing::pack(b"a body", None).unwrap();
    let twice = [frame.clone(), frame.clone()].concat();
    assert_eq!(receiver().open(&sealed_raw(&twice), &EXPECTED), Err(OpenError::Packing));
    assert_eq!(receiver().open(&sealed_raw(&frame[..8]), &EXPECTED), Err(OpenError::Packing));
    assert_eq!(receiver().open(&sealed_raw(b""), &EXPECTED), Err(OpenError::Packing));
}

#[test]
fn the_longest_body_passes_and_a_longer_one_is_refused() {
    let mut body = vec![0; BODY_MAX];
    assert_eq!(receiver().open(&sealed(&body), &EXPECTED).unwrap().body.len(), BODY_MAX);
    body.push(0);
    let key = opening_key().sealing_key();
    assert_eq!(seal(&PLACE, &body, &signing_key(), &key, None), Err(SealError::TooLong));
    let backwards = Place { after: 2, through: 1, ..PLACE };
    assert_eq!(seal(&backwards, b"", &signing_key(), &key, None), Err(SealError::Stretch));
}

#[test]
fn a_dictionary_is_named_and_has_to_be_known() {
    let dictionary =
        Dictionary { number: 7, bytes: b"a body of a resource of a clinic ".repeat(4) };
    let body = b"a body of a resource of a clinic";
    let key = opening_key().sealing_key();
    let small = seal(&PLACE, body, &signing_key(), &key, Some(&dictionary)).unwrap();
    assert!(small.len() < sealed(body).len());
    assert_eq!(receiver().open(&small, &EXPECTED), Err(OpenError::UnknownDictionary));
    let mut knowing = receiver();
    knowing.unpack_with(dictionary).unwrap();
    assert_eq!(knowing.open(&small, &EXPECTED).unwrap().body, body);
}

#[test]
fn no_bit_can_be_changed_and_nothing_cut_off() {
    let good = sealed(b"a body");
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(receiver().open(&bad, &EXPECTED).is_err(), "bit {bit}");
    }
    for length in 0..good.len() {
        assert!(receiver().open(&good[..length], &EXPECTED).is_err(), "length {length}");
    }
    assert_eq!(receiver().open(&[good, vec![0]].concat(), &EXPECTED), Err(OpenError::Malformed));
    assert_eq!(receiver().open(&vec![0; ENVELOPE_MAX + 1], &EXPECTED), Err(OpenError::TooLong));
}

/// The number 41 in two bytes where one would do: the same meaning, so not the one encoding.
#[test]
fn there_is_one_encoding_of_an_envelope() {
    let good = sealed(b"a body");
    let at = good.windows(2).position(|pair| pair == [5, 0x18]).unwrap();
    let mut long = good.clone();
    long.splice(at + 1..at + 3, [0x19, 0, 41]);
    assert_eq!(receiver().open(&long, &EXPECTED), Err(OpenError::Malformed));
}

proptest! {
    #[test]
    fn what_was_sealed_is_opened(body in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert_eq!(receiver().open(&sealed(&body), &EXPECTED).unwrap().body, body);
    }

    #[test]
    fn no_bytes_bring_the_reader_down(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(receiver().open(&bytes, &EXPECTED).is_err());
    }

    /// Pieces of a good envelope, put together otherwise.
    #[test]
    fn no_mutation_brings_the_reader_down(
        cut in (0..300_usize, 0..300_usize),
        piece in prop::collection::vec(any::<u8>(), 0..12),
    ) {
        let mut bytes = sealed(b"a body");
        let from = cut.0.min(bytes.len());
        let to = (from + cut.1 % 16).min(bytes.len());
        let is_same = bytes[from..to] == piece[..];
        bytes.splice(from..to, piece);
        prop_assert_eq!(receiver().open(&bytes, &EXPECTED).is_ok(), is_same);
    }

    /// What a sender who is believed may pack: anything at all.
    #[test]
    fn no_frame_brings_the_unpacking_down(
        at in 0..40_usize,
        with in any::<u8>(),
        body in prop::collection::vec(0..4_u8, 0..300),
    ) {
        let mut frame = packing::pack(&body, None).unwrap();
        let at = at.min(frame.len() - 1);
        frame[at] = with;
        let _ = packing::unpack(&frame, None);
    }
}

const SIGNING_SEED: [u8; 32] = [0x42; 32];
const OPENING_KEY: [u8; 32] = [0x24; 32];

fn signing_key() -> SigningKey {
    let mut pkcs8 = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 32];
    pkcs8.extend_from_slice(&SIGNING_SEED);
    SigningKey::from_pkcs8(&pkcs8).unwrap()
}

fn opening_key() -> OpeningKey {
    OpeningKey::from_bytes(&OPENING_KEY).unwrap()
}

fn receiver() -> Receiver {
    let mut receiver = Receiver::default();
    receiver.open_with(opening_key()).unwrap();
    receiver.believe(signing_key().verifying_key()).unwrap();
    receiver
}

fn sealed(body: &[u8]) -> Vec<u8> {
    seal(&PLACE, body, &signing_key(), &opening_key().sealing_key(), None).unwrap()
}

/// Seals what is not a frame of ours.
fn sealed_raw(packed: &[u8]) -> Vec<u8> {
    let key = opening_key().sealing_key();
    let (signed_by, sealed_for) = (signing_key().id(), key.id());
    let mut bytes =
        layout::head(&layout::Head { place: PLACE, signed_by, sealed_for, dictionary: 0 });
    let (enc, ciphertext) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeS::Base,
        &PublicKey::from_bytes(&key.bytes()).unwrap(),
        LABEL,
        packed,
        &bytes,
        &mut Random::new().unwrap(),
    )
    .unwrap();
    layout::add_sealed(&mut bytes, &enc.to_bytes(), &ciphertext);
    let signature = signing_key().sign(&[SIGNED_LABEL, &bytes].concat());
    layout::add_signature(&mut bytes, &signature);
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(pair: &[u8]) -> u8 {
    u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()
}
