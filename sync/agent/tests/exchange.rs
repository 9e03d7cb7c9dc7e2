//! A box and a hub that is played by the protocol's ledger: what is said arrives once, whatever the line does.

#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first thing that is not as it should be"
)]

#[path = "exchange/world.rs"]
mod world;

use prm::change;
use sync_agent::{Budget, Fault, Meter, Turn};
use sync_protocol::ledger::Extent;
use world::World;

#[tokio::test]
async fn a_box_that_joins_states_everything_and_then_tells_what_changes() {
    let world = World::new();
    for number in 0..650 {
        world.register(&format!("Patient {number}"));
    }
    let mut agent = world.joined().await;
    world.settle(&mut agent).await;
    let head = world.head();
    assert_eq!(world.through(), Some(head));
    assert_eq!(world.hub().records("Patient/"), 650);
    assert_eq!(world.hub().records("Organization/"), 1);
    assert!(world.hub().bundles >= 3, "an ask, and more than one part: a part has at most 500");

    // Two changes of one record are one entry, and changes of nothing that is told are passed over.
    let patient = world.register("Asha Rao");
    world.rename(patient, "Asha Rao-Iyer");
    let before = world.hub().stored;
    world.settle(&mut agent).await;
    assert_eq!(world.through(), Some(head + 2));
    assert_eq!(world.hub().stored - before, 1);
    assert!(world.hub().text(&format!("Patient/{patient}")).contains("Asha Rao-Iyer"));
    assert_eq!(agent.round(world.now()).await.unwrap(), Turn::Idle);
    assert_eq!(world.head(), head + 2, "telling does not lengthen the log");
}

#[tokio::test]
async fn an_answer_that_is_lost_does_no_harm() {
    let world = World::new();
    world.register("Asha Rao");
    let mut agent = world.joined().await;
    world.settle(&mut agent).await;
    for number in 0..5 {
        world.register(&format!("Patient {number}"));
        world.hub().lose = 1;
        let lost = agent.round(world.now()).await;
        assert!(matches!(lost, Err(Fault::Refused(503))), "{lost:?}");
        let status = world.status();
        assert_eq!((status.failures, status.fault.as_deref()), (1, Some("hub_busy")));
        world.settle(&mut agent).await;
    }
    assert_eq!(world.hub().records("Patient/"), 6);
    assert_eq!(world.through(), Some(world.head()));
    assert_eq!((world.status().failures, world.status().waiting), (0, 0));
    assert!(!world.hub().ledger().quarantined);
}

#[tokio::test]
async fn a_box_that_starts_again_goes_on_where_the_hub_is() {
    let world = World::new();
    let mut agent = world.joined().await;
    for number in 0..700 {
        world.register(&format!("Patient {number}"));
    }
    // Asked, and one part told; then the power goes.
    agent.round(world.now()).await.unwrap();
    agent.round(world.now()).await.unwrap();
    assert!(matches!(world.hub().ledger().extent, Extent::Statement { .. }));
    let before = world.hub().stored;
    let mut agent = world.agent();
    world.settle(&mut agent).await;
    assert_eq!(world.hub().records("Patient/"), 700);
    assert!(world.hub().stored - before < 300, "the part that was held is not told again");
}

#[tokio::test]
async fn a_hub_that_lost_something_is_told_again() {
    let world = World::new();
    let mut agent = world.joined().await;
    world.settle(&mut agent).await;
    let saved = world.hub().save();
    for number in 0..20 {
        world.register(&format!("Patient {number}"));
        world.settle(&mut agent).await;
    }
    world.hub().restore(saved);
    assert_eq!(world.hub().records("Patient/"), 0);
    world.register("Asha Rao");
    // The stretch leaves a gap; the receipt says where the hub is.
    world.settle(&mut agent).await;
    assert_eq!(world.hub().records("Patient/"), 21);
    assert_eq!(world.through(), Some(world.head()));
}

#[tokio::test]
async fn two_boxes_of_one_disk_are_both_stopped() {
    let world = World::new();
    let mut agent = world.joined().await;
    world.settle(&mut agent).await;
    let twin = world.copy();
    world.register("Asha Rao");
    world.settle(&mut agent).await;
    twin.register("Ravi Kumar");
    let mut other = twin.agent();
    let mut stopped = false;
    for _ in 0..4 {
        stopped |= matches!(other.round(twin.now()).await, Ok(Turn::Stopped(_)));
    }
    assert!(stopped, "the hub holds what the copy never wrote");
    assert!(world.hub().ledger().quarantined);
    world.register("Another");
    let turn = agent.round(world.now()).await.unwrap();
    assert!(matches!(turn, Turn::Stopped(_)), "{turn:?}");
    assert_eq!(world.status().stop.unwrap().code, "quarantined");
    // It stays stopped after a start, and says what to do.
    assert!(matches!(world.agent().round(world.now()).await.unwrap(), Turn::Stopped(_)));
}

#[tokio::test]
async fn a_restored_box_is_a_new_life_and_states_everything() {
    let world = World::new();
    world.register("Asha Rao");
    let mut agent = world.joined().await;
    world.settle(&mut agent).await;
    let restored = world.copy();
    restored.begin_log();
    let mut agent = restored.agent();
    let refused = agent.round(restored.now()).await.unwrap();
    assert!(matches!(refused, Turn::Stopped(_)), "nobody allowed it yet: {refused:?}");
    assert_eq!(restored.status().stop.unwrap().code, "not_enrolled");

    world.hub().reborn = true;
    restored.decide();
    restored.settle(&mut agent).await;
    assert_eq!(world.hub().ledger().lineage.generation.0, 2);
    assert_eq!(restored.status().hub.unwrap().generation, Some(2));
    assert_eq!(restored.through(), Some(restored.head()));
}

#[tokio::test]
async fn what_the_hub_cannot_take_is_named_and_holds_up_nothing() {
    let world = World::new();
    let mut agent = world.joined().await;
    world.settle(&mut agent).await;
    let bad = world.register("Bad");
    world.hub().refused = Some(format!("Patient/{bad}"));
    world.register("Asha Rao");
    world.settle(&mut agent).await;
    let status = world.status();
    assert_eq!((status.parked, status.waiting), (1, 0));
    assert_eq!(status.parked_entries[0].key, format!("Patient/{bad}"));
    assert_eq!(status.parked_entries[0].reason, "invalid");
    // Mended by its next change.
    world.hub().refused = None;
    world.rename(bad, "Good");
    world.settle(&mut agent).await;
    assert_eq!((world.status().parked, world.status().parked_entries.len()), (0, 0));
}

#[tokio::test]
async fn a_receipt_of_somebody_else_is_not_believed() {
    let world = World::new();
    let mut agent = world.joined().await;
    world.hub().forged = true;
    assert!(matches!(agent.round(world.now()).await, Err(Fault::Receipt)));
    assert_eq!(world.status().receipt_at, None);
    world.hub().forged = false;
    world.settle(&mut agent).await;
    assert_eq!(world.through(), Some(world.head()));
}

#[tokio::test]
async fn a_box_that_is_idle_asks_from_time_to_time() {
    let mut world = World::new();
    let mut agent = world.joined().await;
    world.settle(&mut agent).await;
    let bundles = world.hub().bundles;
    assert_eq!(agent.round(world.now()).await.unwrap(), Turn::Idle);
    assert_eq!(world.hub().bundles, bundles);
    world.later(360);
    assert!(matches!(agent.round(world.now()).await.unwrap(), Turn::Told { more: false, .. }));
    assert_eq!(world.hub().bundles, bundles + 1);
}

#[tokio::test]
async fn a_code_is_good_once_and_a_wrong_fingerprint_joins_nothing() {
    let world = World::new();
    assert_eq!(world.agent().round(world.now()).await.unwrap(), Turn::Alone);
    let wrong = world.enrol(Some("0000-0000-0000-0000")).await.unwrap_err();
    assert!(wrong.to_string().contains("fingerprint"), "{wrong}");
    assert!(world.status().hub.is_none());
    assert!(world.enrol(None).await.unwrap_err().to_string().contains("carepost-hub clinic code"));
    world.hub().code = "ABCD-EFGH".into();
    let right = world.hub().fingerprint().to_uppercase();
    let joined = world.enrol(Some(&right)).await.unwrap();
    assert_eq!(joined.hub, world.hub().fingerprint());
    assert_eq!(world.status().hub.unwrap().clinic_name, "Shanti Clinic");
    assert!(world.db.read_blocking(change::last).is_ok());
}

#[tokio::test]
async fn what_changed_of_a_record_is_told_in_whole_if_the_hub_holds_another_version() {
    let world = World::new();
    let mut agent = world.joined().await;
    let asha = world.register("Asha Rao");
    world.settle(&mut agent).await;
    world.rename(asha, "Asha Rao-Patel");
    world.settle(&mut agent).await;
    assert_eq!(world.hub().shortened, 0, "the hub has not said that it puts records together");
    world.hub().puts_together = true;
    for name in ["Asha Patel", "Asha"] {
        world.rename(asha, name);
        world.settle(&mut agent).await;
        assert!(world.hub().text(&format!("Patient/{asha}")).contains(name));
        assert_eq!((world.through(), world.status().fault), (Some(world.head()), None));
    }
    assert_eq!(world.hub().shortened, 1, "only what was answered says that it can");
}

#[tokio::test]
async fn a_budget_that_is_used_up_holds_the_bulk_until_tomorrow_and_nothing_that_is_awaited() {
    const DAY: i64 = 24 * 3600;
    let tight = Budget(Some(1));
    let mut world = World::new();
    for number in 0..700 {
        world.register(&format!("Patient {number}"));
    }
    drop(world.joined().await);
    let mut agent = world.agent().within(tight, Meter::default());
    // The question goes, and costs the budget of today.
    assert!(matches!(agent.round(world.now()).await.unwrap(), Turn::Told { more: true, .. }));
    assert_eq!(agent.round(world.now()).await.unwrap(), Turn::Held);
    let status = world.status();
    assert!(status.over_budget && status.spent_bytes > 0, "{status:?}");
    assert_eq!((status.budget_bytes, world.hub().records("Patient/")), (Some(1), 0));

    // Nobody forgets that by starting again.
    let mut agent = world.agent().within(tight, Meter::default());
    agent.round(world.now()).await.unwrap();
    assert_eq!(agent.round(world.now()).await.unwrap(), Turn::Held);
    assert!(world.status().spent_bytes > status.spent_bytes);

    // Tomorrow a part goes; it is sent whole.
    world.later(DAY);
    assert!(!world.status().over_budget);
    assert!(matches!(agent.round(world.now()).await.unwrap(), Turn::Told { more: true, .. }));
    assert_eq!(agent.round(world.now()).await.unwrap(), Turn::Held);
    assert_eq!(world.hub().records("Patient/"), 499, "a part, with the clinic in it");
    let mut unbound = world.agent();
    world.settle(&mut unbound).await;
    assert!(!world.status().over_budget);

    // What somebody did just now is told, whatever is used up.
    let asha = world.register("Asha Rao");
    let mut agent = world.agent().within(tight, Meter::default());
    world.settle(&mut agent).await;
    assert!(world.hub().text(&format!("Patient/{asha}")).contains("Asha Rao"));
    assert!(world.status().spent_bytes > 1);
}
