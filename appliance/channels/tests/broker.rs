//! The wire, against a real broker: Mosquitto, with the access list that is shipped.

#[path = "broker/mosquitto.rs"]
mod mosquitto;
#[path = "broker/tls.rs"]
mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use channels::relay::topic::Topic;
use channels::relay::{
    Arrival, Hears, Link, NotPublished, OFFLINE, ONLINE, Publication, Settings, Shut, State, Took,
    knock, new,
};
use mosquitto::{HUB, Mosquitto, plain};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use uuid::Uuid;

const CLINIC: Uuid = Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0001);
const DEVICE: Uuid = Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0002);
const OTHER: Uuid = Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0003);
/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// More than are agreed to come at once, several times.
const MANY: usize = 400;
/// Long enough for something that should not come.
const MOMENT: Duration = Duration::from_millis(700);

/// Whoever takes in what comes, and may refuse to.
struct Ear {
    arrivals: mpsc::UnboundedSender<Arrival>,
    refuses: AtomicBool,
}

impl Hears for Ear {
    async fn hear(&self, arrival: Arrival) -> Took {
        let _ = self.arrivals.send(arrival);
        if self.refuses.load(Ordering::SeqCst) { Took::Later } else { Took::Done }
    }
}

/// An end that runs.
struct End {
    link: Link,
    ear: Arc<Ear>,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl End {
    fn start(settings: Settings, refuses: bool) -> Self {
        let (arrivals, heard) = mpsc::unbounded_channel();
        let ear = Arc::new(Ear { arrivals, refuses: AtomicBool::new(refuses) });
        let settings = Settings { pause_ms: 50, pause_ms_max: 200, ..settings };
        let (link, running) = new(settings, ear.clone());
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(running.run(async {
            let _ = stopped.await;
        }));
        Self { link, ear, arrivals: heard, stop: Some(stop), running }
    }

    async fn connected(&self) -> u64 {
        let mut state = self.link.state();
        let is_connected = |it: &State| matches!(it, State::Connected { .. });
        let found = timeout(PATIENCE, state.wait_for(is_connected)).await;
        let found = found.expect("it connects").expect("it runs").clone();
        match found {
            State::Connected { connection } => connection,
            State::Away { .. } => 0,
        }
    }

    async fn away(&self) -> String {
        let mut state = self.link.state();
        let is_lost = |it: &State| matches!(it, State::Away { failures, .. } if *failures > 0);
        let found = timeout(PATIENCE, state.wait_for(is_lost)).await.expect("it is told");
        match found.expect("it runs").clone() {
            State::Away { failures: _, why } => why,
            State::Connected { .. } => String::new(),
        }
    }

    async fn hears(&mut self) -> Arrival {
        timeout(PATIENCE, self.arrivals.recv()).await.expect("something comes").expect("it runs")
    }

    /// The next that is not a status.
    async fn hears_a_message(&mut self) -> Arrival {
        loop {
            let arrival = self.hears().await;
            if !arrival.topic.to_string().ends_with("/status") {
                return arrival;
            }
        }
    }

    async fn hears_nothing(&mut self) {
        let heard = timeout(MOMENT, self.arrivals.recv()).await;
        assert!(heard.is_err(), "{:?}", heard.ok().flatten().map(|it| it.topic));
    }

    /// As when the program is killed: nothing is said any more.
    fn kill(self) {
        self.running.abort();
    }

    async fn end(mut self) {
        let _ = self.stop.take().map(|it| it.send(()));
        timeout(PATIENCE, self.running).await.expect("it ends").expect("it ended well");
    }
}

#[tokio::test]
async fn an_end_that_nobody_holds_any_more_says_at_once_that_it_is_gone() {
    let broker = Mosquitto::start();
    let mut hub = End::start(a_hub(&broker, "1"), false);
    hub.connected().await;
    let device = End::start(Settings { will_delay_seconds: 600, ..a_box(&broker) }, false);
    device.connected().await;
    assert_eq!(hub.hears().await.payload, ONLINE);
    let End { link, ear: _ear, arrivals: _arrivals, stop: _stop, running } = device;
    drop(link);
    timeout(PATIENCE, running).await.expect("it ends").expect("it ended well");
    assert_eq!(hub.hears().await.payload, OFFLINE);
    hub.end().await;
}

fn a_box(broker: &Mosquitto) -> Settings {
    Settings {
        will_delay_seconds: 0,
        ..Settings::of_box(plain(broker.port, &CLINIC.to_string()), CLINIC, DEVICE, broker.folder())
    }
}

fn a_hub(broker: &Mosquitto, instance: &str) -> Settings {
    Settings::of_hub(plain(broker.port, HUB), instance, broker.folder())
}

fn down(payload: &str) -> Publication {
    let topic = Topic::messages_in(CLINIC, DEVICE);
    Publication { topic, payload: payload.into(), expires_after_seconds: None }
}

fn up(payload: &str) -> Publication {
    Publication { topic: Topic::messages_out(CLINIC, DEVICE), ..down(payload) }
}

#[tokio::test]
async fn messages_go_both_ways_and_the_hub_hears_who_is_there() {
    let broker = Mosquitto::start();
    let mut hub = End::start(a_hub(&broker, "1"), false);
    hub.connected().await;
    let mut device = End::start(a_box(&broker), false);
    device.connected().await;
    let status = hub.hears().await;
    assert_eq!(status.topic, Topic::status(CLINIC, DEVICE));
    assert_eq!(status.payload, ONLINE);
    hub.link.publish(down("to the box")).expect("published");
    assert_eq!(device.hears().await.payload, b"to the box");
    device.link.publish(up("to the hub")).expect("published");
    assert_eq!(hub.hears().await.payload, b"to the hub");
    device.end().await;
    assert_eq!(hub.hears().await.payload, OFFLINE);
    hub.end().await;
}

#[tokio::test]
async fn what_was_not_taken_in_before_a_crash_comes_again() {
    let broker = Mosquitto::start();
    let hub = End::start(a_hub(&broker, "1"), false);
    hub.connected().await;
    // It hears, and falls before its commit.
    let mut device = End::start(a_box(&broker), true);
    device.connected().await;
    for number in 1..=3 {
        hub.link.publish(down(&number.to_string())).expect("published");
    }
    assert_eq!(device.hears().await.payload, b"1");
    device.kill();
    let mut device = End::start(a_box(&broker), false);
    for number in ["1", "2", "3"] {
        assert_eq!(device.hears().await.payload, number.as_bytes());
    }
    // What was acknowledged does not come again.
    device.connected().await;
    device.hears_nothing().await;
    device.kill();
    let mut device = End::start(a_box(&broker), false);
    device.connected().await;
    device.hears_nothing().await;
}

#[tokio::test]
async fn what_cannot_be_taken_in_now_is_offered_again() {
    let broker = Mosquitto::start();
    let hub = End::start(a_hub(&broker, "1"), false);
    hub.connected().await;
    let mut device = End::start(a_box(&broker), true);
    device.connected().await;
    hub.link.publish(down("again and again")).expect("published");
    assert_eq!(device.hears().await.payload, b"again and again");
    assert_eq!(device.away().await, "what came could not be taken in");
    assert_eq!(device.hears().await.payload, b"again and again");
    device.ear.refuses.store(false, Ordering::SeqCst);
    device.connected().await;
}

#[tokio::test]
async fn a_broker_that_falls_is_waited_for_and_each_connection_has_a_number() {
    let mut broker = Mosquitto::start();
    let mut hub = End::start(a_hub(&broker, "1"), false);
    let mut device = End::start(a_box(&broker), false);
    let (first, _) = (device.connected().await, hub.connected().await);
    broker.kill();
    device.away().await;
    hub.away().await;
    assert_eq!(device.link.publish(up("into the void")), Err(NotPublished::Away));
    broker.start_again();
    let second = device.connected().await;
    hub.connected().await;
    assert!(second > first);
    // The broker forgot the session, and both subscribed anew.
    device.link.publish(up("to the hub")).expect("published");
    assert_eq!(hub.hears_a_message().await.payload, b"to the hub");
    hub.link.publish(down("to the box")).expect("published");
    assert_eq!(device.hears().await.payload, b"to the box");
}

#[tokio::test]
async fn what_waits_for_a_box_survives_a_restart_of_the_broker() {
    let mut broker = Mosquitto::start();
    let hub = End::start(a_hub(&broker, "1"), false);
    hub.connected().await;
    let device = End::start(a_box(&broker), false);
    device.connected().await;
    device.end().await;
    hub.link.publish(down("waits")).expect("published");
    hub.end().await;
    broker.end();
    broker.start_again();
    let mut device = End::start(a_box(&broker), false);
    assert_eq!(device.hears().await.payload, b"waits");
}

#[tokio::test]
async fn a_broker_that_sends_more_at_once_than_was_agreed_is_heard_all_the_same() {
    let broker = Mosquitto::start();
    let hub = End::start(a_hub(&broker, "1"), false);
    hub.connected().await;
    // A box that has taken some of it in, and falls before the broker knows.
    let mut device = End::start(a_box(&broker), false);
    device.connected().await;
    for number in 0..MANY {
        hub.link.publish_when_free(down(&number.to_string())).await.expect("published");
        if number == MANY / 2 {
            device.hears().await;
        }
    }
    device.kill();
    let mut device = End::start(a_box(&broker), false);
    let mut last = Vec::new();
    while last != (MANY - 1).to_string().as_bytes() {
        last = device.hears().await.payload;
    }
    assert_eq!(device.connected().await, 1);
}

#[tokio::test]
async fn a_box_that_falls_is_told_to_be_away() {
    let broker = Mosquitto::start();
    let mut hub = End::start(a_hub(&broker, "1"), false);
    hub.connected().await;
    let device = End::start(a_box(&broker), false);
    device.connected().await;
    assert_eq!(hub.hears().await.payload, ONLINE);
    device.kill();
    assert_eq!(hub.hears().await.payload, OFFLINE);
    // Whoever comes later hears it, too.
    let mut later = End::start(a_hub(&broker, "2"), false);
    assert_eq!(later.hears().await.payload, OFFLINE);
}

#[tokio::test]
async fn what_waited_too_long_is_dropped_by_the_broker() {
    let broker = Mosquitto::start();
    let hub = End::start(a_hub(&broker, "1"), false);
    hub.connected().await;
    let device = End::start(a_box(&broker), false);
    device.connected().await;
    device.kill();
    hub.link
        .publish(Publication { expires_after_seconds: Some(1), ..down("stale") })
        .expect("published");
    hub.link.publish(down("still good")).expect("published");
    // The broker counts in whole seconds of its own clock.
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    let mut device = End::start(a_box(&broker), false);
    assert_eq!(device.hears().await.payload, b"still good");
}

#[tokio::test]
async fn a_box_hears_and_speaks_for_itself_alone() {
    let broker = Mosquitto::start();
    let mut hub = End::start(a_hub(&broker, "1"), false);
    hub.connected().await;
    // A box of another clinic that wants to hear and speak for the first.
    let stranger = Settings {
        client_id: DEVICE.to_string(),
        status: None,
        ..Settings::of_box(plain(broker.port, &OTHER.to_string()), CLINIC, DEVICE, broker.folder())
    };
    let mut stranger = End::start(stranger, false);
    stranger.connected().await;
    stranger.link.publish(up("forged")).expect("handed over");
    stranger.link.publish(down("forged")).expect("handed over");
    hub.link.publish(down("secret")).expect("published");
    stranger.hears_nothing().await;
    stranger.kill();
    let mut device = End::start(a_box(&broker), false);
    device.connected().await;
    hub.link.publish(down("for the box")).expect("published");
    assert_eq!(device.hears().await.payload, b"for the box");
    device.link.publish(up("genuine")).expect("published");
    assert_eq!(hub.hears_a_message().await.payload, b"genuine");
    // The hub cannot speak for a box.
    hub.link.publish(up("forged by the hub")).expect("handed over");
    hub.hears_nothing().await;
}

#[tokio::test]
async fn each_message_goes_to_one_of_several_hubs() {
    let broker = Mosquitto::start();
    let mut hubs = [End::start(a_hub(&broker, "1"), false), End::start(a_hub(&broker, "2"), false)];
    let device = End::start(a_box(&broker), false);
    for end in hubs.iter().chain([&device]) {
        end.connected().await;
    }
    for number in 0..20 {
        device.link.publish_when_free(up(&number.to_string())).await.expect("published");
    }
    let [one, two] = &mut hubs;
    let mut heard = Vec::new();
    while heard.len() < 20 {
        let arrival = tokio::select! {
            arrival = one.hears_a_message() => arrival,
            arrival = two.hears_a_message() => arrival,
        };
        heard.push(arrival.payload);
    }
    heard.sort();
    heard.dedup();
    assert_eq!(heard.len(), 20);
}

#[tokio::test]
async fn somebody_with_the_wrong_password_is_told_so() {
    let broker = Mosquitto::start();
    let mut settings = a_box(&broker);
    if let Some(login) = &mut settings.broker.login {
        login.password = "wrong".to_owned().into();
    }
    let device = End::start(settings, false);
    let why = device.away().await;
    assert!(why.contains("refuses"), "{why}");
}

#[tokio::test]
async fn whoever_knocks_is_told_what_keeps_them_out_and_disturbs_nobody() {
    let broker = Mosquitto::start();
    let settings = |name: &str| {
        let login = plain(broker.port, name);
        Settings { status: None, ..Settings::of_box(login, CLINIC, OTHER, broker.folder()) }
    };
    let mut end = End::start(a_box(&broker), false);
    end.connected().await;
    assert_eq!(knock(&settings(&CLINIC.to_string())).await, Ok(()));
    let stranger = knock(&settings("stranger")).await;
    assert!(matches!(stranger, Err(Shut::Refused(_))), "{stranger:?}");
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    let nobody = free.expect("a free port");
    let away = Settings::of_box(plain(nobody.port(), "x"), CLINIC, OTHER, broker.folder());
    let away = knock(&away).await;
    assert!(matches!(away, Err(Shut::Unreachable(_))), "{away:?}");
    let mut plainly = settings(&CLINIC.to_string());
    plainly.broker.tls = Some(channels::relay::Tls::default());
    let plainly = knock(&plainly).await;
    assert!(matches!(plainly, Err(Shut::Tls(_))), "{plainly:?}");
    // The box that was connected still is.
    let hub = End::start(a_hub(&broker, "1"), false);
    hub.connected().await;
    hub.link.publish(down("hello")).expect("published");
    assert_eq!(end.hears().await.payload, b"hello");
}
