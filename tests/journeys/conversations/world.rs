//! A clinic that answers on WhatsApp, and the telephones of its patients.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use carepost::clock::Clock;
use carepost::demo::Broker;
use carepost::demo::phones::{Account, Message, NUMBER_ID, Phones, Said};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::journeys::running::{Clinic, Running, stands};
use crate::journeys::sync::hub::{CLINIC, Hub, Place, done};
use crate::journeys::sync::line::Line;

/// As long may an answer take, whatever was killed meanwhile; who waits longer got none. A hub that ends while it asks the
/// provider leaves the message to its next life after a minute.
const PATIENCE: Duration = Duration::from_secs(150);

/// As long is waited for something to be under way.
const UNDER_WAY: Duration = Duration::from_secs(3);

/// Hub, broker, box, and the provider of WhatsApp.
pub struct World {
    pub clinic: Clinic,
    phones: Arc<Phones>,
    running: Option<Running>,
    hub: Option<Hub>,
    place: Place,
    line: Line,
    broker: Option<Broker>,
    folder: PathBuf,
    _thrown_away: TempDir,
}

impl World {
    pub async fn new() -> Self {
        let thrown_away = tempfile::tempdir().unwrap();
        let folder = thrown_away.path().to_owned();
        let broker = Broker::start(&folder.join("broker"), None).await.unwrap();
        let broker = broker.expect("install mosquitto, or let `cargo xtask test` do it");
        let place = Place { data: folder.join("hub"), cluster: None, broker: Some(broker.url()) };
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
        phones.post_to(hub.address);
        let line = Line::lay(hub.address, 1).await;
        let joining = ["enroll", "--hub", &line.address(), "--code", code.trim()];
        done(clinic.command(&joining));
        let mut world = Self {
            clinic,
            phones,
            running: None,
            hub: Some(hub),
            place,
            line,
            broker: Some(broker),
            folder,
            _thrown_away: thrown_away,
        };
        world.start_box();
        world
    }

    fn start_box(&mut self) {
        let broker = self.place.broker.clone().unwrap();
        let variables = [("CAREPOST_RELAY__BROKER", broker.as_str())];
        self.running = Some(Running::start_under(&self.clinic, &variables));
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
        let broker = self.broker.take().unwrap();
        let port = broker.address.port();
        drop(broker);
        let again = Broker::start(&self.folder.join("broker"), Some(port)).await.unwrap();
        self.broker = again;
    }

    pub async fn kill_hub(&mut self) {
        self.something_is_said().await;
        self.hub.take().unwrap().kill();
        let hub = Hub::start(&self.place);
        self.phones.post_to(hub.address);
        self.line.lead_to(hub.address);
        self.hub = Some(hub);
    }

    /// Waits for the next message of anybody, so that something is under way.
    async fn something_is_said(&self) {
        let newest = self.phones.newest();
        let _ = timeout(UNDER_WAY, self.phones.newer_than(newest)).await;
    }

    pub fn patient(&self, nth: u32) -> Patient {
        let phones = Arc::clone(&self.phones);
        let name =
            ["Asha Rao", "Ravi Iyer", "Meena Das", "Joseph Mathew", "Sunil Shah", "Latha Nair"]
                [usize::try_from(nth).unwrap()];
        Patient { phones, phone: format!("+9198441112{nth:02}"), name: name.into(), seen: 0 }
    }

    /// Puts a patient on record.
    pub async fn register(&self, patient: &Patient) {
        let body = json!({
            "name": patient.name, "phone": patient.phone, "birth_date": "1984-05-02",
            "accept_duplicate": true,
        });
        let (status, said) = self.running().post("patients", &self.clinic.clerk, &body).await;
        assert_eq!(status, 201, "{said}");
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
    phone: String,
    name: String,
    seen: u64,
}

impl Patient {
    async fn says(&self, said: Said) {
        let who = (self.phone.as_str(), self.name.as_str());
        let status = self.phones.say(who, said, Clock::System.now()).await.unwrap();
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
