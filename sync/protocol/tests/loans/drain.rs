//! Liveness: from any state, when the line holds and time passes, everything settles.

use sync_protocol::loan::{Holder, Standing};

use super::property;
use super::world::{End, State, World, id};

/// More rounds than any state needs; a state that needs more never settles.
const ROUNDS_MAX: usize = 12;

/// Delivers what is due, and nothing else, until nothing is due; then every sale that was confirmed
/// and not cancelled is in the box's diary or a task there, exactly once.
pub fn settles(world: &World, state: &State) -> bool {
    let mut state = state.clone();
    state.truth.time += 1;
    world.poll(&mut state);
    for _ in 0..ROUNDS_MAX {
        let now = state.hub.time(state.truth.time);
        for row in &mut state.hub.slots {
            if row.is_over(now) {
                *row = world.given_back(row).unwrap_or_else(|| row.clone());
            }
        }
        state.net.clear();
        state.post();
        if state.net.is_empty() {
            return is_settled(&state);
        }
        // Answers arrive, too, in the round in which they are given.
        while let Some(packet) = state.net.pop_first() {
            let _ = world.deliver(&mut state, &packet);
        }
    }
    false
}

fn is_settled(state: &State) -> bool {
    let is_free_of_loans = state.clinic.slots.iter().all(|row| {
        let is_back = match row.holder {
            Holder::Here(_) => true,
            Holder::Away(loan) => loan.forgotten,
        };
        is_back && row.overridden.iter().all(|entry| entry.unknown)
    });
    let arrived = state.truth.bookings.iter().enumerate().all(|(number, booking)| {
        let row = &state.clinic.slots[usize::from(booking.slot)];
        let is_here = row.holder == Holder::Here(Some(id(number)));
        let tasks = usize::from(state.clinic.displaced[number]);
        match booking.end {
            End::Confirmed => {
                usize::from(is_here) + tasks == 1 || property::is_known(state, number, *booking)
            }
            // A booking that was cancelled in a database that is gone may be back, as a task.
            End::Cancelled if state.truth.restores + state.truth.hub_restores > 0 => true,
            End::Cancelled => !is_here && tasks == 0,
            End::Forgotten => true,
        }
    });
    matches!(state.clinic.standing, Standing::Living(_)) && is_free_of_loans && arrived
}
