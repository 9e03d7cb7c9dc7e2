//! What the hub asks of the box, until it is done, and the answers that the hub does not have yet.
//!
//! Bodies are opaque here. How far the box has the requests is written in the transaction that takes
//! them in, so that none is lost and none is taken twice.
//!
//! Invariant: a request that is done is gone from here in the transaction that writes its answer.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, Row};

use crate::db::{Read, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{Noun, PatientId, RequestId};
use crate::stamp::{Right, Stamp};
use crate::time::{from_ms, to_ms};

/// As many proposals wait for the desk at the most.
pub const PROPOSALS_MAX: i64 = 1_000;
/// As many operations are read at once.
pub const OPERATIONS_AT_ONCE: usize = 50;
/// As many answers are read at once.
pub const REPLIES_AT_ONCE: usize = 20;
/// As many answers that the hub has are kept.
pub const SENT_MAX: i64 = 1_000;
/// As long are they kept: less than the hub keeps them.
const SENT_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How far the box has the requests of its hub.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The series in which the hub counts.
    pub series: i64,
    /// The last number that was taken in.
    pub taken: i64,
    /// Which request that was.
    pub last: Option<[u8; 16]>,
    /// How many requests the hub had no more when the box asked for them.
    pub lost: i64,
}

/// What a request is, as far as it waits here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The details of a booking that was sold under a loan.
    Sale,
    /// Something that somebody waits for.
    Operation,
    /// A wish for an appointment, which the desk decides.
    Proposal,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Operation => "operation",
            Self::Proposal => "proposal",
        }
    }
}

/// A request that waits.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// What it says.
    pub body: Vec<u8>,
    /// When it was taken in.
    pub taken_at: Timestamp,
    /// After this it is not done any more.
    pub deadline: Option<Timestamp>,
    /// What it made, if it is done and not answered.
    pub appointment: Option<String>,
}

impl std::fmt::Debug for Request {
    /// The body is personal: logs never show it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Request({})", self.id)
    }
}

/// An answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// As a HTTP status.
    pub status: u16,
    /// What it says.
    pub body: Vec<u8>,
    /// After this nobody waits for it.
    pub until: Option<Timestamp>,
}

/// How far the box has the requests.
pub fn position(read: &Read<'_>) -> Result<Position> {
    let found = read
        .sql()
        .prepare_cached("SELECT series, taken, last, lost FROM downlink")?
        .query_row([], |row: &Row<'_>| {
            let (series, taken, last, lost) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(Position { series, taken, last, lost })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// The ids of the latest requests, the oldest first.
pub fn taken_ids(read: &Read<'_>) -> Result<Vec<[u8; 16]>> {
    let mut statement = read.sql().prepare_cached("SELECT id FROM taken_request ORDER BY place")?;
    let ids = statement.query_map([], |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// Writes how far the box has the requests, and the ids of those that are new; of all ids the latest
/// `most` are kept.
pub fn advance(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    to: Position,
    (new, most): (&[[u8; 16]], usize),
) -> Result<()> {
    stamp.needs(Right::AnswerRequests)?;
    let Position { series, taken, last, lost } = to;
    tx.sql()
        .prepare_cached(
            "INSERT INTO downlink (only, series, taken, last, lost) VALUES (1, ?1, ?2, ?3, ?4)
             ON CONFLICT (only) DO UPDATE SET series = excluded.series, taken = excluded.taken,
               last = excluded.last, lost = excluded.lost",
        )?
        .execute((series, taken, last, lost))?;
    for id in new {
        tx.sql()
            .prepare_cached(
                "INSERT INTO taken_request (place, id)
                 SELECT coalesce(max(place), 0) + 1, ?1 FROM taken_request",
            )?
            .execute([id])?;
    }
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    tx.sql()
        .prepare_cached(
            "DELETE FROM taken_request
             WHERE place <= (SELECT coalesce(max(place), 0) FROM taken_request) - ?1",
        )?
        .execute([most])?;
    Ok(())
}

/// Keeps a request until it is done. The rights are those of the box: it takes in what its hub asks.
pub fn keep(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, kind): (RequestId, Kind),
    (body, deadline): (&[u8], Option<Timestamp>),
) -> Result<()> {
    stamp.needs(Right::AnswerRequests)?;
    if kind == Kind::Proposal && count_proposals(tx)? >= PROPOSALS_MAX {
        let what = format!("at most {PROPOSALS_MAX} proposals wait for the desk");
        return Err(Error::refused(Code::TooMany, what));
    }
    tx.sql()
        .prepare_cached(
            "INSERT INTO request (id, kind, body, taken_at, deadline) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO NOTHING",
        )?
        .execute((id, kind.as_str(), body, to_ms(stamp.now), deadline.map(to_ms)))?;
    match kind {
        Kind::Proposal => {
            tx.record(stamp, "take", (Noun::Request, id.as_bytes(), 1), None)?;
        }
        // Who comes of it is told by the appointment.
        Kind::Sale | Kind::Operation => {}
    }
    Ok(())
}

/// How many proposals wait for the desk.
pub fn count_proposals(read: &Read<'_>) -> Result<i64> {
    let mut statement =
        read.sql().prepare_cached("SELECT count(*) FROM request WHERE kind = 'proposal'")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// When the newest sale came in that waits for its loan.
pub fn newest_sale(read: &Read<'_>) -> Result<Option<Timestamp>> {
    let mut statement =
        read.sql().prepare_cached("SELECT max(taken_at) FROM request WHERE kind = 'sale'")?;
    Ok(statement.query_row([], |row| row.get::<_, Option<i64>>(0))?.map(from_ms))
}

/// The requests of a kind that wait, the oldest first, at most `limit`.
pub fn waiting(read: &Read<'_>, stamp: &Stamp, kind: Kind, limit: usize) -> Result<Vec<Request>> {
    stamp.needs(Right::AnswerRequests)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT id, body, taken_at, deadline, appointment FROM request WHERE kind = ?1
         ORDER BY taken_at, id LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map((kind.as_str(), limit), from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The request of a kind with this id, if it waits.
pub fn get(read: &Read<'_>, stamp: &Stamp, kind: Kind, id: RequestId) -> Result<Request> {
    stamp.needs(Right::AnswerRequests)?;
    find(read, kind, id)?.ok_or(Error::NotFound(Noun::Request))
}

/// The details of a booking that was sold, if they have come: what the hub said of the booking with
/// this id.
pub fn sale(read: &Read<'_>, stamp: &Stamp, booking: [u8; 16]) -> Result<Option<Vec<u8>>> {
    stamp.needs(Right::AnswerRequests)?;
    let found = find(read, Kind::Sale, RequestId::from_bytes(booking))?;
    Ok(found.map(|request| request.body))
}

/// Forgets the details of a booking that was sold: it is in the diary, or another task tells of it.
pub fn adopted(tx: &mut Tx<'_>, stamp: &Stamp, booking: [u8; 16]) -> Result<()> {
    stamp.needs(Right::AnswerRequests)?;
    remove(tx, Kind::Sale, RequestId::from_bytes(booking))
}

/// What an operation made already, if it was done and its answer was not written.
pub fn made(read: &Read<'_>, stamp: &Stamp, id: RequestId) -> Result<Option<String>> {
    stamp.needs(Right::Book)?;
    Ok(find(read, Kind::Operation, id)?.and_then(|request| request.appointment))
}

/// Notes what an operation made, in the transaction that made it.
pub fn note_made(tx: &mut Tx<'_>, stamp: &Stamp, id: RequestId, appointment: &str) -> Result<()> {
    stamp.needs(Right::Book)?;
    let changed = tx
        .sql()
        .prepare_cached("UPDATE request SET appointment = ?2 WHERE id = ?1 AND kind = 'operation'")?
        .execute((id, appointment))?;
    if changed == 0 { Err(Error::NotFound(Noun::Request)) } else { Ok(()) }
}

/// Answers a request, which is done with that.
pub fn answer(tx: &mut Tx<'_>, stamp: &Stamp, id: RequestId, reply: &Reply) -> Result<()> {
    stamp.needs(Right::AnswerRequests)?;
    remove(tx, Kind::Operation, id)?;
    put_reply(tx, stamp, id, reply)
}

/// The desk decided about a proposal (`verb`), which is done with that.
pub fn decide(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    (id, verb): (RequestId, &'static str),
    patient: Option<PatientId>,
    reply: &Reply,
) -> Result<()> {
    stamp.needs(Right::AnswerRequests)?;
    find(tx, Kind::Proposal, id)?.ok_or(Error::NotFound(Noun::Request))?;
    remove(tx, Kind::Proposal, id)?;
    put_reply(tx, stamp, id, reply)?;
    tx.record(stamp, verb, (Noun::Request, id.as_bytes(), 2), patient)
}

/// Answers that the hub does not have yet and for which somebody waits, the oldest first, at most
/// [`REPLIES_AT_ONCE`].
pub fn replies(read: &Read<'_>, stamp: &Stamp) -> Result<Vec<(RequestId, Reply)>> {
    stamp.needs(Right::AnswerRequests)?;
    let mut statement = read.sql().prepare_cached(
        "SELECT id, status, body, until FROM reply WHERE sent IS NULL AND (until IS NULL OR until >= ?1)
         ORDER BY made_at, id LIMIT ?2",
    )?;
    let limit = i64::try_from(REPLIES_AT_ONCE).unwrap_or(i64::MAX);
    let rows = statement.query_map((to_ms(stamp.now), limit), |row| {
        let until = row.get::<_, Option<i64>>(3)?.map(from_ms);
        Ok((row.get(0)?, Reply { status: row.get(1)?, body: row.get(2)?, until }))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The hub has this answer. It is kept for a hub that is put back to an older copy, unless somebody waited
/// for it, who has heard it or is gone.
pub fn replied(tx: &mut Tx<'_>, stamp: &Stamp, id: RequestId) -> Result<()> {
    stamp.needs(Right::AnswerRequests)?;
    let sql = "DELETE FROM reply WHERE id = ?1 AND until IS NOT NULL";
    tx.sql().prepare_cached(sql)?.execute([id])?;
    tx.sql()
        .prepare_cached(
            "UPDATE reply SET sent = (SELECT coalesce(max(sent), 0) + 1 FROM reply) WHERE id = ?1",
        )?
        .execute([id])?;
    let old = stamp.now.checked_sub(SENT_KEPT).unwrap_or(Timestamp::MIN);
    tx.sql()
        .prepare_cached(
            "DELETE FROM reply WHERE sent IS NOT NULL
             AND (made_at < ?1 OR sent <= (SELECT max(sent) FROM reply) - ?2)",
        )?
        .execute((to_ms(old), SENT_MAX))?;
    Ok(())
}

/// The answer that the hub took last, of those that are kept.
pub fn last_replied(read: &Read<'_>) -> Result<Option<RequestId>> {
    let sql = "SELECT id FROM reply WHERE sent IS NOT NULL ORDER BY sent DESC LIMIT 1";
    Ok(read.sql().prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?)
}

/// The hub has this answer no more: all that are kept are to be sent again, in their order.
pub fn replies_lost(tx: &mut Tx<'_>, stamp: &Stamp, id: RequestId) -> Result<()> {
    stamp.needs(Right::AnswerRequests)?;
    // Said of an answer that was sent again meanwhile, it is old.
    let sql = "UPDATE reply SET sent = NULL WHERE sent IS NOT NULL
        AND EXISTS (SELECT 1 FROM reply WHERE id = ?1 AND sent IS NOT NULL)";
    tx.sql().prepare_cached(sql)?.execute([id])?;
    Ok(())
}

/// The hub will never take this answer.
pub fn not_wanted(tx: &mut Tx<'_>, stamp: &Stamp, id: RequestId) -> Result<()> {
    stamp.needs(Right::AnswerRequests)?;
    tx.sql().prepare_cached("DELETE FROM reply WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// Writes an answer; those for which nobody waits any more are forgotten.
fn put_reply(tx: &Tx<'_>, stamp: &Stamp, id: RequestId, reply: &Reply) -> Result<()> {
    let Reply { status, body, until } = reply;
    let now = to_ms(stamp.now);
    tx.sql().prepare_cached("DELETE FROM reply WHERE until < ?1")?.execute([now])?;
    tx.sql()
        .prepare_cached(
            "INSERT INTO reply (id, status, body, made_at, until) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO NOTHING",
        )?
        .execute((id, status, body, now, until.map(to_ms)))?;
    Ok(())
}

/// Answers a request that is not kept here, because it was done where it was taken in.
pub fn answer_at_once(tx: &mut Tx<'_>, stamp: &Stamp, id: RequestId, reply: &Reply) -> Result<()> {
    stamp.needs(Right::AnswerRequests)?;
    put_reply(tx, stamp, id, reply)
}

fn find(read: &Read<'_>, kind: Kind, id: RequestId) -> Result<Option<Request>> {
    let found = read
        .sql()
        .prepare_cached(
            "SELECT id, body, taken_at, deadline, appointment FROM request
             WHERE id = ?1 AND kind = ?2",
        )?
        .query_row((id, kind.as_str()), from_row)
        .optional()?;
    Ok(found)
}

fn remove(tx: &Tx<'_>, kind: Kind, id: RequestId) -> Result<()> {
    tx.sql()
        .prepare_cached("DELETE FROM request WHERE id = ?1 AND kind = ?2")?
        .execute((id, kind.as_str()))?;
    Ok(())
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Request> {
    Ok(Request {
        id: row.get(0)?,
        body: row.get(1)?,
        taken_at: from_ms(row.get(2)?),
        deadline: row.get::<_, Option<i64>>(3)?.map(from_ms),
        appointment: row.get(4)?,
    })
}
