//! What goes by the relay: batches are sealed for the hub, and opened if they are of the hub for this box
//! and log.
//!
//! Invariant: nothing is sealed for a hub that does not listen to the log of this box, and nothing of it is
//! believed.

use std::path::PathBuf;

use prm::db::Db;
use prm::hub::Hub;
use prm::id::LogId;
use sync_protocol::relay::{Batch, In, Out};

use crate::Fault;
use crate::down::listened_to;
use crate::keys::KeyFolder;
use crate::sealed;

/// The box's end of the relay.
pub struct Messages {
    db: Db,
    keys: KeyFolder,
}

impl Messages {
    /// Of the box with these records, with its keys in a folder.
    pub fn new(db: Db, keys_folder: PathBuf) -> Self {
        Self { db, keys: KeyFolder::new(keys_folder) }
    }

    /// The hub that listens to this box, if one does.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn hub(&self) -> Result<Option<Hub>, Fault> {
        Ok(self.known().await?.map(|(hub, _)| hub))
    }

    /// A batch, sealed for the hub; nothing if none listens.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn seal(&mut self, batch: Batch) -> Result<Option<Vec<u8>>, Fault> {
        let Some((hub, log)) = self.known().await? else { return Ok(None) };
        sealed::to_hub((&hub, self.keys.keys()?), log, &Out(batch)).map(Some)
    }

    /// The batch in an envelope; nothing if it is none of the hub for this box and log.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn open(&mut self, envelope: &[u8]) -> Result<Option<Batch>, Fault> {
        let Some((hub, log)) = self.known().await? else { return Ok(None) };
        let opened = sealed::from_hub::<In>((&hub, self.keys.keys()?), log, envelope);
        Ok(opened.map(|In(batch)| batch))
    }

    async fn known(&self) -> Result<Option<(Hub, LogId)>, Fault> {
        Ok(self.db.read(listened_to).await?)
    }
}
