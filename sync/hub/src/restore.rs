//! A box that takes another's place gets back what is held of its clinic, page by page.

use sync_protocol::ledger::{BUNDLE_BYTES_MAX, ENTRIES_MAX, Key};
use sync_protocol::restore::{Held, Restore, Restored};

use crate::hub::Hub;
use crate::receive::Refused;
use crate::sealed::{self, Opened};
use crate::store;

/// Answers a page, sealed for the box. The box need not have spoken with its log yet: it has nothing to
/// say before it has everything.
///
/// # Errors
/// [`Refused`].
pub fn page(hub: &Hub, bytes: &[u8]) -> Result<Vec<u8>, Refused> {
    let Opened { body: Restore { after, nonce }, place, from, clinic } =
        sealed::open_of_any_log(hub, bytes)?;
    let after = after.map(|key| key.0).unwrap_or_default();
    let limit = u32::try_from(ENTRIES_MAX).unwrap_or(u32::MAX);
    let found =
        hub.store.read(clinic.id, |tx| store::records_after(tx, clinic.id, &after, limit))?;
    let opener = hub.key_of(&clinic)?;
    let (mut records, mut bytes, mut last) = (Vec::new(), 0, found.len() < ENTRIES_MAX);
    for (key, sealed) in found {
        let body = opener.open(&key, &sealed)?.to_vec();
        bytes += body.len();
        if bytes > BUNDLE_BYTES_MAX {
            last = false;
            break;
        }
        records.push(Held { key: Key(key), body });
    }
    sealed::seal(hub, &from, (place.log, 0), &Restored { nonce, records, last })
}
