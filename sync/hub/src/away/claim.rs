//! Which message is answered here next: written down before anything is done for it.

use channels::away::Facts;
use channels::heard::{Down, Heard};
use sync_protocol::relay::answerer::{How, Sight, Turn, claim, is_away};

use super::{Kept, kept, place_facts};
use crate::arrivals::place_in;
use crate::hub::{Hub, ReadError};
use crate::store::{self, StoreError, TurnRow, Tx};
use crate::vault::ClinicKey;

/// Nobody else goes on with what is claimed for so long, in ms.
pub const CLAIM_MS: i64 = 60_000;
/// What came longer ago is left to the box, which says that it was heard late; in ms, as at the box.
const ANSWERED_WITHIN_MS: i64 = 12 * 3_600_000;
/// What could not be answered for so long is only said to be there, in ms: those that came after it wait for it.
const GIVEN_UP_MS: i64 = 10 * 60_000;
/// Messages that are looked at.
const OPEN_MAX: u32 = 200;

/// A message that is to be answered now.
pub(super) struct Claimed {
    pub(super) row: TurnRow,
    pub(super) how: How,
    pub(super) heard: Heard,
    pub(super) facts: Facts,
    /// The number of the last message in the dialogue, and how it stands.
    pub(super) stands: (u64, Kept),
}

/// Claims the next message of a clinic, or goes on with one that was claimed; none if nothing is to be answered here now.
pub(super) fn next(hub: &Hub, clinic: [u8; 16]) -> Result<Option<Claimed>, ReadError> {
    let now_ms = hub.clock.now_ms();
    hub.store.write(clinic, |tx| {
        let Some(of) = store::clinic(tx, clinic)? else { return Ok(None) };
        let Some(told) = store::reception_facts(tx, clinic)? else { return Ok(None) };
        let Some(enrolled) = store::enrolled(tx, clinic)? else { return Ok(None) };
        let sight = Sight {
            heard_ms: told.heard_at.max(hub.away.began_ms),
            gone_ms: hub.away.gone_ms((clinic, enrolled.id)),
            answered_ms: hub.away.answered_ms(clinic),
        };
        let key = hub.key_of(&of)?;
        let facts = key.open(&place_facts(clinic), &told.body)?;
        let facts: Facts =
            serde_json::from_slice(&facts).map_err(|_| StoreError::Damaged("facts of a clinic"))?;
        if !facts.answers {
            return Ok(None);
        }
        let Some((row, how)) = claimable(tx, clinic, sight, now_ms)? else { return Ok(None) };
        store::move_turn(tx, clinic, row.id, (Turn::Claimed, now_ms.saturating_add(CLAIM_MS)))?;
        let heard = heard(tx, &key, clinic, &row)?;
        let stands = kept(tx, &key, (clinic, row.peer), now_ms)?;
        Ok(Some(Claimed { row, how, heard, facts, stands }))
    })
}

/// The first that may be claimed, and how it is answered.
fn claimable(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    sight: Sight,
    now_ms: i64,
) -> Result<Option<(TurnRow, How)>, StoreError> {
    for row in store::turns_open(tx, clinic, OPEN_MAX)? {
        let age_ms = now_ms.saturating_sub(row.received_at);
        let may = match row.turn {
            Turn::Claimed => row.next_at <= now_ms,
            Turn::Open => is_away(sight, row.received_at, now_ms) && age_ms < ANSWERED_WITHIN_MS,
            Turn::Box | Turn::Done | Turn::Answered | Turn::Noted => false,
        };
        if !may {
            continue;
        }
        let before = store::turns_before(tx, clinic, &row)?;
        if let Some(how) = claim(&before, Turn::Open) {
            let is_given_up = row.turn == Turn::Claimed && age_ms >= GIVEN_UP_MS;
            return Ok(Some((row, if is_given_up { How::Note } else { how })));
        }
    }
    Ok(None)
}

/// What was heard.
fn heard(
    tx: &Tx<'_>,
    key: &ClinicKey,
    clinic: [u8; 16],
    row: &TurnRow,
) -> Result<Heard, ReadError> {
    let damaged = || StoreError::Damaged("a message that came");
    let body = store::message_in_body(tx, clinic, row.id)?.ok_or_else(damaged)?;
    match Down::read(&key.open(&place_in(row.id), &body)?) {
        Ok(Down::Heard(heard)) => Ok(heard),
        Ok(Down::Delivery(_) | Down::Webhook(_) | Down::Part(_) | Down::Answered(_)) | Err(_) => {
            Err(damaged().into())
        }
    }
}
