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
mod talk;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use channels::relay::{Broker, Login, Settings, State};
use tokio::sync::{Mutex, mpsc};
use tokio::time::sleep;
use uuid::Uuid;
use zeroize::Zeroizing;

use self::hear::{Ear, HEARD_WAITING_MAX};
use crate::app::App;
use crate::connections::Stopping;
use crate::place;
use sync_agent::messages::Messages;
use sync_agent::pace::LOOK_AGAIN;

/// The password at the broker, in `keys`, if the broker wants one; the name is the clinic's id at its hub.
const PASSWORD: &str = "relay-password";
/// The certificate of who vouches for the broker, in `keys`, if the machine does not know it.
const AUTHORITY: &str = "relay-authority.pem";
/// The certificate of the box for the broker, in `keys`, if it wants one.
const CERTIFICATE: &str = "relay-certificate.pem";
/// The key of that.
const KEY: &str = "relay-key.pem";
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
    let ear = Ear { app: app.clone(), messages: Arc::clone(&messages), heard };
    let (link, running) = channels::relay::new(settings, Arc::new(ear));
    let mut state = link.state();
    let run = tokio::spawn(running.run(stopping.requested()));
    let talk = talk::talk(app, (link, messages), hearing, ends);
    tokio::select! {
        () = stopping.requested() => {}
        () = talk => {}
        () = tell(app, &mut state) => {}
    }
    // What is on its way is a row, and goes again.
    if stopping.is_stopping() {
        let _ = run.await;
    } else {
        run.abort();
    }
}

/// Logs what the connection is when that changes, and shows it.
async fn tell(app: &App, state: &mut tokio::sync::watch::Receiver<State>) {
    loop {
        let now = state.borrow_and_update().clone();
        let connected = match now {
            State::Connected { connection } => {
                tracing::info!(connection, "the relay is connected");
                1.0
            }
            State::Away { failures, why } => {
                // One line of the log for an outage, not one for each try.
                if failures == 1 {
                    tracing::warn!(why, "the relay is away; it is tried again");
                }
                0.0
            }
        };
        app.measures.gauge("carepost_relay_connected", connected);
        if state.changed().await.is_err() {
            return;
        }
    }
}

/// How the broker lets the box in, as far as there is something in the folder of the keys.
fn let_in(broker: Broker, keys: &Path, clinic: Uuid) -> anyhow::Result<Broker> {
    let is_there = |name: &str| Some(keys.join(name)).filter(|path| path.exists());
    let mut broker = broker;
    if let Some(path) = is_there(PASSWORD) {
        let text = Zeroizing::new(fs::read_to_string(&path)?);
        let password = Zeroizing::new(text.trim_end_matches(['\n', '\r']).to_owned());
        if password.is_empty() || password.len() > PASSWORD_BYTES_MAX {
            anyhow::bail!("{} holds no password of one line", path.display());
        }
        broker.login = Some(Login { name: clinic.to_string(), password });
    }
    if let Some(tls) = &mut broker.tls {
        tls.authority = is_there(AUTHORITY);
        tls.certificate = is_there(CERTIFICATE);
        tls.key = is_there(KEY);
    }
    Ok(broker)
}

#[cfg(test)]
mod tests;
