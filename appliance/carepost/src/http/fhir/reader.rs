//! Reading bundles beside the threads that answer others: thousands of resources are looked at for a
//! while.
//!
//! Large ones are all read by one thread. The allocator keeps the memory of each thread apart, and what
//! one bundle needed is to serve the next, not to be needed once more.

use std::panic::catch_unwind;
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use axum::body::Bytes;
use fhir::Outcome;
use fhir::bundle::{self, Submission};
use prm::error::{Error, Result};
use tokio::sync::oneshot;

/// Large bundles that wait to be read; there is one at a time.
const WAITING_MAX: usize = 1;

/// A bundle to be read, and who wants to know.
struct Wanted {
    bytes: Bytes,
    answer: oneshot::Sender<Read>,
}

/// A bundle, or what is wrong with it.
type Read = std::result::Result<Submission, Outcome>;

static LARGE: LazyLock<SyncSender<Wanted>> = LazyLock::new(|| {
    let (send, receive) = sync_channel(WAITING_MAX);
    let spawned = thread::Builder::new().name("bundles".to_owned()).spawn(|| all(receive));
    if let Err(error) = spawned {
        // Nobody receives then, and whoever sends hears so.
        tracing::error!(%error, "no thread could be started for large bundles");
    }
    send
});

fn all(wanted: Receiver<Wanted>) {
    for Wanted { bytes, answer } in wanted {
        // A bundle at which this fails is not to keep the next one from being read.
        if let Ok(read) = catch_unwind(|| one(&bytes)) {
            // Who asked may have gone.
            let _ = answer.send(read);
        }
    }
}

fn one(bytes: &Bytes) -> Read {
    bundle::checked(fhir::json::parse(bytes)?)
}

/// Reads a batch or a transaction.
///
/// # Errors
/// *Storage* if the box has no thread for it.
pub async fn read(bytes: Bytes, is_large: bool) -> Result<Read> {
    let failed = || Error::Storage("a bundle could not be read".to_owned());
    if !is_large {
        return tokio::task::spawn_blocking(move || one(&bytes)).await.map_err(|_| failed());
    }
    let (answer, read) = oneshot::channel();
    LARGE.try_send(Wanted { bytes, answer }).map_err(|_| Error::Busy)?;
    read.await.map_err(|_| failed())
}
