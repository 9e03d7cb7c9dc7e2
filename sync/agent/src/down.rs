//! What comes down from the hub: requests are fetched by a long poll, taken in with their effects in
//! one transaction, and acknowledged by the next poll; answers go up when they are there.
//!
//! What a request means is the daemon's: it gives a function that takes one in. Time and again: a box
//! that dies between commit and acknowledgement hears the same again and knows it; one that dies before
//! the commit hears it for the first time.
//!
//! Invariant: how far the box has the requests, and what came of them, is written in one transaction.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use prm::db::{Db, Read, Tx};
use prm::error::Error;
use prm::hub::{self, Hub};
use prm::id::{LogId, RequestId};
use prm::stamp::Stamp;
use prm::{change, request};
use reqwest::StatusCode;
use sync_protocol::ask::{Ask, Reply};
use sync_protocol::downlink::{self, Batch, IDS_MAX, Position, Progress, Taken};
use sync_protocol::envelope::{ENVELOPE_MAX, MEDIA_TYPE};

use crate::keys::KeyFolder;
use crate::line::Internet;
use crate::sealed;
use crate::{Fault, Meter, http};

/// Where requests are fetched, behind the hub's address.
const REQUESTS: &str = "/v1/requests";
/// Where answers go.
const REPLIES: &str = "/v1/replies";
/// The header with the sealed position.
const PROOF: &str = "carepost-proof";
/// The longest answer to a reply that is looked at, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Takes in what the hub asks, and the time after which it is not to be done, by the box's own clock.
///
/// What it refuses it answers itself (`prm::request::answer_at_once`); an error is one of the database,
/// after which all of it comes again.
pub type Take = fn(&mut Tx<'_>, &Stamp, &Ask, Option<Timestamp>) -> Result<(), Error>;

/// What came of fetching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The box has joined no hub, or the hub does not listen to its log yet, or any more.
    Nobody,
    /// The hub was asked, and so many requests are new.
    New(usize),
}

/// A question for requests on its way to the hub, and what the answer is compared with.
pub struct Poll {
    /// How far the box is, sealed.
    pub proof: Vec<u8>,
    hub: Hub,
    log: LogId,
    position: Position,
}

/// A request, and what the box answers to it, sealed.
pub type Unsent = (RequestId, Vec<u8>);

/// The box's end of what comes down.
pub struct Down {
    db: Db,
    take: Take,
    line: Internet,
    keys: KeyFolder,
}

/// Whom to speak with, and as which log.
pub(crate) type Known = (Hub, LogId);

impl Down {
    /// Of the box with these records, with its keys in a folder.
    pub fn new(db: Db, keys_folder: PathBuf, take: Take) -> Self {
        let keys = KeyFolder::new(keys_folder);
        Self { db, take, line: Internet::default(), keys }
    }

    /// Counts what it costs here.
    #[must_use]
    pub fn counted(self, meter: Meter) -> Self {
        Self { line: Internet::counted(meter), ..self }
    }

    /// Fetches what the hub asks, and waits with the hub until there is something, for less than a
    /// minute.
    ///
    /// # Errors
    /// [`Fault`]; what was not taken in comes again.
    pub async fn fetch(&mut self, clock: impl Fn() -> Timestamp) -> Result<Fetched, Fault> {
        let Some(poll) = self.prepare().await? else { return Ok(Fetched::Nobody) };
        let url = format!("{}{REQUESTS}?after={}", poll.hub.url, poll.position.taken);
        let proof = (PROOF, URL_SAFE_NO_PAD.encode(&poll.proof));
        let (status, bytes) = http::get(self.line.client()?, &url, proof, ENVELOPE_MAX).await?;
        match status {
            StatusCode::OK => Ok(Fetched::New(self.hear(poll, &bytes, clock()).await?)),
            StatusCode::CONFLICT => Ok(Fetched::Nobody),
            other => Err(Fault::Refused(other.as_u16())),
        }
    }

    /// Says how far the box has the requests, sealed; nothing if the hub does not listen.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn prepare(&mut self) -> Result<Option<Poll>, Fault> {
        let found = self
            .db
            .read(|read| Ok((listened_to(read)?, request::position(read)?, answered(read)?)));
        let (Some((hub, log)), held, answered) = found.await? else { return Ok(None) };
        let position = to_protocol(held);
        let proof =
            sealed::to_hub((&hub, self.keys.keys()?), log, &Progress { position, answered })?;
        Ok(Some(Poll { proof, hub, log, position }))
    }

    /// Takes in what was answered to that; says how many requests are new.
    ///
    /// # Errors
    /// [`Fault`]; what was not taken in comes again.
    pub async fn hear(
        &mut self,
        poll: Poll,
        answer: &[u8],
        now: Timestamp,
    ) -> Result<usize, Fault> {
        let Poll { proof: _, hub, log, position } = poll;
        let keys = self.keys.keys()?;
        let batch = sealed::from_hub::<Batch>((&hub, keys), log, answer).ok_or(Fault::Receipt)?;
        let is_news = !batch.requests.is_empty() || batch.series != position.series;
        if !is_news && batch.lost == 0 && batch.missing.is_none() {
            return Ok(0);
        }
        let (stamp, take) = (Stamp::of_box(now), self.take);
        let new = self.db.write(move |tx| {
            // A hub that was joined meanwhile counts otherwise.
            if listened_to(tx)?
                .is_none_or(|(now, now_log)| (now.box_id, now_log) != (hub.box_id, log))
            {
                return Ok(0);
            }
            if let Some(id) = batch.missing {
                request::replies_lost(tx, &stamp, RequestId::from_bytes(id.0))?;
            }
            take_in(tx, &stamp, &batch, take)
        });
        Ok(new.await?)
    }

    /// Sends the answers that the hub does not have; answers how many it took. If there are as many as
    /// are read at once, there may be more.
    ///
    /// # Errors
    /// [`Fault`]; what was not sent is sent the next time, as long as somebody waits for it.
    pub async fn answer(&mut self, now: Timestamp) -> Result<usize, Fault> {
        let Some((hub, before, replies)) = self.unsent(now).await? else { return Ok(0) };
        let mut sent = 0;
        for (id, envelope) in replies {
            let client = self.line.client()?;
            let url = format!("{}{REPLIES}", hub.url);
            let (status, _) =
                http::post(client, &url, (MEDIA_TYPE, envelope), ANSWER_BYTES_MAX).await?;
            if !self.hear_status((id, before), status.as_u16(), now).await? {
                return Ok(sent);
            }
            sent += 1;
        }
        Ok(sent)
    }

    /// The hub, the answer that it took last, and those that it does not have, each sealed; nothing if it
    /// does not listen.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn unsent(
        &mut self,
        now: Timestamp,
    ) -> Result<Option<(Hub, Option<RequestId>, Vec<Unsent>)>, Fault> {
        let stamp = Stamp::of_box(now);
        let found = self.db.read(move |read| {
            let replies = request::replies(read, &stamp)?;
            Ok((listened_to(read)?, request::last_replied(read)?, replies))
        });
        let (Some((hub, log)), last, replies) = found.await? else { return Ok(None) };
        let before = last.map(|id: RequestId| downlink::RequestId(*id.as_bytes()));
        let keys = self.keys.keys()?;
        let each = replies.into_iter().map(|(id, reply)| {
            let request::Reply { status, body, until: _ } = reply;
            let reply = Reply { id: downlink::RequestId(*id.as_bytes()), status, body, before };
            Ok((id, sealed::to_hub((&hub, keys), log, &reply)?))
        });
        let unsent = each.collect::<Result<_, Fault>>()?;
        Ok(Some((hub, last, unsent)))
    }

    /// Notes what the hub said to an answer by its status; `before` was named with it. Whether to go on.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn hear_status(
        &self,
        (id, before): (RequestId, Option<RequestId>),
        status: u16,
        now: Timestamp,
    ) -> Result<bool, Fault> {
        let stamp = Stamp::of_box(now);
        let noted = self.db.write(move |tx| match (status, before) {
            (204, _) => request::replied(tx, &stamp, id).map(|()| Ok(true)),
            // What this hub will never take is not said for ever.
            (410 | 413, _) => request::not_wanted(tx, &stamp, id).map(|()| Ok(true)),
            // It was put back, and has not what it had.
            (412, Some(before)) => request::replies_lost(tx, &stamp, before).map(|()| Ok(false)),
            (409, _) => Ok(Ok(false)),
            (other, _) => Ok(Err(Fault::Refused(other))),
        });
        noted.await?
    }
}

/// The hub, if it listens to the log of this box: it answered the log with a receipt, and nothing stopped.
pub(crate) fn listened_to(read: &Read<'_>) -> Result<Option<Known>, Error> {
    let (log, standing) = (change::log_id(read)?, hub::standing(read)?);
    let is_heard =
        standing.is_some_and(|it| it.log == log && it.stop.is_none() && it.receipt_at.is_some());
    Ok(hub::get(read)?.filter(|_| is_heard).map(|hub| (hub, log)))
}

/// The answer that the hub took last, as the protocol names it.
fn answered(read: &Read<'_>) -> Result<Option<downlink::RequestId>, Error> {
    Ok(request::last_replied(read)?.map(|id| downlink::RequestId(*id.as_bytes())))
}

/// Takes in what is new of a batch, and writes how far the box is.
fn take_in(tx: &mut Tx<'_>, stamp: &Stamp, batch: &Batch, take: Take) -> Result<usize, Error> {
    let held = request::position(tx)?;
    let ids = request::taken_ids(tx)?.into_iter().map(downlink::RequestId).collect();
    let before = Taken { position: to_protocol(held), ids };
    let (after, new) = before.take(batch);
    for request in &new {
        match Ask::from_bytes(&request.body).ok().filter(|ask| ask.id() == request.id) {
            Some(ask) => take(tx, stamp, &ask, deadline(&ask, batch, stamp.now))?,
            None => {
                // A newer hub asks what this program does not know.
                let reply = request::Reply { status: 501, body: Vec::new(), until: None };
                let id = RequestId::from_bytes(request.id.0);
                request::answer_at_once(tx, stamp, id, &reply)?;
            }
        }
    }
    let known = if batch.series == before.position.series { before.position.taken } else { 0 };
    let is_behind = batch.after > known && batch.after - known <= batch.lost;
    let lost = if is_behind { batch.after - known } else { 0 };
    let Position { series, taken, id } = after.position;
    let to = request::Position {
        series: to_stored(series),
        taken: to_stored(taken),
        last: id.map(|id| id.0),
        lost: held.lost.saturating_add(to_stored(lost)),
    };
    let ids: Vec<[u8; 16]> = new.iter().map(|request| request.id.0).collect();
    request::advance(tx, stamp, to, (&ids, IDS_MAX))?;
    Ok(new.len())
}

/// When an operation is not to be done any more, by the box's clock: as long after the batch as the hub
/// said. The two clocks may be far apart.
fn deadline(ask: &Ask, batch: &Batch, now: Timestamp) -> Option<Timestamp> {
    match ask {
        Ask::Operation(operation) => {
            let hubs_now = batch.now_ms.unwrap_or_else(|| now.as_millisecond());
            let left = SignedDuration::from_millis(operation.deadline_ms.saturating_sub(hubs_now));
            Some(now.saturating_add(left).unwrap_or(now))
        }
        Ask::Sale(_) | Ask::Proposal(_) | Ask::Edit(_) | Ask::Catalogue(_) => None,
    }
}

/// What the box wrote; numbers are never negative there.
fn to_protocol(held: request::Position) -> Position {
    let request::Position { series, taken, last, lost: _ } = held;
    Position {
        series: series.unsigned_abs(),
        taken: taken.unsigned_abs(),
        id: last.map(downlink::RequestId),
    }
}

/// A series is below 2^63 and a number below 2^53; what is not is none of a hub's.
fn to_stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
