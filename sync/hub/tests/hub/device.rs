//! A box as the protocol says it: it keeps a log, sends what is to be sent, and believes receipts.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sync_hub::hub::Hub;
use sync_protocol::envelope::{
    Expected, Kind, OpeningKey, Place, Receiver, SealingKey, SigningKey, VerifyingKey, seal,
};
use sync_protocol::ledger::{Body as Said, Bundle, Content, Entry, Key, Mark, Receipt};
use sync_protocol::lineage::LogId;
use sync_protocol::uplink::{Next, Own, Uplink, empty};
use sync_protocol::wire::{self, Answer, Up};
use tower::ServiceExt as _;
use uuid::Uuid;

pub const SEALED: &str = "application/vnd.carepost.sealed";

/// What a box keeps on its disk; a clone is a copied disk.
#[derive(Clone)]
pub struct Device {
    pub clinic: [u8; 16],
    pub box_id: [u8; 16],
    pub keys: Arc<(SigningKey, OpeningKey)>,
    pub hub: (VerifyingKey, SealingKey),
    pub uplink: Uplink,
    pub log: Vec<(Vec<u8>, Vec<u8>)>,
}

pub fn new_keys() -> Arc<(SigningKey, OpeningKey)> {
    let sign = SigningKey::from_pkcs8(&SigningKey::generate().unwrap()).unwrap();
    Arc::new((sign, OpeningKey::generate().unwrap()))
}

/// What a box sends to join.
pub fn asking(keys: &(SigningKey, OpeningKey), code: &str, hardware: &str) -> Value {
    json!({
        "code": code,
        "box_public_keys": {
            "sign": URL_SAFE_NO_PAD.encode(keys.0.verifying_key().0),
            "seal": URL_SAFE_NO_PAD.encode(keys.1.sealing_key().bytes()),
        },
        "hardware_id": hardware,
        "name": "front desk",
    })
}

/// The same by a box that tells this log, or says what becomes of what another one told.
pub fn asking_with(asked: Value, log: Option<LogId>, on_held: Option<&str>) -> Value {
    let mut asked = asked;
    asked["log"] = json!(log.map(|it| URL_SAFE_NO_PAD.encode(it.0)));
    asked["on_held"] = json!(on_held);
    asked
}

pub async fn post(hub: &Arc<Hub>, path: &str, of: &str, body: Vec<u8>) -> (StatusCode, Vec<u8>) {
    let request = Request::post(path).header("content-type", of).body(Body::from(body)).unwrap();
    let response = sync_hub::http::router(Arc::clone(hub)).oneshot(request).await.unwrap();
    let status = response.status();
    (status, to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec())
}

pub async fn enroll(hub: &Arc<Hub>, asked: &Value) -> (StatusCode, Value) {
    let (status, body) =
        post(hub, "/v1/enroll", "application/json", asked.to_string().into_bytes()).await;
    (status, serde_json::from_slice(&body).unwrap())
}

impl Device {
    /// What a box makes of the hub's answer to its enrolment.
    pub fn of(answer: &Value, keys: Arc<(SigningKey, OpeningKey)>, log: LogId) -> Self {
        let id = |name: &str| answer[name].as_str().unwrap().parse::<Uuid>().unwrap().into_bytes();
        let key = |name: &str| {
            let text = answer["hub_public_keys"][name].as_str().unwrap();
            <[u8; 32]>::try_from(URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
        };
        let sign = VerifyingKey(key("sign"));
        let id_of_sign = u64::from_be_bytes(sign.id().0);
        assert_eq!(answer["hub_public_keys"]["sign_id"].as_u64(), Some(id_of_sign));
        Self {
            clinic: id("clinic"),
            box_id: id("box"),
            keys,
            hub: (sign, SealingKey::from_bytes(&key("seal")).unwrap()),
            uplink: Uplink::new(log),
            log: Vec::new(),
        }
    }

    /// A record is written, or is gone if the body is empty.
    pub fn write(&mut self, key: &str, body: &str) {
        self.log.push((key.into(), body.into()));
    }

    /// A patient is written.
    pub fn write_patient(&mut self, id: &str, name: &str) {
        let body = json!({ "resourceType": "Patient", "id": id, "name": [{ "text": name }] });
        self.write(&format!("Patient/{id}"), &body.to_string());
    }

    fn head(&self) -> u64 {
        u64::try_from(self.log.len()).unwrap()
    }

    fn mark(&self, at: u64) -> Option<Mark> {
        let log = self.log.get(..usize::try_from(at).unwrap())?;
        // The version of a record is in its body here.
        Some(
            log.iter().fold(Mark::START, |mark, (key, body)| mark.then(&[&key[..], body].concat())),
        )
    }

    /// Each record that was changed after one number through another, once, as it is now.
    fn changed(&self, after: u64, through: u64) -> Vec<Entry> {
        let (from, to) = (usize::try_from(after).unwrap(), usize::try_from(through).unwrap());
        let mut last = BTreeMap::new();
        for (sequence, (key, _)) in (after + 1..).zip(&self.log[from..to]) {
            last.insert(key.clone(), sequence);
        }
        let now = |key: &Vec<u8>| {
            let written = self.log.iter().rev().find(|it| it.0 == *key);
            written.unwrap().1.clone()
        };
        let entry = |(key, sequence): (Vec<u8>, u64)| {
            let body = match now(&key) {
                gone if gone.is_empty() => Said::Gone,
                body => Said::Given(body),
            };
            Entry { sequence, key: Key(key), body }
        };
        last.into_iter().map(entry).collect()
    }

    /// What is to be sent next, of at most so many entries.
    pub fn bundle(&self, most: u64) -> Option<Bundle> {
        let next = self.uplink.next(self.head());
        let statement = |as_of: u64, mark, from: Option<Key>| {
            let mut entries = self.changed(0, as_of);
            entries.retain(|it| from.as_ref().is_none_or(|from| it.key > *from));
            let last = entries.len() <= usize::try_from(most).unwrap();
            entries.truncate(usize::try_from(most).unwrap());
            Content::Statement { as_of, mark, from, last, entries }
        };
        let content = match next {
            Next::Idle | Next::Stopped => return None,
            Next::Ask | Next::Report { .. } => empty(&next)?,
            Next::Begin => statement(self.head(), self.mark(self.head())?, None),
            Next::Part { as_of, mark, from } => statement(as_of, mark, Some(from)),
            Next::Stretch { after } => {
                let through = self.head().min(after + most);
                let (before, mark) = (self.mark(after)?, self.mark(through)?);
                let entries = self.changed(after, through);
                Content::Stretch { after, before, through, mark, entries }
            }
        };
        Some(Bundle { log: self.uplink.log, generation: self.uplink.generation, content })
    }

    /// A bundle in its envelope.
    pub fn seal(&self, bundle: &Bundle) -> Vec<u8> {
        let (after, through) = match &bundle.content {
            Content::Stretch { after, through, .. } => (*after, *through),
            Content::Statement { as_of, .. } => (0, *as_of),
            Content::Ask | Content::Forked { .. } => (0, 0),
        };
        let place = Place {
            kind: Kind::Bundle,
            clinic: self.clinic,
            box_id: self.box_id,
            log: bundle.log,
            after,
            through,
        };
        let up = Up { bundle: bundle.clone(), capabilities: Vec::new() };
        let body = wire::write(&up).unwrap();
        seal(&place, &body, &self.keys.0, &self.hub.1, None).unwrap()
    }

    /// The receipt in an envelope of the hub; none if it is not for this box.
    pub fn open(&self, envelope: &[u8]) -> Option<Receipt> {
        let mut receiver = Receiver::default();
        receiver.open_with(OpeningKey::from_bytes(self.keys.1.bytes()).unwrap()).unwrap();
        receiver.believe(self.hub.0).unwrap();
        let expected = Expected { kind: Kind::Receipt, clinic: self.clinic, box_id: self.box_id };
        let opened = receiver.open(envelope, &expected).ok()?;
        Some(wire::read::<Answer>(&opened.body).unwrap().receipt)
    }

    pub fn hear(&mut self, receipt: &Receipt) {
        let own = |at: u64| self.mark(at).map_or(Own::Never, Own::Mark);
        self.uplink = self.uplink.hear(receipt, own);
    }

    /// Sends one bundle and believes its receipt.
    pub async fn send(&mut self, hub: &Arc<Hub>, bundle: &Bundle) -> Receipt {
        let (status, body) = post(hub, "/v1/bundles", SEALED, self.seal(bundle)).await;
        assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
        let receipt = self.open(&body).expect("the hub seals its receipt for this box");
        self.hear(&receipt);
        receipt
    }

    /// Sends until there is nothing to send; answers how many bundles that took.
    pub async fn sync(&mut self, hub: &Arc<Hub>) -> usize {
        for sent in 0..100 {
            let Some(bundle) = self.bundle(3) else { return sent };
            self.send(hub, &bundle).await;
        }
        panic!("a box that never comes to an end");
    }
}
