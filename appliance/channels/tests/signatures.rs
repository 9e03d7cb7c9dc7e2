//! Webhooks signed by others' programs (`sign.py`) are believed; with anything changed they are not.

use channels::standard_webhooks::{self, Key, NotAKey, TOLERANCE_MS};
use channels::whatsapp::{Forged, meta, twilio};
use serde::Deserialize;

#[derive(Clone, Deserialize)]
struct Case {
    scheme: String,
    name: String,
    secret: String,
    #[serde(default)]
    url: String,
    settings: Option<String>,
    #[serde(default)]
    content_type: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    timestamp: String,
    body: String,
    signature: String,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("vectors/signatures.json")).expect("vectors are JSON")
}

fn verify(case: &Case) -> Result<(), Forged> {
    let body = case.body.as_bytes();
    match case.scheme.as_str() {
        "twilio" => {
            let signed = twilio::Signed {
                url: &case.url,
                signature: &case.signature,
                settings: case.settings.as_deref(),
                content_type: &case.content_type,
                body,
            };
            let is_shared = case.settings.is_some();
            let token = if is_shared { "another" } else { &case.secret };
            twilio::verify(token, is_shared.then_some(&case.secret), &signed)
        }
        "meta" => meta::verify(&case.secret, &case.signature, body),
        _ => standard(case, &[Key::parse(&case.secret).expect("a key")], 0),
    }
}

fn standard(case: &Case, keys: &[Key], later_ms: i64) -> Result<(), Forged> {
    let signed = standard_webhooks::Signed {
        id: &case.id,
        timestamp: &case.timestamp,
        signature: &case.signature,
        body: case.body.as_bytes(),
    };
    standard_webhooks::verify(keys, &signed, 1_674_087_231_000 + later_ms)
}

fn found(name: &str) -> Case {
    cases().into_iter().find(|it| it.name == name).expect("there is such a case")
}

#[test]
fn what_others_signed_is_believed_and_nothing_that_was_changed() {
    for case in cases() {
        assert_eq!(verify(&case), Ok(()), "{}", case.name);
        let longer = |text: &str| format!("{text}&x=1");
        let mut changed = vec![
            Case { body: longer(&case.body), ..case.clone() },
            Case { signature: String::new(), ..case.clone() },
            Case { signature: case.signature.to_lowercase() + "=", ..case.clone() },
            Case { signature: case.signature.chars().rev().collect(), ..case.clone() },
        ];
        match case.scheme.as_str() {
            "twilio" => changed.extend([
                Case { url: longer(&case.url), ..case.clone() },
                Case { url: case.url.replace(".", "x."), ..case.clone() },
                Case { secret: "67890".to_owned(), ..case.clone() },
                Case { settings: Some("key=a,algorithm=HMAC_SHA512".to_owned()), ..case.clone() },
                Case { content_type: "text/plain".to_owned(), ..case.clone() },
            ]),
            "meta" => changed.extend([
                Case { secret: "another".to_owned(), ..case.clone() },
                Case { signature: case.signature.replace("sha256=", "sha1="), ..case.clone() },
            ]),
            _ => changed.extend([
                Case { id: "msg_2".to_owned(), ..case.clone() },
                Case { timestamp: "1674087232".to_owned(), ..case.clone() },
                Case { timestamp: "+1674087231".to_owned(), ..case.clone() },
                Case { timestamp: "1674087231.0".to_owned(), ..case.clone() },
            ]),
        }
        for (number, changed) in changed.iter().enumerate() {
            // Two cases are JSON or empty, where that changes nothing.
            let is_same = changed.content_type == "text/plain" && case.content_type != FORM;
            assert_eq!(
                verify(changed),
                if is_same { Ok(()) } else { Err(Forged) },
                "{} {number}",
                case.name
            );
        }
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn an_account_without_a_secret_believes_nobody() {
    for case in cases().into_iter().filter(|it| it.scheme != "standard") {
        assert_eq!(verify(&Case { secret: String::new(), ..case }), Err(Forged));
    }
    assert_eq!(standard(&found("a secret"), &[], 0), Err(Forged));
}

#[test]
fn a_shared_key_that_the_account_does_not_have_is_not_replaced_by_its_token() {
    let case = found("a shared key and SHA-1");
    let signed = twilio::Signed {
        url: &case.url,
        signature: &case.signature,
        settings: case.settings.as_deref(),
        content_type: &case.content_type,
        body: case.body.as_bytes(),
    };
    assert_eq!(twilio::verify(&case.secret, None, &signed), Err(Forged));
}

#[test]
fn a_webhook_is_fresh_for_five_minutes_either_way() {
    let case = found("a secret");
    let keys = [Key::parse(&case.secret).expect("a key")];
    for (later_ms, expected) in [
        (TOLERANCE_MS, Ok(())),
        (-TOLERANCE_MS, Ok(())),
        (TOLERANCE_MS + 1, Err(Forged)),
        (-TOLERANCE_MS - 1, Err(Forged)),
    ] {
        assert_eq!(standard(&case, &keys, later_ms), expected, "{later_ms}");
    }
}

/// Else one id with half of the time in it is as good as another.
#[test]
fn an_id_has_no_dot_in_it() {
    let case = found("a secret");
    let Ok(Key::Secret(secret)) = Key::parse(&case.secret) else { panic!("a secret") };
    let signed = |id: &str| {
        let signature = standard_webhooks::sign(&secret, id, 1_674_087_231, case.body.as_bytes());
        let case = Case { id: id.to_owned(), signature, ..case.clone() };
        standard(&case, &[Key::Secret(secret.clone())], 0)
    };
    assert_eq!(signed("msg_1"), Ok(()));
    assert_eq!(signed("msg.1"), Err(Forged));
    assert_eq!(signed(""), Err(Forged));
    assert_eq!(signed(&"m".repeat(standard_webhooks::ID_BYTES_MAX + 1)), Err(Forged));
}

#[test]
fn a_key_on_its_way_out_stands_beside_the_new_one() {
    let old = Key::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a key");
    let new = Key::parse(&found("an Ed25519 key").secret).expect("a key");
    let both = [new.clone(), old];
    assert_eq!(standard(&found("a secret"), &both, 0), Ok(()));
    assert_eq!(standard(&found("an Ed25519 key"), &both, 0), Ok(()));
    assert_eq!(standard(&found("a secret"), &[new], 0), Err(Forged));
    for wrong in ["", "whsec_", "whsec_c2hvcnQ=", "whpk_AAAA", "whsec_****"] {
        assert_eq!(Key::parse(wrong).err(), Some(NotAKey), "{wrong}");
    }
}

#[test]
fn what_we_sign_is_what_others_sign() {
    let case = found("a secret");
    let Ok(Key::Secret(secret)) = Key::parse(&case.secret) else { panic!("a secret") };
    let signature = standard_webhooks::sign(&secret, &case.id, 1_674_087_231, case.body.as_bytes());
    assert_eq!(signature, case.signature);
}

#[test]
fn the_handshake_gives_the_challenge_back_to_who_knows_the_word_alone() {
    let ask = |query: &str| meta::handshake(query, "the word");
    let good = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=the+word";
    assert_eq!(ask(good).as_deref(), Ok("1158201444"));
    for wrong in [
        good.replace("the+word", "the+Word"),
        good.replace("the+word", ""),
        good.replace("subscribe", "unsubscribe"),
        good.replace("1158201444", "<script>"),
        good.replace("1158201444", &"1".repeat(meta::CHALLENGE_BYTES_MAX + 1)),
        String::new(),
    ] {
        assert_eq!(ask(&wrong), Err(Forged), "{wrong}");
    }
    assert_eq!(meta::handshake(&good.replace("the+word", ""), ""), Err(Forged));
}
