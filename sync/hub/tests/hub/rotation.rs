//! New keys: for the hub, and for a clinic.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use sync_hub::master::{KEY, OLD, rotate};
use sync_hub::receive::receive;
use sync_hub::rekey::rekey;
use sync_hub::store::{self, SEALED};
use sync_hub::vault::{Vault, key_count, make_key};
use sync_protocol::downlink::Position;
use sync_protocol::ledger::Ledger;

use super::Place;

fn keys(place: &Place) -> PathBuf {
    place.folder.path().join("keys")
}

fn wrapped(place: &Place, clinic: [u8; 16]) -> Vec<u8> {
    let found = place.hub.store.read(clinic, |tx| store::clinic(tx, clinic)).unwrap();
    found.unwrap().wrapped_key
}

#[tokio::test]
async fn a_new_master_key_takes_over_from_wherever_it_was_interrupted() {
    let mut place = Place::new();
    let mut device = place.join("Shanti").await;
    place.add_clinic("Asha");
    device.write_patient("1", "Asha");
    device.sync(&place.hub).await;
    let (folder, clinic) = (keys(&place), device.clinic);
    let (key, old) = (folder.join(KEY), folder.join(OLD));
    let serving = place.another();
    let interrupted: [&dyn Fn(); 5] = [
        &|| (),
        // The next key was written, and nothing else.
        &|| fs::write(folder.join("master.new"), [1; 32]).unwrap(),
        // The old key has its second name, and is still the key.
        &|| fs::hard_link(&key, &old).unwrap(),
        // The new key is the key, and wraps nothing yet.
        &|| {
            fs::hard_link(&key, &old).unwrap();
            let new = folder.join("master.new");
            fs::copy(&key, &new).unwrap();
            fs::write(&new, *make_key().unwrap()).unwrap();
            fs::rename(&new, &key).unwrap();
        },
        // It wraps everything, and the old one was not removed.
        &|| {
            let before = fs::read(&key).unwrap();
            rotate(&serving).unwrap();
            fs::copy(&key, &old).unwrap();
            fs::write(&old, before).unwrap();
        },
    ];
    for (at, interrupt) in interrupted.iter().enumerate() {
        let (key_before, wrapped_before) = (fs::read(&key).unwrap(), wrapped(&place, clinic));
        interrupt();
        place.restart();
        assert!(place.held(clinic, "Patient/1").is_some(), "both keys are good meanwhile: {at}");
        assert_eq!(rotate(&place.hub).unwrap(), 2);
        assert!(!old.exists() && !folder.join("master.new").exists(), "{at}");
        let key_now = fs::read(&key).unwrap();
        assert_ne!(key_now, key_before, "{at}");
        // A copy of the database from before is of no use with the key of now.
        let vault = Vault::new(&key_now).unwrap();
        assert!(vault.clinic_key(clinic, &wrapped_before).is_err(), "{at}");
        assert!(vault.clinic_key(clinic, &wrapped(&place, clinic)).is_ok(), "{at}");
        // A hub that served all the while looks for the new key when it needs it.
        assert!(serving.record(clinic, b"Patient/1").unwrap().is_some(), "{at}");
        device.write_patient("1", &format!("Asha {at}"));
        device.sync(&serving).await;
        assert!(place.held(clinic, "Patient/1").unwrap().contains(&format!("Asha {at}")));
    }
}

#[tokio::test]
async fn a_clinic_gets_new_keys_while_its_box_goes_on() {
    let place = Place::new();
    let mut device = place.join("Shanti").await;
    device.sync(&place.hub).await;
    device.write("Patient/bad", "{");
    for id in 0..150 {
        device.write_patient(&id.to_string(), "Asha");
    }
    device.sync(&place.hub).await;
    let clinic = device.clinic;
    for id in 1..=2 {
        place.put(clinic, id);
    }
    let first = wrapped(&place, clinic);
    // What the box sends meanwhile, made beforehand.
    let read = |tx: &store::Tx<'_>| store::enrolled(tx, clinic);
    let mut ledger: Ledger = place.hub.store.read(clinic, read).unwrap().unwrap().ledger.unwrap();
    let mut envelopes = Vec::new();
    for id in 0..60 {
        device.write_patient(&(id % 40).to_string(), "Ravi");
        let bundle = device.bundle(3).unwrap();
        envelopes.push(device.seal(&bundle));
        let taken = ledger.take(&bundle, false, |_| None);
        device.hear(&taken.receipt);
        ledger = taken.ledger;
    }
    let serving = place.another();
    let sent = AtomicBool::new(false);
    let times = std::thread::scope(|scope| {
        scope.spawn(|| {
            for envelope in &envelopes {
                receive(&serving, envelope).unwrap();
            }
            sent.store(true, Ordering::Release);
        });
        let mut times = 0_u32;
        // Interrupted when both keys were there: it goes on with them.
        let both = place.hub.keys.vault.add_clinic_key(clinic, &first).unwrap();
        place.hub.store.write(clinic, |tx| store::put_wrapped_key(tx, clinic, &both)).unwrap();
        while times < 3 || (times < 100 && !sent.load(Ordering::Acquire)) {
            let rows = rekey(&place.hub, clinic).unwrap();
            assert!(rows > 0);
            times += 1;
        }
        times
    });
    let last = wrapped(&place, clinic);
    assert_eq!(key_count(&last), 1);
    for id in 0..150 {
        let name = if id < 40 { "Ravi" } else { "Asha" };
        assert!(place.held(clinic, &format!("Patient/{id}")).unwrap().contains(name), "{times}");
    }
    let vault = &place.hub.keys.vault;
    let number = vault.clinic_key(clinic, &last).unwrap().number();
    assert_eq!(u32::from_be_bytes(number), times + 1);
    let body = |tx: &store::Tx<'_>| store::record(tx, clinic, b"Patient/77");
    let body = place.hub.store.read(clinic, body).unwrap().unwrap();
    assert!(vault.clinic_key(clinic, &first).unwrap().open(b"Patient/77", &body).is_err());
    assert_eq!(place.parked(clinic).len(), 1);
    let body = |tx: &store::Tx<'_>| store::parked_body(tx, clinic, b"Patient/bad");
    let body = place.hub.store.read(clinic, body).unwrap().unwrap();
    let opened = vault.clinic_key(clinic, &last).unwrap().open(b"Patient/bad", &body).unwrap();
    assert_eq!(*opened, b"{");
    let batch = device.poll(&place.hub, Position { series: 0, taken: 0, id: None }).await.unwrap();
    assert_eq!(batch.requests.len(), 2, "what waits for the box opens, too");
}

/// Columns of bytes that are no secret: ids, hashes, terms of the index, public keys, names of records, what the protocol
/// keeps of a log, and keys that are wrapped.
const NO_SECRET: [&str; 71] = [
    "box.clinic",
    "box.id",
    "box.ledger",
    "box.seal_key",
    "box.sign_key",
    "channel.clinic",
    "channel.id",
    "channel_name.channel",
    "channel_name.clinic",
    "channel_name.name",
    "clinic.id",
    "clinic.wrapped_key",
    "dialogue.clinic",
    "dialogue.peer",
    "downlink.clinic",
    "enrolment_code.clinic",
    "enrolment_code.hash",
    "enrolment_code.used_by",
    "hold.clinic",
    "hold.id",
    "hold.slot",
    "idempotency.clinic",
    "idempotency.id",
    "index_state.clinic",
    "index_state.through",
    "loan.clinic",
    "loan.slot",
    "loan.state",
    "loan_store.clinic",
    "media_in.channel",
    "media_in.clinic",
    "media_in.id",
    "media_out.clinic",
    "media_out.id",
    "media_out.message",
    "message_in.clinic",
    "message_in.id",
    "message_in.media",
    "message_line.clinic",
    "message_out.carrier",
    "message_out.clinic",
    "message_out.id",
    "message_out.message",
    "message_out.peer",
    "message_peer.channel",
    "message_peer.clinic",
    "message_peer.peer",
    "message_turn.clinic",
    "message_turn.id",
    "message_turn.peer",
    "parked.clinic",
    "parked.key",
    "reception_facts.clinic",
    "record.clinic",
    "record.key",
    "record_index.clinic",
    "record_index.key",
    "record_index.term",
    "record_terms.clinic",
    "record_terms.key",
    "record_terms.terms",
    "reply.clinic",
    "reply.id",
    "request.clinic",
    "request.id",
    "sale.booking",
    "sale.clinic",
    "sale.slot",
    "token.clinic",
    "token.hash",
    "token.id",
];

#[test]
fn every_column_of_bytes_is_known_to_be_sealed_or_no_secret() {
    let database = rusqlite::Connection::open_in_memory().unwrap();
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/hub/schema.sql");
    database.execute_batch(&fs::read_to_string(schema).unwrap()).unwrap();
    let sql = "SELECT t.name || '.' || c.name FROM pragma_table_list t, pragma_table_info(t.name) c
        WHERE t.type = 'table' AND c.type = 'BLOB'";
    let mut statement = database.prepare(sql).unwrap();
    let found = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let found: BTreeSet<String> = found.collect::<Result<_, _>>().unwrap();
    let sealed = SEALED.iter().map(|it| format!("{}.{}", it.table, it.column));
    assert_eq!(found, sealed.chain(NO_SECRET.map(str::to_owned)).collect());
}
