//! Every step of a loan: lent, given back, held on, adopted, withdrawn.

use jiff::{SignedDuration, Timestamp};

use super::{Loan, row};
use crate::appointment::claim::{self, Owner};
use crate::appointment::{self, Adoption, Appointment, Status};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::hub;
use crate::id::{AppointmentId, LoanId, Noun, PatientId, SlotId};
use crate::slot;
use crate::stamp::{Right, Stamp};
use crate::time::to_ms;

/// Rows of slots that are over stay so long: the hub may still speak of them.
const OVER_KEPT: SignedDuration = SignedDuration::from_hours(40 * 24);

/// A lane of a slot that is to be lent.
#[derive(Clone, Debug)]
pub struct Lending {
    /// The slot.
    pub slot: SlotId,
    /// Which of its places.
    pub lane: i64,
    /// What the protocol knows of it from now on.
    pub state: Vec<u8>,
}

/// What a loan is to be.
#[derive(Clone, Debug)]
pub struct Next {
    /// Whether it is lent.
    pub is_away: bool,
    /// Whether the hub has to hear something.
    pub is_due: bool,
    /// The sale, as far as is known.
    pub sale: Option<AppointmentId>,
    /// What the protocol knows.
    pub state: Vec<u8>,
}

/// Lends a lane of a slot that is free. Refused like a booking if it is not.
pub fn lend(tx: &mut Tx<'_>, stamp: &Stamp, lending: Lending) -> Result<Loan> {
    stamp.needs(Right::to_write(Noun::Loan))?;
    let Lending { slot, lane, state } = lending;
    if hub::is_unlearned(tx)? {
        let detail = "this box lends nothing before it knows what the hub sold";
        return Err(Error::refused(Code::SlotUnlearned(slot), detail));
    }
    let offer = slot::offered(tx, slot, None)?;
    if offer.start <= stamp.now || !(0..offer.schedule.slot_capacity).contains(&lane) {
        let detail = "there is no such place to be lent";
        return Err(Error::refused(Code::SlotUnavailable, detail));
    }
    if let Some(capacity) = offer.schedule.session_capacity
        && slot::booked_in_session(tx, &offer.schedule, &offer.session, stamp.now)? >= capacity
    {
        let detail = "this session has as many patients as it may";
        return Err(Error::refused(Code::SessionFull(slot), detail));
    }
    let before = row::at(tx, slot, lane)?;
    let loan = Loan {
        id: before.as_ref().map_or_else(|| LoanId::new(stamp.now), |it| it.id),
        version: before.as_ref().map_or(1, |it| it.version + 1),
        slot,
        lane,
        practitioner: offer.schedule.practitioner,
        end: offer.end,
        is_away: true,
        is_due: true,
        sale: None,
        state,
    };
    must_be_free(tx, stamp, &loan)?;
    row::write(tx, &loan)?;
    claim::take(tx, loan.practitioner.as_bytes(), (loan.ticks(), lane), Owner::Loan(loan.id))?;
    tx.record(stamp, "lend", (Noun::Loan, loan.id.as_bytes(), loan.version), None)?;
    Ok(loan)
}

/// Writes what a loan is after a step, and takes or gives back its claims. A step that the diary sees
/// is one of the log and of the audit, under this verb.
pub fn put(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    verb: &'static str,
    loan: &Loan,
    next: Next,
) -> Result<Loan> {
    stamp.needs(Right::Book)?;
    let Next { is_away, is_due, sale, state } = next;
    let is_seen = is_away != loan.is_away || sale != loan.sale || loan.version == 0;
    let version = if is_seen { loan.version + 1 } else { loan.version };
    let after = Loan { version, is_away, is_due, sale, state, ..loan.clone() };
    let actor = *loan.practitioner.as_bytes();
    match (loan.is_away, is_away) {
        (true, false) => claim::give_back(tx, &actor, loan.ticks(), loan.id)?,
        (false, true) => must_be_free(tx, stamp, loan)?,
        (true, true) | (false, false) => {}
    }
    row::write(tx, &after)?;
    if is_away && !loan.is_away {
        claim::take(tx, &actor, (loan.ticks(), loan.lane), Owner::Loan(loan.id))?;
    }
    if is_seen {
        tx.record(stamp, verb, (Noun::Loan, after.id.as_bytes(), after.version), None)?;
    }
    Ok(after)
}

/// Notes in the log and in the audit what a person did with a loan: asked for it back, or took it, and
/// then why.
pub fn note(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    verb: &'static str,
    loan: &Loan,
    reason: Option<&str>,
) -> Result<Loan> {
    stamp.needs(Right::Book)?;
    if let Some(reason) = reason {
        tx.sql()
            .prepare_cached("UPDATE loan SET override_reason = ?2 WHERE id = ?1")?
            .execute((loan.id, reason))?;
    }
    let after = Loan { version: loan.version + 1, ..loan.clone() };
    row::write(tx, &after)?;
    tx.record(stamp, verb, (Noun::Loan, after.id.as_bytes(), after.version), None)?;
    Ok(after)
}

/// Writes into the diary what the hub sold: on the lane that was lent, which is free again. Told twice,
/// it is there once.
pub fn adopt(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    loan: &Loan,
    (booking, patient, reason): (AppointmentId, PatientId, Option<String>),
) -> Result<Appointment> {
    stamp.needs(Right::Book)?;
    let adoption =
        Adoption { id: booking, patient, slot: loan.slot, end: loan.end, lane: loan.lane, reason };
    appointment::adopt(tx, stamp, adoption)
}

/// Calls off what was adopted, because the patient called it off at the hub; closes the work of the
/// desk, if the patient was displaced. What is over stays as it is.
pub fn withdraw(tx: &mut Tx<'_>, stamp: &Stamp, booking: AppointmentId) -> Result<()> {
    stamp.needs(Right::Book)?;
    super::displaced::close(tx, stamp, booking, "called off by the patient online")?;
    let found = match appointment::get(tx, stamp, booking) {
        Ok(found) => found,
        Err(Error::NotFound(_)) => return Ok(()),
        Err(error) => return Err(error),
    };
    if found.status.may_become(Status::Cancelled) {
        let reason = Some("called off by the patient online".to_owned());
        appointment::cancel(tx, stamp, (booking, None), reason)?;
    }
    Ok(())
}

/// Forgets slots that are long over and settled, at most `limit` of them; answers how many.
pub fn forget_over(tx: &mut Tx<'_>, stamp: &Stamp, limit: u32) -> Result<usize> {
    stamp.needs(Right::to_write(Noun::Loan))?;
    let before: Timestamp = stamp.now.checked_sub(OVER_KEPT).unwrap_or(Timestamp::MIN);
    let gone = tx.sql().execute(
        "DELETE FROM loan WHERE id IN (
           SELECT id FROM loan WHERE end < ?1 AND holder = 'here' AND due = 0
             AND NOT EXISTS (SELECT 1 FROM displaced d WHERE d.loan = loan.id) ORDER BY end LIMIT ?2)",
        (to_ms(before), limit),
    )?;
    tx.sql().execute("DELETE FROM loan_sale WHERE heard_at < ?1", [to_ms(before)])?;
    tx.sql().execute("DELETE FROM loan_shown WHERE shown_at < ?1", [to_ms(before)])?;
    Ok(gone)
}

fn must_be_free(tx: &mut Tx<'_>, stamp: &Stamp, loan: &Loan) -> Result<()> {
    let actor = *loan.practitioner.as_bytes();
    if claim::is_free(tx, stamp, &actor, (loan.ticks(), loan.lane))? {
        return Ok(());
    }
    Err(Error::refused(Code::SlotTaken(loan.slot), "somebody has this slot; it cannot be lent"))
}
