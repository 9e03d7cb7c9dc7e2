//! What people do about loans: they see them, ask a slot back, take it, or scan what a patient shows.

use jiff::Timestamp;
use prm::db::{Read, Tx};
use prm::error::{Code, Error, Result};
use prm::hub;
use prm::id::{AppointmentId, LoanId};
use prm::loan::{self, Confirmation, Filter, LIST_MAX, Loan};
use prm::stamp::{Right, Role, Stamp};
use prm::{appointment, contact};
use sync_protocol::envelope::VerifyingKey;
use sync_protocol::loan::clock::{BoxTime, wait_left_ms};
use sync_protocol::loan::{Generation, Holder, Standing, ToBox};
use sync_protocol::qr::Sold;
use sync_protocol::wire::SlotKey;

use super::apply::{Applied, apply, hear};
use super::state;

/// How a loan that is away stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The hub has not said yet that it knows.
    Granted,
    /// The hub may sell it.
    Held,
    /// The hub was asked to give it back.
    Recalled,
    /// It was sold, as far as is known.
    Sold,
    /// The hub was restored and cannot say whether it was sold.
    Unknown,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Granted, Self::Held, Self::Recalled, Self::Sold, Self::Unknown];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Held => "held",
            Self::Recalled => "recalled",
            Self::Sold => "sold",
            Self::Unknown => "unknown",
        }
    }
}

/// A loan that is away, as people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// How it stands.
    pub status: Status,
    /// Until when the hub sells it, by its own clock.
    pub sell_until: Timestamp,
    /// In how many seconds a person may take it without the hub.
    pub override_in_seconds: u64,
}

/// What is to be seen of a loan; nothing if it is not away.
///
/// # Errors
/// If the row is damaged.
pub fn shown(loan: &Loan, at: BoxTime) -> Result<Option<Shown>> {
    let Holder::Away(away) = state::kept(loan)?.holder else { return Ok(None) };
    let status = if away.sale.is_some() {
        Status::Sold
    } else if away.forgotten {
        Status::Unknown
    } else if away.recalled {
        Status::Recalled
    } else if away.taken {
        Status::Held
    } else {
        Status::Granted
    };
    let sell_until = Timestamp::from_millisecond(away.terms.sell_until_ms);
    Ok(Some(Shown {
        status,
        sell_until: sell_until.unwrap_or(Timestamp::UNIX_EPOCH),
        override_in_seconds: wait_left_ms(away.lent, away.terms.term_ms, at).div_ceil(1000),
    }))
}

/// Asks the hub for a slot; it is free here when the hub has answered.
///
/// # Errors
/// *Not lent* if it is here.
pub fn recall(tx: &mut Tx<'_>, stamp: &Stamp, id: LoanId) -> Result<Loan> {
    stamp.needs(Right::Book)?;
    ask_back(tx, stamp, id)
}

/// The same by the box itself.
pub(super) fn ask_back(tx: &mut Tx<'_>, stamp: &Stamp, id: LoanId) -> Result<Loan> {
    let row = loan::get(tx, stamp, id)?;
    let before = state::lender(tx, stamp, &row)?;
    let after = before.recall().map_err(|refusal| state::refused(refusal, row.slot))?;
    if after == before {
        return Ok(row);
    }
    let row = loan::put(tx, stamp, "recall", &row, state::next(&after))?;
    loan::note(tx, stamp, "recall", &row, None)
}

/// Slots that are asked back at once.
const RECALLED_MAX: u32 = 500;

/// What came of asking for many slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recalled {
    /// So many were asked back.
    pub recalled: u32,
    /// Whether there are more of them.
    pub more: bool,
}

/// Asks the hub for all slots that a filter finds and that nobody asked for yet, at most 500 of them.
///
/// # Errors
/// Those of the database.
pub fn recall_many(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    mut filter: Filter,
    at: BoxTime,
) -> Result<Recalled> {
    stamp.needs(Right::Book)?;
    let mut recalled = 0;
    loop {
        let part = loan::list(tx, stamp, &filter, LIST_MAX)?;
        let Some(last) = part.last() else { return Ok(Recalled { recalled, more: false }) };
        filter.after = Some((last.slot.start(), last.id));
        for row in part {
            match shown(&row, at)?.map(|it| it.status) {
                Some(Status::Granted | Status::Held) if recalled == RECALLED_MAX => {
                    return Ok(Recalled { recalled, more: true });
                }
                Some(Status::Granted | Status::Held) => {
                    ask_back(tx, stamp, row.id)?;
                    recalled += 1;
                }
                Some(Status::Recalled | Status::Sold | Status::Unknown) | None => {}
            }
        }
    }
}

/// Takes a slot without the hub, after the wait, for a reason.
///
/// # Errors
/// *Not lent*, *loan not over* with how long still, and *slot taken* if it is known that it was sold and not
/// yet to whom.
pub fn override_loan(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    id: LoanId,
    reason: Option<String>,
    at: BoxTime,
) -> Result<Loan> {
    stamp.needs(Right::Overbook)?;
    let reason = contact::reason("reason", reason)?;
    let row = loan::get(tx, stamp, id)?;
    let before = state::lender(tx, stamp, &row)?;
    let step = before
        .override_loan(standing(tx)?, at)
        .map_err(|refusal| state::refused(refusal, row.slot))?;
    // Who may take the slot may have done what goes with it: a sale that is known is adopted.
    let with_all = Stamp { role: Role::Admin, ..*stamp };
    match apply(tx, &with_all, "override", (&row, &before), step)? {
        Applied::Done(_) => {}
        Applied::Wanting(_) => {
            let detail = "this slot was sold online; who bought it comes with the line";
            return Err(Error::refused(Code::SlotTaken(row.slot), detail));
        }
    }
    let row = loan::get(tx, stamp, id)?;
    loan::note(tx, stamp, "override", &row, Some(&reason))
}

/// What a patient showed who bought online.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanned(Sold);

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The appointment is in the diary.
    Booked(AppointmentId),
    /// The box knows of the sale now, but not yet who bought; or the patient was displaced.
    Sold,
}

/// Reads the confirmation of a sale that the hub of this box signed, without a network. None if it is
/// something else.
///
/// # Errors
/// Those of the database.
pub fn scanned(read: &Read<'_>, text: &str) -> Result<Option<Scanned>> {
    let Some(hub) = hub::get(read)? else { return Ok(None) };
    Ok(Sold::verify(text, hub.clinic, &[VerifyingKey(hub.verifying_key)]).ok().map(Scanned))
}

/// Takes a confirmation as the news that it is.
///
/// # Errors
/// Those of the database.
pub fn scan(tx: &mut Tx<'_>, stamp: &Stamp, scanned: &Scanned) -> Result<Heard> {
    stamp.needs(Right::CheckIn)?;
    let Scanned(Sold { clinic: _, fence, booking, slot }) = scanned;
    if !hub::is_unlearned(tx)? {
        let said = ToBox::Sale { fence: *fence, booking: *booking };
        // The kiosk may not book; the box does, because the hub signed.
        let by_box = Stamp::of_sale(stamp.now);
        match hear(tx, &by_box, standing(tx)?, (&SlotKey(slot.clone()), said))? {
            Some(Applied::Done(_)) => {}
            Some(Applied::Wanting(_)) | None => {
                let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
                let confirmation = Confirmation {
                    booking: state::appointment(*booking),
                    slot: slot.clone(),
                    fence: (number(fence.generation.0), number(fence.epoch.0)),
                };
                loan::keep_confirmation(tx, stamp, &confirmation)?;
            }
        }
    }
    let id = state::appointment(*booking);
    match appointment::get(tx, &Stamp::of_sale(stamp.now), id) {
        Ok(_) => Ok(Heard::Booked(id)),
        Err(Error::NotFound(_)) => Ok(Heard::Sold),
        Err(error) => Err(error),
    }
}

/// Whether this life of the box has learned, and as which it speaks.
fn standing(read: &Read<'_>) -> Result<Standing> {
    let learned = hub::learned(read)?;
    if hub::is_unlearned(read)? {
        let log = prm::change::log_id(read)?;
        return Ok(Standing::Learning(sync_protocol::lineage::LogId(*log.as_bytes())));
    }
    let generation = learned.map_or(0, |it| it.generation.unsigned_abs());
    Ok(Standing::Living(Generation(generation)))
}
