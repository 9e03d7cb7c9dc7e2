//! The relay: messages go between box and hub through a broker, sealed.
//!
//! ```text
//!   broker ─► hear: opened, taken in, committed ─► acknowledged ─► have ─┐
//!   rows that the hub does not have ────────────────────────────────────┴─► talk: sealed ─► broker
//! ```
//!
//! What is to be sent, when again, and what an answer means is `sync_agent::relay`'s. Without a broker in
//! the settings, or before the box has joined a hub, nothing runs here, and nothing else waits for it.

mod hear;
mod rush;
mod seen;
mod talk;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use channels::relay::{Broker, Login, Settings, State, Tls};
use tokio::sync::{Mutex, mpsc};
use tokio::time::{sleep, timeout};
use uuid::Uuid;
use zeroize::Zeroizing;

use self::hear::{Ear, HEARD_WAITING_MAX};
pub use self::rush::Rush;
use self::seen::LastHeard;
pub(crate) use self::seen::Seen;
use crate::app::App;
use crate::away;
use crate::connections::Stopping;
use crate::place;
use sync_agent::messages::Messages;
use sync_agent::pace::LOOK_AGAIN;

/// The password at the broker, in `keys`, if the broker wants one; the name is the clinic's id at its hub.
pub(crate) const PASSWORD: &str = "relay-password";
/// What is seen is written down at least this often.
const SEEN_AGAIN: Duration = Duration::from_mins(1);
/// A longer file is no password, in bytes.
const PASSWORD_BYTES_MAX: usize = 1_024;

/// Carries messages, if there is a broker and as long as the box has joined a hub, until `stopping`.
pub async fn serve(app: App, stopping: Stopping) {
    let Some(broker) = app.config.broker.clone() else { return };
    loop {
        let messages = Messages::new(app.db.clone(), place::keys(&app.data));
        let hub = messages.hub().await.unwrap_or_else(|fault| {
            tracing::warn!(%fault, "messages do not go by the relay; it is tried again");
            None
        });
        if let Some(hub) = hub {
            let (clinic, device) = (Uuid::from_bytes(hub.clinic), Uuid::from_bytes(hub.box_id));
            match let_in(broker.clone(), &place::keys(&app.data), clinic) {
                Ok(broker) => {
                    let folder = app.data.join(place::STATE).join("relay");
                    let settings = Settings::of_box(broker, clinic, device, folder);
                    carry(&app, (settings, messages), (clinic, device), &stopping).await;
                }
                Err(error) => tracing::error!("the relay does not begin: {error:#}"),
            }
        }
        tokio::select! {
            () = stopping.requested() => return,
            () = sleep(LOOK_AGAIN) => {}
        }
    }
}

/// Connects and speaks until `stopping`, or until the box has joined another hub.
async fn carry(
    app: &App,
    (settings, messages): (Settings, Messages),
    ends: (Uuid, Uuid),
    stopping: &Stopping,
) {
    let messages = Arc::new(Mutex::new(messages));
    let (heard, hearing) = mpsc::channel(HEARD_WAITING_MAX);
    let last_heard = LastHeard::default();
    let ear = Ear {
        app: app.clone(),
        messages: Arc::clone(&messages),
        heard,
        last_heard: last_heard.clone(),
    };
    let (link, running) = channels::relay::new(settings, Arc::new(ear));
    let mut state = link.state();
    let run = tokio::spawn(running.run(stopping.requested()));
    let talk = talk::talk(app, (link, messages), hearing, ends);
    tokio::select! {
        () = stopping.requested() => {}
        () = talk => {}
        () = tell(app, &mut state, &last_heard) => {}
        () = away::tell(app, *ends.0.as_bytes()) => {}
    }
    // What is on its way is a row, and goes again.
    if stopping.is_stopping() {
        let _ = run.await;
    } else {
        run.abort();
    }
}

/// Logs what the connection is when that changes, shows it, and writes it down for the doctor.
async fn tell(app: &App, state: &mut tokio::sync::watch::Receiver<State>, last_heard: &LastHeard) {
    let mut before: Option<Seen> = None;
    loop {
        let now = state.borrow_and_update().clone();
        let (connected, why) = match now {
            State::Connected { connection } => {
                if before.as_ref().is_none_or(|it| !it.connected) {
                    tracing::info!(connection, "the relay is connected");
                }
                (true, None)
            }
            State::Away { failures, why } => {
                // One line of the log for an outage, not one for each try.
                if failures == 1 {
                    tracing::warn!(why, "the relay is away; it is tried again");
                }
                (false, Some(why))
            }
        };
        app.measures.gauge("carepost_relay_connected", f64::from(u8::from(connected)));
        let at = app.now();
        let since = before.filter(|it| it.connected == connected).map_or(at, |it| it.since);
        let seen = Seen { at, connected, since, why, heard_at: last_heard.at() };
        // It is for the doctor alone: a disk that is full holds up no message.
        if let Err(error) = seen.remember(&app.data) {
            tracing::debug!("what is seen of the relay cannot be written down: {error:#}");
        }
        before = Some(seen);
        if let Ok(Err(_)) = timeout(SEEN_AGAIN, state.changed()).await {
            return;
        }
    }
}

/// How the broker lets the box in, as far as there is something in the folder of the keys.
pub(crate) fn let_in(broker: Broker, keys: &Path, clinic: Uuid) -> anyhow::Result<Broker> {
    let mut broker = broker;
    let path = keys.join(PASSWORD);
    if path.exists() {
        let text = Zeroizing::new(fs::read_to_string(&path)?);
        let password = Zeroizing::new(text.trim_end_matches(['\n', '\r']).to_owned());
        if password.is_empty() || password.len() > PASSWORD_BYTES_MAX {
            anyhow::bail!("{} holds no password of one line", path.display());
        }
        broker.login = Some(Login { name: clinic.to_string(), password });
    }
    if let Some(tls) = &mut broker.tls {
        *tls = Tls::of_folder(keys);
    }
    Ok(broker)
}

#[cfg(test)]
mod tests;
