//! Tokens that are narrowed to scopes: each thing that can be asked for, without the scope for it.

mod whole;

use fhir::scope::{Permission, wanted};
use prm::stamp::Role;
use serde_json::{Value, json};

use super::*;

/// An id that nothing has.
const NOTHING: &str = "01937e56-0000-7000-8000-000000000000";

impl Door {
    /// The same clinic, asked with a token that is narrowed to these scopes.
    fn narrowed_to(&mut self, scopes: &str) {
        self.token = self.clinic.narrowed(Role::Admin, scopes);
    }
}

/// The scopes of all that can be done with all types, but for one permission of one type.
fn all_but(types: &[&str], type_: &str, permission: Permission) -> String {
    let letters = |all: bool| {
        let some = Permission::ALL.into_iter().filter(move |it| all || *it != permission);
        some.map(Permission::letter).collect::<String>()
    };
    let others = types.iter().filter(|it| **it != type_);
    let others = others.map(|it| format!("system/{it}.{}", letters(true)));
    others.chain([format!("system/{type_}.{}", letters(false))]).collect::<Vec<_>>().join(" ")
}

/// How something that the CapabilityStatement names is asked for: method, path, and whether with a body.
/// A new interaction has to be named here before this test passes.
fn asked(interaction: &str, type_: &str) -> Vec<(&'static str, String)> {
    let (all, one) = (format!("/{type_}"), format!("/{type_}/{NOTHING}"));
    let found = format!("{all}?_id={NOTHING}");
    match interaction {
        "read" => vec![("GET", one.clone()), ("HEAD", one)],
        "vread" => vec![("GET", format!("{one}/_history/1"))],
        "update" => vec![("PUT", one), ("PUT", found)],
        "patch" => vec![("PATCH", one)],
        "delete" => vec![("DELETE", one), ("DELETE", found)],
        "history-instance" => vec![("GET", format!("{one}/_history"))],
        "history-type" => vec![("GET", format!("{all}/_history"))],
        "create" => vec![("POST", all)],
        "search-type" => {
            vec![("GET", all.clone()), ("HEAD", all.clone()), ("POST", format!("{all}/_search"))]
        }
        other => panic!("say how {other} is asked for, and what scope it needs"),
    }
}

fn needed(interaction: &str) -> Permission {
    match interaction {
        "read" | "vread" | "history-instance" => Permission::Read,
        "update" | "patch" => Permission::Update,
        "delete" => Permission::Delete,
        "create" => Permission::Create,
        _ => Permission::Search,
    }
}

#[tokio::test]
async fn nothing_that_can_be_asked_for_is_done_without_the_scope_for_it() {
    let mut door = Door::open();
    let statement = door.get("/metadata").await.body;
    let rest = &statement["rest"][0];
    let resources = rest["resource"].as_array().unwrap();
    let types: Vec<&str> = resources.iter().map(|it| it["type"].as_str().unwrap()).collect();
    let mut asked_for = 0;
    for resource in resources {
        let type_ = resource["type"].as_str().unwrap();
        let codes = resource["interaction"].as_array().unwrap().iter();
        let codes: Vec<&str> = codes.map(|it| it["code"].as_str().unwrap()).collect();
        for permission in Permission::ALL {
            let codes = codes.iter().filter(|code| needed(code) == permission);
            let requests: Vec<_> = codes.flat_map(|code| asked(code, type_)).collect();
            if requests.is_empty() {
                continue;
            }
            door.narrowed_to(&all_but(&types, type_, permission));
            for (method, path) in requests {
                let body = matches!(method, "POST" | "PUT" | "PATCH").then(|| json!({}));
                let refused = door.ask(method, &path, &[], body).await;
                assert_eq!(refused.status, 403, "{method} {path} without {permission:?}");
                let scope = wanted(type_, permission);
                let told = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
                assert_eq!(refused.headers["www-authenticate"], told);
                if method != "HEAD" {
                    assert_eq!(refused.issue(), "forbidden", "{method} {path}");
                    let said = text(&refused.body["issue"][0]["diagnostics"]);
                    assert!(said.ends_with(&wanted(type_, permission)), "{method} {path}: {said}");
                }
                asked_for += 1;
            }
        }
    }
    assert!(asked_for > 1_000, "{asked_for}");
    // What belongs to no type is bundles, and operations.
    let at_all: Vec<_> = rest["interaction"].as_array().unwrap().iter().collect();
    assert_eq!(at_all, [&json!({ "code": "transaction" }), &json!({ "code": "batch" })]);
    assert_eq!(rest["operation"].as_array().unwrap().len(), 1, "say what scope a new one needs");
    let later = [("prefer", "respond-async")];
    door.narrowed_to("system/Basic.s");
    let all = door.ask("GET", "/$export?_type=Patient", &later, None).await;
    assert_eq!(all.refusal(), (403, "forbidden"));
    for resource in resources {
        let type_ = resource["type"].as_str().unwrap();
        if type_ == "Basic" {
            continue;
        }
        for operation in resource["operation"].as_array().into_iter().flatten() {
            let name = operation["name"].as_str().unwrap();
            let of_type = format!("/{type_}/${name}?_type=Patient");
            let of_one = format!("/{type_}/{NOTHING}/${name}?_type=Patient");
            let mut refused = Vec::new();
            for path in [of_type, of_one] {
                for method in ["GET", "POST"] {
                    refused.push(door.ask(method, &path, &later, None).await.status.as_u16());
                }
            }
            let is_closed = refused.iter().all(|status| matches!(status, 403..=405));
            assert!(is_closed && refused.contains(&403), "{type_} {name}: {refused:?}");
        }
    }
}

#[tokio::test]
async fn the_scope_for_something_is_enough_for_it() {
    let mut door = Door::open();
    let asha = door.create(patient("Asha Rao")).await;
    let path = format!("/{}", address(&asha));
    for (scope, method, path, status) in [
        ("system/Patient.r", "GET", path.clone(), 200),
        ("system/*.read", "GET", format!("{path}/_history"), 200),
        ("system/Patient.s", "GET", "/Patient?name=asha".to_owned(), 200),
        ("system/Patient.s", "GET", "/Patient/_history".to_owned(), 200),
        ("system/Patient.u", "PUT", path.clone(), 200),
        ("system/Patient.c", "POST", "/Patient".to_owned(), 201),
        ("system/Flag.d", "DELETE", "/Flag/x".to_owned(), 204),
        ("system/Flag.r", "GET", "/metadata".to_owned(), 200),
    ] {
        door.narrowed_to(scope);
        let mut body = patient("Asha Rao Hegde");
        if method == "PUT" {
            body["id"] = asha["id"].clone();
        }
        let body = matches!(method, "POST" | "PUT").then_some(body);
        let done = door.ask(method, &path, &[], body).await;
        assert_eq!(done.status, status, "{scope}: {}", done.body);
        if matches!(method, "POST" | "PUT") {
            assert_eq!(done.body, json!(""), "who may not read it does not see it");
        }
    }
}

/// A visit at the practitioner's tomorrow at ten.
fn visit(who: &Value, practitioner: &Value) -> Value {
    json!({ "resourceType": "Appointment", "status": "booked",
        "start": "2026-11-24T10:00:00+05:30", "end": "2026-11-24T10:15:00+05:30",
        "participant": [{ "actor": reference(who), "status": "accepted" },
                        { "actor": reference(practitioner), "status": "accepted" }] })
}

#[tokio::test]
async fn a_search_shows_and_looks_at_no_type_outside_the_scopes() {
    let mut door = Door::open();
    let rao = door.practitioner("Dr. Rao").await;
    let asha = door.create(patient("Asha Rao")).await;
    door.create(visit(&asha, &rao)).await;
    let types = |entries: Vec<Value>| {
        let types = entries.iter().map(|it| text(&it["resource"]["resourceType"]));
        types.collect::<Vec<_>>()
    };
    let both = "/Appointment?_include=Appointment:patient&_include=Appointment:practitioner";
    door.narrowed_to("system/Appointment.rs");
    assert_eq!(types(door.entries(both).await), ["Appointment"], "the others are left out");
    for (path, lacks) in [
        ("/Appointment?patient.name=asha", "system/Patient.s"),
        ("/Appointment?actor:Practitioner.name=rao", "system/Practitioner.s"),
        ("/Appointment?_revinclude=Encounter:appointment", "system/Encounter.s"),
        ("/Appointment?_has:Encounter:appointment:status=planned", "system/Encounter.s"),
    ] {
        let refused = door.get(path).await;
        assert_eq!(refused.refusal(), (403, "forbidden"), "{path}: {}", refused.body);
        let said = text(&refused.body["issue"][0]["diagnostics"]);
        assert_eq!(said, format!("this token lacks the scope {lacks}"), "{path}");
    }
    door.narrowed_to("system/Appointment.rs system/Patient.rs");
    assert_eq!(types(door.entries(both).await), ["Appointment", "Patient"]);
    assert_eq!(door.ids("/Appointment?actor.name=asha").await.len(), 1);
    assert_eq!(door.ids("/Appointment?actor.name=dr").await.len(), 0, "practitioners fit nothing");
    // Who may read or change one that is known may not find it by what it says.
    door.narrowed_to("system/Appointment.rs system/Patient.s system/Practitioner.ru");
    assert_eq!(door.ids("/Appointment?actor.name=dr").await.len(), 0);
    door.narrowed_to("system/Appointment.rs system/Patient.s system/Practitioner.u");
    assert_eq!(types(door.entries(both).await), ["Appointment", "Patient"]);
    door.narrowed_to("system/Patient.rs");
    for path in [
        "/Patient?_has:Appointment:patient:status=booked",
        "/Patient?_revinclude=Appointment:patient",
        "/Patient?name=nobody&_revinclude=Appointment:patient",
    ] {
        assert_eq!(door.get(path).await.refusal(), (403, "forbidden"), "{path}");
    }
}

#[tokio::test]
async fn what_is_conditional_needs_the_scope_to_search_too() {
    let mut door = Door::open();
    door.create(patient("Asha Rao")).await;
    let flag = || {
        json!({ "resourceType": "Flag", "id": "f", "status": "active",
        "code": { "text": "x" }, "subject": { "reference": "Patient?name=asha" } })
    };
    door.narrowed_to("system/Flag.cud");
    let unless = [("if-none-exist", "_id=g")];
    for (method, path, headers) in [
        ("POST", "/Flag", &unless[..]),
        ("PUT", "/Flag?_id=g", &[]),
        ("DELETE", "/Flag?_id=g", &[]),
    ] {
        let body = (method != "DELETE").then(flag);
        let refused = door.ask(method, path, headers, body).await;
        assert_eq!(refused.refusal(), (403, "forbidden"), "{method} {path}");
    }
    let lacks = |answered: &Answered| text(&answered.body["issue"][0]["diagnostics"]);
    let refused = door.put("/Flag/f", flag()).await;
    assert!(lacks(&refused).ends_with("system/Patient.s"), "a reference that searches");
    door.narrowed_to("system/Flag.u system/Patient.s");
    assert_eq!(door.put("/Flag/f", flag()).await.status, 201);
}

#[tokio::test]
async fn each_entry_of_a_bundle_needs_its_own_scope() {
    let mut door = Door::open();
    let asha = door.create(patient("Asha Rao")).await;
    let entry = |method: &str, url: &str, resource: Option<Value>| json!({ "request": { "method": method, "url": url }, "resource": resource });
    let flag = json!({ "resourceType": "Flag", "id": "f", "status": "active",
        "code": { "text": "x" }, "subject": reference(&asha) });
    let mut basic = json!({ "resourceType": "Basic", "code": { "text": "x" } });
    let entries = |basic: &Value| {
        let entries = [
            entry("POST", "Basic", Some(basic.clone())),
            entry("PUT", "Flag/f", Some(flag.clone())),
            entry("DELETE", "Flag/g", None),
            entry("GET", &address(&asha), None),
            entry("GET", &format!("{}/_history/1", address(&asha)), None),
            entry("GET", "Patient?name=asha", None),
            entry("GET", "Basic", None),
        ];
        entries.map(|mut entry| {
            entry.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            entry
        })
    };
    let bundle = |kind: &str, entries: &[Value]| json!({ "resourceType": "Bundle", "type": kind, "entry": entries });
    door.narrowed_to("system/Basic.cs system/Patient.u");
    let batch = door.post("", bundle("batch", &entries(&basic))).await;
    let statuses: Vec<String> = batch.body["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| text(&it["response"]["status"])[..3].to_owned())
        .collect();
    assert_eq!(statuses, ["201", "403", "403", "403", "403", "403", "200"]);
    assert_eq!(door.ids("/Basic").await.len(), 1);
    // Of a transaction nothing is done if one entry may not be.
    basic["code"]["text"] = json!("y");
    let all = entries(&basic);
    for nth in 1..=5 {
        let refused =
            door.post("", bundle("transaction", &[all[0].clone(), all[nth].clone()])).await;
        assert_eq!(refused.refusal(), (403, "forbidden"), "{nth}: {}", refused.body);
    }
    assert_eq!(door.ids("/Basic").await.len(), 1);
}

#[tokio::test]
async fn a_slot_that_is_gone_names_others_only_to_who_may_see_slots() {
    let mut door = Door::open();
    let rao = door.practitioner("Dr. Rao").await;
    let (asha, ravi) =
        (door.create(patient("Asha Rao")).await, door.create(patient("Ravi Rao")).await);
    door.create(visit(&asha, &rao)).await;
    for (scopes, names) in
        [("system/Appointment.c", false), ("system/Appointment.c system/Slot.s", true)]
    {
        door.narrowed_to(scopes);
        let taken = door.post("/Appointment", visit(&ravi, &rao)).await;
        assert_eq!(taken.refusal(), (409, "conflict"), "{}", taken.body);
        assert_eq!(taken.body["issue"][0].get("extension").is_some(), names, "{scopes}");
    }
}
