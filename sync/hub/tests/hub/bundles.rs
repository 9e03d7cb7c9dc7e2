//! Bundles come in, whole or broken, and receipts go out.

use std::path::PathBuf;

use sync_hub::mend::mend;
use sync_hub::store;
use sync_hub::store::sql::Param;
use sync_protocol::ledger::{Body, Content, Delta, Extent, Standing};

use super::Place;
use super::device::{SEALED, post};

#[tokio::test]
async fn a_log_arrives_and_is_acknowledged() {
    let place = Place::new();
    let mut device = place.join("Shanti").await;
    for id in 0..7 {
        device.write_patient(&id.to_string(), "Asha Rao");
    }
    assert_eq!(device.sync(&place.hub).await, 4, "a question and three parts of the statement");
    device.write_patient("3", "Asha Rao-Patel");
    assert_eq!(device.sync(&place.hub).await, 1);
    assert!(place.held(device.clinic, "Patient/3").unwrap().contains("Patel"));
    assert_eq!(place.record_count(device.clinic), 7);
    device.write("Patient/3", "");
    device.sync(&place.hub).await;
    assert_eq!(place.held(device.clinic, "Patient/3"), None);
    // Nothing of it can be read in the files.
    let files = place.files();
    let hold = |word: &[u8]| {
        let holds = |file: &&PathBuf| {
            let bytes = std::fs::read(file).unwrap();
            bytes.windows(word.len()).any(|it| it == word)
        };
        files.iter().filter(holds).count()
    };
    assert!(hold(b"Patient/3") > 0, "these are the files of the database");
    assert_eq!(hold(b"Asha Rao"), 0);
}

#[tokio::test]
async fn what_changed_of_a_record_is_put_together_with_what_is_held_and_with_nothing_else() {
    let place = Place::new();
    let mut device = place.join("Shanti").await;
    device.write_patient("1", "Asha Rao");
    device.sync(&place.hub).await;
    let before = place.held(device.clinic, "Patient/1").unwrap();
    device.write_patient("1", "Asha Rao-Patel");
    let whole = device.bundle(3).unwrap();
    let shortened = |base: &str| {
        let mut bundle = whole.clone();
        let Content::Stretch { entries, .. } = &mut bundle.content else { panic!("a stretch") };
        let Body::Given(now) = &entries[0].body else { panic!("in whole") };
        let delta = Delta::between(base.as_bytes(), now).unwrap();
        assert!(delta.len() < 12, "the new name is not said again");
        entries[0].body = Body::Changed(delta);
        bundle
    };
    // The box thought of another version: nothing is taken, and the receipt says so.
    let receipt = device.send(&place.hub, &shortened(&before.replace("Rao", "Roy"))).await;
    assert!(matches!(receipt.extent, Extent::Log { through: 1, .. }));
    assert_eq!((receipt.standing, receipt.parked_count), (Standing::Living, 0));
    assert_eq!(place.held(device.clinic, "Patient/1").unwrap(), before);
    let receipt = device.send(&place.hub, &shortened(&before)).await;
    assert!(matches!(receipt.extent, Extent::Log { through: 2, .. }));
    assert!(place.held(device.clinic, "Patient/1").unwrap().contains("Asha Rao-Patel"));
    // A record that is not held has no version before.
    device.write_patient("2", "Ravi");
    let mut bundle = device.bundle(3).unwrap();
    let Content::Stretch { entries, .. } = &mut bundle.content else { panic!("a stretch") };
    entries[0].body = Body::Changed(Delta::between(b"", b"{}").unwrap());
    let receipt = device.send(&place.hub, &bundle).await;
    assert!(matches!(receipt.extent, Extent::Log { through: 2, .. }));
    device.sync(&place.hub).await;
    assert!(place.held(device.clinic, "Patient/2").is_some());
}

#[tokio::test]
async fn an_entry_that_is_no_fhir_is_parked_and_holds_up_nothing() {
    let place = Place::new();
    let mut device = place.join("Shanti").await;
    device.sync(&place.hub).await;
    device.write_patient("1", "Asha");
    device.write("Patient/2", r#"{"resourceType":"Patient","id":"2","gender":"unheard"}"#);
    device.write("Patient/3", "{");
    let receipt = device.send(&place.hub, &device.bundle(3).unwrap()).await;
    assert!(matches!(receipt.extent, Extent::Log { through: 3, .. }));
    assert_eq!(receipt.parked_count, 2);
    assert!(place.held(device.clinic, "Patient/1").is_some());
    let parked = [("Patient/2", "invalid"), ("Patient/3", "unreadable")];
    assert_eq!(place.parked(device.clinic), parked.map(|(key, why)| (key.into(), why.into())));
    device.write_patient("2", "Ravi");
    let receipt = device.send(&place.hub, &device.bundle(3).unwrap()).await;
    assert_eq!(receipt.parked_count, 1);
    assert_eq!(place.parked(device.clinic).len(), 1);
    assert!(place.held(device.clinic, "Patient/2").is_some());
}

#[tokio::test]
async fn what_a_newer_program_understands_is_parked_no_more() {
    let place = Place::new();
    let mut device = place.join("Shanti").await;
    device.sync(&place.hub).await;
    device.write("Patient/1", "{");
    device.write("Patient/2", "{");
    device.sync(&place.hub).await;
    assert_eq!(mend(&place.hub).unwrap(), 0);
    // As if the program of today had not been able to read what it can read.
    let clinic = device.clinic;
    let clinic = place.hub.store.read(clinic, |tx| store::clinic(tx, clinic)).unwrap().unwrap();
    let key = place.hub.keys.vault.clinic_key(clinic.id, &clinic.wrapped_key).unwrap();
    let body = key.seal(b"Patient/1", br#"{"resourceType":"Patient","id":"1"}"#).unwrap();
    let sql = "UPDATE parked SET body = ?2 WHERE clinic = ?1 AND sequence = 1";
    let params = [Param::from(&clinic.id), Param::from(&body)];
    assert_eq!(place.hub.store.write(clinic.id, |tx| tx.execute(sql, &params)).unwrap(), 1);
    assert_eq!(mend(&place.hub).unwrap(), 1);
    assert!(place.held(device.clinic, "Patient/1").is_some());
    assert_eq!(place.parked(device.clinic).len(), 1);
    device.write_patient("3", "Asha");
    let receipt = device.send(&place.hub, &device.bundle(3).unwrap()).await;
    assert_eq!(receipt.parked_count, 1);
}

#[tokio::test]
async fn a_repetition_changes_nothing_and_a_gap_is_not_taken() {
    let place = Place::new();
    let mut device = place.join("Shanti").await;
    device.sync(&place.hub).await;
    device.write_patient("1", "Asha");
    let first = device.bundle(1).unwrap();
    let receipt = device.send(&place.hub, &first).await;
    assert_eq!(device.send(&place.hub, &first).await, receipt);
    device.write_patient("2", "Ravi");
    device.write_patient("3", "Meena");
    let mut skips = device.clone();
    skips.hear(&receipt);
    let second = device.bundle(1).unwrap();
    // The box believes that the hub holds two, and sends the third.
    let Content::Stretch { through, mark, .. } = second.content else { panic!() };
    skips.uplink.state = sync_protocol::uplink::State::Known(Extent::Log { through, mark });
    let after_gap = skips.send(&place.hub, &skips.bundle(1).unwrap()).await;
    assert_eq!(after_gap.extent, receipt.extent);
    assert_eq!(place.held(device.clinic, "Patient/3"), None);
    // The receipt tells it from where to go on.
    skips.sync(&place.hub).await;
    assert_eq!(place.record_count(device.clinic), 3);
}

#[tokio::test]
async fn two_clinics_neither_write_nor_read_what_is_the_others() {
    let place = Place::new();
    let mut ours = place.join("Shanti").await;
    let mut theirs = place.join("Asha").await;
    ours.write_patient("1", "Ours");
    theirs.write_patient("1", "Theirs");
    ours.sync(&place.hub).await;
    theirs.sync(&place.hub).await;
    assert!(place.held(ours.clinic, "Patient/1").unwrap().contains("Ours"));
    assert!(place.held(theirs.clinic, "Patient/1").unwrap().contains("Theirs"));
    // Signed by us, said to be of them.
    ours.write_patient("1", "Forged");
    let mut forged = ours.clone();
    (forged.clinic, forged.box_id) = (theirs.clinic, theirs.box_id);
    let envelope = forged.seal(&forged.bundle(3).unwrap());
    let (status, body) = post(&place.hub, "/v1/bundles", SEALED, envelope).await;
    assert_eq!(status, 401);
    // The same words as for a box that does not exist.
    forged.box_id = [7; 16];
    let envelope = forged.seal(&forged.bundle(3).unwrap());
    assert_eq!(post(&place.hub, "/v1/bundles", SEALED, envelope).await, (status, body));
    assert!(place.held(theirs.clinic, "Patient/1").unwrap().contains("Theirs"));
    // A receipt opens for its own box only.
    let envelope = ours.seal(&ours.bundle(3).unwrap());
    let (_, receipt) = post(&place.hub, "/v1/bundles", SEALED, envelope).await;
    assert_eq!(theirs.open(&receipt), None);
    assert_eq!(ours.open(&receipt).unwrap().standing, Standing::Living);
}

#[tokio::test]
async fn what_is_no_bundle_is_refused_with_the_reason() {
    let place = Place::new();
    let mut device = place.join("Shanti").await;
    device.write_patient("1", "Asha");
    let envelope = device.seal(&device.bundle(3).unwrap());
    let mut altered = envelope.clone();
    *altered.last_mut().unwrap() ^= 1;
    let too_long = vec![0; sync_protocol::envelope::ENVELOPE_MAX + 1];
    let cases = [
        (Vec::new(), 400, "malformed"),
        (b"{}".to_vec(), 400, "malformed"),
        (envelope[..envelope.len() - 1].to_vec(), 400, "malformed"),
        (altered, 401, "unrecognised"),
        (too_long, 413, "too_long"),
    ];
    for (body, expected, code) in cases {
        let (status, problem) = post(&place.hub, "/v1/bundles", SEALED, body).await;
        let problem: serde_json::Value = serde_json::from_slice(&problem).unwrap();
        assert_eq!((status.as_u16(), problem["code"].as_str()), (expected, Some(code)));
    }
    // A bundle that speaks of another log than its envelope.
    let mut other = device.bundle(3).unwrap();
    let right = device.seal(&other);
    other.log = sync_protocol::lineage::LogId([9; 16]);
    assert_ne!(device.seal(&other), right);
    assert_eq!(post(&place.hub, "/v1/bundles", "text/plain", envelope).await.0, 415);
}
