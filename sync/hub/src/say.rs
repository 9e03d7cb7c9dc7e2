//! What boxes want said goes to providers, and how it fares goes back.
//!
//! ```text
//!   message_out, waiting ─► claim ─► carry: one request to the provider ─► accepted: sent, and the box is told
//!            ▲                 │                                         ├─► later: waits on, longer each time
//!            │ nobody else     │                                         ├─► refused: failed, and the box is told
//!            └─ for a while ───┘                                         └─► nobody knows: waits for its webhook
//! ```
//!
//! A claim moves on when a message is tried next, so that of several hubs one tries it; a hub that ends in between
//! leaves it to another. If a provider may have taken a message and its answer was lost, it is not asked again at
//! once: the provider's webhook names the message, and mostly comes first.
//!
//! Invariant: to one person one message goes after the other, in the order in which the box handed them over.
//! Invariant: what is stale, or may not be said freely, never goes; the box hears why by a code.
//! Invariant: no text, number or name is in a log or an error; ids and codes only.

pub mod carry;

use std::sync::Arc;
use std::time::Duration;

use channels::heard::{Delivery, DeliveryState};
use channels::say::{Address, Say, Up};
use channels::whatsapp::Outcome;
use jiff::Timestamp;
use prm::content::Content;
use prm::medium::Medium;
use sync_protocol::relay::ItemId;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use self::carry::{Carried, Carrier};
use crate::arrivals::{Keeping, peer_term, place_out};
use crate::channel::{self, Channel};
use crate::hub::{Hub, ReadError};
use crate::media::outgoing::{self, Goes};
use crate::message_counts::MessageCounts;
use crate::store::{self, MessageOut, Peer, StoreError, Tx};

/// Requests to providers that are on their way at once.
pub const AT_ONCE_MAX: usize = 32;
/// Messages of one clinic that are taken at once, so that others have their turn.
const OF_CLINIC_MAX: u32 = 8;
/// Clinics that are looked at in one round.
const CLINICS_MAX: u32 = 64;
/// As often is a message tried: for about a quarter of an hour.
pub const TRIES_MAX: u32 = 10;
/// The pause after the first try, in ms; it doubles, ...
const PAUSE_MS: i64 = 1_000;
/// ... up to this.
const PAUSE_MS_MAX: i64 = 5 * 60_000;
/// Nobody else tries a message for so long; and if nobody knows what became of a try, this is the pause, in ms.
pub const CLAIM_MS: i64 = 60_000;
/// A person has to mend the account: the pause, in ms.
const LOCKED_MS: i64 = 60_000;
/// What was written longer ago than this is not said any more, in ms.
pub const AGE_MS_MAX: i64 = 24 * 3_600_000;
/// For so long after somebody wrote anything may be answered by WhatsApp, in ms.
pub const WINDOW_MS: i64 = 24 * 3_600_000;
/// How soon what another process took is found.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Nothing was written by WhatsApp for a day: only an approved template may go.
pub const OUTSIDE_WINDOW: &str = "outside_window";
/// The clinic has no account for this medium.
pub const NO_CHANNEL: &str = "no_channel";
/// It would come too late.
pub const STALE: &str = "stale";
/// The account's provider cannot carry it.
pub const NOT_WRITABLE: &str = "not_writable";
/// It is of a later version than this hub.
pub const NOT_KNOWN: &str = "not_known";

/// A message that is to be tried now.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Of which clinic.
    pub clinic: [u8; 16],
    /// Its id on the way.
    pub id: ItemId,
    /// What is said.
    pub say: Say,
    /// By which account.
    pub channel: Channel,
    /// The how manyeth try it is.
    pub tries: u32,
}

/// Says what is to be said until `stopping` says true.
pub async fn run(hub: Arc<Hub>, carrier: Carrier, mut stopping: watch::Receiver<bool>) {
    let carrier = Arc::new(carrier);
    let mut carrying = JoinSet::new();
    loop {
        let free = AT_ONCE_MAX - carrying.len();
        for ready in claim(&hub, free).await {
            carrying.spawn(say(Arc::clone(&hub), Arc::clone(&carrier), ready));
        }
        tokio::select! {
            _ = stopping.wait_for(|it| *it) => break,
            Some(_) = carrying.join_next() => {}
            () = hub.relay.saying_woken(), if carrying.len() < AT_ONCE_MAX => {}
            () = sleep(LOOK_AGAIN) => {}
        }
    }
    // What is on its way is finished, or tried again by whoever comes next.
    let _ =
        timeout(carry::ANSWER_TIME_MAX, async { while carrying.join_next().await.is_some() {} })
            .await;
}

/// Takes messages that are to be tried now, at most so many.
pub async fn claim(hub: &Arc<Hub>, most: usize) -> Vec<Ready> {
    if most == 0 {
        return Vec::new();
    }
    let at_work = Arc::clone(hub);
    let claimed = tokio::task::spawn_blocking(move || claim_now(&at_work, most)).await;
    match claimed {
        Ok(Ok(ready)) => ready,
        Ok(Err(error)) => {
            tracing::error!(%error, "what is to be said could not be looked at");
            Vec::new()
        }
        Err(error) => {
            tracing::error!(%error, "a task of the hub failed");
            Vec::new()
        }
    }
}

fn claim_now(hub: &Hub, most: usize) -> Result<Vec<Ready>, ReadError> {
    let now_ms = hub.clock.now_ms();
    let look = |tx: &Tx<'_>| store::clinics_with_messages_due(tx, now_ms, CLINICS_MAX);
    let mut ready = Vec::new();
    for clinic in hub.store.survey(look)? {
        let room = u32::try_from(most.saturating_sub(ready.len())).unwrap_or(OF_CLINIC_MAX);
        if room == 0 {
            break;
        }
        let (found, told) = hub.store.write(clinic, |tx| of_clinic(hub, tx, clinic, room))?;
        MessageCounts::add(&hub.messages.failed, told);
        if told > 0 {
            hub.relay.wake(clinic);
        }
        ready.extend(found);
    }
    Ok(ready)
}

/// The messages of a clinic that are to be tried now; and of how many its box is told that they do not go.
fn of_clinic(
    hub: &Hub,
    tx: &Tx<'_>,
    clinic: [u8; 16],
    room: u32,
) -> Result<(Vec<Ready>, usize), ReadError> {
    let now_ms = hub.clock.now_ms();
    let Some(of) = store::clinic(tx, clinic)? else { return Ok((Vec::new(), 0)) };
    let until_ms = now_ms.saturating_add(CLAIM_MS);
    let claimed =
        store::claim_messages_out(tx, clinic, (now_ms, until_ms), room.min(OF_CLINIC_MAX))?;
    if claimed.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let channels = channel::all_of(hub, tx, &of)?;
    let mut keeping = Keeping::begin(hub, tx, &of)?;
    let (mut ready, mut failed) = (Vec::new(), 0);
    for message in claimed {
        let plain = match &message.body {
            Some(body) => keeping.key.open(&place_out(message.id), body)?,
            None => return Err(StoreError::Damaged("a message to be said").into()),
        };
        let Ok(Up::Say(say)) = Up::read(&plain) else {
            return Err(StoreError::Damaged("a message to be said").into());
        };
        let (id, tries) = (message.id, message.tries);
        let channel = account_for(&keeping, &channels, &message, &say)?;
        let goes = match &channel {
            Ok(Channel { account, .. }) => {
                outgoing::goes(&keeping, &message, (&say, account), hub.public_url.is_some())?
            }
            Err(code) => Goes::Never(code),
        };
        match (goes, channel) {
            (Goes::Now, Ok(channel)) => ready.push(Ready { clinic, id, say, channel, tries }),
            (Goes::At(next_at), Ok(_)) => store::hold_back(tx, clinic, id, next_at)?,
            (Goes::Never(code), _) | (Goes::Now | Goes::At(_), Err(code)) => {
                outgoing::settle(tx, clinic, (&say, None), now_ms)?;
                let state = DeliveryState::Failed { code: code.to_owned(), permanent: true };
                keeping.delivery(&delivery(&say, "", state, now_ms))?;
                failed += 1;
            }
        }
    }
    store::put_message_line(tx, clinic, &keeping.line)?;
    Ok((ready, failed))
}

/// By which account a message goes; or by which code it does not.
fn account_for(
    keeping: &Keeping<'_, '_>,
    channels: &[Channel],
    message: &MessageOut,
    say: &Say,
) -> Result<Result<Channel, &'static str>, StoreError> {
    let now_ms = keeping.now_ms;
    let is_over = say.not_after_ms.is_some_and(|end| end < now_ms);
    let is_old = written_at(say).is_some_and(|at| now_ms.saturating_sub(at) > AGE_MS_MAX)
        || now_ms.saturating_sub(message.taken_at) > AGE_MS_MAX;
    if is_over || is_old {
        return Ok(Err(STALE));
    }
    let fitting = channels.iter().filter(|it| it.account.medium() == Some(say.medium));
    let address = match &say.to {
        Address::Phone(phone) => phone.as_str(),
        Address::User(user) => user,
    };
    let peer = store::peer(keeping.tx, keeping.clinic, keeping.index.term(&peer_term(address)))?;
    // Who wrote to one number is answered from it.
    let wrote_to = |it: &&Channel| peer.is_some_and(|peer| peer.channel == it.id);
    let Some(channel) = fitting.clone().find(wrote_to).or(fitting.clone().next()) else {
        return Ok(Err(NO_CHANNEL));
    };
    let is_free = match (&say.content, say.medium) {
        (Content::Template { .. }, _) => true,
        (_, Medium::Whatsapp) => peer.is_some_and(|Peer { channel: wrote_to, heard_at }| {
            wrote_to == channel.id && now_ms.saturating_sub(heard_at) < WINDOW_MS
        }),
        (_, Medium::Sms | Medium::Voice | Medium::VoiceAgent | Medium::Email) => true,
    };
    Ok(if is_free { Ok(channel.clone()) } else { Err(OUTSIDE_WINDOW) })
}

/// When a message was written: its id says so (UUID version 7, RFC 9562).
fn written_at(say: &Say) -> Option<i64> {
    let (seconds, nanos) = say.message.uuid().get_timestamp()?.to_unix();
    let ms = i64::try_from(seconds).ok()?.checked_mul(1000)?;
    ms.checked_add(i64::from(nanos / 1_000_000))
}

fn delivery(say: &Say, provider_id: &str, state: DeliveryState, now_ms: i64) -> Delivery {
    Delivery {
        message: Some(say.message),
        medium: say.medium,
        provider_id: provider_id.to_owned(),
        state,
        at: Timestamp::from_millisecond(now_ms).unwrap_or_default(),
    }
}

/// Tries a message once, and writes what came of it.
async fn say(hub: Arc<Hub>, carrier: Arc<Carrier>, ready: Ready) {
    let told_at = hub.public_url.as_ref().map(|it| format!("{it}{}", crate::http::TWILIO));
    let carried = outgoing::carry(&hub, &carrier, &ready, told_at.as_deref()).await;
    let (message, clinic) = (ready.say.message, Uuid::from_bytes(ready.clinic));
    let at_work = Arc::clone(&hub);
    let written = tokio::task::spawn_blocking(move || write(&at_work, &ready, &carried)).await;
    match written {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::error!(%error, %message, %clinic, "what came of a message could not be written");
        }
        Err(error) => tracing::error!(%error, "a task of the hub failed"),
    }
}

/// Writes what came of a try.
///
/// # Errors
/// [`ReadError`]; then it is tried again when its claim is over.
pub fn write(hub: &Hub, ready: &Ready, carried: &Carried) -> Result<(), ReadError> {
    let Ready { clinic, id, say, channel, tries } = ready;
    let now_ms = hub.clock.now_ms();
    let failed = |code: &str, permanent| {
        let state = DeliveryState::Failed { code: code.to_owned(), permanent };
        Err(delivery(say, "", state, now_ms))
    };
    let last = *tries >= TRIES_MAX;
    // Until when it waits; or what the box is told.
    let (code, became) = match carried {
        Carried::Answered(Outcome::Accepted(called)) => {
            ("", Err(delivery(say, called, DeliveryState::Sent, now_ms)))
        }
        Carried::Answered(Outcome::Refused { code }) => (code.as_str(), failed(code, true)),
        Carried::NotWritable => (NOT_WRITABLE, failed(NOT_WRITABLE, true)),
        Carried::Answered(Outcome::Later { code, .. } | Outcome::Locked { code }) if last => {
            (code.as_str(), failed(code, false))
        }
        Carried::NotReached | Carried::Unknown if last => {
            ("unreachable", failed("unreachable", false))
        }
        Carried::Answered(Outcome::Later { code, after_seconds }) => {
            let asked = after_seconds.and_then(|it| i64::try_from(it).ok()).unwrap_or(0);
            let asked = asked.saturating_mul(1000).min(PAUSE_MS_MAX);
            (code.as_str(), Ok(pause_ms(*tries).max(asked)))
        }
        Carried::Answered(Outcome::Locked { code }) => {
            (code.as_str(), Ok(pause_ms(*tries).max(LOCKED_MS)))
        }
        Carried::NotReached => ("unreachable", Ok(pause_ms(*tries))),
        Carried::Unknown => ("no_answer", Ok(pause_ms(*tries).max(CLAIM_MS))),
    };
    let (message, of) = (say.message, Uuid::from_bytes(*clinic));
    match became {
        Ok(pause_ms) => {
            MessageCounts::count(&hub.messages.put_off);
            tracing::warn!(%message, clinic = %of, code, tries, "a message is tried again later");
            let next_at = now_ms.saturating_add(pause_ms);
            hub.store.write(*clinic, |tx| store::put_off(tx, *clinic, *id, next_at))?;
        }
        Err(told) => {
            let is_sent = told.state == DeliveryState::Sent;
            MessageCounts::count(if is_sent { &hub.messages.sent } else { &hub.messages.failed });
            if !is_sent {
                tracing::warn!(%message, clinic = %of, code, tries, "a message does not go");
            }
            hub.store.write(*clinic, |tx| -> Result<(), ReadError> {
                let Some(of) = store::clinic(tx, *clinic)? else { return Ok(()) };
                let mut keeping = Keeping::begin(hub, tx, &of)?;
                keeping.fares(Some(*id), &told)?;
                let sent_by = is_sent.then_some(&channel.account);
                outgoing::settle(tx, *clinic, (say, sent_by), now_ms)?;
                Ok(store::put_message_line(tx, *clinic, &keeping.line)?)
            })?;
            hub.relay.wake(*clinic);
            // The next one to the same person waited for this one.
            hub.relay.wake_saying();
        }
    }
    Ok(())
}

/// The pause after so many tries, in ms.
fn pause_ms(tries: u32) -> i64 {
    PAUSE_MS.saturating_mul(1 << tries.saturating_sub(1).min(20)).min(PAUSE_MS_MAX)
}
