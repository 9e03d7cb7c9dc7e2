//! A running hub: its database, its keys, its clock, and what it counts.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::Context as _;
use sync_protocol::loan::clock::Nonce;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::arrivals::Arrivals;
use crate::away::Away;
use crate::clock::{Clock, stopwatch};
use crate::loans::Sales;
use crate::media::Media;
use crate::message_counts::MessageCounts;
use crate::place::{self, HubKeys};
use crate::relay::Relay;
use crate::requests::Requests;
use crate::round_trip::RoundTrips;
use crate::store::{self, Address, Clinic, IfMissing, Store, StoreError};
use crate::turns::Turns;
use crate::vault::{ClinicKey, WrongKey};

/// Bundles that may be on their way in at once; each may be as long as the longest envelope.
pub const BUNDLES_ARRIVING_MAX: usize = 64;
/// Bundles that are opened and stored at once.
pub const BUNDLES_WORKED_MAX: usize = 4;

/// A hub.
pub struct Hub {
    /// Its data folder.
    pub data: PathBuf,
    /// Its database.
    pub store: Store,
    /// Its keys.
    pub keys: HubKeys,
    /// Its clock.
    pub clock: Clock,
    /// What it counts for `/metrics`.
    pub counts: Counts,
    /// The address under which others reach it, such as `https://hub.example`; as they write it if none.
    pub public_url: Option<String>,
    /// The turns of those who ask for records.
    pub turns: Turns,
    /// How long boxes take to answer.
    pub round_trips: RoundTrips,
    /// Who waits for requests and for answers.
    pub requests: Requests,
    /// Messages of providers that wait to be written.
    pub arrivals: Arrivals,
    /// What is known of the boxes to which messages go.
    pub relay: Relay,
    /// What is known of pictures and sounds.
    pub media: Media,
    /// What is known of boxes that are away.
    pub away: Away,
    /// What happened to messages.
    pub messages: MessageCounts,
    pub(crate) arriving: Semaphore,
    pub(crate) worked: Semaphore,
    /// Room for webhooks that are on their way in.
    pub(crate) webhook_room: Semaphore,
    /// The numbers of sales, beside the database.
    pub(crate) sales: Sales,
    life: u64,
    started: Instant,
}

/// What happened since the hub was started.
#[derive(Debug, Default)]
pub struct Counts {
    /// Bundles answered with a receipt.
    pub receipts: AtomicU64,
    /// Bundles refused.
    pub refused: AtomicU64,
    /// Entries stored.
    pub stored: AtomicU64,
    /// Entries parked.
    pub parked: AtomicU64,
    /// Boxes that joined.
    pub enrolled: AtomicU64,
}

/// Why a record cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Keys and database do not belong together.
    #[error(transparent)]
    Key(#[from] WrongKey),
}

impl Hub {
    /// Opens the hub in a data folder; where there is none, one is made if `missing` says so.
    ///
    /// # Errors
    /// If keys or database are missing, damaged, of a newer program, or cannot be made.
    pub fn open(data: &Path, missing: IfMissing, clock: Clock) -> anyhow::Result<Self> {
        if missing == IfMissing::Refuse && !place::database(data).exists() {
            return Err(StoreError::Missing(data.to_owned()).into());
        }
        let keys = place::open_keys(data, place::database(data).exists())?;
        let store = Store::open(&place::database(data), missing)?;
        Self::of(data, keys, store, clock)
    }

    /// Opens the hub whose keys are in a data folder and whose database is PostgreSQL.
    ///
    /// # Errors
    /// As [`Hub::open`]; or if the database is not there, or not fit.
    pub fn open_with(
        data: &Path,
        database: &Address,
        missing: IfMissing,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let store = Store::connect(database)?;
        let in_use = !store.survey(store::clinics)?.is_empty();
        if missing == IfMissing::Refuse && !in_use && !data.join(place::KEYS).exists() {
            return Err(StoreError::Missing(data.to_owned()).into());
        }
        Self::of(data, place::open_keys(data, in_use)?, store, clock)
    }

    fn of(data: &Path, keys: HubKeys, store: Store, clock: Clock) -> anyhow::Result<Self> {
        let life = crate::vault::make_key().context("a number for this run cannot be drawn")?;
        let life = life.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let away = Away::begin(clock.now_ms());
        Ok(Self {
            data: data.to_owned(),
            store,
            keys,
            clock,
            counts: Counts::default(),
            public_url: None,
            turns: Turns::default(),
            round_trips: RoundTrips::default(),
            requests: Requests::default(),
            arrivals: Arrivals::default(),
            relay: Relay::default(),
            media: Media::default(),
            away,
            messages: MessageCounts::default(),
            arriving: Semaphore::new(BUNDLES_ARRIVING_MAX),
            worked: Semaphore::new(BUNDLES_WORKED_MAX),
            webhook_room: Semaphore::new(crate::http::ROOM),
            sales: Sales::default(),
            life,
            started: stopwatch(),
        })
    }

    /// What a box of this clinic echoes when it lends: good for this run of the hub only, and of a
    /// database and a life of the clinic from which no sale is missing ([`crate::loans::begin`]). So
    /// neither a copy of the database, nor a clinic that was put back from a backup while the hub ran, nor a
    /// reboot makes an old one good; and what was lent to one process is sold by that one only.
    pub fn nonce(&self, clinic: &Clinic) -> Nonce {
        let at_ms = self.clock.ms_since(self.started);
        let store = self.sales.store(clinic.id).unwrap_or(self.life);
        Nonce { store: store ^ clinic.life.cast_unsigned(), boot: self.life, at_ms }
    }

    /// The keys of a clinic's records.
    ///
    /// # Errors
    /// If they were wrapped by another master key.
    pub fn key_of(&self, clinic: &Clinic) -> Result<ClinicKey, WrongKey> {
        self.keys.vault.clinic_key(clinic.id, &clinic.wrapped_key)
    }

    /// What a record of a clinic says, as its box sent it.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn record(
        &self,
        clinic: [u8; 16],
        key: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, ReadError> {
        Ok(self.records(clinic, &[key])?.pop().flatten())
    }

    /// What several records of a clinic say, in the order of their keys, read at one moment.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn records(
        &self,
        clinic: [u8; 16],
        keys: &[&[u8]],
    ) -> Result<Vec<Option<Zeroizing<Vec<u8>>>>, ReadError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.store.read(clinic, |tx| -> Result<_, StoreError> {
            let Some(of) = store::clinic(tx, clinic)? else { return Ok(None) };
            let mut sealed = Vec::with_capacity(keys.len());
            for key in keys {
                sealed.push(store::record(tx, clinic, key)?);
            }
            Ok(Some((of, sealed)))
        })?;
        let Some((clinic, sealed)) = found else { return Ok(vec![None; keys.len()]) };
        let opener = self.key_of(&clinic)?;
        let open = |(sealed, key): (Option<Vec<u8>>, &&[u8])| {
            sealed.map(|it| opener.open(key, &it)).transpose()
        };
        Ok(sealed.into_iter().zip(keys).map(open).collect::<Result<_, _>>()?)
    }
}

impl Counts {
    /// One more.
    pub fn count(counter: &AtomicU64) {
        Self::add(counter, 1);
    }

    /// So many more.
    pub fn add(counter: &AtomicU64, more: usize) {
        counter.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}
