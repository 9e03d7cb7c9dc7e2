//! The box's end: real records and the real agent on files of their own, with a clock that is wrong.

use std::fs;
use std::path::{Path, PathBuf};

use carepost::{place, requests, sync};
use jiff::Timestamp;
use prm::change;
use prm::db::{Db, Keys};
use prm::hub::{self, Hub};
use prm::id::LogId;
use prm::stamp::Stamp;
use rusqlite::Connection;
use sync_agent::down::{Down, Poll};
use sync_agent::keys::BoxKeys;
use sync_agent::loans::BoxTime;
use sync_agent::{Agent, Sealed};

use super::acknowledged::Acknowledged;
use super::lending::Lending;
use super::template;

/// A box.
pub struct BoxEnd {
    /// By which answers find it; no two boxes of a story have the same.
    pub name: u32,
    data: PathBuf,
    /// Its records.
    pub db: Db,
    /// Its end of the line.
    pub agent: Agent,
    /// Its end of what the hub asks.
    pub down: Down,
    /// Its end of the loans.
    pub lending: Lending,
    /// A question for requests that waits for its answer.
    pub poll: Option<(Poll, Vec<u8>)>,
    /// What was sent and not answered, with the number of the exchange.
    pub pending: Option<(u32, Sealed)>,
    /// What its desk was told.
    pub acknowledged: Acknowledged,
    /// What its clock says, in ms since 1970 UTC.
    pub clock_ms: i64,
    /// How fast its clock goes, in hundredths.
    pub rate: i64,
    /// How long it runs, by a clock that is never set, and how often it was started.
    pub since_boot: BoxTime,
    /// Whether there is no room on its disk.
    pub is_full: bool,
    /// Whether what it believes of the hub may be older than the hub.
    pub is_doubtful: bool,
    /// Whether its disk was put back without a new log, and nobody has noticed yet.
    pub is_forked: bool,
    /// Whether a backup of it was ever put back, or it is a copy.
    pub was_put_back: bool,
    /// The log of a disk that was put back or copied, until a new one has learned what was sold.
    dark: Option<LogId>,
    /// The newest backup, and what the desk had been told by then.
    saved: (PathBuf, Acknowledged),
}

impl BoxEnd {
    /// A box with these files, of which there is a backup already.
    pub fn open(name: u32, data: PathBuf, clock_ms: i64, saved: (PathBuf, Acknowledged)) -> Self {
        let ((db, agent, down, lending), acknowledged) = (opened(&data), saved.1.clone());
        Self {
            name,
            data,
            db,
            agent,
            down,
            lending,
            poll: None,
            pending: None,
            acknowledged,
            clock_ms,
            rate: 100,
            since_boot: BoxTime { boot: 1, at_ms: 0 },
            dark: None,
            is_full: false,
            is_doubtful: false,
            is_forked: false,
            was_put_back: false,
            saved,
        }
    }

    /// What time it thinks it is.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.clock_ms).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Whoever acts at the desk, now.
    pub fn stamp(&self) -> Stamp {
        Stamp::of_box(self.now())
    }

    /// The power goes, and comes back.
    pub fn restart(&mut self) {
        self.with_files(|_| {});
    }

    /// Runs something while the box is switched off.
    fn with_files(&mut self, work: impl FnOnce(&Path)) {
        self.db.close();
        (self.pending, self.poll) = (None, None);
        work(&self.data);
        (self.db, self.agent, self.down, self.lending) = opened(&self.data);
        self.since_boot = BoxTime { boot: self.since_boot.boot + 1, at_ms: 0 };
    }

    /// A copy of its folder is kept.
    pub fn save(&mut self, to: PathBuf) {
        template::copy(&self.data, &to);
        self.saved = (to, self.acknowledged.clone());
    }

    /// The newest backup is put back. `anew` as `carepost restore` does it: the log gets a
    /// new identity.
    pub fn put_back(&mut self, anew: bool) {
        let (saved, acknowledged) = self.saved.clone();
        self.with_files(|data| {
            fs::remove_dir_all(data).unwrap();
            template::copy(&saved, data);
        });
        self.acknowledged = acknowledged;
        (self.is_doubtful, self.is_forked, self.was_put_back) = (true, !anew, true);
        self.darken();
        // The copy may have been made while there was no room.
        self.set_full(false);
        if anew {
            let stamp = self.stamp();
            self.db.write_blocking(move |tx| change::begin_log(tx, &stamp)).unwrap();
        }
    }

    /// What it knows of loans may be older than what the hub knows.
    fn darken(&mut self) {
        self.dark = Some(self.db.read_blocking(change::log_id).unwrap());
    }

    /// Whether it may not know what was lent and sold. Over when a new log has learned it.
    pub fn is_dark(&mut self) -> bool {
        if let Some(dark) = self.dark {
            let now =
                self.db.read_blocking(|read| Ok((change::log_id(read)?, hub::is_unlearned(read)?)));
            if now.is_ok_and(|(log, unlearned)| log != dark && !unlearned) {
                self.dark = None;
            }
        }
        self.dark.is_some()
    }

    /// Its clock goes on.
    pub fn pass(&mut self, ms: i64) {
        self.clock_ms += ms * self.rate / 100;
        // Quartz is right to a hundredth, whatever the time of day says.
        let steady = ms * self.rate.clamp(99, 101) / 100;
        self.since_boot.at_ms += steady.unsigned_abs();
    }

    /// A second box with the same disk.
    pub fn copy(&mut self, name: u32, to: PathBuf) -> Self {
        template::copy(&self.data, &to);
        let mut copy = Self::open(name, to, self.clock_ms, self.saved.clone());
        copy.acknowledged = self.acknowledged.clone();
        self.darken();
        copy.darken();
        (copy.is_full, copy.was_put_back) = (self.is_full, true);
        (copy.is_doubtful, copy.is_forked) = (self.is_doubtful, self.is_forked);
        copy
    }

    /// Its keys towards the hub.
    pub fn keys(&self) -> BoxKeys {
        BoxKeys::load(&place::keys(&self.data)).unwrap()
    }

    /// A person joins the hub again with it, as `carepost enroll` does.
    pub fn join(&mut self, hub: Hub) {
        let stamp = self.stamp();
        self.db
            .write_blocking(move |tx| {
                let log = change::log_id(tx)?;
                let anew = hub::standing(tx)?.is_some_and(|it| it.log == log && it.stop.is_some());
                hub::join(tx, &stamp, &hub, (None, anew))
            })
            .unwrap();
        (self.is_doubtful, self.is_forked) = (true, false);
    }

    /// From now on a write is rolled back by the database, or no longer.
    pub fn set_full(&mut self, full: bool) {
        let sql = if full {
            "CREATE TRIGGER IF NOT EXISTS no_room BEFORE INSERT ON change
             BEGIN SELECT RAISE(ROLLBACK, 'no room'); END;
             CREATE TRIGGER IF NOT EXISTS no_room_for_notes BEFORE INSERT ON sync_state
             BEGIN SELECT RAISE(ROLLBACK, 'no room'); END"
        } else {
            "DROP TRIGGER IF EXISTS no_room; DROP TRIGGER IF EXISTS no_room_for_notes"
        };
        let key = fs::read(place::keys(&self.data).join("database.key")).unwrap();
        let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let disk = Connection::open(place::database(&self.data)).unwrap();
        disk.execute_batch("PRAGMA cipher_default_hmac_algorithm = HMAC_SHA256").unwrap();
        disk.execute_batch(&format!("PRAGMA key = \"x'{key}'\"")).unwrap();
        disk.execute_batch(sql).unwrap();
        self.is_full = full;
    }
}

fn opened(data: &Path) -> (Db, Agent, Down, Lending) {
    let keys = Keys::load(&place::keys(data)).unwrap();
    let db = Db::open(&place::database(data), keys).unwrap();
    let agent = sync::agent(data, db.clone());
    let down = requests::down(data, db.clone());
    let lending = Lending::of(data, db.clone());
    (db, agent, down, lending)
}
