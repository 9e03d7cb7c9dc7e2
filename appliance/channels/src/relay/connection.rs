//! One connection after the other, until it is to end.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    Filter, LastWill, LastWillProperties, Packet, PubAckReason, Publish, PublishProperties,
    SubscribeReasonCode,
};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions};
use rumqttc::{NetworkOptions, Transport};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::topic::Topic;
use super::{
    Arrival, EXPIRY_SECONDS, Hears, OFFLINE, ONLINE, PAYLOAD_BYTES_MAX, Publication, Settings,
    State, Took, tls,
};

/// As many requests wait inside the client: acknowledgements and publications.
const REQUESTS_MAX: usize = 64;
/// As many publications are on their way at once without an acknowledgement of the broker.
const IN_FLIGHT_MAX: u16 = 16;
/// As many messages that came are held before they are taken in: more than were agreed, because a broker may send more
/// when a session goes on (Mosquitto 2.0.11 does, its issue 2301). They are never longer together than the agreed number
/// of the longest envelopes.
const HELD_MAX: usize = 4_096;
/// What a packet has besides its payload, in bytes.
const PACKET_OVERHEAD_MAX: usize = 4 << 10;
/// A connection that held this long was a good one: the next pause is a short one again.
const STEADY: Duration = Duration::from_secs(30);
/// Saying goodbye takes this long at the most.
const GOODBYE_WITHIN: Duration = Duration::from_secs(2);
/// The broker answers within this long, in seconds, or there is no connection.
const CONNECT_WITHIN_SECONDS: u64 = 20;

/// What has to run for a link to be one.
pub struct Running<H> {
    settings: Settings,
    hears: Arc<H>,
    waiting: mpsc::Receiver<Publication>,
    state: watch::Sender<State>,
    connections: u64,
}

/// How a connection ended.
enum End {
    /// As it was asked to.
    Stopped,
    /// It could not be made or held.
    Lost {
        /// Why.
        why: String,
        /// It held for a while.
        steady: bool,
    },
}

impl<H: Hears> Running<H> {
    pub(super) fn new(
        settings: Settings,
        hears: Arc<H>,
        waiting: mpsc::Receiver<Publication>,
        state: watch::Sender<State>,
    ) -> Self {
        Self { settings, hears, waiting, state, connections: 0 }
    }

    /// Connects, and connects again whenever the connection ends, until `stop` is. Then it says goodbye, if it can.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut failures = 0_u32;
        loop {
            let (why, steady) = match self.connection(stop.as_mut()).await {
                End::Stopped => break,
                End::Lost { why, steady } => (why, steady),
            };
            failures = if steady { 1 } else { failures.saturating_add(1) };
            let pause = pause(failures, &self.settings);
            debug!(failures, why, pause_ms = pause.as_millis(), "no connection to the broker");
            self.state.send_replace(State::Away { failures, why });
            // What was handed over for this connection is read off the rows for the next.
            while self.waiting.try_recv().is_ok() {}
            tokio::select! {
                () = stop.as_mut() => break,
                () = sleep(pause) => {}
            }
        }
        self.state.send_replace(State::Away { failures: 0, why: "it was ended".to_owned() });
    }

    /// One connection, from its beginning to its end. Its parts run side by side, and end with it.
    async fn connection(&mut self, stop: impl Future<Output = ()>) -> End {
        let mut leading = JoinSet::new();
        let options = match options(&self.settings, &mut leading).await {
            Ok(options) => options,
            Err(why) => return End::Lost { why, steady: false },
        };
        let (client, events) = AsyncClient::new(options, REQUESTS_MAX);
        let (arrivals, arrived) = mpsc::channel(HELD_MAX);
        let held = Held::new(self.settings.at_once);
        self.connections += 1;
        let polling =
            poll(&self.settings, &client, (events, arrivals, &held), &self.state, self.connections);
        let hearing = hear(&self.settings, &self.hears, &client, (arrived, &held));
        let publishing = publish(&client, &mut self.waiting);
        let holding = async {
            sleep(STEADY).await;
        };
        tokio::pin!(polling, hearing, publishing, holding);
        let mut steady = false;
        tokio::pin!(stop);
        loop {
            tokio::select! {
                // In this order, so that what was handed over before the end goes out.
                biased;
                why = &mut polling => return End::Lost { why, steady },
                () = &mut hearing => {
                    let why = "what came could not be taken in".to_owned();
                    return End::Lost { why, steady };
                }
                // Nobody is left who could hand anything over.
                () = &mut publishing => break,
                () = &mut holding, if !steady => steady = true,
                () = &mut stop => break,
            }
        }
        // The broker is told while what polls goes on, until it has heard it.
        let goodbye = async {
            goodbye(&client, self.settings.status.as_ref()).await;
            pending::<()>().await;
        };
        let _ = timeout(GOODBYE_WITHIN, async {
            tokio::select! {
                _ = &mut polling => {}
                () = goodbye => {}
            }
        })
        .await;
        End::Stopped
    }
}

/// How much is held that came and is not yet taken in.
struct Held {
    bytes: AtomicUsize,
    bytes_max: usize,
}

impl Held {
    fn new(at_once: u16) -> Self {
        let bytes_max = usize::from(at_once.max(1)).saturating_mul(PAYLOAD_BYTES_MAX);
        Self { bytes: AtomicUsize::new(0), bytes_max }
    }

    /// Adds a message; whether there was room for it.
    fn add(&self, bytes: usize) -> bool {
        self.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= self.bytes_max
    }

    fn remove(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// The pause after so many failures in a row: anywhere between half of a bound that doubles and the bound.
fn pause(failures: u32, settings: &Settings) -> Duration {
    let doubled = settings.pause_ms.saturating_mul(1 << failures.saturating_sub(1).min(20));
    let bound = doubled.min(settings.pause_ms_max);
    Duration::from_millis(fastrand::u64(bound / 2..=bound))
}

pub(super) async fn options(
    settings: &Settings,
    leading: &mut JoinSet<()>,
) -> Result<MqttOptions, String> {
    let broker = &settings.broker;
    let mut options = match &broker.tls {
        None => MqttOptions::new(&settings.client_id, &broker.host, broker.port),
        Some(tls) => {
            let (path, lead) = tls::lead(broker, tls, &settings.folder).await?;
            leading.spawn(lead);
            let path = path.to_str().ok_or("the data folder's path is no text")?.to_owned();
            let mut options = MqttOptions::new(&settings.client_id, path, 0);
            options.set_transport(Transport::unix());
            options
        }
    };
    let packet_max = u32::try_from(PAYLOAD_BYTES_MAX + PACKET_OVERHEAD_MAX).unwrap_or(u32::MAX);
    options
        .set_clean_start(false)
        .set_session_expiry_interval(Some(settings.session_seconds))
        .set_receive_maximum(Some(settings.at_once.max(1)))
        .set_max_packet_size(Some(packet_max))
        .set_keep_alive(Duration::from_secs(settings.keep_alive_seconds.max(5).into()))
        .set_manual_acks(true)
        .set_outgoing_inflight_upper_limit(IN_FLIGHT_MAX)
        .set_connection_timeout(CONNECT_WITHIN_SECONDS);
    if let Some(login) = &broker.login {
        options.set_credentials(&login.name, login.password.as_str());
    }
    // Messages are short, and each is waited for.
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    options.set_network_options(network);
    if let Some(status) = &settings.status {
        let properties = LastWillProperties {
            delay_interval: Some(settings.will_delay_seconds),
            payload_format_indicator: None,
            message_expiry_interval: None,
            content_type: None,
            response_topic: None,
            correlation_data: None,
            user_properties: Vec::new(),
        };
        let topic = status.to_string();
        let will = LastWill::new(topic, OFFLINE, QoS::AtLeastOnce, true, Some(properties));
        options.set_last_will(will);
    }
    Ok(options)
}

/// Polls until the connection ends, and says why it did. It waits for nothing but the network.
async fn poll(
    settings: &Settings,
    client: &AsyncClient,
    (mut events, arrivals, held): (EventLoop, mpsc::Sender<Publish>, &Held),
    state: &watch::Sender<State>,
    connection: u64,
) -> String {
    loop {
        let packet = match events.poll().await {
            Ok(Event::Incoming(packet)) => packet,
            Ok(Event::Outgoing(_)) => continue,
            Err(error) => return reason(&error),
        };
        let done = match packet {
            Packet::ConnAck(answer) => {
                debug!(session = answer.session_present, "the broker let this end in");
                // Also where the broker kept the session: what is subscribed to may be another now.
                subscribe(settings, client)
            }
            Packet::SubAck(answer) => {
                let is_good = |it: &SubscribeReasonCode| match it {
                    SubscribeReasonCode::Success(_) => true,
                    SubscribeReasonCode::Failure
                    | SubscribeReasonCode::Unspecified
                    | SubscribeReasonCode::ImplementationSpecific
                    | SubscribeReasonCode::NotAuthorized
                    | SubscribeReasonCode::TopicFilterInvalid
                    | SubscribeReasonCode::PkidInUse
                    | SubscribeReasonCode::QuotaExceeded
                    | SubscribeReasonCode::SharedSubscriptionsNotSupported
                    | SubscribeReasonCode::SubscriptionIdNotSupported
                    | SubscribeReasonCode::WildcardSubscriptionsNotSupported => false,
                };
                if answer.return_codes.iter().all(is_good) {
                    debug!(connection, "connected to the broker");
                    state.send_replace(State::Connected { connection });
                    online(client, settings.status.as_ref())
                } else {
                    Err("the broker refuses what is subscribed to; look at its access list")
                }
            }
            // Nobody who speaks this protocol publishes without asking for an acknowledgement.
            Packet::Publish(publish) if publish.qos == QoS::AtMostOnce => Ok(()),
            Packet::Publish(publish) => {
                let is_room = held.add(publish.payload.len());
                Some(publish)
                    .filter(|_| is_room)
                    .and_then(|it| arrivals.try_send(it).ok())
                    .ok_or("the broker sends far more at once than was agreed")
            }
            Packet::PubAck(answer) => {
                match answer.reason {
                    PubAckReason::Success | PubAckReason::NoMatchingSubscribers => {}
                    PubAckReason::UnspecifiedError
                    | PubAckReason::ImplementationSpecificError
                    | PubAckReason::NotAuthorized
                    | PubAckReason::TopicNameInvalid
                    | PubAckReason::PacketIdentifierInUse
                    | PubAckReason::QuotaExceeded
                    | PubAckReason::PayloadFormatInvalid => {
                        warn!(reason = ?answer.reason, "the broker refuses what was published");
                    }
                }
                Ok(())
            }
            Packet::Auth(_)
            | Packet::Connect(..)
            | Packet::PingReq(_)
            | Packet::PingResp(_)
            | Packet::Subscribe(_)
            | Packet::PubRec(_)
            | Packet::PubRel(_)
            | Packet::PubComp(_)
            | Packet::Unsubscribe(_)
            | Packet::UnsubAck(_)
            | Packet::Disconnect(_) => Ok(()),
        };
        if let Err(why) = done {
            return why.to_owned();
        }
    }
}

/// Hands what comes to whoever takes it in, and acknowledges what was taken. It ends if something was not.
async fn hear<H: Hears>(
    settings: &Settings,
    hears: &Arc<H>,
    client: &AsyncClient,
    (mut arrived, held): (mpsc::Receiver<Publish>, &Held),
) {
    let at_once = if settings.in_order { 1 } else { usize::from(settings.at_once.max(1)) };
    let mut hearing = JoinSet::new();
    loop {
        tokio::select! {
            Some(publish) = arrived.recv(), if hearing.len() < at_once => {
                held.remove(publish.payload.len());
                let hears = hears.clone();
                hearing.spawn(async move {
                    let took = match arrival(&publish) {
                        Some(arrival) => hears.hear(arrival).await,
                        None => Took::Done,
                    };
                    (publish, took)
                });
            }
            Some(done) = hearing.join_next(), if !hearing.is_empty() => match done {
                Ok((publish, Took::Done)) => {
                    if client.ack(&publish).await.is_err() {
                        return;
                    }
                }
                Ok((_, Took::Later)) | Err(_) => return,
            },
            else => return,
        }
    }
}

/// What came, if it is anything of ours.
fn arrival(publish: &Publish) -> Option<Arrival> {
    let topic = std::str::from_utf8(&publish.topic).ok().and_then(|it| Topic::parse(it).ok());
    if topic.is_none() || publish.payload.len() > PAYLOAD_BYTES_MAX {
        warn!(bytes = publish.payload.len(), "the broker said something that is not of the relay");
        return None;
    }
    Some(Arrival { topic: topic?, payload: publish.payload.to_vec() })
}

/// Publishes what is handed over. It ends when nobody can hand over anything more.
async fn publish(client: &AsyncClient, waiting: &mut mpsc::Receiver<Publication>) {
    while let Some(publication) = waiting.recv().await {
        let expiry = publication.expires_after_seconds.unwrap_or(EXPIRY_SECONDS);
        let properties = PublishProperties {
            message_expiry_interval: Some(expiry),
            ..PublishProperties::default()
        };
        let topic = publication.topic.to_string();
        let payload = publication.payload;
        let sent = client
            .publish_with_properties(topic, QoS::AtLeastOnce, false, payload, properties)
            .await;
        if sent.is_err() {
            // What polls is gone, and so is the connection.
            pending::<()>().await;
        }
    }
}

fn subscribe(settings: &Settings, client: &AsyncClient) -> Result<(), &'static str> {
    let filters = settings.subscriptions.iter().map(|it| Filter::new(it, QoS::AtLeastOnce));
    client.try_subscribe_many(filters).map_err(|_| "what is subscribed to is no topic")
}

fn online(client: &AsyncClient, status: Option<&Topic>) -> Result<(), &'static str> {
    let Some(status) = status else { return Ok(()) };
    client
        .try_publish(status.to_string(), QoS::AtLeastOnce, true, ONLINE)
        .map_err(|_| "too much waits to be sent to the broker")
}

async fn goodbye(client: &AsyncClient, status: Option<&Topic>) {
    if let Some(status) = status {
        let status = status.to_string();
        let _ = client.publish(status, QoS::AtLeastOnce, true, OFFLINE).await;
    }
    let _ = client.disconnect().await;
}

/// What a connection ended with, without what was on it.
pub(super) fn reason(error: &ConnectionError) -> String {
    match error {
        ConnectionError::MqttState(error) => format!("the connection broke: {error}"),
        ConnectionError::Timeout(_) => "the broker does not answer".to_owned(),
        ConnectionError::Io(error) => format!("the broker cannot be reached: {error}"),
        ConnectionError::ConnectionRefused(code) => format!("the broker refuses: {code:?}"),
        ConnectionError::NotConnAck(_) => "what answers is not a broker".to_owned(),
        ConnectionError::RequestsDone => "it was ended".to_owned(),
    }
}
