//! What the box says that it can do.

use super::*;
use crate::fixture::{ORIGIN, clinic, here, time, valid};
use crate::search;

const EXPORT: Offered = Offered {
    name: "export",
    definition: "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export",
    on: None,
};

fn said() -> Resource {
    let clinic = clinic();
    let about = About {
        version: "0.1.0",
        at: time("2026-11-23T04:30:00Z"),
        instantiates: &["https://hl7.org/x"],
        others: &[EXPORT],
    };
    valid(statement(about, here(&clinic)))
}

fn of<'a>(statement: &'a Resource, type_: &str) -> Option<&'a Value> {
    let rest = &statement.get("rest").unwrap()[0];
    rest["resource"].as_array().unwrap().iter().find(|it| it["type"] == type_)
}

#[test]
fn what_can_be_done_is_said_for_each_type_that_is_served() {
    let statement = said();
    let implementation = json!({ "description": "Shanti Clinic", "url": ORIGIN });
    assert_eq!(statement.get("implementation"), Some(&implementation));
    assert_eq!(statement.get("date").unwrap(), "2026-11-23T10:00:00+05:30");
    let codes = |type_| {
        let all = of(&statement, type_).unwrap()["interaction"].as_array().unwrap().iter();
        all.map(|it| it["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(codes("Slot"), ["read", "search-type"]);
    assert!(codes("Patient").contains(&"create".to_owned()));
    assert!(!codes("Patient").contains(&"delete".to_owned()), "records are never deleted");
    assert!(codes("Observation").contains(&"delete".to_owned()));
    assert_eq!(of(&statement, "Parameters"), None);
    let appointment = of(&statement, "Appointment").unwrap();
    let names = |it: &Value| {
        let all = it["operation"].as_array().unwrap().iter();
        all.map(|it| it["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(appointment), ["find", "hold", "book", "cancel", "validate"]);
    assert_eq!(names(of(&statement, "Observation").unwrap()), ["validate"]);
}

#[test]
fn every_parameter_that_it_names_is_answered() {
    let (statement, clinic) = (said(), clinic());
    for it in statement.get("rest").unwrap()[0]["resource"].as_array().unwrap() {
        let type_ = it["type"].as_str().unwrap();
        for parameter in it["searchParam"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap();
            let pairs = [(format!("{name}:missing"), "true".to_owned())];
            let query = search::parse(type_, &pairs, true, here(&clinic)).unwrap();
            assert_eq!(query.conditions[0].parameter.kind.as_str(), parameter["type"]);
        }
        for (name, list) in [("_include", "searchInclude"), ("_revinclude", "searchRevInclude")] {
            for include in it[list].as_array().into_iter().flatten() {
                let pairs = [(name.to_owned(), include.as_str().unwrap().to_owned())];
                assert!(search::parse(type_, &pairs, true, here(&clinic)).is_ok(), "{include}");
            }
        }
    }
    let patient = of(&statement, "Patient").unwrap();
    let reverse = patient["searchRevInclude"].as_array().unwrap();
    assert!(reverse.contains(&json!("Appointment:patient")));
    assert!(!reverse.contains(&json!("Appointment:location")));
}

#[test]
fn a_copy_is_read_and_searched_only() {
    let clinic = clinic();
    let about = About {
        version: "0.1.0",
        at: time("2026-11-23T04:30:00Z"),
        instantiates: &[],
        others: &[],
    };
    let statement = valid(of_copy(about, here(&clinic), (&[Operation::Find], "with a token")));
    let all = statement.get("rest").unwrap()[0]["resource"].as_array().unwrap();
    let interactions = json!([{ "code": "read" }, { "code": "search-type" }]);
    assert!(all.iter().all(|it| it["interaction"] == interactions));
    assert_eq!(of(&statement, "Appointment").unwrap()["operation"][0]["name"], "find");
    assert_eq!(of(&statement, "Patient").unwrap()["operation"], Value::Null);
    assert_eq!(of(&statement, "AuditEvent"), None);
}
