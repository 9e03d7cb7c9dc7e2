//! Whose records were shown: the audit lines of reads, written before the answer leaves.
//!
//! Invariant: a full disk does not keep anybody from reading; the line then goes to the log.

use prm::audit;
use prm::db::Tx;
use prm::error::{Error, Result};
use prm::id::{Noun, PatientId};
use prm::stamp::Stamp;

use super::error::Answer;
use crate::app::App;

/// Writes that something of one patient's record was read.
///
/// # Errors
/// If the line cannot be written, unless only because the disk is full.
pub async fn read(
    app: &App,
    stamp: Stamp,
    noun: Noun,
    resource: &[u8; 16],
    patient: PatientId,
) -> Answer<()> {
    let resource = *resource;
    let write = move |tx: &mut Tx<'_>| audit::was_read(tx, &stamp, noun, &resource, patient);
    written(app, stamp, noun, &[patient], write).await
}

/// Writes that each of these patients' records was shown in a list.
///
/// # Errors
/// If the lines cannot be written, unless only because the disk is full.
pub async fn shown(app: &App, stamp: Stamp, noun: Noun, patients: Vec<PatientId>) -> Answer<()> {
    if patients.is_empty() {
        return Ok(());
    }
    let in_lines = patients.clone();
    let write = move |tx: &mut Tx<'_>| audit::were_listed(tx, &stamp, noun, &in_lines);
    written(app, stamp, noun, &patients, write).await
}

/// Writes that a list was shown which names many, such as the diary of a day: one line for all.
///
/// # Errors
/// If the line cannot be written, unless only because the disk is full.
pub async fn listed(app: &App, stamp: Stamp, noun: Noun) -> Answer<()> {
    let write = move |tx: &mut Tx<'_>| audit::was_listed(tx, &stamp, noun);
    written(app, stamp, noun, &[], write).await
}

async fn written<F>(
    app: &App,
    stamp: Stamp,
    noun: Noun,
    patients: &[PatientId],
    write: F,
) -> Answer<()>
where
    F: FnOnce(&mut Tx<'_>) -> Result<()> + Send + 'static,
{
    match app.db.write(write).await {
        Err(Error::Full) => {
            let (actor, noun) = (stamp.actor, noun.as_str());
            tracing::error!(
                ?actor,
                noun,
                ?patients,
                "records were read; the disk is too full for the audit"
            );
            Ok(())
        }
        other => Ok(other?),
    }
}
