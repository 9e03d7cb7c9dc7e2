//! Envelopes of one message: sealed by this box for its hub, and of the hub for this box.

use prm::hub::Hub;
use prm::id;
use sync_protocol::envelope::{
    Dictionary, Expected, OpeningKey, Place, Receiver, SealingKey, VerifyingKey, seal,
};
use sync_protocol::lineage::LogId;
use sync_protocol::wire::{self, Inside};

use crate::Fault;
use crate::keys::BoxKeys;

/// A message, sealed for the hub.
pub(crate) fn to_hub<T: Inside>(
    ends: (&Hub, &BoxKeys),
    log: id::LogId,
    body: &T,
) -> Result<Vec<u8>, Fault> {
    stretch_to_hub(ends, (log, 0, 0), body, None)
}

/// A message about a stretch of the log, sealed for the hub; packed with a dictionary that it has.
pub(crate) fn stretch_to_hub<T: Inside>(
    (hub, keys): (&Hub, &BoxKeys),
    (log, after, through): (id::LogId, u64, u64),
    body: &T,
    dictionary: Option<&Dictionary>,
) -> Result<Vec<u8>, Fault> {
    let Hub { clinic, box_id, .. } = hub;
    let log = LogId(*log.as_bytes());
    let place = Place { kind: T::KIND, clinic: *clinic, box_id: *box_id, log, after, through };
    let body = wire::write(body).map_err(|_| Fault::Seal)?;
    let to = SealingKey::from_bytes(&hub.sealing_key).map_err(|_| Fault::Seal)?;
    seal(&place, &body, &keys.signing, &to, dictionary).map_err(|_| Fault::Seal)
}

/// The message in an envelope, if it is of this hub for this box and log.
pub(crate) fn from_hub<T: Inside>(
    (hub, keys): (&Hub, &BoxKeys),
    log: id::LogId,
    bytes: &[u8],
) -> Option<T> {
    let mut receiver = Receiver::default();
    receiver.open_with(OpeningKey::from_bytes(keys.opening.bytes()).ok()?).ok()?;
    receiver.believe(VerifyingKey(hub.verifying_key)).ok()?;
    let expected = Expected { kind: T::KIND, clinic: hub.clinic, box_id: hub.box_id };
    let opened = receiver.open(bytes, &expected).ok()?;
    let body = wire::read(&opened.body).ok()?;
    (opened.place.log.0 == *log.as_bytes()).then_some(body)
}
