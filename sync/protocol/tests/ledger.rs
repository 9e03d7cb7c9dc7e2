//! The ledger explored state by state: the code of production on both sides, a network that loses,
//! doubles, delays and reorders, restarts, copied disks, and backups put back with and without a
//! new log id.
//!
//! `CAREPOST_MODEL=large` explores one entry more, which takes minutes.

#[path = "ledger/mutation.rs"]
mod mutation;
#[path = "ledger/property.rs"]
mod property;
#[path = "ledger/world.rs"]
mod world;

use std::thread::available_parallelism;

use mutation::Mutation;
use stateright::{Checker, HasDiscoveries, Model};
use world::{Bounds, World};

/// Without a rule there may be no end of states; the harm shows long before this many.
const STATES_MAX: usize = 50_000;

#[test]
fn what_a_receipt_says_is_held_is_held() {
    holds(Bounds { entries: 3, restarts: 1, ..Bounds::QUIET });
}

#[test]
fn a_copied_disk_is_noticed_and_both_are_told() {
    holds(Bounds { entries: 3, clones: true, ..Bounds::QUIET });
}

#[test]
fn a_backup_put_back_without_a_new_log_is_noticed() {
    holds(Bounds { entries: 3, rollbacks: true, ..Bounds::QUIET });
}

#[test]
fn a_box_restored_with_a_new_log_states_all_anew() {
    holds(Bounds { entries: 2, restores: true, ..Bounds::QUIET });
}

#[test]
fn a_hub_restored_from_a_backup_is_sent_what_it_lost() {
    holds(Bounds { entries: 3, hub_restores: true, ..Bounds::QUIET });
}

#[test]
fn each_rule_that_is_taken_out_is_missed() {
    let mut missed = Vec::new();
    for mutation in Mutation::ALL {
        let caught_by = mutation.caught_by();
        let checker = World { bounds: mutation.bounds(), mutation: Some(mutation) }
            .checker()
            .threads(threads())
            .target_state_count(STATES_MAX)
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

/// Explores all states within the bounds and fails with the shortest way to a broken property.
fn holds(bounds: Bounds) {
    let world = World { bounds: bounds.or_larger(), mutation: None };
    let checker = world.checker().threads(threads()).spawn_bfs().join();
    assert!(checker.unique_state_count() > 300, "the bounds leave something to explore");
    checker.assert_properties();
}

fn threads() -> usize {
    available_parallelism().map_or(2, usize::from)
}
