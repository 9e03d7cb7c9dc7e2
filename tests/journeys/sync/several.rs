//! Several hubs serve one database, and a box speaks to whichever it is led to.

use super::hub::{Hub, World};
use super::{assert_held, seed, sync_of, visit};
use crate::journeys::running::Running;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hubs_on_one_database_hold_together_what_a_box_tells_either() {
    let mut world = World::on_postgresql(seed()).await;
    let clinic = super::copied(&world.clinic, &world.clinic.data);
    let running = Running::start(&clinic);
    let second = Hub::start(&world.place);
    let addresses = [world.hub.address, second.address];
    let mut keys = Vec::new();
    for nth in 0..16 {
        world.line.lead_to(addresses[usize::try_from(nth).unwrap() % 2]);
        keys.extend(visit(&clinic, &running, nth).await);
        let said = sync_of(&clinic, &running).await;
        assert_ne!(said["urgency"], "act", "{said:#}");
    }
    // One of the two dies; the other knows all of it.
    second.kill();
    keys.extend(visit(&clinic, &running, 16).await);
    world.line.lead_to(addresses[0]);
    world.settle(&clinic, &running).await;
    assert_held(&world, &keys);
    world.assert_equal(&clinic);
    assert!(world.hub_status()["box"]["standing"] == "heard", "nobody was taken for a second box");
    world.start_hub();
    world.settle(&clinic, &running).await;
    world.assert_equal(&clinic);
}
