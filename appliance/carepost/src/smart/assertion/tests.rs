//! Assertions, as another program signed them and as nobody should.

use ring::hmac;
use serde_json::{Value, json};

use super::*;
use crate::smart::signer::{KEYS, header, token};

const CLIENT: &str = "01937e56-0000-7000-8000-000000000001";
const ENDPOINT: &str = "https://box.local:8443/auth/token";

fn now() -> Timestamp {
    "2026-11-23T04:30:00Z".parse().unwrap()
}

fn claims() -> Value {
    let exp = now().as_second() + AHEAD_SECONDS_MAX;
    json!({ "iss": CLIENT, "sub": CLIENT, "aud": ENDPOINT, "exp": exp, "jti": "one" })
}

fn verified(text: &str) -> Result<Verified, NotGood> {
    let keys = KeySet::parse(KEYS).unwrap();
    Assertion::read(text)?.verify(&keys, ENDPOINT, now())
}

#[test]
fn what_another_program_signed_is_verified() {
    // Signed by OpenSSL.
    for text in [include_str!("../fixtures/es384.jwt"), include_str!("../fixtures/rs384.jwt")] {
        let verified = verified(text.trim_end()).unwrap();
        assert_eq!(verified.jti, "one");
        assert_eq!(verified.expires_at.as_second(), now().as_second() + AHEAD_SECONDS_MAX);
    }
}

#[test]
fn each_claim_says_what_it_must() {
    let at = now().as_second();
    let far = AHEAD_SECONDS_MAX + LEEWAY_SECONDS;
    for (name, value, expected) in [
        ("exp", json!(at + far), None),
        ("exp", json!(at + far + 1), Some(NotGood::TooLong)),
        ("exp", json!(at + 1), None),
        ("exp", json!(at), Some(NotGood::Over)),
        ("exp", json!(at as f64 + 60.5), None),
        ("exp", json!(1e300), Some(NotGood::Malformed)),
        ("exp", json!("soon"), Some(NotGood::Malformed)),
        ("exp", Value::Null, Some(NotGood::Malformed)),
        ("nbf", json!(at + LEEWAY_SECONDS), None),
        ("nbf", json!(at + LEEWAY_SECONDS + 1), Some(NotGood::NotNow)),
        ("iat", json!(at - 60), None),
        ("iat", json!(at + 3_600), Some(NotGood::NotNow)),
        ("iat", json!(0), Some(NotGood::NotNow)),
        ("aud", json!([ENDPOINT]), None),
        ("aud", json!([ENDPOINT, "https://else.where/token"]), Some(NotGood::Malformed)),
        ("aud", json!("https://box.local:8443/auth/token/"), Some(NotGood::Audience)),
        ("aud", json!("https://box.local:8443/fhir"), Some(NotGood::Audience)),
        ("aud", Value::Null, Some(NotGood::Malformed)),
        ("iss", json!("01937e56-0000-7000-8000-000000000002"), Some(NotGood::Client)),
        ("sub", json!("somebody"), Some(NotGood::Client)),
        ("jti", json!(""), Some(NotGood::Malformed)),
        ("jti", json!("x".repeat(JTI_BYTES_MAX + 1)), Some(NotGood::Malformed)),
        ("jti", Value::Null, Some(NotGood::Malformed)),
    ] {
        let mut claims = claims();
        claims[name] = value.clone();
        let text = token(&header(Algorithm::Es384), &claims, Algorithm::Es384);
        assert_eq!(verified(&text).err(), expected, "{name} {value}");
    }
}

#[test]
fn each_field_of_the_header_says_what_it_must() {
    for (name, value, expected) in [
        ("typ", Value::Null, None),
        ("typ", json!("at+jwt"), Some(NotGood::Malformed)),
        ("alg", json!("none"), Some(NotGood::Algorithm)),
        ("alg", json!("HS384"), Some(NotGood::Algorithm)),
        ("alg", json!("ES256"), Some(NotGood::Algorithm)),
        ("alg", json!("es384"), Some(NotGood::Algorithm)),
        ("alg", json!("RS384"), Some(NotGood::Key)),
        ("kid", json!("rsa-1"), Some(NotGood::Key)),
        ("kid", json!("another"), Some(NotGood::Key)),
        ("kid", Value::Null, Some(NotGood::Malformed)),
        ("crit", json!(["exp"]), Some(NotGood::Critical)),
    ] {
        let mut header = header(Algorithm::Es384);
        header[name] = value.clone();
        let text = token(&header, &claims(), Algorithm::Es384);
        assert_eq!(verified(&text).err(), expected, "{name} {value}");
    }
    // A key of its own that the token brings along is not looked at.
    let mut own = header(Algorithm::Es384);
    own["jwk"] = serde_json::from_str::<Value>(KEYS).unwrap()["keys"][1].clone();
    own["kid"] = json!("mine");
    let text = token(&own, &claims(), Algorithm::Es384);
    assert_eq!(verified(&text).err(), Some(NotGood::Key));
}

#[test]
fn what_the_key_did_not_sign_is_refused() {
    let good = token(&header(Algorithm::Es384), &claims(), Algorithm::Es384);
    assert!(verified(&good).is_ok());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let mut other = claims();
    other["jti"] = json!("two");
    let other = token(&header(Algorithm::Es384), &other, Algorithm::Es384);
    let (other, _) = other.rsplit_once('.').unwrap();
    let by_rsa = token(&header(Algorithm::Es384), &claims(), Algorithm::Rs384);
    // The public key as the secret of a MAC is the oldest trick.
    let secret = hmac::Key::new(hmac::HMAC_SHA384, KEYS.as_bytes());
    let mac = URL_SAFE_NO_PAD.encode(hmac::sign(&secret, message.as_bytes()));
    for text in [
        format!("{other}.{signature}"),
        format!("{message}."),
        format!("{message}.{}", URL_SAFE_NO_PAD.encode([0; 96])),
        format!("{message}.{mac}"),
        by_rsa,
    ] {
        assert_eq!(verified(&text).err(), Some(NotGood::Signature), "{text}");
    }
    for text in ["", "..", "a.b.c", "a.b.c.d", &good[1..], &format!("{good}="), &format!("{good} ")]
    {
        assert_eq!(verified(text).err(), Some(NotGood::Malformed), "{text}");
    }
    let long = format!("{message}.{}", "A".repeat(ASSERTION_BYTES_MAX));
    assert_eq!(verified(&long).err(), Some(NotGood::Malformed));
}

#[test]
fn keys_are_looked_for_only_where_the_client_was_registered_with() {
    let mut header = header(Algorithm::Es384);
    header["jku"] = json!("https://his.example/keys");
    let assertion = Assertion::read(&token(&header, &claims(), Algorithm::Es384)).unwrap();
    assert!(assertion.names_keys_at(Some("https://his.example/keys")).is_ok());
    for registered in [None, Some("https://his.example/other")] {
        assert_eq!(assertion.names_keys_at(registered), Err(NotGood::KeysElsewhere));
    }
}
