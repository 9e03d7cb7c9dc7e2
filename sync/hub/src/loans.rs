//! Loans: what a box says about slots that it lent is heard and answered; what the hub holds is sold.
//!
//! What may happen is decided by `sync_protocol::loan`; its [`Borrower`] lies in the row of each slot as it
//! writes itself. A new life of the box is told from the old one by its generation: whatever was held of an
//! older one is over from the moment at which it is looked at.
//!
//! Invariant: a sale, who bought, and what the patient gets are committed together, before the patient
//! is told.

mod restored;
mod sell;

use sync_protocol::lineage::LogId;
use sync_protocol::loan::clock::{DRIFT_PER_MILLE, HubTime};
use sync_protocol::loan::{BookingId, Borrower, Effect, Generation, Terms, ToBox, ToHub};
use sync_protocol::wire::{Accounts, Details, LoansDown, LoansUp, SLOTS_MAX, SlotKey};
use zeroize::Zeroizing;

pub use self::restored::{Sales, begin, put_back};
pub use self::sell::{Asking, Bought, NotSold, cancel, on_offer, sell};
use crate::hub::{Hub, ReadError};
use crate::receive::Refused;
use crate::sealed::{self, Opened};
use crate::store::{self, Clinic, Enrolled, LoanRow, StoreError, Stored, sql::Tx};

/// Slots of one clinic of which the hub knows; grants of more are not answered.
pub const LOANS_MAX: u64 = 500_000;
/// Slots of which one answer gives accounts.
const ACCOUNTS_AT_ONCE: u32 = 500;
/// Slots that are over are known for so long: a box put back from a backup may ask.
const OVER_KEPT_MS: i64 = 40 * 24 * 3_600_000;

/// Hears what a box says about loans, in an envelope, and answers in one. What the answer says is committed.
///
/// # Errors
/// [`Refused`].
pub fn exchange(hub: &Hub, bytes: &[u8]) -> Result<Vec<u8>, Refused> {
    let Opened { body, place, from, clinic } = sealed::open::<LoansUp>(hub, bytes)?;
    let log = place.log;
    begin(hub, clinic.id)?;
    let down = answer(hub, (&from, &clinic), log, &body)?;
    sealed::seal(hub, &from, (log, 0), &down)
}

/// Hears and answers, in one transaction.
fn answer(
    hub: &Hub,
    (opened_for, clinic): (&Enrolled, &Clinic),
    log: LogId,
    up: &LoansUp,
) -> Result<LoansDown, Refused> {
    let key = hub.key_of(clinic)?;
    let now = time(hub, clinic);
    let LoansUp { by, said, after, wanting } = up;
    let (mut down, sealed) = hub.store.write(clinic.id, |tx| {
        // Another life may have begun since the envelope was opened.
        let enrolled = store::still_enrolled(tx, opened_for)?.ok_or(Refused::Unrecognised)?;
        let living = enrolled.living(log).ok_or(Refused::NotLiving)?;
        let of = Of { tx, clinic: clinic.id, living, now };
        let down = match by {
            Some(by) if *by != living => return Err(Refused::NotLiving),
            Some(_) => of.hear(said)?,
            None if wanting.is_empty() => of.accounts(after.as_ref())?,
            None => nothing(),
        };
        let mut sealed = Vec::new();
        for booking in wanting {
            sealed.push((*booking, store::sale(tx, clinic.id, *booking)?.map(|it| it.sealed)));
        }
        Ok((down, sealed))
    })?;
    for (booking, sealed) in sealed {
        let body = match sealed {
            Some(sealed) => Some(key.open(&sale_key(booking), &sealed)?.to_vec()),
            None => None,
        };
        down.details.push(Details { booking, body });
    }
    Ok(down)
}

/// What is said if nothing is due.
fn nothing() -> LoansDown {
    LoansDown { said: Vec::new(), accounts: None, details: Vec::new(), more: false }
}

/// What time it is for loans.
fn time(hub: &Hub, clinic: &Clinic) -> HubTime {
    HubTime { nonce: hub.nonce(clinic), wall_ms: hub.clock.now_ms() }
}

/// The slot of a sale, and what the box is told of it.
pub type Told = (SlotKey, Zeroizing<Vec<u8>>);

/// What the box is told of a sale: a Bundle of who bought and of the appointment, opened; none if nothing was
/// sold under this booking.
///
/// # Errors
/// [`ReadError`].
pub fn sold(hub: &Hub, clinic: [u8; 16], booking: BookingId) -> Result<Option<Told>, ReadError> {
    let found = hub.store.read(clinic, |tx| -> Result<_, StoreError> {
        Ok(store::clinic(tx, clinic)?.zip(store::sale(tx, clinic, booking)?))
    })?;
    let Some((of, sale)) = found else { return Ok(None) };
    let bundle = hub.key_of(&of)?.open(&sale_key(booking), &sale.sealed)?;
    Ok(Some((sale.slot, bundle)))
}

/// Under what the details of a sale lie sealed.
fn sale_key(booking: BookingId) -> Vec<u8> {
    [b"sale/", booking.0.as_slice()].concat()
}

/// The loans of one clinic in a transaction.
struct Of<'a, 'c> {
    tx: &'a Tx<'c>,
    clinic: [u8; 16],
    living: Generation,
    now: HubTime,
}

impl Of<'_, '_> {
    /// Hears what the living box says, and answers all that is due.
    fn hear(&self, said: &[(SlotKey, ToHub)]) -> Stored<LoansDown> {
        let mut down = nothing();
        let count = store::loan_count(self.tx, self.clinic)?;
        for (slot, said) in said {
            let known = self.row(slot)?;
            if known.is_none() && count >= LOANS_MAX {
                continue;
            }
            let mut row = known.unwrap_or_else(|| self.unknown(slot));
            let heard = row.state.hear(self.living, self.living, *said, self.now);
            // Only an old generation is refused, and this one lives.
            let Ok(step) = heard else { continue };
            let has_changed = step.state != row.state;
            if has_changed {
                self.put(&mut row, step.state)?;
            }
            for effect in step.effects {
                match effect {
                    Effect::Send(said) => down.said.push((slot.clone(), said)),
                    Effect::Adopt(_) | Effect::Displace(_) | Effect::Withdraw(_) => {}
                }
            }
        }
        self.give_back_over()?;
        self.add_due(&mut down)?;
        store::forget_loans(self.tx, self.clinic, self.now.wall_ms - OVER_KEPT_MS)?;
        Ok(down)
    }

    /// Everything due and new, as far as it fits.
    fn add_due(&self, down: &mut LoansDown) -> Stored<()> {
        let limit = u32::try_from(SLOTS_MAX).unwrap_or(u32::MAX);
        for row in store::loans_due(self.tx, self.clinic, limit)? {
            for said in row.state.outgoing() {
                let known = (row.slot.clone(), said);
                if !down.said.contains(&known) {
                    down.said.push(known);
                }
            }
        }
        // News until the box has asked the slot back: the answer that says it may be lost.
        for mut row in store::loans_sold(self.tx, self.clinic, limit)? {
            if down.said.len() >= SLOTS_MAX {
                break;
            }
            let state = self.renewed(&row.state);
            let fence = state.fence;
            let sale = state.holding.and_then(|it| it.sale);
            down.said
                .extend(sale.map(|booking| (row.slot.clone(), ToBox::Sale { fence, booking })));
            if state != row.state {
                self.put(&mut row, state)?;
            }
        }
        down.more = down.said.len() > SLOTS_MAX;
        down.said.truncate(SLOTS_MAX);
        Ok(())
    }

    /// Gives back what cannot be sold any more.
    fn give_back_over(&self) -> Stored<()> {
        let limit = u32::try_from(SLOTS_MAX).unwrap_or(u32::MAX);
        for mut row in store::loans_over(self.tx, self.clinic, self.now.wall_ms, limit)? {
            let state = self.renewed(&row.state);
            let state = if state.is_over(self.now) { state.renew() } else { state };
            self.put(&mut row, state)?;
        }
        Ok(())
    }

    /// What a box that begins has to know of the slots after one.
    fn accounts(&self, after: Option<&SlotKey>) -> Stored<LoansDown> {
        let rows = store::loans(self.tx, self.clinic, after, ACCOUNTS_AT_ONCE)?;
        let last = rows.len() < ACCOUNTS_AT_ONCE as usize;
        let mut slots = Vec::with_capacity(rows.len());
        for mut row in rows {
            let state = self.renewed(&row.state);
            slots.push((row.slot.clone(), state.account(self.now.nonce.store)));
            if state != row.state {
                self.put(&mut row, state)?;
            }
        }
        let accounts = Accounts { generation: self.living, slots, from: after.cloned(), last };
        Ok(LoansDown { accounts: Some(accounts), ..nothing() })
    }

    /// The row of a slot, as the life of the box that is listened to finds it.
    fn row(&self, slot: &SlotKey) -> Stored<Option<LoanRow>> {
        let row = store::loan(self.tx, self.clinic, slot)?;
        Ok(row.map(|row| LoanRow { state: self.renewed(&row.state), ..row }))
    }

    /// What was held of a life of the box that has ended is over (rule 13).
    fn renewed(&self, state: &Borrower) -> Borrower {
        if state.fence.generation < self.living { state.renew() } else { state.clone() }
    }

    /// A slot that was never heard of; its fence is kept as long as the longest horizon at least.
    fn unknown(&self, slot: &SlotKey) -> LoanRow {
        let sell_until = self.now.wall_ms.saturating_add(OVER_KEPT_MS);
        let state = Borrower::NEW;
        LoanRow { slot: slot.clone(), state, news: false, sell_until, look_at: sell_until }
    }

    /// Writes what is known of a slot now.
    fn put(&self, row: &mut LoanRow, state: Borrower) -> Stored<()> {
        if let Some(holding) = state.holding {
            row.sell_until = holding.terms.sell_until_ms;
            row.look_at = row.sell_until.min(self.term_ends(&holding.terms));
        } else {
            row.news = false;
        }
        row.state = state;
        store::put_loan(self.tx, self.clinic, row)
    }

    /// When a term ends by the wall clock; at once if it is of another run of the hub.
    fn term_ends(&self, terms: &Terms) -> i64 {
        let (granted, now) = (terms.nonce, self.now.nonce);
        if granted.store != now.store || granted.boot != now.boot {
            return self.now.wall_ms;
        }
        let term = terms.term_ms / 1000 * (1000 - DRIFT_PER_MILLE);
        let left = term.saturating_sub(now.at_ms.saturating_sub(granted.at_ms));
        self.now.wall_ms.saturating_add(i64::try_from(left).unwrap_or(i64::MAX))
    }
}
