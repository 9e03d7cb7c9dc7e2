//! What the box notes about its hub: who it is, how far it holds the log, and what went wrong.
//!
//! These are notes of the box about itself and no records of the clinic: they make no change, so that
//! telling the hub of the log does not lengthen the log. That a hub was joined is a line of the audit.

mod learned;
mod spent;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row};

pub use self::learned::{LENT_AHEAD_DAYS_MAX, Learned, has_learned, is_unlearned, learned};
pub use self::spent::{Spent, note_spent, spent};
use crate::change;
use crate::db::{Read, Tx};
use crate::error::{Error, Result};
use crate::id::{LogId, Noun};
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, to_ms};

/// The longest address of a hub, in bytes.
pub const URL_BYTES_MAX: usize = 2_048;
/// Why nothing is sent by a box that takes another's place: it has not got everything back yet.
pub const REPLACING: &str = "replacing";
/// As many parked entries as are kept by name.
pub const PARKED_MAX: usize = 100;

/// The hub that this box has joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hub {
    /// Where it is, without a slash at the end.
    pub url: String,
    /// The clinic's id there.
    pub clinic: [u8; 16],
    /// The box's id there.
    pub box_id: [u8; 16],
    /// What the clinic is called there.
    pub clinic_name: String,
    /// The public half of the Ed25519 key with which it signs.
    pub verifying_key: [u8; 32],
    /// The public half of the X25519 key for which is sealed.
    pub sealing_key: [u8; 32],
    /// When the box joined.
    pub enrolled_at: Timestamp,
}

/// How the sync stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The log that this is about.
    pub log: LogId,
    /// The generation that the hub gave this box.
    pub generation: Option<i64>,
    /// Whether the hub holds all records as of `through`; if not, a full statement is under way.
    pub whole: bool,
    /// The last entry of the log that the hub holds.
    pub through: i64,
    /// The mark there, as the hub said it.
    pub mark: Option<[u8; 32]>,
    /// Why nothing is sent until a person decides, by a word of the protocol.
    pub stop: Option<String>,
    /// The number at which it stopped, where there is one.
    pub stop_at: Option<i64>,
    /// When the last receipt came.
    pub receipt_at: Option<Timestamp>,
    /// How many entries the hub could not take.
    pub parked: i64,
    /// How many tries failed in a row.
    pub failures: i64,
    /// What the last one failed of, by a word, and when.
    pub fault: Option<(String, Timestamp)>,
}

impl Standing {
    /// Of a log about which the hub has said nothing yet.
    pub fn unknown(log: LogId, generation: Option<i64>) -> Self {
        Self {
            log,
            generation,
            whole: false,
            through: 0,
            mark: None,
            stop: None,
            stop_at: None,
            receipt_at: None,
            parked: 0,
            failures: 0,
            fault: None,
        }
    }
}

/// An entry that the hub could not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// Which record: type and id.
    pub key: String,
    /// Its number in the log.
    pub sequence: i64,
    /// Why, by a word of the protocol.
    pub reason: String,
}

/// The hub, if the box has joined one.
pub fn get(read: &Read<'_>) -> Result<Option<Hub>> {
    let found = read
        .sql()
        .prepare_cached(
            "SELECT url, clinic, box, clinic_name, verifying_key, sealing_key, enrolled_at FROM hub",
        )?
        .query_row([], |row: &Row<'_>| {
            Ok(Hub {
                url: row.get(0)?,
                clinic: row.get(1)?,
                box_id: row.get(2)?,
                clinic_name: row.get(3)?,
                verifying_key: row.get(4)?,
                sealing_key: row.get(5)?,
                enrolled_at: from_ms(row.get(6)?),
            })
        })
        .optional()?;
    Ok(found)
}

/// How the sync stands; nothing before the box has joined a hub.
pub fn standing(read: &Read<'_>) -> Result<Option<Standing>> {
    let found = read
        .sql()
        .prepare_cached(
            "SELECT log, generation, whole, through, mark, stop, stop_at, receipt_at, parked,
               failures, fault, fault_at FROM sync_state",
        )?
        .query_row([], |row: &Row<'_>| {
            let fault: Option<String> = row.get(10)?;
            let fault_at: Option<i64> = row.get(11)?;
            Ok(Standing {
                log: row.get(0)?,
                generation: row.get(1)?,
                whole: row.get(2)?,
                through: row.get(3)?,
                mark: row.get(4)?,
                stop: row.get(5)?,
                stop_at: row.get(6)?,
                receipt_at: row.get::<_, Option<i64>>(7)?.map(from_ms),
                parked: row.get(8)?,
                failures: row.get(9)?,
                fault: fault.zip(fault_at.map(from_ms)),
            })
        })
        .optional()?;
    Ok(found)
}

/// The entries that the hub could not take, the oldest first.
pub fn parked(read: &Read<'_>, stamp: &Stamp) -> Result<Vec<Parked>> {
    stamp.needs(Right::Export)?;
    let mut statement = read
        .sql()
        .prepare_cached("SELECT key, sequence, reason FROM sync_parked ORDER BY sequence, key")?;
    let rows = statement.query_map([], |row| {
        Ok(Parked { key: row.get(0)?, sequence: row.get(1)?, reason: row.get(2)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Joins a hub, in place of the one before. With `anew` the log gets a new identity, so that all is
/// told from the beginning.
pub fn join(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    hub: &Hub,
    (generation, anew): (Option<i64>, bool),
) -> Result<()> {
    stamp.needs(Right::ManageStaff)?;
    if hub.url.len() > URL_BYTES_MAX {
        return Err(Error::invalid("hub", "the address of a hub has at most 2,048 bytes"));
    }
    if anew {
        change::begin_log(tx, stamp)?;
    }
    let Hub { url, clinic, box_id, clinic_name, verifying_key, sealing_key, enrolled_at } = hub;
    tx.sql().execute(
        "INSERT INTO hub (only, url, clinic, box, clinic_name, verifying_key, sealing_key, enrolled_at)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (only) DO UPDATE SET url = excluded.url, clinic = excluded.clinic,
           box = excluded.box, clinic_name = excluded.clinic_name,
           verifying_key = excluded.verifying_key, sealing_key = excluded.sealing_key,
           enrolled_at = excluded.enrolled_at",
        (url, clinic, box_id, clinic_name, verifying_key, sealing_key, to_ms(*enrolled_at)),
    )?;
    let log = change::log_id(tx)?;
    note(tx, stamp, &Standing::unknown(log, generation), Some(&[]))?;
    tx.audit(stamp, "join_hub", Noun::Clinic, Some(box_id), None)
}

/// Takes back why nothing is sent, after a person has decided at the hub: the box asks it again. False
/// if nothing had stopped, or the box takes another's place.
pub fn ask_again(tx: &mut Tx<'_>, stamp: &Stamp) -> Result<bool> {
    stamp.needs(Right::ManageStaff)?;
    let changed = tx.sql().execute(
        "UPDATE sync_state SET stop = NULL, stop_at = NULL WHERE stop IS NOT NULL AND stop <> ?1",
        [REPLACING],
    )?;
    Ok(changed > 0)
}

/// Whether the box takes another's place and has not got everything back yet: until then it books
/// nothing and tells nothing.
pub fn is_replacing(read: &Read<'_>) -> Result<bool> {
    Ok(standing(read)?.is_some_and(|it| it.stop.as_deref() == Some(REPLACING)))
}

/// The box has everything back: it may be served, and tell the hub.
pub fn replaced(tx: &mut Tx<'_>, stamp: &Stamp) -> Result<()> {
    stamp.needs(Right::ManageStaff)?;
    tx.sql().execute("UPDATE sync_state SET stop = NULL WHERE stop = ?1", [REPLACING])?;
    let hub = get(tx)?.map(|hub| hub.box_id);
    tx.audit(stamp, "replace", Noun::Clinic, hub.as_ref(), None)
}

/// Notes how the sync stands and, if they are told, which entries are parked; more than [`PARKED_MAX`]
/// are not kept by name.
pub fn note(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    standing: &Standing,
    parked: Option<&[Parked]>,
) -> Result<()> {
    stamp.needs(Right::Export)?;
    let Standing {
        log,
        generation,
        whole,
        through,
        mark,
        stop,
        stop_at,
        receipt_at,
        parked: count,
        failures,
        fault,
    } = standing;
    let (fault, fault_at) = match fault {
        Some((fault, at)) => (Some(fault), Some(to_ms(*at))),
        None => (None, None),
    };
    tx.sql()
        .prepare_cached(
            "INSERT OR REPLACE INTO sync_state (only, log, generation, whole, through, mark, stop,
               stop_at, receipt_at, parked, failures, fault, fault_at)
             VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute((
            log,
            generation,
            whole,
            through,
            mark,
            stop,
            stop_at,
            receipt_at.map(to_ms),
            count,
            failures,
            fault,
            fault_at,
        ))?;
    let Some(parked) = parked else { return Ok(()) };
    tx.sql().prepare_cached("DELETE FROM sync_parked")?.execute([])?;
    for Parked { key, sequence, reason } in parked.iter().take(PARKED_MAX) {
        tx.sql()
            .prepare_cached(
                "INSERT OR REPLACE INTO sync_parked (key, sequence, reason) VALUES (?1, ?2, ?3)",
            )?
            .execute((key, sequence, reason))?;
    }
    Ok(())
}

/// The newest kept hash of the log at or before a number.
pub fn mark_before(read: &Read<'_>, sequence: i64) -> Result<Option<(i64, [u8; 32])>> {
    let found = read
        .sql()
        .prepare_cached(
            "SELECT sequence, mark FROM sync_mark WHERE sequence <= ?1
             ORDER BY sequence DESC LIMIT 1",
        )?
        .query_row([sequence], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found)
}

/// Keeps hashes of the log.
pub fn keep_marks(tx: &mut Tx<'_>, stamp: &Stamp, marks: &[(i64, [u8; 32])]) -> Result<()> {
    stamp.needs(Right::Export)?;
    for (sequence, mark) in marks {
        tx.sql()
            .prepare_cached("INSERT OR REPLACE INTO sync_mark (sequence, mark) VALUES (?1, ?2)")?
            .execute((sequence, mark))?;
    }
    Ok(())
}
