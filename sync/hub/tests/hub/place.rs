//! A hub in a folder of its own, with a database of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use sync_hub::clock::Clock;
use sync_hub::code;
use sync_hub::hub::Hub;
use sync_hub::store::{self, Clinic, IfMissing, StoreError};
use sync_protocol::lineage::LogId;
use tempfile::TempDir;
use uuid::Uuid;

use super::cluster::Cluster;
use super::device::{Device, asking, enroll, new_keys};

/// Whether these tests are compiled for PostgreSQL.
pub const POSTGRES: bool = matches!(env!("CARGO_CRATE_NAME").as_bytes(), b"postgres");

/// A hub with a clock that stands.
pub struct Place {
    pub folder: TempDir,
    pub cluster: Option<Cluster>,
    pub clock: Arc<AtomicI64>,
    pub hub: Arc<Hub>,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(1_800_000_000_000));
        let cluster = POSTGRES.then(Cluster::start);
        let hub = open(&folder, cluster.as_ref(), &clock);
        Self { folder, cluster, clock, hub }
    }

    /// Another hub on the same database, as in another process.
    pub fn another(&self) -> Arc<Hub> {
        open(&self.folder, self.cluster.as_ref(), &self.clock)
    }

    /// The hub is gone without a word, and starts again.
    pub fn restart(&mut self) {
        self.hub = self.another();
    }

    /// The arguments that name this hub to the program.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["--data".to_owned(), self.folder.path().display().to_string()];
        if let Some(cluster) = &self.cluster {
            arguments.extend(["--database".to_owned(), cluster.address("hub", "carepost")]);
        }
        arguments
    }

    /// All files of the database.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders: Vec<PathBuf> = match &self.cluster {
            Some(cluster) => vec![cluster.folder.path().join("data")],
            None => vec![self.folder.path().to_owned()],
        };
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                let kind = entry.file_type().unwrap();
                let of = if kind.is_dir() { &mut folders } else { &mut files };
                of.push(entry.path());
            }
        }
        files
    }

    /// Copies the database.
    pub fn copy(&self) {
        let Some(cluster) = &self.cluster else {
            let database = rusqlite::Connection::open(self.database()).unwrap();
            let copy = self.folder.path().join("copy.db");
            database.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
            return;
        };
        cluster.copy();
    }

    /// Puts back the copy in place of the database, and starts the hub again.
    pub fn put_back(&mut self) {
        match &self.cluster {
            None => {
                let empty = tempfile::tempdir().unwrap();
                self.hub = open(&empty, None, &self.clock);
                for ending in ["-wal", "-shm"] {
                    let _ = fs::remove_file(self.folder.path().join(format!("hub.db{ending}")));
                }
                fs::rename(self.folder.path().join("copy.db"), self.database()).unwrap();
            }
            Some(cluster) => cluster.put_back(),
        }
        self.restart();
    }

    fn database(&self) -> PathBuf {
        sync_hub::place::database(self.folder.path())
    }

    pub fn add_clinic(&self, name: &str) -> [u8; 16] {
        self.add_clinic_as(Uuid::new_v4().into_bytes(), name)
    }

    fn add_clinic_as(&self, id: [u8; 16], name: &str) -> [u8; 16] {
        let wrapped_key = self.hub.keys.vault.make_clinic_key(id).unwrap();
        let clinic = Clinic { id, name: name.to_owned(), wrapped_key, added_at: 0, life: 0 };
        self.hub.store.write(id, |tx| store::add_clinic(tx, &clinic)).unwrap();
        id
    }

    pub fn new_code(&self, clinic: [u8; 16]) -> String {
        code::give(&self.hub, clinic, 1000).unwrap().0
    }

    /// A clinic whose box has joined.
    pub async fn join(&self, name: &str) -> Device {
        self.join_as(Uuid::new_v4().into_bytes(), name).await
    }

    /// The same, with this id.
    pub async fn join_as(&self, id: [u8; 16], name: &str) -> Device {
        let clinic = self.add_clinic_as(id, name);
        let keys = new_keys();
        let asked = asking(&keys, &self.new_code(clinic), name);
        let (status, answer) = enroll(&self.hub, &asked).await;
        assert_eq!(status, 201, "{answer}");
        Device::of(&answer, keys, LogId(Uuid::new_v4().into_bytes()))
    }

    pub fn held(&self, clinic: [u8; 16], key: &str) -> Option<String> {
        let held = self.hub.record(clinic, key.as_bytes()).unwrap();
        held.map(|it| String::from_utf8(it.to_vec()).unwrap())
    }

    /// The keys of what is parked.
    pub fn parked(&self, clinic: [u8; 16]) -> Vec<(String, String)> {
        let parked = self.hub.store.read(clinic, |tx| store::parked(tx, clinic, 100)).unwrap();
        let shown = |it: store::ParkedRow| (String::from_utf8(it.key).unwrap(), it.reason);
        parked.into_iter().map(shown).collect()
    }

    pub fn record_count(&self, clinic: [u8; 16]) -> u64 {
        let count =
            |tx: &store::Tx<'_>| -> Result<_, StoreError> { store::record_count(tx, clinic) };
        self.hub.store.read(clinic, count).unwrap()
    }
}

fn open(folder: &TempDir, cluster: Option<&Cluster>, clock: &Arc<AtomicI64>) -> Arc<Hub> {
    let clock = Clock::Set(Arc::clone(clock));
    let data: &Path = folder.path();
    Arc::new(match cluster {
        None => Hub::open(data, IfMissing::Make, clock).unwrap(),
        Some(cluster) => {
            let address = cluster.address("hub", "carepost").parse().unwrap();
            Hub::open_with(data, &address, IfMissing::Make, clock).unwrap()
        }
    })
}
