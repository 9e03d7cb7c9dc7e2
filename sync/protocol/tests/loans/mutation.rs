//! The rules, taken out one at a time: each variant changes what the code of production is given
//! or what becomes of its answer, and names the invariant that notices.

use sync_protocol::lineage::LogId;
use sync_protocol::loan::clock::{BoxTime, HubTime, wait_left_ms};
use sync_protocol::loan::{
    Account, BookingId, Borrower, Effect, Fence, Generation, Holder, Holding, Lender, Refusal,
    Standing, Step, ToBox, ToHub,
};

use super::world::{Bounds, Hub, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// Rule 1.
    BookedWithoutOwning,
    /// Rule 2.
    GrantSentBeforeTheCommit,
    /// Rule 3.
    GrantTakenWhateverItsFence,
    /// Rule 3: a recall that overtakes its grant leaves no trace.
    RecallLeavesNoTrace,
    /// Rule 4.
    OverwrittenWithoutReturn,
    /// Rule 5: sold after the term.
    SoldAfterTheTerm,
    /// Rule 5: sold under every loan as often as asked.
    SoldTwiceUnderOneLoan,
    /// Rule 6.
    NoticeTakenForTheReturn,
    /// Rule 7.
    SoldAfterTheReturn,
    /// Rule 7: the return is sent once and not kept.
    ReturnSentOnce,
    /// Rule 8.
    ReturnTakenWhateverItsFence,
    /// Rule 8: said to be settled before it is written.
    SettledBeforeTheCommit,
    /// Rule 10.
    CancelledByTheOther,
    /// The trap: the term is over, so the slot is free.
    FreedByTheClock,
    /// Rule 11: no wait before the override.
    OverrideWithoutWait,
    /// Rule 11: the time before a reboot is believed to have passed.
    RebootEndsTheWait,
    /// Rule 12: the overridden loan is forgotten.
    OverrideForgetsTheLoan,
    /// Rule 12: the hub says nothing about loans that it never had.
    OldLoanUnanswered,
    /// Rule 12: a repeated return is a task again.
    DisplacedAgain,
    /// Rule 13: a restored box goes on as if nothing had happened.
    RestoredWithoutLearning,
    /// Rule 13: a restored box hears the account and does not believe it.
    LearnedNothing,
    /// Rule 13: the old generation is still heard.
    OldGenerationHeard,
    /// A restored hub goes on as if nothing had happened.
    HubRestoredUnnoticed,
}

const ONE: &str = "I1 one booking for each slot";
const OWNER: &str = "I2 one owner";
const KNOWN: &str = "I3 every booking is known";
const EPOCHS: &str = "I4 epochs grow";
const SETTLES: &str = "I5 every sale reaches the box";
const OVERRIDE: &str = "I6 an override ends a loan";

impl Mutation {
    pub const ALL: [Self; 23] = [
        Self::BookedWithoutOwning,
        Self::GrantSentBeforeTheCommit,
        Self::GrantTakenWhateverItsFence,
        Self::RecallLeavesNoTrace,
        Self::OverwrittenWithoutReturn,
        Self::SoldAfterTheTerm,
        Self::SoldTwiceUnderOneLoan,
        Self::NoticeTakenForTheReturn,
        Self::SoldAfterTheReturn,
        Self::ReturnSentOnce,
        Self::ReturnTakenWhateverItsFence,
        Self::SettledBeforeTheCommit,
        Self::CancelledByTheOther,
        Self::FreedByTheClock,
        Self::OverrideWithoutWait,
        Self::RebootEndsTheWait,
        Self::OverrideForgetsTheLoan,
        Self::OldLoanUnanswered,
        Self::DisplacedAgain,
        Self::RestoredWithoutLearning,
        Self::LearnedNothing,
        Self::OldGenerationHeard,
        Self::HubRestoredUnnoticed,
    ];

    /// The invariant that breaks.
    pub fn caught_by(self) -> &'static str {
        match self {
            Self::BookedWithoutOwning
            | Self::GrantTakenWhateverItsFence
            | Self::RecallLeavesNoTrace
            | Self::SoldTwiceUnderOneLoan
            | Self::FreedByTheClock
            | Self::RestoredWithoutLearning
            | Self::HubRestoredUnnoticed => ONE,
            Self::GrantSentBeforeTheCommit
            | Self::NoticeTakenForTheReturn
            | Self::SoldAfterTheReturn
            | Self::ReturnTakenWhateverItsFence
            | Self::CancelledByTheOther
            | Self::OldGenerationHeard => OWNER,
            Self::OverwrittenWithoutReturn
            | Self::ReturnSentOnce
            | Self::SettledBeforeTheCommit
            | Self::OverrideForgetsTheLoan => KNOWN,
            Self::OldLoanUnanswered => SETTLES,
            Self::LearnedNothing => EPOCHS,
            Self::SoldAfterTheTerm
            | Self::OverrideWithoutWait
            | Self::RebootEndsTheWait
            | Self::DisplacedAgain => OVERRIDE,
        }
    }

    /// The smallest bounds that show it.
    pub fn bounds(self) -> Bounds {
        let quiet = Bounds { epochs: 3, bookings: 3, ..Bounds::QUIET };
        let overrides = Bounds { overrides: true, ticks: 1, ..quiet };
        match self {
            Self::BookedWithoutOwning
            | Self::GrantSentBeforeTheCommit
            | Self::GrantTakenWhateverItsFence
            | Self::SoldTwiceUnderOneLoan
            | Self::NoticeTakenForTheReturn
            | Self::SoldAfterTheReturn
            | Self::ReturnSentOnce
            | Self::SettledBeforeTheCommit
            | Self::ReturnTakenWhateverItsFence
            | Self::CancelledByTheOther => Bounds { cancels: true, ..quiet },
            Self::RecallLeavesNoTrace => Bounds { recalls: true, ..quiet },
            Self::FreedByTheClock => Bounds { ticks: 1, ..quiet },
            Self::RebootEndsTheWait => Bounds { reboots: 1, ..overrides },
            Self::OverwrittenWithoutReturn
            | Self::SoldAfterTheTerm
            | Self::OverrideWithoutWait
            | Self::OverrideForgetsTheLoan
            | Self::OldLoanUnanswered
            | Self::DisplacedAgain => overrides,
            Self::RestoredWithoutLearning | Self::LearnedNothing | Self::OldGenerationHeard => {
                Bounds { restores: 1, ..quiet }
            }
            Self::HubRestoredUnnoticed => Bounds { hub_restores: 1, ..quiet },
        }
    }
}

/// The verbs as the model calls them: the code of production, unless a rule is taken out.
impl World {
    fn lacks(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    pub fn book(&self, row: &Lender, standing: Standing, booking: BookingId) -> Option<Lender> {
        match row.book(standing, booking) {
            Err(Refusal::Lent) if self.lacks(Mutation::BookedWithoutOwning) => Some(row.clone()),
            Err(Refusal::Lent)
                if self.lacks(Mutation::FreedByTheClock) && self.bounds.ticks == 1 =>
            {
                Some(Lender { holder: Holder::Here(Some(booking)), ..row.clone() })
            }
            booked => booked.ok(),
        }
    }

    pub fn cancel(&self, row: &Lender) -> Option<(Lender, BookingId)> {
        match row.holder {
            Holder::Here(held) => Some((row.cancel(held?).ok()?, held?)),
            Holder::Away(loan) if self.lacks(Mutation::CancelledByTheOther) => {
                Some((Lender { holder: Holder::Here(None), ..row.clone() }, loan.sale?))
            }
            Holder::Away(_) => None,
        }
    }

    pub fn waited(&self, now: BoxTime, row: &Lender) -> BoxTime {
        let Holder::Away(loan) = row.holder else { return now };
        let is_rebooted = now.boot != loan.lent.boot && self.lacks(Mutation::RebootEndsTheWait);
        if is_rebooted || self.lacks(Mutation::OverrideWithoutWait) {
            let left = wait_left_ms(loan.lent, loan.terms.term_ms, now);
            return BoxTime { at_ms: now.at_ms + left, ..now };
        }
        now
    }

    pub fn overrode(&self, row: Lender) -> Lender {
        if self.lacks(Mutation::OverrideForgetsTheLoan) {
            return Lender { overridden: Vec::new(), ..row };
        }
        row
    }

    pub fn in_time(&self, now: HubTime, row: &Borrower) -> HubTime {
        match row.holding {
            Some(holding) if self.lacks(Mutation::SoldAfterTheTerm) => {
                HubTime { nonce: holding.terms.nonce, ..now }
            }
            Some(_) | None => now,
        }
    }

    pub fn before_sale(&self, row: &Borrower) -> Borrower {
        let forgets = self.lacks(Mutation::SoldTwiceUnderOneLoan);
        let unsold = |holding: Holding| Holding { sale: None, ..holding };
        Borrower {
            holding: if forgets { row.holding.map(unsold) } else { row.holding },
            ..row.clone()
        }
    }

    pub fn given_back(&self, row: &Borrower) -> Option<Borrower> {
        let mut next = row.give_back().ok()?;
        if self.lacks(Mutation::SoldAfterTheReturn) && row.holding?.sale.is_none() {
            next.holding = row.holding;
        }
        if self.lacks(Mutation::ReturnSentOnce) {
            next.past.clear();
        }
        Some(next)
    }

    pub fn hub_hears(
        &self,
        row: &Borrower,
        by: Generation,
        living: Generation,
        said: ToHub,
        now: HubTime,
    ) -> Option<Step<Borrower, ToBox>> {
        let by = if self.lacks(Mutation::OldGenerationHeard) { living } else { by };
        let mut row = row.clone();
        if let (true, ToHub::Grant { .. }) =
            (self.lacks(Mutation::GrantTakenWhateverItsFence) && row.holding.is_none(), said)
        {
            row.fence = Fence::NONE;
        }
        let mut step = row.hear(by, living, said, now).ok()?;
        if let ToHub::Recall { fence, .. } = said
            && self.lacks(Mutation::RecallLeavesNoTrace)
            && fence > row.fence
        {
            step.state.fence = row.fence;
        }
        if self.lacks(Mutation::OldLoanUnanswered) && step.state == row {
            step.effects.clear();
        }
        if let (ToHub::Grant { .. }, Some(_)) = (said, row.holding)
            && self.lacks(Mutation::OverwrittenWithoutReturn)
            && step.state.fence != row.fence
        {
            step.state.past = row.past.clone();
        }
        Some(step)
    }

    pub fn box_hears(
        &self,
        row: &Lender,
        standing: Standing,
        said: ToBox,
    ) -> Option<Step<Lender, ToHub>> {
        let said = match said {
            ToBox::Return { fence: _, outcome }
                if self.lacks(Mutation::ReturnTakenWhateverItsFence) =>
            {
                ToBox::Return { fence: row.fence, outcome }
            }
            ToBox::Sale { fence, booking: _ } if self.lacks(Mutation::NoticeTakenForTheReturn) => {
                ToBox::Return { fence, outcome: sync_protocol::loan::Outcome::Unsold }
            }
            ToBox::Taken { .. } | ToBox::Sale { .. } | ToBox::Return { .. } => said,
        };
        let mut step = row.hear(standing, said).ok()?;
        if self.lacks(Mutation::DisplacedAgain)
            && step.effects.iter().any(|effect| matches!(effect, Effect::Displace(_)))
        {
            step.state.overridden = row.overridden.clone();
        }
        Some(step)
    }

    pub fn committed(
        &self,
        row: &Lender,
        step: Step<Lender, ToHub>,
    ) -> (Lender, Vec<Effect<ToHub>>) {
        if self.lacks(Mutation::SettledBeforeTheCommit) {
            let sent = step.effects.into_iter().filter(|it| matches!(it, Effect::Send(_)));
            return (row.clone(), sent.collect());
        }
        (step.state, step.effects)
    }

    pub fn believed(&self, account: &Account) -> Account {
        if self.lacks(Mutation::LearnedNothing) {
            return Account::nothing(account.store);
        }
        account.clone()
    }

    pub fn restored(&self, log: LogId, old: Standing) -> Standing {
        if self.lacks(Mutation::RestoredWithoutLearning) { old } else { Standing::Learning(log) }
    }

    pub fn hub_restored(&self, hub: &Hub) -> (u8, u8) {
        let is_unnoticed = self.lacks(Mutation::HubRestoredUnnoticed);
        (if is_unnoticed { hub.store } else { hub.store + 1 }, hub.boot)
    }
}
