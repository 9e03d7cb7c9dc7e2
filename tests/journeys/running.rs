//! The program itself serving a folder of its own; it ends with the test.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carepost::clock::Clock;
use carepost::founding;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use prm::clinic::Founding;
use prm::db::Tx;
use prm::id::ScheduleId;
use prm::stamp::{Role, Stamp};
use prm::{practitioner, schedule, staff, token};
use serde_json::Value;

pub const ROOT: &str = "/api/v1/prm";
pub const ZONE: &str = "Asia/Kolkata";
/// Minutes of a slot.
pub const SLOT: i64 = 10;
/// Slots of a schedule on one day: 6 to 22 o'clock.
pub const SLOTS_A_DAY: i64 = 96;
/// As long may the box take to answer or to start; a box that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A clinic that was founded in a folder, with tokens for those who call it.
pub struct Clinic {
    pub data: PathBuf,
    pub admin: String,
    pub clerk: String,
    pub integrator: String,
    pub schedules: Vec<ScheduleId>,
}

impl Clinic {
    /// Founds it: practitioners who are in every day from 6 to 22 o'clock.
    pub fn found(data: &Path, practitioners: usize) -> Self {
        let now = Clock::System.now();
        let db = founding::prepare(data, now).unwrap();
        let founded = db.write_blocking(move |tx| furnish(tx, &Stamp::of_box(now), practitioners));
        db.close();
        let ([admin, clerk, integrator], schedules) = founded.unwrap();
        Self { data: data.to_owned(), admin, clerk, integrator, schedules }
    }

    /// The id of the nth slot of a schedule from tomorrow on.
    pub fn slot(&self, schedule: usize, nth: i64) -> String {
        let (day, in_day) = (nth / SLOTS_A_DAY, nth % SLOTS_A_DAY);
        let date = date_in(1 + day);
        let zone = TimeZone::get(ZONE).unwrap();
        let start =
            prm::time::at_local_minute(&zone, date, u16::try_from(6 * 60 + in_day * SLOT).unwrap());
        prm::id::SlotId::new(self.schedules[schedule], start).to_string()
    }

    /// Runs another command of the program on the same folder.
    pub fn command(&self, arguments: &[&str]) -> Output {
        program().args(arguments).arg("--data").arg(&self.data).output().unwrap()
    }

    /// The audit has no altered, removed or inserted line, and the database is sound.
    pub fn assert_sound(&self) {
        let verified = self.command(&["audit", "verify"]);
        assert!(verified.status.success(), "{verified:?}");
        let db = carepost::app::open_db(&self.data).unwrap();
        assert_eq!(db.integrity().unwrap(), Vec::<String>::new());
        db.close();
    }
}

/// The local date so many days from today.
pub fn date_in(days: i64) -> Date {
    let zone = TimeZone::get(ZONE).unwrap();
    let today = prm::time::local_date(&zone, Clock::System.now());
    today.checked_add(jiff::Span::new().days(days)).unwrap()
}

/// Founds the clinic of these journeys.
pub fn furnish(
    tx: &mut Tx<'_>,
    stamp: &Stamp,
    practitioners: usize,
) -> prm::error::Result<([String; 3], Vec<ScheduleId>)> {
    let founding = Founding {
        name: "Shanti Clinic".into(),
        timezone: ZONE.into(),
        country: "IN".into(),
        demo: false,
    };
    prm::clinic::found(tx, stamp, founding)?;
    let mut schedules = Vec::new();
    for nth in 0..practitioners {
        let addition = practitioner::Addition {
            name: format!("Dr. Number {nth}"),
            specialties: vec!["general medicine".into()],
            location: None,
        };
        let practitioner = practitioner::add(tx, stamp, addition)?.id;
        let addition = schedule::Addition {
            practitioner,
            location: None,
            weekdays: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(String::from).into(),
            start: "06:00".into(),
            end: "22:00".into(),
            slot_minutes: SLOT,
            slot_capacity: None,
            session_capacity: None,
            valid_from: None,
            valid_to: None,
            lending: schedule::Lending::default(),
        };
        schedules.push(schedule::add(tx, stamp, addition)?.id);
    }
    let mut secret = |role: Role| {
        let request = token::Request { name: role.as_str().into(), role, expires_at: None };
        token::create(tx, stamp, request).map(|(_, secret)| secret.text().to_owned())
    };
    let tokens = [secret(Role::Admin)?, secret(Role::Clerk)?, secret(Role::Integrator)?];
    for username in ["asha", "ravi"] {
        let addition = staff::Addition {
            username: username.into(),
            name: username.into(),
            role: Role::Clerk,
            practitioner: None,
            password: staff::hash_password("correct horse")?,
        };
        staff::add(tx, stamp, addition)?;
    }
    Ok((tokens, schedules))
}

/// The program, without any setting from outside.
pub fn program() -> Command {
    program_named("carepost")
}

/// One of the programs, without any setting from outside.
pub fn program_named(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent).unwrap().join(name);
    assert!(is_built(&built), "build the program first: cargo build --workspace --tests --bins");
    let mut program = Command::new(built);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CAREPOST_") {
            program.env_remove(name);
        }
    }
    // What little room a build server has left is enough for the pictures of tests.
    program.env("CAREPOST_MEDIA__FREE_MEGABYTES", "64");
    program
}

/// The library that lies about the time to a program that is started with it (`LD_PRELOAD`), as `FAKETIME` says.
pub fn faketime() -> &'static str {
    const PLACES: [&str; 3] = [
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
        "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
        "/usr/lib/faketime/libfaketime.so.1",
    ];
    let library = PLACES.into_iter().find(|path| Path::new(path).exists());
    library.expect("libfaketime is there; install the package faketime")
}

/// Whether the program is there and none of its sources, which cargo lists beside it, is newer.
fn is_built(program: &Path) -> bool {
    let changed = |file: &Path| fs::metadata(file).and_then(|found| found.modified()).ok();
    let Some(built) = changed(program) else { return false };
    let listed = fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let mut sources = listed.split_whitespace().skip(1).map(Path::new);
    sources.all(|source| source.is_dir() || changed(source).is_none_or(|changed| changed <= built))
}

/// The program while it serves.
pub struct Running {
    child: Mutex<Child>,
    pub address: SocketAddr,
    pub http: reqwest::Client,
    log: Arc<Mutex<String>>,
}

/// An answer: the status and the body, as JSON where it is that.
pub type Answered = (u16, Value);

impl Running {
    pub fn start(clinic: &Clinic) -> Self {
        Self::start_logging(clinic, "info")
    }

    pub fn start_logging(clinic: &Clinic, level: &str) -> Self {
        Self::start_under(clinic, &[("CAREPOST_LOG__LEVEL", level)])
    }

    /// Starts it with these variables, and waits until it says that it serves.
    pub fn start_under(clinic: &Clinic, variables: &[(&str, &str)]) -> Self {
        let mut child = program()
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(&clinic.data)
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let (tell, told) = sync_channel(1);
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some((_, rest)) = line.split_once("the box serves plain=") {
                    let address = rest.split(' ').next().unwrap().parse().unwrap();
                    let _ = tell.send(address);
                }
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        let Ok(address) = told.recv_timeout(PATIENCE) else {
            let _ = child.kill();
            panic!("the box did not start:\n{}", log.lock().unwrap());
        };
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().unwrap();
        Self { child: Mutex::new(child), address, http, log }
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Ends it as a power cut would end the process: nothing is finished.
    pub fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Sends a request; answers nothing when no whole answer came.
    pub async fn try_call(
        &self,
        (method, path): (&str, &str),
        token: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Option<Answered> {
        let url = format!("http://{}{ROOT}/{path}", self.address);
        let mut request = self.http.request(method.parse().unwrap(), url).bearer_auth(token);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        let text = response.text().await.ok()?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Some((status, body))
    }

    pub async fn get(&self, path: &str, token: &str) -> Answered {
        self.try_call(("GET", path), token, None, None).await.expect("an answer")
    }

    pub async fn post(&self, path: &str, token: &str, body: &Value) -> Answered {
        self.try_call(("POST", path), token, None, Some(body)).await.expect("an answer")
    }

    /// Every appointment from tomorrow on.
    pub async fn appointments(&self, token: &str) -> Vec<Value> {
        let from = date_in(0);
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("appointments?from={from}&limit=1500{cursor}");
            let (status, page) = self.get(&path, token).await;
            assert_eq!(status, 200, "{page}");
            all.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    /// Registers somebody; answers the id.
    pub async fn register(&self, token: &str, name: &str) -> String {
        let body = serde_json::json!({ "name": name, "accept_duplicate": true });
        let (status, patient) = self.post("patients", token, &body).await;
        assert_eq!(status, 201, "{patient}");
        patient["id"].as_str().unwrap().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(child) = self.child.get_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The stable code of a problem.
pub fn code(problem: &Value) -> &str {
    problem["code"].as_str().unwrap_or("no code")
}

/// Whether an appointment takes its time.
pub fn stands(appointment: &Value) -> bool {
    !matches!(appointment["status"].as_str(), Some("cancelled" | "noshow" | "entered-in-error"))
}
