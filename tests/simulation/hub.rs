//! The hub's end: the real hub on files of its own, which may be lost, put back and filled up.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::Timestamp;
use prm::hub::Hub as Joined;
use prm::id::SlotId;
use rusqlite::Connection;
use sync_agent::keys::BoxKeys;
use sync_agent::loans::parse;
use sync_hub::clock::Clock;
use sync_hub::enroll::{Asking, enroll};
use sync_hub::hub::Hub;
use sync_hub::loans::{self, Bought, NotSold};
use sync_hub::receive::{Refused, receive};
use sync_hub::requests::Told;
use sync_hub::store::{self, Clinic, IfMissing, StoreError};
use sync_hub::{code, place, requests};
use sync_protocol::ask::{Ask, Id};
use sync_protocol::loan::{BookingId, Fence};
use sync_protocol::restore::OnHeld;
use sync_protocol::wire::SlotKey;

use super::template;

/// The clinic's id at the hub.
const CLINIC: [u8; 16] = *b"the clinic's id.";

/// Where the numbers of sales lie.
const SALES: &str = "sales";
/// More slots than any story lends.
const SLOTS_MAX: u32 = 1_000;

/// The hub.
pub struct HubEnd {
    data: PathBuf,
    hub: Option<Hub>,
    clock: Arc<AtomicI64>,
    steady: Arc<AtomicU64>,
    /// The newest backup, what it was asked by then, and what it had sold.
    saved: (PathBuf, Vec<Id>, Vec<(BookingId, bool)>),
    /// What it was asked to ask of the box, and said that it will.
    pub asked: Vec<Id>,
    /// How often it was put back.
    pub restores: u32,
    /// Whether there is no room on its disk.
    pub is_full: bool,
}

/// Makes a hub in a folder, with a clinic whose box has these keys; answers what the box notes of it.
pub fn found(data: &Path, keys: &BoxKeys, now: Timestamp) -> Joined {
    let clock = Arc::new(AtomicI64::new(now.as_millisecond()));
    let steady = Arc::new(AtomicU64::new(0));
    let both = Clock::Two(Arc::clone(&clock), Arc::clone(&steady));
    let hub = Hub::open(data, IfMissing::Make, both).unwrap();
    let wrapped_key = hub.keys.vault.make_clinic_key(CLINIC).unwrap();
    let clinic =
        Clinic { id: CLINIC, name: "Shanti Clinic".into(), wrapped_key, added_at: 0, life: 0 };
    hub.store.write(CLINIC, |tx| store::add_clinic(tx, &clinic)).unwrap();
    let end = HubEnd {
        data: data.to_owned(),
        hub: Some(hub),
        clock,
        steady,
        saved: (data.to_owned(), Vec::new(), Vec::new()),
        asked: Vec::new(),
        restores: 0,
        is_full: false,
    };
    end.let_in(keys, now)
}

impl HubEnd {
    /// A hub with these files, of which there is a backup already.
    pub fn open(data: PathBuf, saved: PathBuf) -> Self {
        let clock = Arc::new(AtomicI64::new(template::BEGIN_MS));
        let hub = None;
        let steady = Arc::new(AtomicU64::new(0));
        let saved = (saved, Vec::new(), Vec::new());
        let asked = Vec::new();
        let mut end = Self { data, hub, clock, steady, saved, asked, restores: 0, is_full: false };
        end.restart();
        end
    }

    /// The process is gone and starts again.
    pub fn restart(&mut self) {
        self.hub = None;
        let clock = Clock::Two(Arc::clone(&self.clock), Arc::clone(&self.steady));
        self.hub = Some(Hub::open(&self.data, IfMissing::Refuse, clock).unwrap());
    }

    fn hub(&self) -> &Hub {
        self.hub.as_ref().expect("invariant: it is only gone while it starts again")
    }

    /// Takes in what arrived.
    pub fn receive(&self, bytes: &[u8]) -> Result<Vec<u8>, Refused> {
        receive(self.hub(), bytes)
    }

    /// Its clock goes on.
    pub fn pass(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::Relaxed);
        self.steady.fetch_add(ms.unsigned_abs(), Ordering::Relaxed);
    }

    /// Its clock says this from now on.
    pub fn set_clock(&self, ms: i64) {
        self.clock.store(ms, Ordering::Relaxed);
    }

    /// A person lets a box in, with a code of one use.
    pub fn let_in(&self, keys: &BoxKeys, now: Timestamp) -> Joined {
        let hub = self.hub();
        let code = code::give(hub, CLINIC, 1000).unwrap().0;
        let (sign, seal) = (keys.signing.verifying_key(), keys.opening.sealing_key());
        let (hardware, name) = ("the box".to_owned(), "Shanti Clinic".to_owned());
        let (log, on_held) = (None, OnHeld::Forget);
        let asking = Asking { code, sign, seal, hardware, name, log, on_held };
        let joined = enroll(hub, &asking).unwrap();
        Joined {
            url: "https://hub.example".into(),
            clinic: joined.clinic,
            box_id: joined.box_id,
            clinic_name: joined.clinic_name,
            verifying_key: hub.keys.sign.verifying_key().0,
            sealing_key: hub.keys.seal.sealing_key().bytes(),
            enrolled_at: now,
        }
    }

    /// A copy of its database is kept.
    pub fn save(&mut self, to: PathBuf, sold: Vec<(BookingId, bool)>) {
        template::copy(&self.data, &to);
        self.saved = (to, self.asked.clone(), sold);
    }

    /// The newest backup is put back; answers what that had sold. The numbers of sales belong to no copy.
    pub fn restore(&mut self) -> Vec<(BookingId, bool)> {
        self.hub = None;
        let (sales, aside) = (self.data.join(SALES), self.data.with_extension("sales"));
        let are_counted = sales.is_dir();
        if are_counted {
            fs::rename(&sales, &aside).unwrap();
        }
        fs::remove_dir_all(&self.data).unwrap();
        template::copy(&self.saved.0, &self.data);
        if are_counted {
            drop(fs::remove_dir_all(&sales));
            fs::rename(&aside, &sales).unwrap();
        }
        self.asked.clone_from(&self.saved.1);
        self.restores += 1;
        self.restart();
        // The copy may have been made while there was no room.
        self.set_full(false);
        self.saved.2.clone()
    }

    /// What its wall clock says.
    pub fn wall(&self) -> Timestamp {
        Timestamp::from_millisecond(self.hub().clock.now_ms()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Hears what a box says about loans, and answers.
    pub fn exchange_loans(&self, bytes: &[u8]) -> Result<Vec<u8>, Refused> {
        loans::exchange(self.hub(), bytes)
    }

    /// Slots that it would sell.
    pub fn on_offer(&self) -> Vec<SlotKey> {
        loans::on_offer(self.hub(), CLINIC, None, SLOTS_MAX).unwrap_or_default()
    }

    /// Sells one.
    pub fn sell(&mut self, asking: &loans::Asking<'_>) -> Result<Bought, NotSold> {
        let bought = loans::sell(self.hub(), CLINIC, asking)?;
        self.asked.push(Id(asking.booking.0));
        Ok(bought)
    }

    /// Calls off what was sold.
    pub fn call_off(&self, slot: &SlotKey, booking: BookingId) -> Result<(), NotSold> {
        loans::cancel(self.hub(), CLINIC, slot, booking)
    }

    /// What it holds, and under which fences.
    pub fn held(&self) -> Vec<(SlotId, Fence)> {
        let found: Result<_, StoreError> =
            self.hub().store.read(CLINIC, |tx| store::loans_held(tx, CLINIC, None, SLOTS_MAX));
        let held = found.unwrap().into_iter();
        held.filter_map(|row| Some((parse(&row.slot)?.0, row.state.fence))).collect()
    }

    /// Puts an ask into the queue of the box; false if there is no room.
    pub fn ask(&mut self, ask: &Ask) -> bool {
        let hub = self.hub();
        let put = hub.store.write(CLINIC, |tx| requests::put(hub, tx, CLINIC, ask));
        assert!(put.is_ok() || self.is_full, "{:?}", put.err());
        if put.is_ok() {
            self.asked.push(ask.id());
        }
        put.is_ok()
    }

    /// Answers a box what is asked of it.
    pub fn requests(&self, proof: &[u8]) -> Result<Vec<u8>, Refused> {
        requests::at_once(self.hub(), proof, None)
    }

    /// Takes in what the box answers.
    pub fn answered(&self, envelope: &[u8]) -> Result<Told, Refused> {
        requests::answered(self.hub(), envelope)
    }

    /// Whether it has this among its requests.
    pub fn still_asks(&self, id: Id) -> bool {
        let found = self.hub().store.read(CLINIC, |tx| store::request(tx, CLINIC, id));
        found.unwrap().is_some()
    }

    /// Whether it knows what the box answered.
    pub fn knows_answer_to(&self, id: Id) -> bool {
        let hub = self.hub();
        let found = hub.store.read(CLINIC, |tx| requests::reply(hub, tx, CLINIC, id));
        found.unwrap().is_some()
    }

    /// From now on a write is rolled back by the database, or no longer.
    pub fn set_full(&mut self, full: bool) {
        let sql = if full {
            "CREATE TRIGGER IF NOT EXISTS no_room BEFORE UPDATE ON box
             BEGIN SELECT RAISE(ROLLBACK, 'no room'); END;
             CREATE TRIGGER IF NOT EXISTS no_room_for_requests BEFORE INSERT ON request
             BEGIN SELECT RAISE(ROLLBACK, 'no room'); END;
             CREATE TRIGGER IF NOT EXISTS no_room_for_sales BEFORE INSERT ON sale
             BEGIN SELECT RAISE(ROLLBACK, 'no room'); END;
             CREATE TRIGGER IF NOT EXISTS no_room_for_loans BEFORE UPDATE ON loan
             BEGIN SELECT RAISE(ROLLBACK, 'no room'); END"
        } else {
            "DROP TRIGGER IF EXISTS no_room; DROP TRIGGER IF EXISTS no_room_for_requests;
             DROP TRIGGER IF EXISTS no_room_for_sales; DROP TRIGGER IF EXISTS no_room_for_loans"
        };
        Connection::open(place::database(&self.data)).unwrap().execute_batch(sql).unwrap();
        self.is_full = full;
    }

    /// What it holds of a record.
    pub fn record(&self, key: &str) -> Option<Vec<u8>> {
        self.hub().record(CLINIC, key.as_bytes()).unwrap().map(|body| body.to_vec())
    }

    /// How many records it holds.
    pub fn record_count(&self) -> u64 {
        self.hub().store.read(CLINIC, |tx| store::record_count(tx, CLINIC)).unwrap()
    }

    /// How many entries are parked.
    pub fn parked_count(&self) -> usize {
        let found: Result<_, StoreError> =
            self.hub().store.read(CLINIC, |tx| store::parked(tx, CLINIC, 1000));
        found.unwrap().len()
    }
}
