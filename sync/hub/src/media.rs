//! Pictures, voice notes and documents between providers and boxes.
//!
//! ```text
//!   webhook ─► message_in + media_in, one commit ─► claim ─► fetch ─► parts in message_in ─► relay ─► box
//!                            ▲                        │                                       has them: forgotten
//!                            └── later, ever longer ──┘── never: one part that says why
//!
//!   box ─► relay ─► parts in media_out ─► their message is claimed ─► handed over to Meta, by its id in the message
//!                                                                 └─► Twilio fetches GET /v1/media/{token}
//! ```
//!
//! What is fetched, and from where, is said by `channels::whatsapp`; that nothing else is dialled, by [`fetch`].
//!
//! Invariant: what a webhook names is fetched only after the webhook was committed, and until it is here, or is
//! known not to come; whichever of several hubs ends in between.
//! Invariant: bytes lie here only under the clinic's key, and only until the other side has them.
//! Invariant: what something is, its own bytes say, and nobody else.
//! Invariant: no address of a picture or sound is in a log or an error; ids and codes only.

pub mod fetch;
pub mod incoming;
pub mod outgoing;

use std::sync::Arc;
use std::time::Duration;

use channels::heard::Down;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use self::fetch::Fetcher;
use crate::hub::Hub;

/// So much is fetched at once; each may be as long as the longest picture.
pub const AT_ONCE_MAX: usize = 4;
/// How soon what another process took is found.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How often what is over is forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(30);

/// What this process knows of pictures and sounds.
#[derive(Debug)]
pub struct Media {
    /// Something is to be fetched.
    woken: Notify,
    /// Room for those that are handed over to providers.
    pub(crate) going: Semaphore,
    /// Room for those that are fetched by providers.
    pub(crate) served: Semaphore,
}

impl Default for Media {
    fn default() -> Self {
        let room = || Semaphore::new(outgoing::AT_ONCE_MAX);
        Self { woken: Notify::new(), going: room(), served: room() }
    }
}

impl Media {
    /// This was put in, and committed.
    pub fn wake<'a>(&self, downs: impl IntoIterator<Item = &'a Down>) {
        if downs.into_iter().any(incoming::is_named_by) {
            self.woken.notify_one();
        }
    }
}

/// Fetches what is to be fetched, and forgets what is over, until `stopping` says true.
pub async fn run(hub: Arc<Hub>, fetcher: Fetcher, mut stopping: watch::Receiver<bool>) {
    let fetcher = Arc::new(fetcher);
    let mut fetching = JoinSet::new();
    let mut forget = interval(FORGET_EVERY);
    forget.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let free = AT_ONCE_MAX - fetching.len();
        for job in incoming::claim(&hub, free).await {
            fetching.spawn(incoming::fetch(Arc::clone(&hub), Arc::clone(&fetcher), job));
        }
        let is_time_to_forget = tokio::select! {
            _ = stopping.wait_for(|it| *it) => break,
            Some(_) = fetching.join_next() => false,
            () = hub.media.woken.notified(), if fetching.len() < AT_ONCE_MAX => false,
            _ = forget.tick() => true,
            () = sleep(LOOK_AGAIN) => false,
        };
        if is_time_to_forget {
            outgoing::forget(&hub).await;
        }
    }
    // Whoever comes next fetches again what was on its way.
    fetching.shutdown().await;
}
