//! Each version has the one who wrote it.

use super::*;
use crate::error::Error;
use crate::fixture::World;
use crate::id::StaffId;
use crate::patient::{self, Edit};
use crate::stamp::{Actor, Channel, Role};

fn of(world: &World, filter: &Filter) -> Vec<Written> {
    world.read(|read, stamp| list(read, stamp, filter, 100))
}

#[test]
fn two_versions_of_one_moment_have_each_their_own_writer() {
    let mut world = World::monday();
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let clerk = StaffId::new(world.stamp.now);
    for (actor, channel, name) in [
        (Actor::Staff(clerk), Channel::Desk, "Asha Hegde"),
        (Actor::Box, Channel::CommandLine, "Asha Rao Hegde"),
    ] {
        (world.stamp.actor, world.stamp.channel) = (actor, channel);
        let edit = Edit { name: Some(name.into()), ..Edit::default() };
        world.write(move |tx, stamp| patient::edit(tx, stamp, asha, None, edit));
        // What is read is no version.
        let noun = Noun::Patient;
        world
            .write(move |tx, stamp| crate::audit::was_read(tx, stamp, noun, asha.as_bytes(), asha));
    }
    let nouns = vec![Noun::Patient];
    let resources = Some(vec![asha.uuid()]);
    let all = of(&world, &Filter { nouns, resources, ..Filter::default() });
    let told: Vec<_> =
        all.iter().map(|it| (it.version, it.actor_kind.as_str(), it.channel.as_str())).collect();
    assert_eq!(
        told,
        [(3, "box", "command-line"), (2, "staff", "desk"), (1, "box", "command-line")]
    );
    assert_eq!(all[1].actor, Some(clerk.uuid()));
    assert!(all.iter().all(|it| it.patient == Some(asha) && it.resource == asha.uuid()));
}

#[test]
fn versions_are_narrowed_by_kind_actor_time_and_place() {
    let mut world = World::monday();
    world.practitioner("Dr. Rajiv Sharma", "cardiology");
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    world.at_time("2026-11-23T09:00:00+05:30");
    let clerk = StaffId::new(world.stamp.now);
    world.stamp.actor = Actor::Staff(clerk);
    let ravi = world.patient("Ravi Das", "98441 11174", "1970");
    let patients = Filter { nouns: vec![Noun::Patient], ..Filter::default() };
    let ids = |filter: &Filter| -> Vec<Uuid> {
        of(&world, filter).iter().map(|it| it.resource).collect()
    };
    assert_eq!(ids(&patients), [ravi.uuid(), asha.uuid()]);
    let by_clerk = Filter { actor: Some(clerk.uuid()), ..patients.clone() };
    assert_eq!(ids(&by_clerk), [ravi.uuid()]);
    let later = Filter { from: Some(world.stamp.now), ..patients.clone() };
    assert_eq!(ids(&later), [ravi.uuid()]);
    let earlier = Filter { to: Some(world.stamp.now), ..patients.clone() };
    assert_eq!(ids(&earlier), [asha.uuid()]);
    let newest = of(&world, &patients)[0].sequence;
    let behind = Filter { before: Some(newest), ..patients.clone() };
    assert_eq!(ids(&behind), [asha.uuid()]);
    let nouns = vec![Noun::Practitioner, Noun::Patient];
    assert_eq!(ids(&Filter { nouns, ..Filter::default() }).len(), 3);
}

#[test]
fn who_may_not_read_such_records_does_not_learn_who_wrote_them() {
    let world = World::monday();
    world.patient("Asha Rao", "98441 11173", "1984");
    let patients = Filter { nouns: vec![Noun::Patient], ..Filter::default() };
    for (role, may) in [(Role::Clerk, true), (Role::Kiosk, false), (Role::Auditor, false)] {
        let stamp = world.role(role);
        let listed = world.db.read_blocking(|read| list(read, &stamp, &patients, 10));
        assert_eq!(listed.is_ok(), may, "{role:?}");
        assert!(may || matches!(listed, Err(Error::Forbidden)));
    }
}
