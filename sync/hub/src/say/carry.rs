//! Requests to providers: one client for all, bounded in time and in what is read of an answer.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use channels::say::Say;
use channels::whatsapp::meta::{self, GRAPH};
use channels::whatsapp::{NotWritable, Outcome, Request, With, twilio};
use reqwest::Client;
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt as _;
use uuid::Uuid;

use crate::channel::{Account, Speaks};

/// So long a connection may take.
pub const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// As whom the hub asks.
pub const AGENT: &str = concat!("carepost-hub/", env!("CARGO_PKG_VERSION"));
/// So long an answer may take.
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(20);
/// So long a picture or sound may take that is handed over; with its message it is less than a claim lasts.
const HAND_OVER_TIME_MAX: Duration = Duration::from_secs(30);
/// As much is read of an answer, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Where Twilio's API is.
const TWILIO_API: &str = "https://api.twilio.com";

/// Who carries messages to providers.
pub struct Carrier {
    client: Client,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// The provider answered.
    Answered(Outcome),
    /// The provider cannot carry such a message.
    NotWritable,
    /// Nothing reached the provider.
    NotReached,
    /// Nobody knows: the answer did not come.
    Unknown,
}

/// As which account a message is written, and how its answer is read.
type Answering = fn(u16, Option<&str>, &[u8]) -> Outcome;

impl Carrier {
    /// One that believes whom this machine believes (`SSL_CERT_FILE` names others).
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new() -> anyhow::Result<Self> {
        let client = Client::builder()
            .tls_backend_preconfigured(trusting()?)
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIME_MAX)
            .timeout(ANSWER_TIME_MAX)
            .user_agent(AGENT)
            .build()
            .context("messages cannot be sent by HTTPS")?;
        Ok(Self { client })
    }

    /// Carries a message once. `told_at` is where the provider tells how it fares, if its account does not say it.
    pub async fn carry(&self, account: &Account, say: &Say, told_at: Option<&str>) -> Carried {
        self.carry_with(account, say, With { media: None, template: None, told_at }).await
    }

    /// Carries a message once, with what is put into it.
    pub async fn carry_with(&self, account: &Account, say: &Say, with: With<'_>) -> Carried {
        let Ok((base, request, read)) = written(account, say, with) else {
            return Carried::NotWritable;
        };
        self.ask(base, request, read, ANSWER_TIME_MAX).await
    }

    /// Hands over a picture or sound to a provider that takes them before their message; what is accepted is known by
    /// an id there.
    pub async fn hand_over(&self, account: &Account, media_type: &str, bytes: &[u8]) -> Carried {
        let Some(Speaks::Meta(of)) = account.speaks() else { return Carried::NotWritable };
        let nonce = Uuid::new_v4().as_u128();
        let Ok(request) = meta::hand_over(&of, media_type, bytes, nonce) else {
            return Carried::NotWritable;
        };
        let base = account.home().unwrap_or(GRAPH);
        self.ask(base, request, meta::handed_over, HAND_OVER_TIME_MAX).await
    }

    async fn ask(
        &self,
        base: &str,
        request: Request,
        read: Answering,
        within: Duration,
    ) -> Carried {
        let Request { path, headers, body } = request;
        let mut asked = self.client.post(format!("{base}{path}")).timeout(within).body(body);
        for (name, value) in headers {
            asked = asked.header(name, value);
        }
        let mut answer = match asked.send().await {
            Ok(answer) => answer,
            Err(error) if error.is_connect() || error.is_builder() => return Carried::NotReached,
            Err(_) => return Carried::Unknown,
        };
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get("retry-after").and_then(|it| it.to_str().ok());
        let retry_after = retry_after.map(str::to_owned);
        let mut bytes = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if bytes.len() + chunk.len() <= ANSWER_BYTES_MAX => {
                    bytes.extend_from_slice(&chunk);
                }
                Ok(None) => break,
                Ok(Some(_)) | Err(_) => return Carried::Unknown,
            }
        }
        Carried::Answered(read(status, retry_after.as_deref(), &bytes))
    }
}

/// TLS that believes whom this machine believes (`SSL_CERT_FILE` names others).
///
/// # Errors
/// If it cannot be set up.
pub fn trusting() -> anyhow::Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|it| it.with_platform_verifier())
        .context("TLS cannot be set up; look at the certificates of this machine")?
        .with_no_client_auth())
}

/// Where a message goes, how it is written, and how the answer is read.
fn written<'a>(
    account: &'a Account,
    say: &Say,
    with: With<'_>,
) -> Result<(&'a str, Request, Answering), NotWritable> {
    let nothing = NotWritable("there is nobody who would say it by this account");
    match account.speaks().ok_or(nothing)? {
        Speaks::Twilio(of) => {
            let base = account.home().unwrap_or(TWILIO_API);
            Ok((base, twilio::write(&of, say, with)?, twilio::answer))
        }
        Speaks::Meta(of) => {
            let base = account.home().unwrap_or(GRAPH);
            Ok((base, meta::write(&of, say, with)?, meta::answer))
        }
    }
}
