//! The loans explored state by state: the code of production on both sides, a network that loses,
//! doubles, delays and reorders, crashes, reboots, restores and persons who override.
//!
//! A crash between commit and sending is the same as a message that is never delivered, so each
//! state of the model is also a crash. `CAREPOST_MODEL=large` explores one epoch and one booking
//! more, which takes minutes.

#[path = "loans/drain.rs"]
mod drain;
#[path = "loans/mutation.rs"]
mod mutation;
#[path = "loans/property.rs"]
mod property;
#[path = "loans/world.rs"]
mod world;

use std::thread::available_parallelism;

use mutation::Mutation;
use stateright::{Checker, HasDiscoveries, Model};
use world::{Bounds, World};

#[test]
fn two_slots_are_never_sold_twice_whatever_the_network_does() {
    holds(Bounds { slots: 2, epochs: 3, bookings: 4, ..Bounds::QUIET });
}

/// More than a million states, so slots that changed places count as one state, and not each is
/// asked whether everything settles from there.
#[test]
fn two_slots_are_never_sold_twice_when_a_person_overrides() {
    let bounds = Bounds { slots: 2, epochs: 3, bookings: 4, ..Bounds::QUIET };
    let bounds = Bounds { overrides: true, ticks: 1, settles: false, ..bounds };
    let world = World { bounds: bounds.or_larger(), mutation: None };
    let checker =
        world.checker().threads(threads()).symmetry_fn(world::in_order).spawn_dfs().join();
    assert!(checker.unique_state_count() > 100_000, "the bounds leave something to explore");
    checker.assert_properties();
}

#[test]
fn a_recall_and_a_cancellation_are_as_safe() {
    holds(Bounds { epochs: 3, bookings: 4, cancels: true, recalls: true, ..Bounds::QUIET });
}

#[test]
fn an_override_that_collides_is_one_displaced_patient() {
    let bounds = Bounds { epochs: 3, bookings: 3, ticks: 2, overrides: true, ..Bounds::QUIET };
    holds(Bounds { reboots: 1, ..bounds });
    holds(Bounds { epochs: 2, bookings: 2, cancels: true, recalls: true, ..bounds });
}

#[test]
fn a_box_restored_from_an_old_backup_sells_nothing_twice() {
    let bounds = Bounds { restores: 1, ..Bounds::QUIET };
    holds(Bounds { epochs: 3, bookings: 3, ..bounds });
    holds(Bounds { cancels: true, ..bounds });
    holds(Bounds { ticks: 1, overrides: true, ..bounds });
}

#[test]
fn a_hub_restored_from_an_old_backup_frees_nothing_it_may_have_sold() {
    let bounds = Bounds { hub_restores: 1, ..Bounds::QUIET };
    holds(Bounds { epochs: 3, bookings: 3, ..bounds });
    holds(Bounds { cancels: true, ..bounds });
    holds(Bounds { ticks: 1, overrides: true, hub_reboots: 1, ..bounds });
}

#[test]
fn each_rule_that_is_taken_out_is_missed() {
    let mut missed = Vec::new();
    for mutation in Mutation::ALL {
        let world = World { bounds: mutation.bounds(), mutation: Some(mutation) };
        let caught_by = mutation.caught_by();
        let checker = world
            .checker()
            .threads(threads())
            .finish_when(HasDiscoveries::AnyOf([caught_by].into()))
            .spawn_bfs()
            .join();
        let found: Vec<&str> = checker.discoveries().into_keys().collect();
        if !found.contains(&caught_by) {
            missed.push((mutation, checker.unique_state_count(), found));
        }
    }
    assert!(missed.is_empty(), "not caught as they should be: {missed:?}");
}

/// Explores all states within the bounds and fails with the shortest way to a broken invariant.
fn holds(bounds: Bounds) {
    let world = World { bounds: bounds.or_larger(), mutation: None };
    let checker = world.checker().threads(threads()).spawn_bfs().join();
    assert!(checker.unique_state_count() > 1000, "the bounds leave something to explore");
    checker.assert_properties();
}

fn threads() -> usize {
    available_parallelism().map_or(2, usize::from)
}
