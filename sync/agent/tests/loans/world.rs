//! A clinic's records in a folder, and a real hub in another, which speak over loopback. Compiled as the test
//! `postgres`, the hub's database is PostgreSQL.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use fhir::{Here, Resource};
use jiff::{SignedDuration, Timestamp};
use prm::appointment::{self, Appointment, Booking, Filter};
use prm::clinic::{self, Founding, found};
use prm::db::{Db, Keys, Read, Tx};
use prm::error::{Code, Error, Result};
use prm::id::{AppointmentId, LoanId, PatientId, PractitionerId, SlotId};
use prm::loan::{self, Displaced, Loan};
use prm::patient::{self, RawPhone, Registration};
use prm::practitioner;
use prm::schedule::{self, Addition};
use prm::slot::{self, Search, Slot};
use prm::stamp::Stamp;
use prm::{change, hub};
use serde_json::json;
use sync_agent::enrol::{Joining, enrol};
use sync_agent::loans::{BoxTime, Loans, Shown, Turn, Usual, key, shown};
use sync_agent::{Agent, Fault, Internet, OnHeld};
use sync_hub::code;
use sync_hub::hub::Hub;
use sync_hub::loans::{Asking, Bought, NotSold, sell};
use sync_hub::store::{self, Clinic, IfMissing};
use sync_protocol::loan::BookingId;
use sync_protocol::uplink::Stop;
use uuid::Uuid;

use super::cluster::Cluster;

/// Whether these tests are compiled for PostgreSQL.
const POSTGRES: bool = matches!(env!("CARGO_CRATE_NAME").as_bytes(), b"postgres");
/// The clinic's id at the hub.
pub const CLINIC: [u8; 16] = *b"clinic-000000001";

/// The hub in a folder, its clock, and how the line to it is.
pub struct Cloud {
    folder: PathBuf,
    cluster: Option<Cluster>,
    hub: RwLock<Arc<Hub>>,
    clock: Arc<AtomicI64>,
    /// So many answers are lost after the hub has done what was asked.
    pub lose: AtomicUsize,
    _folder: tempfile::TempDir,
}

impl Cloud {
    fn new(now: Timestamp) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(now.as_millisecond()));
        let path = folder.path().to_owned();
        let cluster = POSTGRES.then(Cluster::start);
        let hub = open(&path, cluster.as_ref(), &clock);
        let wrapped_key = hub.keys.vault.make_clinic_key(CLINIC).unwrap();
        let clinic =
            Clinic { id: CLINIC, name: "Shanti Clinic".into(), wrapped_key, added_at: 0, life: 0 };
        hub.store.write(CLINIC, |tx| store::add_clinic(tx, &clinic)).unwrap();
        let hub = RwLock::new(hub);
        Self { folder: path, cluster, hub, clock, lose: AtomicUsize::new(0), _folder: folder }
    }

    pub fn hub(&self) -> Arc<Hub> {
        Arc::clone(&self.hub.read().unwrap())
    }

    /// The hub starts again.
    pub fn restart(&self) {
        *self.hub.write().unwrap() = open(&self.folder, self.cluster.as_ref(), &self.clock);
    }

    /// Leads the box, and whoever books online, to a hub that was started on this database.
    pub fn lead_to(&self, hub: &Arc<Hub>) {
        *self.hub.write().unwrap() = Arc::clone(hub);
    }

    /// Copies the database.
    pub fn copy(&self) {
        let Some(cluster) = &self.cluster else {
            let database = rusqlite::Connection::open(self.folder.join("hub.db")).unwrap();
            let copy = self.folder.join("copy.db");
            database.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
            return;
        };
        cluster.copy();
    }

    /// The hub is put back from the copy.
    pub fn put_back(&self) {
        match &self.cluster {
            None => {
                // The old one lets go of its files before they are replaced.
                let empty = tempfile::tempdir().unwrap();
                *self.hub.write().unwrap() = open(empty.path(), None, &self.clock);
                for name in ["hub.db-wal", "hub.db-shm"] {
                    let _ = std::fs::remove_file(self.folder.join(name));
                }
                std::fs::rename(self.folder.join("copy.db"), self.folder.join("hub.db")).unwrap();
            }
            Some(cluster) => cluster.put_back(),
        }
        self.restart();
    }

    fn code(&self) -> String {
        code::give(&self.hub(), CLINIC, 1_000_000).unwrap().0
    }

    /// Somebody books online.
    pub fn sell(
        &self,
        slot: SlotId,
        booking: Uuid,
        name: &str,
    ) -> std::result::Result<Bought, NotSold> {
        let bundle = json!({
            "resourceType": "Bundle", "type": "collection",
            "entry": [
                { "resource": {
                    "resourceType": "Patient", "name": [{ "text": name }], "birthDate": "1984-05-02",
                    "telecom": [{ "system": "phone", "value": "+919844111173" }] } },
                { "resource": {
                    "resourceType": "Appointment", "status": "booked", "description": "A cough",
                    "participant": [{ "status": "accepted" }] } },
            ],
        });
        let (booking, slot) = (BookingId(booking.into_bytes()), key(slot, 0));
        let bundle = bundle.to_string();
        let not_after_ms = self.clock.load(Ordering::Relaxed) + 40 * 86_400_000;
        let asking = Asking { slot: &slot, booking, bundle: bundle.as_bytes(), not_after_ms };
        sell(&self.hub(), CLINIC, &asking)
    }
}

fn open(folder: &Path, cluster: Option<&Cluster>, clock: &Arc<AtomicI64>) -> Arc<Hub> {
    let clock = sync_hub::clock::Clock::Set(Arc::clone(clock));
    let hub = match cluster {
        None => Hub::open(folder, IfMissing::Make, clock),
        Some(cluster) => {
            let address = cluster.address("hub", "carepost").parse().unwrap();
            Hub::open_with(folder, &address, IfMissing::Make, clock)
        }
    };
    Arc::new(hub.unwrap())
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

async fn line(State(cloud): State<Arc<Cloud>>, request: Request, next: Next) -> Response {
    let answer = next.run(request).await;
    let lost =
        cloud.lose.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| it.checked_sub(1));
    if lost.is_ok() { StatusCode::SERVICE_UNAVAILABLE.into_response() } else { answer }
}

/// Whatever hub there is at the moment answers.
async fn ask(State(cloud): State<Arc<Cloud>>, request: Request) -> Response {
    let router = sync_hub::http::router(cloud.hub());
    tower::ServiceExt::oneshot(router, request).await.unwrap()
}

/// A clinic with one practitioner, who sees patients all week from nine to one.
pub struct World {
    folder: tempfile::TempDir,
    pub db: Db,
    pub cloud: Arc<Cloud>,
    pub doctor: PractitionerId,
    now: Timestamp,
    /// Milliseconds since the box was booted, and which boot it is.
    at: BoxTime,
}

/// The two loops of a box.
pub struct Ends {
    pub agent: Agent,
    pub loans: Loans,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(&folder.path().join("keys")).unwrap();
        let db = Db::create(&folder.path().join("carepost.db"), keys).unwrap();
        let now: Timestamp = "2026-11-23T08:00:00+05:30".parse().unwrap();
        let stamp = Stamp::of_box(now);
        let doctor = db
            .write_blocking(move |tx| {
                let (name, timezone) = ("Shanti Clinic".to_owned(), "Asia/Kolkata".to_owned());
                found(tx, &stamp, Founding { name, timezone, country: "IN".into(), demo: false })?;
                // What a restored or a new log is begun with.
                change::begin_log(tx, &stamp)?;
                let (name, specialties) =
                    ("Dr. Rajiv Sharma".to_owned(), vec!["cardiology".into()]);
                let addition = practitioner::Addition { name, specialties, location: None };
                let doctor = practitioner::add(tx, &stamp, addition)?.id;
                schedule::add(tx, &stamp, session(doctor))?;
                Ok(doctor)
            })
            .unwrap();
        let cloud = Arc::new(Cloud::new(now));
        Self { folder, db, cloud, doctor, now, at: BoxTime { boot: 1, at_ms: 1_000 } }
    }

    /// The box as it is now, in another folder: what a backup restores, once its log begins anew.
    pub fn backup(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("keys");
        copy_folder(&self.folder.path().join("keys"), &to);
        let path = folder.path().join("carepost.db");
        self.db.copy_to(&path).unwrap();
        let db = Db::open(&path, Keys::load(&to).unwrap()).unwrap();
        let cloud = Arc::clone(&self.cloud);
        let at = BoxTime { boot: self.at.boot + 1, at_ms: 1_000 };
        Self { folder, db, cloud, doctor: self.doctor, now: self.now, at }
    }

    pub fn write<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&mut Tx<'_>, &Stamp) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let stamp = Stamp::of_box(self.now);
        self.db.write_blocking(move |tx| verb(tx, &stamp))
    }

    pub fn read<T>(&self, query: impl FnOnce(&Read<'_>, &Stamp) -> Result<T>) -> T {
        let stamp = Stamp::of_box(self.now);
        self.db.read_blocking(|read| query(read, &stamp)).unwrap()
    }

    /// All clocks go on.
    pub fn later(&mut self, hours: i64) {
        let by = SignedDuration::from_hours(hours);
        self.now += by;
        self.at.at_ms += u64::try_from(by.as_millis()).unwrap();
        self.cloud.clock.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::Relaxed);
    }

    /// The wait of the box is over, whatever the other clocks say.
    pub fn wait_out(&mut self) {
        self.at.at_ms += 40 * 86_400_000;
    }

    pub fn at(&self) -> BoxTime {
        self.at
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Turns until the box stops, and why it did.
    pub async fn stopped(&mut self, ends: &mut Ends) -> Stop {
        for _ in 0..20 {
            self.now += SignedDuration::from_mins(2);
            ends.agent.ask_again();
            while let turn = ends.agent.round(self.now).await.unwrap()
                && turn != sync_agent::Turn::Idle
            {
                if let sync_agent::Turn::Stopped(stop) = turn {
                    return stop;
                }
            }
            ends.loans.round(ends.agent.nonce(), self.now, self.at).await.unwrap();
        }
        panic!("it never stops");
    }

    fn keys(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    /// Joins the hub, by a code.
    pub async fn join(&self) -> Ends {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .fallback(ask)
            .layer(from_fn_with_state(Arc::clone(&self.cloud), line))
            .with_state(Arc::clone(&self.cloud));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let (code, keys) = (self.cloud.code(), self.keys());
        let data = self.folder.path();
        let joining = Joining {
            url: &url,
            code: &code,
            fingerprint: None,
            data,
            keys: &keys,
            on_held: OnHeld::Forget,
        };
        enrol(&self.db, joining, self.now).await.unwrap();
        self.ends()
    }

    /// The two loops, as after a start.
    pub fn ends(&self) -> Ends {
        let agent = Agent::new(self.db.clone(), self.keys(), told);
        Ends {
            agent,
            loans: Loans::new(self.db.clone(), self.keys(), Usual::default(), Internet::default()),
        }
    }

    /// One turn of both loops.
    pub async fn turn(&self, ends: &mut Ends) -> std::result::Result<Turn, Fault> {
        ends.agent.ask_again();
        loop {
            match ends.agent.round(self.now).await? {
                sync_agent::Turn::Told { more: true, .. } => {}
                sync_agent::Turn::Told { more: false, .. } | sync_agent::Turn::Idle => break,
                turn @ (sync_agent::Turn::Held
                | sync_agent::Turn::Alone
                | sync_agent::Turn::Stopped(_)
                | sync_agent::Turn::Replacing) => {
                    panic!("{turn:?}")
                }
            }
        }
        ends.loans.round(ends.agent.nonce(), self.now, self.at).await
    }

    /// Turns until nothing is left to be said.
    pub async fn settle(&mut self, ends: &mut Ends) {
        for _ in 0..20 {
            // So that the hub is asked although nothing is due here.
            self.now += SignedDuration::from_mins(2);
            match self.turn(ends).await.unwrap() {
                Turn::Done { more: false } | Turn::Idle => return,
                Turn::Done { more: true } => {}
                turn @ (Turn::Alone | Turn::Learning) => panic!("{turn:?}"),
            }
        }
        panic!("it never ends");
    }

    pub fn loans(&self) -> Vec<Loan> {
        self.read(|read, stamp| loan::list(read, stamp, &loan::Filter::default(), 2_000))
    }

    /// How a loan stands, as people see it.
    pub fn shown(&self, id: LoanId) -> Option<Shown> {
        let row = self.read(|read, stamp| loan::get(read, stamp, id));
        shown(&row, self.at).unwrap()
    }

    pub fn displaced(&self) -> Vec<Displaced> {
        self.read(|read, stamp| loan::displaced(read, stamp, None, 100))
    }

    pub fn patient(&self, name: &str) -> PatientId {
        let registration = Registration {
            name: name.into(),
            phones: vec![RawPhone { number: "+919844111173".into(), use_: None }],
            birth_date: Some("1984-05-02".into()),
            accept_duplicate: true,
            ..Registration::default()
        };
        self.write(move |tx, stamp| patient::register(tx, stamp, registration)).unwrap().id
    }

    pub fn slots(&self, days: i64) -> Vec<Slot> {
        let from =
            prm::time::local_date(&jiff::tz::TimeZone::get("Asia/Kolkata").unwrap(), self.now);
        let search = Search {
            practitioner: Some(self.doctor),
            specialty: None,
            service: None,
            from,
            to: from.checked_add(jiff::Span::new().days(days)).unwrap(),
            all: true,
            limit: 10_000,
        };
        self.read(|read, stamp| slot::list(read, stamp, &search))
    }

    pub fn book(&self, patient: PatientId, slot: SlotId) -> Result<Appointment> {
        let booking = Booking {
            id: AppointmentId::new(self.now),
            patient,
            slot,
            healthcare_service: None,
            reason: None,
            overbook: None,
            hold_minutes: None,
            series: None,
        };
        self.write(move |tx, stamp| appointment::book(tx, stamp, booking))
    }

    /// Appointments that stand, by start.
    pub fn diary(&self) -> Vec<Appointment> {
        let mut all =
            self.read(|read, stamp| appointment::list(read, stamp, &Filter::default(), 2_000));
        all.retain(|it| it.status.stands());
        all
    }

    /// Whether no two appointments that stand are at one time.
    pub fn is_sound(&self) -> bool {
        let diary = self.diary();
        diary.windows(2).all(|two| two[0].end <= two[1].start)
    }

    pub fn unlearned(&self) -> bool {
        self.read(|read, _| hub::is_unlearned(read))
    }
}

/// The code of a refusal; anything else fails the test.
#[track_caller]
pub fn refusal<T: std::fmt::Debug>(result: Result<T>) -> Code {
    match result {
        Err(Error::Refused(refusal)) => refusal.code,
        other => panic!("not a refusal: {other:?}"),
    }
}

fn session(practitioner: PractitionerId) -> Addition {
    Addition {
        practitioner,
        location: None,
        weekdays: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(String::from).into(),
        start: "09:00".into(),
        end: "13:00".into(),
        slot_minutes: 15,
        slot_capacity: None,
        session_capacity: None,
        valid_from: None,
        valid_to: None,
        lending: schedule::Lending::default(),
    }
}

/// Patients and appointments are told by type and id only: this is about loans.
fn told(
    read: &Read<'_>,
    _: &Stamp,
    kind: &str,
    id: Uuid,
    _: Option<i64>,
) -> Result<Option<Resource>> {
    let clinic = clinic::get(read)?;
    let _ = Here { clinic: &clinic, origin: "" };
    let text = json!({ "resourceType": kind, "id": id }).to_string();
    Ok(Some(fhir::json::parse(text.as_bytes()).unwrap()))
}
