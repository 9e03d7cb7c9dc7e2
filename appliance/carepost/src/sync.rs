//! Telling the hub while the box serves: a loop beside the doors, which waits as the agent says.

use std::time::Duration;

use prm::db::Db;
use sync_agent::pace::Pace;
use sync_agent::{Agent, Fault, Turn};
use tokio::time::{sleep, timeout};

use crate::app::App;
use crate::connections::Stopping;
use crate::http::fhir::told;
use crate::place;

/// How long changes are gathered before they are told, so that a busy minute is few bundles.
const GATHERED: Duration = Duration::from_millis(500);

/// The agent of the box in a data folder.
pub fn agent(data: &std::path::Path, db: Db) -> Agent {
    Agent::new(db, place::keys(data), told::shown)
}

/// Tells the hub, if the box has joined one, until `stopping`.
pub async fn tell(app: App, stopping: Stopping) {
    let mut told = app.db.last_sequence();
    let mut agent = agent(&app.data, app.db.clone());
    let mut pace = Pace::new(app.clinic.id.as_bytes());
    let mut said = "";
    loop {
        told.borrow_and_update();
        let turn = tokio::select! {
            () = stopping.requested() => return,
            turn = agent.round(app.now()) => turn,
        };
        say(&turn, &mut said);
        let wait = pace.after(&turn);
        let waited = async {
            if !wait.or_change {
                sleep(wait.long).await;
            } else if let Ok(Ok(())) = timeout(wait.long, told.changed()).await {
                sleep(GATHERED).await;
            }
        };
        tokio::select! {
            () = stopping.requested() => return,
            () = waited => {}
        }
    }
}

/// Logs what is new: a line that is cut for a night is one line of the log, not a thousand.
fn say(turn: &Result<Turn, Fault>, said: &mut &'static str) {
    let now = match turn {
        Ok(Turn::Stopped(_)) => "stopped",
        Ok(Turn::Alone | Turn::Told { .. } | Turn::Idle) => "",
        Err(fault) => fault.word(),
    };
    if now == *said {
        return;
    }
    match turn {
        Ok(Turn::Stopped(stop)) => {
            tracing::error!(
                ?stop,
                "nothing is told to the hub any more; see `carepost sync status`"
            );
        }
        Ok(Turn::Alone | Turn::Told { .. } | Turn::Idle) => tracing::info!("the hub is told again"),
        Err(fault) => tracing::warn!(%fault, "the hub is not told; it is tried again"),
    }
    *said = now;
}
