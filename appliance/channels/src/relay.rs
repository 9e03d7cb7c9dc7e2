//! The wire between box and hub: MQTT 5 to a broker that both connect to, whichever it is.
//!
//! ```text
//!   Settings ──► new ──► Link      publish, and what the connection is; for whoever has something to say
//!                   └──► Running   run: connects, hears, answers, waits, connects again
//!                                    └──► Hears::hear   for each message; done means acknowledged
//! ```
//!
//! The broker wakes and carries; it keeps nothing that would be missed. What must arrive is a row in a database
//! until the other end said that it has it. So this wire
//!
//! - acknowledges a message only when [`Hears::hear`] returned [`Took::Done`], which is after the commit;
//! - gives up on what is on its way when the connection ends: it is sent again on the next one;
//! - makes the client anew for each connection, so that nothing of the last one lives on: rumqttc 0.25
//!   may wait for ever for an acknowledgement that a lost session will never give;
//! - never publishes from the task that polls, which would wait for itself;
//! - has room for [`WAITING_MAX`] publications and refuses more while there is no connection.
//!
//! TLS (`mqtts://`) is ours, as everywhere else: rumqttc speaks to a socket in a folder that only this user may enter, and what
//! comes out there goes to the broker by rustls.
//!
//! # Invariants
//!
//! - A message that was not taken in is not acknowledged: the broker says it again.
//! - No topic, queue or log names a person; payloads are sealed before they come here.

mod broker;
mod connection;
mod knock;
mod tls;
pub mod topic;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use uuid::Uuid;

pub use broker::{AUTHORITY, BadBroker, Broker, CERTIFICATE, KEY, Login, Tls};
pub use connection::Running;
pub use knock::{Shut, knock};
use topic::Topic;

/// The longest payload, in bytes: the longest envelope.
pub const PAYLOAD_BYTES_MAX: usize = 4 << 20;
/// As many publications wait to be sent.
pub const WAITING_MAX: usize = 64;
/// As many messages a box takes in at once, before any of them is acknowledged.
pub const BOX_AT_ONCE: u16 = 16;
/// As many a hub does.
pub const HUB_AT_ONCE: u16 = 64;
/// The broker keeps what is for a box that is away for this long, in seconds: seven days.
pub const BOX_SESSION_SECONDS: u32 = 7 * 24 * 60 * 60;
/// The broker keeps nothing for a process of a hub that is gone: its next life has another name, and what waited under the
/// old one would be heard by nobody. Boxes say it again.
pub const HUB_SESSION_SECONDS: u32 = 0;
/// The broker tells that a box is away after this long, in seconds, so that a short break is not told.
pub const WILL_DELAY_SECONDS: u32 = 30;
/// A message that waited at the broker for this long, in seconds, is dropped there: it is said again anyway.
pub const EXPIRY_SECONDS: u32 = BOX_SESSION_SECONDS;

/// What is retained at a box's status: it is connected.
pub const ONLINE: &[u8] = b"online";
/// What is retained at a box's status: it is not.
pub const OFFLINE: &[u8] = b"offline";

/// How to connect, as whom and to hear what.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the broker is, and how to be let in.
    pub broker: Broker,
    /// The client's id: always the same for the same program at the same place, and no other's.
    pub client_id: String,
    /// What to subscribe to.
    pub subscriptions: Vec<String>,
    /// Where it is retained that this end is connected, if it is.
    pub status: Option<Topic>,
    /// The broker keeps what is for this end for so long, in seconds.
    pub session_seconds: u32,
    /// As many messages come before the first of them is acknowledged.
    pub at_once: u16,
    /// They are taken in one after the other; else side by side.
    pub in_order: bool,
    /// The connection is tried after this long without a sign of life, in seconds.
    pub keep_alive_seconds: u16,
    /// The broker tells that this end is away after so long, in seconds.
    pub will_delay_seconds: u32,
    /// The pause after the first failure, in milliseconds; it doubles, ...
    pub pause_ms: u64,
    /// ... up to this.
    pub pause_ms_max: u64,
    /// A folder for the socket that TLS stands behind; it is made, and nobody else may enter it.
    pub folder: PathBuf,
}

impl Settings {
    /// Those of a box.
    pub fn of_box(broker: Broker, clinic: Uuid, device: Uuid, folder: PathBuf) -> Self {
        Self {
            // As the access list of the broker names it.
            client_id: device.to_string(),
            subscriptions: vec![topic::all_in(clinic, device)],
            status: Some(Topic::status(clinic, device)),
            session_seconds: BOX_SESSION_SECONDS,
            at_once: BOX_AT_ONCE,
            in_order: true,
            ..Self::usual(broker, folder)
        }
    }

    /// Those of one process of a hub; `instance` tells it from the others, also after it started again.
    pub fn of_hub(broker: Broker, instance: &str, folder: PathBuf) -> Self {
        Self {
            client_id: format!("carepost-hub-{instance}"),
            subscriptions: vec![topic::all_out(), topic::all_statuses()],
            ..Self::usual(broker, folder)
        }
    }

    fn usual(broker: Broker, folder: PathBuf) -> Self {
        Self {
            broker,
            client_id: String::new(),
            subscriptions: Vec::new(),
            status: None,
            session_seconds: HUB_SESSION_SECONDS,
            at_once: HUB_AT_ONCE,
            in_order: false,
            keep_alive_seconds: 30,
            will_delay_seconds: WILL_DELAY_SECONDS,
            pause_ms: 500,
            pause_ms_max: 60_000,
            folder,
        }
    }
}

/// A message that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Where: a topic of the relay; nothing else is handed on.
    pub topic: Topic,
    /// What, at most [`PAYLOAD_BYTES_MAX`].
    pub payload: Vec<u8>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Took {
    /// It is in the database, or it is of no use: it is acknowledged.
    Done,
    /// Not now: the connection ends, and the broker says it again on the next one.
    Later,
}

/// Who takes in what comes.
pub trait Hears: Send + Sync + 'static {
    /// Takes in one message. It returns after its commit.
    fn hear(&self, arrival: Arrival) -> impl Future<Output = Took> + Send;
}

/// Something to publish, once at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Where.
    pub topic: Topic,
    /// What, at most [`PAYLOAD_BYTES_MAX`].
    pub payload: Vec<u8>,
    /// The broker drops what waited for so long, in seconds; none is [`EXPIRY_SECONDS`].
    pub expires_after_seconds: Option<u32>,
}

/// What the connection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// There is none.
    Away {
        /// As many times in a row it could not be made or held.
        failures: u32,
        /// Why, in words for a log and for the person who installs it.
        why: String,
    },
    /// There is one, and what is subscribed to comes.
    Connected {
        /// Which one since the program began: each new number means that what is not had is to be sent again.
        connection: u64,
    },
}

/// Nothing was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPublished {
    /// There is no connection. What is to be said is read off the rows on the next one.
    #[error("there is no connection to the broker")]
    Away,
    /// [`WAITING_MAX`] wait already.
    #[error("too much waits to be sent to the broker")]
    Full,
    /// Longer than [`PAYLOAD_BYTES_MAX`].
    #[error("what goes to the broker has at most {PAYLOAD_BYTES_MAX} bytes")]
    TooLong,
}

/// For whoever has something to say, as often as wanted.
#[derive(Clone, Debug)]
pub struct Link {
    publications: mpsc::Sender<Publication>,
    state: watch::Receiver<State>,
}

impl Link {
    /// Hands over something to publish. That it was handed over says nothing of whether it arrives.
    ///
    /// # Errors
    /// [`NotPublished`].
    pub fn publish(&self, publication: Publication) -> Result<(), NotPublished> {
        self.check(&publication)?;
        self.publications.try_send(publication).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotPublished::Full,
            mpsc::error::TrySendError::Closed(_) => NotPublished::Away,
        })
    }

    /// The same, and waits until there is room.
    ///
    /// # Errors
    /// [`NotPublished`], but not that it is full.
    pub async fn publish_when_free(&self, publication: Publication) -> Result<(), NotPublished> {
        self.check(&publication)?;
        self.publications.send(publication).await.map_err(|_| NotPublished::Away)
    }

    /// What the connection is, and to be told when it changes.
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    fn check(&self, publication: &Publication) -> Result<(), NotPublished> {
        if publication.payload.len() > PAYLOAD_BYTES_MAX {
            return Err(NotPublished::TooLong);
        }
        match &*self.state.borrow() {
            State::Away { failures: _, why: _ } => Err(NotPublished::Away),
            State::Connected { connection: _ } => Ok(()),
        }
    }
}

/// A link, and what has to run for it to be one.
pub fn new<H: Hears>(settings: Settings, hears: Arc<H>) -> (Link, Running<H>) {
    let (publications, waiting) = mpsc::channel(WAITING_MAX);
    let why = "not connected yet".to_owned();
    let (state, seen) = watch::channel(State::Away { failures: 0, why });
    (Link { publications, state: seen }, Running::new(settings, hears, waiting, state))
}
