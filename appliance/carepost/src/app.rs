//! What every request needs: the records, the clock, the clinic, the keys of the QR, the bounds.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use jiff::Timestamp;
use prm::clinic::{self, Clinic};
use prm::db::{Db, Keys};
use prm::qr::{SigningKey, Verifier};
use prm::stamp::Stamp;
use tokio::sync::{Notify, Semaphore};

use crate::clock::Clock;
use crate::config::Config;
use crate::demo::{Line, Phones};
use crate::health::Health;
use crate::http::fhir::export::Exports;
use crate::http::fhir::publish::FreeTimes;
use crate::http::known::Known;
use crate::http::measure::Measures;
use crate::http::tries::Tries;
use crate::http::webhooks::ROOM;
use crate::media::Blobs;
use crate::place;
use crate::relay::Rush;
use crate::smart::published::Published;
use crate::sync::Bell;

/// Passwords that are hashed at once: each takes a core and 19 MiB for some hundredths of a
/// second.
pub const PASSWORDS_AT_ONCE: usize = 2;
/// Password hashes that may wait for their turn; beyond it the answer is *busy*.
pub const PASSWORDS_WAITING_MAX: usize = 64;
/// Live streams that may be open at once.
pub const LIVE_STREAMS_MAX: usize = 512;

/// The running box. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] is made of.
pub struct Parts {
    /// The records.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// The clinic, which does not change while the box serves.
    pub clinic: Clinic,
    /// The settings.
    pub config: Config,
    /// The data folder.
    pub data: PathBuf,
    /// Signs the QRs of appointments.
    pub signing: SigningKey,
    /// Checks QRs at check-in.
    pub verifier: Verifier,
    /// Makes what a kiosk may choose from unforgeable; another one after each start.
    pub choices: ring::hmac::Key,
    /// Turns for hashing passwords.
    pub passwords: Arc<Semaphore>,
    /// Password hashes under way or waiting.
    pub passwords_waiting: Arc<Semaphore>,
    /// Places for live streams.
    pub live: Arc<Semaphore>,
    /// Room for webhooks on their way in.
    pub webhook_room: Semaphore,
    /// Wrong tries at codes, and webhooks of each account, by the minute.
    pub tries: Tries,
    /// The keys that clients publish.
    pub key_sets: Published,
    /// Who was recognised a moment ago.
    pub known: Known,
    /// What programs take along at once.
    pub exports: Exports,
    /// The free times that everybody may see.
    pub published: FreeTimes,
    /// What is counted for `/metrics`.
    pub measures: Measures,
    /// Whether the box is ready, and why not.
    pub health: Health,
    /// Pictures and sounds.
    pub media: Blobs,
    /// By which the hub is told at once.
    pub sync: Bell,
    /// The hub gave the box messages to answer: no change of the records, but something to do.
    pub given: Notify,
    /// Whether more comes by the relay at once than whoever answers should stand in the way of.
    pub rush: Rush,
    /// The line to the hub that can be cut, in a demonstration only.
    pub line: OnceLock<Line>,
    /// The telephones of patients, in a demonstration only.
    pub phones: OnceLock<Arc<Phones>>,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Opens the box in a data folder that `carepost init` made.
    ///
    /// # Errors
    /// If keys or database are missing, damaged, or of a newer program.
    pub fn open(data: &Path, config: Config, clock: Clock) -> anyhow::Result<Self> {
        let db = open_db(data)?;
        Self::with_db(data, config, clock, db)
    }

    /// The box with a database that is open already.
    ///
    /// # Errors
    /// If there is no clinic in it, or the key of the QR is missing or damaged.
    pub fn with_db(data: &Path, config: Config, clock: Clock, db: Db) -> anyhow::Result<Self> {
        let mut clinic = db
            .read_blocking(clinic::get)
            .context("the database holds no clinic; restore a backup, or begin with `carepost init` in another folder")?;
        let wait = i64::from(config.queue.walk_in_wait_minutes);
        if wait != clinic.walk_in_wait_minutes {
            let stamp = Stamp::of_box(clock.now());
            clinic = db.write_blocking(move |tx| clinic::set_walk_in_wait(tx, &stamp, wait))?;
        }
        let signing = place::load_qr_key(data)?;
        let mut verifier = Verifier::new(clinic.short_id());
        verifier.trust(signing.public_key())?;
        let media = Blobs::open(data, config.media.free_bytes)?;
        Ok(Self(Arc::new(Parts {
            db,
            clock,
            clinic,
            config,
            data: data.to_owned(),
            signing,
            verifier,
            choices: ring::hmac::Key::generate(
                ring::hmac::HMAC_SHA256,
                &ring::rand::SystemRandom::new(),
            )
            .map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?,
            passwords: Arc::new(Semaphore::new(PASSWORDS_AT_ONCE)),
            passwords_waiting: Arc::new(Semaphore::new(PASSWORDS_WAITING_MAX)),
            live: Arc::new(Semaphore::new(LIVE_STREAMS_MAX)),
            webhook_room: Semaphore::new(ROOM),
            tries: Tries::default(),
            key_sets: Published::default(),
            known: Known::default(),
            exports: Exports::begin(place::state(data)?)?,
            published: FreeTimes::default(),
            measures: Measures::new()?,
            health: Health::default(),
            media,
            sync: Bell::default(),
            line: OnceLock::new(),
            phones: OnceLock::new(),
            given: Notify::new(),
            rush: Rush::default(),
        })))
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// `time` as the API writes it: RFC 3339 with the clinic's offset, to the second, or to the
    /// millisecond where there are any.
    pub fn local(&self, time: Timestamp) -> String {
        local(&self.clinic.zone, time)
    }

    /// Runs something slow about a password (hashing, comparing) outside the runtime, a few at
    /// once; *busy* when too many wait.
    ///
    /// # Errors
    /// [`prm::error::Error::Busy`] when too many wait.
    pub async fn with_password<T, F>(&self, work: F) -> prm::error::Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let stopped = || prm::error::Error::Storage("the box is stopping".into());
        let waiting = Arc::clone(&self.passwords_waiting)
            .try_acquire_owned()
            .map_err(|_| prm::error::Error::Busy)?;
        let turn = Arc::clone(&self.passwords).acquire_owned().await.map_err(|_| stopped())?;
        // The permits go with the work, which goes on even if whoever asked is gone.
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop((turn, waiting));
            done
        })
        .await
        .map_err(|_| stopped())
    }
}

/// `time` in RFC 3339 with the offset of `zone`.
pub fn local(zone: &jiff::tz::TimeZone, time: Timestamp) -> String {
    let offset = zone.to_offset(time);
    time.display_with_offset(offset).to_string()
}

/// Opens the database of a data folder.
///
/// # Errors
/// If keys or database are missing, damaged, or of a newer program.
pub fn open_db(data: &Path) -> anyhow::Result<Db> {
    if !place::keys(data).exists() && !place::database(data).exists() {
        anyhow::bail!("there is no box in {}; make one with `carepost init`", data.display());
    }
    let keys = Keys::load(&place::keys(data)).map_err(prm::db::OpenError::from)?;
    Ok(Db::open(&place::database(data), keys)?)
}
