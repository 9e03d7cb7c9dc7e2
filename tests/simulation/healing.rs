//! The end of each story: everything works again, and both sides have to be equal.

use jiff::Timestamp;
use prm::change;
use prm::hub;
use sync_agent::Turn;

use super::boxes::BoxEnd;
use super::content;
use super::world::{Failure, World};

/// Longer than a box waits before it asks again, in ms.
const QUIET_MS: i64 = 6 * 60_000;
/// As often a person has to decide, at the most.
const DECISIONS_MAX: usize = 5;
/// More than any story writes.
const CHANGES_MAX: u32 = 100_000;

fn broken(what: &'static str, detail: String) -> Failure {
    Failure { what, detail }
}

/// The line is good, the clocks are right, there is room; whoever has to decide does. Then nothing
/// that was said is missing on either side.
pub fn heal(world: &mut World<'_>) -> Result<(), Failure> {
    world.line.clear();
    world.make_room();
    world.set_clocks();
    for at in 0..world.boxes.len() {
        world.give_up(at);
        world.give_up_loans(at)?;
    }
    // Whoever is a copy finds out: each hears what the other told.
    for _ in 0..2 {
        for at in 0..world.boxes.len() {
            world.pass(QUIET_MS);
            world.talk(at)?;
        }
    }
    choose(world)?;
    for _ in 0..DECISIONS_MAX {
        world.pass(QUIET_MS);
        if let Some(Turn::Stopped(_)) = world.talk(0)? {
            world.decide(0);
            continue;
        }
        world.settle_loans()?;
        // What is said of loans may have shown that the box is a copy from before it lent.
        if !is_stopped(&world.boxes[0]) {
            break;
        }
    }
    world.settle_requests()?;
    // What was taken in changed records.
    world.pass(QUIET_MS);
    world.talk(0)?;
    world.check()?;
    let it = &world.boxes[0];
    let standing = it.db.read_blocking(|read| Ok((hub::standing(read)?, change::last(read)?)));
    let (standing, last) =
        standing.map_err(|error| broken("the records can be read", error.to_string()))?;
    let all_is_told = standing
        .as_ref()
        .is_some_and(|it| it.whole && it.through == last && it.stop.is_none() && it.parked == 0);
    if !all_is_told {
        return Err(broken("in the end all is told", format!("{last}: {standing:?}")));
    }
    if world.hub.parked_count() > 0 {
        return Err(broken("in the end nothing is parked", String::new()));
    }
    match content::held(it, &world.hub) {
        Some(detail) => Err(broken("in the end both sides are equal", detail)),
        None => Ok(()),
    }
}

/// Of two boxes of one disk at most one is heard, if they differ; the other is switched off.
fn choose(world: &mut World<'_>) -> Result<(), Failure> {
    let living: Vec<usize> =
        (0..world.boxes.len()).filter(|at| is_heard(&world.boxes[*at])).collect();
    if let [a, b] = living[..]
        && log(&world.boxes[a]) != log(&world.boxes[b])
    {
        let detail = "two boxes of one disk are both heard".to_owned();
        return Err(broken("a copy is noticed", detail));
    }
    let chosen = living.first().copied().unwrap_or(0);
    world.boxes.swap(0, chosen);
    world.boxes.truncate(1);
    Ok(())
}

fn is_heard(it: &BoxEnd) -> bool {
    let standing = it.db.read_blocking(|read| {
        let log = change::log_id(read)?;
        Ok(hub::standing(read)?.filter(|it| it.log == log && it.stop.is_none() && it.whole))
    });
    standing.is_ok_and(|it| it.is_some())
}

fn is_stopped(it: &BoxEnd) -> bool {
    let standing = it.db.read_blocking(hub::standing);
    standing.is_ok_and(|it| it.is_some_and(|it| it.stop.is_some()))
}

/// The id of a log, and its entries.
type Log = (String, Vec<(String, i64, Timestamp)>);

/// What makes a log this one and no other.
fn log(it: &BoxEnd) -> Option<Log> {
    let read = it.db.read_blocking(|read| {
        let changes = change::after(read, 0, CHANGES_MAX)?;
        let changes =
            changes.iter().map(|it| (it.resource.to_string(), it.version, it.at)).collect();
        Ok((format!("{:?}", change::log_id(read)?.as_bytes()), changes))
    });
    read.ok()
}
