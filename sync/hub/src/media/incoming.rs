//! What people send: fetched after the webhook was accepted, and cut into parts for the box.
//!
//! A claim moves on when something is tried next, so that of several hubs one fetches it; a hub that ends in
//! between leaves it to another. Parts have ids of their own, made of the message that named them: those that are
//! there when it is fetched again are not put in again.
//!
//! When the box has a part, its bytes are forgotten. If the box was put back from a copy that does not have it,
//! it is fetched again, as long as the provider has it.

use std::sync::Arc;

use channels::heard::{Down, Heard, Missing, Part, Said};
use channels::media_type;
use sync_protocol::relay::{ITEM_BYTES_MAX, ItemId, KEPT_MS};
use uuid::Uuid;

use super::fetch::{Fetched, Fetcher};
use crate::arrivals::{self, Keeping, WAITING_BYTES_MAX, place_in};
use crate::channel::{self, Channel};
use crate::hub::{Hub, ReadError};
use crate::message_counts::MessageCounts;
use crate::store::{self, MediaIn, MessageIn, StoreError, Tx};

/// As much of one clinic may wait to be fetched; messages beyond are not taken.
pub const WAITING_MAX: u32 = 10_000;
/// What a provider did not hand out for so long is gone, in ms: Meta keeps what people send for seven days.
pub const AGE_MS_MAX: i64 = 6 * 24 * 3_600_000;
/// Nobody else fetches something for so long, in ms: longer than it can take.
pub const CLAIM_MS: i64 = 5 * 60_000;
/// The pause after the first try, in ms; it doubles, ...
const PAUSE_MS: i64 = 2_000;
/// ... up to this.
const PAUSE_MS_MAX: i64 = 3_600_000;
/// Clinics that are looked at in one round.
const CLINICS_MAX: u32 = 64;
/// Parts that are written at once: what else is to be written does not wait for more.
const PARTS_AT_ONCE: usize = 2;

/// Something that is to be fetched now.
#[derive(Clone, Debug)]
pub struct Job {
    /// Of which clinic.
    pub clinic: [u8; 16],
    /// The id of the message that named it.
    pub id: ItemId,
    /// The account by which that came, if the clinic has it still.
    pub channel: Option<Channel>,
    /// By what the provider knows it.
    reference: String,
    /// Since when it is to be fetched, in ms since 1970 UTC.
    pub since: i64,
    /// The how manyeth try it is.
    pub tries: u32,
}

fn place(id: ItemId) -> Vec<u8> {
    [&b"media in "[..], &id.0].concat()
}

/// The id of a part: the same whenever it is fetched again.
fn part_id(of: ItemId, at: u64) -> ItemId {
    ItemId(arrivals::hash(&["media", &Uuid::from_bytes(of.0).to_string(), &at.to_string()]))
}

/// By what a provider knows what a message holds, if it holds something.
fn reference(heard: &Heard) -> Option<&str> {
    match &heard.said {
        Said::Media { reference, .. } => Some(reference),
        Said::Text(_) | Said::Chosen { .. } | Said::Location { .. } | Said::Unsupported { .. } => {
            None
        }
    }
}

/// Whether this names something that is to be fetched.
pub fn is_named_by(down: &Down) -> bool {
    match down {
        Down::Heard(heard) => reference(heard).is_some(),
        Down::Delivery(_) | Down::Webhook(_) | Down::Part(_) | Down::Answered(_) => false,
    }
}

/// Whether what a message holds, if anything, may wait to be fetched.
///
/// # Errors
/// [`StoreError`].
pub fn has_room(keeping: &Keeping<'_, '_>, heard: &Heard) -> Result<bool, StoreError> {
    if reference(heard).is_none() {
        return Ok(true);
    }
    let waiting = store::count_media_in(keeping.tx, keeping.clinic, WAITING_MAX)?;
    Ok(waiting < u64::from(WAITING_MAX))
}

/// Notes that what a message holds is to be fetched, in the transaction that keeps the message.
///
/// # Errors
/// [`ReadError`].
pub fn note(
    keeping: &Keeping<'_, '_>,
    id: ItemId,
    (channel, heard): ([u8; 16], &Heard),
) -> Result<(), ReadError> {
    let Some(reference) = reference(heard) else { return Ok(()) };
    let body = keeping.key.seal(&place(id), reference.as_bytes())?;
    let media = MediaIn { id, channel, body, since: keeping.now_ms, tries: 0 };
    Ok(store::note_media_in(keeping.tx, keeping.clinic, &media)?)
}

/// The box has these parts now: their bytes are kept no longer.
///
/// # Errors
/// [`ReadError`].
pub fn forget(keeping: &Keeping<'_, '_>, parts: &[ItemId]) -> Result<(), ReadError> {
    for id in parts {
        let nothing = keeping.key.seal(&place_in(*id), b"")?;
        store::forget_part_in(keeping.tx, keeping.clinic, *id, &nothing)?;
    }
    Ok(())
}

/// Takes what is to be fetched now, at most so much.
pub async fn claim(hub: &Arc<Hub>, most: usize) -> Vec<Job> {
    if most == 0 {
        return Vec::new();
    }
    let at_work = Arc::clone(hub);
    match tokio::task::spawn_blocking(move || claim_now(&at_work, most)).await {
        Ok(Ok(jobs)) => jobs,
        Ok(Err(error)) => {
            tracing::error!(%error, "what is to be fetched could not be looked at");
            Vec::new()
        }
        Err(error) => {
            tracing::error!(%error, "a task of the hub failed");
            Vec::new()
        }
    }
}

fn claim_now(hub: &Hub, most: usize) -> Result<Vec<Job>, ReadError> {
    let now_ms = hub.clock.now_ms();
    let look = |tx: &Tx<'_>| store::clinics_with_media_due(tx, now_ms, CLINICS_MAX);
    let mut jobs = Vec::new();
    for clinic in hub.store.survey(look)? {
        let room = u32::try_from(most.saturating_sub(jobs.len())).unwrap_or(u32::MAX);
        if room == 0 {
            break;
        }
        jobs.extend(hub.store.write(clinic, |tx| of_clinic(hub, tx, clinic, room))?);
    }
    Ok(jobs)
}

fn of_clinic(hub: &Hub, tx: &Tx<'_>, clinic: [u8; 16], room: u32) -> Result<Vec<Job>, ReadError> {
    let now_ms = hub.clock.now_ms();
    let Some(of) = store::clinic(tx, clinic)? else { return Ok(Vec::new()) };
    let until_ms = now_ms.saturating_add(CLAIM_MS);
    let claimed = store::claim_media_in(tx, clinic, (now_ms, until_ms), room)?;
    if claimed.is_empty() {
        return Ok(Vec::new());
    }
    let (channels, key) = (channel::all_of(hub, tx, &of)?, hub.key_of(&of)?);
    let job = |media: MediaIn| {
        let MediaIn { id, channel, body, since, tries } = media;
        let plain = key.open(&place(id), &body)?;
        let damaged = |_| StoreError::Damaged("what is to be fetched");
        let reference = String::from_utf8(plain.to_vec()).map_err(damaged)?;
        let channel = channels.iter().find(|it| it.id == channel).cloned();
        Ok(Job { clinic, id, channel, reference, since, tries })
    };
    claimed.into_iter().map(job).collect()
}

/// Fetches something once, and writes what came of it.
pub async fn fetch(hub: Arc<Hub>, fetcher: Arc<Fetcher>, job: Job) {
    let fetched = fetch_once(&fetcher, &job).await;
    let (id, clinic) = (Uuid::from_bytes(job.id.0), Uuid::from_bytes(job.clinic));
    let at_work = Arc::clone(&hub);
    match tokio::task::spawn_blocking(move || write(&at_work, &job, fetched)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::error!(%error, message = %id, %clinic, "what was fetched could not be written");
        }
        Err(error) => tracing::error!(%error, "a task of the hub failed"),
    }
}

/// Fetches something once.
pub async fn fetch_once(fetcher: &Fetcher, job: &Job) -> Fetched {
    match &job.channel {
        Some(channel) => fetcher.fetch(&channel.account, &job.reference).await,
        // With the account went what it could be asked with.
        None => Fetched::Never(Missing::Gone),
    }
}

/// Writes what came of a try.
///
/// # Errors
/// [`ReadError`]; then it is tried again when its claim is over.
pub fn write(hub: &Hub, job: &Job, fetched: Fetched) -> Result<(), ReadError> {
    let parts = match fetched {
        Fetched::Whole(whole) => match media_type::of(&whole) {
            Some(found) => Part::of(&job.reference, found, &whole),
            None => vec![Part::none(&job.reference, Missing::NotAllowed)],
        },
        Fetched::Never(why) => vec![Part::none(&job.reference, why)],
        Fetched::Later { code: _ } if hub.clock.now_ms().saturating_sub(job.since) > AGE_MS_MAX => {
            vec![Part::none(&job.reference, Missing::Gone)]
        }
        Fetched::Later { code } => return put_off(hub, job, &code),
    };
    for parts in parts.chunks(PARTS_AT_ONCE) {
        if !put(hub, job, parts)? {
            return put_off(hub, job, "full");
        }
    }
    let why = parts.iter().find_map(Part::missing);
    if let Some(why) = why {
        let (message, clinic) = (Uuid::from_bytes(job.id.0), Uuid::from_bytes(job.clinic));
        tracing::warn!(%message, %clinic, code = why.as_str(), "what a message holds does not come");
    }
    let counts = &hub.messages;
    MessageCounts::count(if why.is_none() { &counts.media_fetched } else { &counts.media_missing });
    hub.store.write(job.clinic, |tx| -> Result<(), ReadError> {
        store::cut_media_in(tx, job.clinic, job.id)?;
        let long_ago = hub.clock.now_ms().saturating_sub(KEPT_MS);
        Ok(store::forget_media_in(tx, job.clinic, long_ago)?)
    })
}

/// Puts parts among what goes to the box, as far as they are not there; says whether there was room.
///
/// # Errors
/// [`ReadError`].
pub fn put(hub: &Hub, job: &Job, parts: &[Part]) -> Result<bool, ReadError> {
    let Job { clinic, id: of, channel: _, reference: _, since: _, tries: _ } = job;
    let had_room = hub.store.write(*clinic, |tx| {
        let Some(found) = store::clinic(tx, *clinic)? else { return Ok(true) };
        let mut keeping = Keeping::begin(hub, tx, &found)?;
        for part in parts {
            let id = part_id(*of, part.at);
            if store::knows_message_in(tx, *clinic, id)? {
                continue;
            }
            let plain = Down::Part(part.clone()).write();
            if plain.len() > ITEM_BYTES_MAX {
                // What is called by so long a word was not told to the box, either.
                continue;
            }
            if keeping.line.waiting_bytes >= WAITING_BYTES_MAX {
                return Ok(false);
            }
            let body = keeping.key.seal(&place_in(id), &plain)?;
            let media = Some(of.0);
            let message = MessageIn { id, medium: "part".to_owned(), body, media };
            store::put_message_in(tx, *clinic, &mut keeping.line, &message, keeping.now_ms)?;
        }
        store::put_message_line(tx, *clinic, &keeping.line)?;
        Ok::<_, ReadError>(true)
    })?;
    hub.relay.wake(*clinic);
    Ok(had_room)
}

fn put_off(hub: &Hub, job: &Job, code: &str) -> Result<(), ReadError> {
    let (message, clinic) = (Uuid::from_bytes(job.id.0), Uuid::from_bytes(job.clinic));
    let tries = job.tries;
    tracing::warn!(%message, %clinic, code, tries, "what a message holds is fetched again later");
    MessageCounts::count(&hub.messages.media_put_off);
    let pause = PAUSE_MS.saturating_mul(1 << tries.saturating_sub(1).min(20)).min(PAUSE_MS_MAX);
    let next_at = hub.clock.now_ms().saturating_add(pause);
    hub.store.write(job.clinic, |tx| -> Result<(), ReadError> {
        Ok(store::put_off_media_in(tx, job.clinic, job.id, next_at)?)
    })
}
