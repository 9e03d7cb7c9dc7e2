//! What must be true, looked at from outside.

use std::collections::BTreeSet;

use stateright::Property;
use sync_protocol::ledger::Extent;
use sync_protocol::uplink::State as Known;

use super::world::{Device, Hub, State, WentBack, World, is_bad, is_running};

pub const HELD: &str = "what was acknowledged is held";
pub const WHOLE: &str = "when the line holds, the hub has all";
pub const NOTICED: &str = "two boxes that speak as one are noticed";

pub fn all() -> Vec<Property<World>> {
    vec![
        Property::always(HELD, |_, state| what_was_acknowledged_is_held(state)),
        Property::always(WHOLE, whole),
        Property::always(NOTICED, noticed),
    ]
}

/// A box believes of its own log only what the hub has: stored, or parked by name.
fn what_was_acknowledged_is_held(state: &State) -> bool {
    // A hub that was restored holds less until the next receipt says so.
    state.went_back == WentBack::Hub
        || state.boxes.iter().all(|device| {
            let Known::Known(Extent::Log { through, mark: _ }) = &device.uplink.state else {
                return true;
            };
            let through = usize::try_from(*through).expect("a short log");
            device.uplink.log != state.hub.ledger.lineage.log
                || device.log.iter().take(through).all(|record| has(&state.hub, *record))
        })
}

fn has(hub: &Hub, record: u8) -> bool {
    hub.held.contains(&record) || hub.ledger.parked.iter().any(|parked| parked.key.0 == [record])
}

/// Nothing went back unnoticed: the hub comes to have the log of the box, all of it and no more.
fn whole(world: &World, state: &State) -> bool {
    match state.went_back {
        WentBack::Cloned | WentBack::RolledBack => return true,
        WentBack::Nothing | WentBack::Restored | WentBack::Hub => {}
    }
    let (boxes, hub) = settled(world, state);
    let [device] = &boxes[..] else { return false };
    let good: BTreeSet<u8> = device.log.iter().copied().filter(|it| !is_bad(*it)).collect();
    let parked: Vec<u8> = hub.ledger.parked.iter().map(|it| it.key.0[0]).collect();
    let bad: Vec<u8> = device.log.iter().copied().filter(|it| is_bad(*it)).collect();
    is_running(device) && hub.held == good && parked == bad
}

/// The two logs differ, or the hub has what the box lost: everybody comes to know it.
fn noticed(world: &World, state: &State) -> bool {
    match state.went_back {
        WentBack::Cloned | WentBack::RolledBack => {}
        WentBack::Nothing | WentBack::Restored | WentBack::Hub => return true,
    }
    let (boxes, hub) = settled(world, state);
    let is_parted = match (&boxes[..], state.went_back) {
        ([one, other], _) => one.log != other.log,
        ([device], _) => !hub.held.iter().all(|record| device.log.contains(record)),
        (_, _) => false,
    };
    !is_parted || (hub.ledger.quarantined && !boxes.iter().any(is_running))
}

/// Each box writes once more, then everything is exchanged, in order, until nothing changes. A box
/// that has nothing to send asks now and then.
fn settled(world: &World, state: &State) -> (Vec<Device>, Hub) {
    let (mut boxes, mut hub) = (state.boxes.clone(), state.hub.clone());
    for (number, device) in (100..).zip(&mut boxes) {
        device.log.push(number);
    }
    for round in 0..24 {
        for device in &mut boxes {
            if round % 8 == 0 {
                device.uplink = device.uplink.restarted();
            }
            if let Some(bundle) = device.bundle(2)
                && let Some(receipt) = world.at_hub(&mut hub, &bundle)
            {
                world.at_box(device, &receipt);
            }
        }
    }
    (boxes, hub)
}
