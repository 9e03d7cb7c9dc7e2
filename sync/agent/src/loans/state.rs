//! The row of a loan as the protocol's value, and back.

use prm::db::Read;
use prm::error::{Code, Error, Result};
use prm::id::{AppointmentId, SlotId};
use prm::loan::{self, Loan, Next};
use prm::stamp::Stamp;
use sync_protocol::loan::{BookingId, Holder, Lender, Refusal};

/// The appointment of a booking; the hub chooses the id for both.
pub(super) fn appointment(booking: BookingId) -> AppointmentId {
    AppointmentId::from_bytes(booking.0)
}

/// The booking of an appointment.
pub(super) fn booking(appointment: AppointmentId) -> BookingId {
    BookingId(*appointment.as_bytes())
}

/// What the protocol knows of a loan. Whether a slot that is here is booked is what the diary says now.
pub(super) fn lender(read: &Read<'_>, stamp: &Stamp, loan: &Loan) -> Result<Lender> {
    let mut lender = kept(loan)?;
    if let Holder::Here(_) = lender.holder {
        lender.holder = Holder::Here(loan.occupant(read, stamp)?.map(booking));
    }
    Ok(lender)
}

/// The same as it was written, for what does not depend on the diary.
pub(super) fn kept(loan: &Loan) -> Result<Lender> {
    if loan.state.is_empty() {
        return Ok(Lender::NEW);
    }
    Lender::from_bytes(&loan.state)
        .ok_or_else(|| Error::Storage("what is kept of a loan is damaged".into()))
}

/// The loan of a key, if it was ever lent, or a row for it; none if the box knows no such session.
pub(super) fn row(
    read: &Read<'_>,
    stamp: &Stamp,
    (slot, lane): (SlotId, i64),
) -> Result<Option<Loan>> {
    match loan::at(read, slot, lane)? {
        Some(loan) => Ok(Some(loan)),
        None => loan::without(read, stamp, (slot, lane)),
    }
}

/// What is to be written of a loan.
pub(super) fn next(lender: &Lender) -> Next {
    let (is_away, sale) = match lender.holder {
        Holder::Away(loan) => (true, loan.sale.map(appointment)),
        Holder::Here(_) => (false, None),
    };
    let is_due = !lender.outgoing().is_empty();
    Next { is_away, is_due, sale, state: lender.to_bytes() }
}

/// The protocol's no as one of the records.
pub(super) fn refused(refusal: Refusal, slot: SlotId) -> Error {
    let code = match refusal {
        Refusal::Unlearned => Code::SlotUnlearned(slot),
        Refusal::Lent => Code::SlotLent(slot),
        Refusal::NotLent => Code::NotLent,
        Refusal::Booked => Code::SlotTaken(slot),
        Refusal::NotYet { left_ms } => {
            let seconds = left_ms.div_ceil(1000);
            let detail = format!(
                "the hub may still sell this slot for {}; recall it, or wait",
                in_words(seconds)
            );
            return Error::refused(Code::LoanNotOver(seconds), detail);
        }
        Refusal::OtherBooking
        | Refusal::Over
        | Refusal::Unsettled
        | Refusal::OldGeneration
        | Refusal::Term
        | Refusal::Exhausted => Code::IllegalStep,
    };
    Error::refused(code, refusal.to_string())
}

/// A stretch of time for people, rounded up to minutes.
fn in_words(seconds: u64) -> String {
    let minutes = seconds.div_ceil(60);
    let (days, hours, minutes) = (minutes / 1440, minutes % 1440 / 60, minutes % 60);
    let parts = [(days, "d"), (hours, "h"), (minutes, "min")];
    let said: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    if said.is_empty() { "a moment".to_owned() } else { said.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_said_in_words() {
        assert_eq!(in_words(0), "a moment");
        assert_eq!(in_words(61), "2 min");
        assert_eq!(in_words(7 * 86_400 + 3_600), "7 d 1 h");
    }
}
