//! A box that broke: its place is taken by one that was restored from yesterday's backup, or by a new one, and what
//! the hub holds comes back first.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::hub::{World, done};
use super::line::Faults;
use super::{copied, seed, sync_of, visit};
use crate::journeys::running::{Clinic, Running, stands};

/// Who comes when: what a clinic knows by heart.
async fn diary(clinic: &Clinic, running: &Running) -> Vec<String> {
    let said = |it: &Value| format!("{} {} {}", it["patient"]["name"], it["start"], it["status"]);
    let appointments = running.appointments(&clinic.clerk).await;
    let mut diary: Vec<String> = appointments.iter().filter(|it| stands(it)).map(said).collect();
    diary.sort();
    diary
}

async fn people(clinic: &Clinic, running: &Running) -> Vec<String> {
    let (status, page) = running.get("patients?limit=500", &clinic.clerk).await;
    assert_eq!(status, 200, "{page}");
    let items = page["items"].as_array().unwrap();
    let said = |it: &Value| format!("{} {} {}", it["name"], it["phone"], it["birth_date"]);
    let mut people: Vec<String> = items.iter().map(said).collect();
    people.sort();
    people
}

/// A clinic whose box has told the hub everything: people who are alike on purpose, and visits that were called off.
async fn lived_in(world: &World, running: &Running) {
    let clinic = &world.clinic;
    for nth in 0..6 {
        visit(clinic, running, nth).await;
    }
    for _ in 0..2 {
        let twin = json!({
            "name": "Asha Rao", "phone": "98441 11173", "birth_date": "1984", "accept_duplicate": true,
        });
        assert_eq!(running.post("patients", &clinic.clerk, &twin).await.0, 201);
    }
    world.settle(clinic, running).await;
}

async fn cancel_one(clinic: &Clinic, running: &Running) {
    let appointments = running.appointments(&clinic.clerk).await;
    let id = appointments[0]["id"].as_str().unwrap();
    let body = json!({ "reason": "asked for" });
    let cancelled = running.post(&format!("appointments/{id}/cancel"), &clinic.clerk, &body).await;
    assert_eq!(cancelled.0, 200, "{}", cancelled.1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_of_yesterday_gets_back_what_it_acknowledged_since() {
    let world = World::new(seed()).await;
    let clinic = &world.clinic;
    let running = Running::start(clinic);
    lived_in(&world, &running).await;
    let (key, file) = (world.folder.join("key.txt"), world.folder.join("backup.age"));
    assert!(Command::new("age-keygen").arg("-o").arg(&key).output().unwrap().status.success());
    let said = fs::read_to_string(&key).unwrap();
    let recipient = said.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap();
    done(clinic.command(&["backup", "--to", file.to_str().unwrap(), "--recipient", recipient]));
    for nth in 6..12 {
        visit(clinic, &running, nth).await;
    }
    cancel_one(clinic, &running).await;
    world.settle(clinic, &running).await;
    let (diary_before, people_before) =
        (diary(clinic, &running).await, people(clinic, &running).await);
    running.kill();

    let restored = copied(clinic, &world.folder.join("restored"));
    let (file, key) = (file.to_str().unwrap(), key.to_str().unwrap());
    done(restored.command(&["restore", "--from", file, "--identity", key]));
    let running = Running::start(&restored);
    let heard = sync_of(&restored, &running).await;
    assert_eq!(heard["stop"]["code"], "not_enrolled", "{heard:#}");
    let code = world.code();
    let served = world.replace(&restored, &code);
    assert!(!served.status.success(), "a box that is served books meanwhile");
    running.kill();
    // Without taking anything back it may not join: the hub would forget what it acknowledged.
    let refused = world.enrol(&restored, &code);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("--replace"), "{said}");
    let running = Running::start(&restored);
    let heard = sync_of(&restored, &running).await;
    assert_eq!(heard["stop"]["code"], "not_enrolled", "{heard:#}");
    running.kill();
    done(world.replace(&restored, &code));
    let running = Running::start(&restored);
    world.settle(&restored, &running).await;
    assert_eq!(people(&restored, &running).await, people_before);
    assert_eq!(diary(&restored, &running).await, diary_before);
    world.assert_equal(&restored);
    restored.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_box_takes_the_place_of_a_lost_one_and_books_nothing_before_it_has_everything() {
    let world = World::new(seed()).await;
    let running = Running::start(&world.clinic);
    lived_in(&world, &running).await;
    cancel_one(&world.clinic, &running).await;
    world.settle(&world.clinic, &running).await;
    let (diary_before, people_before) =
        (diary(&world.clinic, &running).await, people(&world.clinic, &running).await);
    running.kill();

    let mut new = copied(&world.clinic, &world.folder.join("new"));
    let code = world.code();
    // The line dies after the box has joined: it may not serve, and goes on when it is told to.
    done(new.command(&["init", "--name", "A new box", "--timezone", "Asia/Kolkata"]));
    world.line.be(Faults { only_enrol: true, ..Faults::default() });
    let failed = world.replace(&new, &code);
    assert!(!failed.status.success());
    let served = new.command(&["serve", "--listen", "127.0.0.1:0"]);
    let said = String::from_utf8(served.stderr).unwrap();
    assert!(!served.status.success() && said.contains("enroll --replace"), "{said}");
    world.line.be(Faults::default());
    let said = done(new.command(&["enroll", "--replace"]));
    assert!(said.contains("Not at the hub"), "{said}");

    for (role, token) in [("admin", &mut new.admin), ("clerk", &mut new.clerk)] {
        let made = crate::journeys::running::program()
            .args(["token", "create", "--name", role, "--role", role, "--data"])
            .arg(&new.data)
            .output();
        *token = done(made.unwrap()).trim().to_owned();
    }
    let running = Running::start(&new);
    world.settle(&new, &running).await;
    assert_eq!(people(&new, &running).await, people_before);
    assert_eq!(diary(&new, &running).await, diary_before);
    world.assert_equal(&new);
    let (_, clinic) = running.get("clinic", &new.clerk).await;
    assert_eq!(
        (&clinic["name"], &clinic["timezone"]),
        (&json!("Shanti Clinic"), &json!("Asia/Kolkata"))
    );
    // The lost one, should it be found: nobody listens to it.
    running.kill();
    let lost = Running::start(&world.clinic);
    let heard = sync_of(&world.clinic, &lost).await;
    assert_eq!(heard["urgency"], "act", "{heard:#}");
    world.assert_equal(&new);
}
