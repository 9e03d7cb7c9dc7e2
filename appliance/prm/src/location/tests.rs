//! Rooms that go out of use.

use crate::error::Error;
use crate::fixture::{World, all_week};
use crate::healthcare_service::{self, HealthcareService};
use crate::id::{LocationId, Noun, PractitionerId};
use crate::location::{self, Kind};
use crate::practitioner::{self, Practitioner};
use crate::schedule::{self, Schedule};

/// A practitioner with a session and a service, all in room 1, which then goes out of use.
fn house() -> (World, LocationId, Practitioner, Schedule, HealthcareService) {
    let world = World::monday();
    let room = world.write(|tx, stamp| {
        location::add(tx, stamp, location::Addition { name: "Room 1".into(), kind: Kind::Room })
    });
    let room = room.id;
    let rao = practitioner::Addition {
        name: "Dr Rao".into(),
        specialties: Vec::new(),
        location: Some(room),
    };
    let rao = world.write(move |tx, stamp| practitioner::add(tx, stamp, rao));
    let session =
        schedule::Addition { location: Some(room), ..all_week(rao.id, ("09:00", "17:00"), 15) };
    let session = world.write(move |tx, stamp| schedule::add(tx, stamp, session));
    let scan = scan(vec![rao.id], vec![room]);
    let scan = world.write(move |tx, stamp| healthcare_service::add(tx, stamp, scan));
    let closed = location::Edit { active: Some(false), ..location::Edit::default() };
    world.write(move |tx, stamp| location::edit(tx, stamp, room, None, closed));
    (world, room, rao, session, scan)
}

fn scan(
    practitioners: Vec<PractitionerId>,
    locations: Vec<LocationId>,
) -> healthcare_service::Addition {
    healthcare_service::Addition {
        name: "Scan".into(),
        duration_minutes: 15,
        buffer_minutes: 0,
        practitioners,
        locations,
    }
}

#[test]
fn what_names_a_room_that_went_out_of_use_can_still_be_edited() {
    let (world, room, rao, session, scan) = house();
    let name =
        practitioner::Edit { name: Some("Dr A Rao".into()), ..practitioner::Edit::default() };
    let rao = world.write(move |tx, stamp| practitioner::edit(tx, stamp, rao.id, None, name));
    assert_eq!((rao.name.as_str(), rao.location), ("Dr A Rao", Some(room)));
    // Said again as it is, as a program does that sends back what it read, it is no choice either.
    let same = schedule::Edit {
        location: Some(Some(room)),
        slot_capacity: Some(2),
        ..schedule::Edit::default()
    };
    let session = world.write(move |tx, stamp| schedule::edit(tx, stamp, session.id, None, same));
    assert_eq!((session.slot_capacity, session.location), (2, Some(room)));
    let off = practitioner::Edit { active: Some(false), ..practitioner::Edit::default() };
    world.write(move |tx, stamp| practitioner::edit(tx, stamp, rao.id, None, off));
    let longer = healthcare_service::Edit {
        duration_minutes: Some(20),
        ..healthcare_service::Edit::default()
    };
    let scan =
        world.write(move |tx, stamp| healthcare_service::edit(tx, stamp, scan.id, None, longer));
    assert_eq!((scan.duration_minutes, scan.locations), (20, vec![room]));
}

#[test]
fn nobody_is_given_a_room_that_is_out_of_use() {
    let (world, room, rao, session, named) = house();
    let elsewhere = practitioner::Edit { location: Some(None), ..practitioner::Edit::default() };
    let back = practitioner::Edit { location: Some(Some(room)), ..practitioner::Edit::default() };
    world.write(move |tx, stamp| practitioner::edit(tx, stamp, rao.id, None, elsewhere));
    let refused =
        world.try_write(move |tx, stamp| practitioner::edit(tx, stamp, rao.id, None, back));
    assert!(matches!(refused, Err(Error::NotFound(Noun::Location))));

    let elsewhere = schedule::Edit { location: Some(None), ..schedule::Edit::default() };
    let back = schedule::Edit { location: Some(Some(room)), ..schedule::Edit::default() };
    world.write(move |tx, stamp| schedule::edit(tx, stamp, session.id, None, elsewhere));
    let refused =
        world.try_write(move |tx, stamp| schedule::edit(tx, stamp, session.id, None, back));
    assert!(matches!(refused, Err(Error::NotFound(Noun::Location))));

    let elsewhere = healthcare_service::Edit {
        locations: Some(Vec::new()),
        ..healthcare_service::Edit::default()
    };
    let back = healthcare_service::Edit {
        locations: Some(vec![room]),
        ..healthcare_service::Edit::default()
    };
    world.write(move |tx, stamp| healthcare_service::edit(tx, stamp, named.id, None, elsewhere));
    let refused =
        world.try_write(move |tx, stamp| healthcare_service::edit(tx, stamp, named.id, None, back));
    assert!(matches!(refused, Err(Error::NotFound(Noun::Location))));
    let another = scan(vec![rao.id], vec![room]);
    let refused = world.try_write(move |tx, stamp| healthcare_service::add(tx, stamp, another));
    assert!(matches!(refused, Err(Error::NotFound(Noun::Location))));
}
