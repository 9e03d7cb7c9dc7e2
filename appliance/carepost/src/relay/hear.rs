//! What comes by the relay: it is in the records before the broker hears that it was taken.

use std::sync::Arc;

use channels::heard::Down;
use channels::relay::{Arrival, Hears, Took};
use jiff::SignedDuration;
use prm::db::{Db, Tx};
use prm::error::{Error, Result};
use prm::id::DeliveryId;
use prm::stamp::Stamp;
use prm::{message, relay};
use sync_agent::messages::Messages;
use sync_agent::relay::{Batch, Had, IDS_KEPT_MS, KEPT_MS, take};
use tokio::sync::{Mutex, mpsc};

use super::seen::LastHeard;
use crate::accounts::{self, Account};
use crate::app::App;
use crate::inbox::{self, Taken};
use crate::place;

/// Answers that wait to be said at the most.
pub(super) const HEARD_WAITING_MAX: usize = 64;

/// What is to be said of what was heard.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// What is in the records.
    pub(super) have: Vec<Had>,
    /// How many were taken in all, if that was asked.
    pub(super) taken: Option<u64>,
    /// Rows that were sent are to go again: the hub lost some, or has connected anew and may not have heard them.
    pub(super) lost: bool,
}

/// Takes in what comes.
pub(super) struct Ear {
    pub(super) app: App,
    pub(super) messages: Arc<Mutex<Messages>>,
    pub(super) heard: mpsc::Sender<Heard>,
    pub(super) last_heard: LastHeard,
}

impl Hears for Ear {
    async fn hear(&self, arrival: Arrival) -> Took {
        let opened = self.messages.lock().await.open(&arrival.payload).await;
        let batch = match opened {
            Ok(Some(batch)) => batch,
            Ok(None) => {
                tracing::warn!("something came by the relay that is not of this box's hub");
                return Took::Done;
            }
            Err(fault) => {
                tracing::warn!(%fault, "what came by the relay cannot be opened now");
                return Took::Later;
            }
        };
        let now = self.app.now();
        self.last_heard.note(now);
        let (is_given, items) = (batch.yours.is_some(), batch.items.len());
        self.app.rush.note(items);
        let keys = place::keys(&self.app.data);
        let accounts = match tokio::task::spawn_blocking(move || accounts::load(&keys)).await {
            Ok(Ok(accounts)) => accounts,
            Ok(Err(error)) => {
                tracing::error!("what came by the relay cannot be checked: {error:#}");
                return Took::Later;
            }
            Err(_) => return Took::Later,
        };
        match take_in(&self.app.db, now, batch, accounts).await {
            Ok(heard) => {
                self.app.rush.note(items);
                if is_given {
                    self.app.given.notify_one();
                }
                // Whoever talks is gone: it is said again on the next connection.
                let _ = self.heard.send(heard).await;
                Took::Done
            }
            Err(error) => {
                tracing::warn!(%error, "what came by the relay is not taken in; it comes again");
                Took::Later
            }
        }
    }
}

/// Takes in a batch, in one transaction. `accounts` are those of this box.
///
/// # Errors
/// Those of the database, after which all of it is to come again.
pub(super) async fn take_in(
    db: &Db,
    now: jiff::Timestamp,
    batch: Batch,
    accounts: Vec<Account>,
) -> Result<Heard> {
    let told = Arc::new((batch, accounts));
    let write = |take: Take| {
        let told = Arc::clone(&told);
        db.write(move |tx| take_each(tx, now, (&told.0, &told.1), take))
    };
    match write(inbox::take_with_others).await {
        Err(Error::Refused(_) | Error::NotFound(_)) => write(inbox::take).await,
        done => done,
    }
}

/// How one thing is taken in.
type Take = fn(&mut Tx<'_>, jiff::Timestamp, Down) -> Result<Taken>;

fn take_each(
    tx: &mut Tx<'_>,
    now: jiff::Timestamp,
    (batch, accounts): (&Batch, &[Account]),
    take_one: Take,
) -> Result<Heard> {
    let stamp = Stamp::of_box(now);
    let mut known = std::collections::HashMap::new();
    for item in &batch.items {
        if let Some(number) = relay::number_of(tx, item.id.0)? {
            known.insert(item.id, number);
        }
    }
    let taken = take(relay::taken(tx)?, &batch.items, |id| known.get(&id).copied());
    for (place, number) in &taken.fresh {
        let Some(item) = batch.items.get(*place) else { continue };
        let down = Down::read(&item.body);
        let asks = match &down {
            Ok(Down::Heard(heard)) if heard.asks => Some((heard.medium, heard.id.clone())),
            Ok(_) | Err(_) => None,
        };
        let told = down.map(|down| {
            if inbox::is_believed(accounts, &down) {
                take_one(tx, now, down)
            } else {
                inbox::refuse_call(tx, now)
            }
        });
        let what = match told {
            Ok(taken) => taken?,
            Err(_) => Taken::Unusable("of a later version"),
        };
        if let Some((medium, id)) = asks {
            message::ask(tx, &stamp, item.id.0, (medium, &id))?;
        }
        if let Taken::Unusable(why) = what {
            let id = uuid::Uuid::from_bytes(item.id.0);
            tracing::warn!(%id, why, "something that came by the relay is of no use");
        }
        relay::take(tx, &stamp, (item.id.0, *number))?;
    }
    for yours in batch.yours.iter().flatten() {
        let dialogue = yours.dialogue.as_deref().and_then(|it| std::str::from_utf8(it).ok());
        message::given(tx, &stamp, yours.id.0, dialogue)?;
    }
    let lost = hear(tx, &stamp, batch)?;
    let ages = (SignedDuration::from_millis(IDS_KEPT_MS), SignedDuration::from_millis(KEPT_MS));
    relay::forget_old(tx, &stamp, ages)?;
    let total = batch.ask.then_some(taken.taken);
    Ok(Heard { have: taken.have, taken: total, lost: lost || batch.ask })
}

/// Notes what the hub has; whether it lost something.
fn hear(tx: &mut Tx<'_>, stamp: &Stamp, batch: &Batch) -> Result<bool> {
    let mut noted = std::collections::HashMap::new();
    for had in &batch.have {
        if let Some(id) = relay::noted_as(tx, had.number)? {
            noted.insert(had.number, sync_agent::relay::ItemId(*id.as_bytes()));
        }
    }
    let heard = sync_agent::relay::hear(batch, |number| noted.get(&number).copied());
    let mut lost = false;
    if let Some(from) = heard.lost_from {
        let rows = relay::lost_from(tx, stamp, from)?;
        if rows > 0 {
            tracing::warn!(rows, "the hub was put back to an earlier state; messages go again");
            lost = true;
        }
    }
    for had in heard.had {
        let id = DeliveryId::from_bytes(had.id.0);
        if relay::had(tx, stamp, (id, had.number))? {
            match message::hand(tx, stamp, id) {
                // What is not to be said to anybody has no try to deliver it.
                Ok(()) | Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(lost)
}
