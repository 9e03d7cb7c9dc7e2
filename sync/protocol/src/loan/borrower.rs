//! The hub's end of the loans of one slot.

use minicbor::{Decode, Encode};

use super::clock::{HubTime, Nonce, may_sell};
use super::{
    Account, BookingId, Effect, Fence, Generation, Outcome, PAST_MAX, Refusal, Step, Terms, ToBox,
    ToHub,
};

/// What the hub keeps about one slot. A slot without a row is [`Borrower::NEW`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Borrower {
    /// The highest fence ever seen of this slot.
    #[n(0)]
    pub fence: Fence,
    /// The loan that the hub owns, under that fence.
    #[n(1)]
    pub holding: Option<Holding>,
    /// Loans that are over, oldest first: those that the box has not settled, and for good those
    /// that were sold or are unknown, because a restored box will ask.
    #[n(2)]
    pub past: Vec<Past>,
}

/// A slot that the hub owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Holding {
    /// What was granted.
    #[n(0)]
    pub terms: Terms,
    /// The one sale of this loan.
    #[n(1)]
    pub sale: Option<BookingId>,
}

/// A loan that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Past {
    /// Which.
    #[n(0)]
    pub fence: Fence,
    /// How it ended.
    #[n(1)]
    pub outcome: Outcome,
    /// The box said that it knows.
    #[n(2)]
    pub settled: bool,
}

impl Borrower {
    /// A slot that was never lent to the hub.
    pub const NEW: Self = Self { fence: Fence::NONE, holding: None, past: Vec::new() };

    /// The bytes that a program keeps.
    pub fn to_bytes(&self) -> Vec<u8> {
        super::to_bytes(self)
    }

    /// What [`Borrower::to_bytes`] wrote; none if these bytes are something else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        minicbor::decode(bytes).ok()
    }

    /// Sells the slot (rule 5). The patient is told after the commit, with a signed receipt.
    ///
    /// # Errors
    /// [`Refusal::NotLent`], [`Refusal::Booked`], [`Refusal::Over`], [`Refusal::Unsettled`].
    pub fn sell(&self, booking: BookingId, now: HubTime) -> Result<Step<Self, ToBox>, Refusal> {
        let holding = self.holding.ok_or(Refusal::NotLent)?;
        if holding.sale.is_some() {
            return Err(Refusal::Booked);
        }
        if !holding.may_sell(now) {
            return Err(Refusal::Over);
        }
        let is_open = |past: &Past| !past.settled && matches!(past.outcome, Outcome::Sold(_));
        if self.past.iter().any(is_open) {
            return Err(Refusal::Unsettled);
        }
        let state =
            Self { holding: Some(Holding { sale: Some(booking), ..holding }), ..self.clone() };
        let notice = ToBox::Sale { fence: self.fence, booking };
        Ok(Step { state, effects: vec![Effect::Send(notice)] })
    }

    /// The patient cancels at the hub while the hub owns the slot (rule 10). The loan is over with
    /// that: it is sold at most once, so two receipts of one loan prove a fault.
    ///
    /// # Errors
    /// [`Refusal::NotLent`], [`Refusal::OtherBooking`].
    pub fn cancel(&self, booking: BookingId) -> Result<Self, Refusal> {
        let holding = self.holding.ok_or(Refusal::NotLent)?;
        if holding.sale != Some(booking) {
            return Err(Refusal::OtherBooking);
        }
        Ok(self.given_back(Outcome::Cancelled(booking)))
    }

    /// Gives the slot back, whether or not it was sold (rule 7).
    ///
    /// # Errors
    /// [`Refusal::NotLent`].
    pub fn give_back(&self) -> Result<Self, Refusal> {
        let holding = self.holding.ok_or(Refusal::NotLent)?;
        Ok(self.given_back(holding.outcome()))
    }

    /// Whether the loan has to be given back now because nothing can be sold under it any more.
    pub fn is_over(&self, now: HubTime) -> bool {
        self.holding.is_some_and(|holding| !holding.may_sell(now))
    }

    /// Takes in what the box said; `by` is the generation that says it, `living` the one that the
    /// hub listens to.
    ///
    /// # Errors
    /// [`Refusal::OldGeneration`]; nothing is answered then.
    pub fn hear(
        &self,
        by: Generation,
        living: Generation,
        said: ToHub,
        now: HubTime,
    ) -> Result<Step<Self, ToBox>, Refusal> {
        if by != living {
            return Err(Refusal::OldGeneration);
        }
        Ok(match said {
            ToHub::Grant { fence, terms } => self.granted(fence, terms, now),
            ToHub::Recall { fence, nonce } => self.recalled(fence, nonce, now),
            ToHub::Settled { fence } => Step { state: self.settled(fence), effects: Vec::new() },
        })
    }

    /// A new generation of the box has begun: what was held of the old one is over (rule 13).
    pub fn renew(&self) -> Self {
        self.give_back().unwrap_or_else(|_| self.clone())
    }

    /// What a box of a new generation has to know; after [`Borrower::renew`].
    pub fn account(&self, store: u64) -> Account {
        let kept = |past: &&Past| matches!(past.outcome, Outcome::Sold(_) | Outcome::Unknown);
        let past = self.past.iter().filter(kept).map(|past| (past.fence, past.outcome)).collect();
        Account { fence: self.fence, store, past }
    }

    /// The hub's database was restored from a backup: what it held then may have been sold since.
    pub fn restored(&self) -> Self {
        match self.holding {
            None => self.clone(),
            Some(Holding { sale: Some(booking), terms: _ }) => {
                self.given_back(Outcome::Sold(booking))
            }
            Some(Holding { sale: None, terms: _ }) => self.given_back(Outcome::Unknown),
        }
    }

    /// What the box still has to hear. To be sent, again and again with growing pauses, until it is
    /// no longer in here.
    pub fn outgoing(&self) -> Vec<ToBox> {
        let due = |past: &Past| ToBox::Return { fence: past.fence, outcome: past.outcome };
        self.past.iter().filter(|past| !past.settled).map(due).collect()
    }

    fn granted(&self, fence: Fence, terms: Terms, now: HubTime) -> Step<Self, ToBox> {
        if fence <= self.fence {
            return self.repeated(fence, terms.nonce, now);
        }
        let mut state = self.superseded(fence);
        if terms.nonce.store == now.nonce.store && state.past.len() < PAST_MAX {
            state.holding = Some(Holding { terms, sale: None });
            return Step { state, effects: vec![Effect::Send(ToBox::Taken { fence })] };
        }
        state.refuse(fence, terms.nonce, now);
        Step { state, effects: Vec::new() }
    }

    fn recalled(&self, fence: Fence, nonce: Nonce, now: HubTime) -> Step<Self, ToBox> {
        if fence > self.fence {
            // The grant never came; now it may not be taken any more.
            let mut state = self.superseded(fence);
            state.refuse(fence, nonce, now);
            return Step { state, effects: Vec::new() };
        }
        if self.holding.is_some() && fence == self.fence {
            return Step { state: self.renew(), effects: Vec::new() };
        }
        self.repeated(fence, nonce, now)
    }

    /// An answer about a loan of the past or present; nothing changes.
    fn repeated(&self, fence: Fence, nonce: Nonce, now: HubTime) -> Step<Self, ToBox> {
        let answer = if self.holding.is_some() && fence == self.fence {
            ToBox::Taken { fence }
        } else {
            let past = self.past.iter().find(|past| past.fence == fence).map(|past| past.outcome);
            ToBox::Return { fence, outcome: past.unwrap_or(silence(nonce, now)) }
        };
        Step { state: self.clone(), effects: vec![Effect::Send(answer)] }
    }

    /// A higher fence is known, and what was held under the lower one is on its way back (rule 4).
    fn superseded(&self, fence: Fence) -> Self {
        Self { fence, ..self.renew() }
    }

    /// The loan is over before it began.
    fn refuse(&mut self, fence: Fence, nonce: Nonce, now: HubTime) {
        self.past.push(Past { fence, outcome: silence(nonce, now), settled: false });
    }

    fn given_back(&self, outcome: Outcome) -> Self {
        let mut past = self.past.clone();
        past.push(Past { fence: self.fence, outcome, settled: false });
        Self { fence: self.fence, holding: None, past }
    }

    fn settled(&self, fence: Fence) -> Self {
        let mut state = self.clone();
        state.past.retain_mut(|past| {
            if past.fence != fence {
                return true;
            }
            past.settled = true;
            match past.outcome {
                Outcome::Sold(_) | Outcome::Unknown => true,
                Outcome::Unsold | Outcome::Cancelled(_) => false,
            }
        });
        state
    }
}

impl Holding {
    fn may_sell(&self, now: HubTime) -> bool {
        may_sell(self.terms.nonce, self.terms.term_ms, now.nonce)
            && now.wall_ms < self.terms.sell_until_ms
    }

    fn outcome(&self) -> Outcome {
        self.sale.map_or(Outcome::Unsold, Outcome::Sold)
    }
}

/// How a loan ended of which this database holds nothing: unsold, unless it was granted to the
/// database that this one was restored in place of.
fn silence(nonce: Nonce, now: HubTime) -> Outcome {
    if nonce.store == now.nonce.store { Outcome::Unsold } else { Outcome::Unknown }
}
