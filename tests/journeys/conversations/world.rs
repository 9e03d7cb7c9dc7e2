//! A clinic that answers on WhatsApp, and the telephones of its patients.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use carepost::clock::Clock;
use carepost::demo::Broker;
use carepost::demo::phones::{Account, Message, NUMBER_ID, Phones, Said};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use crate::cluster::Cluster;
use crate::journeys::running::{Clinic, Running, faketime, stands};
use crate::journeys::sync::hub::{CLINIC, Hub, Place, done};
use crate::journeys::sync::line::Line;

/// As long may an answer take, whatever was killed meanwhile; who waits longer got none. A hub that ends while it asks the
/// provider leaves the message to its next life after a minute.
const PATIENCE: Duration = Duration::from_secs(150);

/// How often it is looked whether a list has an item.
const LOOK: Duration = Duration::from_millis(50);

/// As long is waited for something to be under way.
const UNDER_WAY: Duration = Duration::from_secs(3);

/// Hub, broker, box, and the provider of WhatsApp.
pub struct World {
    pub clinic: Clinic,
    phones: Arc<Phones>,
    running: Option<Running>,
    hub: Option<Hub>,
    other_hub: Option<Hub>,
    /// To which the provider posts by turns.
    hubs_of_provider: Arc<RwLock<Vec<SocketAddr>>>,
    place: Place,
    line: Line,
    broker: Option<Broker>,
    /// How far clocks are ahead of this machine's, in seconds.
    ahead: Arc<AtomicI64>,
    folder: PathBuf,
    _thrown_away: TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::with(None).await
    }

    /// Two hubs beside each other, over one database and one broker. The provider posts to either.
    pub async fn with_two_hubs() -> Self {
        let mut world = Self::with(Some(Cluster::start())).await;
        let other = Hub::start(&world.place);
        world.hubs_of_provider.write().unwrap().push(other.address);
        world.other_hub = Some(other);
        world
    }

    async fn with(cluster: Option<Cluster>) -> Self {
        let thrown_away = tempfile::tempdir().unwrap();
        let folder = thrown_away.path().to_owned();
        let broker = Broker::start(&folder.join("broker"), None).await.unwrap();
        let broker = broker.expect("install mosquitto, or let `cargo xtask test` do it");
        let place = Place { data: folder.join("hub"), cluster, broker: Some(broker.url()) };
        let clinic = Clinic::found(&folder.join("box"), 2);
        let code = place.run(&["clinic", "add", CLINIC]);
        let phones = Phones::open(Account::random().unwrap()).await.unwrap();
        let account = phones.account();
        let secrets = [&account.access_token, &account.app_secret, &account.verify_token]
            .map(|it| format!("{it}\n"))
            .concat();
        let url = phones.url();
        let adding = ["channel", "add", "--clinic", CLINIC, "meta", "--messaging-url", &url];
        place.run_with(&[&adding[..], &["--phone-number-id", NUMBER_ID]].concat(), &secrets);
        let hub = Hub::start(&place);
        let hubs_of_provider = Arc::new(RwLock::new(vec![hub.address]));
        let line = Line::lay(hub.address, 1).await;
        let joining = ["enroll", "--hub", &line.address(), "--code", code.trim()];
        done(clinic.command(&joining));
        let mut world = Self {
            clinic,
            phones,
            running: None,
            hub: Some(hub),
            other_hub: None,
            hubs_of_provider,
            place,
            line,
            broker: Some(broker),
            ahead: Arc::default(),
            folder,
            _thrown_away: thrown_away,
        };
        world.start_box();
        world
    }

    fn start_box(&mut self) {
        let broker = self.place.broker.clone().unwrap();
        let time = self.time();
        let mut variables = vec![("CAREPOST_RELAY__BROKER", broker.as_str())];
        variables.extend(time.iter().map(|(name, value)| (*name, value.as_str())));
        self.running = Some(Running::start_under(&self.clinic, &variables));
    }

    fn start_hub(&mut self) {
        let time = self.time();
        let variables: Vec<_> = time.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let hub = Hub::start_under(&self.place, &variables);
        self.hubs_of_provider.write().unwrap()[0] = hub.address;
        self.phones.post_to(hub.address);
        self.line.lead_to(hub.address);
        self.hub = Some(hub);
    }

    /// What lets a program live at the time that it is here.
    fn time(&self) -> Vec<(&'static str, String)> {
        match self.ahead.load(Ordering::Relaxed) {
            0 => Vec::new(),
            ahead => vec![("LD_PRELOAD", faketime().into()), ("FAKETIME", format!("+{ahead}"))],
        }
    }

    /// The box loses the line to broker and hub. So long after now it runs there without it.
    pub fn cut_off(&mut self, ahead: SignedDuration) {
        drop(self.broker.take());
        self.line.lead_to(SocketAddr::from(([127, 0, 0, 1], 1)));
        self.ahead.store(ahead.as_secs(), Ordering::Relaxed);
        self.running().kill();
        self.start_box();
    }

    /// So long after now the line is back, and box and hub are started.
    pub async fn come_back(&mut self, ahead: SignedDuration) {
        self.running().kill();
        self.hub.take().unwrap().kill();
        self.ahead.store(ahead.as_secs(), Ordering::Relaxed);
        self.start_broker().await;
        self.start_hub();
        self.start_box();
    }

    pub fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    /// Ends the box as a power cut would, and starts it.
    pub async fn kill_box(&mut self) {
        self.something_is_said().await;
        self.running().kill();
        self.start_box();
    }

    pub async fn kill_broker(&mut self) {
        self.something_is_said().await;
        drop(self.broker.take());
        self.start_broker().await;
    }

    async fn start_broker(&mut self) {
        let at = self.place.broker.as_deref().and_then(|it| it.rsplit(':').next());
        let port = at.and_then(|it| it.trim_end_matches('/').parse().ok());
        self.broker = Broker::start(&self.folder.join("broker"), port).await.unwrap();
    }

    pub async fn kill_hub(&mut self) {
        self.something_is_said().await;
        self.hub.take().unwrap().kill();
        self.start_hub();
    }

    /// Waits for the next message of anybody, so that something is under way.
    async fn something_is_said(&self) {
        let newest = self.phones.newest();
        let _ = timeout(UNDER_WAY, self.phones.newer_than(newest)).await;
    }

    pub fn patient(&self, nth: u32) -> Patient {
        let (phones, hubs) = (Arc::clone(&self.phones), Arc::clone(&self.hubs_of_provider));
        let name =
            ["Asha Rao", "Ravi Iyer", "Meena Das", "Joseph Mathew", "Sunil Shah", "Latha Nair"]
                [usize::try_from(nth).unwrap()];
        let phone = format!("+9198441112{nth:02}");
        Patient { phones, hubs, ahead: Arc::clone(&self.ahead), phone, name: name.into(), seen: 0 }
    }

    /// Puts a patient on record, and answers their id.
    pub async fn register(&self, patient: &Patient) -> Value {
        let body = json!({
            "name": patient.name, "phone": patient.phone, "birth_date": "1984-05-02",
            "accept_duplicate": true,
        });
        let (status, said) = self.running().post("patients", &self.clinic.clerk, &body).await;
        assert_eq!(status, 201, "{said}");
        said["id"].clone()
    }

    /// What an administrator hears of the box.
    pub async fn get(&self, path: &str) -> Value {
        let (status, said) = self.running().get(path, &self.clinic.admin).await;
        assert_eq!(status, 200, "{path}: {said}");
        said
    }

    /// What an administrator has the box do.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let (status, said) = self.running().post(path, &self.clinic.admin, body).await;
        assert_eq!(status, 201, "{path}: {said}");
        said
    }

    /// Waits until a list of the box holds such an item.
    pub async fn lists(&self, path: &str, is_such: impl Fn(&Value) -> bool) {
        let waited = timeout(PATIENCE, async {
            loop {
                let list = self.get(path).await;
                if list["items"].as_array().unwrap().iter().any(&is_such) {
                    return;
                }
                sleep(LOOK).await;
            }
        });
        waited.await.unwrap_or_else(|_| panic!("{path} has no such item"));
    }

    /// The appointments that stand.
    pub async fn booked(&self) -> Vec<Value> {
        let mut all = self.running().appointments(&self.clinic.clerk).await;
        all.retain(stands);
        all
    }
}

/// Somebody with a telephone.
pub struct Patient {
    phones: Arc<Phones>,
    hubs: Arc<RwLock<Vec<SocketAddr>>>,
    ahead: Arc<AtomicI64>,
    phone: String,
    name: String,
    seen: u64,
}

impl Patient {
    async fn says(&self, said: Said) {
        // To one hub after the other.
        let hub = {
            let hubs = self.hubs.read().unwrap();
            hubs[usize::try_from(self.phones.newest()).unwrap() % hubs.len()]
        };
        self.phones.post_to(hub);
        let who = (self.phone.as_str(), self.name.as_str());
        let now =
            Clock::System.now() + SignedDuration::from_secs(self.ahead.load(Ordering::Relaxed));
        let status = self.phones.say(who, said, now).await.unwrap();
        assert_eq!(status, 200);
    }

    pub async fn write(&self, text: &str) {
        self.says(Said::Text(text.into())).await;
    }

    /// The next message of the clinic.
    pub async fn hear(&mut self) -> Message {
        let waited = timeout(PATIENCE, async {
            let mut newest = self.seen;
            loop {
                let new = self.phones.messages(&self.phone, self.seen);
                if let Some(said) = new.into_iter().find(|it| it.is_from_clinic) {
                    return said;
                }
                newest = self.phones.newer_than(newest).await;
            }
        });
        let said = waited.await.unwrap_or_else(|_| panic!("no answer: {:#?}", self.thread()));
        self.seen = said.number;
        said
    }

    /// Chooses what is offered first, or says what is asked for.
    pub async fn answer(&self, said: &Message) {
        let text = said.text.to_lowercase();
        match said.choices.first() {
            Some(first) => self.says(Said::Choice(first.clone())).await,
            None if text.contains("born") || text.contains("birth") => {
                self.write("2 May 1984").await;
            }
            None if text.contains("name") => self.write(&self.name).await,
            None => self.write("yes").await,
        }
    }

    pub fn thread(&self) -> Vec<Message> {
        self.phones.messages(&self.phone, 0)
    }

    /// Messages of the patient at the end that nothing was said to.
    pub fn unanswered(&self) -> usize {
        self.thread().iter().rev().take_while(|it| !it.is_from_clinic).count()
    }
}
