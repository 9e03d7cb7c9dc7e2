//! A new life of the box learns what the hub sold before: all accounts, then all rows, then it may book.
//!
//! Invariant: that the box has learned is written after everything that it learned.

use std::collections::{BTreeMap, BTreeSet};

use prm::hub::{self, Learned};
use prm::id::LoanId;
use prm::loan;
use prm::stamp::Stamp;
use sync_protocol::loan::clock::BoxTime;
use sync_protocol::loan::{Account, BookingId, Outcome};
use sync_protocol::wire::{Accounts, DETAILS_MAX, LoansDown, LoansUp, SlotKey};

use super::apply::{Applied, apply, is_known};
use super::{Ground, Loans, key, parse, state};
use crate::Fault;
use crate::line::Line;

/// Parts of accounts that are heard at the most: four million slots.
const PARTS_MAX: usize = 2_000;
/// Rows that are learned in one transaction.
const LEARNED_AT_ONCE: u32 = 50;

impl<L: Line> Loans<L> {
    /// Hears the hub's accounts and takes them in. False if the hub speaks of another life of the box:
    /// then the next receipt says which.
    pub(super) async fn learn(
        &mut self,
        ground: &Ground,
        store: u64,
        (stamp, at): (&Stamp, BoxTime),
    ) -> Result<bool, Fault> {
        let Some(accounts) = self.accounts(ground).await? else { return Ok(false) };
        self.buyers(ground, stamp, &accounts).await?;
        self.rows(stamp, (&accounts, store), at).await?;
        let stamp = *stamp;
        let learned = Learned {
            log: ground.log,
            box_id: ground.hub.box_id,
            generation: i64::try_from(ground.generation.0).unwrap_or(i64::MAX),
        };
        self.db.write(move |tx| hub::has_learned(tx, &stamp, &learned)).await?;
        Ok(true)
    }

    /// All accounts of the hub, by slot.
    async fn accounts(
        &mut self,
        ground: &Ground,
    ) -> Result<Option<BTreeMap<SlotKey, Account>>, Fault> {
        let mut all = BTreeMap::new();
        let mut after: Option<SlotKey> = None;
        for _ in 0..PARTS_MAX {
            let up =
                LoansUp { by: None, said: Vec::new(), after: after.clone(), wanting: Vec::new() };
            let LoansDown { said: _, accounts, details: _, more: _ } = self.say(ground, up).await?;
            let Some(Accounts { generation, slots, from, last }) = accounts else {
                return Err(Fault::Receipt);
            };
            if generation != ground.generation {
                return Ok(None);
            }
            let reached = slots.last().map(|(slot, _)| slot.clone());
            if from != after || (!last && reached <= after) {
                return Err(Fault::Receipt);
            }
            all.extend(slots);
            if last {
                return Ok(Some(all));
            }
            after = reached;
        }
        Err(Fault::Receipt)
    }

    /// Asks who bought whatever was sold and is not in the diary.
    async fn buyers(
        &mut self,
        ground: &Ground,
        stamp: &Stamp,
        accounts: &BTreeMap<SlotKey, Account>,
    ) -> Result<(), Fault> {
        let sold = accounts.values().flat_map(|account| &account.past);
        let sold: BTreeSet<BookingId> = sold
            .filter_map(|(_, outcome)| match outcome {
                Outcome::Sold(booking) => Some(*booking),
                Outcome::Unsold | Outcome::Cancelled(_) | Outcome::Unknown => None,
            })
            .collect();
        let of = *stamp;
        let unknown = self.db.read(move |read| {
            let mut unknown = Vec::new();
            for booking in sold {
                if !is_known(read, &of, state::appointment(booking))? {
                    unknown.push(booking);
                }
            }
            Ok(unknown)
        });
        for some in unknown.await?.chunks(DETAILS_MAX) {
            let up = LoansUp { by: None, said: Vec::new(), after: None, wanting: some.to_vec() };
            let LoansDown { said: _, accounts: _, details, more: _ } = self.say(ground, up).await?;
            self.keep(stamp, details).await?;
        }
        Ok(())
    }

    /// Takes the accounts into all rows, and makes rows for what this life of the box never lent.
    async fn rows(
        &self,
        stamp: &Stamp,
        (accounts, store): (&BTreeMap<SlotKey, Account>, u64),
        at: BoxTime,
    ) -> Result<(), Fault> {
        let mut after: Option<LoanId> = None;
        let mut seen = BTreeSet::new();
        loop {
            let found =
                self.db.read(move |read| loan::in_order(read, after, LEARNED_AT_ONCE)).await?;
            let Some(last) = found.last() else { break };
            after = Some(last.id);
            let known: Vec<_> = found
                .iter()
                .map(|row| {
                    let slot = key(row.slot, row.lane);
                    let account = accounts.get(&slot).cloned();
                    seen.insert(slot.clone());
                    (slot, account.unwrap_or_else(|| Account::nothing(store)))
                })
                .collect();
            self.take(stamp, known, at).await?;
        }
        let new: Vec<_> = accounts.iter().filter(|(slot, _)| !seen.contains(*slot)).collect();
        for some in new.chunks(LEARNED_AT_ONCE as usize) {
            let some = some.iter().map(|(slot, account)| ((*slot).clone(), (*account).clone()));
            self.take(stamp, some.collect(), at).await?;
        }
        Ok(())
    }

    /// Takes some accounts in, in one transaction.
    async fn take(
        &self,
        stamp: &Stamp,
        some: Vec<(SlotKey, Account)>,
        at: BoxTime,
    ) -> Result<(), Fault> {
        let stamp = *stamp;
        let taken = self.db.write(move |tx| {
            for (slot, account) in some {
                let Some(place) = parse(&slot) else { continue };
                let Some(row) = state::row(tx, &stamp, place)? else {
                    // The session itself was made after the backup, and is lost with it.
                    lost(tx, &stamp, place.0, &account)?;
                    continue;
                };
                let before = state::lender(tx, &stamp, &row)?;
                let step = before.learn(&account, at);
                match apply(tx, &stamp, "learn", (&row, &before), step)? {
                    Applied::Done(_) => {}
                    // The hub was asked for these, and had nothing: the next turn begins again.
                    Applied::Wanting(_) => return Err(prm::error::Error::Busy),
                }
            }
            Ok(())
        });
        Ok(taken.await?)
    }
}

/// Sales of a session that this box does not know any more become work for the desk.
fn lost(
    tx: &mut prm::db::Tx<'_>,
    stamp: &Stamp,
    slot: prm::id::SlotId,
    account: &Account,
) -> prm::error::Result<()> {
    for (_, outcome) in &account.past {
        if let Outcome::Sold(booking) = outcome {
            let id = state::appointment(*booking);
            let Some(body) = super::apply::bundle(tx, stamp, id)? else { continue };
            if slot.start() > stamp.now {
                let patient = super::buyer::of(tx, stamp, (id, &body))?.patient;
                loan::displace_lost(tx, stamp, slot.start(), (id, patient))?;
            }
            super::apply::forget(tx, stamp, id)?;
        }
    }
    Ok(())
}
