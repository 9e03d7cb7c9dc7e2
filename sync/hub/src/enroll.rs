//! A box joins: a code that a person carried, in exchange for each other's keys.

use sync_protocol::envelope::{SealingKey, VerifyingKey};
use sync_protocol::ledger::{Extent, Ledger};
use sync_protocol::lineage::LogId;
use sync_protocol::loan::Generation;
use sync_protocol::restore::OnHeld;
use uuid::Uuid;

use crate::code;
use crate::hub::{Counts, Hub};
use crate::store::{self, Enrolled, StoreError};

/// What a box asks with.
#[derive(Clone, Debug)]
pub struct Asking {
    /// The code, as a person wrote it.
    pub code: String,
    /// The key that it will sign with.
    pub sign: VerifyingKey,
    /// The key that receipts are to be sealed for.
    pub seal: SealingKey,
    /// What its hardware calls itself.
    pub hardware: String,
    /// Its name.
    pub name: String,
    /// The log that it will tell; none if that is not made yet.
    pub log: Option<LogId>,
    /// What becomes of what another log told.
    pub on_held: OnHeld,
}

/// A box that has joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The clinic's id.
    pub clinic: [u8; 16],
    /// The clinic's name at the hub.
    pub clinic_name: String,
    /// The box's id.
    pub box_id: [u8; 16],
    /// The generation that is heard now. A new log gets the next; the receipt says so.
    pub generation: Generation,
    /// No box of this clinic was ever heard: there are no loans of which this one would have to learn.
    pub fresh: bool,
}

/// Why a box may not join.
#[derive(Debug, thiserror::Error)]
pub enum NotJoined {
    /// Not a code of this hub, used, or expired: all alike.
    #[error(
        "the code is not known, was used, or has expired; ask for a new one (carepost-hub clinic code NAME)"
    )]
    Code,
    /// The hardware is another clinic's box.
    #[error(
        "this hardware is the box of another clinic; ask whoever runs the hub to take it out there first"
    )]
    Hardware,
    /// The box of another clinic signs with this key.
    #[error("these keys are those of another clinic's box; make new ones and enrol again")]
    Keys,
    /// Another log told what is held, and nobody said what becomes of it.
    #[error(
        "the hub holds records of this clinic that this box may not have; take them back first with `carepost enroll --replace`, or let the hub forget what this box does not have with `carepost enroll --forget-held`. The code is still good"
    )]
    Held,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Lets a box join. Asked again by the same box with the same code, it answers the same: the first
/// answer may have been lost on the way.
///
/// # Errors
/// [`NotJoined`].
pub fn enroll(hub: &Hub, asking: &Asking) -> Result<Joined, NotJoined> {
    let now_ms = hub.clock.now_ms();
    let hash = code::hash(&asking.code).ok_or(NotJoined::Code)?;
    let owner = hub.store.survey(|tx| store::code_owner(tx, hash))?.ok_or(NotJoined::Code)?;
    let joined = hub.store.write(owner, |tx| {
        let code = store::code(tx, owner, hash)?.filter(|it| now_ms < it.expires_at);
        let code = code.ok_or(NotJoined::Code)?;
        let clinic = store::clinic(tx, owner)?.ok_or(NotJoined::Code)?;
        let before = store::enrolled(tx, clinic.id)?;
        if let Some(used_by) = code.used_by {
            let same = before.filter(|it| is_same(it, asking) && used_by == asking.sign);
            return same.map(|it| joined(&it, clinic.name)).ok_or(NotJoined::Code);
        }
        let is_others = |owner: Option<[u8; 16]>| owner.is_some_and(|it| it != clinic.id);
        if is_others(store::owner_of_hardware(tx, &asking.hardware)?) {
            return Err(NotJoined::Hardware);
        }
        if is_others(store::owner_of_key(tx, &asking.sign)?) {
            return Err(NotJoined::Keys);
        }
        let own = before.as_ref().and_then(|it| it.ledger.as_ref());
        if asking.on_held == OnHeld::Refuse && own.is_some_and(|it| holds_of_another(it, asking)) {
            return Err(NotJoined::Held);
        }
        let enrolled = taking_over(before, clinic.id, asking, now_ms);
        store::put_enrolled(tx, &enrolled)?;
        store::use_code(tx, owner, hash, &asking.sign, now_ms)?;
        Ok(joined(&enrolled, clinic.name))
    })?;
    Counts::count(&hub.counts.enrolled);
    Ok(joined)
}

/// Whether something is held that the log of the box did not tell.
fn holds_of_another(ledger: &Ledger, asking: &Asking) -> bool {
    ledger.extent != Extent::Nothing && !tells(ledger, asking)
}

/// Whether the log that the box will tell is the one that is listened to.
fn tells(ledger: &Ledger, asking: &Asking) -> bool {
    !ledger.quarantined && asking.log == Some(ledger.lineage.log)
}

/// The box of the clinic from now on: what is held of its log stays, the keys are new.
fn taking_over(
    before: Option<Enrolled>,
    clinic: [u8; 16],
    asking: &Asking,
    now_ms: i64,
) -> Enrolled {
    // A log that is listened to needs no leave to begin; what it said before may still be under way.
    let goes_on =
        before.as_ref().and_then(|it| it.ledger.as_ref()).is_some_and(|it| tells(it, asking));
    let (id, ledger, statement, heard_at) = match before {
        Some(before) => (before.id, before.ledger, before.statement, before.heard_at),
        None => (Uuid::new_v4().into_bytes(), None, 0, None),
    };
    Enrolled {
        clinic,
        id,
        hardware: asking.hardware.clone(),
        name: asking.name.clone(),
        sign: asking.sign,
        seal: asking.seal,
        enrolled_at: now_ms,
        revoked_at: None,
        may_begin: !goes_on,
        ledger,
        statement,
        heard_at,
    }
}

fn is_same(enrolled: &Enrolled, asking: &Asking) -> bool {
    enrolled.sign == asking.sign
        && enrolled.seal == asking.seal
        && enrolled.hardware == asking.hardware
        && enrolled.revoked_at.is_none()
}

fn joined(enrolled: &Enrolled, clinic_name: String) -> Joined {
    let generation = enrolled.ledger.as_ref().map_or(Generation(1), |it| it.lineage.generation);
    let fresh = enrolled.ledger.is_none();
    Joined { clinic: enrolled.clinic, clinic_name, box_id: enrolled.id, generation, fresh }
}
