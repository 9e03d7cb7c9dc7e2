//! What is parked is tried again when the hub starts: a newer program may know what an older did not.

use std::collections::BTreeMap;

use sync_protocol::ledger::{Body, Entry, Key, PARKED_MAX, Parked};

use crate::examine::{Said, examine};
use crate::hub::{Hub, ReadError};
use crate::index_key;
use crate::store::{self, Clinic, Overview, Record, StoreError};

/// Tries all entries that are parked by name; answers how many could be taken now.
///
/// # Errors
/// If database or keys fail; what was taken until then is committed.
pub fn mend(hub: &Hub) -> Result<usize, ReadError> {
    let mut mended = 0;
    for Overview { id, name: _, boxes: _, parked } in hub.store.survey(store::clinics)? {
        // Nothing is parked of most, or the clinic is gone by now.
        if parked > 0
            && let Some(clinic) = hub.store.read(id, |tx| store::clinic(tx, id))?
        {
            mended += mend_clinic(hub, &clinic)?;
        }
    }
    Ok(mended)
}

/// As many bytes of entries are held in memory and written at once, about.
const BYTES_AT_ONCE_MAX: usize = 8 << 20;

/// Entries that can be taken now, by key and number.
type Good = BTreeMap<(Vec<u8>, u64), Record>;

fn mend_clinic(hub: &Hub, clinic: &Clinic) -> Result<usize, ReadError> {
    let (opener, index) = (hub.key_of(clinic)?, index_key::begin(hub, clinic.id)?);
    let limit = u32::try_from(PARKED_MAX).unwrap_or(u32::MAX);
    let (mut good, mut bytes, mut mended) = (Good::new(), 0, 0);
    for row in hub.store.read(clinic.id, |tx| store::parked(tx, clinic.id, limit))? {
        let found = hub.store.read(clinic.id, |tx| store::parked_body(tx, clinic.id, &row.key))?;
        // Gone by now, or never sent because it was too long.
        let Some(sealed) = found else { continue };
        let body = Body::Given(opener.open(&row.key, &sealed)?.to_vec());
        let entry = Entry { sequence: row.sequence, key: Key(row.key), body };
        let Ok(Said::Resource(said)) = examine(&entry) else { continue };
        let (name, terms) = (said.resource_type(), index.terms(&said));
        let Entry { sequence, key: Key(key), body: _ } = entry;
        bytes += sealed.len();
        let place = (key.clone(), sequence);
        good.insert(
            place,
            Record { key, sequence, resource_type: Some(name), sealed: Some(sealed), terms },
        );
        if bytes > BYTES_AT_ONCE_MAX {
            mended += take(hub, clinic, &std::mem::take(&mut good))?;
            bytes = 0;
        }
    }
    if !good.is_empty() {
        mended += take(hub, clinic, &good)?;
    }
    Ok(mended)
}

/// Takes those that are still parked under the same number.
fn take(hub: &Hub, clinic: &Clinic, good: &Good) -> Result<usize, StoreError> {
    hub.store.write(clinic.id, |tx| {
        // Put back from a backup meanwhile, its index may be another.
        if store::clinic(tx, clinic.id)?.is_none_or(|it| it.life != clinic.life) {
            return Ok(0);
        }
        let Some(mut enrolled) = store::enrolled(tx, clinic.id)? else { return Ok(0) };
        let Some(ledger) = &enrolled.ledger else { return Ok(0) };
        let place = |it: &Parked| (it.key.0.clone(), it.sequence);
        let (ledger, mended) = ledger.mend(|it| good.contains_key(&place(it)));
        for record in mended.iter().filter_map(|it| good.get(&place(it))) {
            // As it lies there now: it may have been sealed by another key since it was looked at.
            let sealed = store::parked_body(tx, clinic.id, &record.key)?;
            store::put_record(tx, &enrolled, &Record { sealed, ..record.clone() })?;
        }
        enrolled.ledger = Some(ledger);
        store::save_ledger(tx, &enrolled)?;
        Ok(mended.len())
    })
}
