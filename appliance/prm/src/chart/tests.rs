//! What was given is kept whole, every version of it.

use super::*;
use crate::error::Code;
use crate::fixture::{World, refusal};

fn reading(body: &str) -> Writing {
    Writing {
        kind: "Observation".into(),
        name: Some("f001".into()),
        patient: None,
        body: body.into(),
        keys: Vec::new(),
    }
}

#[test]
fn every_version_can_be_read_again_after_a_deletion_too() {
    let world = World::monday();
    let write = |body, seen| world.try_write(move |tx, stamp| keep(tx, stamp, reading(body), seen));
    assert_eq!(write("one", None).unwrap().version, 1);
    assert_eq!(write("two", Some(1)).unwrap().version, 2);
    assert!(matches!(write("late", Some(1)), Err(Error::Stale { now: 2 })));
    let gone = world.write(|tx, stamp| delete(tx, stamp, "Observation", "f001", None));
    assert_eq!((gone.version, gone.body), (3, None));
    assert_eq!(write("three", None).unwrap().version, 4);
    let which = ("Observation", "f001");
    let body = |version| world.read(|read, stamp| at_version(read, stamp, which, version)).body;
    let bodies: Vec<_> = (1..=4).map(body).collect();
    let said = |body: &str| Some(body.to_owned());
    assert_eq!(bodies, [said("one"), said("two"), None, said("three")]);
    let never = world.db.read_blocking(|read| at_version(read, &world.stamp, which, 5));
    assert!(matches!(never, Err(Error::NotFound(Noun::Chart))));
}

#[test]
fn a_name_that_fhir_does_not_allow_is_refused() {
    let world = World::monday();
    for name in ["", "a b", "a/b", &"x".repeat(65)] {
        let writing = Writing { name: Some(name.into()), ..reading("{}") };
        let refused = world.try_write(move |tx, stamp| keep(tx, stamp, writing, None));
        assert_eq!(refusal(refused), Code::Invalid, "{name:?}");
    }
}

#[test]
fn the_kinds_about_a_patient_are_those_of_which_something_is_there() {
    let world = World::monday();
    let asha = world.patient("Asha Rao", "98441 11173", "1984");
    let ravi = world.patient("Ravi Das", "98441 11174", "1984");
    for (kind, name, patient) in
        [("Flag", "one", asha), ("Observation", "two", asha), ("Observation", "three", ravi)]
    {
        let (kind, name) = (kind.to_owned(), Some(name.to_owned()));
        let writing = Writing { kind, name, patient: Some(patient), ..reading("{}") };
        world.write(|tx, stamp| keep(tx, stamp, writing, None));
    }
    let kinds = |patient| world.read(|read, stamp| kinds_of(read, stamp, patient));
    assert_eq!(kinds(asha), ["Flag", "Observation"]);
    world.write(|tx, stamp| delete(tx, stamp, "Flag", "one", None));
    assert_eq!(kinds(asha), ["Observation"]);
}
