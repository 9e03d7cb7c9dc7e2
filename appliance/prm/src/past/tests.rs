//! Every version of a record can be read as it was.

use crate::appointment::{self, Status};
use crate::fixture::World;
use crate::id::Noun;
use crate::patient::{self, Edit};

#[test]
fn each_version_reads_as_it_was_through_edits_steps_a_merge_and_its_undoing() {
    let world = World::monday();
    let rao = world.practitioner("Dr Rao", "cardiology");
    world.session(rao, ("09:00", "17:00"), 15);
    let asha = world.patient("Asha Rao", "98441 11173", "1984-05-02");
    let twin = world.patient("Asha R", "98441 11174", "1984");
    let slot = world.slots(rao, "2026-11-24")[0].id;
    let mut visits = vec![world.book(twin, slot)];
    let id = visits[0].id;
    visits.push(world.write(move |tx, stamp| appointment::confirm(tx, stamp, id, None)));
    let mut people = vec![world.read(|read, stamp| patient::get(read, stamp, twin))];

    let change = Edit { email: Some(Some("asha@example.org".into())), ..Edit::default() };
    world.write(move |tx, stamp| patient::edit(tx, stamp, twin, None, change));
    people.push(world.read(|read, stamp| patient::get(read, stamp, twin)));
    let merge = world.write(move |tx, stamp| patient::merge(tx, stamp, asha, twin)).id;
    people.push(world.read(|read, stamp| patient::get(read, stamp, twin)));
    visits.push(world.read(|read, stamp| appointment::get(read, stamp, id)));
    world.write(move |tx, stamp| patient::undo_merge(tx, stamp, merge));
    people.push(world.read(|read, stamp| patient::get(read, stamp, twin)));
    visits.push(world.read(|read, stamp| appointment::get(read, stamp, id)));
    let why = Some("ill".to_owned());
    visits.push(world.write(move |tx, stamp| appointment::cancel(tx, stamp, (id, None), why)));
    assert_eq!(visits.last().unwrap().status, Status::Cancelled);

    for person in &people {
        let version = person.version;
        let found = world.read(|read, stamp| patient::at_version(read, stamp, twin, version));
        assert!(found == *person, "version {version}");
    }
    for visit in &visits {
        let version = visit.version;
        let found = world.read(|read, stamp| appointment::at_version(read, stamp, id, version));
        assert_eq!(found, *visit);
    }
}

#[test]
fn a_verb_that_writes_over_a_record_without_keeping_it_writes_nothing() {
    let world = World::monday();
    let rao = world.practitioner("Dr Rao", "cardiology");
    let forgetful = world.try_write(move |tx, stamp| {
        tx.sql().execute("UPDATE practitioner SET version = 2, name = 'Dr Roy'", [])?;
        tx.record(stamp, "edit", (Noun::Practitioner, rao.as_bytes(), 2), None)
    });
    assert!(forgetful.is_err());
    let found = world.read(|read, stamp| crate::practitioner::get(read, stamp, rao));
    assert_eq!(found.name, "Dr Rao");
}
