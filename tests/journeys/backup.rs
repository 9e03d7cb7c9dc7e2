//! A backup made while people book: what it holds is whole, and is what there was at one moment.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::running::{Clinic, Running, SLOTS_A_DAY, program};

const CLIENTS: usize = 6;

/// Books one slot after the other until it is told to stop; answers the ids in their order.
async fn book(
    (clinic, running): (Arc<Clinic>, Arc<Running>),
    stop: Arc<AtomicBool>,
    nth: usize,
) -> Vec<String> {
    let patient = running.register(&clinic.clerk, &format!("Patient {nth}")).await;
    let mut booked = Vec::new();
    for slot in 0..30 * SLOTS_A_DAY {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let body = json!({ "patient_id": patient, "slot_id": clinic.slot(nth, slot) });
        let (status, booking) = running.post("appointments", &clinic.clerk, &body).await;
        assert_eq!(status, 201, "{booking}");
        booked.push(booking["id"].as_str().unwrap().to_owned());
    }
    booked
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_made_under_load_is_the_clinic_at_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    let clinic = Arc::new(Clinic::found(&folder.path().join("clinic"), CLIENTS));
    let running = Arc::new(Running::start(&clinic));
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|nth| {
            let both = (Arc::clone(&clinic), Arc::clone(&running));
            tokio::spawn(book(both, Arc::clone(&stop), nth))
        })
        .collect();
    let booked = async || running.appointments(&clinic.clerk).await.len();
    while booked().await < 100 {}

    let (key, file) = (folder.path().join("key.txt"), folder.path().join("backup.age"));
    assert!(Command::new("age-keygen").arg("-o").arg(&key).output().unwrap().status.success());
    let said = fs::read_to_string(&key).unwrap();
    let recipient = said.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap();
    let before = booked().await;
    let to = file.to_str().unwrap();
    let made = clinic.command(&["backup", "--to", to, "--recipient", recipient]);
    assert!(made.status.success(), "{made:?}");
    let after = booked().await;
    assert!(after > before, "nobody booked while the backup was made");
    while booked().await < after + 50 {}
    stop.store(true, Ordering::Relaxed);
    let mut in_order = Vec::new();
    for client in clients {
        in_order.push(client.await.unwrap());
    }

    let data = folder.path().join("restored");
    let mut restore = program();
    restore.args(["restore", "--from", to]).arg("--identity").arg(&key).arg("--data").arg(&data);
    let restored = restore.output().unwrap();
    assert!(restored.status.success(), "{restored:?}");
    let (clerk, schedules) = (clinic.clerk.clone(), clinic.schedules.clone());
    let again = Clinic { data, admin: String::new(), clerk, integrator: String::new(), schedules };
    again.assert_sound();
    let there = Running::start(&again).appointments(&again.clerk).await;
    assert!((before..=after).contains(&there.len()), "{before} {} {after}", there.len());
    // Of each client the first ones and no later one: never the second without the first.
    let there: Vec<&str> = there.iter().map(|found| found["id"].as_str().unwrap()).collect();
    let mut found = 0;
    for booked in in_order {
        let kept = booked.iter().take_while(|id| there.contains(&id.as_str())).count();
        assert!(booked[kept..].iter().all(|id| !there.contains(&id.as_str())));
        found += kept;
    }
    assert_eq!(found, there.len());
}
