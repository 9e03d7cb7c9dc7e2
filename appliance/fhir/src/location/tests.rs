//! A location as FHIR and back.

use prm::id::LocationId;
use serde_json::{Value, json};

use super::*;
use crate::fixture::{
    clinic, examples, expressions, here, id, resource, updated, valid, without_own,
};

fn room() -> Location {
    Location {
        id: LocationId::from_bytes(id(4).into_bytes()),
        version: 1,
        name: "Room 1".into(),
        kind: Kind::Room,
        active: true,
    }
}

#[test]
fn every_kind_of_location_is_written_and_read() {
    let clinic = clinic();
    for (kind, code) in [(Kind::Room, "ro"), (Kind::Equipment, EQUIPMENT), (Kind::Site, "bu")] {
        for active in [true, false] {
            let location = Location { kind, active, ..room() };
            let written = valid(write(&location, here(&clinic), updated(), None));
            let physical = Value::from(written.clone())["physicalType"].clone();
            assert_eq!(physical["coding"][0]["code"], json!(code));
            let raw = read(&written).unwrap();
            assert_eq!((raw.name.as_str(), raw.kind, raw.active), ("Room 1", kind, active));
        }
    }
}

#[test]
fn a_location_that_cannot_be_booked_is_refused() {
    let nameless = resource(json!({ "resourceType": "Location" }));
    assert_eq!(expressions(&read(&nameless).unwrap_err()), ["Location.name"]);
    let kind = resource(json!({ "resourceType": "Location", "name": "Any room", "mode": "kind" }));
    assert_eq!(expressions(&read(&kind).unwrap_err()), ["Location.mode"]);
}

#[test]
fn every_example_of_hl7_that_is_read_is_written_back_equal() {
    let clinic = clinic();
    let mut taken = 0;
    for (file, given) in examples("Location") {
        let Ok(RawLocation { name, kind, active }) = read(&given) else { continue };
        let name = prm::contact::name("name", &name).unwrap();
        let record = Location { name, kind, active, ..room() };
        let written = write(&record, here(&clinic), updated(), Some(&given));
        assert_eq!(Value::from(without_own(&written)), Value::from(without_own(&given)), "{file}");
        taken += 1;
    }
    assert!(taken == 0 || taken == 3, "the others are kinds of places");
}
