//! Accounts of clinics at providers: found by what requests name, two secrets at a time, one clinic's each.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use sync_hub::backup;
use sync_hub::channel::{self, Account, Name, NotAdded, Secret, TwilioSecrets};
use sync_hub::store;

use super::Place;
use super::keeping::identity;

/// 24 bytes.
const KEY: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
const SID: &str = "AC0123456789abcdef0123456789abcdef";
const NUMBER: &str = "+919844111173";
const NAME: Name<'_> =
    Name::Twilio { account: "AC0123456789abcdef0123456789abcdef/whatsapp:+919844111173" };

fn twilio(token: &str) -> Account {
    Account::Twilio {
        account_sid: SID.to_owned(),
        number: format!("whatsapp:{NUMBER}"),
        api_url: None,
        secrets: vec![TwilioSecrets { auth_token: Secret::new(token), shared_key: None }],
    }
}

fn secrets(account: &Account) -> Vec<&str> {
    match account {
        Account::Twilio { secrets, .. } => {
            secrets.iter().map(|it| it.auth_token.as_str()).collect()
        }
        Account::VoiceAgent { secrets } => secrets.iter().map(Secret::as_str).collect(),
        Account::Meta { secrets, .. } => secrets.iter().map(|it| it.app_secret.as_str()).collect(),
    }
}

/// Runs the program with something on its standard input.
fn run(place: &Place, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_carepost-hub"))
        .args(arguments)
        .args(place.arguments())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> (Option<i32>, String) {
    let text = [&output.stdout[..], &output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn an_account_is_found_by_what_a_request_names_and_is_of_one_clinic() {
    let place = Place::new();
    let (ours, theirs) = (place.add_clinic("Shanti"), place.add_clinic("Asha"));
    let hub = &place.hub;
    assert!(channel::named(hub, &NAME).unwrap().is_empty());
    let first = channel::add(hub, ours, &twilio("s3cret-first")).unwrap();
    assert!(matches!(channel::add(hub, theirs, &twilio("s3cret-first")), Err(NotAdded::Taken)));
    // The provider is given another secret: both are good until it is settled.
    let second = channel::add(hub, ours, &twilio("s3cret-second")).unwrap();
    assert_eq!(first.id, second.id);
    let found = channel::named(hub, &NAME).unwrap().pop().unwrap();
    assert_eq!(
        (found.clinic, secrets(&found.account)),
        (ours, vec!["s3cret-second", "s3cret-first"])
    );
    channel::settle(hub, ours, first.id).unwrap();
    let found = channel::named(hub, &NAME).unwrap().pop().unwrap();
    assert_eq!(secrets(&found.account), ["s3cret-second"]);
    // A voice agent is found by its clinic, and any by none.
    for clinic in [ours, theirs] {
        let account = Account::VoiceAgent { secrets: vec![Secret::new(KEY)] };
        channel::add(hub, clinic, &account).unwrap();
        let found = channel::named(hub, &Name::VoiceAgent { clinic }).unwrap();
        assert_eq!(found.iter().map(|it| it.clinic).collect::<Vec<_>>(), [clinic]);
    }
    assert_eq!(channel::named(hub, &Name::AnyVoiceAgent).unwrap().len(), 2);
    let removed = hub.store.write(ours, |tx| store::remove_channel(tx, ours, first.id)).unwrap();
    assert!(removed && channel::named(hub, &NAME).unwrap().is_empty());
    channel::add(hub, theirs, &twilio("theirs")).unwrap();
    // No secret and no number lies in the clear.
    for file in place.files() {
        let bytes = std::fs::read(&file).unwrap();
        for secret in ["s3cret-second", NUMBER, SID] {
            let secret = secret.as_bytes();
            assert!(!bytes.windows(secret.len()).any(|it| it == secret), "{}", file.display());
        }
    }
}

#[tokio::test]
async fn accounts_come_along_in_a_backup_unless_another_clinic_has_them() {
    let place = Place::new();
    let clinic = place.add_clinic("Shanti");
    let other = place.add_clinic("Asha");
    channel::add(&place.hub, clinic, &twilio("ours")).unwrap();
    let (keys, recipient) = identity(place.folder.path(), "key");
    let file = place.folder.path().join("shanti.age");
    backup::write(&place.hub, clinic, &file, &[recipient]).unwrap();
    backup::erase(&place.hub, clinic).unwrap();
    assert!(channel::named(&place.hub, &NAME).unwrap().is_empty());
    let theirs = channel::add(&place.hub, other, &twilio("theirs")).unwrap();
    let refused = backup::restore(&place.hub, &file, &keys);
    assert!(matches!(refused, Err(backup::BackupError::ChannelTaken)), "{refused:?}");
    place.hub.store.write(other, |tx| store::remove_channel(tx, other, theirs.id)).unwrap();
    backup::restore(&place.hub, &file, &keys).unwrap();
    let found = channel::named(&place.hub, &NAME).unwrap().pop().unwrap();
    assert_eq!((found.clinic, secrets(&found.account)), (clinic, vec!["ours"]));
}

#[tokio::test]
async fn the_program_adds_lists_and_removes_accounts_and_repeats_no_secret() {
    let place = Place::new();
    place.add_clinic("Shanti");
    let add = ["channel", "add", "--clinic", "Shanti"];
    let twilio = [&add[..], &["twilio", "--account-sid", SID, "--number", NUMBER]].concat();
    let (code, id) = said(&run(&place, &twilio, "0123456789abcdef\n"));
    assert_eq!(code, Some(0), "{id}");
    let meta = [&add[..], &["meta", "--phone-number-id", "1234567890"]].concat();
    let (code, text) = said(&run(&place, &meta, "access-token\napp-secret\nverify-token\n"));
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = said(&run(&place, &meta, "access-token\napp-secret\n"));
    assert_eq!(
        (code, text.contains("three"), text.contains("app-secret")),
        (Some(1), false, false)
    );
    assert!(text.contains("the verify token"), "{text}");
    let agent = [&add[..], &["voice-agent"]].concat();
    let (code, text) = said(&run(&place, &agent, "not-a-key-of-standard-webhooks\n"));
    assert_eq!((code, text.contains("not-a-key")), (Some(1), false), "{text}");
    // What belongs to another provider is wrong usage, and so is what is missing.
    let (code, text) = said(&run(&place, &[&add[..], &["twilio"]].concat(), "secret-secret"));
    assert_eq!((code, text.lines().count()), (Some(2), 1), "{text}");
    let mixed = [&agent[..], &["--number", NUMBER]].concat();
    assert_eq!(said(&run(&place, &mixed, KEY)).0, Some(1));
    let plain = [&twilio[..], &["--messaging-url", "http://elsewhere.example"]].concat();
    assert_eq!(said(&run(&place, &plain, "0123456789abcdef")).0, Some(2));
    let (_, listed) = said(&run(&place, &["channel", "list"], ""));
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(listed.contains(SID) && listed.contains("1234567890"), "{listed}");
    for secret in ["0123456789abcdef\t", "app-secret", "verify-token", "access-token"] {
        assert!(!listed.contains(secret), "{listed}");
    }
    let named = ["channel", "remove", "--clinic", "Shanti", id.trim()];
    assert_eq!(said(&run(&place, &named, "")).0, Some(0));
    assert_eq!(said(&run(&place, &named, "")).0, Some(1));
}
