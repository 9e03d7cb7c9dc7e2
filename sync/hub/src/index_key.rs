//! The key of a clinic's index: terms are hashed with it, so that the index tells at most that two records
//! have something in common.
//!
//! It lies beside the index, sealed by the clinic's own key, and never changes: a clinic that is given a
//! new key, or goes to another hub, takes its index along.

use fhir::{Resource, terms};
use ring::hmac;

use crate::hub::{Hub, ReadError};
use crate::store::index::{self, Term};
use crate::store::{self, Clinic, StoreError, Tx};
use crate::vault::make_key;

/// The key of one clinic's index.
pub struct IndexKey(hmac::Key);

/// Where the key is sealed: no record is called so, because types of FHIR have letters only.
fn place(clinic: [u8; 16]) -> Vec<u8> {
    [&b"index "[..], &clinic].concat()
}

/// The key of a clinic's index; none if the index was never begun.
///
/// # Errors
/// [`ReadError`].
pub fn index_key(hub: &Hub, tx: &Tx<'_>, clinic: &Clinic) -> Result<Option<IndexKey>, ReadError> {
    let Some(sealed) = index::index_key(tx, clinic.id)? else { return Ok(None) };
    let bytes = hub.key_of(clinic)?.open(&place(clinic.id), &sealed)?;
    Ok(Some(IndexKey::new(&bytes)))
}

/// The key of a clinic's index, which is begun if it was not: from then on each record is found as soon as
/// it is written, and those of before when the index is made ([`crate::reindex`]).
///
/// # Errors
/// [`ReadError`]; as damaged if the clinic is gone.
pub fn begin(hub: &Hub, clinic: [u8; 16]) -> Result<IndexKey, ReadError> {
    let of = |tx: &Tx<'_>| -> Result<Clinic, StoreError> {
        store::clinic(tx, clinic)?.ok_or(StoreError::Damaged("a clinic that is gone"))
    };
    if let Some(key) = hub.store.read(clinic, |tx| index_key(hub, tx, &of(tx)?))? {
        return Ok(key);
    }
    // Somebody else may have been quicker.
    hub.store.write(clinic, |tx| begun(hub, tx, &of(tx)?))
}

/// The same, within a transaction that may write.
///
/// # Errors
/// [`ReadError`].
pub fn begun(hub: &Hub, tx: &Tx<'_>, clinic: &Clinic) -> Result<IndexKey, ReadError> {
    if let Some(key) = index_key(hub, tx, clinic)? {
        return Ok(key);
    }
    let bytes = make_key()?;
    let sealed = hub.key_of(clinic)?.seal(&place(clinic.id), &*bytes)?;
    index::begin_index(tx, clinic.id, &sealed, terms::VERSION)?;
    Ok(IndexKey::new(&*bytes))
}

impl IndexKey {
    fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// A term as it lies in the index.
    pub fn term(&self, term: &str) -> Term {
        let tag = hmac::sign(&self.0, term.as_bytes());
        let beginning = tag.as_ref().first_chunk();
        *beginning.expect("invariant: a SHA-256 is longer than a term")
    }

    /// By what a resource is found.
    pub fn terms(&self, resource: &Resource) -> Vec<Term> {
        terms::of_resource(resource).iter().map(|term| self.term(term)).collect()
    }
}
