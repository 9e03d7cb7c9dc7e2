//! A clinic alone: backed up, erased, put back.

use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret as _;
use sync_hub::backup::{self, BackupError};
use sync_hub::store::{self, StoreError};
use sync_protocol::downlink::Position;

use super::Place;
use super::device::{asking, enroll};
use super::place::POSTGRES;

/// A new age identity in a file, and its recipient.
pub fn identity(folder: &Path, name: &str) -> (PathBuf, String) {
    let identity = age::x25519::Identity::generate();
    let file = folder.join(name);
    std::fs::write(&file, identity.to_string().expose_secret()).unwrap();
    (file, identity.to_public().to_string())
}

#[tokio::test]
async fn a_clinic_comes_back_alone_and_its_box_sends_the_rest_again() {
    let mut place = Place::new();
    let folder = tempfile::tempdir().unwrap();
    let (key, recipient) = identity(folder.path(), "key.txt");
    let file = folder.path().join("shanti.age");
    let mut ours = place.join("Shanti").await;
    let mut theirs = place.join("Asha").await;
    for device in [&mut ours, &mut theirs] {
        for id in 0..70 {
            device.write_patient(&id.to_string(), "Meena");
        }
        device.write("Patient/bad", "{");
        device.sync(&place.hub).await;
    }
    place.put(ours.clinic, 1);
    let batch = ours.poll(&place.hub, Position { series: 0, taken: 0, id: None }).await.unwrap();
    let code = place.new_code(ours.clinic);
    let rows = backup::write(&place.hub, ours.clinic, &file, &[recipient]).unwrap();
    let terms = place.hub.store.read(ours.clinic, |tx| -> Result<_, StoreError> {
        let sql = "SELECT count(*) FROM record_index WHERE clinic = ?1";
        tx.row(sql, &[(&ours.clinic).into()], |row| row.get::<i64>(0))
    });
    let terms = terms.unwrap().unwrap().unsigned_abs();
    assert_eq!(
        rows,
        6 + 70 + 70 + terms + 1,
        "clinic, box, its line down, one request, its loans, its index; records, their terms; one parked"
    );
    let bytes = std::fs::read(&file).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/"));
    ours.write_patient("after", "Ravi");
    ours.sync(&place.hub).await;

    let id = ours.clinic;
    let clinic = || place.hub.store.read(id, |tx| store::clinic(tx, id)).unwrap();
    let before = clinic().unwrap();
    let nonce = place.hub.nonce(&before);
    assert!(matches!(backup::restore(&place.hub, &file, &key), Err(BackupError::Exists)));
    assert_eq!(
        backup::erase(&place.hub, id).unwrap(),
        rows + 3 + 1 + terms / 70,
        "a record more with its terms, and two codes"
    );
    assert!(clinic().is_none());
    assert_eq!((place.record_count(id), place.parked(id).len()), (0, 0));
    assert_eq!((place.record_count(theirs.clinic), place.parked(theirs.clinic).len()), (70, 1));
    if !POSTGRES {
        // PostgreSQL overwrites when it cleans up, which is not ours to say.
        for file in place.files() {
            let bytes = std::fs::read(&file).unwrap();
            let found = bytes.windows(32).any(|it| it == &before.wrapped_key[..32]);
            assert!(!found, "{}", file.display());
        }
    }

    let (name, back) = backup::restore(&place.hub, &file, &key).unwrap();
    assert_eq!((name.as_str(), back), ("Shanti", rows));
    assert!(place.held(id, "Patient/3").unwrap().contains("Meena"));
    assert_eq!(place.held(id, "Patient/after"), None);
    let after = place.hub.nonce(&clinic().unwrap());
    assert_ne!(nonce.store, after.store, "what was lent before is not sold again");
    place.restart();
    // What is open is asked again, under the same id, in a series that the box does not know.
    let begin = Position { series: batch.series, taken: 1, id: Some(batch.requests[0].id) };
    let again = ours.poll(&place.hub, begin).await.unwrap();
    assert_ne!(again.series, batch.series);
    assert_eq!(again.requests[0].id, batch.requests[0].id);
    // A code is good once, whatever was put back.
    assert_eq!(enroll(&place.hub, &asking(&ours.keys, &code, "Shanti")).await.0, 404);
    // The receipt says how far it is held now.
    ours.write_patient("later", "Ravi");
    ours.send(&place.hub, &ours.bundle(3).unwrap()).await;
    ours.sync(&place.hub).await;
    assert_eq!(place.record_count(id), 72);
    assert!(place.held(id, "Patient/after").is_some());
}

#[tokio::test]
async fn another_hub_takes_a_clinic_over_and_what_is_no_backup_changes_nothing() {
    let (here, there) = (Place::new(), Place::new());
    let folder = tempfile::tempdir().unwrap();
    let (key, recipient) = identity(folder.path(), "key.txt");
    let (others, _) = identity(folder.path(), "others.txt");
    let file = folder.path().join("shanti.age");
    let mut device = here.join("Shanti").await;
    device.write_patient("1", "Asha");
    device.sync(&here.hub).await;
    backup::write(&here.hub, device.clinic, &file, std::slice::from_ref(&recipient)).unwrap();
    let restore = |file: &Path, key: &Path| backup::restore(&there.hub, file, key);
    assert!(matches!(restore(&file, &others), Err(BackupError::WrongIdentity(_))));
    assert!(matches!(restore(&file, &file), Err(BackupError::BadIdentity(_))));
    let cut = folder.path().join("cut.age");
    let whole = std::fs::read(&file).unwrap();
    for length in [whole.len() - 1, whole.len() / 2, 100] {
        std::fs::write(&cut, &whole[..length]).unwrap();
        assert!(matches!(restore(&cut, &key), Err(BackupError::NotABackup(_))), "{length}");
    }
    assert!(there.hub.store.survey(store::clinics).unwrap().is_empty());
    let secret = std::fs::read_to_string(&key).unwrap();
    let wrong =
        backup::write(&here.hub, device.clinic, &cut, std::slice::from_ref(&secret)).unwrap_err();
    assert!(matches!(wrong, BackupError::BadRecipient) && !wrong.to_string().contains(&secret));

    assert_eq!(restore(&file, &key).unwrap().0, "Shanti");
    assert!(there.held(device.clinic, "Patient/1").unwrap().contains("Asha"));
    assert!(here.held(device.clinic, "Patient/1").is_some());
    assert!(matches!(restore(&file, &key), Err(BackupError::Exists)));
    // Its board is another clinic's by now.
    backup::erase(&there.hub, device.clinic).unwrap();
    let other = there.add_clinic("Asha");
    let asked = asking(&device.keys, &there.new_code(other), "Shanti");
    assert_eq!(enroll(&there.hub, &asked).await.0, 201);
    assert!(matches!(restore(&file, &key), Err(BackupError::BoxTaken)));
    assert_eq!(there.hub.store.survey(store::clinics).unwrap().len(), 1);
}
