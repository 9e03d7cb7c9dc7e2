//! The hub, asked over HTTP by boxes that speak the protocol.

#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first thing that is not as it should be"
)]

mod bundles;
mod clones;
mod device;
mod enrolment;
mod killed;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use sync_hub::clock::Clock;
use sync_hub::hub::Hub;
use sync_hub::store::{self, Clinic, IfMissing, StoreError};
use sync_hub::{code, place};
use sync_protocol::lineage::LogId;
use tempfile::TempDir;
use uuid::Uuid;

use device::{Device, asking, enroll, new_keys};

/// A hub in a folder of its own, with a clock that stands.
struct Place {
    folder: TempDir,
    clock: Arc<AtomicI64>,
    hub: Arc<Hub>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(1_800_000_000_000));
        let hub = open(&folder, &clock);
        Self { folder, clock, hub }
    }

    /// The hub is gone without a word, and starts again.
    fn restart(&mut self) {
        self.hub = open(&self.folder, &self.clock);
    }

    fn add_clinic(&self, name: &str) -> [u8; 16] {
        let id = Uuid::new_v4().into_bytes();
        let wrapped_key = self.hub.keys.vault.make_clinic_key(id).unwrap();
        let clinic = Clinic { id, name: name.to_owned(), wrapped_key, added_at: 0 };
        self.hub.store.write(|tx| store::add_clinic(tx, &clinic)).unwrap();
        id
    }

    fn new_code(&self, clinic: [u8; 16]) -> String {
        let code = code::make().unwrap();
        let expires_at = self.hub.clock.now_ms() + 1000;
        let hash = code::hash(&code).unwrap();
        self.hub.store.write(|tx| store::add_code(tx, clinic, hash, expires_at)).unwrap();
        code
    }

    /// A clinic whose box has joined.
    async fn join(&self, name: &str) -> Device {
        let clinic = self.add_clinic(name);
        let keys = new_keys();
        let asked = asking(&keys, &self.new_code(clinic), name);
        let (status, answer) = enroll(&self.hub, &asked).await;
        assert_eq!(status, 201, "{answer}");
        Device::of(&answer, keys, LogId(Uuid::new_v4().into_bytes()))
    }

    fn held(&self, clinic: [u8; 16], key: &str) -> Option<String> {
        let held = self.hub.record(clinic, key.as_bytes()).unwrap();
        held.map(|it| String::from_utf8(it.to_vec()).unwrap())
    }

    /// The keys of what is parked.
    fn parked(&self, clinic: [u8; 16]) -> Vec<(String, String)> {
        let parked = self.hub.store.read(|tx| store::parked(tx, clinic, 100)).unwrap();
        let shown = |it: store::ParkedRow| (String::from_utf8(it.key).unwrap(), it.reason);
        parked.into_iter().map(shown).collect()
    }

    fn record_count(&self, clinic: [u8; 16]) -> u64 {
        self.hub
            .store
            .read(|tx| -> Result<_, StoreError> { store::record_count(tx, clinic) })
            .unwrap()
    }
}

fn open(folder: &TempDir, clock: &Arc<AtomicI64>) -> Arc<Hub> {
    let clock = Clock::Set(Arc::clone(clock));
    let hub = Hub::open(folder.path(), IfMissing::Make, clock).unwrap();
    assert!(place::database(folder.path()).exists());
    Arc::new(hub)
}
