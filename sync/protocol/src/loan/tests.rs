//! What each side says no to, and that it then stays as it was.

use proptest::prelude::*;

use super::clock::{BoxTime, HubTime, Nonce};
use super::*;

const LIVING: Standing = Standing::Living(Generation(1));
const NONCE: Nonce = Nonce { store: 1, boot: 1, at_ms: 0 };
const TERMS: Terms = Terms { nonce: NONCE, term_ms: 1000, sell_until_ms: 5000 };
const AT_BOX: BoxTime = BoxTime { boot: 1, at_ms: 0 };
const AT_HUB: HubTime = HubTime { nonce: NONCE, wall_ms: 0 };

fn booking(number: u8) -> BookingId {
    BookingId([number; 16])
}

fn lent() -> Lender {
    Lender::NEW.lend(LIVING, TERMS, AT_BOX).unwrap()
}

/// The hub, after it heard all that is due at the box.
fn borrowed(lender: &Lender) -> Borrower {
    let living = Generation(1);
    lender
        .outgoing()
        .into_iter()
        .fold(Borrower::NEW, |row, said| row.hear(living, living, said, AT_HUB).unwrap().state)
}

#[test]
fn a_slot_that_is_away_is_neither_booked_nor_cancelled_nor_lent_again() {
    let away = lent();
    assert_eq!(away.book(LIVING, booking(1)), Err(Refusal::Lent));
    assert_eq!(away.cancel(booking(1)), Err(Refusal::Lent));
    assert_eq!(away.lend(LIVING, TERMS, AT_BOX), Err(Refusal::Lent));
    let booked = Lender::NEW.book(LIVING, booking(1)).unwrap();
    assert_eq!(booked.book(LIVING, booking(2)), Err(Refusal::Booked));
    assert_eq!(booked.lend(LIVING, TERMS, AT_BOX), Err(Refusal::Booked));
    assert_eq!(booked.cancel(booking(2)), Err(Refusal::OtherBooking));
    assert_eq!(booked.recall(), Err(Refusal::NotLent));
    assert_eq!(booked.cancel(booking(1)), Ok(Lender::NEW));
}

#[test]
fn a_box_that_has_not_learned_does_nothing() {
    let learning = Standing::Learning(crate::lineage::LogId([1; 16]));
    assert_eq!(Lender::NEW.book(learning, booking(1)), Err(Refusal::Unlearned));
    assert_eq!(Lender::NEW.lend(learning, TERMS, AT_BOX), Err(Refusal::Unlearned));
    let taken = ToBox::Taken { fence: lent().fence };
    assert_eq!(lent().hear(learning, taken), Err(Refusal::Unlearned));
    let late = BoxTime { at_ms: 5000, ..AT_BOX };
    assert_eq!(lent().override_loan(learning, late), Err(Refusal::Unlearned));
}

#[test]
fn the_hub_sells_once_and_only_in_time() {
    let row = borrowed(&lent());
    assert_eq!(Borrower::NEW.sell(booking(1), AT_HUB), Err(Refusal::NotLent));
    let past_term = HubTime { nonce: Nonce { at_ms: 990, ..NONCE }, ..AT_HUB };
    assert_eq!(row.sell(booking(1), past_term), Err(Refusal::Over));
    let past_cutoff = HubTime { wall_ms: 5000, ..AT_HUB };
    assert_eq!(row.sell(booking(1), past_cutoff), Err(Refusal::Over));
    assert!(row.is_over(past_term) && row.is_over(past_cutoff) && !row.is_over(AT_HUB));
    let sold = row.sell(booking(1), AT_HUB).unwrap().state;
    assert_eq!(sold.sell(booking(2), AT_HUB), Err(Refusal::Booked));
    assert_eq!(sold.cancel(booking(2)), Err(Refusal::OtherBooking));
    let gone = sold.cancel(booking(1)).unwrap();
    assert_eq!(gone.sell(booking(2), AT_HUB), Err(Refusal::NotLent));
}

#[test]
fn an_override_waits_out_the_term_on_the_clock_of_the_box() {
    let row = lent();
    let at = |boot, at_ms| row.override_loan(LIVING, BoxTime { boot, at_ms });
    assert_eq!(at(1, 1009), Err(Refusal::NotYet { left_ms: 1 }));
    assert_eq!(at(2, 1009), Err(Refusal::NotYet { left_ms: 1 }), "a reboot begins the wait anew");
    let overridden = at(1, 1010).unwrap().state;
    assert_eq!(overridden.fence.epoch, Epoch(2));
    assert_eq!(overridden.override_loan(LIVING, AT_BOX), Err(Refusal::NotLent));
}

/// The patient stands at the desk with a receipt, the line is cut, the slot has gone to another.
#[test]
fn a_receipt_shown_after_an_override_is_one_task_and_the_return_is_no_second() {
    let row = lent();
    let late = BoxTime { at_ms: 2000, ..AT_BOX };
    let overridden = row.override_loan(LIVING, late).unwrap().state;
    let rebooked = overridden.book(LIVING, booking(2)).unwrap();
    let shown = rebooked.hear(LIVING, ToBox::Sale { fence: row.fence, booking: booking(1) });
    let shown = shown.unwrap();
    assert_eq!(shown.effects, [Effect::Displace(booking(1))]);
    let outcome = Outcome::Sold(booking(1));
    let returned = ToBox::Return { fence: row.fence, outcome };
    let settled = shown.state.hear(LIVING, returned).unwrap();
    assert_eq!(settled.effects, [Effect::Send(ToHub::Settled { fence: row.fence })]);
    assert!(settled.state.overridden.is_empty());
    let gone = ToBox::Return { fence: row.fence, outcome: Outcome::Cancelled(booking(1)) };
    let withdrawn = shown.state.hear(LIVING, gone).unwrap();
    assert_eq!(withdrawn.effects[0], Effect::Withdraw(booking(1)));
}

#[test]
fn terms_and_counts_have_bounds() {
    for term_ms in [0, TERM_MS_MAX + 1] {
        let terms = Terms { term_ms, ..TERMS };
        assert_eq!(Lender::NEW.lend(LIVING, terms, AT_BOX), Err(Refusal::Term));
    }
    let fence = Fence { generation: Generation(1), epoch: Epoch(EPOCH_MAX) };
    let worn = Lender { fence, ..Lender::NEW };
    assert_eq!(worn.lend(LIVING, TERMS, AT_BOX), Err(Refusal::Exhausted));
    let outcome = Outcome::Sold(booking(1));
    let past = vec![Past { fence: Fence::NONE, outcome, settled: true }; PAST_MAX];
    let full = Borrower { past, ..Borrower::NEW };
    let said = lent().outgoing()[0];
    let refused = full.hear(Generation(1), Generation(1), said, AT_HUB).unwrap().state;
    assert_eq!(refused.holding, None);
    let unsold = ToBox::Return { fence: lent().fence, outcome: Outcome::Unsold };
    assert_eq!(refused.outgoing(), [unsold]);
}

proptest! {
    /// Whatever a hub says, it gets no hold of a slot that it was not lent, and frees none.
    #[test]
    fn a_hub_that_lies_changes_nothing_of_a_slot_that_is_here(
        (generation, epoch, number) in (0..3_u64, 0..5_u64, 0..3_u8),
        what in 0..6_u8,
        is_booked in any::<bool>(),
    ) {
        let fence = Fence { generation: Generation(generation), epoch: Epoch(epoch) };
        let outcome = |outcome| ToBox::Return { fence, outcome };
        let said = match what {
            0 => ToBox::Taken { fence },
            1 => ToBox::Sale { fence, booking: booking(number) },
            2 => outcome(Outcome::Unsold),
            3 => outcome(Outcome::Sold(booking(number))),
            4 => outcome(Outcome::Cancelled(booking(number))),
            _ => outcome(Outcome::Unknown),
        };
        let returned = ToBox::Return { fence: lent().fence, outcome: Outcome::Unsold };
        let free = lent().hear(LIVING, returned).unwrap().state;
        let row = if is_booked { free.book(LIVING, booking(1)).unwrap() } else { free };
        let step = row.hear(LIVING, said).unwrap();
        prop_assert_eq!(&step.state, &row);
        prop_assert!(step.effects.iter().all(|effect| matches!(effect, Effect::Send(_))));
    }
}
