//! A clinic's records in a folder, and a hub that keeps what the protocol's ledger says.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fhir::{Here, Resource};
use jiff::{SignedDuration, Timestamp};
use prm::clinic::{self, Founding, found};
use prm::db::{Db, Keys, Read};
use prm::error::{Error, Result};
use prm::id::PatientId;
use prm::patient::{self, Registration};
use prm::stamp::Stamp;
use prm::{change, hub};
use serde_json::{Value, json};
use sync_agent::enrol::{EnrolError, Joined, Joining, enrol};
use sync_agent::keys::BoxKeys;
use sync_agent::status::{Status, status};
use sync_agent::{Agent, OnHeld, Turn};
use sync_protocol::envelope::{
    Expected, Kind, OpeningKey, Place, Receiver, SealingKey, SigningKey, VerifyingKey, fingerprint,
    seal,
};
use sync_protocol::ledger::{Body, Bundle, Content, Effect, Ledger, Reason, Taken, delta};
use sync_protocol::loan::clock::Nonce;
use sync_protocol::wire::{self, Answer, Up};
use uuid::Uuid;

const CLINIC: Uuid = Uuid::from_u128(1);
const BOX: Uuid = Uuid::from_u128(2);

/// What the hub of the test keeps, and how it is to misbehave.
pub struct Hub {
    signing: SigningKey,
    opening: OpeningKey,
    pub code: String,
    boxes: Option<(VerifyingKey, SealingKey)>,
    ledger: Option<Ledger>,
    records: BTreeMap<String, Vec<u8>>,
    /// Bundles that came.
    pub bundles: usize,
    /// Entries that were stored.
    pub stored: usize,
    /// So many answers are lost after the bundle was taken.
    pub lose: usize,
    /// A new log may take over.
    pub reborn: bool,
    /// The entry with this key is not taken.
    pub refused: Option<String>,
    /// Receipts are signed by another key.
    pub forged: bool,
    /// It says that it can, and never holds the version that was meant.
    pub puts_together: bool,
    /// Bundles in which a record was told by what changed of it.
    pub shortened: u64,
}

type Shared = Arc<Mutex<Hub>>;
/// What a hub's own backup holds.
pub type Saved = (Option<Ledger>, BTreeMap<String, Vec<u8>>);

impl Hub {
    fn new() -> Self {
        Self {
            signing: signing(),
            opening: OpeningKey::generate().unwrap(),
            code: "ABCD-EFGH".into(),
            boxes: None,
            ledger: None,
            records: BTreeMap::new(),
            bundles: 0,
            stored: 0,
            lose: 0,
            reborn: false,
            refused: None,
            forged: false,
            puts_together: false,
            shortened: 0,
        }
    }

    pub fn fingerprint(&self) -> String {
        fingerprint(&self.signing.verifying_key(), &self.opening.sealing_key())
    }

    pub fn records(&self, prefix: &str) -> usize {
        self.records.keys().filter(|key| key.starts_with(prefix)).count()
    }

    pub fn text(&self, key: &str) -> String {
        String::from_utf8(self.records[key].clone()).unwrap()
    }

    pub fn ledger(&self) -> &Ledger {
        self.ledger.as_ref().unwrap()
    }

    pub fn save(&self) -> Saved {
        (self.ledger.clone(), self.records.clone())
    }

    pub fn restore(&mut self, (ledger, records): Saved) {
        (self.ledger, self.records) = (ledger, records);
    }

    fn take(&mut self, bytes: &[u8]) -> (StatusCode, Vec<u8>) {
        self.bundles += 1;
        let (verifying, sealing) = self.boxes.unwrap();
        let mut receiver = Receiver::default();
        receiver.open_with(OpeningKey::from_bytes(self.opening.bytes()).unwrap()).unwrap();
        receiver.believe(verifying).unwrap();
        let (clinic, box_id) = (CLINIC.into_bytes(), BOX.into_bytes());
        let opened =
            receiver.open(bytes, &Expected { kind: Kind::Bundle, clinic, box_id }).unwrap();
        let Up { bundle, capabilities: _ } = wire::read(&opened.body).unwrap();
        assert_eq!(bundle.log, opened.place.log);
        let bundle = match bundle.entries().iter().any(|it| matches!(it.body, Body::Changed(_))) {
            true => {
                self.shortened += 1;
                Bundle { content: Content::Ask, ..bundle }
            }
            false => bundle,
        };
        let ledger = self.ledger.clone().unwrap_or_else(|| Ledger::first(bundle.log));
        let refused = self.refused.clone().map(String::into_bytes);
        let check = |entry: &sync_protocol::ledger::Entry| {
            (Some(&entry.key.0) == refused.as_ref()).then_some(Reason::Invalid)
        };
        let Taken { ledger, effects, receipt } = ledger.take(&bundle, self.reborn, check);
        self.ledger = Some(ledger);
        if let Content::Statement { entries, .. } | Content::Stretch { entries, .. } =
            &bundle.content
        {
            for effect in effects {
                let Effect::Store(at) = effect else { continue };
                let key = String::from_utf8(entries[at].key.0.clone()).unwrap();
                self.stored += 1;
                match &entries[at].body {
                    Body::Given(body) => drop(self.records.insert(key, body.clone())),
                    Body::Gone | Body::TooLong(_) | Body::Changed(_) => {
                        drop(self.records.remove(&key))
                    }
                }
            }
        }
        if self.lose > 0 {
            self.lose -= 1;
            return (StatusCode::SERVICE_UNAVAILABLE, Vec::new());
        }
        let place = Place { kind: Kind::Receipt, after: 0, through: 0, ..opened.place };
        let nonce = Nonce { store: 1, boot: 1, at_ms: 0 };
        let answer = Answer {
            receipt,
            nonce,
            capabilities: self
                .puts_together
                .then(|| delta::CAPABILITY.into())
                .into_iter()
                .collect(),
            pause_ms: 0,
        };
        let body = wire::write(&answer).unwrap();
        let forged = signing();
        let from = if self.forged { &forged } else { &self.signing };
        (StatusCode::OK, seal(&place, &body, from, &sealing, None).unwrap())
    }

    fn enrol(&mut self, body: &Value) -> (StatusCode, Value) {
        if self.code.is_empty() || body["code"] != self.code.as_str() {
            return (StatusCode::NOT_FOUND, Value::Null);
        }
        self.code.clear();
        let key = |name: &str| -> [u8; 32] {
            let text = body["box_public_keys"][name].as_str().unwrap();
            URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap()
        };
        let sealing = SealingKey::from_bytes(&key("seal")).unwrap();
        self.boxes = Some((VerifyingKey(key("sign")), sealing));
        let keys = json!({
            "sign": URL_SAFE_NO_PAD.encode(self.signing.verifying_key().0),
            "seal": URL_SAFE_NO_PAD.encode(self.opening.sealing_key().bytes()),
            "sign_id": 1, "seal_id": 1,
        });
        let answer = json!({
            "clinic": CLINIC, "box": BOX, "generation": 1, "hub_public_keys": keys,
            "clinic_name": "Shanti Clinic",
        });
        (StatusCode::CREATED, answer)
    }
}

fn signing() -> SigningKey {
    SigningKey::from_pkcs8(&SigningKey::generate().unwrap()).unwrap()
}

async fn bundles(State(hub): State<Shared>, body: Bytes) -> (StatusCode, Vec<u8>) {
    hub.lock().unwrap().take(&body)
}

async fn enrolments(
    State(hub): State<Shared>,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let (status, answer) = hub.lock().unwrap().enrol(&body);
    (status, Json(answer))
}

/// A clinic, and the hub.
pub struct World {
    folder: tempfile::TempDir,
    pub db: Db,
    hub: Shared,
    url: Arc<tokio::sync::OnceCell<String>>,
    now: Timestamp,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::create(&folder.path().join("keys")).unwrap();
        let db = Db::create(&folder.path().join("carepost.db"), keys).unwrap();
        let now: Timestamp = "2026-11-23T08:00:00+05:30".parse().unwrap();
        db.write_blocking(move |tx| {
            let (name, timezone) = ("Shanti Clinic".to_owned(), "Asia/Kolkata".to_owned());
            let founding = Founding { name, timezone, country: "IN".into(), demo: false };
            found(tx, &Stamp::of_box(now), founding)
        })
        .unwrap();
        let hub = Arc::new(Mutex::new(Hub::new()));
        Self { folder, db, hub, url: Arc::default(), now }
    }

    /// The same records, keys and log in another folder, before the same hub.
    pub fn copy(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (self.folder.path().join("keys"), folder.path().join("keys"));
        std::fs::create_dir(&to).unwrap();
        for file in std::fs::read_dir(from).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
        let path = folder.path().join("carepost.db");
        self.db.copy_to(&path).unwrap();
        let db = Db::open(&path, Keys::load(&to).unwrap()).unwrap();
        let (hub, url) = (Arc::clone(&self.hub), Arc::clone(&self.url));
        Self { folder, db, hub, url, now: self.now }
    }

    pub fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap()
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub fn later(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    pub fn register(&self, name: &str) -> Uuid {
        let (name, stamp) = (name.to_owned(), Stamp::of_box(self.now));
        let registration = Registration { name, accept_duplicate: true, ..Registration::default() };
        let made =
            self.db.write_blocking(move |tx| patient::register(tx, &stamp, registration)).unwrap();
        made.id.uuid()
    }

    pub fn rename(&self, id: Uuid, name: &str) {
        let (name, stamp) = (name.to_owned(), Stamp::of_box(self.now));
        let id = PatientId::from_bytes(id.into_bytes());
        let edit = patient::Edit { name: Some(name), ..patient::Edit::default() };
        self.db.write_blocking(move |tx| patient::edit(tx, &stamp, id, None, edit)).unwrap();
    }

    pub fn begin_log(&self) {
        let stamp = Stamp::of_box(self.now);
        self.db.write_blocking(move |tx| change::begin_log(tx, &stamp)).unwrap();
    }

    /// A person says that the box is to ask again.
    pub fn decide(&self) {
        let stamp = Stamp::of_box(self.now);
        self.db.write_blocking(move |tx| hub::ask_again(tx, &stamp)).unwrap();
    }

    pub fn head(&self) -> i64 {
        self.db.read_blocking(change::last).unwrap()
    }

    pub fn status(&self) -> Status {
        let stamp = Stamp::of_box(self.now);
        self.db.read_blocking(|read| status(read, &stamp)).unwrap()
    }

    /// How far the hub holds the log, as the box knows it.
    pub fn through(&self) -> Option<i64> {
        Some(self.status()).filter(|it| it.whole).map(|it| it.through)
    }

    pub fn agent(&self) -> Agent {
        Agent::new(self.db.clone(), self.keys().to_owned(), shown)
    }

    fn keys(&self) -> std::path::PathBuf {
        Path::join(self.folder.path(), "keys")
    }

    async fn url(&self) -> &str {
        let hub = Arc::clone(&self.hub);
        self.url
            .get_or_init(|| async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                let url = format!("http://{}", listener.local_addr().unwrap());
                let router = Router::new()
                    .route("/v1/bundles", post(bundles))
                    .route("/v1/enroll", post(enrolments))
                    .with_state(hub);
                tokio::spawn(async move { axum::serve(listener, router).await });
                url
            })
            .await
    }

    pub async fn enrol(
        &self,
        fingerprint: Option<&str>,
    ) -> std::result::Result<Joined, EnrolError> {
        let url = self.url().await;
        let (data, keys) = (self.folder.path(), self.keys());
        let on_held = OnHeld::Refuse;
        let joining = Joining { url, code: "ABCD-EFGH", fingerprint, data, keys: &keys, on_held };
        enrol(&self.db, joining, self.now).await
    }

    pub async fn joined(&self) -> Agent {
        let joined = self.enrol(None).await.unwrap();
        assert_eq!(joined.own, BoxKeys::load(&self.keys()).unwrap().fingerprint());
        self.agent()
    }

    /// Exchanges until there is nothing more to tell.
    pub async fn settle(&self, agent: &mut Agent) {
        for _ in 0..100 {
            match agent.round(self.now).await.unwrap() {
                Turn::Told { more: false, pause_ms: _ } | Turn::Idle => return,
                Turn::Told { more: true, pause_ms: _ } => {}
                turn @ (Turn::Held | Turn::Alone | Turn::Stopped(_) | Turn::Replacing) => {
                    panic!("{turn:?}")
                }
            }
        }
        panic!("it never ends");
    }
}

/// Patients as they are; of all else type and id.
fn shown(
    read: &Read<'_>,
    stamp: &Stamp,
    kind: &str,
    id: Uuid,
    version: Option<i64>,
) -> Result<Option<Resource>> {
    // Not what the hub holds: a record is told as it was at the time.
    let now = if version.is_some() { Timestamp::UNIX_EPOCH } else { stamp.now };
    let clinic = clinic::get(read)?;
    let here = Here { clinic: &clinic, origin: "" };
    if kind == "Patient" {
        let found = patient::get(read, stamp, PatientId::from_bytes(id.into_bytes()));
        return match found {
            Ok(patient) => Ok(Some(fhir::patient::write(&patient, here, now, None))),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        };
    }
    let text = json!({ "resourceType": kind, "id": id }).to_string();
    Ok(Some(fhir::json::parse(text.as_bytes()).unwrap()))
}
