//! What the hub sold: the reference with which the diary, the desk's work and the loans are compared.
//!
//! It knows what a patient knows who holds a confirmation, and nothing of how the two ends agree.

use std::collections::BTreeMap;

use jiff::Timestamp;
use prm::db::Read;
use prm::error::Result;
use prm::id::{AppointmentId, LoanId, SlotId};
use prm::loan::{self, Filter, Loan};
use prm::stamp::Stamp;
use sync_protocol::loan::{BookingId, Fence, Holder, Lender};
use sync_protocol::wire::SlotKey;

use super::acknowledged::Visit;
use super::boxes::BoxEnd;

/// More loans than any story makes.
const LOANS_MAX: u32 = 2_000;
/// More patients than any story displaces.
const DISPLACED_MAX: u32 = 2_000;

/// A confirmed sale.
#[derive(Clone, Debug)]
pub struct Sale {
    pub booking: BookingId,
    pub key: SlotKey,
    pub slot: SlotId,
    pub fence: Fence,
    /// What the patient can show.
    pub confirmation: String,
    /// The patient called it off at the hub.
    pub is_off: bool,
    /// The hub was put back to a copy that does not know of it, or not that it was called off.
    pub hub_forgot: bool,
    /// The box was put back after it, or had been and not learned yet.
    pub box_forgot: bool,
    /// The patient showed the confirmation at a box.
    pub is_shown: bool,
}

impl Sale {
    /// The id that it has in the diary.
    pub fn id(&self) -> AppointmentId {
        AppointmentId::from_bytes(self.booking.0)
    }
}

/// All sales of a story, in their order.
#[derive(Default)]
pub struct Sales {
    pub all: Vec<Sale>,
    /// Slots that were ever on offer, by the order in which they came.
    pub offered: Vec<SlotKey>,
    /// When a loan was first seen away, in ms of the story.
    lent: BTreeMap<(SlotId, Fence), i64>,
    /// There were two boxes of one disk, or a disk that was put back without a new log: what was lent by
    /// the one is not known to the other, and the doc of loans promises nothing.
    pub is_forked: bool,
}

/// What a box knows of a slot.
pub struct Known {
    row: Loan,
    lender: Lender,
}

impl Known {
    /// The slot is the hub's, or a person took it back from a loan that includes this one.
    fn is_kept_for(&self, fence: Fence) -> bool {
        let is_overridden = self.lender.overridden.iter().any(|it| it.fence == fence);
        self.row.is_away || is_overridden
    }

    /// The fence under which the slot is away.
    fn away(&self) -> Option<Fence> {
        match self.lender.holder {
            Holder::Away(_) => Some(self.lender.fence),
            Holder::Here(_) => None,
        }
    }
}

/// What a box knows of all slots that it has lent, and which patients are the desk's work.
pub struct Books {
    pub slots: BTreeMap<SlotId, Known>,
    displaced: Vec<AppointmentId>,
}

impl Books {
    /// Of a box, now.
    pub fn of(read: &Read<'_>, stamp: &Stamp) -> Result<Self> {
        let mut slots = BTreeMap::new();
        for row in loan::in_order(read, None, LOANS_MAX)? {
            let lender = Lender::from_bytes(&row.state).unwrap_or(Lender::NEW);
            slots.insert(row.slot, Known { row, lender });
        }
        let displaced = loan::displaced(read, stamp, None, DISPLACED_MAX)?;
        Ok(Self { slots, displaced: displaced.into_iter().map(|it| it.booking).collect() })
    }

    /// The loans that are away.
    pub fn away(&self) -> Vec<LoanId> {
        self.slots.values().filter(|it| it.row.is_away).map(|it| it.row.id).collect()
    }

    /// Slots that are away and of which the hub is not known to have forgotten them, by their fences.
    pub fn held(&self) -> BTreeMap<SlotId, Fence> {
        let is_forgotten =
            |it: &Known| matches!(it.lender.holder, Holder::Away(loan) if loan.forgotten);
        let held = self.slots.iter().filter(|(_, it)| !is_forgotten(it));
        held.filter_map(|(slot, it)| Some((*slot, it.away()?))).collect()
    }
}

/// All loans of a box that are away.
pub fn away(of: &BoxEnd) -> Vec<LoanId> {
    let stamp = of.stamp();
    let read = |read: &Read<'_>| loan::list(read, &stamp, &Filter::default(), LOANS_MAX);
    of.db.read_blocking(read).unwrap_or_default().into_iter().map(|it| it.id).collect()
}

impl Sales {
    /// The sale of this appointment.
    pub fn of(&self, id: AppointmentId) -> Option<&Sale> {
        self.all.iter().find(|it| it.id() == id)
    }

    /// Whether this is a sale that the patient called off.
    pub fn is_withdrawn(&self, visit: &Visit) -> bool {
        self.of(visit.id).is_some_and(|it| it.is_off)
    }

    /// Notes when each loan was first seen to be away.
    pub fn see(&mut self, books: &Books, now_ms: i64) {
        for (slot, known) in &books.slots {
            if let Some(fence) = known.away() {
                self.lent.entry((*slot, fence)).or_insert(now_ms);
            }
        }
    }

    /// A sale is made: why it may not be, or nothing. `books` are those of the one box there is.
    pub fn add(
        &mut self,
        sale: Sale,
        books: Option<&Books>,
        (now_ms, wall): (i64, Timestamp),
        (term_ms, cutoff_ms): (i64, i64),
    ) -> Option<String> {
        let Sale { slot, fence, .. } = sale;
        let mut wrong = None;
        if let Some(twice) = self.all.iter().find(|it| it.slot == slot && it.fence == fence) {
            wrong = Some(format!("one loan is sold twice: {twice:?} and {sale:?}"));
        }
        if wall.as_millisecond() >= slot.start().as_millisecond() - cutoff_ms {
            wrong = Some(format!("after its time, {wall}: {sale:?}"));
        }
        if let Some(lent) = self.lent.get(&(slot, fence))
            && now_ms >= lent + term_ms
        {
            wrong = Some(format!("{} ms after it was lent: {sale:?}", now_ms - lent));
        }
        if let Some(books) = books {
            let away = books.slots.get(&slot).and_then(Known::away);
            if away != Some(fence) {
                wrong = Some(format!("the box lent it as {away:?}: {sale:?}"));
            }
        }
        self.all.push(sale);
        wrong.filter(|_| !self.is_forked)
    }

    /// Why a box that is not in the dark would give away what was sold, or nothing. `in_diary` says what is in
    /// its diary.
    pub fn given_away(
        &self,
        books: &Books,
        in_diary: impl Fn(AppointmentId) -> bool,
    ) -> Option<String> {
        let is_known = |it: &&Sale| !it.hub_forgot || !it.box_forgot;
        let open = self.all.iter().filter(|it| !it.is_off).filter(is_known);
        let mut open = open.filter(|it| !in_diary(it.id()) && !books.displaced.contains(&it.id()));
        open.find_map(|sale| {
            let known = books.slots.get(&sale.slot);
            let is_kept = known.is_some_and(|it| it.is_kept_for(sale.fence));
            (!is_kept).then(|| format!("{sale:?}"))
        })
    }

    /// In the end each sale is in the diary or is work for the desk, unless the hub has forgotten it;
    /// what was called off is neither. Why not, or nothing.
    pub fn lost(
        &self,
        books: &Books,
        stands: impl Fn(AppointmentId) -> Option<bool>,
    ) -> Option<String> {
        self.all.iter().filter(|it| !it.hub_forgot && !it.is_shown).find_map(|sale| {
            let is_work = books.displaced.contains(&sale.id());
            match stands(sale.id()) {
                Some(true) if sale.is_off => Some(format!("was called off and stands: {sale:?}")),
                _ if sale.is_off && is_work => Some(format!("was called off, is work: {sale:?}")),
                None if !sale.is_off && !is_work => Some(format!("is lost: {sale:?}")),
                Some(_) | None => None,
            }
        })
    }

    /// The hub is put back to a copy of when these were its sales.
    pub fn hub_restored(&mut self, then: &[(BookingId, bool)]) {
        for sale in &mut self.all {
            if !then.contains(&(sale.booking, sale.is_off)) {
                sale.hub_forgot = true;
            }
        }
    }

    /// What a copy of the hub knows.
    pub fn known(&self) -> Vec<(BookingId, bool)> {
        self.all.iter().filter(|it| !it.hub_forgot).map(|it| (it.booking, it.is_off)).collect()
    }
}
