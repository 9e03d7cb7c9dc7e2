//! Clients that mean harm or do not know better: bodies without end, drips, crowds, and requests made of nothing.
//!
//! `CAREPOST_FUZZ_CASES` sets how many requests are made of nothing, `CAREPOST_SEED` which.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use carepost::clock::stopwatch;
use carepost::http::openapi::document;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use super::running::{Clinic, ROOT, Running};

/// More than anything that was sent may be taken by buffers on the way before the refusal is heard.
const TAKEN_MAX: usize = 8 * 1024 * 1024;
const BODY: usize = 10 * 1024 * 1024;
/// The box cuts a head off after 10 s and a body after 20 s; this is some more.
const CUT_OFF_WITHIN: Duration = Duration::from_secs(26);
const CROWD: usize = 2_000;
const FUZZED: u32 = 1_500;

fn clinic() -> (tempfile::TempDir, Clinic) {
    let folder = tempfile::tempdir().unwrap();
    let clinic = Clinic::found(&folder.path().join("clinic"), 2);
    (folder, clinic)
}

fn head(clinic: &Clinic, more: &str) -> String {
    format!(
        "POST {ROOT}/patients HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n{more}\r\n",
        clinic.clerk
    )
}

/// Whatever arrives until the other side ends it.
fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut part) {
        bytes.extend_from_slice(&part[..length]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn ten_megabytes_are_refused_before_they_are_taken() {
    let (_folder, clinic) = clinic();
    let running = Running::start(&clinic);
    // Announced, the refusal comes before a single byte of it.
    let mut stream = TcpStream::connect(running.address).unwrap();
    let begun = stopwatch();
    stream.write_all(head(&clinic, &format!("Content-Length: {BODY}\r\n")).as_bytes()).unwrap();
    let mut first = [0; 64];
    let length = stream.read(&mut first).unwrap();
    assert!(first[..length].starts_with(b"HTTP/1.1 413 "), "{:?}", &first[..length]);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    // Whoever sends all of it before listening hears the same.
    let mut stream = TcpStream::connect(running.address).unwrap();
    stream.write_all(head(&clinic, &format!("Content-Length: {BODY}\r\n")).as_bytes()).unwrap();
    stream.write_all(&vec![b' '; BODY]).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let heard = read_all(&mut stream);
    assert!(heard.starts_with("HTTP/1.1 413 ") && heard.contains("too_large"), "{heard}");
    // Unannounced, it comes soon after the bound.
    let mut stream = TcpStream::connect(running.address).unwrap();
    stream.write_all(head(&clinic, "Transfer-Encoding: chunked\r\n").as_bytes()).unwrap();
    stream.set_nonblocking(true).unwrap();
    let block = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
    let (mut sent, mut at) = (0, 0);
    let begun = stopwatch();
    let answer = loop {
        assert!(begun.elapsed() < CUT_OFF_WITHIN, "{sent} bytes were taken and nothing said");
        match stream.read(&mut first) {
            Ok(length) => break String::from_utf8_lossy(&first[..length]).into_owned(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => panic!("{error} after {sent} bytes"),
        }
        match stream.write(&block.as_bytes()[at..]) {
            Ok(written) => {
                sent += written;
                at = (at + written) % block.len();
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
            // It has ended; what it said is read next.
            Err(_) => {}
        }
    };
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(sent <= TAKEN_MAX, "{sent} bytes were taken");
}

#[test]
fn a_client_that_drips_is_cut_off() {
    let (_folder, clinic) = clinic();
    let running = Running::start(&clinic);
    let begun = stopwatch();
    let connect = |start: &str| {
        let mut stream = TcpStream::connect(running.address).unwrap();
        // Each look waits so long: that is the drip's pace.
        stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        stream.write_all(start.as_bytes()).unwrap();
        Some(stream)
    };
    let mut heads = connect("GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Drip: ");
    let mut bodies = connect(&head(&clinic, "Content-Length: 10000\r\n"));
    let mut said = Vec::new();
    while heads.is_some() || bodies.is_some() {
        assert!(begun.elapsed() < CUT_OFF_WITHIN, "a drip is still listened to");
        for drip in [&mut heads, &mut bodies] {
            let Some(stream) = drip else { continue };
            let mut part = [0; 512];
            let ended = match stream.read(&mut part) {
                Ok(length) => {
                    said.push(String::from_utf8_lossy(&part[..length]).into_owned());
                    true
                }
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    stream.write_all(b" ").is_err()
                }
                Err(_) => true,
            };
            if ended {
                *drip = None;
            }
        }
    }
    assert!(said.iter().any(|text| text.starts_with("HTTP/1.1 408 ")), "{said:?}");
    assert!(!said.iter().any(|text| text.starts_with("HTTP/1.1 20")), "{said:?}");
}

#[tokio::test]
async fn a_crowd_that_says_nothing_does_not_keep_a_request_out() {
    rlimit::increase_nofile_limit(2 * CROWD as u64 + 512).unwrap();
    let (_folder, clinic) = clinic();
    let running = Running::start(&clinic);
    let mut crowd = Vec::new();
    let begun = stopwatch();
    for _ in 0..CROWD {
        let mut stream = TcpStream::connect(running.address).unwrap();
        stream.write_all(b"GET /livez HTTP/1.1\r\nHost: local").unwrap();
        crowd.push(stream);
    }
    // Before the first of them is cut off, and without making each other wait.
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let begun = stopwatch();
    for nth in 0..20 {
        running.register(&clinic.clerk, &format!("Patient {nth}")).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // They were all there meanwhile: none was turned away.
    for stream in &mut crowd {
        stream.set_nonblocking(true).unwrap();
        let looked = stream.read(&mut [0]);
        assert!(looked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock));
    }
}

/// A route of the API document with the fields of its body and of its query.
#[derive(Clone, Debug)]
struct Route {
    method: String,
    path: String,
    fields: Vec<String>,
    asked: Vec<String>,
}

fn routes() -> Vec<Route> {
    let document = serde_json::to_value(document()).unwrap();
    let mut routes = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let mut schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            if let Some(named) = schema["$ref"].as_str() {
                schema = document.pointer(named.trim_start_matches('#')).unwrap();
            }
            let fields = schema["properties"]
                .as_object()
                .map_or(Vec::new(), |known| known.keys().cloned().collect());
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let asked = parameters
                .iter()
                .filter(|parameter| parameter["in"] == "query")
                .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
                .collect();
            routes.push(Route { method: method.to_uppercase(), path: path.clone(), fields, asked });
        }
    }
    assert!(routes.len() > 60 && routes.iter().any(|route| route.fields.len() > 5));
    routes
}

/// Values that are right somewhere and wrong elsewhere.
fn word(known: &[String]) -> impl Strategy<Value = String> + use<> {
    let known = known.to_vec();
    prop_oneof![
        3 => prop::sample::select(known),
        2 => "\\PC{0,24}",
        1 => prop::sample::select(
            [
                "", "0", "-1", "9223372036854775807", "1e999", "true", "null", "2026-02-30", "-9999-01-01",
                "9999-12-31", "1984", "24:00", "99:99", "mon", "admin", "\u{202e}abc", "a\u{0}b", "%", "' OR 1=1 --",
                "\"*\" NEAR", "CP1:AAAA", "१२३", "𝒜𝒷", "+919844111173", "../../etc/passwd", "{}", "day", "cancelled",
                "01937e56-0000-7000-8000-000000000000.4294967295",
            ]
            .map(String::from)
            .to_vec()
        ),
        1 => "\\PC{3000}",
    ]
}

fn value(known: &[String]) -> impl Strategy<Value = Value> + use<> {
    let leaf = prop_oneof![
        4 => word(known).prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => (0..100_i64).prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let names = prop::sample::select(
            [
                "number", "use", "system", "value", "reason", "unit", "interval", "count", "line",
                "channels",
            ]
            .map(String::from)
            .to_vec(),
        );
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(names, inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// What may stand in a field or in a segment of this name, so that requests get past the first look.
fn fitting(known: &[String], name: &str) -> Value {
    let [patient, slot, practitioner, appointment, qr, schedule, date] = known else {
        panic!("seven things are known")
    };
    match name {
        "patient_id" | "patients" | "patient" => json!(patient),
        "slot_id" => json!(slot),
        "practitioner_id" | "practitioners" | "practitioner" => json!(practitioner),
        "practitioner_ids" => json!([practitioner]),
        "appointments" => json!(appointment),
        "schedules" => json!(schedule),
        "qr" => json!(qr),
        "date" | "from" | "to" | "valid_from" | "closed-days" => json!(date),
        "phone" => json!("98441 11173"),
        "birth_date" => json!("1984-05"),
        "birth_year" | "limit" => json!(84),
        "weekdays" => json!(["mon", "sun"]),
        "start" => json!("09:00"),
        "end" => json!("17:00"),
        "slot_minutes" | "duration_minutes" | "hold_minutes" => json!(15),
        "role" => json!("clerk"),
        "kind" => json!("board"),
        "password" => json!("long enough"),
        "every" => json!({ "unit": "day", "interval": 1, "count": 3 }),
        "relationship" => json!("mother"),
        "desk" | "all" | "accept_duplicate" => json!(true),
        _ => json!("अशा Rao"),
    }
}

/// One of the fields: left out, fitting, or anything.
#[derive(Clone, Debug)]
enum Filled {
    Not,
    Fitting,
    Wild(Value),
}

/// A request to a route: what stands for its segments, its query, and its body.
fn requests(known: Vec<String>) -> impl Strategy<Value = (Route, String, Option<Vec<u8>>, bool)> {
    let filled = prop_oneof![
        3 => Just(Filled::Not),
        5 => Just(Filled::Fitting),
        2 => value(&known).prop_map(Filled::Wild),
    ];
    let all = prop::collection::vec(filled, 24);
    let noise = prop_oneof![
        8 => Just(None),
        1 => prop::collection::vec(any::<u8>(), 0..64).prop_map(Some),
        1 => (1..5_000_usize).prop_map(|depth| Some(vec![b'['; depth])),
    ];
    let segment = prop_oneof![3 => Just(None), 2 => word(&known).prop_map(Some)];
    let route = prop::sample::select(routes());
    (route, segment, all.clone(), all, noise, any::<bool>()).prop_map(
        move |(route, segment, query, fields, noise, is_admin)| {
            let mut target = String::new();
            let mut before = "";
            for part in route.path.split('/').skip(1) {
                target.push('/');
                match (&segment, part.starts_with('{')) {
                    (_, false) => target.push_str(part),
                    (Some(wild), true) => target.push_str(&encoded(wild)),
                    (None, true) => target.push_str(&encoded(&text(&fitting(&known, before)))),
                }
                before = part;
            }
            let asked = filled_in(&known, &route.asked, query);
            let pairs: Vec<String> = asked
                .into_iter()
                .map(|(name, value)| format!("{name}={}", encoded(&text(&value))))
                .collect();
            if !pairs.is_empty() {
                target = format!("{target}?{}", pairs.join("&"));
            }
            let body = match route.method.as_str() {
                "GET" | "DELETE" => None,
                _ => noise.or_else(|| {
                    let fields = filled_in(&known, &route.fields, fields);
                    Some(Value::Object(fields).to_string().into_bytes())
                }),
            };
            (route, target, body, is_admin)
        },
    )
}

fn filled_in(known: &[String], names: &[String], filled: Vec<Filled>) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, filled) in names.iter().zip(filled) {
        match filled {
            Filled::Not => {}
            Filled::Fitting => drop(members.insert(name.clone(), fitting(known, name))),
            Filled::Wild(value) => drop(members.insert(name.clone(), value)),
        }
    }
    members
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Sends a request made of nothing; answers what is wrong with the answer.
async fn try_out(
    running: &Running,
    token: &str,
    (route, target, body): (&Route, &str, Option<Vec<u8>>),
) -> Result<u16, String> {
    let url = format!("http://{}{target}", running.address);
    let mut request = running.http.request(route.method.parse().unwrap(), url).bearer_auth(token);
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body);
    }
    let response = request.send().await.map_err(|error| format!("no answer: {error}"))?;
    let status = response.status();
    let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().to_owned();
    if kind == "text/event-stream" {
        return Ok(status.as_u16());
    }
    let text = response.text().await.map_err(|error| format!("half an answer: {error}"))?;
    if status.is_server_error() {
        return Err(format!("{status}: {text}"));
    }
    if status.is_client_error() {
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        if kind != "application/problem+json" || problem["code"].as_str().is_none() {
            return Err(format!("{status} is no problem but {kind}: {text}"));
        }
    }
    Ok(status.as_u16())
}

#[test]
fn requests_made_of_nothing_are_answered_and_break_nothing() {
    let (_folder, clinic) = clinic();
    // It knows its own address, so that whoever says it is Twilio is judged by the signature.
    let variables = [
        ("CAREPOST_LOG__LEVEL", "debug"),
        ("CAREPOST_HTTP__HOSTS", r#"["clinic.example"]"#),
        ("CAREPOST_HTTP__PUBLIC_URL", "https://clinic.example"),
    ];
    let running = Running::start_under(&clinic, &variables);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let known = runtime.block_on(async {
        let patient = running.register(&clinic.clerk, "Asha Rao").await;
        let slot = clinic.slot(0, 5);
        let booking = json!({ "patient_id": patient, "slot_id": slot });
        let (_, booked) = running.post("appointments", &clinic.clerk, &booking).await;
        let practitioner = booked["practitioner_id"].as_str().unwrap().to_owned();
        let id = booked["id"].as_str().unwrap().to_owned();
        let qr = booked["qr"].as_str().unwrap().to_owned();
        let schedule = clinic.schedules[1].to_string();
        vec![patient, slot, practitioner, id, qr, schedule, super::running::date_in(3).to_string()]
    });
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
    let cases = number("CAREPOST_FUZZ_CASES").unwrap_or(FUZZED);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let seed = u8::try_from(number("CAREPOST_SEED").unwrap_or(1)).unwrap();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
    let seen = std::cell::RefCell::new(&mut statuses);
    runner
        .run(&requests(known), |(route, target, body, is_admin)| {
            let token = if is_admin { &clinic.admin } else { &clinic.clerk };
            let answer = runtime.block_on(try_out(&running, token, (&route, &target, body)));
            let status = answer.map_err(TestCaseError::fail)?;
            *seen.borrow_mut().entry(status).or_default() += 1;
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}\n{}", running.log()));
    // The requests are wild, but not so wild that none gets through.
    assert!(statuses.get(&200).is_some_and(|count| *count > 50), "{statuses:?}");
    let log = running.log();
    assert!(!log.contains("panicked") && !log.contains("failed unexpectedly"), "{log}");
    clinic.assert_sound();
}

#[tokio::test]
async fn neither_log_nor_figures_tell_who_was_here() {
    const NAME: &str = "Quillavane";
    const OTHER: &str = "Zephyrina";
    const PHONE: &str = "9844177713";
    const WORDS: &str = "wombatfever";
    const MAIL: &str = "okapimail";
    let (_folder, clinic) = clinic();
    let running = Running::start_logging(&clinic, "debug");
    let clerk = &clinic.clerk;
    let person = json!({
        "name": format!("{OTHER} {NAME}"), "phone": PHONE, "birth_date": "1984-05-02", "email": format!("{MAIL}@example.org"),
        "address": { "line": WORDS },
    });
    let (status, patient) = running.post("patients", clerk, &person).await;
    assert_eq!(status, 201, "{patient}");
    let id = patient["id"].as_str().unwrap();
    let (status, _) = running.post("patients", clerk, &person).await;
    assert_eq!(status, 409);
    for q in [NAME, OTHER, PHONE, "Quilavane"] {
        let (status, found) = running.get(&format!("patients?q={q}"), clerk).await;
        assert_eq!((status, &found["items"][0]["id"]), (200, &patient["id"]), "{q}");
    }
    let booking = json!({ "patient_id": id, "slot_id": clinic.slot(0, 0), "reason": WORDS });
    let (status, booked) = running.post("appointments", clerk, &booking).await;
    assert_eq!(status, 201);
    running.post("appointments", clerk, &booking).await;
    let cancel = format!("appointments/{}/cancel", booked["id"].as_str().unwrap());
    running.post(&cancel, clerk, &json!({ "reason": WORDS })).await;
    // Everything goes wrong that can: fields, addresses, questions, passwords, secrets.
    let shown = json!({ "phone": PHONE, "birth_date": "1984" });
    for path in ["check-ins/match", "check-ins", "check-ins/walk-in"] {
        running.post(path, clerk, &shown).await;
    }
    for (path, body) in [
        ("patients", json!({ "name": 1, "phone": NAME })),
        ("patients", json!({ NAME: PHONE })),
        ("patients", json!({ "name": NAME, "birth_date": WORDS })),
        ("appointments", json!({ "patient_id": NAME, "slot_id": PHONE })),
        ("session", json!({ "username": NAME, "password": WORDS })),
        ("devices/claim", json!({ "code": PHONE })),
        (NAME, json!({})),
    ] {
        let (status, _) = running.post(path, clerk, &body).await;
        assert!((400..500).contains(&status), "{path} {status}");
    }
    for path in [
        format!("patients/{NAME}"),
        format!("appointments?status={WORDS}"),
        format!("slots?from={PHONE}"),
    ] {
        assert!(running.get(&path, clerk).await.0 >= 400, "{path}");
    }
    assert_eq!(running.get("patients", NAME).await.0, 401);
    let mut raw = TcpStream::connect(running.address).unwrap();
    raw.write_all(format!("{NAME} /{PHONE} HTTP/9\r\n\r\n").as_bytes()).unwrap();
    read_all(&mut raw);

    let figures =
        running.http.get(format!("http://{}/metrics", running.address)).send().await.unwrap();
    let figures = figures.text().await.unwrap();
    assert!(figures.contains("carepost_requests_total"));
    let log = running.log();
    assert!(log.contains("the box serves"));
    for canary in [NAME, OTHER, PHONE, WORDS, MAIL] {
        let in_any_case = canary.to_lowercase();
        assert!(!log.to_lowercase().contains(&in_any_case), "{canary} is in the log:\n{log}");
        assert!(!figures.to_lowercase().contains(&in_any_case), "{canary} is in the figures");
    }
    assert!(!log.contains(clinic.clerk.as_str()), "a secret is in the log");
}
