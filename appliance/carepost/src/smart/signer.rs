//! A client of the tests, with one key of each kind.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA384, RsaKeyPair,
};
use serde_json::{Value, json};

use super::key_set::Algorithm;

/// The public keys: `rsa-1` and `ec-1`.
pub(crate) const KEYS: &str = include_str!("fixtures/keys.json");
const RSA: &str = include_str!("fixtures/rsa_private.pem");
const EC: &str = include_str!("fixtures/ec_private.pem");

/// The header of a token that is signed so.
pub(crate) fn header(algorithm: Algorithm) -> Value {
    match algorithm {
        Algorithm::Rs384 => json!({ "typ": "JWT", "alg": "RS384", "kid": "rsa-1" }),
        Algorithm::Es384 => json!({ "typ": "JWT", "alg": "ES384", "kid": "ec-1" }),
    }
}

/// A token with this header, whatever it says, signed by the key for the algorithm.
pub(crate) fn token(header: &Value, claims: &Value, by: Algorithm) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(by, message.as_bytes()));
    format!("{message}.{signature}")
}

fn sign(by: Algorithm, message: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    match by {
        Algorithm::Rs384 => {
            let key = RsaKeyPair::from_pkcs8(&der(RSA)).unwrap();
            let mut signature = vec![0; key.public().modulus_len()];
            key.sign(&RSA_PKCS1_SHA384, &random, message, &mut signature).unwrap();
            signature
        }
        Algorithm::Es384 => {
            let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &der(EC), &random);
            key.unwrap().sign(&random, message).unwrap().as_ref().to_vec()
        }
    }
}

fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}
