//! The program `carepost-hub` while it serves, and a clinic whose box has joined it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};
use sync_hub::clock::Clock;
use sync_hub::store::{self, IfMissing};
use tempfile::TempDir;
use uuid::Uuid;

use super::line::Line;
use crate::cluster::Cluster;
use crate::journeys::running::{Clinic, Running, program_named};

/// What the clinic is called at the hub.
pub const CLINIC: &str = "Shanti Clinic";
/// Exchanges within which everything is told, even over a bad line.
const EXCHANGES_MAX: usize = 400;
/// Records that are read at once.
const PAGE: u32 = 500;
/// The types that a box tells.
const TOLD: [&str; 11] = [
    "Appointment",
    "Device",
    "Encounter",
    "HealthcareService",
    "Location",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Schedule",
    "Task",
];

/// Where a hub keeps what it holds: a folder, and with it a database of PostgreSQL.
pub struct Place {
    pub data: PathBuf,
    pub cluster: Option<Cluster>,
    /// Where the broker is, for a hub that has one.
    pub broker: Option<String>,
}

impl Place {
    fn command(&self) -> Command {
        let mut command = program_named("carepost-hub");
        command.env("CAREPOST_HUB_DATA", &self.data);
        if let Some(cluster) = &self.cluster {
            command.env("CAREPOST_HUB_DATABASE", cluster.address("hub", "carepost"));
        }
        if let Some(broker) = &self.broker {
            command.env("CAREPOST_HUB_BROKER", broker);
        }
        command
    }

    /// Runs a command with this on its standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> String {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        done(child.wait_with_output().unwrap())
    }

    /// Runs a command beside the hub.
    pub fn run(&self, arguments: &[&str]) -> String {
        done(self.command().args(arguments).output().unwrap())
    }

    /// The hub in this process, beside the one that serves.
    pub fn open(&self) -> sync_hub::hub::Hub {
        let (missing, clock) = (IfMissing::Refuse, Clock::System);
        let hub = match &self.cluster {
            None => sync_hub::hub::Hub::open(&self.data, missing, clock),
            Some(cluster) => {
                let address = cluster.address("hub", "carepost").parse().unwrap();
                sync_hub::hub::Hub::open_with(&self.data, &address, missing, clock)
            }
        };
        hub.unwrap()
    }

    /// Copies all of it. Nobody may serve it meanwhile.
    pub fn copy(&self, to: &Path) {
        copy(&self.data, to);
        self.cluster.iter().for_each(Cluster::copy);
    }

    /// Puts the copy in place of what is there. What belongs to no copy of the database stays where the database
    /// is no file of the folder.
    pub fn put_back(&self, copied: &Path) {
        match &self.cluster {
            None => {
                fs::remove_dir_all(&self.data).unwrap();
                copy(copied, &self.data);
            }
            Some(cluster) => cluster.put_back(),
        }
    }
}

/// The hub's program, serving; it ends with this value.
pub struct Hub {
    child: Mutex<Child>,
    pub address: SocketAddr,
}

impl Hub {
    pub fn start(place: &Place) -> Self {
        Self::start_under(place, &[])
    }

    /// Starts it with these variables, and waits until it says that it serves.
    pub fn start_under(place: &Place, variables: &[(&str, &str)]) -> Self {
        let mut child = place
            .command()
            .envs(variables.iter().copied())
            .args(["serve", "--log-format", "json", "--listen", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("the hub says where it serves").unwrap();
            let line: Value = serde_json::from_str(&line).unwrap();
            if let Some(address) = line["fields"]["listen"].as_str() {
                break address.parse().unwrap();
            }
        };
        // What it logs later must not fill the pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { child: Mutex::new(child), address }
    }

    /// Ends it as a power cut would end the process.
    pub fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        if let Ok(child) = self.child.get_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A clinic whose box has joined a hub over a line.
pub struct World {
    pub clinic: Clinic,
    // The hub ends before its database.
    pub hub: Hub,
    pub place: Place,
    pub line: Line,
    pub folder: PathBuf,
    _thrown_away: Option<TempDir>,
}

impl World {
    /// In a folder that is thrown away.
    pub async fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place { data: folder.path().join("hub"), cluster: None, broker: None };
        let world = Self::within(folder.path().to_owned(), place, seed).await;
        Self { _thrown_away: Some(folder), ..world }
    }

    /// The same, with the hub's database in PostgreSQL.
    pub async fn on_postgresql(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            data: folder.path().join("hub"),
            cluster: Some(Cluster::start()),
            broker: None,
        };
        let world = Self::within(folder.path().to_owned(), place, seed).await;
        Self { _thrown_away: Some(folder), ..world }
    }

    /// With the box in a folder and the hub in a place.
    pub async fn within(folder: PathBuf, place: Place, seed: u64) -> Self {
        let clinic = Clinic::found(&folder.join("box"), 2);
        let added = place.run(&["clinic", "add", CLINIC]);
        let hub = Hub::start(&place);
        let line = Line::lay(hub.address, seed).await;
        let world = Self { clinic, hub, place, line, folder, _thrown_away: None };
        let said = done(world.enrol(&world.clinic, &added));
        assert!(said.contains("fingerprint"), "{said}");
        world
    }

    /// Joins a box to the hub with a code.
    pub fn enrol(&self, clinic: &Clinic, code: &str) -> Output {
        let address = self.line.address();
        clinic.command(&["enroll", "--hub", &address, "--code", code.trim()])
    }

    /// The same, and the hub forgets what this box does not have.
    pub fn enrol_anyway(&self, clinic: &Clinic, code: &str) -> Output {
        let address = self.line.address();
        clinic.command(&["enroll", "--forget-held", "--hub", &address, "--code", code.trim()])
    }

    /// Lets a box take the place of the clinic's with a code.
    pub fn replace(&self, clinic: &Clinic, code: &str) -> Output {
        let address = self.line.address();
        clinic.command(&["enroll", "--replace", "--hub", &address, "--code", code.trim()])
    }

    /// A code for a box that takes over.
    pub fn code(&self) -> String {
        self.place.run(&["clinic", "code", CLINIC])
    }

    /// Starts the hub anew on its folder, after it was killed.
    pub fn start_hub(&mut self) {
        self.hub = Hub::start(&self.place);
        self.line.lead_to(self.hub.address);
    }

    /// What the hub's own command says of the clinic.
    pub fn hub_status(&self) -> Value {
        let said = self.place.run(&["clinic", "status", CLINIC, "--json"]);
        serde_json::from_str(&said).unwrap()
    }

    /// Lets a box that serves tell until it says that the hub holds everything.
    pub async fn settle(&self, clinic: &Clinic, running: &Running) {
        let mut last = Value::Null;
        for _ in 0..EXCHANGES_MAX {
            let (status, sync) = running.post("sync/now", &clinic.admin, &json!({})).await;
            assert_eq!(status, 200, "{sync}");
            if sync["condition"] == "told" {
                return;
            }
            last = sync;
        }
        panic!("not everything was told: {last:#}\n{}", running.log());
    }

    /// The hub holds what the box has, word for word, and nothing else. Nobody may write meanwhile.
    pub fn assert_equal(&self, clinic: &Clinic) {
        let out = self.folder.join("out");
        let exported = clinic.command(&["export", "--out", out.to_str().unwrap()]);
        done(exported);
        let mut own = BTreeMap::new();
        for kind in TOLD {
            let Ok(lines) = fs::read_to_string(out.join(format!("{kind}.ndjson"))) else {
                continue;
            };
            for line in lines.lines() {
                let mut resource: Value = serde_json::from_str(line).unwrap();
                drop_displays(&mut resource);
                let id = resource["id"].as_str().unwrap().to_owned();
                own.insert(format!("{kind}/{id}"), resource);
            }
        }
        fs::remove_dir_all(out).unwrap();
        let held = Held::open(self).all();
        for (name, resource) in &own {
            let found = held.get(name).unwrap_or_else(|| panic!("{name} is not held"));
            assert_eq!(found, resource, "{name}");
        }
        // Lent slots are told, too; they are worked out, and no records to be exported.
        let beyond =
            held.keys().find(|name| !own.contains_key(*name) && !name.starts_with("Slot/"));
        assert_eq!(beyond, None, "the hub holds something that the box has not");
    }
}

/// The hub is told references without the names of what they refer to.
fn drop_displays(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.contains_key("reference") {
                map.remove("display");
            }
            map.values_mut().for_each(drop_displays);
        }
        Value::Array(entries) => entries.iter_mut().for_each(drop_displays),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What the hub holds, read beside the hub.
pub struct Held {
    hub: sync_hub::hub::Hub,
    clinic: [u8; 16],
}

impl Held {
    pub fn open(world: &World) -> Self {
        let clinic = world.hub_status()["clinic"].as_str().unwrap().parse::<Uuid>().unwrap();
        Self { hub: world.place.open(), clinic: clinic.into_bytes() }
    }

    pub fn record(&self, key: &str) -> Option<Value> {
        let found = self.hub.record(self.clinic, key.as_bytes()).unwrap()?;
        Some(serde_json::from_slice(&found).unwrap())
    }

    /// Everything, by type and id.
    fn all(&self) -> BTreeMap<String, Value> {
        let (mut all, mut after) = (BTreeMap::new(), Vec::new());
        loop {
            let page = self
                .hub
                .store
                .read(self.clinic, |tx| store::records_after(tx, self.clinic, &after, PAGE))
                .unwrap();
            for (key, _) in &page {
                let found = self.hub.record(self.clinic, key).unwrap().unwrap();
                let resource: Value = serde_json::from_slice(&found).unwrap();
                let (kind, id) = (&resource["resourceType"], &resource["id"]);
                let name = format!("{}/{}", kind.as_str().unwrap(), id.as_str().unwrap());
                assert!(all.insert(name, resource).is_none(), "one record is held twice");
            }
            match page.last() {
                Some((key, _)) => after = key.clone(),
                None => return all,
            }
        }
    }
}

/// What a command said that ended well.
pub fn done(output: Output) -> String {
    let Output { status, stdout, stderr } = output;
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// Copies a folder with everything in it.
pub fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}
