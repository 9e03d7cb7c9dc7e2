//! Who asks: a program by its bearer token, a person by the session cookie, a kiosk or a board
//! by its own cookie; everybody else is nobody.
//!
//! Invariant: a cookie alone changes nothing: requests other than GET need a header that pages
//! of other sites cannot send.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, HeaderMap, HeaderValue};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use fhir::scope::Scopes;
use prm::device::{self, Status};
use prm::error::Error;
use prm::stamp::{Actor, Channel, Role, Stamp};
use prm::{staff, token};

use super::error::Problem;
use super::known::{Shown, Who};
use crate::app::App;
use crate::connections::Scheme;

/// The cookie of a person's session.
pub const SESSION_COOKIE: &str = "carepost_session";
/// The cookie of a kiosk or a board.
pub const DEVICE_COOKIE: &str = "carepost_device";
/// The header that pages of other sites cannot send.
pub const CSRF_HEADER: &str = "x-carepost-csrf";

/// Who asks, with the stamp for the verbs.
#[derive(Clone, Copy, Debug)]
pub struct Caller(pub Stamp);

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        caller(app, &parts.headers).await
    }
}

/// Who the headers of a request belong to.
///
/// # Errors
/// 401 for a bearer token that is not good, 403 for one that is narrowed to scopes of FHIR; wrong cookies
/// are nobody's.
pub async fn caller(app: &App, headers: &HeaderMap) -> Result<Caller, Problem> {
    match narrowed_caller(app, headers).await? {
        (caller, None) => Ok(caller),
        (_, Some(_)) => {
            let what = "this token is narrowed to scopes of FHIR and good under /fhir only";
            Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", what))
        }
    }
}

/// Who the headers of a request belong to, and the scopes to which a token is narrowed.
///
/// # Errors
/// 401 for a bearer token that is not good; wrong cookies are nobody's.
pub async fn narrowed_caller(
    app: &App,
    headers: &HeaderMap,
) -> Result<(Caller, Option<Scopes>), Problem> {
    let now = app.now();
    let stamped = |(actor, role, channel, scopes): Who| {
        Ok((Caller(Stamp { actor, role, channel, now }), scopes))
    };
    if let Some(value) = headers.get(AUTHORIZATION) {
        let bearer = value.to_str().ok().and_then(|text| text.split_once(' '));
        let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let text = bearer.map(|(_, text)| text.trim().to_owned()).ok_or(Error::Unknown)?;
        let shown = Shown::new("bearer", &text);
        let identities = app.db.identities();
        if let Some(who) = app.known.recall(shown, now, identities) {
            return stamped(who);
        }
        let token = app.db.read(move |read| token::authenticate(read, &text, now)).await?;
        let token = token.ok_or(Error::Unknown)?;
        let scopes = token.scopes.as_deref().map(Scopes::parse).transpose();
        let unreadable = |_| Error::Storage("the scopes of a token cannot be read".into());
        let who = (Actor::Token(token.id), token.role, Channel::Api, scopes.map_err(unreadable)?);
        app.known.remember(shown, who, now, identities);
        return stamped(who);
    }
    if let Some(text) = cookie(headers, SESSION_COOKIE) {
        let shown = Shown::new(SESSION_COOKIE, text);
        let identities = app.db.identities();
        if let Some(who) = app.known.recall(shown, now, identities) {
            return stamped(who);
        }
        let text = text.to_owned();
        let found = app.db.read(move |read| staff::session(read, &text, now)).await?;
        if let Some(person) = found {
            let who = (Actor::Staff(person.id), person.role, Channel::Desk, None);
            app.known.remember(shown, who, now, identities);
            return stamped(who);
        }
    }
    if let Some(text) = cookie(headers, DEVICE_COOKIE) {
        let shown = Shown::new(DEVICE_COOKIE, text);
        let identities = app.db.identities();
        if let Some(who) = app.known.recall(shown, now, identities) {
            return stamped(who);
        }
        if let Some(device) = device(app, headers).await?
            && device.status == Status::Paired
        {
            let who = (Actor::Device(device.id), Role::Kiosk, Channel::Kiosk, None);
            app.known.remember(shown, who, now, identities);
            return stamped(who);
        }
    }
    stamped((Actor::Nobody, Role::Nobody, Channel::Api, None))
}

/// The kiosk or board whose cookie came, however far it is.
///
/// # Errors
/// If the database cannot be read.
pub async fn device(app: &App, headers: &HeaderMap) -> Result<Option<device::Device>, Problem> {
    let Some(text) = cookie(headers, DEVICE_COOKIE).map(str::to_owned) else { return Ok(None) };
    let now = app.now();
    Ok(app.db.read(move |read| device::authenticate(read, &text, now)).await?)
}

/// The value of a cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// A `Set-Cookie` that only the box can read; over HTTPS it is never sent in the clear.
/// `seconds` 0 removes the cookie.
pub fn set_cookie(name: &str, value: &str, seconds: i64, scheme: Option<Scheme>) -> HeaderValue {
    let secure = if scheme == Some(Scheme::Tls) { "; Secure" } else { "" };
    let text =
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).expect("invariant: cookies are made of base64 letters")
}

/// Where a request came from, for counting tries: the address, of IPv6 the network, because one
/// home has a whole one.
#[derive(Clone, Debug)]
pub struct Source {
    /// The address as text.
    pub place: String,
    /// How it came in, if it came through a door.
    pub scheme: Option<Scheme>,
}

impl<S: Send + Sync> FromRequestParts<S> for Source {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        Ok(Self { place: place(address), scheme: parts.extensions.get::<Scheme>().copied() })
    }
}

fn place(address: Option<IpAddr>) -> String {
    match address.map(|address| address.to_canonical()) {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
    }
}

/// Refuses requests that change something, bring a cookie of ours and lack the header that only
/// our own screens send.
pub async fn refuse_forged(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let brings_cookie =
        cookie(headers, SESSION_COOKIE).is_some() || cookie(headers, DEVICE_COOKIE).is_some();
    let says_so = headers.get(CSRF_HEADER).is_some_and(|value| value == "1");
    if !reads && brings_cookie && !says_so && !headers.contains_key(AUTHORIZATION) {
        return Problem::new(
            StatusCode::FORBIDDEN,
            "csrf",
            "send the header X-Carepost-CSRF: 1 with every request that changes something",
        )
        .into_response();
    }
    next.run(request).await
}

/// Refuses requests for host names that the box cannot have, so that a page of somebody else
/// cannot point its own name at the box (DNS rebinding).
pub async fn refuse_other_hosts(State(app): State<App>, request: Request, next: Next) -> Response {
    let named = request.uri().authority().map(|authority| authority.as_str().to_owned());
    let header = request.headers().get(HOST).and_then(|value| value.to_str().ok());
    let host = named.or_else(|| header.map(str::to_owned));
    let is_program = request.headers().contains_key(AUTHORIZATION);
    match host {
        Some(host) if !is_program && !may_be_ours(&host, &app.config.http.hosts) => Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "wrong_host",
            "open the box by its address, as localhost, by its name in .local or .home.arpa, or by a name of the setting http.hosts",
        )
        .into_response(),
        Some(_) | None => next.run(request).await,
    }
}

/// Whether the settings name this host, whatever its port.
pub(super) fn is_named(host: &str, named: &[String]) -> bool {
    named.contains(&name_of(host))
}

fn name_of(host: &str) -> String {
    host.split(':').next().unwrap_or("").trim_end_matches('.').to_ascii_lowercase()
}

/// Names that no public name server answers for, addresses, and the names that the settings say.
pub(super) fn may_be_ours(host: &str, named: &[String]) -> bool {
    if host.starts_with('[') {
        return true;
    }
    let name = name_of(host);
    name.parse::<IpAddr>().is_ok()
        || !name.contains('.')
        || is_named(host, named)
        || [".local", ".home.arpa", ".internal", ".localhost"].iter().any(|end| name.ends_with(end))
}
