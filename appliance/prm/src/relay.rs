//! What goes between the box and its hub by the relay, until the other end has it.
//!
//! Bodies are opaque here. What to send and what an answer means is decided by the protocol of the sync;
//! this keeps what it needs to know.
//!
//! Invariant: what comes from the hub is numbered from 1 without a gap, each id once.
//! Invariant: what goes to the hub is a row until the hub said that it has it, and for a while after.

mod told;

use jiff::{SignedDuration, Timestamp};
use rusqlite::OptionalExtension as _;

pub use self::told::{tell_facts, told_facts};
use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::DeliveryId;
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, to_ms};

/// As many rows wait for the hub at the most; then nothing more goes by this way until it has some.
pub const WAITING_MAX: i64 = 20_000;
/// As many old rows of either way are forgotten with one write: no fewer than one batch can add.
const FORGOTTEN_AT_ONCE: u32 = 1_000;

/// A row that the hub does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number: rows go in this order.
    pub number: i64,
    /// The try that it is for.
    pub id: DeliveryId,
    /// How long its body is, in bytes.
    pub bytes: usize,
}

/// How many items were taken in from the hub in all.
pub fn taken(read: &Read<'_>) -> Result<u64> {
    let sql = "SELECT coalesce(max(number), 0) FROM relay_taken";
    let taken: i64 = read.sql().prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(taken.unsigned_abs())
}

/// As which number an item of the hub was taken in, if it was.
pub fn number_of(read: &Read<'_>, id: [u8; 16]) -> Result<Option<u64>> {
    let mut statement =
        read.sql().prepare_cached("SELECT number FROM relay_taken WHERE id = ?1")?;
    let number: Option<i64> = statement.query_row([id], |row| row.get(0)).optional()?;
    Ok(number.map(i64::unsigned_abs))
}

/// Notes that an item of the hub was taken in with this number, in the transaction that takes it in.
pub fn take(tx: &mut Tx<'_>, stamp: &Stamp, (id, number): ([u8; 16], u64)) -> Result<()> {
    stamp.needs(Right::Converse)?;
    tx.sql()
        .prepare_cached("INSERT INTO relay_taken (number, id, taken_at) VALUES (?1, ?2, ?3)")?
        .execute((to_stored(number), id, to_ms(stamp.now)))?;
    Ok(())
}

/// Forgets what was taken in before `known_for`, except the last, which says how many there were; and the rows
/// that the hub has had for `kept_for`.
pub fn forget_old(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (known_for, kept_for): (SignedDuration, SignedDuration),
) -> Result<()> {
    stamp.needs(Right::Converse)?;
    let before = |age| to_ms(stamp.now.checked_sub(age).unwrap_or(Timestamp::MIN));
    tx.sql()
        .prepare_cached(
            "DELETE FROM relay_taken WHERE number IN
               (SELECT number FROM relay_taken WHERE taken_at < ?1 ORDER BY taken_at LIMIT ?2)
             AND number < (SELECT max(number) FROM relay_taken)",
        )?
        .execute((before(known_for), FORGOTTEN_AT_ONCE))?;
    tx.sql()
        .prepare_cached(
            "DELETE FROM relay_row WHERE number IN
               (SELECT number FROM relay_row WHERE had_at < ?1 ORDER BY had_at LIMIT ?2)",
        )?
        .execute((before(kept_for), FORGOTTEN_AT_ONCE))?;
    Ok(())
}

/// Puts a row behind the others, for a try to deliver a message.
pub fn put(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: DeliveryId,
    (body, not_after): (&[u8], Option<Timestamp>),
) -> Result<()> {
    stamp.needs(Right::Converse)?;
    if waiting_count(tx)? >= WAITING_MAX {
        let what = format!("at most {WAITING_MAX} messages wait for the hub");
        return Err(Error::refused(Code::TooMany, what));
    }
    tx.sql()
        .prepare_cached("INSERT INTO relay_row (id, body, not_after) VALUES (?1, ?2, ?3)")?
        .execute((id, body, not_after.map(to_ms)))?;
    Ok(())
}

/// Puts a row behind the others that holds a part of what a try says. It is put before the try's own row, and forgotten with it.
pub fn put_part(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    of: DeliveryId,
    (body, not_after): (&[u8], Option<Timestamp>),
) -> Result<()> {
    let id = DeliveryId::new(stamp.now);
    put(tx, stamp, id, (body, not_after))?;
    let sql = "UPDATE relay_row SET part_of = ?2 WHERE id = ?1";
    tx.sql().prepare_cached(sql)?.execute((id, of))?;
    Ok(())
}

/// The first rows that the hub does not have, at most `limit`. Those that are too late are passed over.
pub fn waiting(read: &Read<'_>, stamp: &Stamp, limit: usize) -> Result<Vec<Row>> {
    stamp.needs(Right::Converse)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT number, id, length(body) FROM relay_row
         WHERE had IS NULL AND (not_after IS NULL OR not_after >= ?1) ORDER BY number LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map((to_ms(stamp.now), limit), |row| {
        let bytes: u32 = row.get(2)?;
        Ok(Row { number: row.get(0)?, id: row.get(1)?, bytes: bytes as usize })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How many rows the hub does not have.
pub fn waiting_count(read: &Read<'_>) -> Result<i64> {
    let sql = "SELECT count(*) FROM relay_row WHERE had IS NULL";
    Ok(read.sql().prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// What a row says, if it is still there.
pub fn body(read: &Read<'_>, stamp: &Stamp, number: i64) -> Result<Option<Vec<u8>>> {
    stamp.needs(Right::Converse)?;
    let mut statement =
        read.sql().prepare_cached("SELECT body FROM relay_row WHERE number = ?1")?;
    Ok(statement.query_row([number], |row| row.get(0)).optional()?)
}

/// Which row is noted as had with a number of the hub's.
pub fn noted_as(read: &Read<'_>, number: u64) -> Result<Option<DeliveryId>> {
    let mut statement = read.sql().prepare_cached("SELECT id FROM relay_row WHERE had = ?1")?;
    Ok(statement.query_row([to_stored(number)], |row| row.get(0)).optional()?)
}

/// The hub was put back: rows that it had with this number or one beyond it, it does not have any more.
/// Those that are too late by now are not sent again.
pub fn lost_from(tx: &mut Tx<'_>, stamp: &Stamp, number: u64) -> Result<usize> {
    stamp.needs(Right::Converse)?;
    let sql = "UPDATE relay_row SET had = NULL, had_at = NULL WHERE had >= ?1";
    Ok(tx.sql().prepare_cached(sql)?.execute([to_stored(number)])?)
}

/// The hub has a row, as its number so and so. Answers whether that is the row of a try.
pub fn had(tx: &mut Tx<'_>, stamp: &Stamp, (id, number): (DeliveryId, u64)) -> Result<bool> {
    stamp.needs(Right::Converse)?;
    // Its last word stands: a number is of one row.
    let sql = "UPDATE relay_row SET had = NULL, had_at = NULL WHERE had = ?1 AND id <> ?2";
    tx.sql().prepare_cached(sql)?.execute((to_stored(number), id))?;
    let sql = "UPDATE relay_row SET had = ?2, had_at = coalesce(had_at, ?3) WHERE id = ?1";
    let values = (id, to_stored(number), to_ms(stamp.now));
    tx.sql().prepare_cached(sql)?.execute(values)?;
    let sql = "SELECT EXISTS (SELECT 1 FROM relay_row WHERE id = ?1 AND part_of IS NULL)";
    Ok(tx.sql().prepare_cached(sql)?.query_row([id], |row| row.get(0))?)
}

/// Forgets a row that the hub does not have and shall not have any more, and its parts.
pub fn forget(tx: &mut Tx<'_>, stamp: &Stamp, id: DeliveryId) -> Result<()> {
    stamp.needs(Right::Converse)?;
    let sql = "DELETE FROM relay_row WHERE (id = ?1 OR part_of = ?1) AND had IS NULL";
    tx.sql().prepare_cached(sql)?.execute([id])?;
    Ok(())
}

/// Since when the oldest row waits that the hub does not have.
pub fn waits_since(read: &Read<'_>) -> Result<Option<Timestamp>> {
    let mut statement = read.sql().prepare_cached(
        "SELECT d.begun_at FROM relay_row r JOIN delivery d ON d.id = r.id
         WHERE r.had IS NULL ORDER BY r.number LIMIT 1",
    )?;
    let since: Option<i64> = statement.query_row([], |row| row.get(0)).optional()?;
    Ok(since.map(from_ms))
}

/// Numbers of the protocol are below 2^53; what is not is none of a hub's.
fn to_stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
