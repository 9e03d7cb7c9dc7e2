//! What lies encrypted is found whatever keys the hub and the clinic are given.

use std::sync::Arc;

use axum::http::StatusCode;
use sync_hub::backup;
use sync_hub::master::rotate;
use sync_hub::rekey::rekey;
use sync_hub::store::sql::Row;
use sync_hub::store::{self, StoreError};

use super::Place;
use super::asking::{fhir_of, get, new_token, with_records};
use super::device::{Device, asking, asking_with, enroll};
use super::keeping::identity;

#[tokio::test]
async fn searches_find_after_new_keys_and_at_another_hub() {
    let mut here = Place::new();
    let mut device = with_records(&here, "Shanti").await;
    let clinic = device.clinic;
    let path = format!("{}/Patient?name=rao", fhir_of(clinic));
    let index = |place: &Place| {
        let sql = "SELECT term, key FROM record_index WHERE clinic = ?1 ORDER BY term, key";
        let read = |tx: &store::Tx<'_>| -> Result<Vec<Vec<u8>>, StoreError> {
            let entry = |row: &Row<'_>| Ok([row.get::<Vec<u8>>(0)?, row.get(1)?].concat());
            tx.rows(sql, &[(&clinic).into()], entry)
        };
        place.hub.store.read(clinic, read).unwrap()
    };
    let before = index(&here);
    let token = new_token(&here, clinic, "system/*.rs", None);
    assert_eq!(get(&here.hub, &token, &path).await.ids(), ["p0", "p2"]);
    rekey(&here.hub, clinic).unwrap();
    assert_eq!(get(&here.hub, &token, &path).await.ids(), ["p0", "p2"]);
    rotate(&here.hub).unwrap();
    here.restart();
    assert_eq!(get(&here.hub, &token, &path).await.ids(), ["p0", "p2"]);
    assert!(!before.is_empty() && index(&here) == before, "nothing was made anew");
    // What is written by the key of now is found beside what was written before.
    device.write_patient("p8", "Lakshmi Rao");
    device.sync(&here.hub).await;
    assert_eq!(get(&here.hub, &token, &path).await.ids(), ["p0", "p2", "p8"]);

    let there = Place::new();
    let folder = tempfile::tempdir().unwrap();
    let (key, recipient) = identity(folder.path(), "key.txt");
    let file = folder.path().join("shanti.age");
    backup::write(&here.hub, clinic, &file, &[recipient]).unwrap();
    backup::restore(&there.hub, &file, &key).unwrap();
    let old = get(&there.hub, &token, &path).await;
    assert_eq!(old.status, StatusCode::UNAUTHORIZED, "a token stays at its hub");
    let token = new_token(&there, clinic, "system/*.rs", None);
    assert_eq!(get(&there.hub, &token, &path).await.ids(), ["p0", "p2", "p8"]);
    assert_eq!(index(&there), index(&here));
    rekey(&there.hub, clinic).unwrap();
    let asked = asking(&device.keys, &there.new_code(clinic), "Shanti");
    let asked = asking_with(asked, Some(device.uplink.log), None);
    let (_, joined) = enroll(&there.hub, &asked).await;
    device.hub = Device::of(&joined, Arc::clone(&device.keys), device.uplink.log).hub;
    device.write_patient("p9", "Rao");
    device.write("Patient/p2", "");
    device.sync(&there.hub).await;
    assert_eq!(get(&there.hub, &token, &path).await.ids(), ["p0", "p8", "p9"]);

    // A clinic that is erased leaves nothing by which it could be found.
    backup::erase(&there.hub, clinic).unwrap();
    assert!(index(&there).is_empty());
    assert_eq!(get(&there.hub, &token, &path).await.status, StatusCode::UNAUTHORIZED);
}
