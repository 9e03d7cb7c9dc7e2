//! A box of the protocol alone: keys, a log of patients, and what a hub makes of it.

use std::time::Instant;

use anyhow::Result;
use serde_json::json;
use sync_hub::enroll::{Asking, enroll};
use sync_hub::hub::Hub;
use sync_hub::receive::receive;
use sync_protocol::envelope::{
    Expected, Kind, OpeningKey, Place, Receiver, SealingKey, SigningKey, dictionary, seal,
};
use sync_protocol::ledger::{Body, Bundle, Content, Entry, Key, Mark};
use sync_protocol::lineage::LogId;
use sync_protocol::loan::Generation;
use sync_protocol::restore::OnHeld;
use sync_protocol::uplink::{Own, Uplink};
use sync_protocol::wire::{self, Answer, Up};
use uuid::Uuid;

use super::add;
use crate::laps::Laps;

/// Bundles that a box sends, and entries in each.
pub const BUNDLES: u64 = 4;
pub const ENTRIES: u64 = 10;

/// Keys of a box, and of the hub that it seals for.
pub struct Keys {
    pub sign: SigningKey,
    pub open: OpeningKey,
}

impl Keys {
    pub fn new() -> Result<Self> {
        let sign = SigningKey::from_pkcs8(&SigningKey::generate()?)?;
        Ok(Self { sign, open: OpeningKey::generate()? })
    }

    /// The length of a bundle of these, in bytes.
    pub fn sealed(&self, entries: &[&Entry]) -> Result<usize> {
        let entries: Vec<Entry> = entries.iter().map(|it| (*it).clone()).collect();
        let through = entries.iter().map(|it| it.sequence).max().unwrap_or(1_000_001);
        let after = entries.iter().map(|it| it.sequence).min().unwrap_or(1_000_001) - 1;
        let (before, mark) = (Mark::START.then(b"before"), Mark::START.then(b"after"));
        let content = Content::Stretch { after, before, through, mark, entries };
        let bundle = Bundle { log: LogId([3; 16]), generation: Some(Generation(1)), content };
        let body = wire::write(&Up { bundle, capabilities: vec!["ledger/1".into()] })?;
        let place = Place {
            kind: Kind::Bundle,
            clinic: [1; 16],
            box_id: [2; 16],
            log: LogId([3; 16]),
            after,
            through,
        };
        Ok(seal(&place, &body, &self.sign, &self.open.sealing_key(), Some(&dictionary::first()))?
            .len())
    }
}

/// A box of the protocol alone, with its keys.
pub struct Device {
    clinic: [u8; 16],
    box_id: [u8; 16],
    keys: Keys,
    uplink: Uplink,
    hub: SealingKey,
}

impl Device {
    pub fn join(hub: &Hub, nth: usize) -> Result<Self> {
        let (_, code) = add(hub, &format!("Clinic {nth}"))?;
        let keys = Keys::new()?;
        let asking = Asking {
            code,
            sign: keys.sign.verifying_key(),
            seal: keys.open.sealing_key(),
            hardware: format!("hardware {nth}"),
            name: "box".into(),
            log: None,
            on_held: OnHeld::Refuse,
        };
        let joined = enroll(hub, &asking)?;
        let (clinic, box_id) = (joined.clinic, joined.box_id);
        let uplink = Uplink::new(LogId(Uuid::new_v4().into_bytes()));
        Ok(Self { clinic, box_id, keys, uplink, hub: hub.keys.seal.sealing_key() })
    }

    /// Asks, states that there is nothing, and tells a few stretches.
    pub fn tell(&self, hub: &Hub, laps: &mut Laps) -> Result<()> {
        let mut uplink = self.uplink.clone();
        let nothing = Content::Statement {
            as_of: 0,
            mark: Mark::START,
            from: None,
            last: true,
            entries: Vec::new(),
        };
        let mut contents = vec![(Content::Ask, Mark::START), (nothing, Mark::START)];
        let mut before = Mark::START;
        for nth in 0..BUNDLES {
            let (after, through) = (nth * ENTRIES, (nth + 1) * ENTRIES);
            let entries = (after + 1..=through).map(|sequence| {
                let id = Uuid::from_u128(u128::from(sequence));
                let patient = json!({ "resourceType": "Patient", "id": id, "name": [{ "text": "Asha Rao" }],
                    "birthDate": "1984-05-02", "telecom": [{ "system": "phone", "value": "+919844111173" }] });
                let key = Key(format!("Patient/{id}").into_bytes());
                Entry { sequence, key, body: Body::Given(patient.to_string().into_bytes()) }
            });
            let mark = before.then(&nth.to_be_bytes());
            contents.push((
                Content::Stretch { after, before, through, mark, entries: entries.collect() },
                mark,
            ));
            before = mark;
        }
        for (content, mark) in contents {
            let (after, through) = match &content {
                Content::Stretch { after, through, .. } => (*after, *through),
                Content::Ask | Content::Forked { .. } | Content::Statement { .. } => (0, 0),
            };
            let bundle = Bundle { log: uplink.log, generation: uplink.generation, content };
            let Self { clinic, box_id, .. } = *self;
            let place =
                Place { kind: Kind::Bundle, clinic, box_id, log: uplink.log, after, through };
            let body = wire::write(&Up { bundle, capabilities: Vec::new() })?;
            let envelope =
                seal(&place, &body, &self.keys.sign, &self.hub, Some(&dictionary::first()))?;
            let begun = Instant::now();
            let answer = receive(hub, &envelope)?;
            laps.add(begun.elapsed());
            let mut receiver = Receiver::default();
            receiver.open_with(OpeningKey::from_bytes(self.keys.open.bytes())?)?;
            receiver.believe(hub.keys.sign.verifying_key())?;
            let opened =
                receiver.open(&answer, &Expected { kind: Kind::Receipt, clinic, box_id })?;
            let receipt = wire::read::<Answer>(&opened.body)?.receipt;
            uplink = uplink.hear(&receipt, |_| Own::Mark(mark));
        }
        Ok(())
    }
}
