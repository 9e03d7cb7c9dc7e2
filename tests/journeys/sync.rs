//! A box and a hub, both as the real programs, with a line between them that is as bad as it gets. After whatever
//! happened both hold the same, word for word, and nothing that was acknowledged is lost.
//!
//! `CAREPOST_SYNC_ROUNDS` sets how often one of them is killed, `CAREPOST_SEED` which, when, and what the line does.

mod booked;
mod disk;
pub mod hub;
pub mod line;
mod replaced;
mod several;

use std::path::Path;
use std::sync::Arc;

use fastrand::Rng;
use serde_json::{Value, json};
use tokio::sync::watch;

use self::hub::{Held, World, copy, done};
use self::line::Faults;
use super::running::{Clinic, Running, faketime};

/// Kills in the usual test.
const ROUNDS: u64 = 6;
/// People who are registered at once.
const CLIENTS: usize = 4;
/// Answers after which one of the two is killed, at the most.
const ANSWERS_MAX: usize = 40;
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

fn seed() -> u64 {
    number("CAREPOST_SEED").unwrap_or(1)
}

/// The same clinic in another folder.
fn copied(clinic: &Clinic, data: &Path) -> Clinic {
    let Clinic { data: _, admin, clerk, integrator, schedules } = clinic;
    Clinic {
        data: data.to_owned(),
        admin: admin.clone(),
        clerk: clerk.clone(),
        integrator: integrator.clone(),
        schedules: schedules.clone(),
    }
}

async fn sync_of(clinic: &Clinic, running: &Running) -> Value {
    let (status, sync) = running.post("sync/now", &clinic.admin, &json!({})).await;
    assert_eq!(status, 200, "{sync}");
    sync
}

/// Registers and books for somebody; answers the keys that the hub has to know.
async fn visit(clinic: &Clinic, running: &Running, nth: i64) -> [String; 2] {
    let patient = running.register(&clinic.clerk, &format!("Patient {nth}")).await;
    let mut slot = json!(clinic.slot(0, nth));
    let booked = loop {
        let body = json!({ "patient_id": patient, "slot_id": slot });
        let (status, booked) = running.post("appointments", &clinic.clerk, &body).await;
        if status == 201 {
            break booked;
        }
        // Lent to the hub, or taken by somebody whose slot was lent: the next that the desk is offered.
        assert!(
            ["slot_lent", "slot_taken"].contains(&booked["code"].as_str().unwrap()),
            "{booked}"
        );
        slot = booked["alternatives"][0]["id"].clone();
    };
    let appointment = booked["id"].as_str().unwrap();
    [format!("Patient/{patient}"), format!("Appointment/{appointment}")]
}

fn assert_held(world: &World, keys: &[String]) {
    let held = Held::open(world);
    for key in keys {
        assert!(held.record(key).is_some(), "{key} was acknowledged, and the hub does not hold it");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_that_joined_tells_everything_and_both_hold_the_same() {
    let world = World::new(seed()).await;
    let clinic = &world.clinic;
    let running = Running::start(clinic);
    let mut keys = Vec::new();
    for nth in 0..5 {
        keys.extend(visit(clinic, &running, nth).await);
    }
    world.settle(clinic, &running).await;
    assert_held(&world, &keys);
    world.assert_equal(clinic);

    // What changes is told, too, and what both commands say agrees.
    let appointment = keys[1].strip_prefix("Appointment/").unwrap();
    let body = json!({ "reason": "asked for" });
    let path = format!("appointments/{appointment}/cancel");
    assert_eq!(running.post(&path, &clinic.clerk, &body).await.0, 200);
    world.settle(clinic, &running).await;
    world.assert_equal(clinic);
    let said: Value =
        serde_json::from_str(&done(clinic.command(&["sync", "status", "--json"]))).unwrap();
    let hub = world.hub_status();
    assert_eq!(hub["box"]["held"], json!(format!("through entry {}", said["last"])));
    assert_eq!((&said["condition"], &said["urgency"]), (&json!("told"), &json!("calm")));
    let (_, asked) = running.get("sync", &clinic.clerk).await;
    assert_eq!(asked["hub"]["fingerprint"], said["hub"]["fingerprint"]);
    assert_eq!(asked["says"], said["says"]);
    let (status, refused) = running.post("sync/now", &clinic.clerk, &json!({})).await;
    assert_eq!(status, 403, "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_cuts_repeats_and_delays_loses_nothing() {
    on_a_bad_line(World::new(seed()).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_cuts_repeats_and_delays_loses_nothing_on_postgresql() {
    on_a_bad_line(World::on_postgresql(seed()).await).await;
}

async fn on_a_bad_line(world: World) {
    let clinic = &world.clinic;
    let running = Running::start(clinic);
    world.line.be(Faults { cut: 12, twice: 15, late: 15, ..Faults::default() });
    let mut keys = Vec::new();
    for nth in 0..25 {
        keys.extend(visit(clinic, &running, nth).await);
        // Each change goes alone, so that there is something to be out of order.
        let _ = sync_of(clinic, &running).await;
    }
    world.settle(clinic, &running).await;
    assert_held(&world, &keys);
    world.assert_equal(clinic);
    let happened = world.line.happened();
    assert!(happened.cut > 0 && happened.twice > 0 && happened.late > 0, "{happened:?}");
    assert!(world.hub_status()["box"]["standing"] == "heard", "nobody was taken for a second box");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_line_that_loses_packets_brings_everything() {
    let world = World::new(seed()).await;
    let clinic = &world.clinic;
    let running = Running::start(clinic);
    world.line.be(Faults { lost: 2, bits_per_second: Some(512_000), ..Faults::default() });
    let mut keys = Vec::new();
    for nth in 0..150 {
        keys.extend(visit(clinic, &running, nth).await);
    }
    world.settle(clinic, &running).await;
    assert_held(&world, &keys);
    world.assert_equal(clinic);
}

/// Registers until nobody answers any more; answers whom it heard of.
async fn register(
    (clinic, running): (Arc<Clinic>, Arc<Running>),
    name: String,
    heard: watch::Sender<usize>,
) -> Vec<String> {
    let mut known = Vec::new();
    for nth in 0..ANSWERS_MAX {
        let body = json!({ "name": format!("{name} {nth}"), "accept_duplicate": true });
        let asked = ("POST", "patients");
        match running.try_call(asked, &clinic.clerk, None, Some(&body)).await {
            Some((201, patient)) => {
                known.push(format!("Patient/{}", patient["id"].as_str().unwrap()));
            }
            Some(other) => panic!("{other:?}"),
            None => break,
        }
        heard.send_modify(|heard| *heard += 1);
    }
    known
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_of_either_side_lose_nothing() {
    kill_either(World::new(seed()).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_of_either_side_lose_nothing_on_postgresql() {
    kill_either(World::on_postgresql(seed()).await).await;
}

async fn kill_either(mut world: World) {
    let rounds = number("CAREPOST_SYNC_ROUNDS").unwrap_or(ROUNDS);
    let mut rng = Rng::with_seed(seed());
    let clinic = Arc::new(copied(&world.clinic, &world.clinic.data));
    let mut running = Arc::new(Running::start(&clinic));
    let mut keys = Vec::new();
    for round in 0..rounds {
        let (heard, mut hears) = watch::channel(0);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|nth| {
                let of = (Arc::clone(&clinic), Arc::clone(&running));
                tokio::spawn(register(of, format!("r{round} c{nth}"), heard.clone()))
            })
            .collect();
        // The box tells meanwhile, and it is told to: one of the two dies while it is at it.
        let (teller, told) = (Arc::clone(&running), Arc::clone(&clinic));
        let telling = tokio::spawn(async move {
            let (path, body) = (("POST", "sync/now"), json!({}));
            while teller.try_call(path, &told.admin, None, Some(&body)).await.is_some() {}
        });
        let moment = rng.usize(1..ANSWERS_MAX);
        hears.wait_for(|heard| *heard >= moment).await.unwrap();
        let (dies_box, dies_hub) = [(true, false), (false, true), (true, true)][rng.usize(0..3)];
        if dies_hub {
            world.hub.kill();
        }
        if dies_box {
            running.kill();
        }
        for client in clients {
            keys.extend(client.await.unwrap());
        }
        if dies_hub {
            world.start_hub();
        }
        // A box that was not killed would be told for ever.
        telling.abort();
        if dies_box {
            running = Arc::new(Running::start(&clinic));
        }
        world.settle(&clinic, &running).await;
        assert_held(&world, &keys);
        world.assert_equal(&clinic);
    }
    clinic.assert_sound();
    assert!(keys.len() as u64 >= rounds, "something was acknowledged in each round");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_boxes_of_one_disk_are_stopped_until_a_person_says_which_it_is() {
    let world = World::new(seed()).await;
    let clinic = &world.clinic;
    let running = Running::start(clinic);
    visit(clinic, &running, 0).await;
    world.settle(clinic, &running).await;
    running.kill();
    let clone = copied(clinic, &world.folder.join("clone"));
    copy(&clinic.data, &clone.data);

    let running = Running::start(clinic);
    let keys = visit(clinic, &running, 1).await;
    world.settle(clinic, &running).await;
    let second = Running::start(&clone);
    visit(&clone, &second, 2).await;
    visit(&clone, &second, 3).await;
    // The clone finds out when it hears what the hub holds; the hub tells both.
    let heard = sync_of(&clone, &second).await;
    assert_eq!((&heard["condition"], &heard["urgency"]), (&json!("stopped"), &json!("act")));
    visit(clinic, &running, 4).await;
    let heard = sync_of(clinic, &running).await;
    assert_eq!(heard["stop"]["code"], "quarantined", "{heard:#}");
    assert_held(&world, &keys);
    second.kill();

    // A person switches one off, and lets the other join again.
    let code = world.code();
    let refused = world.enrol(clinic, &code);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("--forget-held"), "{said}");
    done(world.enrol_anyway(clinic, &code));
    world.settle(clinic, &running).await;
    world.assert_equal(clinic);
    // The other one is heard no more, whatever it says.
    let second = Running::start(&clone);
    let heard = sync_of(&clone, &second).await;
    assert_eq!(heard["stop"]["code"], "retired", "{heard:#}");
    world.assert_equal(clinic);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_is_as_it_was_yesterday_is_told_again() {
    put_back_yesterday(World::new(seed()).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_is_as_it_was_yesterday_is_told_again_on_postgresql() {
    put_back_yesterday(World::on_postgresql(seed()).await).await;
}

async fn put_back_yesterday(mut world: World) {
    let clinic = copied(&world.clinic, &world.clinic.data);
    let running = Running::start(&clinic);
    let mut keys = Vec::from(visit(&clinic, &running, 0).await);
    world.settle(&clinic, &running).await;
    world.hub.kill();
    let yesterday = world.folder.join("yesterday");
    world.place.copy(&yesterday);
    world.start_hub();
    for nth in 1..20 {
        keys.extend(visit(&clinic, &running, nth).await);
    }
    world.settle(&clinic, &running).await;
    world.hub.kill();
    world.place.put_back(&yesterday);
    world.start_hub();
    world.settle(&clinic, &running).await;
    assert_held(&world, &keys);
    world.assert_equal(&clinic);
    assert!(world.hub_status()["box"]["standing"] == "heard", "nobody was taken for a second box");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_without_a_battery_that_wakes_in_1970_tells_as_ever() {
    let world = World::new(seed()).await;
    let clinic = &world.clinic;
    let running = Running::start(clinic);
    let mut keys = Vec::from(visit(clinic, &running, 0).await);
    world.settle(clinic, &running).await;
    running.kill();
    let long_ago = [("LD_PRELOAD", faketime()), ("FAKETIME", "@1970-01-02 00:00:00")];
    let running = Running::start_under(clinic, &long_ago);
    let (_, now) = running.get("clinic", &clinic.clerk).await;
    assert!(now["today"].as_str().unwrap().starts_with("1970"), "{now}");
    keys.push(format!("Patient/{}", running.register(&clinic.clerk, "Asha Rao").await));
    world.settle(clinic, &running).await;
    assert_held(&world, &keys);
    running.kill();
    // The clock is set, and the order of what was written holds.
    let running = Running::start(clinic);
    keys.extend(visit(clinic, &running, 1).await);
    world.settle(clinic, &running).await;
    assert_held(&world, &keys);
    world.assert_equal(clinic);
}
