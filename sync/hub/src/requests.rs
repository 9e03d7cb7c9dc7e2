//! What goes down to boxes: requests that wait in the database, long polls that fetch them, and the
//! answers that boxes give.
//!
//! A request is put in by the transaction that makes it ([`put`]), so that none is lost and none is
//! asked for what was not done; then whoever committed wakes the box ([`Requests::wake`]). What
//! another process put in is found within [`LOOK_AGAIN`].
//!
//! Invariant: a request leaves the queue only as `downlink::Queue` says; `store::request` does that on rows.
//! Invariant: the bodies of requests and answers lie encrypted under the clinic's key.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sync_protocol::ask::{Ask, Name, Operation, Reply};
use sync_protocol::downlink::{Full, Heard, Progress, RequestId};
use sync_protocol::wire;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::hub::Hub;
use crate::idempotency;
use crate::receive::Refused;
use crate::sealed::{self, Opened};
use crate::store::{self, StoreError, Tx};
use crate::vault::{WrongKey, make_key};

/// Long polls that may be open at once; the door has room for some more connections.
pub const POLLS_MAX: usize = 768;
/// How long a poll may stay open; proxies cut off what is silent for a minute.
pub const POLL_TIME_MAX: Duration = Duration::from_secs(55);
/// How long a box counts as there after it began to ask: longer than a poll.
pub const THERE_MS: i64 = 60_000;
/// How soon what another process wrote is found.
pub const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// As long are requests kept that the box has, for a box that is restored: as old as a backup may be.
pub const KEPT_MS: i64 = 35 * 24 * 3600 * 1000;
/// As long is what a search found kept, for whoever asks the same again.
pub const FOUND_KEPT_MS: i64 = 3600 * 1000;

/// What this process knows of the boxes that ask.
pub struct Requests {
    places: Semaphore,
    lines: Mutex<HashMap<[u8; 16], Arc<Line>>>,
    ended: AtomicBool,
}

/// The box of one clinic, as far as this process has to do with it.
#[derive(Default)]
struct Line {
    asked: Notify,
    answered: Notify,
    polls: AtomicU64,
}

/// Why something was not asked.
#[derive(Debug, thiserror::Error)]
pub enum NotAsked {
    /// Too many wait, or it is too long.
    #[error(transparent)]
    Full(#[from] Full),
    /// There is no such clinic.
    #[error("there is no such clinic at this hub")]
    NoClinic,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys of the hub.
    #[error(transparent)]
    Key(#[from] WrongKey),
    /// The work was cut off.
    #[error("the hub is stopping; ask again")]
    Stopping,
}

/// What came of asking a box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It answered.
    Reply(Reply),
    /// The box does not ask for requests; nothing was asked of it.
    BoxAway,
    /// It did not answer until the deadline. It may have done it: its log will tell.
    NoAnswer,
}

/// What came of the answer of a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is there.
    Known,
    /// Nobody asked this.
    NotAsked,
    /// The answer that the box had sent before is not there: this hub was put back. This one was not taken.
    Missing,
}

/// A box that asks for requests.
struct Asked {
    opened: Opened<Progress>,
    /// The answer that it names and that is not there.
    missing: Option<RequestId>,
}

impl Default for Requests {
    fn default() -> Self {
        let places = Semaphore::new(POLLS_MAX);
        Self { places, lines: Mutex::default(), ended: AtomicBool::new(false) }
    }
}

impl Requests {
    /// Tells the box of a clinic, if it waits at this process, that something was put in and committed.
    pub fn wake(&self, clinic: [u8; 16]) {
        self.line(clinic).asked.notify_waiters();
    }

    /// Answers all who wait: the hub stops.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.values().for_each(|line| line.asked.notify_waiters());
    }

    /// A place to wait at; none if too many wait.
    pub fn place(&self) -> Option<SemaphorePermit<'_>> {
        self.places.try_acquire().ok()
    }

    /// There are as many as clinics whose boxes asked.
    fn line(&self, clinic: [u8; 16]) -> Arc<Line> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lines.entry(clinic).or_default())
    }
}

/// Puts an ask into the queue of a clinic's box, within the transaction in which it comes about. What
/// is kept under the same id stays as it is. After the commit, [`Requests::wake`].
///
/// # Errors
/// [`NotAsked`].
pub fn put(hub: &Hub, tx: &Tx<'_>, clinic: [u8; 16], ask: &Ask) -> Result<(), NotAsked> {
    let body = ask.to_bytes().map_err(|_| Full::Request)?;
    let of = store::clinic(tx, clinic)?.ok_or(NotAsked::NoClinic)?;
    let id = ask.id();
    if store::request(tx, clinic, id)?.is_some() {
        return Ok(());
    }
    let (now_ms, sealed) = (hub.clock.now_ms(), hub.key_of(&of)?.seal(&request_place(id), &body)?);
    if store::downlink(tx, clinic)?.is_none() {
        store::begin_downlink(tx, clinic, new_series()?)?;
    }
    let old = store::put_before(tx, clinic, now_ms.saturating_sub(KEPT_MS))?;
    store::forget_requests(tx, clinic, old)?;
    store::put_request(tx, clinic, (id, &sealed), now_ms)??;
    Ok(())
}

/// What the box answered to an ask, as long as it is kept.
///
/// # Errors
/// If database or keys fail.
pub fn reply(
    hub: &Hub,
    tx: &Tx<'_>,
    clinic: [u8; 16],
    id: RequestId,
) -> Result<Option<Reply>, NotAsked> {
    let Some(sealed) = store::reply(tx, clinic, id)? else { return Ok(None) };
    let of = store::clinic(tx, clinic)?.ok_or(NotAsked::NoClinic)?;
    let body = hub.key_of(&of)?.open(&reply_place(id), &sealed)?;
    let damaged = |_| StoreError::Damaged("the answer of a box");
    Ok(Some(wire::read(&body).map_err(damaged)?))
}

/// Whether the box of a clinic is there: it began to ask less than [`THERE_MS`] ago.
///
/// # Errors
/// If the database fails.
pub fn is_there(hub: &Hub, tx: &Tx<'_>, clinic: [u8; 16]) -> Result<bool, StoreError> {
    let polled_at = store::downlink(tx, clinic)?.and_then(|it| it.polled_at);
    let now_ms = hub.clock.now_ms();
    Ok(polled_at.is_some_and(|at| (now_ms - THERE_MS..=now_ms).contains(&at)))
}

/// Asks the box of a clinic to do something, if it is there, and waits for its answer until the
/// deadline. Asked again with the same id, it is not done again.
///
/// # Errors
/// [`NotAsked`].
pub async fn ask(
    hub: &Arc<Hub>,
    clinic: [u8; 16],
    operation: Operation,
) -> Result<Answer, NotAsked> {
    let (id, deadline_ms) = (operation.id, operation.deadline_ms);
    let operation = Ask::Operation(operation);
    let asked = at_work(hub, move |hub| {
        hub.store.write(clinic, |tx| {
            if let Some(reply) = reply(hub, tx, clinic, id)? {
                return Ok(Some(Answer::Reply(reply)));
            }
            // What was asked before may have been done, wherever the box is now.
            let is_put = store::request(tx, clinic, id)?.is_some();
            if !is_put && !is_there(hub, tx, clinic)? {
                return Ok(Some(Answer::BoxAway));
            }
            put(hub, tx, clinic, &operation)?;
            Ok::<_, NotAsked>(None)
        })
    });
    if let Some(answer) = asked.await? {
        return Ok(answer);
    }
    hub.requests.wake(clinic);
    let line = hub.requests.line(clinic);
    let left = deadline_ms.saturating_sub(hub.clock.now_ms()).max(0);
    let answered = timeout(Duration::from_millis(left.unsigned_abs()), async {
        loop {
            let mut answered = pin!(line.answered.notified());
            answered.as_mut().enable();
            let looked =
                at_work(hub, move |hub| hub.store.read(clinic, |tx| reply(hub, tx, clinic, id)));
            if let Some(reply) = looked.await? {
                return Ok(Answer::Reply(reply));
            }
            // Whether it was woken or looks by itself is the same.
            let _ = timeout(LOOK_AGAIN, answered).await;
        }
    });
    answered.await.unwrap_or(Ok(Answer::NoAnswer))
}

/// Answers a box that asks for requests with a proof of how far it has them; waits for one if there is
/// none, until the poll is over, another poll of the box begins, or the hub stops.
///
/// # Errors
/// [`Refused`].
pub async fn poll(hub: &Arc<Hub>, proof: Vec<u8>, after: Option<u64>) -> Result<Vec<u8>, Refused> {
    let heard = on_thread(hub, move |hub| listen(hub, &proof, after)).await??;
    if heard.missing.is_some() {
        return on_thread(hub, move |hub| due(hub, &heard)).await?;
    }
    let clinic = heard.opened.clinic.id;
    let line = hub.requests.line(clinic);
    let turn = line.polls.fetch_add(1, Ordering::Relaxed) + 1;
    line.asked.notify_waiters();
    let waiting = timeout(POLL_TIME_MAX, async {
        loop {
            let mut asked = pin!(line.asked.notified());
            asked.as_mut().enable();
            let is_over = hub.requests.ended.load(Ordering::Relaxed)
                || line.polls.load(Ordering::Relaxed) != turn;
            let looked = on_thread(hub, move |hub| {
                hub.store.read(clinic, |tx| {
                    let line = store::downlink(tx, clinic)?;
                    Ok::<_, StoreError>(line.is_some_and(|it| it.taken < it.last))
                })
            });
            if is_over || looked.await?? {
                return Ok(());
            }
            let _ = timeout(LOOK_AGAIN, asked).await;
        }
    });
    waiting.await.unwrap_or(Ok::<(), Refused>(()))?;
    on_thread(hub, move |hub| due(hub, &heard)).await?
}

/// Answers a box what is due for it now, and waits for nothing.
///
/// # Errors
/// [`Refused`].
pub fn at_once(hub: &Hub, proof: &[u8], after: Option<u64>) -> Result<Vec<u8>, Refused> {
    due(hub, &listen(hub, proof, after)?)
}

/// Opens a proof and writes what it says.
fn listen(hub: &Hub, proof: &[u8], after: Option<u64>) -> Result<Asked, Refused> {
    let opened: Opened<Progress> = sealed::open(hub, proof)?;
    let (Progress { position, answered }, clinic) = (opened.body, opened.clinic.id);
    if after.is_some_and(|after| after != position.taken) {
        return Err(Refused::Malformed);
    }
    let series = new_series()?;
    let (heard, missing) = hub.store.write(clinic, |tx| {
        store::begin_downlink(tx, clinic, series)?;
        let heard = store::hear(tx, clinic, position)?;
        if heard == Heard::Restored {
            store::restored_requests(tx, clinic, series)?;
        }
        store::polled(tx, clinic, hub.clock.now_ms())?;
        Ok::<_, StoreError>((heard, missing(tx, clinic, answered)?))
    })?;
    if heard == Heard::Restored {
        let clinic = uuid::Uuid::from_bytes(clinic);
        tracing::warn!(%clinic, "the box knows more requests than this hub, which was put back to an older copy; what is open is asked again");
    }
    Ok(Asked { opened, missing })
}

/// The answer that a box names, if it is not there.
fn missing(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    named: Option<RequestId>,
) -> Result<Option<RequestId>, StoreError> {
    match named {
        Some(id) if store::reply(tx, clinic, id)?.is_none() => Ok(Some(id)),
        Some(_) | None => Ok(None),
    }
}

/// What is due for a box, sealed.
fn due(hub: &Hub, asked: &Asked) -> Result<Vec<u8>, Refused> {
    let Asked { opened: Opened { body: _, place, from, clinic }, missing } = asked;
    let id = clinic.id;
    // The clinic as it is now: its key may have changed while the box waited.
    let (mut batch, clinic) = hub.store.read(id, |tx| {
        let clinic = store::clinic(tx, id)?.ok_or(Refused::Unrecognised)?;
        Ok::<_, Refused>((store::due_requests(tx, id)?, clinic))
    })?;
    let key = hub.key_of(&clinic)?;
    for request in &mut batch.requests {
        request.body = key.open(&request_place(request.id), &request.body)?.to_vec();
    }
    (batch.now_ms, batch.missing) = (Some(hub.clock.now_ms()), *missing);
    sealed::seal(hub, from, (place.log, 0), &batch)
}

/// Takes in what a box answers, unless an answer of before is missing. What nobody asked is passed over.
///
/// # Errors
/// [`Refused`].
pub fn answered(hub: &Hub, bytes: &[u8]) -> Result<Told, Refused> {
    let Opened { body: reply, place: _, from: _, clinic } = sealed::open::<Reply>(hub, bytes)?;
    let before = reply.before;
    let (id, now_ms) = (reply.id, hub.clock.now_ms());
    let reply = Reply { before: None, ..reply };
    let body = wire::write(&reply).map_err(|_| Refused::Malformed)?;
    let told = hub.store.write(clinic.id, |tx| {
        if missing(tx, clinic.id, before)?.is_some() {
            return Ok(Told::Missing);
        }
        let of = store::clinic(tx, clinic.id)?.ok_or(Refused::Unrecognised)?;
        let key = hub.key_of(&of)?;
        let sealed = key.seal(&reply_place(id), &body)?;
        let Some(asked) = store::request(tx, clinic.id, id)? else { return Ok(Told::NotAsked) };
        let asked = Ask::from_bytes(&key.open(&request_place(id), &asked)?);
        let kept_ms = match asked {
            Ok(Ask::Operation(Operation { name: Name::Find, .. })) => FOUND_KEPT_MS,
            Ok(Ask::Operation(_)) => idempotency::KEPT_MS,
            Ok(Ask::Sale(_) | Ask::Proposal(_) | Ask::Edit(_) | Ask::Catalogue(_)) => KEPT_MS,
            Err(_) => return Err(StoreError::Damaged("a request to a box").into()),
        };
        let until_ms = now_ms.saturating_add(kept_ms);
        store::put_reply(tx, clinic.id, (id, &sealed), (now_ms, until_ms))?;
        Ok::<_, Refused>(Told::Known)
    })?;
    hub.requests.line(clinic.id).answered.notify_waiters();
    Ok(told)
}

/// A name for a series that no other database has.
fn new_series() -> Result<u64, WrongKey> {
    let bytes = make_key()?;
    let number = bytes.first_chunk().map_or(1, |bytes| u64::from_le_bytes(*bytes));
    // Databases have 63 bits for a number, and 0 is the series of a box that has none.
    Ok((number >> 1).max(1))
}

/// Where a request is sealed: no record is called so, because types of FHIR have letters only.
fn request_place(id: RequestId) -> Vec<u8> {
    [&b"request "[..], &id.0].concat()
}

fn reply_place(id: RequestId) -> Vec<u8> {
    [&b"reply "[..], &id.0].concat()
}

/// Runs what waits for the database outside the runtime.
async fn at_work<T: Send + 'static>(
    hub: &Arc<Hub>,
    work: impl FnOnce(&Hub) -> Result<T, NotAsked> + Send + 'static,
) -> Result<T, NotAsked> {
    on_thread(hub, work).await.unwrap_or(Err(NotAsked::Stopping))
}

async fn on_thread<T: Send + 'static>(
    hub: &Arc<Hub>,
    work: impl FnOnce(&Hub) -> T + Send + 'static,
) -> Result<T, Refused> {
    let hub = Arc::clone(hub);
    tokio::task::spawn_blocking(move || work(&hub)).await.map_err(|_| Refused::Stopping)
}
