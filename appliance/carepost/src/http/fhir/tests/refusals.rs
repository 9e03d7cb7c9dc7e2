//! Who may not, what cannot be read, and how FHIR says so; what the audit notes.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use prm::stamp::Role;
use serde_json::json;

use super::{Door, address, is_fhir, patient, reference};

#[tokio::test]
async fn only_json_is_spoken_and_only_json_is_understood() {
    let door = Door::open();
    door.create(patient("Asha Rao")).await;
    let accept = |kind: &'static str| {
        let door = &door;
        async move { door.ask("GET", "/Patient", &[("accept", kind)], None).await.status.as_u16() }
    };
    for kind in
        ["application/fhir+json", "application/json", "*/*", "text/html,application/json;q=0.1"]
    {
        assert_eq!(accept(kind).await, 200, "{kind}");
    }
    assert_eq!(accept("application/fhir+xml").await, 406);
    let xml = [("accept", "application/fhir+json")];
    for format in ["xml", "application/fhir+xml", "ttl"] {
        let path = format!("/Patient?_format={format}");
        assert_eq!(door.ask("GET", &path, &xml, None).await.refusal(), (406, "not-supported"));
    }
    for format in ["json", "application/json", "application/fhir%2Bjson"] {
        let path = format!("/Patient?_format={format}");
        let xml = [("accept", "application/fhir+xml")];
        assert_eq!(door.ask("GET", &path, &xml, None).await.status.as_u16(), 200, "{format}");
    }
    let token = door.clinic.token(Role::Admin);
    for (kind, body) in [("application/fhir+xml", "<Patient/>"), ("text/plain", "{}")] {
        let request = Request::post("/fhir/Patient").header("authorization", &token);
        let request = request.header("content-type", kind).body(Body::from(body)).unwrap();
        assert_eq!(is_fhir(door.clinic.send(request).await).refusal(), (415, "not-supported"));
    }
    for body in [
        "",
        "{",
        "[]",
        "{\"resourceType\":\"Patient\",\"resourceType\":\"Patient\"}",
        "{\"a\":\"\\u0000\"}",
    ] {
        let request = Request::post("/fhir/Patient").header("authorization", &token);
        let request =
            request.header("content-type", "application/fhir+json").body(Body::from(body)).unwrap();
        let refused = is_fhir(door.clinic.send(request).await);
        assert!(refused.status.is_client_error(), "{body}");
    }
}

#[tokio::test]
async fn whatever_is_wrong_is_said_as_an_operation_outcome() {
    let door = Door::open();
    for (method, path, status) in [
        ("GET", "/Nonsense", 404),
        ("GET", "/Nonsense/1", 404),
        ("GET", "/Patient/never", 404),
        ("GET", "/Patient/1/2/3/4/5", 404),
        ("GET", "/Patient/1/$nonsense", 404),
        ("GET", "/$nonsense", 404),
        ("POST", "/Patient/$nonsense", 404),
        // Addresses of resources, which are not posted to.
        ("POST", "/Patient/nonsense", 405),
        ("POST", "/Patient/1/Observation", 405),
        ("DELETE", "/metadata", 405),
        ("TRACE", "/Patient", 405),
        ("PUT", "/Patient/_search", 405),
        ("GET", "/Subscription", 405),
        // Without a body.
        ("POST", "/Slot", 415),
        ("DELETE", "", 405),
    ] {
        let refused = door.ask(method, path, &[], None).await;
        assert_eq!(refused.status.as_u16(), status, "{method} {path}: {}", refused.body);
        assert_eq!(refused.body["resourceType"], "OperationOutcome", "{method} {path}");
    }
    let secret = json!({ "resourceType": "Patient", "birthDate": "Secret Name" });
    let refused = door.post("/Patient", secret).await;
    assert!(!refused.body.to_string().contains("Secret"));
    assert_eq!(refused.body["issue"][0]["expression"], json!(["Patient.birthDate"]));
    let mut large = patient("Asha Rao");
    large["text"] = json!({ "status": "generated", "div": "x".repeat(8 * 1024 * 1024) });
    assert_eq!(door.post("/Patient", large).await.refusal(), (413, "too-long"));
    let scan = json!({ "resourceType": "Binary", "contentType": "application/pdf",
        "data": "QUFB".repeat(1024 * 1024) });
    let scan = door.create(scan).await;
    assert_eq!(door.get(&format!("/{}", address(&scan))).await.body["data"], scan["data"]);
}

#[tokio::test]
async fn each_role_sees_what_it_may_and_a_stranger_nothing() {
    let mut door = Door::open();
    let asha = door.create(patient("Asha Rao")).await;
    let condition = json!({ "resourceType": "Condition", "subject": reference(&asha),
        "clinicalStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
            "code": "active" }] } });
    let condition = door.create(condition).await;
    let sick = format!("/{}", address(&condition));
    let person = format!("/{}", address(&asha));
    let paths = [
        sick.clone(),
        person.clone(),
        "/Condition".into(),
        "/Patient".into(),
        "/Patient?_has:Condition:patient:_id=1".into(),
        "/Practitioner".into(),
        format!("{person}/_history"),
        "/Patient?_revinclude=Condition:patient".into(),
    ];
    let tries = async |door: &Door| {
        let mut heard = Vec::new();
        for path in &paths {
            heard.push(door.get(path).await.status.as_u16());
        }
        heard
    };
    assert_eq!(tries(&door).await, [200; 8]);
    door.becomes(Role::Integrator);
    assert_eq!(tries(&door).await, [200; 8]);
    door.becomes(Role::Clerk);
    assert_eq!(tries(&door).await, [403, 200, 403, 200, 403, 200, 200, 403]);
    door.becomes(Role::Auditor);
    assert_eq!(tries(&door).await, [403; 8]);
    door.becomes(Role::Kiosk);
    assert_eq!(tries(&door).await, [403; 8]);
    for (method, path) in [
        ("GET", sick.as_str()),
        ("GET", "/Patient"),
        ("DELETE", "/Condition/1"),
        ("GET", "/Patient/1/_history"),
    ] {
        let nobody = is_fhir(door.clinic.call(method, &format!("/fhir{path}"), &[], None).await);
        assert_eq!(nobody.refusal(), (401, "login"), "{method} {path}");
    }
    let nobody =
        is_fhir(door.clinic.call("POST", "/fhir/Patient", &[], Some(patient("Asha"))).await);
    assert_eq!(nobody.refusal(), (401, "login"));
    let wrong = [("authorization", "Bearer wrong")];
    assert_eq!(
        is_fhir(door.clinic.call("GET", "/fhir/Patient", &wrong, None).await).refusal(),
        (401, "login")
    );
    let open = is_fhir(door.clinic.call("GET", "/fhir/metadata", &[], None).await);
    assert_eq!((open.status, &open.body["fhirVersion"]), (StatusCode::OK, &json!("4.0.1")));
}

#[tokio::test]
async fn the_audit_says_whose_records_were_read_found_and_written() {
    let door = Door::open();
    let line = |verb: &str, noun: &str| (verb.to_owned(), noun.to_owned());
    let before = door.audit_end();
    let asha = door.create(patient("Asha Rao")).await;
    assert_eq!(door.audit_since(before), [line("register", "patient")]);
    let before = door.audit_end();
    door.get(&format!("/{}", address(&asha))).await;
    door.get(&format!("/{}/_history/1", address(&asha))).await;
    door.get(&format!("/{}/_history", address(&asha))).await;
    assert_eq!(door.audit_since(before), vec![line("read", "patient"); 3]);
    door.create(patient("Ravi Das")).await;
    let before = door.audit_end();
    door.get("/Patient").await;
    assert_eq!(door.audit_since(before), vec![line("list", "patient"); 2]);
    let before = door.audit_end();
    door.get("/Patient?name=nobody").await;
    door.get("/Patient?_summary=count").await;
    door.get("/Practitioner").await;
    assert_eq!(door.audit_since(before), []);
    let flag = json!({ "resourceType": "Flag", "status": "active", "code": { "text": "x" }, "subject": reference(&asha) });
    let before = door.audit_end();
    let flag = door.create(flag).await;
    door.get(&format!("/{}", address(&flag))).await;
    door.get("/Flag?_include=Flag:patient").await;
    assert_eq!(
        door.audit_since(before),
        [line("keep", "chart"), line("read", "chart"), line("list", "chart")]
    );
    // What a condition found and was not written is a read.
    let before = door.audit_end();
    let unless = [("if-none-exist", "name=asha")];
    door.ask("POST", "/Patient", &unless, Some(patient("Asha Rao"))).await;
    assert_eq!(door.audit_since(before), [line("read", "patient")]);
}
