//! Telephones of patients in a demonstration, and the provider of WhatsApp between them and the hub, so that
//! anybody can write to the clinic without an account anywhere.
//!
//! Towards the hub it speaks as Meta's Cloud API does: it posts webhooks signed by `X-Hub-Signature-256`, and takes
//! messages at `/v{version}/{phone number id}/messages` (developers.facebook.com, WhatsApp Cloud API). It delivers
//! at once, and says so by statuses; a number that ends with [`WITHOUT_WHATSAPP`] is at no telephone with WhatsApp.
//! Pictures and sounds it keeps in [`media`]. Nothing in it is trusted by anybody but the demonstration's hub.
//!
//! Invariant: what is kept is bounded; the oldest messages and the telephones that were longest silent go first.

mod format;
pub mod media;

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use channels::heard::MEDIA_BYTES_MAX;
use jiff::Timestamp;
use ring::hmac;
use ring::rand::SystemRandom;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;

use self::format::Sent;
use self::media::{Picture, Shelf, Shown};

/// The clinic's number, as the provider names it.
pub const NUMBER_ID: &str = "100200300400500";
/// The clinic's number, as patients see it.
pub const NUMBER: &str = "+918045678900";
/// Numbers that end so have no WhatsApp: what is sent there fails, as it does in life.
pub const WITHOUT_WHATSAPP: &str = "0000";
/// Telephones that are known at once.
const PHONES_MAX: usize = 200;
/// Messages of one telephone that are kept.
const MESSAGES_MAX: usize = 500;
/// As often a webhook is posted that the hub does not take ...
const TRIES_MAX: u32 = 40;
/// ... with such a pause in between.
const AGAIN: Duration = Duration::from_millis(250);
/// The longest picture or sound that is handed over, with the form around it, in bytes.
const FORM_BYTES_MAX: usize = MEDIA_BYTES_MAX + 4096;
/// Where the hub takes what comes in.
const WEBHOOK: &str = "/api/v1/prm/webhooks/whatsapp/meta";

/// What the hub needs to know of the provider; no secrets outside the demonstration.
#[derive(Clone, Debug)]
pub struct Account {
    /// By which the hub may send.
    pub access_token: String,
    /// By which webhooks are signed.
    pub app_secret: String,
    /// By which the hub shows that it is the one that was meant.
    pub verify_token: String,
}

impl Account {
    /// One with secrets that nobody knows.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub fn random() -> anyhow::Result<Self> {
        let random = SystemRandom::new();
        let secret = || -> anyhow::Result<String> {
            let bytes: [u8; 16] = ring::rand::generate(&random)
                .map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?
                .expose();
            Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
        };
        Ok(Self { access_token: secret()?, app_secret: secret()?, verify_token: secret()? })
    }
}

/// The telephones, and the provider behind them.
pub struct Phones {
    account: Account,
    address: SocketAddr,
    hub: watch::Sender<Option<SocketAddr>>,
    client: reqwest::Client,
    kept: Mutex<Kept>,
    shelf: Mutex<Shelf>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Kept {
    /// Grows with each message; so the newest of a telephone says when it was used last.
    number: u64,
    phones: BTreeMap<String, VecDeque<Message>>,
}

/// A message on the screen of a telephone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Grows with each message of all telephones.
    pub number: u64,
    /// As the provider calls it.
    pub id: String,
    /// Whether the clinic wrote it.
    pub is_from_clinic: bool,
    /// What it says.
    pub text: String,
    /// What may be touched instead of an answer in words.
    pub choices: Vec<Offered>,
    /// What it shows or plays.
    pub media: Option<Shown>,
    /// When, in milliseconds since 1970 UTC.
    pub at_ms: i64,
}

/// Something on the screen that can be touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// What the clinic hears.
    pub id: String,
    /// What stands on it.
    pub title: String,
    /// What stands below it.
    pub description: Option<String>,
}

/// What somebody does on a telephone.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Writes.
    Text(String),
    /// Touches what the clinic offered.
    Choice(Offered),
    /// Sends a picture or sound.
    Media(Sending),
}

/// A picture or sound that somebody sends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Sending {
    /// As [`Phones::put`] called it.
    pub id: String,
    /// What is written beside it.
    pub caption: Option<String>,
}

impl Phones {
    /// Opens the provider on loopback. It lies as long as the runtime runs.
    ///
    /// # Errors
    /// If this machine has no port left.
    pub async fn open(account: Account) -> anyhow::Result<Arc<Self>> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let phones = Arc::new(Self {
            account,
            address: listener.local_addr()?,
            hub: watch::channel(None).0,
            client: client()?,
            kept: Mutex::default(),
            shelf: Mutex::default(),
            changed: watch::channel(0).0,
        });
        let router = Router::new()
            .route("/{version}/{number}/messages", post(deliver))
            .route("/{version}/{number}/media", post(media::hand_over))
            .route("/{version}/{id}", get(media::look_up))
            .route("/kept/{id}", get(media::fetch))
            .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
            .with_state(Arc::clone(&phones));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(phones)
    }

    /// Where the hub sends messages for patients.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The account of the clinic.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Posts to this hub from now on.
    pub fn post_to(&self, hub: SocketAddr) {
        self.hub.send_replace(Some(hub));
    }

    /// Keeps a picture or sound, and answers its id.
    pub fn put(&self, picture: Picture) -> String {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).put(picture)
    }

    /// A picture or sound by its id.
    pub fn picture(&self, id: &str) -> Option<Picture> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).find(id)
    }

    fn shown(&self, id: &str) -> Option<Shown> {
        let media_type = self.picture(id)?.media_type;
        Some(Shown { id: id.to_owned(), media_type })
    }

    fn is_let_in(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get("authorization").and_then(|it| it.to_str().ok());
        shown == Some(format!("Bearer {}", self.account.access_token).as_str())
    }

    /// Somebody does something on the telephone with this number (E.164). Answers how the hub answered.
    ///
    /// # Errors
    /// If the hub cannot be reached, or what is sent is not kept.
    pub async fn say(
        &self,
        (phone, name): (&str, &str),
        said: Said,
        now: Timestamp,
    ) -> anyhow::Result<u16> {
        let (text, media) = match &said {
            Said::Text(text) => (text.clone(), None),
            Said::Choice(choice) => (choice.title.clone(), None),
            Said::Media(Sending { id, caption }) => {
                let Some(shown) = self.shown(id) else { anyhow::bail!("there is no such picture") };
                (caption.clone().unwrap_or_default(), Some(shown))
            }
        };
        let media_type = media.as_ref().map(|it| it.media_type.clone());
        let number = self.keep(phone, |number| Message {
            number,
            id: format!("wamid.demo{number}"),
            is_from_clinic: false,
            text,
            choices: Vec::new(),
            media,
            at_ms: now.as_millisecond(),
        });
        let at = now.as_second();
        let id = format!("wamid.demo{number}");
        let said = (&said, media_type.as_deref().unwrap_or_default());
        let message = format::heard((phone, name), (&id, at), said);
        self.post(&message).await
    }

    /// The messages of a telephone after a number, and waits for nothing.
    pub fn messages(&self, phone: &str, after: u64) -> Vec<Message> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let thread = kept.phones.get(phone).into_iter().flatten();
        thread.filter(|it| it.number > after).cloned().collect()
    }

    /// The number of the newest message, of whichever telephone.
    pub fn newest(&self) -> u64 {
        *self.changed.borrow()
    }

    /// Waits for a message, of whichever telephone, after this number; answers the number of the newest.
    pub async fn newer_than(&self, after: u64) -> u64 {
        let mut changed = self.changed.subscribe();
        let newest = changed.wait_for(|newest| *newest > after).await;
        // Whoever tells of messages is in here, too.
        newest.map_or(after, |newest| *newest)
    }

    /// Posts a webhook, signed, and again while the hub does not take it, as the real one does (it goes on for a
    /// week). Answers how it was answered last.
    ///
    /// # Errors
    /// If the hub could not be reached.
    pub async fn post(&self, body: &Value) -> anyhow::Result<u16> {
        let body = body.to_string();
        let mut said = self.post_once(&body).await;
        for _ in 1..TRIES_MAX {
            if matches!(said, Ok(200..=299)) {
                break;
            }
            sleep(AGAIN).await;
            said = self.post_once(&body).await;
        }
        said
    }

    async fn post_once(&self, body: &str) -> anyhow::Result<u16> {
        let Some(hub) = *self.hub.borrow() else { anyhow::bail!("there is no hub to post to") };
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.account.app_secret.as_bytes());
        let signature = hmac::sign(&key, body.as_bytes());
        let hex: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let request = self
            .client
            .post(format!("http://{hub}{WEBHOOK}"))
            .header("content-type", "application/json")
            .header("x-hub-signature-256", format!("sha256={hex}"))
            .body(body.to_owned());
        Ok(request.send().await?.status().as_u16())
    }

    fn keep(&self, phone: &str, message: impl FnOnce(u64) -> Message) -> u64 {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.number += 1;
        let number = kept.number;
        if !kept.phones.contains_key(phone) && kept.phones.len() >= PHONES_MAX {
            let newest = |thread: &VecDeque<Message>| thread.back().map_or(0, |it| it.number);
            let silent = kept.phones.iter().min_by_key(|(_, thread)| newest(thread));
            if let Some(silent) = silent.map(|(phone, _)| phone.clone()) {
                kept.phones.remove(&silent);
            }
        }
        let thread = kept.phones.entry(phone.to_owned()).or_default();
        if thread.len() >= MESSAGES_MAX {
            thread.pop_front();
        }
        thread.push_back(message(number));
        drop(kept);
        self.changed.send_replace(number);
        number
    }
}

/// It speaks plain HTTP with the hub beside it, and trusts no certificate.
fn client() -> anyhow::Result<reqwest::Client> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let trusting_nobody = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Ok(reqwest::Client::builder().tls_backend_preconfigured(trusting_nobody).build()?)
}

fn invalid() -> (StatusCode, Json<Value>) {
    let error = json!({ "error": { "code": 100, "message": "Invalid parameter" } });
    (StatusCode::BAD_REQUEST, Json(error))
}

/// Takes a message of the clinic and delivers it.
async fn deliver(
    State(phones): State<Arc<Phones>>,
    Path((_, number_id)): Path<(String, String)>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    if !phones.is_let_in(&headers) || number_id != NUMBER_ID {
        let error = json!({ "error": { "code": 190, "message": "Invalid OAuth access token" } });
        return (StatusCode::UNAUTHORIZED, Json(error));
    }
    let Some(Sent { phone, text, choices, media }) = format::sent(&body) else {
        return invalid();
    };
    let media = match media.map(|id| phones.shown(&id)) {
        None => None,
        Some(Some(shown)) => Some(shown),
        Some(None) => return invalid(),
    };
    let now = crate::clock::Clock::System.now();
    let is_reached = !phone.ends_with(WITHOUT_WHATSAPP);
    let id = if is_reached {
        let number = phones.keep(&phone, |number| Message {
            number,
            id: format!("wamid.demo{number}"),
            is_from_clinic: true,
            text,
            choices,
            media,
            at_ms: now.as_millisecond(),
        });
        format!("wamid.demo{number}")
    } else {
        format!("wamid.demo.{}", uuid::Uuid::new_v4().simple())
    };
    let answer = json!({
        "messaging_product": "whatsapp",
        "contacts": [{ "input": phone, "wa_id": phone.trim_start_matches('+') }],
        "messages": [{ "id": id }],
    });
    let echoed = body["biz_opaque_callback_data"].clone();
    tokio::spawn(async move {
        let statuses: &[&str] =
            if is_reached { &["sent", "delivered", "read"] } else { &["failed"] };
        for status in statuses {
            // A status that is lost is lost: the real one says so no better.
            let said = format::status((&phone, &id), (*status, &echoed), now.as_second());
            let _ = phones.post(&said).await;
        }
    });
    (StatusCode::OK, Json(answer))
}

#[cfg(test)]
mod tests;
