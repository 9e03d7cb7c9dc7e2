//! Programs of others ask for the records of a clinic.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use fhir::here::NOWHERE;
use fhir::organization::Own;
use fhir::search::{pairs, parse};
use fhir::{Here, Resource, matching, structure};
use serde_json::{Value, json};
use sync_hub::hub::Hub;
use sync_hub::reindex::reindex;
use sync_hub::store::{self, StoreError, Token};
use sync_hub::token;
use uuid::Uuid;

use super::Place;
use super::device::Device;

/// What a program hears.
pub struct Heard {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Heard {
    /// The ids of what fits, in their order.
    pub fn ids(&self) -> Vec<String> {
        let entries = self.body["entry"].as_array().into_iter().flatten();
        let matches = entries.filter(|it| it["search"]["mode"] == "match");
        matches.map(|it| it["resource"]["id"].as_str().unwrap().to_owned()).collect()
    }

    fn next(&self) -> Option<String> {
        let mut links = self.body["link"].as_array()?.iter();
        let next = links.find(|it| it["relation"] == "next")?["url"].as_str()?;
        Some(next.strip_prefix("http://localhost").unwrap().to_owned())
    }

    fn issue(&self) -> &str {
        assert_eq!(self.body["resourceType"], "OperationOutcome", "{}", self.body);
        self.body["issue"][0]["code"].as_str().unwrap()
    }
}

/// A new token of a clinic.
pub fn new_token(place: &Place, clinic: [u8; 16], scopes: &str, expires_at: Option<i64>) -> String {
    let secret = token::make().unwrap();
    let token = Token {
        clinic,
        id: Uuid::new_v4().into_bytes(),
        name: "HIS".to_owned(),
        scopes: scopes.to_owned(),
        made_at: 0,
        expires_at,
        revoked_at: None,
    };
    let hash = token::hash(&secret).unwrap();
    place.hub.store.write(clinic, |tx| store::add_token(tx, &token, hash)).unwrap();
    secret.to_string()
}

/// Asks the hub; each answer under `/fhir` must be valid R4.
pub async fn ask(hub: &Arc<Hub>, request: Request<Body>) -> Heard {
    use tower::ServiceExt as _;
    let response = sync_hub::http::router(Arc::clone(hub)).oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    if body.is_empty() {
        return Heard { status, headers, body: Value::Null };
    }
    let resource = fhir::json::parse(&body).unwrap();
    assert!(structure::validate(&resource).is_empty(), "{}", String::from_utf8_lossy(&body));
    Heard { status, headers, body: serde_json::from_slice(&body).unwrap() }
}

/// Asks for an address with a token.
pub async fn get(hub: &Arc<Hub>, token: &str, path: &str) -> Heard {
    let request = Request::get(path).header("authorization", format!("Bearer {token}"));
    ask(hub, request.body(Body::empty()).unwrap()).await
}

pub fn fhir_of(clinic: [u8; 16]) -> String {
    format!("/fhir/{}", Uuid::from_bytes(clinic))
}

fn write(device: &mut Device, resource: &Value) {
    let (type_, id) =
        (resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
    device.write(&format!("{type_}/{id}"), &resource.to_string());
}

/// A clinic as its box says it.
pub fn organization(id: Uuid, name: &str) -> Value {
    let (timezone, country) = (Some("Asia/Kolkata".to_owned()), Some("IN".to_owned()));
    let clinic = Own { id, name: name.to_owned(), timezone, country }.clinic();
    let here = Here { clinic: &clinic, origin: "" };
    fhir::organization::write(here, jiff::Timestamp::UNIX_EPOCH, None).into()
}

/// The records of a small clinic.
fn records() -> Vec<Value> {
    let own = Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0001);
    let mut all = vec![organization(own, "Shanti")];
    for (nth, name) in
        ["Asha Rao", "Ravi Kumar", "Meena Rao-Patel", "Ashalata Iyer"].into_iter().enumerate()
    {
        all.push(json!({
            "resourceType": "Patient", "id": format!("p{nth}"), "active": nth != 1,
            "meta": { "versionId": "2", "lastUpdated": format!("2026-11-2{nth}T10:00:00+05:30") },
            "identifier": [{ "system": "urn:mrn", "value": format!("R-{nth}") }],
            "name": [{ "text": name }], "gender": (["female", "male"][nth % 2]),
            "telecom": [{ "system": "phone", "value": format!("+91984411117{nth}") }],
            "birthDate": (["1984-05-02", "1984-05", "1990", "2001-01-31"][nth]),
        }));
    }
    for nth in 0..12_usize {
        let start = format!("2026-11-{:02}T{:02}:30:00+05:30", 20 + nth / 3, nth % 3 * 2);
        let end = format!("2026-11-{:02}T{:02}:45:00+05:30", 20 + nth / 3, nth % 3 * 2);
        all.push(json!({
            "resourceType": "Appointment", "id": format!("a{nth:02}"),
            "status": (["booked", "cancelled", "booked"][nth % 3]), "start": start, "end": end,
            "participant": [
                { "actor": { "reference": format!("Patient/p{}", nth % 4) }, "status": "accepted" },
                { "actor": { "reference": format!("Practitioner/d{}", nth % 2) }, "status": "accepted" },
            ],
        }));
    }
    for nth in 0..2 {
        all.push(json!({
            "resourceType": "Practitioner", "id": format!("d{nth}"), "name": [{ "text": "Dr. Iyer" }],
        }));
    }
    all.push(json!({
        "resourceType": "Observation", "id": "o1", "status": "final", "subject": { "reference": "Patient/p2" },
        "code": { "coding": [{ "system": "http://loinc.org", "code": "8867-4" }] },
        "effectivePeriod": { "start": "2026-10-01", "end": "2026-12-24" },
    }));
    all
}

pub async fn with_records(place: &Place, name: &str) -> Device {
    let mut device = place.join(name).await;
    records().iter().for_each(|it| write(&mut device, it));
    device.sync(&place.hub).await;
    device
}

#[tokio::test]
async fn a_program_reads_a_record_with_a_token_of_its_clinic() {
    let place = Place::new();
    let device = with_records(&place, "Shanti").await;
    let (token, base) =
        (new_token(&place, device.clinic, "system/*.rs", None), fhir_of(device.clinic));
    let read = get(&place.hub, &token, &format!("{base}/Patient/p1")).await;
    assert_eq!(
        (read.status, read.body["name"][0]["text"].as_str()),
        (StatusCode::OK, Some("Ravi Kumar"))
    );
    assert_eq!(read.headers["etag"], "W/\"2\"");
    assert_eq!(read.headers["last-modified"], "Sat, 21 Nov 2026 04:30:00 GMT");
    let part = get(&place.hub, &token, &format!("{base}/Patient/p1?_elements=gender")).await;
    assert_eq!(part.body["name"], Value::Null);
    let again = Request::get(format!("{base}/Patient/p1")).header("if-none-match", "W/\"2\"");
    let again =
        again.header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap();
    assert_eq!(ask(&place.hub, again).await.status, StatusCode::NOT_MODIFIED);
    let lost = get(&place.hub, &token, &format!("{base}/Patient/p9")).await;
    assert_eq!((lost.status, lost.issue()), (StatusCode::NOT_FOUND, "not-found"));
    let said = get(&place.hub, &token, &format!("{base}/metadata")).await;
    assert_eq!(said.body["implementation"]["description"], "Shanti");
    for path in ["", "/Nothing", "/AuditEvent", "/Patient/p1/_history", "/Patient/p1/x/y"] {
        let heard = get(&place.hub, &token, &format!("{base}{path}")).await;
        assert_eq!(
            (heard.status, heard.issue().is_empty()),
            (StatusCode::NOT_FOUND, false),
            "{path}"
        );
    }
}

#[tokio::test]
async fn whoever_has_no_good_token_of_the_clinic_hears_the_same_whatever_there_is() {
    let place = Place::new();
    let device = with_records(&place, "Shanti").await;
    let other = place.join("Asha").await;
    let now = place.hub.clock.now_ms();
    let good = new_token(&place, device.clinic, "system/*.rs", Some(now + 1));
    let over = new_token(&place, device.clinic, "system/*.rs", Some(now));
    let theirs = new_token(&place, other.clinic, "system/*.rs", None);
    let mut heard = Vec::new();
    for (clinic, token) in [
        (Uuid::from_bytes(device.clinic).to_string(), over.as_str()),
        (Uuid::from_bytes(device.clinic).to_string(), theirs.as_str()),
        (Uuid::from_bytes(device.clinic).to_string(), "cph_guess"),
        (Uuid::from_bytes(other.clinic).to_string(), good.as_str()),
        (Uuid::new_v4().to_string(), good.as_str()),
        ("Shanti".to_owned(), good.as_str()),
    ] {
        let answer = get(&place.hub, token, &format!("/fhir/{clinic}/Patient/p1")).await;
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        heard.push((answer.status, answer.body));
    }
    assert_eq!(heard[0].0, StatusCode::UNAUTHORIZED);
    assert!(heard.iter().all(|it| *it == heard[0]));
    let path = format!("{}/Patient/p1", fhir_of(device.clinic));
    assert_eq!(get(&place.hub, &good, &path).await.status, StatusCode::OK);
    let tokens =
        place.hub.store.read(device.clinic, |tx| store::tokens(tx, device.clinic, 9)).unwrap();
    for it in tokens {
        place
            .hub
            .store
            .write(device.clinic, |tx| store::revoke_token(tx, device.clinic, it.id, now))
            .unwrap();
    }
    assert_eq!(get(&place.hub, &good, &path).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_is_good_for_its_scopes_only() {
    let place = Place::new();
    let device = with_records(&place, "Shanti").await;
    let token = new_token(&place, device.clinic, "system/Appointment.rs system/Patient.r", None);
    let base = fhir_of(device.clinic);
    for (path, status) in [
        ("Appointment/a01", StatusCode::OK),
        ("Appointment?date=2026-11-20", StatusCode::OK),
        ("Patient/p1", StatusCode::OK),
        ("Patient?name=asha", StatusCode::FORBIDDEN),
        ("Practitioner/d1", StatusCode::FORBIDDEN),
        ("Appointment?patient.name=asha", StatusCode::FORBIDDEN),
        ("Appointment?_has:Encounter:appointment:status=finished", StatusCode::FORBIDDEN),
        ("Appointment?_revinclude=Encounter:appointment", StatusCode::FORBIDDEN),
    ] {
        let heard = get(&place.hub, &token, &format!("{base}/{path}")).await;
        assert_eq!(heard.status, status, "{path}");
    }
    let with = format!(
        "{base}/Appointment?_id=a01&_include=Appointment:patient&_include=Appointment:practitioner"
    );
    let with = get(&place.hub, &token, &with).await;
    let entries = with.body["entry"].as_array().unwrap();
    let types: Vec<&str> =
        entries.iter().map(|it| it["resource"]["resourceType"].as_str().unwrap()).collect();
    assert_eq!(types, ["Appointment", "Patient"], "what the token may not see is left out");
}

/// Searches, and what is found without an index among all records.
const SEARCHES: [&str; 34] = [
    "Patient",
    "Patient?name=asha",
    "Patient?name=rao,iyer",
    "Patient?name:exact=Asha Rao",
    "Patient?name:contains=lata",
    "Patient?name=zzz",
    "Patient?phonetic=meenaa",
    "Patient?identifier=urn:mrn|R-2",
    "Patient?identifier=r-2",
    "Patient?phone=9844111172",
    "Patient?phone=%2B919844111172",
    "Patient?birthdate=1984",
    "Patient?birthdate=1984-05-02",
    "Patient?birthdate=ge1984-05-01&birthdate=lt1995",
    "Patient?active=true",
    "Patient?gender:not=male",
    "Patient?gender=female&name=rao",
    "Patient?_id=p1,p3",
    "Patient?_lastUpdated=ge2026-11-22",
    "Patient?_has:Appointment:patient:date=2026-11-21",
    "Patient?_has:Observation:patient:code=8867-4",
    "Appointment?date=2026-11-21",
    "Appointment?date=2026-11-21T00:30:00%2B05:30",
    "Appointment?date=ge2026-11-21&date=lt2026-11-23&status=booked",
    "Appointment?date=ge2026-11-23",
    "Appointment?date=lt2026-11-21",
    "Appointment?patient=p1&status=booked",
    "Appointment?patient=Patient/p1,Patient/p2&date=2026-11-22",
    "Appointment?patient.name=rao&status=booked",
    "Appointment?practitioner.name=iyer&patient.gender=male",
    "Appointment?status:missing=true",
    "Observation?date=2026-11-11",
    "Observation?date=ge2026-11-11&date=le2026-11-12",
    "Observation?code=http://loinc.org|8867-4&subject:Patient.name=meena",
];

#[tokio::test]
async fn a_search_finds_with_the_index_what_it_finds_without_one() {
    let place = Place::new();
    let device = with_records(&place, "Shanti").await;
    let token = new_token(&place, device.clinic, "system/*.rs", None);
    let all: Vec<Resource> =
        records().into_iter().map(|it| Resource::from_value(it).unwrap()).collect();
    let mut clinic = NOWHERE.clone();
    clinic.zone = jiff::tz::TimeZone::get("Asia/Kolkata").unwrap();
    let here = Here { clinic: &clinic, origin: "" };
    for search in SEARCHES {
        let heard = get(
            &place.hub,
            &token,
            &format!("{}/{}", fhir_of(device.clinic), search.replace(' ', "%20")),
        )
        .await;
        assert_eq!(heard.status, StatusCode::OK, "{search}: {}", heard.body);
        let (type_, query) = search.split_once('?').unwrap_or((search, ""));
        let query = parse(type_, &pairs(query).unwrap(), true, here).unwrap();
        let expected = all.iter().filter(|it| matching::fits(it, &query, here, &all));
        let expected: BTreeSet<String> = expected.map(|it| it.id().unwrap().to_owned()).collect();
        assert_eq!(heard.ids().into_iter().collect::<BTreeSet<_>>(), expected, "{search}");
        assert_eq!(heard.body["total"], expected.len(), "{search}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_whatever_comes_and_goes_between() {
    let place = Place::new();
    let mut device = with_records(&place, "Shanti").await;
    let (token, base) =
        (new_token(&place, device.clinic, "system/*.rs", None), fhir_of(device.clinic));
    for order in ["", "&_sort=-date", "&_sort=status,date", "&_sort=patient"] {
        let whole =
            get(&place.hub, &token, &format!("{base}/Appointment?_count=100{order}")).await.ids();
        assert_eq!(whole.len(), 12, "{order}");
        let mut path = Some(format!("{base}/Appointment?_count=5{order}"));
        let mut paged = Vec::new();
        while let Some(from) = path.take() {
            let page = get(&place.hub, &token, &from).await;
            paged.extend(page.ids());
            path = page.next();
        }
        assert_eq!(paged, whole, "{order}");
    }
    let sorted = get(&place.hub, &token, &format!("{base}/Patient?_sort=-birthdate")).await;
    assert_eq!(sorted.ids(), ["p3", "p2", "p0", "p1"]);
    let first = get(&place.hub, &token, &format!("{base}/Appointment?_count=5")).await;
    device.write("Appointment/a04", "");
    device.sync(&place.hub).await;
    let second = get(&place.hub, &token, &first.next().unwrap()).await;
    assert_eq!(second.ids(), ["a05", "a06", "a07", "a08", "a09"]);
    let counted =
        get(&place.hub, &token, &format!("{base}/Appointment?_summary=count&status=booked")).await;
    assert_eq!((counted.body["total"].as_u64(), counted.body["entry"].is_null()), (Some(8), true));
    let forged = get(&place.hub, &token, &format!("{base}/Appointment?_cursor=abcd")).await;
    assert_eq!((forged.status, forged.issue()), (StatusCode::BAD_REQUEST, "value"));
}

#[tokio::test]
async fn a_search_by_post_and_what_it_includes_is_answered() {
    let place = Place::new();
    let device = with_records(&place, "Shanti").await;
    let (token, base) =
        (new_token(&place, device.clinic, "system/*.rs", None), fhir_of(device.clinic));
    let posted = |kind: &str| {
        let request = Request::post(format!("{base}/Patient/_search")).header("content-type", kind);
        let request = request.header("authorization", format!("Bearer {token}"));
        request
            .body(Body::from(
                "name=meena&_revinclude=Appointment:patient&_revinclude=Observation:subject",
            ))
            .unwrap()
    };
    let heard = ask(&place.hub, posted("application/x-www-form-urlencoded")).await;
    assert_eq!((heard.status, heard.ids()), (StatusCode::OK, vec!["p2".to_owned()]));
    let included = heard.body["entry"].as_array().unwrap().iter();
    let included: Vec<&str> = included
        .filter(|it| it["search"]["mode"] == "include")
        .map(|it| it["resource"]["id"].as_str().unwrap())
        .collect();
    assert_eq!(included, ["a02", "a06", "a10", "o1"]);
    assert_eq!(
        ask(&place.hub, posted("text/plain")).await.status,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    let unknown = get(&place.hub, &token, &format!("{base}/Patient?shoe-size=44")).await;
    assert_eq!((unknown.status, unknown.ids().len()), (StatusCode::OK, 4));
    assert!(unknown.body.to_string().contains("not looked at: shoe-size"));
    let xml = get(&place.hub, &token, &format!("{base}/Patient?_format=xml")).await;
    assert_eq!(xml.status, StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn what_is_said_no_more_is_found_no_more_and_the_index_tells_no_word() {
    let place = Place::new();
    let mut device = with_records(&place, "Shanti").await;
    let (token, base) =
        (new_token(&place, device.clinic, "system/*.rs", None), fhir_of(device.clinic));
    device.write_patient("p0", "Lakshmi");
    device.write("Patient/p2", "");
    device.sync(&place.hub).await;
    for (name, ids) in [("asha rao", &[][..]), ("lakshmi", &["p0"]), ("meena", &[])] {
        let path = format!("{base}/Patient?name={}", name.replace(' ', "%20"));
        assert_eq!(get(&place.hub, &token, &path).await.ids(), ids, "{name}");
    }
    let keys = place.hub.store.read(device.clinic, |tx| -> Result<_, StoreError> {
        let sql = "SELECT key FROM record_index
            WHERE key NOT IN (SELECT key FROM record) AND clinic = ?1";
        tx.rows(sql, &[(&device.clinic).into()], |row| row.get::<Vec<u8>>(0))
    });
    assert!(keys.unwrap().is_empty(), "what is gone has no terms");
    for file in place.files() {
        let bytes = std::fs::read(file).unwrap();
        for word in [&b"Patient|"[..], b"|tasha", b"9844111", b"d1984-05"] {
            assert!(!bytes.windows(word.len()).any(|it| it == word));
        }
    }
}

#[tokio::test]
async fn an_index_that_was_never_made_is_made_before_it_is_asked() {
    let place = Place::new();
    let device = with_records(&place, "Shanti").await;
    let (token, base) =
        (new_token(&place, device.clinic, "system/*.rs", None), fhir_of(device.clinic));
    place
        .hub
        .store
        .write(device.clinic, |tx| -> Result<(), StoreError> {
            for table in ["record_index", "record_terms", "index_state"] {
                tx.execute(&format!("DELETE FROM {table}"), &[])?;
            }
            Ok(())
        })
        .unwrap();
    for path in ["Patient?name=asha", "Patient/p0"] {
        let heard = get(&place.hub, &token, &format!("{base}/{path}")).await;
        assert_eq!((heard.status, heard.issue()), (StatusCode::SERVICE_UNAVAILABLE, "timeout"));
        assert!(heard.headers.contains_key("retry-after"));
    }
    assert_eq!(reindex(&place.hub).unwrap(), u64::try_from(records().len()).unwrap());
    assert_eq!(reindex(&place.hub).unwrap(), 0);
    let heard = get(&place.hub, &token, &format!("{base}/Patient?name=asha")).await;
    assert_eq!(heard.ids(), ["p0", "p3"]);
}
