//! What is held of the log of a box: its records, those that are parked, and the ledger.

use sync_protocol::ledger::{Effect, Ledger, Reason};

use super::index::{self, Term};
use super::sql::{Tx, params};
use super::{Enrolled, Stored, from_stored, to_stored};

/// An entry, ready to be written.
#[derive(Clone, Debug)]
pub struct Record {
    /// What the record is called.
    pub key: Vec<u8>,
    /// Its number in the log.
    pub sequence: u64,
    /// The type of resource; none if it is gone or could not be read.
    pub resource_type: Option<&'static str>,
    /// What it says, sealed; none if nothing came.
    pub sealed: Option<Vec<u8>>,
    /// By what it is found.
    pub terms: Vec<Term>,
}

/// An entry that could not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedRow {
    /// What the record is called.
    pub key: Vec<u8>,
    /// Its number in the log.
    pub sequence: u64,
    /// Why: `unreadable`, `invalid`, `unknown` or `too-long`.
    pub reason: String,
}

/// The word for a reason, as it lies in the database.
fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::Unreadable => "unreadable",
        Reason::Invalid => "invalid",
        Reason::Unknown => "unknown",
        Reason::TooLong => "too-long",
    }
}

/// Does what the ledger said, to the box as it is in this transaction. `records` are the entries of
/// the bundle in their order, `ledger` is what is held afterwards.
///
/// # Errors
/// [`super::StoreError`].
pub fn apply(
    tx: &Tx<'_>,
    of: &mut Enrolled,
    ledger: &Ledger,
    effects: &[Effect],
    records: &[Record],
) -> Stored<()> {
    for effect in effects {
        match effect {
            Effect::Reborn => {
                tx.execute("DELETE FROM parked WHERE clinic = ?1", params![&of.clinic])?;
            }
            Effect::Begin => of.statement = of.statement.saturating_add(1),
            Effect::Store(at) => {
                if let Some(record) = records.get(*at) {
                    put_record(tx, of, record)?;
                }
            }
            Effect::Park(at, reason) => {
                if let Some(record) = records.get(*at) {
                    park(tx, of, ledger, record, *reason)?;
                }
            }
            Effect::Complete => {
                index::forget_terms_before(tx, of.clinic, of.statement)?;
                tx.execute(
                    "DELETE FROM record WHERE clinic = ?1 AND statement < ?2",
                    params![&of.clinic, of.statement],
                )?;
            }
            Effect::Quarantine | Effect::Retired => {}
        }
    }
    Ok(())
}

/// Writes what a record says in place of what is held or parked of it; one that is gone is removed.
///
/// # Errors
/// [`super::StoreError`].
pub fn put_record(tx: &Tx<'_>, of: &Enrolled, record: &Record) -> Stored<()> {
    let Record { key, sequence, resource_type, sealed, terms } = record;
    tx.execute("DELETE FROM parked WHERE clinic = ?1 AND key = ?2", params![&of.clinic, key])?;
    index::put_terms(tx, of.clinic, key, terms)?;
    let (Some(resource_type), Some(sealed)) = (resource_type, sealed) else {
        tx.execute("DELETE FROM record WHERE clinic = ?1 AND key = ?2", params![&of.clinic, key])?;
        return Ok(());
    };
    let sql = "INSERT INTO record (clinic, key, type, sequence, statement, body)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (clinic, key) DO UPDATE SET type = excluded.type,
          sequence = excluded.sequence, statement = excluded.statement, body = excluded.body";
    let sequence = to_stored(*sequence);
    let params = params![&of.clinic, key, *resource_type, sequence, of.statement, sealed];
    tx.execute(sql, params)?;
    Ok(())
}

/// Keeps it aside as long as the ledger knows it by name. What is held of the record stays: the
/// statement did name it.
fn park(
    tx: &Tx<'_>,
    of: &Enrolled,
    ledger: &Ledger,
    record: &Record,
    reason: Reason,
) -> Stored<()> {
    let Record { key, sequence, resource_type: _, sealed, terms: _ } = record;
    let sql = "UPDATE record SET statement = ?3 WHERE clinic = ?1 AND key = ?2";
    tx.execute(sql, params![&of.clinic, key, of.statement])?;
    let is_named = ledger.parked.iter().any(|it| it.key.0 == *key && it.sequence == *sequence);
    if is_named {
        let sql = "INSERT INTO parked (clinic, key, sequence, reason, body)
            VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (clinic, key) DO UPDATE SET sequence = excluded.sequence,
              reason = excluded.reason, body = excluded.body";
        let sequence = to_stored(*sequence);
        tx.execute(sql, params![&of.clinic, key, sequence, word(reason), sealed.as_ref()])?;
    }
    Ok(())
}

/// Writes what is held after a bundle.
///
/// # Errors
/// [`super::StoreError`].
pub fn save_ledger(tx: &Tx<'_>, of: &Enrolled) -> Stored<()> {
    let sql = "UPDATE box SET ledger = ?2, statement = ?3, may_begin = ?4, heard_at = ?5
        WHERE clinic = ?1";
    let ledger = of.ledger.as_ref().map(Ledger::to_bytes);
    let params = params![&of.clinic, ledger.as_ref(), of.statement, of.may_begin, of.heard_at];
    tx.execute(sql, params)?;
    Ok(())
}

/// What a record says, sealed.
///
/// # Errors
/// [`super::StoreError`].
pub fn record(tx: &Tx<'_>, clinic: [u8; 16], key: &[u8]) -> Stored<Option<Vec<u8>>> {
    let sql = "SELECT body FROM record WHERE clinic = ?1 AND key = ?2";
    tx.row(sql, params![&clinic, key], |row| row.get(0))
}

/// The records of a clinic after a key, in the order of their keys, at most `limit`: key, and what it
/// says, sealed.
///
/// # Errors
/// [`super::StoreError`].
pub fn records_after(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    after: &[u8],
    limit: u32,
) -> Stored<Vec<(Vec<u8>, Vec<u8>)>> {
    let sql = "SELECT key, body FROM record WHERE clinic = ?1 AND key > ?2 ORDER BY key LIMIT ?3";
    tx.rows(sql, params![&clinic, after, limit], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// How many records are held of a clinic.
///
/// # Errors
/// [`super::StoreError`].
pub fn record_count(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<u64> {
    let sql = "SELECT count(*) FROM record WHERE clinic = ?1";
    Ok(tx.row(sql, params![&clinic], |row| row.get(0))?.map_or(0, from_stored))
}

/// What is parked of a clinic, oldest first, at most `limit`.
///
/// # Errors
/// [`super::StoreError`].
pub fn parked(tx: &Tx<'_>, clinic: [u8; 16], limit: u32) -> Stored<Vec<ParkedRow>> {
    let sql = "SELECT key, sequence, reason FROM parked WHERE clinic = ?1
        ORDER BY sequence, key LIMIT ?2";
    tx.rows(sql, params![&clinic, limit], |row| {
        Ok(ParkedRow { key: row.get(0)?, sequence: from_stored(row.get(1)?), reason: row.get(2)? })
    })
}

/// What a parked entry says, sealed; none if it is not parked, or never came.
///
/// # Errors
/// [`super::StoreError`].
pub fn parked_body(tx: &Tx<'_>, clinic: [u8; 16], key: &[u8]) -> Stored<Option<Vec<u8>>> {
    let sql = "SELECT body FROM parked WHERE clinic = ?1 AND key = ?2";
    let found = tx.row(sql, params![&clinic, key], |row| row.get::<Option<Vec<u8>>>(0))?;
    Ok(found.flatten())
}
