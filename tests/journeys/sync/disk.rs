//! A hub whose disk is full: it takes nothing and says so, the box keeps everything, and with room again the hub
//! is told.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::hub::{Place, World};
use super::{assert_held, seed, sync_of, visit};
use crate::journeys::disk::{leave, on_small_disk_of};
use crate::journeys::running::Running;

const NAME: &str = "journeys::sync::disk::a_hub_whose_disk_is_full_takes_nothing_and_loses_nothing";
const DISK_MIB: usize = 12;
/// What is left of the disk for the load.
const LEFT_BYTES: u64 = 512 * 1024;
/// Visits until the disk must be full.
const VISITS_MAX: i64 = 1_500;
/// Visits that are told at once.
const AT_ONCE: i64 = 20;

#[test]
fn a_hub_whose_disk_is_full_takes_nothing_and_loses_nothing() {
    on_small_disk_of(DISK_MIB, NAME, |disk| Box::pin(on_small_disk(disk)));
}

async fn on_small_disk(disk: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place { data: disk.join("hub"), cluster: None, broker: None };
    let mut world = World::within(folder.path().to_owned(), place, seed()).await;
    let clinic = super::copied(&world.clinic, &world.clinic.data);
    let running = Running::start(&clinic);
    let mut keys = Vec::from(visit(&clinic, &running, 0).await);
    world.settle(&clinic, &running).await;
    let ballast = disk.join("ballast");
    leave(disk, &ballast, LEFT_BYTES);

    let mut full = None;
    for first in (1..VISITS_MAX).step_by(AT_ONCE as usize) {
        for nth in first..first + AT_ONCE {
            keys.extend(visit(&clinic, &running, nth).await);
        }
        let sync = sync_of(&clinic, &running).await;
        if sync["condition"] != "told" {
            full = Some(sync);
            break;
        }
    }
    let full = full.expect("the disk became full");
    assert_eq!((&full["condition"], &full["urgency"]), (&json!("hub_busy"), &json!("look")));
    assert!(full["waiting"].as_i64().unwrap() > 0, "{full:#}");
    // The box works on, and the hub holds what its receipts said.
    keys.extend(visit(&clinic, &running, VISITS_MAX).await);
    let ready = format!("http://{}/readyz", world.hub.address);
    assert_eq!(running.http.get(ready).send().await.unwrap().status(), 503);

    // Killed while it is full, it starts again; with room it is told everything.
    world.hub.kill();
    world.start_hub();
    fs::remove_file(&ballast).unwrap();
    world.settle(&clinic, &running).await;
    assert_held(&world, &keys);
    world.assert_equal(&clinic);
}
