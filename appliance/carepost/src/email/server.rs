//! The clinic's mail server: where it is, how the box is let in, and what it answers (SMTP, RFC 5321).
//!
//! Invariant: neither a password nor a letter leaves this machine without TLS.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::letter::Letter;

/// The name and the password at the mail server, in `keys`, one line each, if it wants them.
pub const LOGIN: &str = "email-login";
/// The certificate of who vouches for the mail server, in `keys`, if the machine does not know it.
pub const AUTHORITY: &str = "email-authority.pem";
/// A longer file is no login, in bytes.
const LOGIN_BYTES_MAX: u64 = 2_048;
/// So long it may take to be connected.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// So long it may take to be greeted and let in.
const GREETING_TIME_MAX: Duration = Duration::from_secs(30);
/// So long it may take to hand over one letter.
const LETTER_TIME_MAX: Duration = Duration::from_secs(60);

/// Where e-mails go, and from whom they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The mail server.
    pub server: Server,
    /// From whom.
    pub from: Mailbox,
}

/// A mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name or address, an IPv6 address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How what is said with it is kept from others.
    pub security: Security,
}

/// How what is said with a mail server is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (RFC 8314, section 3.3).
    Tls,
    /// TLS by `STARTTLS`; a server that does not offer it is not used.
    StartTls,
    /// The server is this machine: nothing leaves it.
    Loopback,
}

/// Not the address of a mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write the mail server as smtps://mail.example, or smtp://mail.example:587 for STARTTLS")]
pub struct BadServer;

impl Server {
    /// The server at `smtps://host[:465]`, or `smtp://host[:587]`, which has to offer STARTTLS unless it is this
    /// machine. Passwords do not belong in addresses.
    ///
    /// # Errors
    /// [`BadServer`].
    pub fn parse(address: &str) -> Result<Self, BadServer> {
        let (rest, is_tls) = match address.trim().split_once("://") {
            Some(("smtps", rest)) => (rest, true),
            Some(("smtp", rest)) => (rest, false),
            Some(_) | None => return Err(BadServer),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or(BadServer)?,
            None => rest.split_at(rest.find(':').unwrap_or(rest.len())),
        };
        let usual = if is_tls { 465 } else { 587 };
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().map_err(|_| BadServer)?,
            None if port.is_empty() => usual,
            None => return Err(BadServer),
        };
        let is_address = rest.starts_with('[');
        let is_host = (1..=253).contains(&host.len())
            && host.bytes().all(|it| {
                it.is_ascii_alphanumeric() || b".-".contains(&it) || (is_address && it == b':')
            });
        if !is_host || port == 0 {
            return Err(BadServer);
        }
        let is_here = host == "localhost"
            || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
        let security = match (is_tls, is_here) {
            (true, _) => Security::Tls,
            (false, true) => Security::Loopback,
            (false, false) => Security::StartTls,
        };
        Ok(Self { host: host.to_owned(), port, security })
    }
}

/// What became of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The server has it.
    Taken,
    /// Not now, or nobody knows: by the server's code, or a word of ours.
    Later { code: String },
    /// Never.
    Refused { code: String },
}

/// The server takes nothing, whatever it is: by its code, or a word of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) code: String,
}

/// Being let in by a mail server.
pub(super) struct Connection(AsyncSmtpConnection);

impl Connection {
    /// Connects and is let in. `keys` is the folder of the keys.
    pub(super) async fn open(settings: &Settings, keys: &Path) -> Result<Self, Trouble> {
        let Server { host, port, security } = &settings.server;
        let hello = ClientId::Domain(settings.from.email.domain().to_owned());
        let login = login(keys)?;
        let greet = async {
            let tls = match security {
                Security::Tls => Some(tls_of(host, keys)?),
                Security::StartTls | Security::Loopback => None,
            };
            let wait = Some(CONNECT_TIME_MAX);
            let to = (host.as_str(), *port);
            let mut open = AsyncSmtpConnection::connect_tokio1(to, wait, &hello, tls, None)
                .await
                .map_err(trouble)?;
            if *security == Security::StartTls {
                open.starttls(tls_of(host, keys)?, &hello).await.map_err(trouble)?;
            }
            if let Some(login) = login {
                open.auth(DEFAULT_MECHANISMS, &login).await.map_err(trouble)?;
            }
            Ok(Self(open))
        };
        let waited = timeout(GREETING_TIME_MAX, greet).await;
        waited.unwrap_or_else(|_| Err(Trouble { code: "too-slow".to_owned() }))
    }

    /// Hands over a letter; the connection, if it is still good.
    pub(super) async fn send(mut self, letter: &Letter) -> (Outcome, Option<Self>) {
        let sent = timeout(LETTER_TIME_MAX, self.0.send(&letter.envelope, &letter.bytes)).await;
        match sent {
            Ok(Ok(_)) => (Outcome::Taken, (!self.0.has_broken()).then_some(self)),
            Ok(Err(error)) => (outcome(&error), None),
            Err(_) => (Outcome::Later { code: "too-slow".to_owned() }, None),
        }
    }

    /// Takes leave.
    pub(super) async fn close(mut self) {
        // Whatever it answers, the letters are there.
        let _ = timeout(CONNECT_TIME_MAX, self.0.quit()).await;
    }
}

/// Is let in by a mail server and takes leave. `keys` is the folder of the keys.
///
/// # Errors
/// [`Trouble`], if it does not let the box in.
pub(crate) async fn knock(settings: &Settings, keys: &Path) -> Result<(), Trouble> {
    Connection::open(settings, keys).await?.close().await;
    Ok(())
}

/// What an error says about the letter that was handed over.
fn outcome(error: &Error) -> Outcome {
    match error.status() {
        // The account's trouble, not the letter's: not let in, or too much at once (RFC 4954, section 6).
        Some(status) if [530, 534, 535, 538].contains(&u16::from(status)) => {
            Outcome::Later { code: status.to_string() }
        }
        Some(status) if error.is_permanent() => Outcome::Refused { code: status.to_string() },
        Some(status) => Outcome::Later { code: status.to_string() },
        // The letter has what this server cannot carry.
        None if error.is_client() => Outcome::Refused { code: "not-writable".to_owned() },
        None => Outcome::Later { code: "no-answer".to_owned() },
    }
}

/// What an error says about the server.
fn trouble(error: Error) -> Trouble {
    let code = match error.status() {
        Some(status) => status.to_string(),
        None if error.is_tls() => "tls".to_owned(),
        // It offers no TLS, or no way to be let in that the box knows.
        None if error.is_client() => "not-let-in".to_owned(),
        None => "unreachable".to_owned(),
    };
    Trouble { code }
}

/// Whom the box believes to be the server.
fn tls_of(host: &str, keys: &Path) -> Result<TlsParameters, Trouble> {
    let wrong = || Trouble { code: AUTHORITY.to_owned() };
    let mut of = TlsParameters::builder(host.to_owned());
    let authority = keys.join(AUTHORITY);
    if authority.exists() {
        let pem = fs::read(&authority).map_err(|_| wrong())?;
        of = of.add_root_certificate(Certificate::from_pem(&pem).map_err(|_| wrong())?);
    }
    of.build_rustls().map_err(trouble)
}

/// The name and the password, if there are any. Others may not read them.
fn login(keys: &Path) -> Result<Option<Credentials>, Trouble> {
    let path = keys.join(LOGIN);
    let wrong = |code: &str| Err(Trouble { code: code.to_owned() });
    let Ok(about) = fs::metadata(&path) else { return Ok(None) };
    if about.permissions().mode() & 0o077 != 0 {
        tracing::error!("others may read {}; run chmod 600 on it", path.display());
        return wrong("login-readable");
    }
    let text = fs::read_to_string(&path).ok().filter(|_| about.len() <= LOGIN_BYTES_MAX);
    let text = Zeroizing::new(text.unwrap_or_default());
    let mut lines = text.lines();
    match (lines.next(), lines.next(), lines.next()) {
        (Some(name), Some(password), None) if !name.is_empty() && !password.is_empty() => {
            Ok(Some(Credentials::new(name.to_owned(), password.to_owned())))
        }
        _ => {
            tracing::error!("{} holds no name and password of one line each", path.display());
            wrong("login-unreadable")
        }
    }
}
