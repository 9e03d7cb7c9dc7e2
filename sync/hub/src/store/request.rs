//! What goes down to boxes: the rules of `sync_protocol::downlink::Queue`, on rows. A property test
//! keeps the two equal.

use sync_protocol::downlink::{
    BATCH_BYTES_MAX, BATCH_MAX, Batch, Full, Heard, Position, REQUESTS_MAX, Request, RequestId,
};

use super::sql::{Row, Tx, params};
use super::{Stored, from_stored, to_stored};

/// How far the requests of a clinic are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Downlink {
    /// The series.
    pub series: u64,
    /// The last number that was put in.
    pub last: u64,
    /// The last number that the box has.
    pub taken: u64,
    /// When the box began to ask last, in ms since 1970 UTC.
    pub polled_at: Option<i64>,
}

/// How far the requests of a clinic are; none before the first.
///
/// # Errors
/// [`super::StoreError`].
pub fn downlink(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<Option<Downlink>> {
    let sql = "SELECT series, last, taken, polled_at FROM downlink WHERE clinic = ?1";
    tx.row(sql, params![&clinic], |row| {
        Ok(Downlink {
            series: from_stored(row.get(0)?),
            last: from_stored(row.get(1)?),
            taken: from_stored(row.get(2)?),
            polled_at: row.get(3)?,
        })
    })
}

/// Begins the requests of a clinic, if there were none.
///
/// # Errors
/// [`super::StoreError`].
pub fn begin_downlink(tx: &Tx<'_>, clinic: [u8; 16], series: u64) -> Stored<Downlink> {
    let sql = "INSERT INTO downlink (clinic, series, last, taken) VALUES (?1, ?2, 0, 0)
        ON CONFLICT (clinic) DO NOTHING";
    tx.execute(sql, params![&clinic, to_stored(series)])?;
    let begun = Downlink { series, last: 0, taken: 0, polled_at: None };
    Ok(downlink(tx, clinic)?.unwrap_or(begun))
}

/// Puts in a request whose body is sealed; answers its number.
///
/// # Errors
/// [`super::StoreError`]; inside, that too many wait.
pub fn put_request(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    (id, sealed): (RequestId, &[u8]),
    now_ms: i64,
) -> Stored<Result<u64, Full>> {
    let Some(line) = downlink(tx, clinic)? else { return Ok(Err(Full::Queue)) };
    let most = u64::try_from(REQUESTS_MAX).unwrap_or(u64::MAX);
    if line.last - line.taken >= most {
        return Ok(Err(Full::Queue));
    }
    if let Some(first) = first_kept(tx, clinic, 0)?
        && line.last - first + 1 >= 2 * most
    {
        let sql = "DELETE FROM request WHERE clinic = ?1 AND number = ?2";
        tx.execute(sql, params![&clinic, to_stored(first)])?;
    }
    let number = line.last + 1;
    let sql = "INSERT INTO request (clinic, number, id, put_at, body) VALUES (?1, ?2, ?3, ?4, ?5)";
    tx.execute(sql, params![&clinic, to_stored(number), &id.0, now_ms, sealed])?;
    let sql = "UPDATE downlink SET last = ?2 WHERE clinic = ?1";
    tx.execute(sql, params![&clinic, to_stored(number)])?;
    Ok(Ok(number))
}

/// The body of the request with this id, sealed, if it is kept.
///
/// # Errors
/// [`super::StoreError`].
pub fn request(tx: &Tx<'_>, clinic: [u8; 16], id: RequestId) -> Stored<Option<Vec<u8>>> {
    let sql = "SELECT body FROM request WHERE clinic = ?1 AND id = ?2 LIMIT 1";
    tx.row(sql, params![&clinic, &id.0], |row| row.get(0))
}

/// The box says how far it has them.
///
/// # Errors
/// [`super::StoreError`].
pub fn hear(tx: &Tx<'_>, clinic: [u8; 16], position: Position) -> Stored<Heard> {
    let Some(line) = downlink(tx, clinic)? else { return Ok(Heard::Nothing) };
    if position.series != line.series {
        return Ok(Heard::Nothing);
    }
    if position.taken > line.last {
        return Ok(Heard::Restored);
    }
    if let Some(said) = position.id {
        let sql = "SELECT id FROM request WHERE clinic = ?1 AND number = ?2";
        let kept = tx.row(sql, params![&clinic, to_stored(position.taken)], |row| row.get(0))?;
        if kept.is_some_and(|kept| RequestId(kept) != said) {
            return Ok(Heard::Restored);
        }
    }
    if position.taken != line.taken {
        let sql = "UPDATE downlink SET taken = ?2 WHERE clinic = ?1";
        tx.execute(sql, params![&clinic, to_stored(position.taken)])?;
    }
    Ok(Heard::Position)
}

/// What to send next; the bodies are sealed.
///
/// # Errors
/// [`super::StoreError`].
pub fn due_requests(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<Batch> {
    let Some(line) = downlink(tx, clinic)? else {
        return Ok(Batch {
            series: 0,
            after: 0,
            requests: Vec::new(),
            lost: 0,
            now_ms: None,
            missing: None,
        });
    };
    let first = first_kept(tx, clinic, 0)?.unwrap_or(line.last + 1);
    let after = line.taken.max(first - 1);
    let sql = "SELECT number, id, body FROM request WHERE clinic = ?1 AND number > ?2
        ORDER BY number LIMIT ?3";
    let most = i64::try_from(BATCH_MAX).unwrap_or(i64::MAX);
    let request = |row: &Row<'_>| {
        let id = RequestId(row.get(1)?);
        Ok(Request { number: from_stored(row.get(0)?), id, body: row.get(2)? })
    };
    let mut requests = tx.rows(sql, params![&clinic, to_stored(after), most], request)?;
    let mut bytes = 0;
    let fit = requests.iter().take_while(|it| {
        let is_first = bytes == 0;
        bytes += it.body.len().max(1);
        is_first || bytes <= BATCH_BYTES_MAX
    });
    let fit = fit.count();
    requests.truncate(fit);
    let lost = after - line.taken;
    Ok(Batch { series: line.series, after, requests, lost, now_ms: None, missing: None })
}

/// Forgets what the box has through this number.
///
/// # Errors
/// [`super::StoreError`].
pub fn forget_requests(tx: &Tx<'_>, clinic: [u8; 16], through: u64) -> Stored<()> {
    let sql = "DELETE FROM request WHERE clinic = ?1 AND number <= ?2
        AND number <= (SELECT taken FROM downlink WHERE clinic = ?1)";
    tx.execute(sql, params![&clinic, to_stored(through)])?;
    Ok(())
}

/// The last request that was put in before this time; 0 if there is none.
///
/// # Errors
/// [`super::StoreError`].
pub fn put_before(tx: &Tx<'_>, clinic: [u8; 16], at_ms: i64) -> Stored<u64> {
    let sql = "SELECT number FROM request WHERE clinic = ?1 AND put_at < ?2
        ORDER BY number DESC LIMIT 1";
    Ok(from_stored(tx.row(sql, params![&clinic, at_ms], |row| row.get(0))?.unwrap_or(0)))
}

/// The hub was restored: what is open, as far as it knows, in a new series.
///
/// # Errors
/// [`super::StoreError`].
pub fn restored_requests(tx: &Tx<'_>, clinic: [u8; 16], series: u64) -> Stored<()> {
    let Some(line) = downlink(tx, clinic)? else { return Ok(()) };
    forget_requests(tx, clinic, line.taken)?;
    let before = first_kept(tx, clinic, line.taken)?.map_or(line.last, |first| first - 1);
    // By way of numbers that no row has: a key is looked at row by row.
    let sql = "UPDATE request SET number = ?2 - number WHERE clinic = ?1";
    tx.execute(sql, params![&clinic, to_stored(before)])?;
    let sql = "UPDATE request SET number = -number WHERE clinic = ?1";
    tx.execute(sql, params![&clinic])?;
    let sql = "UPDATE downlink SET series = ?2, last = ?3, taken = 0 WHERE clinic = ?1";
    tx.execute(sql, params![&clinic, to_stored(series), to_stored(line.last - before)])?;
    Ok(())
}

/// Notes that the box asks.
///
/// # Errors
/// [`super::StoreError`].
pub fn polled(tx: &Tx<'_>, clinic: [u8; 16], now_ms: i64) -> Stored<()> {
    let sql = "UPDATE downlink SET polled_at = ?2 WHERE clinic = ?1";
    tx.execute(sql, params![&clinic, now_ms])?;
    Ok(())
}

/// Keeps what the box answered to a request, the first time that it says so, until a time; forgets what
/// was to be kept until now.
///
/// # Errors
/// [`super::StoreError`].
pub fn put_reply(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    (id, sealed): (RequestId, &[u8]),
    (now_ms, until_ms): (i64, i64),
) -> Stored<()> {
    let sql = "DELETE FROM reply WHERE clinic = ?1 AND keep_until < ?2";
    tx.execute(sql, params![&clinic, now_ms])?;
    let sql = "INSERT INTO reply (clinic, id, keep_until, body) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (clinic, id) DO NOTHING";
    tx.execute(sql, params![&clinic, &id.0, until_ms, sealed])?;
    Ok(())
}

/// What the box answered to a request, sealed.
///
/// # Errors
/// [`super::StoreError`].
pub fn reply(tx: &Tx<'_>, clinic: [u8; 16], id: RequestId) -> Stored<Option<Vec<u8>>> {
    let sql = "SELECT body FROM reply WHERE clinic = ?1 AND id = ?2";
    tx.row(sql, params![&clinic, &id.0], |row| row.get(0))
}

/// The first number after this one that is kept.
fn first_kept(tx: &Tx<'_>, clinic: [u8; 16], after: u64) -> Stored<Option<u64>> {
    let sql =
        "SELECT number FROM request WHERE clinic = ?1 AND number > ?2 ORDER BY number LIMIT 1";
    let first = tx.row(sql, params![&clinic, to_stored(after)], |row| row.get(0))?;
    Ok(first.map(from_stored))
}

#[cfg(test)]
mod tests;
