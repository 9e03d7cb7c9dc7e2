//! What boxes want shown or played: collected in parts until the message that it goes with, then handed over.
//!
//! Meta is given the bytes and answers an id, by which the message names them. Twilio fetches them from an address of
//! this hub that is good for [`LINK_MS`]: it is sealed by the clinic's key, so nobody makes one up or reads from it whose
//! picture it is.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use channels::heard::{MEDIA_BYTES_MAX, PART_BYTES_MAX, Part};
use channels::media_type;
use channels::say::{Say, Up};
use channels::whatsapp::{Outcome, Place, With};
use prm::content::Content;
use prm::id::MessageId;
use sync_protocol::relay::{Item, ItemId};
use tokio::time::timeout;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::arrivals::Keeping;
use crate::channel::Account;
use crate::hub::{Hub, ReadError};
use crate::say::Ready;
use crate::say::carry::{Carried, Carrier};
use crate::store::{self, MessageOut, PartOut, StoreError, Tx};

/// As many bytes of one clinic may lie here; parts beyond are not taken from its box.
pub const BYTES_MAX: u64 = 256 << 20;
/// So many go to providers at once; each may be as long as the longest picture.
pub const AT_ONCE_MAX: usize = 8;
/// How long one waits for its turn.
const TURN_MAX: Duration = Duration::from_secs(5);
/// A message waits so long for parts that did not come, in ms; those to the same person wait behind it.
pub const PARTS_WAIT_MS: i64 = 10 * 60_000;
/// How soon it is looked whether they have come, in ms.
const LOOK_AGAIN_MS: i64 = 2_000;
/// So long parts lie here whose message does not come or go, in ms: then it would be stale, too.
const KEPT_MS: i64 = crate::say::AGE_MS_MAX;
/// So long the address that Twilio is told is good, in ms.
pub const LINK_MS: i64 = 10 * 60_000;
/// Where Twilio fetches from, before the token.
pub const LINK_PATH: &str = "/v1/media/";
/// Clinics that are looked at in one round.
const CLINICS_MAX: u32 = 64;

/// Not all of what the message holds came from the box.
pub const MISSING: &str = "media_missing";
/// What the message holds is nothing that is shown or played.
pub const NOT_ALLOWED: &str = "media_not_allowed";
/// The provider fetches it from the hub, which does not know its own address (`--public-url`).
pub const NO_PUBLIC_URL: &str = "no_public_url";

/// Where a part is sealed.
fn place(id: ItemId) -> Vec<u8> {
    [&b"media out "[..], &id.0].concat()
}

/// Whether this is a part of a picture or sound.
pub fn is_part(item: &Item) -> bool {
    matches!(Up::read(&item.body), Ok(Up::Part(_)))
}

/// Whether no more parts are taken from the box of a clinic.
///
/// # Errors
/// [`StoreError`].
pub fn is_full(keeping: &Keeping<'_, '_>) -> Result<bool, StoreError> {
    Ok(store::parts_out_bytes(keeping.tx, keeping.clinic)? >= BYTES_MAX)
}

/// Keeps a part that came from the box. What is none is not kept: then its message does not go.
///
/// # Errors
/// [`ReadError`].
pub fn take(keeping: &Keeping<'_, '_>, id: ItemId, part: &Part) -> Result<(), ReadError> {
    let Part { reference, media_type: _, at, whole, bytes } = part;
    let (longest, most) = (MEDIA_BYTES_MAX as u64, PART_BYTES_MAX as u64);
    let length = whole.saturating_sub(*at).min(most);
    let is_sound = *whole <= longest
        && length > 0
        && at.is_multiple_of(most)
        && u64::try_from(bytes.len()) == Ok(length);
    let Some(message) = reference.parse::<MessageId>().ok().filter(|_| is_sound) else {
        tracing::warn!(clinic = %Uuid::from_bytes(keeping.clinic), "a part from a box was none");
        return Ok(());
    };
    let body = keeping.key.seal(&place(id), bytes)?;
    let message = *message.as_bytes();
    let part = PartOut { id, message, first: *at, whole: *whole, bytes: length, body };
    let forget_at = keeping.now_ms.saturating_add(KEPT_MS);
    Ok(store::put_part_out(keeping.tx, keeping.clinic, &part, forget_at)?)
}

/// Whether a message may go, as far as what it holds is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goes {
    /// All of it is here, or it holds nothing.
    Now,
    /// Not all of it is here yet; it is looked again at this time, in ms since 1970 UTC.
    At(i64),
    /// Never, by this code.
    Never(&'static str),
}

/// Whether a message may go by an account.
///
/// # Errors
/// [`StoreError`].
pub fn goes(
    keeping: &Keeping<'_, '_>,
    message: &MessageOut,
    (say, account): (&Say, &Account),
    has_public_url: bool,
) -> Result<Goes, StoreError> {
    let (tx, now_ms) = (keeping.tx, keeping.now_ms);
    if !is_with_media(say) {
        return Ok(Goes::Now);
    }
    if is_fetched(account) && !has_public_url {
        return Ok(Goes::Never(NO_PUBLIC_URL));
    }
    Ok(if store::has_parts_out(tx, keeping.clinic, *say.message.as_bytes())? {
        Goes::Now
    } else if now_ms.saturating_sub(message.taken_at) < PARTS_WAIT_MS {
        Goes::At(now_ms.saturating_add(LOOK_AGAIN_MS))
    } else {
        Goes::Never(MISSING)
    })
}

fn is_with_media(say: &Say) -> bool {
    match &say.content {
        Content::Media { media: _, media_type: _, caption: _ } => true,
        Content::Text { .. }
        | Content::Choices { .. }
        | Content::Chosen { .. }
        | Content::Template { .. }
        | Content::Unsupported { .. } => false,
    }
}

/// Whether the provider fetches what goes with a message.
fn is_fetched(account: &Account) -> bool {
    match account {
        Account::Twilio { .. } => true,
        Account::Meta { .. } | Account::VoiceAgent { secrets: _ } => false,
    }
}

/// A message is over: what went with it is kept for as long only as its provider may fetch it.
///
/// # Errors
/// [`StoreError`].
pub fn settle(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    (say, sent_by): (&Say, Option<&Account>),
    now_ms: i64,
) -> Result<(), StoreError> {
    if !is_with_media(say) {
        return Ok(());
    }
    let longer = if sent_by.is_some_and(is_fetched) { LINK_MS } else { 0 };
    store::end_parts_out(tx, clinic, *say.message.as_bytes(), now_ms.saturating_add(longer))
}

/// What goes with a message, as far as it is here.
///
/// # Errors
/// [`ReadError`].
pub fn whole(
    hub: &Hub,
    clinic: [u8; 16],
    message: [u8; 16],
) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    let now_ms = hub.clock.now_ms();
    let found = hub.store.read(clinic, |tx| -> Result<_, StoreError> {
        let parts = store::parts_out(tx, clinic, message, now_ms)?;
        Ok(store::clinic(tx, clinic)?.map(|of| (of, parts)))
    })?;
    let mut whole = Zeroizing::new(Vec::new());
    let Some((of, parts)) = found else { return Ok(whole) };
    let key = hub.key_of(&of)?;
    for (id, body) in parts {
        whole.extend_from_slice(&key.open(&place(id), &body)?);
    }
    Ok(whole)
}

/// Says a message, with what goes with it if something does.
pub async fn carry(
    hub: &Arc<Hub>,
    carrier: &Carrier,
    ready: &Ready,
    told_at: Option<&str>,
) -> Carried {
    let Ready { clinic, id: _, say, channel, tries: _ } = ready;
    let account = &channel.account;
    let Content::Media { media, media_type: _, caption } = &say.content else {
        return carrier.carry(account, say, told_at).await;
    };
    let Ok(Ok(_turn)) = timeout(TURN_MAX, hub.media.going.acquire()).await else {
        return Carried::NotReached;
    };
    let (at_work, of) = (Arc::clone(hub), (*clinic, *say.message.as_bytes()));
    let looked = tokio::task::spawn_blocking(move || {
        Ok::<_, ReadError>((whole(&at_work, of.0, of.1)?, link(&at_work, of.0, of.1)?))
    });
    let (whole, link) = match looked.await {
        Ok(Ok(looked)) => looked,
        Ok(Err(error)) => {
            tracing::error!(%error, message = %say.message, "what goes with a message cannot be read");
            return Carried::NotReached;
        }
        Err(error) => {
            tracing::error!(%error, "a task of the hub failed");
            return Carried::NotReached;
        }
    };
    let Some(found) = media_type::of(&whole) else {
        return Carried::Answered(Outcome::Refused { code: NOT_ALLOWED.to_owned() });
    };
    let (media, caption) = (*media, caption.clone());
    let content = Content::Media { media, media_type: found.to_owned(), caption };
    let say = &Say { content, ..say.clone() };
    let with = |media| With { media: Some(media), template: None, told_at };
    if is_fetched(account) {
        let Some(link) = link else {
            return Carried::Answered(Outcome::Refused { code: NO_PUBLIC_URL.to_owned() });
        };
        return carrier.carry_with(account, say, with(Place::Link(&link))).await;
    }
    match carrier.hand_over(account, found, &whole).await {
        Carried::Answered(Outcome::Accepted(called)) => {
            carrier.carry_with(account, say, with(Place::Id(&called))).await
        }
        // Nobody was told anything yet, whatever became of the bytes.
        Carried::Unknown => Carried::NotReached,
        other @ (Carried::Answered(_) | Carried::NotWritable | Carried::NotReached) => other,
    }
}

/// The address from which a provider fetches what goes with a message; none if the hub does not know its own.
fn link(hub: &Hub, clinic: [u8; 16], message: [u8; 16]) -> Result<Option<String>, ReadError> {
    let Some(public_url) = &hub.public_url else { return Ok(None) };
    let read = |tx: &Tx<'_>| store::clinic(tx, clinic);
    let Some(of) = hub.store.read(clinic, read)? else { return Ok(None) };
    let until = hub.clock.now_ms().saturating_add(LINK_MS);
    let said = [&message[..], &until.to_be_bytes()].concat();
    let sealed = hub.key_of(&of)?.seal(LINK_PATH.as_bytes(), &said)?;
    let token = URL_SAFE_NO_PAD.encode([&clinic[..], &sealed].concat());
    Ok(Some(format!("{public_url}{LINK_PATH}{token}")))
}

/// What a provider fetches by this token; none if it is none, or is over, or nothing is there any more.
///
/// # Errors
/// [`ReadError`].
pub fn linked(hub: &Hub, token: &str) -> Result<Option<Zeroizing<Vec<u8>>>, ReadError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
    let Some((clinic, sealed)) = bytes.split_first_chunk::<16>() else { return Ok(None) };
    let read = |tx: &Tx<'_>| store::clinic(tx, *clinic);
    let Some(of) = hub.store.read(*clinic, read)? else { return Ok(None) };
    let Ok(said) = hub.key_of(&of)?.open(LINK_PATH.as_bytes(), sealed) else { return Ok(None) };
    let Some((message, until)) = said.split_first_chunk::<16>() else { return Ok(None) };
    let until = until.first_chunk().map_or(0, |it| i64::from_be_bytes(*it));
    if until <= hub.clock.now_ms() {
        return Ok(None);
    }
    Ok(Some(whole(hub, *clinic, *message)?).filter(|it| !it.is_empty()))
}

/// Forgets what no message needs any more.
pub async fn forget(hub: &Arc<Hub>) {
    let at_work = Arc::clone(hub);
    match tokio::task::spawn_blocking(move || forget_now(&at_work)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "pictures and sounds could not be forgotten"),
        Err(error) => tracing::error!(%error, "a task of the hub failed"),
    }
}

fn forget_now(hub: &Hub) -> Result<(), StoreError> {
    let now_ms = hub.clock.now_ms();
    let look = |tx: &Tx<'_>| store::clinics_with_media_over(tx, now_ms, CLINICS_MAX);
    for clinic in hub.store.survey(look)? {
        hub.store.write(clinic, |tx| store::forget_parts_out(tx, clinic, now_ms))?;
    }
    Ok(())
}
