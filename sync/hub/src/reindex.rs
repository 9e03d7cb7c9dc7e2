//! The index of a clinic is made anew: when it was never made, and when the terms of a newer program are
//! others. In steps, so that nobody waits long for the database meanwhile.

use fhir::terms::VERSION;

use crate::hub::{Hub, ReadError};
use crate::index_key::{self, index_key};
use crate::records::read;
use crate::store;
use crate::store::index::{self, IndexState};

/// Records of one step.
const STEP: u32 = 200;

/// Makes the index of each clinic that has none of this version; answers how many records that took.
///
/// # Errors
/// If database or keys fail; what was made until then stays.
pub fn reindex(hub: &Hub) -> Result<u64, ReadError> {
    let mut made = 0;
    for clinic in hub.store.survey(store::clinics)? {
        made += reindex_clinic(hub, clinic.id)?;
    }
    Ok(made)
}

/// Makes the index of one clinic, if it has none of this version; answers how many records that took.
///
/// # Errors
/// As [`reindex`].
pub fn reindex_clinic(hub: &Hub, clinic: [u8; 16]) -> Result<u64, ReadError> {
    let mut made = 0;
    while let Some(records) = step(hub, clinic)? {
        made += records;
    }
    Ok(made)
}

/// Some records more; none if the index is whole, or the clinic is gone.
fn step(hub: &Hub, clinic: [u8; 16]) -> Result<Option<u64>, ReadError> {
    let state = |tx: &store::Tx<'_>| index::index_state(tx, clinic, VERSION);
    if hub.store.read(clinic, state)? == IndexState::Whole {
        return Ok(None);
    }
    index_key::begin(hub, clinic)?;
    hub.store.write(clinic, |tx| -> Result<_, ReadError> {
        let IndexState::Part(after) = state(tx)? else { return Ok(None) };
        let Some(of) = store::clinic(tx, clinic)? else { return Ok(None) };
        let Some(index) = index_key(hub, tx, &of)? else { return Ok(None) };
        let opener = hub.key_of(&of)?;
        let records = store::records_after(tx, clinic, &after.unwrap_or_default(), STEP)?;
        for (name, sealed) in &records {
            let said = read(&opener.open(name, sealed)?);
            let terms = said.map(|it| index.terms(&it)).unwrap_or_default();
            index::put_terms(tx, clinic, name, &terms)?;
        }
        let last = records.last().map(|(name, _)| name.as_slice());
        index::note_index(tx, clinic, VERSION, last)?;
        Ok(Some(u64::try_from(records.len()).unwrap_or(u64::MAX)))
    })
}
