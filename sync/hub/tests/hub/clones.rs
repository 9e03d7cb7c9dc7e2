//! Boxes that are copied, restored and replaced.

use sync_protocol::ledger::{Extent, Standing};
use sync_protocol::lineage::LogId;
use sync_protocol::loan::Generation;
use sync_protocol::uplink::Uplink;

use super::Place;
use super::device::{Device, asking, asking_with, enroll, new_keys};

#[tokio::test]
async fn a_copied_box_is_noticed_and_neither_is_heard_until_one_begins_anew() {
    let mut place = Place::new();
    let mut device = place.join("Shanti").await;
    device.write_patient("1", "Asha");
    device.sync(&place.hub).await;
    let mut copy = device.clone();
    device.write_patient("2", "Ravi");
    copy.write_patient("2", "Meena");
    device.sync(&place.hub).await;
    let receipt = copy.send(&place.hub, &copy.bundle(3).unwrap()).await;
    assert_eq!(receipt.standing, Standing::Quarantined);
    place.restart();
    device.write_patient("3", "Late");
    let receipt = device.send(&place.hub, &device.bundle(3).unwrap()).await;
    assert_eq!(receipt.standing, Standing::Quarantined);
    assert!(place.held(device.clinic, "Patient/2").unwrap().contains("Ravi"));
    assert_eq!(place.held(device.clinic, "Patient/3"), None);
    // A person gives one of them a new log and a new code.
    let code = place.new_code(device.clinic);
    device.keys = new_keys();
    let asked = asking(&device.keys, &code, "Shanti");
    let log = Some(device.uplink.log);
    // It cannot know which of the two was held.
    let (status, problem) = enroll(&place.hub, &asking_with(asked.clone(), log, None)).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (409, Some("records_held")));
    let asked = asking_with(asked, None, Some("forget"));
    assert_eq!(enroll(&place.hub, &asked).await.0, 201);
    device.uplink = Uplink::new(LogId([2; 16]));
    device.sync(&place.hub).await;
    assert_eq!(device.uplink.generation, Some(Generation(2)));
    assert!(place.held(device.clinic, "Patient/3").is_some());
}

#[tokio::test]
async fn what_another_log_told_is_taken_away_only_if_a_person_says_so() {
    let place = Place::new();
    let mut device = place.join("Shanti").await;
    for id in ["1", "2", "3"] {
        device.write_patient(id, "Asha");
    }
    let before = device.clone();
    device.write_patient("4", "After the backup");
    device.sync(&place.hub).await;
    // The backup is put back; the box knows that it was restored.
    let mut restored = Uplink::new(LogId([5; 16]));
    restored.generation = device.uplink.generation;
    let mut device = Device { uplink: restored, ..before };
    let receipt = device.send(&place.hub, &device.bundle(3).unwrap()).await;
    assert_eq!(receipt.standing, Standing::NotEnrolled);
    assert_eq!(place.record_count(device.clinic), 4);
    let code = place.new_code(device.clinic);
    let (asked, log) = (asking(&device.keys, &code, "Shanti"), Some(LogId([5; 16])));
    let (status, problem) = enroll(&place.hub, &asking_with(asked.clone(), log, None)).await;
    assert_eq!((status.as_u16(), problem["code"].as_str()), (409, Some("records_held")));
    device.uplink = Uplink::new(LogId([5; 16]));
    let receipt = device.send(&place.hub, &device.bundle(3).unwrap()).await;
    assert_eq!(receipt.standing, Standing::NotEnrolled);
    assert_eq!(place.record_count(device.clinic), 4);
    // The code is still good.
    let asked = asking_with(asked, log, Some("forget"));
    assert_eq!(enroll(&place.hub, &asked).await.0, 201);
    device.uplink = Uplink::new(LogId([5; 16]));
    device.sync(&place.hub).await;
    assert_eq!(place.held(device.clinic, "Patient/4"), None);
    assert_eq!(place.record_count(device.clinic), 3);
    // One code, one new log: the next needs a person again.
    device.uplink = Uplink::new(LogId([6; 16]));
    let receipt = device.send(&place.hub, &device.bundle(3).unwrap()).await;
    assert_eq!(receipt.standing, Standing::NotEnrolled);
}

#[tokio::test]
async fn a_late_bundle_of_the_log_before_does_not_use_up_the_leave_of_the_new_one() {
    let place = Place::new();
    let mut device = place.join("Shanti").await;
    device.write_patient("1", "Asha");
    device.sync(&place.hub).await;
    device.write_patient("2", "Ravi");
    let late = device.bundle(3).unwrap();
    let code = place.new_code(device.clinic);
    let asked = asking_with(asking(&device.keys, &code, "Shanti"), None, Some("restore"));
    assert_eq!(enroll(&place.hub, &asked).await.0, 201);
    assert_eq!(device.send(&place.hub, &late).await.standing, Standing::Living);
    device.uplink = Uplink::new(LogId([7; 16]));
    device.sync(&place.hub).await;
    assert_eq!(device.uplink.generation, Some(Generation(2)));
    // A box that joins again with the log that is heard gives nobody leave to begin another.
    let (code, log) = (place.new_code(device.clinic), Some(device.uplink.log));
    let asked = asking_with(asking(&device.keys, &code, "Shanti"), log, None);
    assert_eq!(enroll(&place.hub, &asked).await.0, 201);
    device.write_patient("3", "Meena");
    device.sync(&place.hub).await;
    assert!(place.held(device.clinic, "Patient/3").is_some());
    device.uplink = Uplink::new(LogId([8; 16]));
    let receipt = device.send(&place.hub, &device.bundle(3).unwrap()).await;
    assert_eq!(receipt.standing, Standing::NotEnrolled);
}

#[tokio::test]
async fn a_hub_that_was_put_back_from_a_copy_gets_the_rest_again() {
    let mut place = Place::new();
    let mut device = place.join("Shanti").await;
    device.write_patient("1", "Asha");
    device.sync(&place.hub).await;
    place.copy();
    device.write_patient("2", "Ravi");
    device.sync(&place.hub).await;
    place.put_back();
    assert_eq!(place.held(device.clinic, "Patient/2"), None);
    // The box believes the receipt, not what it once heard.
    device.write_patient("3", "Meena");
    let receipt = device.send(&place.hub, &device.bundle(3).unwrap()).await;
    assert!(matches!(receipt.extent, Extent::Log { through: 1, .. }));
    device.sync(&place.hub).await;
    assert_eq!(place.record_count(device.clinic), 3);
}
