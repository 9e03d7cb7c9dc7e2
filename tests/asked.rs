//! What a hub asks of a box, through real databases at both ends: every request arrives once, whoever is
//! switched off or put back to an older copy on the way.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use carepost::http::fhir::told;
use jiff::Timestamp;
use prm::clinic::{Founding, found};
use prm::db::{Db, Keys, Tx};
use prm::error::Error;
use prm::id::RequestId;
use prm::request::{self, Kind};
use prm::stamp::Stamp;
use proptest::prelude::*;
use sync_agent::ask::{Ask, Id, Proposal};
use sync_agent::down::{Down, Fetched};
use sync_agent::enrol::{Joining, enrol};
use sync_agent::{Agent, OnHeld};
use sync_hub::clock::Clock;
use sync_hub::hub::Hub;
use sync_hub::store::{self, Clinic, IfMissing};
use sync_hub::{code, requests};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const CLINIC: [u8; 16] = [1; 16];
const NOW: &str = "2026-11-23T10:00:00+05:30";

/// A hub behind an address, which may be another one the next moment; answers may get lost.
struct Line {
    hub: Mutex<Option<Arc<Hub>>>,
    lose: AtomicBool,
}

impl Line {
    fn hub(&self) -> Arc<Hub> {
        let hub = self.hub.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(hub.as_ref().expect("a hub that runs"))
    }
}

async fn through(State(line): State<Arc<Line>>, request: Request) -> Response {
    let answer = sync_hub::http::router(line.hub()).oneshot(request).await.unwrap();
    if line.lose.load(Ordering::Relaxed) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    answer
}

/// Keeps whatever is asked.
fn keep(tx: &mut Tx<'_>, stamp: &Stamp, ask: &Ask, _: Option<Timestamp>) -> Result<(), Error> {
    let id = RequestId::from_bytes(ask.id().0);
    request::keep(tx, stamp, (id, Kind::Proposal), (&ask.to_bytes().unwrap(), None))
}

/// A hub with one clinic, and its box.
struct World {
    runtime: Runtime,
    hub_folder: TempDir,
    box_folder: TempDir,
    line: Arc<Line>,
    db: Option<Db>,
    down: Option<Down>,
    put: u8,
}

impl World {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let (hub_folder, box_folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let line = Arc::new(Line { hub: Mutex::new(None), lose: AtomicBool::new(false) });
        let mut world =
            Self { runtime, hub_folder, box_folder, line, db: None, down: None, put: 0 };
        world.start_hub();
        let keys = Keys::create(&world.box_folder.path().join("keys")).unwrap();
        let db = Db::create(&world.box_folder.path().join("carepost.db"), keys).unwrap();
        let (name, timezone) = ("Shanti Clinic".to_owned(), "Asia/Kolkata".to_owned());
        let founding = Founding { name, timezone, country: "IN".into(), demo: false };
        db.write_blocking(move |tx| found(tx, &stamp(), founding)).unwrap();
        world.db = Some(db);
        world.join();
        world.start_box();
        world
    }

    fn start_hub(&self) {
        let hub = Hub::open(self.hub_folder.path(), IfMissing::Make, Clock::System).unwrap();
        // A poll with nothing to answer is answered at once.
        hub.requests.end();
        *self.line.hub.lock().unwrap() = Some(Arc::new(hub));
    }

    fn stop_hub(&self) {
        *self.line.hub.lock().unwrap() = None;
    }

    fn start_box(&mut self) {
        let keys = self.box_folder.path().join("keys");
        let path = self.box_folder.path().join("carepost.db");
        let db =
            self.db.take().unwrap_or_else(|| Db::open(&path, Keys::load(&keys).unwrap()).unwrap());
        self.down = Some(Down::new(db.clone(), keys, keep));
        self.db = Some(db);
    }

    fn stop_box(&mut self) {
        self.down = None;
        self.db.take().unwrap().close();
    }

    /// Joins the hub, and tells it the log, as a box does that may then ask for requests.
    fn join(&mut self) {
        let hub = self.line.hub();
        let wrapped_key = hub.keys.vault.make_clinic_key(CLINIC).unwrap();
        let clinic =
            Clinic { id: CLINIC, name: "Shanti".into(), wrapped_key, added_at: 0, life: 0 };
        hub.store.write(CLINIC, |tx| store::add_clinic(tx, &clinic)).unwrap();
        let (code, _) = code::give(&hub, CLINIC, 1000).unwrap();
        let (data, keys) = (self.box_folder.path(), self.box_folder.path().join("keys"));
        let db = self.db.clone().unwrap();
        let mut agent = Agent::new(db.clone(), keys.clone(), told::shown);
        self.runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let router = axum::Router::new().fallback(through).with_state(Arc::clone(&self.line));
            tokio::spawn(async move { axum::serve(listener, router).await });
            let joining = Joining {
                url: &url,
                code: &code,
                fingerprint: None,
                data,
                keys: &keys,
                on_held: OnHeld::Refuse,
            };
            enrol(&db, joining, now()).await.unwrap();
            agent.round(now()).await.unwrap();
        });
    }

    fn put(&mut self) -> Id {
        self.put += 1;
        let id = Id([self.put; 16]);
        let ask = Ask::Proposal(Proposal { id, bundle: vec![self.put] });
        let hub = self.line.hub();
        hub.store.write(CLINIC, |tx| requests::put(&hub, tx, CLINIC, &ask)).unwrap();
        id
    }

    fn fetch(&mut self) -> Option<Fetched> {
        let down = self.down.as_mut().unwrap();
        self.runtime.block_on(down.fetch(now)).ok()
    }

    /// What the box has, and how often it was taken in.
    fn taken(&self) -> BTreeMap<[u8; 16], usize> {
        let db = self.db.as_ref().unwrap();
        let waiting =
            db.read_blocking(|read| request::waiting(read, &stamp(), Kind::Proposal, 999));
        let changes = db.read_blocking(|read| prm::change::after(read, 0, 999)).unwrap();
        let times = |id: &RequestId| {
            changes.iter().filter(|it| it.noun == "request" && it.resource == id.uuid()).count()
        };
        waiting.unwrap().iter().map(|it| (*it.id.as_bytes(), times(&it.id))).collect()
    }
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn stamp() -> Stamp {
    Stamp::of_box(now())
}

/// Copies the files of a folder, which nobody has open.
fn copy(from: &Path, to: &Path) {
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put,
    Fetch,
    /// The box fetches, and the answer gets lost.
    FetchInVain,
    /// The box takes in what is new, and is switched off before it can say so.
    SwitchOffBox,
    RestartHub,
    /// The hub is put back to what it was when this happened last, or at first.
    SaveHub,
    RestoreHub,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => Just(Step::Put),
        4 => Just(Step::Fetch),
        2 => Just(Step::FetchInVain),
        1 => Just(Step::SwitchOffBox),
        1 => Just(Step::RestartHub),
        1 => Just(Step::SaveHub),
        1 => Just(Step::RestoreHub),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn every_request_that_the_hub_knows_arrives_once(
        steps in prop::collection::vec(step(), 5..25),
    ) {
        let mut world = World::new();
        let saved = tempfile::tempdir().unwrap();
        let (mut asked, mut asked_then) = (Vec::new(), Vec::new());
        world.stop_hub();
        copy(world.hub_folder.path(), saved.path());
        world.start_hub();
        for step in steps {
            match step {
                Step::Put => asked.push(world.put()),
                Step::Fetch => {
                    prop_assert!(matches!(world.fetch(), Some(Fetched::New(_))));
                }
                Step::FetchInVain => {
                    world.line.lose.store(true, Ordering::Relaxed);
                    prop_assert_eq!(world.fetch(), None);
                    world.line.lose.store(false, Ordering::Relaxed);
                }
                Step::SwitchOffBox => {
                    world.fetch();
                    world.stop_box();
                    world.start_box();
                }
                Step::RestartHub => {
                    world.stop_hub();
                    world.start_hub();
                }
                Step::SaveHub => {
                    world.stop_hub();
                    copy(world.hub_folder.path(), saved.path());
                    world.start_hub();
                    asked_then.clone_from(&asked);
                }
                Step::RestoreHub => {
                    world.stop_hub();
                    copy(saved.path(), world.hub_folder.path());
                    world.start_hub();
                    asked.clone_from(&asked_then);
                }
            }
        }
        for _ in 0..4 {
            prop_assert!(world.fetch().is_some());
        }
        let taken = world.taken();
        for id in &asked {
            prop_assert!(taken.contains_key(&id.0), "what the hub knows has arrived");
        }
        prop_assert!(taken.values().all(|times| *times == 1), "and each is taken in once");
    }
}

#[test]
fn a_box_that_is_put_back_hears_again_what_it_lost() {
    let mut world = World::new();
    let first = world.put();
    world.fetch();
    let saved = tempfile::tempdir().unwrap();
    world.stop_box();
    copy(world.box_folder.path(), saved.path());
    world.start_box();
    let second = world.put();
    world.fetch();
    world.fetch();
    assert_eq!(world.taken().len(), 2);
    world.stop_box();
    copy(saved.path(), world.box_folder.path());
    world.start_box();
    assert_eq!(world.taken().into_keys().collect::<Vec<_>>(), [first.0]);
    world.fetch();
    assert_eq!(world.taken(), BTreeMap::from([(first.0, 1), (second.0, 1)]));
}

#[test]
fn an_answer_that_gets_lost_is_sent_again() {
    let mut world = World::new();
    let id = world.put();
    world.fetch();
    let db = world.db.clone().unwrap();
    let reply = request::Reply { status: 200, body: b"{}".to_vec(), until: None };
    let answer = reply.clone();
    db.write_blocking(move |tx| {
        request::decide(tx, &stamp(), (RequestId::from_bytes(id.0), "accept"), None, &answer)
    })
    .unwrap();
    let known = |world: &World| {
        let hub = world.line.hub();
        hub.store.read(CLINIC, |tx| requests::reply(&hub, tx, CLINIC, id)).unwrap()
    };
    world.line.lose.store(true, Ordering::Relaxed);
    let sent = world.runtime.block_on(world.down.as_mut().unwrap().answer(now()));
    assert!(sent.is_err());
    world.line.lose.store(false, Ordering::Relaxed);
    for sent in [1, 0] {
        let found = world.runtime.block_on(world.down.as_mut().unwrap().answer(now()));
        assert_eq!(found.unwrap(), sent);
    }
    let known = known(&world).expect("the hub has it");
    assert_eq!((known.status, known.body), (200, reply.body));
}
