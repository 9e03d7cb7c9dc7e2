//! The records of one clinic, opened: by their ids, by their terms, or one after the other.
//!
//! Invariant: whoever holds these reads nothing of another clinic: each query names this one, and what is
//! not sealed with its key does not open.

use std::collections::BTreeSet;

use fhir::here::{Clinic, NOWHERE};
use fhir::organization::{self, Own};
use fhir::{Resource, terms};
use zeroize::Zeroizing;

use crate::hub::{Hub, ReadError};
use crate::index_key::{IndexKey, index_key};
use crate::store::index::{self, IndexState};
use crate::store::{self, StoreError, Tx};
use crate::vault::ClinicKey;

/// Records that are read at once.
pub const AT_ONCE: usize = 100;
/// Records that one term is followed to; one that more have tells too little.
pub const KEYS_MAX: usize = 20_000;
/// Records that may have one term that few should have, such as an id.
const FEW: u32 = 8;
/// What is sealed beside records is bound to this; no key of a record begins so.
const BESIDE: &[u8] = b"\0cursor";

/// The records of one clinic.
pub struct Records<'a> {
    hub: &'a Hub,
    id: [u8; 16],
    /// None if nothing was ever found by terms.
    index: Option<IndexKey>,
}

/// A record, opened.
pub struct Opened {
    /// What it is called in the log of its box.
    pub key: Vec<u8>,
    /// What it says.
    pub resource: Resource,
}

impl<'a> Records<'a> {
    /// Those of a clinic; none if there is no such clinic.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn open(hub: &'a Hub, id: [u8; 16]) -> Result<Option<Self>, ReadError> {
        hub.store.read(id, |tx| {
            let Some(clinic) = store::clinic(tx, id)? else { return Ok(None) };
            Ok(Some(Self { hub, id, index: index_key(hub, tx, &clinic)? }))
        })
    }

    /// The hub that holds them.
    pub fn hub(&self) -> &Hub {
        self.hub
    }

    /// The clinic's id.
    pub fn id(&self) -> [u8; 16] {
        self.id
    }

    /// Whether each record is found by its terms; if not, [`crate::reindex`] is at work.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn is_indexed(&self) -> Result<bool, StoreError> {
        let state =
            self.hub.store.read(self.id, |tx| index::index_state(tx, self.id, terms::VERSION))?;
        Ok(state == IndexState::Whole)
    }

    /// The clinic as its box told of it, its zone among it; before that, one of which nothing is known.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn clinic(&self) -> Result<Clinic, ReadError> {
        let found = self.with_term(&terms::of_clinic())?;
        let own = found.iter().find_map(|it| organization::own(&it.resource));
        Ok(own.map_or_else(|| NOWHERE.clone(), Own::clinic))
    }

    /// The resource of a type that has this id.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn one(&self, type_: &str, id: &str) -> Result<Option<Resource>, ReadError> {
        let found = self.with_term(&terms::of_id(type_, id))?.into_iter();
        let mut found = found.map(|it| it.resource);
        Ok(found.find(|it| it.resource_type() == type_ && it.id() == Some(id)))
    }

    fn with_term(&self, term: &str) -> Result<Vec<Opened>, ReadError> {
        let Some(index) = &self.index else { return Ok(Vec::new()) };
        let term = index.term(term);
        let keys = self.hub.store.read(self.id, |tx| index::keys_with(tx, self.id, &term, FEW))?;
        self.load(&keys)
    }

    /// The keys of the records that have one of these terms; none if they are more than [`KEYS_MAX`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keys(&self, terms: &[String]) -> Result<Option<BTreeSet<Vec<u8>>>, StoreError> {
        let Some(index) = &self.index else { return Ok(Some(BTreeSet::new())) };
        let limit = u32::try_from(KEYS_MAX + 1).unwrap_or(u32::MAX);
        self.hub.store.read(self.id, |tx| {
            let mut keys = BTreeSet::new();
            for term in terms {
                keys.extend(index::keys_with(tx, self.id, &index.term(term), limit)?);
                if keys.len() > KEYS_MAX {
                    return Ok(None);
                }
            }
            Ok(Some(keys))
        })
    }

    /// The records with these keys, in their order; what is gone by now is left out.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn load(&self, keys: &[Vec<u8>]) -> Result<Vec<Opened>, ReadError> {
        self.opened(|tx| {
            let mut found = Vec::with_capacity(keys.len());
            for key in keys {
                found.extend(store::record(tx, self.id, key)?.map(|sealed| (key.clone(), sealed)));
            }
            Ok(found)
        })
    }

    /// The records of a type after a key, in the order of their keys, at most [`AT_ONCE`].
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn after(&self, type_: &str, after: Option<&[u8]>) -> Result<Vec<Opened>, ReadError> {
        let limit = u32::try_from(AT_ONCE).unwrap_or(u32::MAX);
        self.opened(|tx| index::records_after(tx, self.id, (type_, after), limit))
    }

    fn opened(
        &self,
        find: impl FnOnce(&Tx<'_>) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError>,
    ) -> Result<Vec<Opened>, ReadError> {
        // With the clinic's keys of this moment: it may be given new ones at any time.
        let found = self.hub.store.read(self.id, |tx| -> Result<_, StoreError> {
            let Some(clinic) = store::clinic(tx, self.id)? else { return Ok(None) };
            Ok(Some((clinic, find(tx)?)))
        })?;
        let Some((clinic, found)) = found else { return Ok(Vec::new()) };
        let opener = self.hub.key_of(&clinic)?;
        let mut opened = Vec::with_capacity(found.len());
        for (key, sealed) in found {
            let bytes = opener.open(&key, &sealed)?;
            match read(&bytes) {
                Some(resource) => opened.push(Opened { key, resource }),
                // It was valid when it was taken; what it says is for no log.
                None => tracing::error!(
                    clinic = %uuid::Uuid::from_bytes(self.id),
                    "a record that is held cannot be read any more"
                ),
            }
        }
        Ok(opened)
    }

    /// The clinic's keys as they are now.
    fn opener(&self) -> Result<ClinicKey, ReadError> {
        let clinic = self.hub.store.read(self.id, |tx| store::clinic(tx, self.id))?;
        Ok(self.hub.key_of(&clinic.ok_or(StoreError::Damaged("a clinic that is gone"))?)?)
    }

    /// A text that only this clinic's keys open: where a page ended, which may name people.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn seal(&self, text: &[u8]) -> Result<Vec<u8>, ReadError> {
        Ok(self.opener()?.seal(BESIDE, text)?)
    }

    /// What [`Self::seal`] sealed; none if it was something else, or the clinic was given new keys.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn unseal(&self, sealed: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, ReadError> {
        Ok(self.opener()?.open(BESIDE, sealed).ok())
    }
}

/// The resource in the bytes of a record.
pub(crate) fn read(bytes: &[u8]) -> Option<Resource> {
    fhir::json::parse_within(bytes, fhir::json::RESOURCE_VALUES_MAX).ok()
}
