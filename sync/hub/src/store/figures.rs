//! Figures of one clinic for operators.

use sync_protocol::loan::{BookingId, Borrower, Epoch, Fence, Generation, Outcome, Past};

use super::sql::{Tx, params};
use super::{StoreError, Stored, from_stored};

/// Sales that are looked at; more are as good as very many.
const SALES_MAX: u32 = 10_000;

/// What the hub has under loans of one clinic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lent {
    /// Slots that it has, sold or not.
    pub held: u64,
    /// Bookings that it sold and of which the box has not said that it has them.
    pub unsettled: u64,
    /// When the oldest of these was sold, in ms since 1970 UTC.
    pub oldest: Option<i64>,
}

/// What the hub has under loans of a clinic.
///
/// # Errors
/// [`StoreError`].
pub fn lent(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<Lent> {
    let sql = "SELECT count(*) FROM loan WHERE clinic = ?1 AND held = 1";
    let held = tx.row(sql, params![&clinic], |row| row.get(0))?.map_or(0, from_stored);
    let sql = "SELECT l.state, s.booking, s.generation, s.epoch, s.sold_at
        FROM sale s JOIN loan l ON l.clinic = s.clinic AND l.slot = s.slot
        WHERE s.clinic = ?1 AND (l.held = 1 OR l.due = 1) ORDER BY s.sold_at LIMIT ?2";
    let sales = tx.rows(sql, params![&clinic, SALES_MAX], |row| {
        let state = Borrower::from_bytes(&row.get::<Vec<u8>>(0)?);
        let state = state.ok_or(StoreError::Damaged("a loan"))?;
        let generation = Generation(from_stored(row.get(2)?));
        let fence = Fence { generation, epoch: Epoch(from_stored(row.get(3)?)) };
        let is_open = is_unsettled(&state, fence, BookingId(row.get(1)?));
        Ok(is_open.then_some(row.get::<i64>(4)?))
    })?;
    let unsettled: Vec<i64> = sales.into_iter().flatten().collect();
    let count = u64::try_from(unsettled.len()).unwrap_or(u64::MAX);
    Ok(Lent { held, unsettled: count, oldest: unsettled.into_iter().min() })
}

/// Whether the box has not said yet that it has this booking.
fn is_unsettled(state: &Borrower, fence: Fence, booking: BookingId) -> bool {
    let is_held = state.fence == fence && state.holding.is_some_and(|it| it.sale == Some(booking));
    let due = Past { fence, outcome: Outcome::Sold(booking), settled: false };
    is_held || state.past.contains(&due)
}
