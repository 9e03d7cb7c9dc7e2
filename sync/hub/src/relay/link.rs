//! The link to the broker: what boxes say is taken in, and what is due for them goes out.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use channels::relay::topic::Way;
use channels::relay::{self as wire, Arrival, Broker, Hears, Link, Login, ONLINE, Settings, State};
use prm::id::MessageId;
use sync_protocol::relay::RESEND_MS;
use tokio::sync::{OnceCell, watch};
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Goes, due, take};
use crate::hub::Hub;
use crate::message_counts::MessageCounts;
use crate::receive::Refused;
use crate::store;

/// As many clinics are looked at in one round for what was not answered.
const CLINICS_MAX: u32 = 10_000;
/// Envelopes that go to one box before another has its turn.
const AT_ONCE_MAX: usize = 8;

/// Where a broker is, with a name and a password if it wants them: `mqtt://NAME:PASSWORD@HOST:1883`.
///
/// # Errors
/// What is wrong, without repeating it: a password is in it.
pub fn broker(address: &str) -> Result<Broker, wire::BadBroker> {
    let address = address.trim();
    let (scheme, rest) = address.split_once("://").ok_or(wire::BadBroker)?;
    let Some((login, host)) = rest.rsplit_once('@') else { return Broker::parse(address) };
    let (name, password) = login.split_once(':').ok_or(wire::BadBroker)?;
    let read = |text: &str| decoded(text).filter(|it| !it.is_empty()).ok_or(wire::BadBroker);
    let mut broker = Broker::parse(&format!("{scheme}://{host}"))?;
    broker.login = Some(Login { name: read(name)?, password: Zeroizing::new(read(password)?) });
    Ok(broker)
}

/// A part of an address, in which `%` and two digits stand for a byte.
fn decoded(text: &str) -> Option<String> {
    let plus = text.replace('+', "%2B");
    let mut fields = form_urlencoded::parse(plus.as_bytes());
    let (name, _) = fields.next()?;
    fields.next().is_none().then(|| name.into_owned())
}

/// Takes in what boxes say.
struct Listener {
    hub: Arc<Hub>,
    /// There as soon as there is one to answer by.
    link: OnceCell<Link>,
}

/// What is to be done next.
enum Next {
    /// The connection is another.
    State,
    /// Something was put in for boxes.
    Woken,
    /// It is time to look at all again.
    Round,
}

/// Keeps up the link until `stopping` says true.
pub async fn run(hub: Arc<Hub>, broker: Broker, mut stopping: watch::Receiver<bool>) {
    hub.relay.has_broker.store(true, Ordering::Relaxed);
    let instance = instance(&hub);
    let settings = Settings::of_hub(broker, &instance, hub.data.join("relay"));
    let listener = Arc::new(Listener { hub: Arc::clone(&hub), link: OnceCell::new() });
    let (link, running) = wire::new(settings, Arc::clone(&listener));
    // Nobody else sets it.
    let _ = listener.link.set(link.clone());
    let mut stop = stopping.clone();
    let connecting = tokio::spawn(running.run(async move {
        let _ = stop.wait_for(|it| *it).await;
    }));
    let mut state = link.state();
    let mut round = interval(Duration::from_millis(RESEND_MS.unsigned_abs()));
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let next = tokio::select! {
            _ = stopping.wait_for(|it| *it) => break,
            changed = state.changed() => if changed.is_ok() { Next::State } else { break },
            () = hub.relay.down.notified() => Next::Woken,
            _ = round.tick() => Next::Round,
        };
        match next {
            Next::State => note_state(&hub, &state.borrow_and_update()),
            Next::Woken => {
                for clinic in hub.relay.woken() {
                    send(&hub, &link, clinic, false).await;
                }
            }
            Next::Round => look_again(&hub, &link).await,
        }
    }
    if let Err(error) = connecting.await {
        tracing::error!(%error, "a task of the hub failed");
    }
}

/// What tells this process from the others, also after it started again on the same machine.
fn instance(hub: &Hub) -> String {
    let drawn = hub.clock.new_id();
    MessageId::from_bytes(drawn.into_bytes()).to_string()
}

fn note_state(hub: &Hub, state: &State) {
    let is_connected = match state {
        State::Connected { connection: _ } => true,
        State::Away { failures: _, why: _ } => {
            hub.relay.forget();
            false
        }
    };
    hub.relay.connected.store(is_connected, Ordering::Relaxed);
}

/// What was put in by another process, or was not answered in time.
async fn look_again(hub: &Arc<Hub>, link: &Link) {
    if hub.relay.is_connected() != Some(true) {
        return;
    }
    let looked = on_thread(hub, |hub| {
        hub.store.survey(|tx| store::clinics_with_messages(tx, CLINICS_MAX)).map_err(Refused::from)
    });
    match looked.await {
        Ok(clinics) => {
            for clinic in clinics {
                send(hub, link, clinic, false).await;
            }
        }
        Err(error) => tracing::error!(%error, "what waits for boxes could not be looked at"),
    }
}

/// Sends what is due for the box of a clinic, if it is connected.
async fn send(hub: &Arc<Hub>, link: &Link, clinic: [u8; 16], has_connected: bool) {
    if hub.relay.box_of(clinic).is_none() {
        return;
    }
    let mut has_connected = has_connected;
    for _ in 0..AT_ONCE_MAX {
        match on_thread(hub, move |hub| due(hub, clinic, has_connected)).await {
            Ok(Some(goes)) => {
                let more = goes.more;
                publish(hub, link, goes).await;
                if !more {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) => {
                let clinic = Uuid::from_bytes(clinic);
                tracing::error!(%error, %clinic, "messages could not be sent to a box");
                return;
            }
        }
        has_connected = false;
    }
    // Others have their turn before the rest goes.
    hub.relay.wake(clinic);
}

async fn publish(hub: &Hub, link: &Link, goes: Goes) {
    let Goes { publication, items, more: _ } = goes;
    match link.publish_when_free(publication).await {
        Ok(()) => MessageCounts::add(&hub.messages.published, items),
        // It is sent again when it is due, or on the next connection.
        Err(error) => tracing::debug!(%error, "nothing was published"),
    }
}

impl Hears for Listener {
    async fn hear(&self, arrival: Arrival) -> wire::Took {
        let Some(link) = self.link.get() else { return wire::Took::Later };
        let (clinic, device) = (arrival.topic.clinic, arrival.topic.device);
        match arrival.topic.way {
            Way::Status => {
                let (clinic, device) = (clinic.into_bytes(), device.into_bytes());
                let is_there = arrival.payload == ONLINE;
                self.hub.away.note((clinic, device), is_there, self.hub.clock.now_ms());
                if self.hub.relay.note(clinic, device, is_there) && is_there {
                    send(&self.hub, link, clinic, true).await;
                }
            }
            Way::Out(_) => self.take(link, arrival.payload).await,
            Way::In(_) => {}
        }
        wire::Took::Done
    }
}

impl Listener {
    /// Takes in an envelope. What cannot be taken now is said again by the box: it was not told that the hub has it.
    async fn take(&self, link: &Link, envelope: Vec<u8>) {
        let hub = &self.hub;
        match on_thread(hub, move |hub| take(hub, &envelope)).await {
            Ok(took) => {
                MessageCounts::count(&hub.messages.heard);
                hub.relay.spoke(took.clinic, took.device);
                if took.fresh > 0 {
                    hub.relay.wake_saying();
                }
                let more = took.answer.as_ref().is_some_and(|it| it.more);
                if let Some(goes) = took.answer {
                    publish(hub, link, goes).await;
                }
                if more {
                    hub.relay.wake(took.clinic);
                }
            }
            Err(error) => {
                MessageCounts::count(&hub.messages.unheard);
                match error {
                    Refused::Store(_) | Refused::Key(_) | Refused::Sales(_) | Refused::Stopping => {
                        tracing::error!(%error, "messages of a box could not be taken");
                    }
                    Refused::Envelope(_)
                    | Refused::Unrecognised
                    | Refused::Malformed
                    | Refused::NotLiving
                    | Refused::NotSealed => {
                        tracing::warn!(%error, "an envelope from the broker was of no use");
                    }
                }
            }
        }
    }
}

/// Runs what waits for the database outside the runtime.
async fn on_thread<T: Send + 'static>(
    hub: &Arc<Hub>,
    work: impl FnOnce(&Hub) -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    let hub = Arc::clone(hub);
    tokio::task::spawn_blocking(move || work(&hub)).await.unwrap_or(Err(Refused::Stopping))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_password_may_stand_before_the_host() {
        let named = broker("mqtt://hub:p%40ss+word@127.0.0.1:1884").unwrap();
        let login = named.login.unwrap();
        assert_eq!((named.host.as_str(), named.port), ("127.0.0.1", 1884));
        assert_eq!((login.name.as_str(), login.password.as_str()), ("hub", "p@ss+word"));
        assert!(broker("mqtts://broker.example").unwrap().login.is_none());
        for wrong in
            ["mqtt://hub@broker.example", "mqtt://:pass@broker", "broker", "mqtt://a:b&c@d"]
        {
            assert!(broker(wrong).is_err(), "{wrong}");
        }
    }
}
