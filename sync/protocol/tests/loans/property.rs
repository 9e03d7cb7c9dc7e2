//! The invariants, looked at from outside: against what really happened.

use stateright::Property;
use sync_protocol::loan::{BookingId, Holder, Outcome, Ruling, Standing};

use super::world::{Booking, End, State, World, id};

pub fn all() -> Vec<Property<World>> {
    vec![
        Property::always("I1 one booking for each slot", |_, state| one_booking(state)),
        Property::always("I2 one owner", |_, state| one_owner(state)),
        Property::always("I3 every booking is known", |_, state| every_booking_is_known(state)),
        Property::always("I4 epochs grow", |_, state| epochs_grow(state)),
        Property::always("I6 an override ends a loan", |_, state| overrides_end_loans(state)),
    ]
}

/// A sale under a loan that was overridden may collide; it is then a task (I6).
fn one_booking(state: &State) -> bool {
    (0..).zip(&state.clinic.slots).all(|(slot, _)| {
        let counts = |(number, booking): &(usize, &Booking)| {
            booking.slot == slot
                && booking.end != End::Cancelled
                && state.clinic.displaced[*number] == 0
                && !booking.sold.is_some_and(|fence| state.truth.overrides.contains(&(slot, fence)))
                && !stale(state, *number, booking)
        };
        state.truth.bookings.iter().enumerate().filter(counts).count() <= 1
    })
}

/// The sale is not known to a restored box that has not asked yet, and so books nothing.
fn stale(state: &State, number: usize, booking: &Booking) -> bool {
    matches!(state.clinic.standing, Standing::Learning(_))
        && booking.sold.is_some()
        && state.clinic.slots[usize::from(booking.slot)].holder != Holder::Here(Some(id(number)))
}

fn one_owner(state: &State) -> bool {
    let Standing::Living(_) = state.clinic.standing else { return true };
    state.clinic.slots.iter().zip(&state.hub.slots).all(|(lender, borrower)| {
        let is_here = matches!(lender.holder, Holder::Here(_));
        let is_ended = lender.overridden.iter().any(|entry| entry.fence == borrower.fence);
        !is_here || borrower.holding.is_none() || is_ended
    })
}

fn every_booking_is_known(state: &State) -> bool {
    state.truth.bookings.iter().enumerate().all(|(number, booking)| match booking.end {
        End::Cancelled => true,
        End::Confirmed => is_known(state, number, *booking),
        End::Forgotten => is_known(state, number, *booking) || is_held(state, *booking),
    })
}

/// The owner knows the booking, or a message about it is due.
pub fn is_known(state: &State, number: usize, booking: Booking) -> bool {
    let slot = usize::from(booking.slot);
    let (lender, borrower) = (&state.clinic.slots[slot], &state.hub.slots[slot]);
    let id = id(number);
    let is_unlearned = matches!(state.clinic.standing, Standing::Learning(_));
    is_at_box(lender, id)
        || state.clinic.displaced[number] > 0
        || borrower.holding.is_some_and(|holding| holding.sale == Some(id))
        || borrower
            .past
            .iter()
            .any(|past| past.outcome == Outcome::Sold(id) && (!past.settled || is_unlearned))
}

fn is_at_box(lender: &sync_protocol::loan::Lender, id: BookingId) -> bool {
    let is_ruled = lender.overridden.iter().any(|entry| {
        matches!(entry.ruling, Some(Ruling::Adopted(it) | Ruling::Displaced(it)) if it == id)
    });
    match lender.holder {
        Holder::Here(held) => held == Some(id) || is_ruled,
        Holder::Away(loan) => loan.sale == Some(id) || is_ruled,
    }
}

/// The hub forgot the sale, but the box frees the slot for nobody but a person.
fn is_held(state: &State, booking: Booking) -> bool {
    let lender = &state.clinic.slots[usize::from(booking.slot)];
    let is_away = matches!(lender.holder, Holder::Away(_)) && Some(lender.fence) == booking.sold;
    let is_ended = lender.overridden.iter().any(|entry| Some(entry.fence) == booking.sold);
    is_away || is_ended || matches!(state.clinic.standing, Standing::Learning(_))
}

fn epochs_grow(state: &State) -> bool {
    let Standing::Living(_) = state.clinic.standing else { return true };
    let mut pairs = state.clinic.slots.iter().zip(&state.hub.slots);
    pairs.all(|(lender, borrower)| borrower.fence <= lender.fence)
}

fn overrides_end_loans(state: &State) -> bool {
    !state.truth.sold_after_override && state.clinic.displaced.iter().all(|count| *count <= 1)
}
