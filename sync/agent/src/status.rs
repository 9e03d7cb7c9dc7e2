//! How the sync stands, for people and for programs.

use jiff::Timestamp;
use prm::change;
use prm::db::Read;
use prm::error::Result;
use prm::hub::{self, Hub, Parked, Standing};
use prm::stamp::Stamp;
use serde::Serialize;
use sync_protocol::envelope::{SealingKey, VerifyingKey, fingerprint};
use uuid::Uuid;

use crate::{spending, word};

/// How the sync stands.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Where the hub is; none if the box has joined none.
    pub hub: Option<Joined>,
    /// The last entry of the log.
    pub last: i64,
    /// The last entry that the hub holds, as its last receipt says.
    pub through: i64,
    /// Whether the hub holds all records as of `through`; if not, they are being told for the first time.
    pub whole: bool,
    /// How many entries wait to be told.
    pub waiting: i64,
    /// When the oldest of them was written.
    pub waiting_since: Option<Timestamp>,
    /// When the last receipt came.
    pub receipt_at: Option<Timestamp>,
    /// Why nothing is sent until a person decides.
    pub stop: Option<Advised>,
    /// How many entries the hub could not take.
    pub parked: i64,
    /// Those that it named.
    pub parked_entries: Vec<ParkedEntry>,
    /// What the line has cost today, in bytes.
    pub spent_bytes: i64,
    /// What it may cost in a day, if there is a bound.
    pub budget_bytes: Option<i64>,
    /// Whether what is left waits for tomorrow's budget.
    pub over_budget: bool,
    /// How many tries failed in a row.
    pub failures: i64,
    /// What the last one failed of.
    pub fault: Option<String>,
    /// When.
    pub fault_at: Option<Timestamp>,
}

/// The hub.
#[derive(Clone, Debug, Serialize)]
pub struct Joined {
    /// Where it is.
    pub url: String,
    /// What the clinic is called there.
    pub clinic_name: String,
    /// The clinic's id there.
    pub clinic: Uuid,
    /// The box's id there.
    #[serde(rename = "box")]
    pub box_id: Uuid,
    /// The fingerprint of its keys.
    pub fingerprint: String,
    /// When the box joined.
    pub enrolled_at: Timestamp,
    /// Which life of the box this is, as the hub counts.
    pub generation: Option<i64>,
}

/// A stop, and what to do about it.
#[derive(Clone, Debug, Serialize)]
pub struct Advised {
    /// Its word.
    pub code: String,
    /// What to do.
    pub advice: &'static str,
}

/// An entry that the hub could not take.
#[derive(Clone, Debug, Serialize)]
pub struct ParkedEntry {
    /// Type and id.
    pub key: String,
    /// Its number in the log.
    pub sequence: i64,
    /// Why.
    pub reason: String,
}

/// How the sync stands.
///
/// # Errors
/// Those of the database.
pub fn status(read: &Read<'_>, stamp: &Stamp) -> Result<Status> {
    let (log, last) = (change::log_id(read)?, change::last(read)?);
    let standing = hub::standing(read)?.filter(|it| it.log == log);
    let standing = standing.unwrap_or_else(|| Standing::unknown(log, None));
    let hub = hub::get(read)?.map(|hub| joined(hub, standing.generation));
    let Standing { whole, through, stop, stop_at, receipt_at, parked, failures, fault, .. } =
        standing;
    let oldest = change::after(read, through, 1)?.into_iter().next();
    let at = stop_at.map(i64::unsigned_abs);
    let stop = stop.and_then(|code| {
        let advice = if code == hub::REPLACING {
            word::REPLACING_ADVICE
        } else {
            word::advice(word::to_stop(&code, at)?)
        };
        Some(Advised { code, advice })
    });
    let (fault, fault_at) = fault.unzip();
    let spent = hub::spent(read)?;
    let is_today = spent.day == spending::today(read, stamp.now)?;
    let entry = |Parked { key, sequence, reason }| ParkedEntry { key, sequence, reason };
    Ok(Status {
        waiting: if hub.is_some() { last.saturating_sub(through).max(0) } else { 0 },
        waiting_since: oldest.filter(|_| hub.is_some()).map(|change| change.at),
        hub,
        last,
        through,
        whole,
        receipt_at,
        stop,
        parked,
        parked_entries: hub::parked(read, stamp)?.into_iter().map(entry).collect(),
        spent_bytes: if is_today { spent.bytes } else { 0 },
        budget_bytes: spent.budget,
        over_budget: is_today && spent.waits && (!whole || last > through),
        failures,
        fault,
        fault_at,
    })
}

fn joined(hub: Hub, generation: Option<i64>) -> Joined {
    let Hub { url, clinic, box_id, clinic_name, verifying_key, sealing_key, enrolled_at } = hub;
    let sealing = SealingKey::from_bytes(&sealing_key);
    Joined {
        fingerprint: sealing
            .map(|sealing| fingerprint(&VerifyingKey(verifying_key), &sealing))
            .unwrap_or_default(),
        url,
        clinic_name,
        clinic: Uuid::from_bytes(clinic),
        box_id: Uuid::from_bytes(box_id),
        enrolled_at,
        generation,
    }
}
