//! Telling the hub while the box serves: a loop beside the doors, which waits as the agent says.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use prm::db::Db;
use sync_agent::loans::{self, Loans, Usual};
use sync_agent::pace::Pace;
use sync_agent::{Agent, Fault, Internet, Line, Meter, Turn};
use tokio::runtime;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use crate::app::App;
use crate::connections::Stopping;
use crate::http::fhir::told;
use crate::place;

/// How long changes are gathered before they are told, so that a busy minute is few bundles.
const GATHERED: Duration = Duration::from_millis(500);

/// How far what tells stands back behind the rest of the box: a niceness, of which 19 is the furthest.
const STANDS_BACK: i32 = 10;

/// How long somebody who rang waits for the exchange.
const PATIENCE: Duration = Duration::from_secs(8);

/// By which somebody asks that the hub is told now, and hears when that was tried.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Notify,
    asked: AtomicU64,
    /// The last ring before the exchange after which there was nothing more to tell, or which failed.
    answered: watch::Sender<u64>,
    /// Changes when the line is back, or the hub has asked something: what waits for a next try need not.
    stirred: watch::Sender<u64>,
    /// What all loops that speak with the hub cost.
    pub meter: Meter,
}

impl Bell {
    /// Wakes all loops that speak with the hub.
    pub fn stir(&self) {
        self.stirred.send_modify(|times| *times = times.wrapping_add(1));
    }

    /// What changes whenever they are woken.
    pub fn stirred(&self) -> watch::Receiver<u64> {
        self.stirred.subscribe()
    }

    /// Rings, and waits until everything is told, or a try has failed, or for as long as a person waits.
    pub async fn ring(&self) {
        let own = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        let mut answered = self.answered.subscribe();
        self.rung.notify_one();
        // Who waited in vain sees in the status how it stands.
        let _ = timeout(PATIENCE, answered.wait_for(|answered| *answered >= own)).await;
    }
}

/// A time as the clinic's wall shows it, for sentences about the sync.
pub fn on_the_wall(zone: &TimeZone, time: Timestamp) -> String {
    zone.to_datetime(time).strftime("%Y-%m-%d %H:%M").to_string()
}

/// The agent of the box in a data folder.
pub fn agent(data: &std::path::Path, db: Db) -> Agent {
    Agent::new(db, place::keys(data), told::shown)
}

/// What lends the slots of the box in a data folder, and speaks of it over this line.
pub fn loans<L: Line>(data: &std::path::Path, db: Db, usual: Usual, line: L) -> Loans<L> {
    Loans::new(db, place::keys(data), usual, line)
}

/// Tells the hub, if the box has joined one, until `stopping`, on a thread of its own that stands back. Packing
/// and sealing a bundle takes a processor for milliseconds: no request may wait behind it.
///
/// # Errors
/// If the system gives no thread.
pub fn begin(app: App, stopping: Stopping) -> io::Result<JoinHandle<()>> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("sync".into()).spawn(move || {
        // In Linux each thread has its own niceness, and threads that it starts, as for its reads, begin with that.
        if let Err(error) = rustix::process::nice(STANDS_BACK) {
            tracing::debug!(%error, "what tells the hub does not stand back");
        }
        runtime.block_on(tell(app, stopping));
    })
}

async fn tell(app: App, stopping: Stopping) {
    let mut told = app.db.last_sequence();
    let mut agent =
        agent(&app.data, app.db.clone()).within(app.config.budget, app.sync.meter.clone());
    let mut pace = Pace::new(app.clinic.id.as_bytes());
    let line = Internet::counted(app.sync.meter.clone());
    let mut loans = loans(&app.data, app.db.clone(), app.config.loans, line);
    let (mut stirred, mut said, mut was_away) = (app.sync.stirred(), "", true);
    loop {
        told.borrow_and_update();
        stirred.borrow_and_update();
        let asked = app.sync.asked.load(Ordering::Relaxed);
        let turn = tokio::select! {
            () = stopping.requested() => return,
            turn = exchange(&app, &mut agent, &mut loans) => turn,
        };
        if !matches!(turn, Ok(Turn::Told { more: true, .. })) {
            app.sync.answered.send_replace(asked);
        }
        say(&turn, &mut said);
        let is_away = match &turn {
            Ok(Turn::Told { .. } | Turn::Idle | Turn::Held) => false,
            Ok(Turn::Alone | Turn::Stopped(_) | Turn::Replacing) | Err(_) => true,
        };
        if was_away && !is_away {
            app.sync.stir();
        }
        was_away = is_away;
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
            // The sender lives as long as the box.
            _ = stirred.changed() => {}
            () = app.sync.rung.notified() => agent.ask_again(),
        }
    }
}

/// One exchange about the log; and, when the hub holds all of it, about loans.
async fn exchange(app: &App, agent: &mut Agent, loans: &mut Loans) -> Result<Turn, Fault> {
    let turn = agent.round(app.now()).await?;
    match turn {
        // What is held back holds up no sale.
        Turn::Told { more: false, .. } | Turn::Idle | Turn::Held => {}
        Turn::Told { more: true, .. } | Turn::Alone | Turn::Stopped(_) | Turn::Replacing => {
            return Ok(turn);
        }
    }
    match loans.round(agent.nonce(), app.now(), app.clock.since_boot()).await? {
        loans::Turn::Done { more: true } => Ok(Turn::Told { more: true, pause_ms: 0 }),
        loans::Turn::Learning => {
            // The next receipt says which life of the box the hub listens to.
            agent.ask_again();
            Ok(turn)
        }
        loans::Turn::Done { more: false } | loans::Turn::Idle | loans::Turn::Alone => Ok(turn),
    }
}

/// Logs what is new: a line that is cut for a night is one line of the log, not a thousand.
fn say(turn: &Result<Turn, Fault>, said: &mut &'static str) {
    let now = match turn {
        Ok(Turn::Stopped(_)) => "stopped",
        Ok(Turn::Alone | Turn::Told { .. } | Turn::Idle | Turn::Held | Turn::Replacing) => "",
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
        Ok(Turn::Alone | Turn::Told { .. } | Turn::Idle | Turn::Held | Turn::Replacing) => {
            tracing::info!("the hub is told again")
        }
        Err(fault) => tracing::warn!(%fault, "the hub is not told; it is tried again"),
    }
    *said = now;
}
