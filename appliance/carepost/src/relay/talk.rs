//! What goes by the relay: rows that the hub does not have, and what was taken from it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use channels::relay::topic::Topic;
use channels::relay::{Link, Publication, State};
use prm::id::DeliveryId;
use prm::stamp::Stamp;
use prm::{message, relay};
use sync_agent::Fault;
use sync_agent::messages::Messages;
use sync_agent::relay::answerer::ASK_AGAIN_MS;
use sync_agent::relay::{
    Batch, HAVE_MAX, HELLO_MS, Had, Item, ItemId, Row, Sent, WINDOW_MAX, next,
};
use tokio::sync::{Mutex, mpsc};
use tokio::time::sleep;
use uuid::Uuid;

use super::hear::Heard;
use crate::app::App;
use crate::clock::stopwatch;
use crate::follow;

/// The box looks at least this often whether rows wait, for those that other processes wrote.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// After something could not be sealed or published it is tried again after this long.
const PAUSE: Duration = Duration::from_secs(2);

/// What is known of a connection.
#[derive(Default)]
struct Connection {
    /// Which one.
    number: u64,
    /// When each row was sent on it.
    sent: HashMap<DeliveryId, Sent>,
    /// When the hub was last asked, in milliseconds since 1970.
    asked_ms: Option<i64>,
    /// What is still to be said.
    have: Vec<Had>,
    /// How many were taken, if it is to be said.
    taken: Option<u64>,
    /// When it was asked whose a message is, in milliseconds since 1970.
    whose: HashMap<[u8; 16], i64>,
}

/// What keeps a batch from going.
enum Trouble {
    Fault(Fault),
    /// There is no connection any more.
    Line,
    /// The box has joined another hub, or none listens.
    Nobody,
}

/// Says what there is to say, until there is nobody to say it to.
pub(super) async fn talk(
    app: &App,
    (link, messages): (Link, Arc<Mutex<Messages>>),
    mut heard: mpsc::Receiver<Heard>,
    (clinic, device): (Uuid, Uuid),
) {
    let (mut state, mut changed) = (link.state(), app.db.last_sequence());
    let mut connection = Connection::default();
    let topic = Topic::messages_out(clinic, device);
    loop {
        changed.borrow_and_update();
        let wait = match &*state.borrow_and_update() {
            State::Connected { connection: number } if *number != connection.number => {
                connection = Connection { number: *number, ..Connection::default() };
                Duration::ZERO
            }
            State::Connected { connection: _ } => Duration::ZERO,
            State::Away { failures: _, why: _ } => LOOK_AGAIN,
        };
        let wait = if wait.is_zero() {
            let begun = stopwatch();
            let said = say(app, (&link, &messages, &topic), &mut connection).await;
            // In a rush the hub waits for the word that it was taken in, to send the next.
            if app.rush.left().is_zero() {
                follow::rest(begun).await;
            }
            match said {
                Ok(wait) => wait,
                Err(Trouble::Nobody) => return,
                Err(Trouble::Line) => PAUSE,
                Err(Trouble::Fault(fault)) => {
                    tracing::warn!(%fault, "nothing goes by the relay; it is tried again");
                    PAUSE
                }
            }
        } else {
            wait
        };
        tokio::select! {
            () = sleep(wait) => {}
            told = heard.recv() => match told {
                Some(told) => connection.note(told),
                None => return,
            },
            _ = state.changed() => {}
            _ = changed.changed() => {}
        }
        while connection.have.len() < HAVE_MAX / 2
            && let Ok(told) = heard.try_recv()
        {
            connection.note(told);
        }
    }
}

impl Connection {
    fn note(&mut self, Heard { have, taken, lost }: Heard) {
        for had in have {
            self.have.retain(|it| it.id != had.id && it.number != had.number);
            self.have.push(had);
        }
        self.taken = taken.or(self.taken);
        if lost {
            self.sent.clear();
        }
    }
}

/// Publishes one batch, if there is something to say; how long to wait then.
async fn say(
    app: &App,
    (link, messages, topic): (&Link, &Mutex<Messages>, &Topic),
    connection: &mut Connection,
) -> Result<Duration, Trouble> {
    let now = app.now();
    let (stamp, now_ms) = (Stamp::of_box(now), now.as_millisecond());
    // In a rush nothing is answered yet, and the hub has enough to do.
    let rush = app.rush.left();
    let asked_max = if rush.is_zero() { HAVE_MAX } else { 0 };
    let (rows, in_doubt) = app
        .db
        .read(move |read| {
            let rows = relay::waiting(read, &stamp, WINDOW_MAX)?;
            Ok((rows, message::in_doubt(read, &stamp, asked_max)?))
        })
        .await
        .map_err(|error| Trouble::Fault(error.into()))?;
    let still: HashSet<[u8; 16]> = in_doubt.iter().copied().collect();
    connection.whose.retain(|id, _| still.contains(id));
    let is_unasked = |id: &[u8; 16]| {
        let asked = connection.whose.get(id);
        asked.is_none_or(|at| now_ms < *at || at + ASK_AGAIN_MS <= now_ms)
    };
    let whose: Vec<ItemId> =
        in_doubt.iter().copied().filter(|id| is_unasked(id)).map(ItemId).collect();
    let there: HashSet<DeliveryId> = rows.iter().map(|row| row.id).collect();
    connection.sent.retain(|id, _| there.contains(id));
    let listed: Vec<Row> = rows
        .iter()
        .map(|row| Row {
            number: row.number.unsigned_abs(),
            bytes: row.bytes,
            sent: connection.sent.get(&row.id).copied(),
        })
        .collect();
    let next = next(&listed, now_ms);
    let ask = connection.asked_ms.is_none_or(|at| now_ms < at || at + HELLO_MS <= now_ms);
    let going: Vec<_> = rows
        .into_iter()
        .filter(|row| next.send.binary_search(&row.number.unsigned_abs()).is_ok())
        .collect();
    let rest = connection.have.len().min(HAVE_MAX);
    let is_silent = going.is_empty() && rest == 0 && whose.is_empty();
    if is_silent && connection.taken.is_none() && !ask {
        let until_hello = connection.asked_ms.map_or(0, |at| at + HELLO_MS - now_ms);
        let first_asked = connection.whose.values().min();
        let until_hello = first_asked
            .map_or(until_hello, |at| until_hello.min((at + ASK_AGAIN_MS - now_ms).max(0)));
        let wake = next.wake_ms.map_or(until_hello, |at| (at - now_ms).min(until_hello));
        let wait = Duration::from_millis(u64::try_from(wake).unwrap_or(0));
        let wait = if rush.is_zero() { wait } else { wait.min(rush) };
        return Ok(wait.clamp(Duration::from_millis(20), LOOK_AGAIN));
    }
    let numbers: Vec<(i64, DeliveryId)> = going.iter().map(|row| (row.number, row.id)).collect();
    let (items, taken) = app
        .db
        .read(move |read| {
            let mut items = Vec::with_capacity(numbers.len());
            for (number, id) in &numbers {
                if let Some(body) = relay::body(read, &stamp, *number)? {
                    items.push(Item { id: ItemId(*id.as_bytes()), body });
                }
            }
            Ok((items, relay::taken(read)?))
        })
        .await
        .map_err(|error| Trouble::Fault(error.into()))?;
    let have: Vec<Had> = connection.have.iter().take(rest).copied().collect();
    let taken = if ask { Some(taken) } else { connection.taken };
    let asked: Vec<[u8; 16]> = whose.iter().map(|id| id.0).collect();
    let whose = (!whose.is_empty()).then_some(whose);
    let batch = Batch { items, have, taken, ask, whose, ..Batch::default() };
    let sealed = messages.lock().await.seal(batch).await.map_err(Trouble::Fault)?;
    let payload = sealed.ok_or(Trouble::Nobody)?;
    let publication = Publication { topic: topic.clone(), payload, expires_after_seconds: None };
    link.publish_when_free(publication).await.map_err(|_| Trouble::Line)?;
    for row in going {
        let sent = Sent::now(connection.sent.get(&row.id).copied(), now_ms);
        connection.sent.insert(row.id, sent);
    }
    connection.have.drain(..rest);
    connection.whose.extend(asked.into_iter().map(|id| (id, now_ms)));
    connection.taken = None;
    if ask {
        connection.asked_ms = Some(now_ms);
    }
    Ok(Duration::ZERO)
}
