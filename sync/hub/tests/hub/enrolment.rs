//! A box joins, and who may not.

use std::sync::atomic::Ordering;

use sync_hub::store;

use super::Place;
use super::device::{asking, asking_with, enroll, new_keys};

#[tokio::test]
async fn a_code_lets_one_box_in_and_answers_it_again() {
    let place = Place::new();
    let clinic = place.add_clinic("Shanti");
    let code = place.new_code(clinic);
    let keys = new_keys();
    let asked = asking(&keys, &code, "serial-1");
    let (status, first) = enroll(&place.hub, &asked).await;
    assert_eq!(status, 201);
    assert_eq!(
        (first["generation"].as_u64(), first["clinic_name"].as_str()),
        (Some(1), Some("Shanti"))
    );
    // The answer was lost on the way: the same box asks again and hears the same.
    assert_eq!(enroll(&place.hub, &asked).await, (status, first));
    let (status, problem) = enroll(&place.hub, &asking(&new_keys(), &code, "serial-2")).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (404, Some("code_not_found")));
}

#[tokio::test]
async fn used_expired_replaced_and_unknown_codes_are_refused_alike() {
    let place = Place::new();
    let clinic = place.add_clinic("Shanti");
    let replaced = place.new_code(clinic);
    let expired = place.new_code(clinic);
    place.clock.fetch_add(1000, Ordering::Relaxed);
    let mut heard = Vec::new();
    for code in [replaced.as_str(), &expired, "ABCD-EFGH-JKMN-PQRS", "no code", ""] {
        heard.push(enroll(&place.hub, &asking(&new_keys(), code, "serial-1")).await);
    }
    assert_eq!(heard[0].0, 404);
    assert!(heard.iter().all(|it| *it == heard[0]), "{heard:?}");
}

#[tokio::test]
async fn hardware_and_keys_of_another_clinics_box_are_a_conflict() {
    let place = Place::new();
    let device = place.join("Shanti").await;
    let other = place.add_clinic("Asha");
    let code = place.new_code(other);
    let (status, problem) = enroll(&place.hub, &asking(&new_keys(), &code, "Shanti")).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (409, Some("hardware_taken")));
    let (status, problem) = enroll(&place.hub, &asking(&device.keys, &code, "serial-2")).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (409, Some("keys_taken")));
    // Neither has used up the code.
    assert_eq!(enroll(&place.hub, &asking(&new_keys(), &code, "serial-2")).await.0, 201);
}

#[tokio::test]
async fn a_revoked_box_is_not_heard_until_it_joins_with_a_new_code() {
    let place = Place::new();
    let mut device = place.join("Shanti").await;
    device.write_patient("1", "Asha");
    device.sync(&place.hub).await;
    device.write_patient("2", "Ravi");
    let late = device.seal(&device.bundle(3).unwrap());
    place.hub.store.write(device.clinic, |tx| store::revoke(tx, device.clinic, 1)).unwrap();
    let (status, _) =
        super::device::post(&place.hub, "/v1/bundles", super::device::SEALED, late).await;
    assert_eq!(status, 403);
    assert_eq!(place.held(device.clinic, "Patient/2"), None);
    let code = place.new_code(device.clinic);
    device.keys = new_keys();
    let asked = asking(&device.keys, &code, "Shanti");
    let asked = asking_with(asked, Some(device.uplink.log), None);
    let (status, answer) = enroll(&place.hub, &asked).await;
    assert_eq!(status, 201);
    assert_eq!(
        answer["box"].as_str(),
        Some(uuid::Uuid::from_bytes(device.box_id).to_string().as_str())
    );
    device.sync(&place.hub).await;
    assert!(place.held(device.clinic, "Patient/2").is_some());
}
