//! Every route of the API document, tried by nobody and by each role, compared with a table that
//! people read: `rights.txt`. With `CAREPOST_WRITE_RIGHTS=1` the table is written anew.
//!
//! `yes` means that the caller got past the question who may do this; what they asked for need
//! not exist. `no` is 403 `forbidden`, `who?` is 401 `signin_required`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use carepost::app::App;
use carepost::clock::Clock;
use carepost::config::Config;
use carepost::http::openapi::document;
use carepost::{founding, http};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use prm::clinic::Founding;
use prm::db::Tx;
use prm::device::{self, Kind};
use prm::staff::{self, Addition, hash_password};
use prm::stamp::{Role, Stamp};
use prm::token;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

/// An id that nothing has.
const NOTHING: &str = "01937e56-0000-7000-8000-000000000000";
const PEOPLE: [Role; 4] = [Role::Admin, Role::Clerk, Role::Practitioner, Role::Auditor];

/// Somebody who tries the routes: a name for the table, and the headers.
struct Caller {
    name: &'static str,
    headers: Vec<(&'static str, String)>,
}

struct Clinic {
    router: Router,
    app: App,
    /// Requests that were not understood: this test must send another body.
    misunderstood: Mutex<BTreeSet<String>>,
    _folder: TempDir,
}

impl Clinic {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("clinic");
        let now: Timestamp = "2026-11-23T10:00:00+05:30".parse().unwrap();
        let db = founding::prepare(&data, now).unwrap();
        let founding = Founding {
            name: "Shanti Clinic".into(),
            timezone: "Asia/Kolkata".into(),
            country: "IN".into(),
            demo: false,
        };
        let password = hash_password("correct horse").unwrap();
        db.write_blocking(move |tx| {
            let stamp = Stamp::of_box(now);
            prm::clinic::found(tx, &stamp, founding)?;
            for role in PEOPLE {
                let addition = Addition {
                    username: role.as_str().into(),
                    name: role.as_str().into(),
                    role,
                    practitioner: None,
                    password: password.clone(),
                };
                staff::add(tx, &stamp, addition)?;
            }
            Ok(())
        })
        .unwrap();
        let config = Config::load(&data, None, [], &[]).unwrap();
        let app = App::with_db(&data, config, Clock::standing_at(now), db).unwrap();
        Self {
            router: http::router(app.clone()),
            app,
            misunderstood: Mutex::default(),
            _folder: folder,
        }
    }

    fn program(&self, role: Role) -> Caller {
        let stamp = Stamp::of_box(self.app.now());
        let request = token::Request { name: role.as_str().into(), role, expires_at: None };
        let (_, secret) =
            self.app.db.write_blocking(move |tx| token::create(tx, &stamp, request)).unwrap();
        let headers = vec![("authorization", format!("Bearer {}", secret.text()))];
        Caller { name: role.as_str(), headers }
    }

    async fn person(&self, role: Role) -> Caller {
        let body = json!({ "username": role.as_str(), "password": "correct horse" });
        let request = Request::post("/api/v1/prm/session")
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        with_cookie(role.as_str(), cookie.split(';').next().unwrap())
    }

    fn kiosk(&self, paired: bool) -> Caller {
        let stamp = Stamp::of_box(self.app.now());
        let secret = self
            .app
            .db
            .write_blocking(move |tx| {
                let asked = device::ask_to_pair(tx, &stamp, Kind::Kiosk, None)?;
                if paired {
                    device::pair(tx, &stamp, &asked.code, None)?;
                }
                Ok(asked.secret)
            })
            .unwrap();
        let name = if paired { "kiosk" } else { "unpaired" };
        with_cookie(name, &format!("carepost_device={}", secret.text()))
    }

    async fn send(&self, method: &str, path: &str, caller: &Caller) -> Response<Body> {
        let filled = path.replace("{date}", "2026-12-25").replace("{id}", NOTHING);
        let filled = filled.replace("{merge_id}", NOTHING).replace("{related_id}", NOTHING);
        assert!(!filled.contains('{'), "say what stands for the segment in {path}");
        let filled = format!("{filled}{}", query(path));
        let mut request = Request::builder().method(method.to_uppercase().as_str()).uri(filled);
        for (name, value) in &caller.headers {
            request = request.header(*name, value);
        }
        let request = match body(method, path) {
            Some(body) => request
                .header("content-type", "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.router.clone().oneshot(request.unwrap()).await.unwrap()
    }

    /// How a route answers a caller, as it stands in the table.
    async fn tries(&self, method: &str, path: &str, caller: &Caller) -> &'static str {
        let response = self.send(method, path, caller).await;
        let status = response.status();
        if !status.is_client_error() && !status.is_server_error() {
            return "yes";
        }
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let problem: Value = serde_json::from_slice(&bytes).unwrap();
        let code = problem["code"].as_str().unwrap();
        assert!(status != StatusCode::INTERNAL_SERVER_ERROR, "{method} {path}: {problem}");
        // A request that is not understood says nothing about rights.
        let understood = !matches!(status.as_u16(), 400 | 405 | 415)
            && (status != StatusCode::UNPROCESSABLE_ENTITY || problem["field"] == "cursor");
        if !understood {
            self.misunderstood.lock().unwrap().insert(format!("{method} {path}: {problem}"));
            return "?";
        }
        match code {
            "signin_required" => "who?",
            "forbidden" => "no",
            "csrf" => panic!("{method} {path}: the header against forgery is missing"),
            _ => "yes",
        }
    }
}

fn with_cookie(name: &'static str, cookie: &str) -> Caller {
    let headers = vec![("cookie", cookie.to_owned()), ("x-carepost-csrf", "1".to_owned())];
    Caller { name, headers }
}

/// What a route must be asked after the question mark.
fn query(path: &str) -> String {
    match path.strip_prefix("/api/v1/prm") {
        Some("/faqs/find") => "?q=parking&language=en".to_owned(),
        Some("/waitlist/fitting") => format!("?slot={NOTHING}.29840000"),
        Some(_) | None => String::new(),
    }
}

/// A body that each route understands.
fn body(method: &str, path: &str) -> Option<Value> {
    let path = path.strip_prefix("/api/v1/prm").unwrap();
    let slot = format!("{NOTHING}.29840000");
    Some(match (method, path) {
        ("post", "/appointments") => json!({ "patient_id": NOTHING, "slot_id": slot }),
        ("post", "/appointments/series") => json!({
            "patient_id": NOTHING, "slot_id": slot,
            "every": { "unit": "week", "interval": 1, "count": 2 },
        }),
        ("post", "/appointments/{id}/cancel") => json!({ "reason": "asked for" }),
        ("post", "/sync/requests/{id}/accept") => json!({}),
        ("post", "/sync/requests/{id}/decline") => json!({ "reason": "asked for" }),
        ("post", "/appointments/{id}/move") => json!({ "slot_id": slot }),
        ("post", "/check-ins" | "/check-ins/match" | "/check-ins/walk-in") => {
            json!({ "phone": "98441 11173", "birth_date": "1984" })
        }
        ("post", "/closed-days") => json!({ "date": "2026-12-26", "reason": "holiday" }),
        ("post", "/devices" | "/devices/offer") => json!({ "kind": "board" }),
        ("post", "/devices/claim" | "/devices/pair") => json!({ "code": "00000000" }),
        ("post", "/conversations") => json!({ "patient_id": NOTHING }),
        ("post", "/conversations/{id}/messages") => json!({ "text": "Hello" }),
        ("post", "/conversations/{id}/assign" | "/conversations/{id}/identify") => json!({}),
        ("post", "/conversations/{id}/tickets") => json!({ "subject": "Call back" }),
        ("post", "/templates" | "/templates/preview") => {
            json!({ "sentence": "menu", "language": "en", "text": "What may it be?" })
        }
        ("patch", "/templates/{id}") => json!({ "text": "What may it be?" }),
        ("post", "/faqs") => {
            json!({ "language": "en", "questions": ["Where?"], "answer": "Here." })
        }
        ("post", "/canned-answers") => {
            json!({ "title": "Late", "language": "en", "text": "We are late, { $patient }." })
        }
        ("post", "/patient-instructions") => {
            json!({ "healthcare_service_id": NOTHING, "language": "en", "text": "Do not eat." })
        }
        ("patch", "/patient-instructions/{id}") => json!({ "text": "Do not eat." }),
        ("post", "/reminder-rules") => json!({ "before_minutes": 120, "media": ["sms"] }),
        ("post", "/tickets") => json!({ "subject": "Call back" }),
        ("post", "/waitlist") => json!({
            "patient_id": NOTHING, "specialty": "cardiology", "from": "2026-12-01", "to": "2026-12-02",
        }),
        ("post", "/waitlist/{id}/book" | "/waitlist/{id}/offer") => json!({ "slot_id": slot }),
        ("post", "/healthcare-services") => json!({ "name": "Visit", "duration_minutes": 15 }),
        ("post", "/leaves") => {
            json!({ "practitioner_id": NOTHING, "from": "2026-12-01", "to": "2026-12-02" })
        }
        ("post", "/loans/displaced/{id}/done" | "/loans/{id}/override") => {
            json!({ "reason": "the line is cut" })
        }
        ("post", "/loans/displaced/{id}/rebook") => json!({ "slot_id": slot }),
        ("post", "/loans/recall") => json!({ "from": "2026-12-01", "to": "2026-12-02" }),
        ("post", "/locations") => json!({ "name": "Room 1", "kind": "room" }),
        ("post", "/patients") => json!({ "name": "Asha Rao", "accept_duplicate": true }),
        ("post", "/patients/duplicates/dismiss") => {
            json!({ "a": NOTHING, "b": "01937e56-0000-7000-8000-000000000001" })
        }
        ("post", "/patients/{id}/family") => {
            json!({ "patient_id": "01937e56-0000-7000-8000-000000000001", "relationship": "mother" })
        }
        ("post", "/patients/{id}/merge") => {
            json!({ "duplicate_id": "01937e56-0000-7000-8000-000000000001" })
        }
        ("post", "/practitioners") => json!({ "name": "Dr. Iyer", "specialties": ["cardiology"] }),
        ("post", "/queue") => json!({ "patient_id": NOTHING, "practitioner_id": NOTHING }),
        ("post", "/queue/call-next") => json!({ "desk": true }),
        ("post", "/queue/{id}/prioritise") => json!({ "reason": "fever" }),
        ("post", "/schedules") => json!({
            "practitioner_id": NOTHING, "weekdays": ["mon"], "start": "09:00", "end": "17:00",
            "slot_minutes": 15,
        }),
        ("post", "/session") => json!({ "username": "nobody", "password": "wrong" }),
        ("post", "/session/password") => json!({ "current": "wrong", "new": "long enough" }),
        ("post", "/staff") => json!({
            "username": "new", "name": "New", "role": "clerk", "password": "long enough",
        }),
        ("patch", _) => json!({}),
        (_, _) => return None,
    })
}

/// All routes; signing out comes last, because afterwards a session is none.
fn routes() -> Vec<(String, String)> {
    let document = serde_json::to_value(document()).unwrap();
    let mut routes = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            routes.push((path.clone(), method.clone()));
        }
    }
    routes.sort_by_key(|(path, method)| {
        let ends = method == "delete" && path.ends_with("/session");
        (ends, path.clone(), method.clone())
    });
    routes
}

fn table_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("routes/rights.txt")
}

#[tokio::test]
async fn every_route_is_open_to_those_in_the_table_and_to_nobody_else() {
    let clinic = Clinic::new();
    let mut callers = vec![Caller { name: "nobody", headers: Vec::new() }];
    callers.push(clinic.kiosk(false));
    callers.push(clinic.kiosk(true));
    for role in PEOPLE {
        callers.push(clinic.person(role).await);
    }
    callers.push(clinic.program(Role::Integrator));
    callers.push(clinic.program(Role::Hub));

    let mut table = String::from(
        "# Who may call which route. yes: past the question of rights; no: 403; who?: 401.\n# Written by CAREPOST_WRITE_RIGHTS=1 cargo nextest run -p tests stranger; read it in review.\n",
    );
    let mut line = |first: &str, cells: Vec<&str>| {
        let _ = write!(table, "{first:<42}");
        for cell in cells {
            let _ = write!(table, "{cell:<13}");
        }
        table.truncate(table.trim_end().len());
        table.push('\n');
    };
    line("", callers.iter().map(|caller| caller.name).collect());
    for (path, method) in routes() {
        let mut cells = Vec::new();
        for caller in &callers {
            cells.push(clinic.tries(&method, &path, caller).await);
        }
        let short = path.strip_prefix("/api/v1/prm").unwrap();
        line(&format!("{:<7}{short}", method.to_uppercase()), cells);
    }
    let misunderstood = clinic.misunderstood.lock().unwrap().clone();
    assert!(misunderstood.is_empty(), "send another body: {misunderstood:#?}");
    if std::env::var_os("CAREPOST_WRITE_RIGHTS").is_some() {
        fs::write(table_file(), &table).unwrap();
    }
    let kept = fs::read_to_string(table_file()).unwrap_or_default();
    assert!(
        kept == table,
        "the rights have changed; if that is meant, write the table with CAREPOST_WRITE_RIGHTS=1:\n{table}"
    );
}

/// A token of a role may do what a person of that role may do, but for what is about the person.
#[tokio::test]
async fn a_program_may_do_what_a_person_of_its_role_may_do() {
    let clinic = Clinic::new();
    for role in PEOPLE {
        let (person, program) = (clinic.person(role).await, clinic.program(role));
        for (path, method) in routes() {
            if path.contains("/session") || path.ends_with("/devices/self") {
                continue;
            }
            let by_person = clinic.tries(&method, &path, &person).await;
            let by_program = clinic.tries(&method, &path, &program).await;
            assert_eq!(by_person, by_program, "{method} {path} as {}", role.as_str());
        }
    }
}

/// A token that is narrowed to scopes of FHIR is good for nothing that asks who somebody is.
#[tokio::test]
async fn a_token_with_scopes_is_refused_wherever_a_stranger_is() {
    let clinic = Clinic::new();
    let stranger = Caller { name: "nobody", headers: Vec::new() };
    let stamp = Stamp::of_box(clinic.app.now());
    let request = token::Request { name: "narrowed".into(), role: Role::Admin, expires_at: None };
    let scopes = "system/*.cruds".to_owned();
    let create = move |tx: &mut Tx<'_>| token::create_scoped(tx, &stamp, request, scopes);
    let (_, secret) = clinic.app.db.write_blocking(create).unwrap();
    let headers = vec![("authorization", format!("Bearer {}", secret.text()))];
    let narrowed = Caller { name: "narrowed", headers };
    for (path, method) in routes() {
        if clinic.tries(&method, &path, &stranger).await == "who?" {
            let answered = clinic.tries(&method, &path, &narrowed).await;
            // Where only a cookie says who somebody is, a token is nobody's.
            assert!(matches!(answered, "no" | "who?"), "{method} {path}: {answered}");
        }
    }
}
