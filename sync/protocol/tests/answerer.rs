//! Who answers, from a seed: people write, a box comes and goes, the hub takes it to be away rightly or wrongly, the line
//! loses, repeats and shuffles, and both ends fall wherever they may.
//!
//! `CAREPOST_SEEDS=N` plays so many; a failure names its seed.

#[path = "answerer/world.rs"]
mod world;

use world::{Broken, Mutation, play};

/// As many as a run of all tests has time for.
const SEEDS: u64 = 600;
/// A rule that is taken out shows within so many.
const SEEDS_TO_MISS: u64 = 400;

#[test]
fn every_message_is_answered_once_by_box_or_hub_and_each_answer_follows_from_those_before() {
    let seeds = std::env::var("CAREPOST_SEEDS").ok().and_then(|it| it.parse().ok());
    let mut by_hub = 0;
    for seed in 0..seeds.unwrap_or(SEEDS) {
        match play(seed, None) {
            Ok(answered) => by_hub += answered,
            Err(broken) => panic!("seed {seed}: {broken:?}"),
        }
    }
    assert!(by_hub > 0, "the hub answers some of them");
}

#[test]
fn each_rule_that_is_taken_out_is_missed() {
    let mut missed = Vec::new();
    for (mutation, caught_by) in Mutation::ALL {
        let found: Vec<Broken> =
            (0..SEEDS_TO_MISS).filter_map(|seed| play(seed, Some(mutation)).err()).collect();
        if !found.contains(&caught_by) {
            missed.push((mutation, found.len()));
        }
    }
    assert!(missed.is_empty(), "not caught as they should be: {missed:?}");
}
