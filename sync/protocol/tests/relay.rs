//! Messages between box and hub from a seed: the rules of production on both ends, a line that loses, repeats and
//! shuffles, ends that fall between commit and sending, clocks that are set back, and databases put back from
//! a copy.
//!
//! `CAREPOST_SEEDS=N` plays so many; a failure names its seed.

#[path = "relay/mutation.rs"]
mod mutation;
#[path = "relay/world.rs"]
mod world;

use mutation::Mutation;
use world::{Broken, play};

/// As many as a run of all tests has time for.
const SEEDS: u64 = 400;
/// A rule that is taken out shows within so many.
const SEEDS_TO_MISS: u64 = 400;

#[test]
fn every_message_is_taken_in_once_whatever_the_line_and_the_ends_do() {
    let seeds = std::env::var("CAREPOST_SEEDS").ok().and_then(|it| it.parse().ok());
    for seed in 0..seeds.unwrap_or(SEEDS) {
        if let Err(broken) = play(seed, None) {
            panic!("seed {seed}: {broken:?}");
        }
    }
}

#[test]
fn each_rule_that_is_taken_out_is_missed() {
    let mut missed = Vec::new();
    for mutation in Mutation::ALL {
        let found: Vec<Broken> =
            (0..SEEDS_TO_MISS).filter_map(|seed| play(seed, Some(mutation)).err()).collect();
        if !found.contains(&mutation.caught_by()) {
            missed.push((mutation, found.len()));
        }
    }
    assert!(missed.is_empty(), "not caught as they should be: {missed:?}");
}
