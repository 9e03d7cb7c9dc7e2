//! Speaking with the hub about loans: what is due goes out, what comes back is written.

use std::collections::BTreeSet;

use prm::error::Result as OfRecords;
use prm::id::LoanId;
use prm::loan;
use prm::stamp::Stamp;
use sync_protocol::loan::{BookingId, Epoch, Fence, Generation, Standing, ToBox, ToHub};
use sync_protocol::wire::{DETAILS_MAX, Details, LoansDown, LoansUp, SLOTS_MAX, SlotKey};

use super::apply::{Applied, hear};
use super::{EXCHANGES_MAX, Ground, Loans, key, standing_of, state};
use crate::Fault;
use crate::line::Line;
use crate::sealed;

/// Where loans are spoken of, behind the hub's address.
const LOANS: &str = "/v1/loans";
/// Sales that are looked at because it is not known who bought.
const ASKED_FOR_MAX: u32 = 1_000;
/// Messages that are written in one transaction, so that the desk writes in between.
const WRITTEN_AT_ONCE: usize = 50;

impl<L: Line> Loans<L> {
    /// Says what is due and hears what is due there, until neither has anything left to say. Answers
    /// whether there is more.
    pub(super) async fn speak(&mut self, ground: &Ground, stamp: &Stamp) -> Result<bool, Fault> {
        let standing = standing_of(ground);
        let mut after: Option<LoanId> = None;
        // Of these the hub was asked in this turn.
        let mut asked: BTreeSet<BookingId> = BTreeSet::new();
        let mut wanting: BTreeSet<BookingId> = BTreeSet::new();
        let mut sold: BTreeSet<BookingId> = BTreeSet::new();
        let mut all_said = false;
        for _ in 0..EXCHANGES_MAX {
            let mut said = std::mem::take(&mut self.settled);
            let settled = said.clone();
            if !all_said && said.len() < SLOTS_MAX {
                let room = SLOTS_MAX - said.len();
                let (due, last) = self.due(after, room).await?;
                all_said = last.is_none();
                after = last.or(after);
                said.extend(due);
            }
            wanting.extend(self.unknown_buyers(stamp).await?);
            let names: Vec<BookingId> = wanting
                .iter()
                .filter(|it| !asked.contains(it))
                .take(DETAILS_MAX)
                .copied()
                .collect();
            let up =
                LoansUp { by: Some(ground.generation), said, after: None, wanting: names.clone() };
            let heard = self.say(ground, up).await;
            if heard.is_err() {
                self.settled = settled;
            }
            let LoansDown { said, accounts: _, details, more } = heard?;
            asked.extend(names);
            // What was sold is asked back, which is due from then on.
            for (_, it) in &said {
                if let ToBox::Sale { fence: _, booking } = it
                    && sold.insert(*booking)
                {
                    (all_said, after) = (false, None);
                }
            }
            self.keep(stamp, details).await?;
            self.hear_shown(stamp, standing).await?;
            let Some(fresh) = self.write(stamp, standing, said).await? else { return Ok(false) };
            wanting.extend(fresh.iter().filter(|it| !asked.contains(it)));
            let is_asking = wanting.iter().any(|it| !asked.contains(it));
            // Who bought came with this answer; the return that waited for it is said again.
            let is_told = fresh.iter().any(|it| asked.contains(it));
            if !more && all_said && !is_asking && !is_told && self.settled.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What is due to be said, of rows after one; and the last of them, if there may be more.
    async fn due(
        &self,
        after: Option<LoanId>,
        room: usize,
    ) -> Result<(Vec<(SlotKey, ToHub)>, Option<LoanId>), Fault> {
        // A row has at most a grant, a recall, and a recall for each loan that was overridden.
        let rows = u32::try_from((room / 10).max(1)).unwrap_or(u32::MAX);
        let found = self.db.read(move |read| loan::due(read, after, rows)).await?;
        let is_full = found.len() >= rows as usize;
        let last = found.last().filter(|_| is_full).map(|it| it.id);
        let mut said = Vec::new();
        for row in found {
            let lender = state::kept(&row)?;
            let slot = key(row.slot, row.lane);
            said.extend(lender.outgoing().into_iter().map(|it| (slot.clone(), it)));
        }
        Ok((said, last))
    }

    /// Keeps who bought, as the hub told.
    pub(super) async fn keep(&self, stamp: &Stamp, details: Vec<Details>) -> Result<(), Fault> {
        if details.is_empty() {
            return Ok(());
        }
        let stamp = *stamp;
        let keep = self.db.write(move |tx| {
            for Details { booking, body } in details {
                // What the hub does not know any more is kept as nothing: the sale stands all the same.
                let body = body.unwrap_or_default();
                let id = state::appointment(booking);
                if !super::apply::is_known(tx, &stamp, id)? {
                    loan::keep_details(tx, &stamp, id, &body)?;
                }
            }
            Ok(())
        });
        Ok(keep.await?)
    }

    /// Writes what the hub said, a few slots to a commit. Answers of which sales it is not known who
    /// bought; these were left as they were. None if the box has stopped.
    async fn write(
        &mut self,
        stamp: &Stamp,
        standing: Standing,
        said: Vec<(SlotKey, ToBox)>,
    ) -> Result<Option<BTreeSet<BookingId>>, Fault> {
        let mut wanting = BTreeSet::new();
        let mut rest = said.into_iter().peekable();
        while rest.peek().is_some() {
            let some: Vec<_> = rest.by_ref().take(WRITTEN_AT_ONCE).collect();
            let stamp = *stamp;
            let written = self.db.write(move |tx| {
                let each = some.into_iter().map(|(slot, said)| {
                    let applied = hear(tx, &stamp, standing, (&slot, said))?;
                    Ok((slot, applied))
                });
                each.collect::<OfRecords<Vec<_>>>()
            });
            for (slot, applied) in written.await? {
                match applied {
                    Some(Applied::Done(sent)) => {
                        self.settled.extend(sent.into_iter().map(|it| (slot.clone(), it)));
                    }
                    Some(Applied::Wanting(bookings)) => wanting.extend(bookings),
                    None => return Ok(None),
                }
            }
        }
        Ok(Some(wanting))
    }

    /// Sales of which the box has heard, and not who bought.
    async fn unknown_buyers(&self, stamp: &Stamp) -> Result<Vec<BookingId>, Fault> {
        let of = *stamp;
        let found = self.db.read(move |read| {
            let shown = loan::shown(read, ASKED_FOR_MAX)?.into_iter().map(|it| it.booking);
            let mut unknown = Vec::new();
            for id in loan::wanting(read, ASKED_FOR_MAX)?.into_iter().chain(shown) {
                if !super::apply::is_known(read, &of, id)? {
                    unknown.push(state::booking(id));
                }
            }
            Ok(unknown)
        });
        Ok(found.await?)
    }

    /// Takes what patients showed once it is known who bought.
    async fn hear_shown(&mut self, stamp: &Stamp, standing: Standing) -> Result<(), Fault> {
        let of = *stamp;
        let told = self.db.read(move |read| {
            let mut told = loan::shown(read, ASKED_FOR_MAX)?;
            let mut failed = None;
            told.retain(|it| match super::apply::is_known(read, &of, it.booking) {
                Ok(known) => known,
                Err(error) => {
                    failed = Some(error);
                    false
                }
            });
            failed.map_or(Ok(told), Err)
        });
        for shown in told.await? {
            let slot = SlotKey(shown.slot.clone());
            let number = i64::unsigned_abs;
            let (generation, epoch) = shown.fence;
            let fence =
                Fence { generation: Generation(number(generation)), epoch: Epoch(number(epoch)) };
            let said = ToBox::Sale { fence, booking: state::booking(shown.booking) };
            let applied = self.db.write(move |tx| {
                let applied = hear(tx, &of, standing, (&slot, said))?;
                if let Some(Applied::Done(_)) = applied {
                    loan::forget_confirmation(tx, &of, shown.booking)?;
                }
                Ok(applied)
            });
            applied.await?;
        }
        Ok(())
    }

    /// One message and its answer.
    pub(super) async fn say(&mut self, ground: &Ground, up: LoansUp) -> Result<LoansDown, Fault> {
        let keys = self.keys.keys()?;
        let Ground { hub, log, .. } = ground;
        let envelope = sealed::to_hub((hub, keys), *log, &up)?;
        let answer = self.line.exchange(format!("{}{LOANS}", hub.url), envelope).await?;
        sealed::from_hub::<LoansDown>((hub, keys), *log, &answer).ok_or(Fault::Receipt)
    }
}
