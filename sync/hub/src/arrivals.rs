//! What came for clinics by providers is kept before anybody is told so, many at once.
//!
//! A commit that is on the disk costs much and holds as much as it is given. So whoever comes first writes for
//! all who wait, and who comes meanwhile is written by the next.
//!
//! ```text
//!   keep ──► queue ──► the first who gets the lead takes all that is there
//!                        └─ one transaction for the clinics together (SQLite) or each (PostgreSQL)
//!                             └─ each is told what became of what it brought
//! ```
//!
//! Invariant: what is said to be kept was committed. What is known is kept once, under a hash of what its provider
//! calls it.
//! Invariant: the state of a message moves on only; what says otherwise is known.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use channels::away::Answered;
use channels::heard::{Delivery, DeliveryState, Down, Heard, Said, Sender};
use prm::id::MessageId;
use prm::medium::Medium;
use ring::digest::{Context, SHA256};
use sync_protocol::relay::answerer::Turn;
use sync_protocol::relay::{ITEM_BYTES_MAX, ItemId, KEPT_MS};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::away::DIALOGUE_KEPT_MS;
use crate::hub::{Hub, ReadError};
use crate::index_key::{self, IndexKey};
use crate::media::incoming;
use crate::store::{self, Clinic, MessageIn, MessageLine, OutState, Peer, StoreError, TurnRow, Tx};
use crate::vault::ClinicKey;

/// Messages of one clinic that may wait for its box.
pub const WAITING_MAX: u64 = 50_000;
/// Bytes of them.
pub const WAITING_BYTES_MAX: u64 = 1 << 30;
/// Requests that may wait to be written.
pub const QUEUE_MAX: usize = 1_024;
/// Requests that are written at once.
pub const GROUP_MAX: usize = 64;
/// Those who write beside each other, where the database lets them.
const LEADS: usize = 4;
/// How long it is known who wrote when: longer than anybody may be answered freely.
const PEERS_KEPT_MS: i64 = 48 * 3_600_000;

/// What came by one request for one clinic.
pub struct Arrival {
    /// The clinic.
    pub clinic: [u8; 16],
    /// The account by which it came.
    pub channel: [u8; 16],
    /// What.
    pub downs: Vec<Down>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Some of it is new, and on the disk.
    New,
    /// All of it was there.
    Known,
    /// Too much waits for the box of this clinic; nothing was taken.
    Full,
}

/// It was not kept: ask again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// Too many wait to be written.
    #[error("too many messages come at once")]
    Busy,
    /// The database or the keys do not do it; what exactly is in the log.
    #[error("the message could not be stored")]
    Unavailable,
}

struct Waiting {
    arrival: Arrival,
    tell: oneshot::Sender<Result<Kept, NotKept>>,
}

/// Those who wait to be written.
#[derive(Default)]
pub struct Arrivals {
    lines: [Line; LEADS],
}

#[derive(Default)]
struct Line {
    queue: Mutex<Vec<Waiting>>,
    lead: Arc<tokio::sync::Mutex<()>>,
}

impl Line {
    fn queue(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps what came, and answers when it is on the disk. Then the box is woken.
///
/// # Errors
/// [`NotKept`].
pub async fn keep(hub: &Arc<Hub>, arrival: Arrival) -> Result<Kept, NotKept> {
    // Of one clinic all are written by one after the other in any case.
    let at = if hub.store.writes_beside() { usize::from(arrival.clinic[15]) % LEADS } else { 0 };
    let (tell, mut told) = oneshot::channel();
    {
        let mut queue = hub.arrivals.lines[at].queue();
        if queue.len() >= QUEUE_MAX {
            return Err(NotKept::Busy);
        }
        queue.push(Waiting { arrival, tell });
    }
    loop {
        let lead = Arc::clone(&hub.arrivals.lines[at].lead).lock_owned().await;
        match told.try_recv() {
            Ok(kept) => return kept,
            Err(oneshot::error::TryRecvError::Closed) => return Err(NotKept::Unavailable),
            Err(oneshot::error::TryRecvError::Empty) => {}
        }
        let at_work = Arc::clone(hub);
        // The lead goes along: who does not wait any more leaves nobody without one.
        let done = tokio::task::spawn_blocking(move || {
            write_group(&at_work, at);
            drop(lead);
        });
        done.await.map_err(|_| NotKept::Unavailable)?;
    }
}

/// Writes those who wait, at most [`GROUP_MAX`], and tells each.
fn write_group(hub: &Hub, at: usize) {
    let group: Vec<Waiting> = {
        let mut queue = hub.arrivals.lines[at].queue();
        let most = queue.len().min(GROUP_MAX);
        queue.drain(..most).collect()
    };
    let mut of_clinics: BTreeMap<[u8; 16], Vec<Waiting>> = BTreeMap::new();
    for waiting in group {
        of_clinics.entry(waiting.arrival.clinic).or_default().push(waiting);
    }
    let clinics: Vec<[u8; 16]> = of_clinics.keys().copied().collect();
    let written = hub.store.write_each(&clinics, |tx, clinic| {
        let arrivals = of_clinics.get(&clinic).map(Vec::as_slice).unwrap_or_default();
        write(hub, tx, clinic, arrivals.iter().map(|it| &it.arrival))
    });
    for (clinic, written) in clinics.into_iter().zip(written) {
        let waiting = of_clinics.remove(&clinic).unwrap_or_default();
        match written {
            Ok(kept) => {
                if kept.contains(&Kept::New) {
                    hub.relay.wake(clinic);
                    hub.media.wake(waiting.iter().flat_map(|it| &it.arrival.downs));
                }
                for (it, kept) in waiting.into_iter().zip(kept) {
                    // Who does not wait any more hears it when it is told again.
                    let _ = it.tell.send(Ok(kept));
                }
            }
            Err(error) => {
                tracing::error!(%error, clinic = %uuid::Uuid::from_bytes(clinic), "messages could not be stored");
                for it in waiting {
                    let _ = it.tell.send(Err(NotKept::Unavailable));
                }
            }
        }
    }
}

/// Writes what came for one clinic.
fn write<'a>(
    hub: &Hub,
    tx: &Tx<'_>,
    clinic: [u8; 16],
    arrivals: impl Iterator<Item = &'a Arrival>,
) -> Result<Vec<Kept>, ReadError> {
    let of = store::clinic(tx, clinic)?.ok_or(StoreError::Damaged("a clinic that is gone"))?;
    let mut keeping = Keeping::begin(hub, tx, &of)?;
    let now_ms = keeping.now_ms;
    let kept = arrivals.map(|it| keeping.arrival(it)).collect::<Result<Vec<_>, _>>()?;
    store::put_message_line(tx, clinic, &keeping.line)?;
    store::forget_messages_in(tx, clinic, now_ms.saturating_sub(KEPT_MS))?;
    store::forget_peers(tx, clinic, now_ms.saturating_sub(PEERS_KEPT_MS))?;
    let dialogues = now_ms.saturating_sub(DIALOGUE_KEPT_MS);
    store::forget_turns(tx, clinic, (now_ms.saturating_sub(KEPT_MS), dialogues))?;
    Ok(kept)
}

/// What is needed to keep something of a clinic, in its transaction.
pub struct Keeping<'a, 'c> {
    /// The transaction.
    pub tx: &'a Tx<'c>,
    /// The clinic.
    pub clinic: [u8; 16],
    /// Its key.
    pub key: ClinicKey,
    /// The key by which people are known again.
    pub index: IndexKey,
    /// How its messages are; to be written at the end.
    pub line: MessageLine,
    /// What time it is, in ms since 1970 UTC.
    pub now_ms: i64,
    /// Whether the box asks before it answers: the hub may have ([`crate::away`]).
    asks: bool,
}

impl<'a, 'c> Keeping<'a, 'c> {
    /// For a clinic.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn begin(hub: &Hub, tx: &'a Tx<'c>, of: &Clinic) -> Result<Self, ReadError> {
        Ok(Self {
            tx,
            clinic: of.id,
            key: hub.key_of(of)?,
            index: index_key::begun(hub, tx, of)?,
            line: store::message_line(tx, of.id)?,
            asks: store::has_reception_facts(tx, of.id)?,
            now_ms: hub.clock.now_ms(),
        })
    }

    fn arrival(&mut self, arrival: &Arrival) -> Result<Kept, ReadError> {
        let mut is_new = false;
        let is_full =
            self.line.waiting >= WAITING_MAX || self.line.waiting_bytes >= WAITING_BYTES_MAX;
        for down in &arrival.downs {
            let id = item_id(down);
            if store::knows_message_in(self.tx, self.clinic, id)? {
                continue;
            }
            if is_full {
                return Ok(Kept::Full);
            }
            is_new |= match down {
                Down::Delivery(delivery) => self.delivery(delivery)?,
                Down::Heard(heard) => {
                    if !incoming::has_room(self, heard)? {
                        return Ok(Kept::Full);
                    }
                    self.note_sender(heard, arrival.channel)?;
                    incoming::note(self, id, (arrival.channel, heard))?;
                    self.heard(id, heard)?
                }
                Down::Webhook(_) => self.put(id, "voice-agent", down)?,
                Down::Part(_) => self.put(id, "part", down)?,
                Down::Answered(answered) => self.put_answer(answered)?,
            };
        }
        Ok(if is_new { Kept::New } else { Kept::Known })
    }

    /// Keeps what somebody said, to be answered by the box or here; says whether it is new.
    fn heard(&mut self, id: ItemId, heard: &Heard) -> Result<bool, ReadError> {
        let down = Down::Heard(Heard { asks: self.asks, ..heard.clone() });
        let is_new = self.put(id, heard.medium.as_str(), &down)?;
        let address = heard.from.phone.as_ref().map(|it| it.as_str());
        if is_new
            && self.asks
            && let Some(address) = address.or(heard.from.user.as_deref())
        {
            let row = TurnRow {
                id,
                number: self.line.last,
                peer: self.index.term(&peer_term(address)),
                turn: Turn::Open,
                received_at: self.now_ms,
                next_at: self.now_ms,
            };
            store::put_turn(self.tx, self.clinic, &row)?;
        }
        Ok(is_new)
    }

    /// Tells the box what was answered in its place; says whether it is new.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn put_answer(&mut self, answered: &Answered) -> Result<bool, ReadError> {
        let down = Down::Answered(Box::new(answered.clone()));
        self.put(item_id(&down), answered.heard.medium.as_str(), &down)
    }

    /// Somebody wrote, and may be answered freely for a day.
    fn note_sender(&self, heard: &Heard, channel: [u8; 16]) -> Result<(), ReadError> {
        let said_ms = heard.said_at.as_millisecond().min(self.now_ms);
        let phone = heard.from.phone.as_ref().map(|it| it.as_str());
        for address in [phone, heard.from.user.as_deref()].into_iter().flatten() {
            let peer = self.index.term(&peer_term(address));
            let wrote = Peer { channel, heard_at: said_ms };
            store::note_peer(self.tx, self.clinic, peer, wrote)?;
        }
        Ok(())
    }

    /// Keeps how a message fares, if it is further than it was; the box hears which message it is, if the hub sent
    /// it. Says whether it is news.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn delivery(&mut self, delivery: &Delivery) -> Result<bool, ReadError> {
        let (tx, clinic) = (self.tx, self.clinic);
        let known = store::message_out_called(tx, clinic, carrier_id(&delivery.provider_id))?;
        let known = match (known, delivery.message) {
            (None, Some(message)) => store::message_out_of(tx, clinic, *message.as_bytes())?,
            (known, _) => known,
        };
        self.fares(known, delivery)
    }

    /// The same of the message that is known to be meant, if it is one of the hub's.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn fares(&mut self, known: Option<ItemId>, delivery: &Delivery) -> Result<bool, ReadError> {
        let (tx, clinic) = (self.tx, self.clinic);
        let mut delivery = delivery.clone();
        if let Some(id) = known {
            let state = match &delivery.state {
                DeliveryState::Sent => OutState::Sent,
                DeliveryState::Delivered => OutState::Delivered,
                DeliveryState::Read => OutState::Read,
                DeliveryState::Failed { .. } => OutState::Failed,
            };
            if !delivery.provider_id.is_empty() {
                let called = carrier_id(&delivery.provider_id);
                store::name_message_out(tx, clinic, id, called)?;
            }
            if !store::move_message_out(tx, clinic, id, state)? {
                return Ok(false);
            }
            let message = store::message_out(tx, clinic, id)?.map(|it| it.message);
            delivery.message = message.map(MessageId::from_bytes).or(delivery.message);
        }
        self.tell(&delivery)
    }

    /// Tells the box how a message fares; says whether it is news.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn tell(&mut self, delivery: &Delivery) -> Result<bool, ReadError> {
        let down = Down::Delivery(delivery.clone());
        self.put(item_id(&down), delivery.medium.as_str(), &down)
    }

    /// Keeps something that is not kept; says whether it is new.
    fn put(&mut self, id: ItemId, medium: &str, down: &Down) -> Result<bool, ReadError> {
        if store::knows_message_in(self.tx, self.clinic, id)? {
            return Ok(false);
        }
        let mut plain = Zeroizing::new(down.write());
        if plain.len() > ITEM_BYTES_MAX {
            let Down::Heard(heard) = down else { return Ok(false) };
            // Longer than anybody's telephone writes; that something came is heard all the same.
            let said = Said::Unsupported { kind: "too-long".to_owned() };
            let from = Sender { name: None, ..heard.from.clone() };
            plain = Down::Heard(Heard { said, from, ..heard.clone() }).write().into();
        }
        let body = self.key.seal(&place_in(id), &plain)?;
        let message = MessageIn { id, medium: medium.to_owned(), body, media: None };
        store::put_message_in(self.tx, self.clinic, &mut self.line, &message, self.now_ms)?;
        Ok(true)
    }
}

/// Where a message that came is sealed: no record is called so, because types of FHIR have letters only.
pub fn place_in(id: ItemId) -> Vec<u8> {
    [&b"message in "[..], &id.0].concat()
}

/// Where a message that is to be said is sealed.
pub fn place_out(id: ItemId) -> Vec<u8> {
    [&b"message out "[..], &id.0].concat()
}

/// By what somebody is known again, as a term of the clinic's index.
pub fn peer_term(address: &str) -> String {
    format!("peer {address}")
}

/// A hash of what a provider calls a message.
pub fn carrier_id(id: &str) -> [u8; 16] {
    hash(&["carrier", id])
}

/// The id of what somebody said, by what whoever carried it calls it.
pub fn heard_id(medium: Medium, id: &str) -> ItemId {
    ItemId(hash(&["heard", medium.as_str(), id]))
}

/// The id of something that came: the same whenever it comes again.
fn item_id(down: &Down) -> ItemId {
    ItemId(match down {
        Down::Heard(heard) => return heard_id(heard.medium, &heard.id),
        Down::Answered(it) => hash(&["answered", it.heard.medium.as_str(), &it.heard.id]),
        Down::Webhook(webhook) => hash(&["webhook", &webhook.id]),
        Down::Part(part) => hash(&["part", &part.reference, &part.at.to_string()]),
        Down::Delivery(delivery) => {
            let state = match &delivery.state {
                DeliveryState::Sent => "sent",
                DeliveryState::Delivered => "delivered",
                DeliveryState::Read => "read",
                DeliveryState::Failed { .. } => "failed",
            };
            // What was refused before it had a name is known by the clinic's own.
            let message = delivery.message.map(|it| it.to_string()).unwrap_or_default();
            let unnamed = if delivery.provider_id.is_empty() { message.as_str() } else { "" };
            hash(&["delivery", delivery.medium.as_str(), &delivery.provider_id, unnamed, state])
        }
    })
}

/// The first half of a SHA-256 over words, each with its length before it.
pub(crate) fn hash(words: &[&str]) -> [u8; 16] {
    let mut hash = Context::new(&SHA256);
    for word in words {
        hash.update(&u64::try_from(word.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(word.as_bytes());
    }
    let hashed = hash.finish();
    let half = hashed.as_ref().first_chunk();
    *half.expect("invariant: a SHA-256 has 32 bytes")
}
