//! The box's end of the loans of one slot.

use minicbor::{Decode, Encode};

use super::clock::{BoxTime, Nonce, wait_left_ms};
use super::{
    Account, BookingId, Effect, Fence, Generation, OVERRIDDEN_MAX, Outcome, Refusal, Step,
    TERM_MS_MAX, Terms, ToBox, ToHub,
};
use crate::lineage::LogId;

/// Whether this box may book and lend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Yes, in this generation.
    Living(Generation),
    /// Not yet: it asked the hub, under the id of its new log, what was sold meanwhile.
    Learning(LogId),
}

impl Standing {
    fn generation(self) -> Result<Generation, Refusal> {
        match self {
            Self::Living(generation) => Ok(generation),
            Self::Learning(_) => Err(Refusal::Unlearned),
        }
    }
}

/// What the box keeps about one slot. A slot without a row is [`Lender::NEW`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Lender {
    /// The newest loan or override.
    #[n(0)]
    pub fence: Fence,
    /// Who owns the slot.
    #[n(1)]
    pub holder: Holder,
    /// Loans that a person ended and of which the return is still to come.
    #[n(2)]
    pub overridden: Vec<Overridden>,
}

/// Who owns a slot, as the box knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Holder {
    /// The box, with the booking in it.
    #[n(0)]
    Here(#[cbor(n(0))] Option<BookingId>),
    /// The hub, under the fence of the row.
    #[n(1)]
    Away(#[cbor(n(0))] Loan),
}

/// A loan that is not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Loan {
    /// What was granted.
    #[n(0)]
    pub terms: Terms,
    /// When it was lent.
    #[n(1)]
    pub lent: BoxTime,
    /// The hub said that it has the grant.
    #[n(2)]
    pub taken: bool,
    /// The hub was restored since: that it took the grant counts for nothing, only the return does.
    #[n(3)]
    pub doubted: bool,
    /// The box wants the slot back.
    #[n(4)]
    pub recalled: bool,
    /// The sale that the hub or the patient told of; the return has the last word.
    #[n(5)]
    pub sale: Option<BookingId>,
    /// The hub was restored and does not know what it sold: only a person frees the slot.
    #[n(6)]
    pub forgotten: bool,
}

/// A loan that a person ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Overridden {
    /// Which.
    #[n(0)]
    pub fence: Fence,
    /// The nonce of its grant.
    #[n(1)]
    pub nonce: Nonce,
    /// The hub answered that it does not know; a patient may still come with a receipt.
    #[n(2)]
    pub unknown: bool,
    /// What became of its sale, if it is known.
    #[n(3)]
    pub ruling: Option<Ruling>,
}

/// What became of a sale that came to light after an override.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Ruling {
    /// It got the slot.
    #[n(0)]
    Adopted(#[cbor(n(0))] BookingId),
    /// The slot was not free.
    #[n(1)]
    Displaced(#[cbor(n(0))] BookingId),
}

impl Lender {
    /// A slot that was never lent and is free.
    pub const NEW: Self =
        Self { fence: Fence::NONE, holder: Holder::Here(None), overridden: Vec::new() };

    /// The bytes that a program keeps.
    pub fn to_bytes(&self) -> Vec<u8> {
        super::to_bytes(self)
    }

    /// What [`Lender::to_bytes`] wrote; none if these bytes are something else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        minicbor::decode(bytes).ok()
    }

    /// Books the slot, which the box must own (rule 1).
    ///
    /// # Errors
    /// [`Refusal::Unlearned`], [`Refusal::Lent`], [`Refusal::Booked`].
    pub fn book(&self, standing: Standing, booking: BookingId) -> Result<Self, Refusal> {
        standing.generation()?;
        self.free()?;
        Ok(Self { holder: Holder::Here(Some(booking)), ..self.clone() })
    }

    /// Frees the slot of this booking, which the box must own (rule 10).
    ///
    /// # Errors
    /// [`Refusal::Lent`], [`Refusal::OtherBooking`].
    pub fn cancel(&self, booking: BookingId) -> Result<Self, Refusal> {
        match self.holder {
            Holder::Away(_) => Err(Refusal::Lent),
            Holder::Here(Some(held)) if held == booking => {
                Ok(Self { holder: Holder::Here(None), ..self.clone() })
            }
            Holder::Here(_) => Err(Refusal::OtherBooking),
        }
    }

    /// Lends a free slot (rule 2).
    ///
    /// # Errors
    /// [`Refusal::Unlearned`], [`Refusal::Lent`], [`Refusal::Booked`], [`Refusal::Term`],
    /// [`Refusal::Exhausted`].
    pub fn lend(&self, standing: Standing, terms: Terms, now: BoxTime) -> Result<Self, Refusal> {
        let generation = standing.generation()?;
        self.free()?;
        if !(1..=TERM_MS_MAX).contains(&terms.term_ms) {
            return Err(Refusal::Term);
        }
        let loan = Loan {
            terms,
            lent: now,
            taken: false,
            doubted: false,
            recalled: false,
            sale: None,
            forgotten: false,
        };
        Ok(Self {
            fence: self.fence.next(generation)?,
            holder: Holder::Away(loan),
            overridden: self.overridden.clone(),
        })
    }

    /// Asks for the slot back.
    ///
    /// # Errors
    /// [`Refusal::NotLent`].
    pub fn recall(&self) -> Result<Self, Refusal> {
        match self.holder {
            Holder::Here(_) => Err(Refusal::NotLent),
            Holder::Away(loan) => {
                Ok(Self { holder: Holder::Away(Loan { recalled: true, ..loan }), ..self.clone() })
            }
        }
    }

    /// Takes the slot without the hub (rule 12). Whoever asks is a person with the right to it, and
    /// the audit says so. A sale that is known gets the slot.
    ///
    /// # Errors
    /// [`Refusal::Unlearned`], [`Refusal::NotLent`], [`Refusal::NotYet`], [`Refusal::Exhausted`].
    pub fn override_loan(
        &self,
        standing: Standing,
        now: BoxTime,
    ) -> Result<Step<Self, ToHub>, Refusal> {
        let generation = standing.generation()?;
        let Holder::Away(loan) = self.holder else { return Err(Refusal::NotLent) };
        let left_ms = wait_left_ms(loan.lent, loan.terms.term_ms, now);
        if left_ms > 0 {
            return Err(Refusal::NotYet { left_ms });
        }
        if self.overridden.len() >= OVERRIDDEN_MAX {
            return Err(Refusal::Exhausted);
        }
        let mut overridden = self.overridden.clone();
        overridden.push(Overridden {
            fence: self.fence,
            nonce: loan.terms.nonce,
            unknown: loan.forgotten,
            ruling: loan.sale.map(Ruling::Adopted),
        });
        let state = Self {
            fence: self.fence.next(generation)?,
            holder: Holder::Here(loan.sale),
            overridden,
        };
        Ok(Step { state, effects: loan.sale.into_iter().map(Effect::Adopt).collect() })
    }

    /// Takes in what the hub said, or what the signed receipt of a patient says (as
    /// [`ToBox::Sale`]). What does not concern the present state changes nothing.
    ///
    /// # Errors
    /// [`Refusal::Unlearned`]: the hub says it again until this box has learned.
    pub fn hear(&self, standing: Standing, said: ToBox) -> Result<Step<Self, ToHub>, Refusal> {
        standing.generation()?;
        let mut next = Changed { state: self.clone(), effects: Vec::new() };
        match said {
            ToBox::Taken { fence } => {
                if let Some(loan) = next.away(fence) {
                    loan.taken = true;
                }
            }
            ToBox::Sale { fence, booking } => next.sale(fence, booking),
            ToBox::Return { fence, outcome } => {
                if next.away(fence).is_some() {
                    next.settle(outcome);
                } else {
                    next.late(fence, outcome);
                }
                next.effects.push(Effect::Send(ToHub::Settled { fence }));
            }
        }
        Ok(next.step())
    }

    /// The hub's nonces come from another database than when the slot was lent: it was restored,
    /// and may not know this loan. The grant is due again, so that the hub says what it knows.
    pub fn hub_changed(&self, store: u64) -> Self {
        match self.holder {
            Holder::Away(loan) if loan.terms.nonce.store != store && !loan.forgotten => {
                Self { holder: Holder::Away(Loan { doubted: true, ..loan }), ..self.clone() }
            }
            Holder::Away(_) | Holder::Here(_) => self.clone(),
        }
    }

    /// A box of a new generation takes over what the hub knows (rule 13). To be done for all slots,
    /// with [`Account::nothing`] for those that the hub did not name, before the box is
    /// [`Standing::Living`].
    pub fn learn(&self, account: &Account, now: BoxTime) -> Step<Self, ToHub> {
        let known = |fence| account.past.iter().find(|(past, _)| *past == fence).map(|it| it.1);
        let mut next = Changed { state: self.clone(), effects: Vec::new() };
        if let Holder::Away(loan) = self.holder {
            // Not sold, as far as the hub can know; it cannot if it was restored meanwhile.
            let is_lost = loan.terms.nonce.store != account.store;
            let silence = if is_lost { Outcome::Unknown } else { Outcome::Unsold };
            next.settle(known(self.fence).unwrap_or(silence));
        }
        for entry in &self.overridden {
            let is_lost = entry.nonce.store != account.store;
            let silence = if is_lost { Outcome::Unknown } else { Outcome::Unsold };
            next.late(entry.fence, known(entry.fence).unwrap_or(silence));
        }
        // What the backup never saw, newest first: the newest sale is the likeliest to stand.
        for (fence, outcome) in account.past.iter().rev().filter(|(past, _)| *past > self.fence) {
            match outcome {
                Outcome::Sold(booking) => {
                    next.rule(*booking);
                }
                Outcome::Unknown => next.hold(*fence, account, now),
                Outcome::Unsold | Outcome::Cancelled(_) => {}
            }
        }
        next.state.fence = next.state.fence.max(account.fence);
        next.step()
    }

    /// What the hub still has to hear. To be sent, again and again with growing pauses, until it is
    /// no longer in here.
    pub fn outgoing(&self) -> Vec<ToHub> {
        let mut due = Vec::new();
        if let Holder::Away(loan) = self.holder {
            let fence = self.fence;
            if (!loan.taken || loan.doubted) && !loan.forgotten {
                due.push(ToHub::Grant { fence, terms: loan.terms });
            }
            if loan.recalled && !loan.forgotten {
                due.push(ToHub::Recall { fence, nonce: loan.terms.nonce });
            }
        }
        due.extend(
            self.overridden
                .iter()
                .filter(|entry| !entry.unknown)
                .map(|entry| ToHub::Recall { fence: entry.fence, nonce: entry.nonce }),
        );
        due
    }

    fn free(&self) -> Result<(), Refusal> {
        match self.holder {
            Holder::Away(_) => Err(Refusal::Lent),
            Holder::Here(Some(_)) => Err(Refusal::Booked),
            Holder::Here(None) => Ok(()),
        }
    }
}

/// A state on its way to the next one.
struct Changed {
    state: Lender,
    effects: Vec<Effect<ToHub>>,
}

impl Changed {
    fn step(self) -> Step<Lender, ToHub> {
        Step { state: self.state, effects: self.effects }
    }

    /// The loan with this fence, if it is the one that is out (rule 8).
    fn away(&mut self, fence: Fence) -> Option<&mut Loan> {
        match &mut self.state.holder {
            Holder::Away(loan) if self.state.fence == fence => Some(loan),
            Holder::Away(_) | Holder::Here(_) => None,
        }
    }

    fn sale(&mut self, fence: Fence, booking: BookingId) {
        if let Some(loan) = self.away(fence) {
            loan.sale = Some(booking);
            if loan.forgotten {
                self.settle(Outcome::Sold(booking));
            }
            return;
        }
        let found = self.state.overridden.iter().position(|entry| entry.fence == fence);
        if let Some(at) = found.filter(|at| self.state.overridden[*at].ruling.is_none()) {
            let ruling = self.rule(booking);
            self.state.overridden[at].ruling = Some(ruling);
        }
    }

    /// The return of the loan that is out.
    fn settle(&mut self, outcome: Outcome) {
        let Holder::Away(loan) = &mut self.state.holder else { return };
        let sold = match outcome {
            Outcome::Sold(booking) => Some(booking),
            Outcome::Unsold | Outcome::Cancelled(_) => None,
            Outcome::Unknown => {
                loan.forgotten = true;
                if loan.sale.is_none() {
                    return;
                }
                loan.sale
            }
        };
        self.state.holder = Holder::Here(sold);
        self.effects.extend(sold.map(Effect::Adopt));
    }

    /// The return of a loan that a person ended; of any other it is a repetition.
    fn late(&mut self, fence: Fence, outcome: Outcome) {
        let found = self.state.overridden.iter().position(|entry| entry.fence == fence);
        let Some(at) = found else { return };
        let entry = self.state.overridden[at];
        match (outcome, entry.ruling) {
            (Outcome::Unknown, _) => {
                self.state.overridden[at].unknown = true;
                return;
            }
            (Outcome::Sold(sold), Some(Ruling::Adopted(ruled) | Ruling::Displaced(ruled)))
                if sold == ruled => {}
            (Outcome::Sold(sold), _) => {
                self.rule(sold);
            }
            (Outcome::Cancelled(gone), Some(Ruling::Adopted(ruled) | Ruling::Displaced(ruled)))
                if gone == ruled =>
            {
                if self.state.holder == Holder::Here(Some(gone)) {
                    self.state.holder = Holder::Here(None);
                }
                self.effects.push(Effect::Withdraw(gone));
            }
            (Outcome::Cancelled(_) | Outcome::Unsold, _) => {}
        }
        self.state.overridden.remove(at);
    }

    /// A sale comes to light although the slot is not out under it any more.
    fn rule(&mut self, booking: BookingId) -> Ruling {
        match self.state.holder {
            Holder::Here(Some(held)) if held == booking => Ruling::Adopted(booking),
            Holder::Here(None) => {
                self.state.holder = Holder::Here(Some(booking));
                self.effects.push(Effect::Adopt(booking));
                Ruling::Adopted(booking)
            }
            Holder::Here(Some(_)) | Holder::Away(_) => {
                self.effects.push(Effect::Displace(booking));
                Ruling::Displaced(booking)
            }
        }
    }

    /// Box and hub were both restored: nobody knows whether the slot was sold under this fence.
    fn hold(&mut self, fence: Fence, account: &Account, now: BoxTime) {
        let nonce = Nonce { store: account.store, boot: 0, at_ms: 0 };
        if fence == account.fence && self.state.holder == Holder::Here(None) {
            let terms = Terms { nonce, term_ms: TERM_MS_MAX, sell_until_ms: 0 };
            self.state.fence = fence;
            self.state.holder = Holder::Away(Loan {
                terms,
                lent: now,
                taken: true,
                doubted: false,
                recalled: false,
                sale: None,
                forgotten: true,
            });
        } else if self.state.overridden.len() < OVERRIDDEN_MAX {
            let entry = Overridden { fence, nonce, unknown: true, ruling: None };
            self.state.overridden.push(entry);
        }
    }
}
