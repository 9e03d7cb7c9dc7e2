//! Carries what the write-ahead log holds into the database file while the writer goes on.
//!
//! Left to itself SQLite does it within a commit, and everybody whose write waits then waits for
//! the disk as well. This thread does most of it beside the writer. Only the writer can begin the
//! log anew, when nothing of it is left to carry: its own bound, [`LOG_PAGES_MAX`], sees to that.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

/// Writes after which the log is worth emptying: about a thousand pages.
const WRITES_BETWEEN: usize = 256;
/// Pages in the log at which the writer empties it itself, within a commit.
pub(super) const LOG_PAGES_MAX: u32 = 8_000;

/// Tells the thread when there is something to do; it ends when this is dropped.
pub(super) struct Due {
    writes: usize,
    wake: SyncSender<()>,
}

impl Due {
    /// Counts writes that were committed.
    pub(super) fn after_writes(&mut self, writes: usize) {
        self.writes += writes;
        if self.writes < WRITES_BETWEEN {
            return;
        }
        match self.wake.try_send(()) {
            // One wish that waits is enough.
            Ok(()) | Err(TrySendError::Full(())) => self.writes = 0,
            // Without the thread the writer's own bound does the work.
            Err(TrySendError::Disconnected(())) => {}
        }
    }
}

/// Starts the thread on a connection of its own.
pub(super) fn start(conn: Connection) -> std::io::Result<(Due, JoinHandle<()>)> {
    let (wake, woken) = sync_channel(1);
    let thread = std::thread::Builder::new()
        .name("prm-checkpoint".into())
        .spawn(move || run(&conn, &woken))?;
    Ok((Due { writes: 0, wake }, thread))
}

fn run(conn: &Connection, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        if let Err(error) = carry(conn) {
            // Nothing is lost: the log still holds it, and the writer's own bound remains.
            tracing::warn!(%error, "the log could not be carried into the database file");
        }
    }
}

/// A passive checkpoint: as much as can be carried without keeping anybody waiting.
fn carry(conn: &Connection) -> rusqlite::Result<()> {
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}
