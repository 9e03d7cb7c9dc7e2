//! Reception at the hub: while the box of a clinic is away, who writes is answered here, as far as the clinic allows.
//!
//! ```text
//!   box ── Facts, and how each dialogue stands ──► kept, sealed
//!   message that came ── open ──┬─ the box asks whose it is ──► the box's, with the dialogue
//!                               └─ it is away ──► claimed ──► reception ──┬─ look, do: what is known and lent here
//!                                                                         └─ said, and told to the box, in one commit
//! ```
//!
//! Who answers is decided by `sync_protocol::relay::answerer`, in the transaction that writes it down. A hub that ends
//! between its claim and its answer is followed by another, or by itself: what is sold has its id from the message, so
//! that it is sold once.
//!
//! Invariant: what is said, what the box is told of it, and how the dialogue stands are one transaction.
//! Invariant: nothing is said in the name of a clinic whose box did not say what may be ([`channels::away::Facts`]).
//! Invariant: nothing is booked here but what the box has lent ([`crate::booking`]).

mod act;
mod answer;
mod claim;
mod facts;
mod look;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use channels::away::{Facts, Stood};
use serde::{Deserialize, Serialize};
use sync_protocol::relay::ItemId;
use sync_protocol::relay::answerer::{
    Asked, DIALOGUE_BYTES_MAX, DIALOGUES_BYTES_MAX, Turn, Yours, ask, goes_along,
};
use tokio::sync::watch;
use tokio::time::sleep;
use uuid::Uuid;
use zeroize::Zeroizing;

pub use self::claim::CLAIM_MS;
use crate::arrivals::{Keeping, heard_id};
use crate::hub::{Hub, ReadError};
use crate::store::{self, DialogueRow, FactsRow, StoreError, Tx};
use crate::vault::ClinicKey;

/// How soon it is found that something is to be answered here.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// What came within this, in ms, is with a box that is there before it is looked at here.
pub const MOMENT_MS: i64 = 1_000;
/// Clinics that are looked at in one round.
const CLINICS_MAX: u32 = 256;
/// Messages of one clinic that are answered before others have their turn.
const OF_CLINIC_MAX: usize = 16;
/// A dialogue is forgotten after this long, in ms, as at the box.
pub const DIALOGUE_KEPT_MS: i64 = 24 * 3_600_000;
/// As many boxes are remembered to be gone.
const GONE_MAX: usize = 100_000;

/// A clinic and a box of it.
type OfClinic = ([u8; 16], [u8; 16]);

/// What this process knows of boxes that are away.
pub struct Away {
    /// Since when it is told that a box is gone, in ms since 1970 UTC, by clinic and box.
    gone: Mutex<HashMap<OfClinic, i64>>,
    /// When this process began to listen, in ms since 1970 UTC.
    began_ms: i64,
    /// When something was last answered in the place of a box, in ms since 1970 UTC, by clinic.
    answered: Mutex<HashMap<[u8; 16], i64>>,
}

impl Away {
    /// Of a process that begins to listen now.
    pub fn begin(now_ms: i64) -> Self {
        Self { gone: Mutex::default(), began_ms: now_ms, answered: Mutex::default() }
    }

    /// The broker tells whether a box is connected.
    pub fn note(&self, of: OfClinic, is_there: bool, now_ms: i64) {
        let mut gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        if is_there {
            gone.remove(&of);
        } else if gone.len() < GONE_MAX {
            gone.entry(of).or_insert(now_ms);
        }
    }

    /// Something was answered in the place of a box.
    fn answered(&self, clinic: [u8; 16], now_ms: i64) {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        if answered.len() >= GONE_MAX {
            answered.clear();
        }
        answered.insert(clinic, now_ms);
    }

    fn answered_ms(&self, clinic: [u8; 16]) -> Option<i64> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner).get(&clinic).copied()
    }

    fn gone_ms(&self, of: OfClinic) -> Option<i64> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).get(&of).copied()
    }
}

/// What is kept of the dialogue with somebody.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Kept {
    /// As reception writes it; none if nothing is under way.
    dialogue: Option<String>,
    /// Whether people have the conversation, as far as is known.
    desk: bool,
    /// When it was last said only that a message is there, in ms since 1970 UTC.
    #[serde(default)]
    noted_at: Option<i64>,
    /// When something was answered here, the last hour, in ms since 1970 UTC.
    #[serde(default)]
    answered_at: Vec<i64>,
    /// When something was sold here, the last day, in ms since 1970 UTC.
    #[serde(default)]
    sold_at: Vec<i64>,
}

/// Where the facts of a clinic are sealed.
fn place_facts(clinic: [u8; 16]) -> Vec<u8> {
    [&b"facts "[..], &clinic].concat()
}

/// Where the dialogue with somebody is sealed.
fn place_dialogue(peer: [u8; 16]) -> Vec<u8> {
    [&b"dialogue "[..], &peer].concat()
}

/// Keeps what a clinic lets its hub say.
///
/// # Errors
/// [`ReadError`].
pub fn told(keeping: &Keeping<'_, '_>, facts: &Facts) -> Result<(), ReadError> {
    let plain = serde_json::to_vec(facts).map_err(|_| StoreError::Damaged("facts of a clinic"))?;
    let body = keeping.key.seal(&place_facts(keeping.clinic), &plain)?;
    let row = FactsRow { body, told_at: facts.at_ms, heard_at: keeping.now_ms };
    Ok(store::put_reception_facts(keeping.tx, keeping.clinic, &row)?)
}

/// The box is through with a message: keeps how the dialogue stands.
///
/// # Errors
/// [`ReadError`].
pub fn stood(keeping: &Keeping<'_, '_>, stood: Stood) -> Result<(), ReadError> {
    let (tx, clinic) = (keeping.tx, keeping.clinic);
    let id = heard_id(stood.medium, &stood.id);
    let Some(row) = store::turn(tx, clinic, id)? else { return Ok(()) };
    store::end_turns(tx, clinic, &row)?;
    let dialogue = stood.dialogue.filter(|it| it.len() <= DIALOGUE_BYTES_MAX);
    let kept = Kept { dialogue, desk: stood.desk, ..Kept::default() };
    keep(tx, &keeping.key, (clinic, row.peer), (row.number, &kept), keeping.now_ms)
}

/// Answers a box that asks whose some messages are.
///
/// # Errors
/// [`ReadError`].
pub fn whose(keeping: &Keeping<'_, '_>, ids: &[ItemId]) -> Result<Vec<Yours>, ReadError> {
    let (tx, clinic, now_ms) = (keeping.tx, keeping.clinic, keeping.now_ms);
    let mut yours = Vec::new();
    let mut bytes = 0;
    for id in ids {
        let row = store::turn(tx, clinic, *id)?;
        let before = row.as_ref().map(|it| store::turns_before(tx, clinic, it)).transpose()?;
        let before = before.unwrap_or_default();
        let asked = ask(&before, row.as_ref().map(|it| it.turn));
        if asked == Asked::Nothing {
            continue;
        }
        let mut dialogue = None;
        if let Some(row) = &row
            && goes_along(&before)
        {
            let (_, kept) = kept(tx, &keeping.key, (clinic, row.peer), now_ms)?;
            dialogue = kept.dialogue.map(String::into_bytes);
        }
        bytes += dialogue.as_ref().map_or(0, Vec::len);
        if bytes > DIALOGUES_BYTES_MAX {
            // It is asked again.
            break;
        }
        if asked == Asked::Given {
            store::move_turn(tx, clinic, *id, (Turn::Box, now_ms))?;
        }
        yours.push(Yours { id: *id, dialogue });
    }
    Ok(yours)
}

/// How the dialogue with somebody stands, and of after which message; as before the first word if it is too old.
fn kept(
    tx: &Tx<'_>,
    key: &ClinicKey,
    (clinic, peer): ([u8; 16], [u8; 16]),
    now_ms: i64,
) -> Result<(u64, Kept), ReadError> {
    let Some(row) = store::dialogue(tx, clinic, peer)? else { return Ok((0, Kept::default())) };
    if now_ms.saturating_sub(row.changed_at) >= DIALOGUE_KEPT_MS {
        return Ok((row.number, Kept::default()));
    }
    let plain = key.open(&place_dialogue(peer), &row.body)?;
    let kept = serde_json::from_slice(&plain).map_err(|_| StoreError::Damaged("a dialogue"))?;
    Ok((row.number, kept))
}

fn keep(
    tx: &Tx<'_>,
    key: &ClinicKey,
    (clinic, peer): ([u8; 16], [u8; 16]),
    (number, kept): (u64, &Kept),
    now_ms: i64,
) -> Result<(), ReadError> {
    let plain = serde_json::to_vec(kept).map_err(|_| StoreError::Damaged("a dialogue"))?;
    let body = key.seal(&place_dialogue(peer), &Zeroizing::new(plain))?;
    let row = DialogueRow { number, body, changed_at: now_ms };
    Ok(store::put_dialogue(tx, clinic, peer, &row)?)
}

/// Answers what is to be answered here, until `stopping` says true.
pub async fn run(hub: Arc<Hub>, mut stopping: watch::Receiver<bool>) {
    loop {
        let at_work = Arc::clone(&hub);
        match tokio::task::spawn_blocking(move || answer_due(&at_work)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, "what is to be answered could not be looked at")
            }
            Err(error) => tracing::error!(%error, "a task of the hub failed"),
        }
        tokio::select! {
            _ = stopping.wait_for(|it| *it) => return,
            () = sleep(LOOK_AGAIN) => {}
        }
    }
}

/// Answers what is to be answered here now; how many messages that were.
///
/// # Errors
/// [`ReadError`].
pub fn answer_due(hub: &Hub) -> Result<usize, ReadError> {
    let now_ms = hub.clock.now_ms();
    let before_ms = now_ms.saturating_sub(MOMENT_MS);
    let clinics = hub.store.survey(|tx| store::clinics_with_turns(tx, before_ms, CLINICS_MAX))?;
    let mut answered = 0;
    for clinic in clinics {
        for _ in 0..OF_CLINIC_MAX {
            let Some(claimed) = claim::next(hub, clinic)? else { break };
            let message = Uuid::from_bytes(claimed.row.id.0);
            match answer::answer(hub, clinic, claimed) {
                Ok(()) => {
                    answered += 1;
                    hub.away.answered(clinic, now_ms);
                }
                // Its claim ends, and it is tried again; those of others go on.
                Err(error) => {
                    let clinic = Uuid::from_bytes(clinic);
                    tracing::error!(%error, %clinic, %message, "a message could not be answered here");
                }
            }
        }
    }
    Ok(answered)
}
