//! The real program `carepost`, started as an installer would.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Where the program is. `cargo xtask test` builds it before the tests.
pub fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent).unwrap().join("carepost");
    assert!(built.exists(), "build the program first: cargo build -p carepost");
    built
}

fn carepost(arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    // Variables for the tests themselves are no settings of the box.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CAREPOST_") {
            command.env_remove(name);
        }
    }
    command.args(arguments);
    command
}

fn done(mut command: Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

struct Box {
    folder: tempfile::TempDir,
}

impl Box {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Self { folder };
        made.run(&["init", "--name", "Shanti Clinic", "--timezone", "Asia/Kolkata"]);
        made
    }

    fn folder(&self) -> String {
        self.folder.path().join("clinic").display().to_string()
    }

    fn beside(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// A command on this box.
    fn run(&self, arguments: &[&str]) -> String {
        let mut command = carepost(arguments);
        command.args(["--data", &self.folder()]);
        done(command)
    }

    fn token(&self, role: &str) -> String {
        self.run(&["token", "create", "--name", role, "--role", role]).trim().to_owned()
    }

    fn serve(&self) -> Serving {
        let mut command = carepost(&["serve", "--log-format", "json", "--listen", "127.0.0.1:0"]);
        command.args(["--data", &self.folder()]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("the box says where it serves").unwrap();
            let line: Value = serde_json::from_str(&line).unwrap();
            if let Some(address) = line["fields"]["plain"].as_str() {
                break address.to_owned();
            }
        };
        // What it logs later must not fill the pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Serving { child, url: format!("http://{address}") }
    }
}

/// A box that serves; stopped when this is dropped.
struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn client() -> reqwest::Client {
    // Asking twice is refused, and no harm.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

#[test]
fn wrong_usage_ends_with_2_and_a_failure_with_1_and_one_line() {
    let usage = carepost(&["serve", "--no-such-flag"]).output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nothing").display().to_string();
    let failed = carepost(&["serve", "--data", &nowhere]).output().unwrap();
    assert_eq!(failed.status.code(), Some(1));
    let said = String::from_utf8(failed.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("carepost init"), "{said}");
    assert_eq!(carepost(&["--version"]).status().unwrap().code(), Some(0));
}

#[test]
fn init_never_touches_a_box_that_is_there() {
    let clinic = Box::new();
    let before = fs::read(Path::new(&clinic.folder()).join("keys/database.key")).unwrap();
    let mut again = carepost(&["init", "--name", "Other", "--timezone", "Asia/Kolkata"]);
    let again = again.args(["--data", &clinic.folder()]).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(fs::read(Path::new(&clinic.folder()).join("keys/database.key")).unwrap(), before);
    assert!(clinic.run(&["user", "list"]).contains("admin"));
}

#[tokio::test]
async fn a_stop_finishes_what_was_begun_and_ends_well() {
    let clinic = Box::new();
    let token = clinic.token("clerk");
    let mut serving = clinic.serve();
    let (url, http) = (serving.url.clone(), client());
    let register = |n: usize| {
        let request = http
            .post(format!("{url}/api/v1/prm/patients"))
            .bearer_auth(&token)
            .json(&json!({ "name": format!("Patient {n}"), "accept_duplicate": true }));
        async move { request.send().await.map(|answered| answered.status().as_u16()) }
    };
    assert_eq!(register(0).await.unwrap(), 201);
    let many: Vec<_> = (1..=40).map(|n| tokio::spawn(register(n))).collect();
    // Some are acknowledged, some under way, some not yet sent.
    let mut acknowledged = 1;
    for (at, one) in many.into_iter().enumerate() {
        if at == 5 {
            serving.signal("TERM");
        }
        if let Ok(Ok(201)) = one.await {
            acknowledged += 1;
        }
    }
    let ended = tokio::task::spawn_blocking(move || serving.child.wait().unwrap().code()).await;
    assert_eq!(ended.unwrap(), Some(0));
    let db = carepost::app::open_db(Path::new(&clinic.folder())).unwrap();
    let last = db.read_blocking(prm::change::last).unwrap();
    // Founding, the administrator, the token, and then one change for each patient.
    assert_eq!(last - 3, acknowledged, "each that was acknowledged is there, and no other");
    drop(db);
    assert!(clinic.run(&["audit", "verify"]).contains("whole"));
}

#[tokio::test]
async fn commands_work_while_the_box_serves() {
    let clinic = Box::new();
    let serving = clinic.serve();
    let token = clinic.token("admin");
    let staff = || {
        let request = client().get(format!("{}/api/v1/prm/staff", serving.url)).bearer_auth(&token);
        async move { request.send().await.unwrap() }
    };
    assert_eq!(staff().await.status(), 200, "a token made meanwhile is good");
    let mut add = carepost(&["user", "add", "--username", "asha", "--role", "clerk"]);
    add.args(["--data", &clinic.folder()]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut add = add.spawn().unwrap();
    add.stdin.take().unwrap().write_all(b"a long password\n").unwrap();
    assert!(add.wait().unwrap().success());
    let everybody: Value = staff().await.json().await.unwrap();
    assert_eq!(everybody["items"].as_array().unwrap().len(), 2);

    let list = clinic.run(&["token", "list"]);
    let id = list.split('\t').next().unwrap();
    clinic.run(&["token", "revoke", id]);
    // The box remembers for a second whom it recognised.
    let begun = Instant::now();
    while staff().await.status() != 401 {
        assert!(begun.elapsed() < Duration::from_secs(10), "a token revoked meanwhile is not");
    }
    let report: Value = serde_json::from_str(&clinic.run(&["doctor", "--json"])).unwrap();
    assert_eq!(report["healthy"], json!(true), "{report:#}");
}

#[tokio::test]
async fn files_are_imported_and_exported_while_the_box_serves() {
    let clinic = Box::new();
    let serving = clinic.serve();
    let file = clinic.beside("all.ndjson");
    let patient = json!({ "resourceType": "Patient", "id": "1", "name": [{ "text": "Asha Rao" }] });
    fs::write(&file, format!("{patient}\n")).unwrap();
    let report: Value = serde_json::from_str(&clinic.run(&["import", "--json", &file])).unwrap();
    assert_eq!(report["types"]["Patient"]["taken"], 1, "{report}");
    let search = client().get(format!("{}/fhir/Patient?name=Asha", serving.url));
    let found = search.bearer_auth(clinic.token("integrator")).send().await.unwrap();
    assert_eq!(found.json::<Value>().await.unwrap()["total"], 1);

    let out = clinic.beside("out");
    clinic.run(&["export", "--out", &out]);
    let written = fs::read_to_string(format!("{out}/Patient.ndjson")).unwrap();
    assert!(written.contains("Asha Rao"));
    // What is refused is told in one line, and where it stands in the report.
    let (bad, refused) = (clinic.beside("bad.ndjson"), clinic.beside("refused.ndjson"));
    fs::write(&bad, "{\"resourceType\":\"Patient\",\"id\":\"2\",\"gender\":\"blue\"}\n").unwrap();
    let mut import = carepost(&["import", "--report", &refused, &bad, "--data", &clinic.folder()]);
    let Output { status, stdout: _, stderr } = import.output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1));
    assert!(
        stderr.lines().last().unwrap().starts_with("carepost: 1 of 1 were refused"),
        "{stderr}"
    );
    let refused: Value = serde_json::from_str(&fs::read_to_string(refused).unwrap()).unwrap();
    assert_eq!((&refused["line"], &refused["id"]), (&json!(1), &json!("2")));
    assert!(!refused.to_string().contains("blue"));
}

#[tokio::test]
async fn a_backup_made_while_serving_opens_with_stock_age_and_restores() {
    let clinic = Box::new();
    let token = clinic.token("clerk");
    let serving = clinic.serve();
    let patient = client()
        .post(format!("{}/api/v1/prm/patients", serving.url))
        .bearer_auth(&token)
        .json(&json!({ "name": "Asha Rao", "phone": "98441 11173" }))
        .send()
        .await
        .unwrap();
    assert_eq!(patient.status(), 201);
    let patient: Value = patient.json().await.unwrap();

    let (key, file) = (clinic.beside("key.txt"), clinic.beside("backup.age"));
    done({
        let mut keygen = Command::new("age-keygen");
        keygen.args(["-o", &key]);
        keygen
    });
    let recipient = done({
        let mut keygen = Command::new("age-keygen");
        keygen.args(["-y", &key]);
        keygen
    });
    clinic.run(&["backup", "--to", &file, "--recipient", recipient.trim()]);
    done(carepost(&["verify", "--from", &file, "--identity", &key]));
    drop(serving);

    let opened = Command::new("age").args(["-d", "-i", &key, &file]).output().unwrap();
    assert!(opened.status.success(), "the stock program opens it");
    let tar = clinic.beside("backup.tar");
    fs::write(&tar, opened.stdout).unwrap();
    let listed = Command::new("tar").args(["-tf", &tar]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    for part in [
        "manifest.json",
        "carepost.db",
        "keys/database.key",
        "keys/audit.key",
        "keys/ca.key",
        "keys/qr.key",
    ] {
        assert!(listed.lines().any(|line| line == part), "{part} is in it: {listed}");
    }

    let restored = Box { folder: tempfile::tempdir().unwrap() };
    restored.run(&["restore", "--from", &file, "--identity", &key]);
    assert!(restored.run(&["audit", "verify"]).contains("whole"));
    let log_of = |folder: String| {
        let db = carepost::app::open_db(Path::new(&folder)).unwrap();
        db.read_blocking(prm::change::log_id).unwrap()
    };
    assert_ne!(log_of(clinic.folder()), log_of(restored.folder()), "a restored box is another one");
    let serving = restored.serve();
    let url = format!("{}/api/v1/prm/patients/{}", serving.url, patient["id"].as_str().unwrap());
    let found = client().get(url).bearer_auth(&token).send().await.unwrap();
    assert_eq!(found.json::<Value>().await.unwrap()["name"], "Asha Rao");

    let again =
        carepost(&["restore", "--from", &file, "--identity", &key, "--data", &clinic.folder()])
            .output()
            .unwrap();
    assert_eq!(again.status.code(), Some(1), "a restore never overwrites a box");
}
