//! A disk that is full: a clear refusal, reading goes on, nothing is lost, and with room again it works again.
//!
//! The disk is a small tmpfs of a mount namespace that ends with the test, so the test starts itself anew in one.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command;

use serde_json::{Value, json};

use super::running::{Clinic, Running, code};

/// Says to the test started anew where the small disk is.
const DISK: &str = "TESTS_SMALL_DISK";
const NAME: &str = "journeys::disk::a_full_disk_refuses_clearly_and_loses_nothing";
const DISK_MIB: usize = 24;
/// What is left of the disk for the load.
const LEFT_BYTES: u64 = 3 * 1024 * 1024;
/// Writes until the disk must be full.
const WRITES_MAX: i64 = 4_000;

#[test]
fn a_full_disk_refuses_clearly_and_loses_nothing() {
    on_small_disk_of(DISK_MIB, NAME, |disk| Box::pin(on_small_disk(disk)));
}

/// Runs a test on a disk of so many MiB; `name` is the test's own, under which it is started anew.
pub fn on_small_disk_of<'d>(
    mib: usize,
    name: &str,
    test: impl FnOnce(&'static Path) -> Pin<Box<dyn Future<Output = ()> + 'd>>,
) {
    if let Some(disk) = std::env::var_os(DISK) {
        let disk: &'static Path = Box::leak(PathBuf::from(disk).into_boxed_path());
        return tokio::runtime::Runtime::new().unwrap().block_on(test(disk));
    }
    let folder = tempfile::tempdir().unwrap();
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout.trim_ascii() == b"0";
    // Whoever is not root is it in a user namespace of their own.
    let namespaces: &[&str] =
        if is_root { &["--mount"] } else { &["--mount", "--user", "--map-root-user"] };
    let script = format!("mount -t tmpfs -o size={mib}m none \"${DISK}\" && exec \"$0\" \"$@\"");
    let ended = Command::new("unshare")
        .args(namespaces)
        .args(["sh", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(DISK, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stdout) + String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{said}");
    assert!(said.contains("1 passed"), "the test did not run on the small disk: {said}");
}

async fn on_small_disk(disk: &Path) {
    let clinic = Clinic::found(&disk.join("clinic"), 4);
    let running = Running::start(&clinic);
    let patient = running.register(&clinic.clerk, "Asha Rao").await;
    let ballast = disk.join("ballast");
    leave(disk, &ballast, LEFT_BYTES);

    let (mut booked, mut people) = (HashSet::new(), HashSet::from([patient.clone()]));
    let refusals = fill(&running, &clinic, &patient, &mut booked, &mut people).await;
    assert!(!booked.is_empty() && people.len() > 1);
    assert_eq!(refusals.0, 507);
    assert_eq!(code(&refusals.1), "storage_full");

    // Many times, and to the last byte: always the same answer, and reading goes on.
    leave(disk, &disk.join("crumbs"), 0);
    for nth in 0..50 {
        let body = json!({ "name": format!("Late {nth}"), "accept_duplicate": true });
        let (status, problem) = running.post("patients", &clinic.clerk, &body).await;
        assert_eq!((status, code(&problem)), (507, "storage_full"));
        let (status, found) = running.get(&format!("patients/{patient}"), &clinic.clerk).await;
        assert_eq!((status, found["name"].as_str()), (200, Some("Asha Rao")));
    }
    let (status, slots) = running.get("slots?limit=10", &clinic.clerk).await;
    assert_eq!((status, slots["items"].as_array().unwrap().len()), (200, 10));
    assert_kept(&running, &clinic, &booked, &people).await;
    let ready =
        running.http.get(format!("http://{}/readyz", running.address)).send().await.unwrap();
    assert_eq!(ready.status(), 503);

    // With room again it works again, without being started anew.
    fs::remove_file(&ballast).unwrap();
    for nth in 0..20 {
        people.insert(running.register(&clinic.clerk, &format!("After {nth}")).await);
    }
    assert_kept(&running, &clinic, &booked, &people).await;
    clinic.assert_sound();

    // Full again, and killed: it starts even so, and what was acknowledged is there.
    leave(disk, &ballast, LEFT_BYTES / 2);
    let refusals = fill(&running, &clinic, &patient, &mut booked, &mut people).await;
    assert_eq!(refusals.0, 507);
    running.kill();
    let running = Running::start(&clinic);
    assert_kept(&running, &clinic, &booked, &people).await;
    fs::remove_file(&ballast).unwrap();
    people.insert(running.register(&clinic.clerk, "At last").await);
    assert_kept(&running, &clinic, &booked, &people).await;
    clinic.assert_sound();
}

/// Writes a file that leaves so much room on the disk.
pub fn leave(disk: &Path, file: &Path, bytes: u64) {
    let free = carepost::health::free_bytes(disk).unwrap();
    let mut rest = usize::try_from(free.saturating_sub(bytes)).unwrap();
    let mut out = fs::File::create(file).unwrap();
    let block = vec![0; 4096];
    while rest > 0 {
        let part = rest.min(block.len());
        match std::io::Write::write(&mut out, &block[..part]) {
            Ok(written) => rest -= written,
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => return,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Books and registers until the box refuses both for want of room.
async fn fill(
    running: &Running,
    clinic: &Clinic,
    patient: &str,
    booked: &mut HashSet<String>,
    people: &mut HashSet<String>,
) -> (u16, Value) {
    let begun = booked.len();
    let first = i64::try_from(begun).unwrap();
    for nth in first..first + WRITES_MAX {
        let slot = clinic.slot(0, nth);
        let body = json!({ "patient_id": patient, "slot_id": slot, "reason": "r".repeat(200) });
        let (status, booking) = running.post("appointments", &clinic.clerk, &body).await;
        match status {
            201 => assert!(booked.insert(booking["id"].as_str().unwrap().to_owned())),
            507 => {}
            other => panic!("{other}: {booking}\n{}", running.log()),
        }
        let name = format!("Person {nth}");
        let body = json!({ "name": name, "accept_duplicate": true });
        let (also, person) = running.post("patients", &clinic.clerk, &body).await;
        match also {
            201 => assert!(people.insert(person["id"].as_str().unwrap().to_owned())),
            507 => {}
            other => panic!("{other}: {person}\n{}", running.log()),
        }
        if status == 507 && also == 507 {
            return (also, person);
        }
    }
    panic!("the disk did not become full");
}

async fn assert_kept(
    running: &Running,
    clinic: &Clinic,
    booked: &HashSet<String>,
    people: &HashSet<String>,
) {
    let appointments = running.appointments(&clinic.clerk).await;
    let there = appointments.iter().map(|found| found["id"].as_str().unwrap().to_owned());
    assert_eq!(&there.collect::<HashSet<_>>(), booked);
    let mut there = HashSet::new();
    let mut cursor = String::new();
    loop {
        let (status, page) =
            running.get(&format!("patients?limit=500{cursor}"), &clinic.clerk).await;
        assert_eq!(status, 200, "{page}");
        let items = page["items"].as_array().unwrap();
        there.extend(items.iter().map(|found| found["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(&there, people);
}
