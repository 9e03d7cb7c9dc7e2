//! A bundle comes in: opened, looked at entry by entry, written, and answered with a sealed receipt.

use std::collections::BTreeMap;

use sync_protocol::envelope::{NUMBER_MAX, OpenError, Place, dictionary};
use sync_protocol::ledger::{
    Body, Bundle, Content, Effect, Entry, Extent, Ledger, Reason, Receipt, delta,
};
use sync_protocol::lineage::GENERATION_MAX;
use sync_protocol::wire::{Answer, Up};

use crate::examine::{Said, examine};
use crate::hub::{Counts, Hub, ReadError};
use crate::index_key;
use crate::sealed::{self, Opened};
use crate::store::{self, Clinic, Enrolled, Record, StoreError};
use crate::vault::WrongKey;

/// What the hub can do.
const CAPABILITIES: [&str; 3] = ["ledger/1", dictionary::CAPABILITY, delta::CAPABILITY];

/// Why a bundle was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The envelope.
    #[error(transparent)]
    Envelope(#[from] OpenError),
    /// No such box, or not its keys: all alike.
    #[error("this box is not known here, or did not sign this; enrol it again")]
    Unrecognised,
    /// What is inside is no bundle, or not the one that the envelope speaks of.
    #[error(
        "what the envelope holds is not the bundle that it speaks of; update the older program"
    )]
    Malformed,
    /// Its log is not the one that is listened to.
    #[error("this log of the box is not listened to; tell the log first, and look at its receipt")]
    NotLiving,
    /// The work was cut off.
    #[error("the hub is stopping; try again")]
    Stopping,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys of the hub.
    #[error(transparent)]
    Key(#[from] WrongKey),
    /// The number of sales beside the database cannot be read or written.
    #[error("the number of sales cannot be read or written: {0}; look at the disk of the hub")]
    Sales(std::io::Error),
    /// The receipt could not be sealed.
    #[error("the receipt could not be sealed; try again")]
    NotSealed,
}

impl From<ReadError> for Refused {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(error) => error.into(),
            ReadError::Key(error) => error.into(),
        }
    }
}

/// How often a bundle is sealed for the database again because the clinic's keys have changed meanwhile.
const SEALINGS_MAX: u32 = 3;

/// Takes in an envelope and answers a sealed receipt. What the receipt says is held is committed.
///
/// # Errors
/// [`Refused`].
pub fn receive(hub: &Hub, bytes: &[u8]) -> Result<Vec<u8>, Refused> {
    for _ in 0..SEALINGS_MAX {
        if let Some(receipt) = receive_once(hub, bytes)? {
            return Ok(receipt);
        }
    }
    Err(Refused::NotSealed)
}

/// Nothing is answered and nothing was done if the clinic's keys have changed meanwhile.
fn receive_once(hub: &Hub, bytes: &[u8]) -> Result<Option<Vec<u8>>, Refused> {
    let Opened { body: Up { bundle, capabilities: _ }, place, from: enrolled, clinic } =
        sealed::open_of_any_log(hub, bytes)?;
    if !is_of(&bundle, &place) {
        return Err(Refused::Malformed);
    }
    crate::loans::begin(hub, clinic.id)?;
    let bundle = whole(hub, &clinic, bundle)?;
    let examined = examine_all(hub, &clinic, &bundle)?;
    let Some((receipt, effects)) = take(hub, &clinic, &enrolled, &bundle, &examined)? else {
        return Ok(None);
    };
    for effect in &effects {
        match effect {
            Effect::Store(_) => Counts::count(&hub.counts.stored),
            Effect::Park(_, _) => Counts::count(&hub.counts.parked),
            Effect::Quarantine => {
                tracing::error!(clinic = %id(enrolled.clinic), "two boxes speak as one; neither is heard until one is enrolled with a new log");
            }
            Effect::Retired => {
                tracing::warn!(clinic = %id(enrolled.clinic), "a log that was left spoke");
            }
            Effect::Reborn => {
                tracing::info!(clinic = %id(enrolled.clinic), "a new log of the box is heard");
            }
            Effect::Begin | Effect::Complete => {}
        }
    }
    let answer = answer(hub, &clinic, &enrolled, receipt)?;
    Counts::count(&hub.counts.receipts);
    Ok(Some(answer))
}

fn id(bytes: [u8; 16]) -> uuid::Uuid {
    uuid::Uuid::from_bytes(bytes)
}

/// Whether a bundle is the one that its envelope speaks of.
fn is_of(bundle: &Bundle, place: &Place) -> bool {
    let numbers = match &bundle.content {
        Content::Stretch { after, before: _, through, mark: _, entries: _ } => {
            *after == place.after && *through == place.through
        }
        Content::Ask | Content::Forked { .. } | Content::Statement { .. } => true,
    };
    bundle.log == place.log && numbers
}

/// The bundle with all its records in whole. If the version is not held that one of them differs from, the
/// bundle tells nothing, and only asks: the receipt then says what is held, and the box tells it in whole.
fn whole(hub: &Hub, clinic: &Clinic, bundle: Bundle) -> Result<Bundle, Refused> {
    let Bundle { log, generation, mut content } = bundle;
    if let Content::Stretch { after: _, before: _, through: _, mark: _, entries }
    | Content::Statement { as_of: _, mark: _, from: _, last: _, entries } = &mut content
    {
        let changed = |it: &&mut Entry| matches!(it.body, Body::Changed(_));
        let changed: Vec<&mut Entry> = entries.iter_mut().filter(changed).collect();
        let keys: Vec<&[u8]> = changed.iter().map(|it| it.key.0.as_slice()).collect();
        let held = hub.records(clinic.id, &keys)?;
        for (entry, held) in changed.into_iter().zip(held) {
            let Body::Changed(delta) = &entry.body else { continue };
            let Some(bytes) = held.and_then(|held| delta.apply(&held)) else {
                return Ok(Bundle { log, generation, content: Content::Ask });
            };
            entry.body = Body::Given(bytes);
        }
    }
    Ok(Bundle { log, generation, content })
}

/// The entries of a bundle, sealed for the database, and what is wrong with each.
struct Examined {
    records: Vec<Record>,
    reasons: BTreeMap<(Vec<u8>, u64), Reason>,
}

/// Looks at all entries before the database is asked for, so that nobody waits for it meanwhile.
fn examine_all(hub: &Hub, clinic: &Clinic, bundle: &Bundle) -> Result<Examined, Refused> {
    let (key, index) = (hub.key_of(clinic)?, index_key::begin(hub, clinic.id)?);
    let mut examined = Examined { records: Vec::new(), reasons: BTreeMap::new() };
    for entry in bundle.entries() {
        let Entry { sequence, key: name, body } = entry;
        let said = examine(entry);
        let sealed = match body {
            Body::Given(bytes) => Some(key.seal(&name.0, bytes)?),
            Body::TooLong(_) | Body::Gone | Body::Changed(_) => None,
        };
        let (resource_type, terms) = match said {
            Ok(Said::Resource(said)) => (Some(said.resource_type()), index.terms(&said)),
            Ok(Said::Gone) => (None, Vec::new()),
            Err(reason) => {
                examined.reasons.insert((name.0.clone(), *sequence), reason);
                (None, Vec::new())
            }
        };
        let (key, sequence) = (name.0.clone(), *sequence);
        examined.records.push(Record { key, sequence, resource_type, sealed, terms });
    }
    Ok(examined)
}

/// Asks the ledger and writes what it says, in one transaction; nothing if the clinic's keys are not those
/// any more that the entries were sealed with.
fn take(
    hub: &Hub,
    sealed_for: &Clinic,
    opened_for: &Enrolled,
    bundle: &Bundle,
    examined: &Examined,
) -> Result<Option<(Receipt, Vec<Effect>)>, Refused> {
    let now_ms = hub.clock.now_ms();
    hub.store.write(opened_for.clinic, |tx| {
        let mut enrolled = store::still_enrolled(tx, opened_for)?.ok_or(Refused::Unrecognised)?;
        let clinic = store::clinic(tx, opened_for.clinic)?.ok_or(Refused::Unrecognised)?;
        if clinic.wrapped_key != sealed_for.wrapped_key {
            return Ok(None);
        }
        let ledger = enrolled.ledger.clone().unwrap_or_else(|| first(bundle));
        let check =
            |entry: &Entry| examined.reasons.get(&(entry.key.0.clone(), entry.sequence)).copied();
        let taken = ledger.take(bundle, enrolled.may_begin, check);
        store::apply(tx, &mut enrolled, &taken.ledger, &taken.effects, &examined.records)?;
        if enrolled.ledger.is_none() || taken.effects.contains(&Effect::Reborn) {
            // Whoever was let in by a person has spoken; the next new log needs a person again.
            enrolled.may_begin = false;
        }
        enrolled.ledger = Some(taken.ledger);
        enrolled.heard_at = Some(now_ms);
        store::save_ledger(tx, &enrolled)?;
        Ok(Some((taken.receipt, taken.effects)))
    })
}

/// The ledger of a box that is heard for the first time. If it says a generation, this hub was put
/// back from a copy that is older than what it says.
fn first(bundle: &Bundle) -> Ledger {
    let mut ledger = Ledger::first(bundle.log);
    let said = bundle.generation.filter(|it| it.0 <= GENERATION_MAX);
    ledger.lineage.generation =
        said.map_or(ledger.lineage.generation, |it| it.max(ledger.lineage.generation));
    ledger
}

/// The receipt, sealed for the box.
fn answer(hub: &Hub, of: &Clinic, to: &Enrolled, receipt: Receipt) -> Result<Vec<u8>, Refused> {
    let held = match &receipt.extent {
        Extent::Nothing => 0,
        Extent::Statement { as_of: held, mark: _, upto: _ }
        | Extent::Log { through: held, mark: _ } => *held,
    };
    let about = (receipt.log, held.min(NUMBER_MAX));
    let capabilities = CAPABILITIES.map(str::to_owned).into();
    let answer = Answer { receipt, nonce: hub.nonce(of), capabilities, pause_ms: 0 };
    sealed::seal(hub, to, about, &answer)
}

#[cfg(test)]
mod tests {
    use sync_protocol::ledger::{Key, Mark};
    use sync_protocol::lineage::LogId;

    use super::*;
    use crate::clock::Clock;
    use crate::rekey::rekey;
    use crate::store::IfMissing;

    #[test]
    fn what_was_sealed_by_a_key_that_is_gone_by_now_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let hub = Hub::open(folder.path(), IfMissing::Make, Clock::System).unwrap();
        let id = [1; 16];
        let wrapped_key = hub.keys.vault.make_clinic_key(id).unwrap();
        let before = Clinic { id, name: "Shanti".to_owned(), wrapped_key, added_at: 0, life: 0 };
        let enrolled = Enrolled {
            clinic: id,
            id: [2; 16],
            hardware: "board".to_owned(),
            name: "desk".to_owned(),
            sign: hub.keys.sign.verifying_key(),
            seal: hub.keys.seal.sealing_key(),
            enrolled_at: 0,
            revoked_at: None,
            may_begin: true,
            ledger: None,
            statement: 0,
            heard_at: None,
        };
        let add = |tx: &store::Tx<'_>| {
            store::add_clinic(tx, &before)?;
            store::put_enrolled(tx, &enrolled)
        };
        hub.store.write(id, add).unwrap();
        let key = Key(b"Patient/1".to_vec());
        let body = Body::Given(br#"{"resourceType":"Patient","id":"1"}"#.to_vec());
        let entries = vec![Entry { sequence: 1, key, body }];
        let (mark, from) = (Mark::START, None);
        let content = Content::Statement { as_of: 1, mark, from, last: true, entries };
        let bundle = Bundle { log: LogId([3; 16]), generation: None, content };

        let examined = examine_all(&hub, &before, &bundle).unwrap();
        rekey(&hub, id).unwrap();
        assert!(take(&hub, &before, &enrolled, &bundle, &examined).unwrap().is_none());
        assert!(hub.record(id, b"Patient/1").unwrap().is_none());
        let now = hub.store.read(id, |tx| store::clinic(tx, id)).unwrap().unwrap();
        let examined = examine_all(&hub, &now, &bundle).unwrap();
        assert!(take(&hub, &now, &enrolled, &bundle, &examined).unwrap().is_some());
        assert!(hub.record(id, b"Patient/1").unwrap().is_some());
    }
}
