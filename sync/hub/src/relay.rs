//! Messages between the hub and the boxes of clinics, sealed, by way of a broker: what came goes down, what is
//! to be said comes up. When what is sent, and what it means that the other end has something, is said by
//! `sync_protocol::relay`; the rows are in the database, so that several hubs may do this beside each other.
//!
//! ```text
//!   webhook ─► arrivals ─► message_in ─► due ──► envelope ──► broker ──► box
//!   box ──► broker ──► envelope ──► take ──► message_out ─► say ──► provider
//!                                     └──► answer: what it has, and what is due
//! ```
//!
//! Invariant: what a box is told that the hub has was committed.
//! Invariant: only the living box of a clinic is heard, and only for it anything is sealed.

pub mod link;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use channels::heard::{Delivery, DeliveryState};
use channels::relay::Publication;
use channels::relay::topic::Topic;
use channels::say::{Address, Up};
use jiff::Timestamp;
use prm::id::MessageId;
use prm::medium::Medium;
use sync_protocol::lineage::LogId;
use sync_protocol::relay::{self, Batch, IDS_KEPT_MS, In, Item, ItemId, Out};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::arrivals::{Keeping, peer_term, place_in, place_out};
use crate::away;
use crate::hub::{Hub, ReadError};
use crate::media::{incoming, outgoing};
use crate::receive::Refused;
use crate::say::NOT_KNOWN;
use crate::sealed::{self, Opened};
use crate::store::{self, Clinic, Enrolled, MessageOut, OutState, StoreError, Tx};

/// Messages of one clinic that may wait to be said; more are not taken from its box.
pub const OUT_WAITING_MAX: u32 = 10_000;
/// Within this a box has connected once, also if several hubs hear of it.
const RENEWED_MS: i64 = 5_000;
/// What the broker does not get rid of within this is said again anyway, in seconds.
const EXPIRY_SECONDS: u32 = 600;

/// Which box of a clinic was last heard of, and whether it is connected.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    device: [u8; 16],
    is_there: bool,
}

/// What this process knows of the boxes to which messages go.
#[derive(Default)]
pub struct Relay {
    /// By clinic.
    there: Mutex<HashMap<[u8; 16], Seen>>,
    woken: Mutex<HashSet<[u8; 16]>>,
    /// Something is there for a box.
    down: Notify,
    /// Something is there to be said.
    up: Notify,
    connected: std::sync::atomic::AtomicBool,
    has_broker: std::sync::atomic::AtomicBool,
}

impl Relay {
    /// Something was put in for the box of a clinic, and committed.
    pub fn wake(&self, clinic: [u8; 16]) {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner).insert(clinic);
        self.down.notify_one();
    }

    /// Something was taken that is to be said, and committed.
    pub fn wake_saying(&self) {
        self.up.notify_one();
    }

    /// Waits until something is to be said.
    pub async fn saying_woken(&self) {
        self.up.notified().await;
    }

    /// Whether there is a connection to the broker; none if no broker was named.
    pub fn is_connected(&self) -> Option<bool> {
        let order = std::sync::atomic::Ordering::Relaxed;
        self.has_broker.load(order).then(|| self.connected.load(order))
    }

    /// The clinics for whose boxes something was put in since this was asked last.
    fn woken(&self) -> HashSet<[u8; 16]> {
        std::mem::take(&mut *self.woken.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The box that is connected for a clinic.
    fn box_of(&self, clinic: [u8; 16]) -> Option<[u8; 16]> {
        let there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        there.get(&clinic).filter(|seen| seen.is_there).map(|seen| seen.device)
    }

    /// The broker tells that a box is connected, or not any more; says whether that is news.
    fn note(&self, clinic: [u8; 16], device: [u8; 16], is_there: bool) -> bool {
        let mut there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        // That a box of before is away says nothing of the one that took its place.
        if !is_there && there.get(&clinic).is_some_and(|seen| seen.device != device) {
            return false;
        }
        let seen = Seen { device, is_there };
        there.insert(clinic, seen) != Some(seen)
    }

    /// A box spoke. That it is connected follows only if the broker has not told: the last that it says as it leaves may be
    /// taken in after the word that it left.
    fn spoke(&self, clinic: [u8; 16], device: [u8; 16]) {
        let mut there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        if there.get(&clinic).is_none_or(|seen| seen.device != device) {
            there.insert(clinic, Seen { device, is_there: true });
        }
    }

    /// The connection to the broker is gone, and nobody knows who is connected.
    fn forget(&self) {
        self.there.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// What goes to a box now.
#[derive(Debug)]
pub struct Goes {
    /// The envelope.
    pub publication: Publication,
    /// How many messages it holds.
    pub items: usize,
    /// More could go at once.
    pub more: bool,
}

/// Takes the messages that are due for the box of a clinic, sealed for it; none if nothing is due or there is no
/// box that could read it. `has_connected` says that what was sent before went to another connection, of the box or
/// of this hub; then the box is asked, so that it says again what nobody may have heard.
///
/// # Errors
/// [`Refused`].
pub fn due(hub: &Hub, clinic: [u8; 16], has_connected: bool) -> Result<Option<Goes>, Refused> {
    let now_ms = hub.clock.now_ms();
    let looked = hub.store.read(clinic, |tx| -> Result<_, StoreError> {
        let Some(enrolled) = store::enrolled(tx, clinic)? else { return Ok(None) };
        let rows = store::messages_waiting(tx, clinic)?;
        let is_due = !relay::next(&rows, now_ms).send.is_empty();
        let may = is_due || has_connected;
        Ok(log_of(&enrolled).filter(|_| may).map(|log| (enrolled, log)))
    })?;
    let Some((enrolled, log)) = looked else { return Ok(None) };
    let (batch, more) = hub.store.write(clinic, |tx| {
        let of = store::clinic(tx, clinic)?.ok_or(Refused::Unrecognised)?;
        if has_connected {
            let mut line = store::message_line(tx, clinic)?;
            let since = now_ms.saturating_sub(line.renewed_at);
            // Another hub may have heard of the same connection.
            if !(0..RENEWED_MS).contains(&since) {
                store::renew_messages_in(tx, clinic)?;
                line.renewed_at = now_ms;
                store::put_message_line(tx, clinic, &line)?;
            }
        }
        let (items, more) = claimed(hub, tx, &of, now_ms)?;
        Ok::<_, Refused>((Batch { items, ask: has_connected, ..Batch::default() }, more))
    })?;
    sealed_for(hub, &enrolled, log, batch, more)
}

/// The log of a box that may be spoken to.
fn log_of(enrolled: &Enrolled) -> Option<LogId> {
    let ledger = enrolled.ledger.as_ref().filter(|it| !it.quarantined)?;
    enrolled.revoked_at.is_none().then_some(ledger.lineage.log)
}

/// The messages that are due, opened, and noted as sent; and whether more are.
fn claimed(hub: &Hub, tx: &Tx<'_>, of: &Clinic, now_ms: i64) -> Result<(Vec<Item>, bool), Refused> {
    let rows = store::messages_waiting(tx, of.id)?;
    let next = relay::next(&rows, now_ms);
    let key = hub.key_of(of)?;
    let sent = store::send_messages_in(tx, of.id, &next.send, now_ms)?;
    let mut items = Vec::with_capacity(sent.len());
    for message in sent {
        let body = key.open(&place_in(message.id), &message.body)?.to_vec();
        items.push(Item { id: message.id, body });
    }
    Ok((items, next.more))
}

fn sealed_for(
    hub: &Hub,
    to: &Enrolled,
    log: LogId,
    batch: Batch,
    more: bool,
) -> Result<Option<Goes>, Refused> {
    if batch == Batch::default() {
        return Ok(None);
    }
    let items = batch.items.len();
    let payload = sealed::seal(hub, to, (log, 0), &In(batch))?;
    let topic = Topic::messages_in(Uuid::from_bytes(to.clinic), Uuid::from_bytes(to.id));
    let expires_after_seconds = Some(EXPIRY_SECONDS);
    Ok(Some(Goes {
        publication: Publication { topic, payload, expires_after_seconds },
        items,
        more,
    }))
}

/// What was taken from a box.
#[derive(Debug)]
pub struct Took {
    /// Of which clinic.
    pub clinic: [u8; 16],
    /// Which box of it.
    pub device: [u8; 16],
    /// What it is answered.
    pub answer: Option<Goes>,
    /// How many messages are new.
    pub fresh: usize,
}

/// Takes in an envelope of a box, in one transaction, and answers it.
///
/// # Errors
/// [`Refused`]; then nothing was taken.
pub fn take(hub: &Hub, envelope: &[u8]) -> Result<Took, Refused> {
    let Opened { body: Out(batch), place, from, clinic } = sealed::open::<Out>(hub, envelope)?;
    let (clinic, log, now_ms) = (clinic.id, place.log, hub.clock.now_ms());
    let (answer, more, fresh) = hub.store.write(clinic, |tx| {
        // Another life may have begun since the envelope was opened.
        let enrolled = store::still_enrolled(tx, &from)?.ok_or(Refused::Unrecognised)?;
        enrolled.living(log).ok_or(Refused::NotLiving)?;
        let of = store::clinic(tx, clinic)?.ok_or(Refused::Unrecognised)?;
        let mut keeping = Keeping::begin(hub, tx, &of)?;
        hear(&mut keeping, &batch)?;
        store::note_heard(tx, clinic, now_ms)?;
        let asked = batch.whose.as_deref().unwrap_or_default();
        let taken = take_items(&mut keeping, &batch.items)?;
        let yours = away::whose(&keeping, asked)?;
        store::put_message_line(tx, clinic, &keeping.line)?;
        store::forget_messages_out(tx, clinic, now_ms.saturating_sub(IDS_KEPT_MS))?;
        let (items, more) = claimed(hub, tx, &of, now_ms)?;
        let said = batch.ask.then_some(keeping.line.taken);
        let yours = (!yours.is_empty()).then_some(yours);
        let answer = Batch { items, have: taken.have, taken: said, yours, ..Batch::default() };
        Ok::<_, Refused>((answer, more, taken.fresh.len()))
    })?;
    let answer = sealed_for(hub, &from, log, answer, more)?;
    Ok(Took { clinic, device: from.id, answer, fresh })
}

/// What the box says of what went down.
fn hear(keeping: &mut Keeping<'_, '_>, batch: &Batch) -> Result<(), ReadError> {
    let (tx, clinic) = (keeping.tx, keeping.clinic);
    let numbers: Vec<u64> = batch.have.iter().map(|it| it.number).collect();
    let noted = store::messages_noted(tx, clinic, &numbers)?;
    let heard = relay::hear(batch, |number| noted.get(&number).copied());
    if let Some(from) = heard.lost_from {
        store::lose_media_in(tx, clinic, from, keeping.now_ms)?;
        store::lose_messages_in(tx, clinic, &mut keeping.line, from)?;
    }
    let parts = store::had_messages_in(tx, clinic, &mut keeping.line, &heard.had, keeping.now_ms)?;
    incoming::forget(keeping, &parts)
}

/// What the box wants said: what is new, as far as there is room.
fn take_items(keeping: &mut Keeping<'_, '_>, items: &[Item]) -> Result<relay::Taken, ReadError> {
    let (tx, clinic) = (keeping.tx, keeping.clinic);
    let waiting = store::count_messages_out(tx, clinic, OUT_WAITING_MAX)?;
    let mut room = u64::from(OUT_WAITING_MAX).saturating_sub(waiting);
    let is_full = outgoing::is_full(keeping)?;
    let mut known = HashMap::new();
    let mut welcome = Vec::with_capacity(items.len());
    for item in items {
        match store::number_of_message_out(tx, clinic, item.id)? {
            Some(number) => {
                known.insert(item.id, number);
            }
            None if room == 0 || (is_full && outgoing::is_part(item)) => continue,
            None => room -= 1,
        }
        welcome.push(item.clone());
    }
    let taken = relay::take(keeping.line.taken, &welcome, |id| known.get(&id).copied());
    for (at, number) in &taken.fresh {
        if let Some(item) = welcome.get(*at) {
            take_item(keeping, item, *number)?;
        }
    }
    keeping.line.taken = taken.taken;
    Ok(taken)
}

fn take_item(keeping: &mut Keeping<'_, '_>, item: &Item, number: u64) -> Result<(), ReadError> {
    let (tx, clinic, now_ms) = (keeping.tx, keeping.clinic, keeping.now_ms);
    let say = match Up::read(&item.body) {
        Ok(Up::Say(say)) => Some(say),
        Ok(Up::Part(part)) => {
            took(keeping, item.id, number)?;
            return outgoing::take(keeping, item.id, &part);
        }
        Ok(Up::Facts(facts)) => {
            away::told(keeping, &facts)?;
            return took(keeping, item.id, number);
        }
        Ok(Up::Stood(stood)) => {
            away::stood(keeping, stood)?;
            return took(keeping, item.id, number);
        }
        Err(_) => None,
    };
    let Some(say) = say else {
        let message = row(item.id, item.id.0, Medium::Whatsapp, OutState::Failed, now_ms);
        store::put_message_out(tx, clinic, &message, number)?;
        return tell_failed(keeping, item.id, NOT_KNOWN);
    };
    let address = match &say.to {
        Address::Phone(phone) => phone.as_str(),
        Address::User(user) => user,
    };
    let message = MessageOut {
        peer: keeping.index.term(&peer_term(address)),
        body: Some(keeping.key.seal(&place_out(item.id), &item.body)?),
        ..row(item.id, *say.message.as_bytes(), say.medium, OutState::Waiting, now_ms)
    };
    Ok(store::put_message_out(tx, clinic, &message, number)?)
}

/// Notes that something was taken that is not to be said to anybody, so that it is taken once.
fn took(keeping: &Keeping<'_, '_>, id: ItemId, number: u64) -> Result<(), ReadError> {
    let message = row(id, id.0, Medium::Whatsapp, OutState::Sent, keeping.now_ms);
    Ok(store::put_message_out(keeping.tx, keeping.clinic, &message, number)?)
}

fn row(id: ItemId, message: [u8; 16], medium: Medium, state: OutState, now_ms: i64) -> MessageOut {
    MessageOut {
        id,
        message,
        medium: medium.as_str().to_owned(),
        peer: [0; 16],
        body: None,
        taken_at: now_ms,
        state,
        next_at: now_ms,
        tries: 0,
    }
}

fn tell_failed(keeping: &mut Keeping<'_, '_>, id: ItemId, code: &str) -> Result<(), ReadError> {
    let at = Timestamp::from_millisecond(keeping.now_ms).unwrap_or_default();
    let delivery = Delivery {
        message: Some(MessageId::from_bytes(id.0)),
        medium: Medium::Whatsapp,
        provider_id: String::new(),
        state: DeliveryState::Failed { code: code.to_owned(), permanent: true },
        at,
    };
    keeping.tell(&delivery)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_box_says_as_it_leaves_does_not_bring_it_back() {
        let (clinic, device, other) = ([1; 16], [2; 16], [3; 16]);
        let relay = Relay::default();
        // The broker has told nothing yet.
        relay.spoke(clinic, device);
        assert_eq!(relay.box_of(clinic), Some(device));
        assert!(!relay.note(clinic, device, true));
        assert!(relay.note(clinic, device, false));
        relay.spoke(clinic, device);
        assert_eq!(relay.box_of(clinic), None);
        assert!(relay.note(clinic, device, true));
        // Another took its place, and is not away because the one before is.
        relay.spoke(clinic, other);
        assert!(!relay.note(clinic, device, false));
        assert_eq!(relay.box_of(clinic), Some(other));
        relay.forget();
        assert_eq!(relay.box_of(clinic), None);
    }
}
