//! A service as FHIR and back.

use prm::id::HealthcareServiceId;

use super::*;
use crate::fixture::{
    clinic, examples, expressions, here, id, resource, updated, valid, without_own,
};

fn scan() -> HealthcareService {
    HealthcareService {
        id: HealthcareServiceId::from_bytes(id(5).into_bytes()),
        version: 1,
        name: "Ultrasound".into(),
        duration_minutes: 30,
        buffer_minutes: 10,
        practitioners: vec![PractitionerId::from_bytes(id(3).into_bytes())],
        locations: vec![
            LocationId::from_bytes(id(4).into_bytes()),
            LocationId::from_bytes(id(6).into_bytes()),
        ],
        active: true,
    }
}

fn of(raw: RawHealthcareService, before: HealthcareService) -> HealthcareService {
    let RawHealthcareService {
        name,
        duration_minutes,
        buffer_minutes,
        practitioners,
        locations,
        active,
    } = raw;
    HealthcareService {
        name,
        duration_minutes,
        buffer_minutes,
        practitioners,
        locations,
        active,
        ..before
    }
}

#[test]
fn a_service_is_written_and_read() {
    let clinic = clinic();
    let written = valid(write(&scan(), here(&clinic), updated(), None));
    let minutes = |count: i64| json!({ "value": count, "unit": "min", "system": "http://unitsofmeasure.org", "code": "min" });
    let expected = json!({
        "resourceType": "HealthcareService",
        "id": id(5).to_string(),
        "meta": { "versionId": "1", "lastUpdated": "2026-11-23T10:00:00+05:30" },
        "extension": [
            { "url": extension::DURATION, "valueDuration": minutes(30) },
            { "url": extension::BUFFER, "valueDuration": minutes(10) },
            {
                "url": extension::PERFORMER,
                "valueReference": { "reference": format!("Practitioner/{}", id(3)) },
            },
        ],
        "active": true,
        "providedBy": { "reference": format!("Organization/{}", id(1)) },
        "location": [
            { "reference": format!("Location/{}", id(4)) },
            { "reference": format!("Location/{}", id(6)) },
        ],
        "name": "Ultrasound",
    });
    assert_eq!(Value::from(written.clone()), expected);
    assert_eq!(of(read(&written, here(&clinic)).unwrap(), scan()), scan());
}

#[test]
fn what_is_not_said_holds_and_is_not_written_until_it_changes() {
    let clinic = clinic();
    let given = resource(json!({ "resourceType": "HealthcareService", "name": "Check-up" }));
    let record = of(read(&given, here(&clinic)).unwrap(), scan());
    assert_eq!((record.duration_minutes, record.buffer_minutes), (DURATION_MINUTES, 0));
    let same = write(&record, here(&clinic), updated(), Some(&given));
    assert_eq!(Value::from(without_own(&same)), Value::from(given.clone()));
    let longer = HealthcareService { duration_minutes: 20, ..record };
    let written = valid(write(&longer, here(&clinic), updated(), Some(&given)));
    assert_eq!(of(read(&written, here(&clinic)).unwrap(), scan()), longer);
    let short = HealthcareService { duration_minutes: DURATION_MINUTES, ..longer };
    let written = valid(write(&short, here(&clinic), updated(), Some(&written)));
    assert_eq!(of(read(&written, here(&clinic)).unwrap(), scan()), short);
}

#[test]
fn a_length_that_is_not_in_minutes_and_a_performer_elsewhere_are_refused() {
    let clinic = clinic();
    let with = |url: &str, name: &str, value: Value| {
        let given = resource(json!({
            "resourceType": "HealthcareService",
            "name": "Check-up",
            "extension": [extension::with(url, name, value)],
        }));
        let refused = read(&given, here(&clinic)).unwrap_err();
        expressions(&refused).join(" ")
    };
    let hour = json!({ "value": 1, "system": "http://unitsofmeasure.org", "code": "h" });
    let at = |url: &str| format!("HealthcareService.extension('{url}')");
    assert_eq!(with(extension::DURATION, "valueDuration", hour), at(extension::DURATION));
    let elsewhere = json!({ "reference": "Practitioner/elsewhere" });
    assert_eq!(with(extension::PERFORMER, "valueReference", elsewhere), at(extension::PERFORMER));
}

#[test]
fn every_example_of_hl7_that_is_read_is_written_back_equal() {
    let clinic = clinic();
    for (name, given) in examples("HealthcareService") {
        let record = of(read(&given, here(&clinic)).unwrap(), scan());
        assert!(!record.locations.is_empty(), "{name} names a location");
        let written = write(&record, here(&clinic), updated(), Some(&given));
        assert_eq!(Value::from(without_own(&written)), Value::from(without_own(&given)), "{name}");
    }
}
