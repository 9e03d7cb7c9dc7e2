//! Envelopes of a box that is known and living, and answers that are sealed for it.

use sync_protocol::envelope::{self, Expected, OpeningKey, Place, Receiver, dictionary};
use sync_protocol::lineage::LogId;
use sync_protocol::wire::{self, Inside};

use crate::hub::Hub;
use crate::receive::Refused;
use crate::store::{self, Clinic, Enrolled, StoreError};
use crate::vault::WrongKey;

/// What an envelope held, and whose it is.
pub struct Opened<T> {
    /// What is inside.
    pub body: T,
    /// Where the envelope belongs: the log of the box that speaks, and the stretch of it.
    pub place: Place,
    /// The box.
    pub from: Enrolled,
    /// Its clinic.
    pub clinic: Clinic,
}

/// Opens an envelope of the box that it says it is from, if that box speaks with the log that is
/// listened to: one that was left, or never heard, neither takes nor answers anything.
///
/// # Errors
/// [`Refused`].
pub fn open<T: Inside>(hub: &Hub, bytes: &[u8]) -> Result<Opened<T>, Refused> {
    let opened = open_of_any_log(hub, bytes)?;
    opened.from.living(opened.place.log).ok_or(Refused::NotLiving)?;
    Ok(opened)
}

/// Opens an envelope of the box that it says it is from, whichever log that box has.
///
/// # Errors
/// [`Refused`].
pub fn open_of_any_log<T: Inside>(hub: &Hub, bytes: &[u8]) -> Result<Opened<T>, Refused> {
    let claimed = envelope::claimed(bytes)?;
    let known = hub.store.read(claimed.clinic, |tx| -> Result<_, StoreError> {
        let enrolled = store::enrolled_at(tx, claimed.clinic, claimed.box_id)?;
        Ok(enrolled.zip(store::clinic(tx, claimed.clinic)?))
    })?;
    let (from, clinic) = known.ok_or(Refused::Unrecognised)?;
    let mut receiver = Receiver::default();
    let full = "invariant: a new receiver has room for one key of each sort";
    receiver
        .open_with(OpeningKey::from_bytes(hub.keys.seal.bytes()).map_err(|_| WrongKey)?)
        .expect(full);
    receiver.believe(from.sign).expect(full);
    receiver.unpack_with(dictionary::first()).expect(full);
    if from.revoked_at.is_some() {
        receiver.revoke(from.sign.id()).expect(full);
    }
    let expected = Expected { kind: T::KIND, clinic: from.clinic, box_id: from.id };
    let opened = receiver.open(bytes, &expected)?;
    let body = wire::read(&opened.body).map_err(|_| Refused::Malformed)?;
    Ok(Opened { body, place: opened.place, from, clinic })
}

/// Seals an answer for a box, about its log through a number; 0 where numbers mean nothing.
///
/// # Errors
/// [`Refused::NotSealed`].
pub fn seal<T: Inside>(
    hub: &Hub,
    to: &Enrolled,
    (log, through): (LogId, u64),
    body: &T,
) -> Result<Vec<u8>, Refused> {
    let (clinic, box_id) = (to.clinic, to.id);
    let place = Place { kind: T::KIND, clinic, box_id, log, after: 0, through };
    let body = wire::write(body).map_err(|_| Refused::NotSealed)?;
    envelope::seal(&place, &body, &hub.keys.sign, &to.seal, None).map_err(|_| Refused::NotSealed)
}
