//! Fetching what a message holds: bounded in time and length, and from nowhere but where it may lie.
//!
//! Invariant: each address, also one that an answer leads on to, has passed the check of its provider's module.
//! Invariant: of a name only public addresses are dialled, but at the account's own home, which whoever runs
//! the hub named (`--messaging-url`). No proxy is asked, which would dial for us.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use channels::dial::is_public;
use channels::heard::{MEDIA_BYTES_MAX, Missing};
use channels::whatsapp::{Fetch, NotFound, NotWritable, meta, twilio};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{AUTHORIZATION, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use tokio::time::timeout;

use crate::channel::{Account, Speaks};
use crate::say::carry::{AGENT, CONNECT_TIME_MAX, trusting};

/// So long all of it may take: 16 MiB at 1 Mbit/s.
pub const FETCH_TIME_MAX: Duration = Duration::from_secs(140);
/// So long nothing at all may come.
const SILENCE_MAX: Duration = Duration::from_secs(20);
/// As often an answer may lead on.
const REDIRECTS_MAX: usize = 3;
/// As much is read of what says where something is, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// All of it; at most [`MEDIA_BYTES_MAX`], and not nothing.
    Whole(Vec<u8>),
    /// It will not come later, either.
    Never(Missing),
    /// Not now: try again.
    Later {
        /// Why, as a code of the provider, or of HTTP.
        code: String,
    },
}

impl From<NotFound> for Fetched {
    fn from(why: NotFound) -> Self {
        match why {
            NotFound::Never(why) => Self::Never(why),
            NotFound::Later { code } => Self::Later { code },
        }
    }
}

impl From<NotWritable> for Fetched {
    /// It lies where nothing is fetched from.
    fn from(_: NotWritable) -> Self {
        Self::Never(Missing::NotAllowed)
    }
}

/// Under which addresses a name is known; the port is of no matter.
pub type Lookup = Arc<
    dyn Fn(String) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>
        + Send
        + Sync,
>;

/// Finds the addresses of a name, and of those only what is public.
struct PublicOnly(Lookup);

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let looked = (self.0)(name.as_str().to_owned());
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                looked.await?.into_iter().filter(|it| is_public(it.ip())).collect();
            if found.is_empty() {
                return Err("the name leads to no public address".into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Who fetches.
pub struct Fetcher {
    /// Speaks HTTPS with the public internet alone.
    public: Client,
    /// Speaks with what whoever runs the hub named.
    home: Client,
}

impl Fetcher {
    /// One that believes whom this machine believes (`SSL_CERT_FILE` names others).
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new() -> anyhow::Result<Self> {
        Self::with_lookup(Arc::new(|name| {
            Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
        }))
    }

    /// One that asks this for the addresses of public names.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn with_lookup(lookup: Lookup) -> anyhow::Result<Self> {
        let client = || {
            anyhow::Ok(
                Client::builder()
                    .tls_backend_preconfigured(trusting()?)
                    .redirect(Policy::none())
                    .no_proxy()
                    .connect_timeout(CONNECT_TIME_MAX)
                    .read_timeout(SILENCE_MAX)
                    .user_agent(AGENT),
            )
        };
        let public = client()?.https_only(true).dns_resolver(Arc::new(PublicOnly(lookup)));
        let built = |it: reqwest::ClientBuilder| it.build().context("nothing can be fetched");
        Ok(Self { public: built(public)?, home: built(client()?)? })
    }

    /// Fetches what a message of this account calls so.
    pub async fn fetch(&self, account: &Account, reference: &str) -> Fetched {
        match timeout(FETCH_TIME_MAX, self.fetch_now(account, reference)).await {
            Ok(Ok(whole)) if whole.is_empty() => Fetched::Never(Missing::Gone),
            Ok(Ok(whole)) => Fetched::Whole(whole),
            Ok(Err(why)) => why,
            Err(_) => later("too_slow"),
        }
    }

    async fn fetch_now(&self, account: &Account, reference: &str) -> Result<Vec<u8>, Fetched> {
        let home = account.home();
        // Nothing of an account that is gone, or only listened to, can be had.
        let speaks = account.speaks().ok_or(Fetched::Never(Missing::Gone))?;
        let mut next = match &speaks {
            Speaks::Twilio(of) => twilio::fetch(of, home, reference)?,
            Speaks::Meta(of) => {
                let answer = self.ask(&meta::look_up(of, home, reference)?).await?;
                let status = answer.status().as_u16();
                let body = read(answer, ANSWER_BYTES_MAX).await?;
                meta::looked_up(of, home, (status, &body))?.fetch
            }
        };
        for _ in 0..=REDIRECTS_MAX {
            let answer = self.ask(&next).await?;
            match answer.status().as_u16() {
                200 => return read(answer, MEDIA_BYTES_MAX).await,
                301 | 302 | 303 | 307 | 308 => {
                    let to = led_to(&next, &answer).ok_or_else(|| later("redirect"))?;
                    next = match &speaks {
                        Speaks::Twilio(of) => twilio::fetch(of, home, to.as_str())?,
                        Speaks::Meta(of) => meta::fetch(of, home, to.as_str())?,
                    };
                }
                404 | 410 => return Err(Fetched::Never(Missing::Gone)),
                status => return Err(Fetched::Later { code: format!("http-{status}") }),
            }
        }
        Err(later("redirects"))
    }

    async fn ask(&self, fetch: &Fetch) -> Result<Response, Fetched> {
        let client = if fetch.at_home { &self.home } else { &self.public };
        let mut asked = client.get(&fetch.address);
        if let Some(authorization) = &fetch.authorization {
            asked = asked.header(AUTHORIZATION, authorization);
        }
        asked.send().await.map_err(|_| later("unreachable"))
    }
}

fn later(code: &str) -> Fetched {
    Fetched::Later { code: code.to_owned() }
}

/// Where an answer leads on to, as a whole address.
fn led_to(from: &Fetch, answer: &Response) -> Option<Url> {
    let to = answer.headers().get(LOCATION)?.to_str().ok()?;
    Url::parse(&from.address).ok()?.join(to).ok()
}

/// The body, if it is not longer than this: what comes beyond is not read.
async fn read(mut answer: Response, most: usize) -> Result<Vec<u8>, Fetched> {
    let too_long = || Fetched::Never(Missing::TooLong);
    let announced = answer.content_length().map_or(0, |it| usize::try_from(it).unwrap_or(most + 1));
    if announced > most {
        return Err(too_long());
    }
    let mut bytes = Vec::with_capacity(announced);
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() <= most => bytes.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(too_long()),
            Ok(None) => return Ok(bytes),
            Err(_) => return Err(later("broken_off")),
        }
    }
}
