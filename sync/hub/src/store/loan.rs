//! Slots that boxes have lent, and what was sold of them.

use sync_protocol::loan::{BookingId, Borrower, Epoch, Fence, Generation};
use sync_protocol::wire::SlotKey;

use super::sql::{Row, Tx, params};
use super::{StoreError, Stored, from_stored, to_stored};

/// A slot that a box has lent at some time.
#[derive(Clone, Debug)]
pub struct LoanRow {
    /// What the slot is called.
    pub slot: SlotKey,
    /// What the protocol knows of it.
    pub state: Borrower,
    /// The box is to hear news of the sale.
    pub news: bool,
    /// Until when it may be sold at the latest, in ms since 1970 UTC.
    pub sell_until: i64,
    /// When it is to be looked at because the term may be over, in ms since 1970 UTC.
    pub look_at: i64,
}

/// What was sold.
#[derive(Clone, Debug)]
pub struct SaleRow {
    /// The booking.
    pub booking: BookingId,
    /// The slot.
    pub slot: SlotKey,
    /// The loan under which it was sold.
    pub fence: Fence,
    /// Who bought, sealed.
    pub sealed: Vec<u8>,
    /// When, in ms since 1970 UTC.
    pub sold_at: i64,
}

const COLUMNS: &str = "slot, state, news, sell_until, look_at FROM loan";

/// The row of a slot; none if it was never lent.
///
/// # Errors
/// [`StoreError`].
pub fn loan(tx: &Tx<'_>, clinic: [u8; 16], slot: &SlotKey) -> Stored<Option<LoanRow>> {
    let sql = format!("SELECT {COLUMNS} WHERE clinic = ?1 AND slot = ?2");
    tx.row(&sql, params![&clinic, &slot.0], to_loan)
}

/// Rows after a slot, in the order of their keys.
///
/// # Errors
/// [`StoreError`].
pub fn loans(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    after: Option<&SlotKey>,
    limit: u32,
) -> Stored<Vec<LoanRow>> {
    // Every key is longer than nothing.
    let nothing = SlotKey(Vec::new());
    let after = after.unwrap_or(&nothing);
    let sql = format!("SELECT {COLUMNS} WHERE clinic = ?1 AND slot > ?2 ORDER BY slot LIMIT ?3");
    tx.rows(&sql, params![&clinic, &after.0, limit], to_loan)
}

/// Rows of which the box has to hear something.
///
/// # Errors
/// [`StoreError`].
pub fn loans_due(tx: &Tx<'_>, clinic: [u8; 16], limit: u32) -> Stored<Vec<LoanRow>> {
    let sql = format!("SELECT {COLUMNS} WHERE clinic = ?1 AND due = 1 ORDER BY slot LIMIT ?2");
    tx.rows(&sql, params![&clinic, limit], to_loan)
}

/// Rows of sales of which the box has heard no news.
///
/// # Errors
/// [`StoreError`].
pub fn loans_sold(tx: &Tx<'_>, clinic: [u8; 16], limit: u32) -> Stored<Vec<LoanRow>> {
    let sql = format!("SELECT {COLUMNS} WHERE clinic = ?1 AND news = 1 ORDER BY slot LIMIT ?2");
    tx.rows(&sql, params![&clinic, limit], to_loan)
}

/// Rows of slots that are held and are to be looked at now.
///
/// # Errors
/// [`StoreError`].
pub fn loans_over(tx: &Tx<'_>, clinic: [u8; 16], now_ms: i64, limit: u32) -> Stored<Vec<LoanRow>> {
    let sql = format!(
        "SELECT {COLUMNS} WHERE clinic = ?1 AND held = 1 AND look_at <= ?2
         ORDER BY look_at LIMIT ?3"
    );
    tx.rows(&sql, params![&clinic, now_ms, limit], to_loan)
}

/// Rows of slots that are held, after one, in the order of their keys.
///
/// # Errors
/// [`StoreError`].
pub fn loans_held(
    tx: &Tx<'_>,
    clinic: [u8; 16],
    after: Option<&SlotKey>,
    limit: u32,
) -> Stored<Vec<LoanRow>> {
    let nothing = SlotKey(Vec::new());
    let after = after.unwrap_or(&nothing);
    let sql = format!(
        "SELECT {COLUMNS} WHERE clinic = ?1 AND held = 1 AND slot > ?2 ORDER BY slot LIMIT ?3"
    );
    tx.rows(&sql, params![&clinic, &after.0, limit], to_loan)
}

/// How many slots a box has lent at some time.
///
/// # Errors
/// [`StoreError`].
pub fn loan_count(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<u64> {
    let sql = "SELECT count(*) FROM loan WHERE clinic = ?1";
    let count = tx.row(sql, params![&clinic], |row| row.get::<i64>(0))?;
    Ok(from_stored(count.unwrap_or(0)))
}

/// Writes a row in place of what is there.
///
/// # Errors
/// [`StoreError`].
pub fn put_loan(tx: &Tx<'_>, clinic: [u8; 16], row: &LoanRow) -> Stored<()> {
    let LoanRow { slot, state, news, sell_until, look_at } = row;
    let (held, due) = (state.holding.is_some(), !state.outgoing().is_empty());
    let sql = "INSERT INTO loan (clinic, slot, state, held, due, news, sell_until, look_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT (clinic, slot) DO UPDATE SET state = excluded.state, held = excluded.held,
          due = excluded.due, news = excluded.news, sell_until = excluded.sell_until,
          look_at = excluded.look_at";
    let state = state.to_bytes();
    let params = params![&clinic, &slot.0, &state, held, due, *news, *sell_until, *look_at];
    tx.execute(sql, params)?;
    Ok(())
}

/// Has all slots of a clinic that are held looked at: the terms of an earlier run of the hub are over.
///
/// # Errors
/// [`StoreError`].
pub fn look_at_held(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<()> {
    tx.execute("UPDATE loan SET look_at = 0 WHERE clinic = ?1 AND held = 1", params![&clinic])?;
    Ok(())
}

/// Forgets slots that are long over and of which nothing is due, and what was sold of them.
///
/// # Errors
/// [`StoreError`].
pub fn forget_loans(tx: &Tx<'_>, clinic: [u8; 16], before_ms: i64) -> Stored<()> {
    let sql = "DELETE FROM loan WHERE clinic = ?1 AND held = 0 AND due = 0 AND sell_until < ?2";
    if tx.execute(sql, params![&clinic, before_ms])? > 0 {
        let sql = "DELETE FROM sale WHERE clinic = ?1 AND sold_at < ?2
            AND slot NOT IN (SELECT slot FROM loan WHERE clinic = ?1)";
        tx.execute(sql, params![&clinic, before_ms])?;
    }
    Ok(())
}

/// Keeps what was sold. A booking that is there already is [`StoreError::Failed`].
///
/// # Errors
/// [`StoreError`].
pub fn add_sale(tx: &Tx<'_>, clinic: [u8; 16], sale: &SaleRow) -> Stored<()> {
    let SaleRow { booking, slot, fence, sealed, sold_at } = sale;
    let sql = "INSERT INTO sale (clinic, booking, slot, generation, epoch, body, sold_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let (generation, epoch) = (to_stored(fence.generation.0), to_stored(fence.epoch.0));
    let params = params![&clinic, &booking.0, &slot.0, generation, epoch, sealed, *sold_at];
    tx.execute(sql, params)?;
    Ok(())
}

/// What was sold under a booking.
///
/// # Errors
/// [`StoreError`].
pub fn sale(tx: &Tx<'_>, clinic: [u8; 16], booking: BookingId) -> Stored<Option<SaleRow>> {
    let sql = "SELECT slot, generation, epoch, body, sold_at FROM sale
        WHERE clinic = ?1 AND booking = ?2";
    tx.row(sql, params![&clinic, &booking.0], |row| {
        let generation = Generation(from_stored(row.get(1)?));
        let epoch = Epoch(from_stored(row.get(2)?));
        Ok(SaleRow {
            booking,
            slot: SlotKey(row.get(0)?),
            fence: Fence { generation, epoch },
            sealed: row.get(3)?,
            sold_at: row.get(4)?,
        })
    })
}

/// Which database this is to a clinic, for loans, and how many sales there were.
///
/// # Errors
/// [`StoreError`].
pub fn loan_store(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<Option<(u64, u64)>> {
    tx.row("SELECT store, sales FROM loan_store WHERE clinic = ?1", params![&clinic], |row| {
        Ok((row.get::<i64>(0)?.cast_unsigned(), from_stored(row.get(1)?)))
    })
}

/// Writes the same.
///
/// # Errors
/// [`StoreError`].
pub fn put_loan_store(tx: &Tx<'_>, clinic: [u8; 16], store: u64, sales: u64) -> Stored<()> {
    let sql = "INSERT INTO loan_store (clinic, store, sales) VALUES (?1, ?2, ?3)
        ON CONFLICT (clinic) DO UPDATE SET store = excluded.store, sales = excluded.sales";
    tx.execute(sql, params![&clinic, store.cast_signed(), to_stored(sales)])?;
    Ok(())
}

/// Counts a sale; answers how many there were.
///
/// # Errors
/// [`StoreError`].
pub fn count_sale(tx: &Tx<'_>, clinic: [u8; 16]) -> Stored<u64> {
    tx.execute("UPDATE loan_store SET sales = sales + 1 WHERE clinic = ?1", params![&clinic])?;
    let found = loan_store(tx, clinic)?.ok_or(StoreError::Damaged("the number of sales"))?;
    Ok(found.1)
}

fn to_loan(row: &Row<'_>) -> Stored<LoanRow> {
    let state: Vec<u8> = row.get(1)?;
    Ok(LoanRow {
        slot: SlotKey(row.get(0)?),
        state: Borrower::from_bytes(&state).ok_or(StoreError::Damaged("a loan"))?,
        news: row.get(2)?,
        sell_until: row.get(3)?,
        look_at: row.get(4)?,
    })
}
