//! Key sets as clients write them.

use serde_json::{Value, json};

use super::*;
use crate::smart::signer::KEYS;

/// The key set with something else in its first key, which is the one of RSA.
fn with(name: &str, value: Value) -> Result<KeySet, KeySetError> {
    let mut set: Value = serde_json::from_str(KEYS).unwrap();
    set["keys"][0][name] = value;
    KeySet::parse(&set.to_string())
}

#[test]
fn keys_that_check_signatures_are_taken_and_others_left_out() {
    let keys = KeySet::parse(KEYS).unwrap();
    assert!(keys.has("rsa-1", Algorithm::Rs384) && keys.has("ec-1", Algorithm::Es384));
    assert!(!keys.has("rsa-1", Algorithm::Es384), "an algorithm has its own kind of key");
    for (name, value) in [
        ("use", json!("enc")),
        ("key_ops", json!(["encrypt"])),
        ("alg", json!("RS256")),
        ("kty", json!("OKP")),
        ("kid", json!("")),
        ("n", json!("AQAB")),
        ("n", json!("no base64!")),
    ] {
        let keys = with(name, value).unwrap();
        assert!(!keys.has("rsa-1", Algorithm::Rs384), "{name}");
        assert!(keys.has("ec-1", Algorithm::Es384), "{name}");
    }
}

#[test]
fn what_is_no_set_of_public_keys_is_refused() {
    assert_eq!(with("d", json!("AQAB")).unwrap_err(), KeySetError::Private);
    let twice: Value = serde_json::from_str(KEYS).unwrap();
    let twice = json!({ "keys": [twice["keys"][1], twice["keys"][1]] }).to_string();
    let many = json!({ "keys": vec![json!({ "kty": "OKP" }); KEYS_MAX + 1] }).to_string();
    let long = format!("{{\"keys\":[]{}}}", " ".repeat(KEY_SET_BYTES_MAX));
    for (text, why) in [
        ("[]", KeySetError::NoSet),
        ("-----BEGIN PUBLIC KEY-----", KeySetError::NoSet),
        ("{\"keys\":[]}", KeySetError::NoneUsable),
        ("{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}", KeySetError::Private),
        (&twice, KeySetError::Twice),
        (&many, KeySetError::TooLarge),
        (&long, KeySetError::TooLarge),
    ] {
        assert_eq!(KeySet::parse(text).unwrap_err(), why);
    }
}
