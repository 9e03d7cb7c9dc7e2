//! What FHIR says about HTTP (<https://hl7.org/fhir/R4/http.html>): who asks, the base address, the
//! media type, versions in headers, and a resource as a response.

use std::time::Duration;

use axum::body::{Bytes, HttpBody as _};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{
    ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HOST, HeaderMap, HeaderName, HeaderValue, IF_MATCH,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION,
};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use fhir::bundle::{self, Submission};
use fhir::json::RESOURCE_VALUES_MAX;
use fhir::{Issue, IssueCode, Outcome, Resource, structure};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use jiff::Timestamp;
use prm::error::Error;
use prm::given;
use prm::id::RequestId;
use prm::stamp::Role;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::FHIR_JSON;
use super::fault::{Answer, Fault};
use super::gate;
use super::reader;
use super::records::Found;
use super::stamp::Stamp;
use crate::app::App;
use crate::connections::Scheme;
use crate::http::{BODY_BYTES_MAX, auth, json};

/// The header with the search under which a resource is created only if there is none.
const IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");
/// The header that says what the answer is to hold.
const PREFER: HeaderName = HeaderName::from_static("prefer");

/// As large as one resource may be, in bytes.
pub const RESOURCE_BYTES_MAX: usize = given::BODY_BYTES_MAX;
/// Bundles of more than [`BODY_BYTES_MAX`] that are worked on at once: read, one takes many times its
/// bytes.
const LARGE_AT_ONCE: usize = 1;
/// Resources of more than [`BODY_BYTES_MAX`] that arrive at once.
const LARGE_RESOURCES_AT_ONCE: usize = 4;
/// As long may a large bundle or resource take to arrive.
const LARGE_TIME_MAX: Duration = Duration::from_secs(120);

static LARGE: Semaphore = Semaphore::const_new(LARGE_AT_ONCE);
static LARGE_RESOURCES: Semaphore = Semaphore::const_new(LARGE_RESOURCES_AT_ONCE);

/// Everything about a request but its path and body.
#[derive(Clone)]
pub struct Asked {
    /// Who asks.
    pub stamp: Stamp,
    /// The address under which the box serves FHIR, as the caller wrote it.
    pub base: String,
    /// The headers.
    pub headers: HeaderMap,
    /// What follows the `?`.
    pub query: String,
    /// The request of the hub that it is, which is done once.
    pub request: Option<RequestId>,
}

impl FromRequestParts<App> for Asked {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let (auth::Caller(stamp), scopes) = auth::narrowed_caller(app, &parts.headers).await?;
        let stamp = Stamp::new(stamp, scopes);
        gate::pass(&stamp, parts).await?;
        let query = parts.uri.query().unwrap_or_default().to_owned();
        is_json_wanted(&parts.headers, &query)?;
        let base = address(app, parts);
        Ok(Self { stamp, base, headers: parts.headers.clone(), query, request: None })
    }
}

impl Asked {
    /// What is asked by no request of HTTP: files that are imported, what the hub asks for.
    pub fn alone(stamp: Stamp) -> Self {
        let (base, query) = (String::new(), String::new());
        Self { stamp, base, headers: HeaderMap::new(), query, request: None }
    }

    /// The version that the caller has seen, from `If-Match`.
    pub fn seen(&self) -> Answer<Option<i64>> {
        let Some(value) = self.headers.get(IF_MATCH) else { return Ok(None) };
        value.to_str().ok().and_then(etag).map(Some).ok_or_else(|| {
            let what = "If-Match holds the ETag of one version, for example W/\"3\"";
            Fault::new(StatusCode::BAD_REQUEST, IssueCode::Value, what)
        })
    }

    /// What the caller has already, from `If-None-Match` and `If-Modified-Since`.
    pub fn unless(&self) -> Unless {
        let text = |name| self.headers.get(name).and_then(|value| value.to_str().ok());
        Unless::of(text(IF_NONE_MATCH), text(IF_MODIFIED_SINCE))
    }

    /// Whether something is to be written only if there is none yet (`If-None-Match: *`).
    pub fn only_new(&self) -> bool {
        self.headers.get(IF_NONE_MATCH).is_some_and(|value| value.as_bytes().trim_ascii() == b"*")
    }

    /// The search under which a resource is created only if it finds none. Some clients say it after
    /// the `?` and not in the header of the standard.
    pub fn unless_there(&self) -> Answer<Option<String>> {
        let mut pairs = self.query.split('&');
        let is_said = pairs.any(|pair| !pair.is_empty() && !is_of_format(pair));
        let said = is_said.then(|| self.query.clone());
        let Some(value) = self.headers.get(IF_NONE_EXIST) else { return Ok(said) };
        let text = value.to_str().ok().filter(|_| said.is_none()).map(str::to_owned);
        text.map(Some).ok_or_else(|| {
            let what = "say in If-None-Exist alone, in ASCII, what there must not be yet";
            Fault::new(StatusCode::BAD_REQUEST, IssueCode::Value, what)
        })
    }

    /// What the answer to a write is to hold.
    pub fn returns(&self) -> Returns {
        match self.preference("return") {
            Some("minimal") => Returns::Minimal,
            Some("OperationOutcome") => Returns::Outcome,
            Some(_) | None => Returns::Resource,
        }
    }

    /// Whether what is not understood in a search is refused.
    pub fn is_strict(&self) -> bool {
        self.preference("handling") == Some("strict")
    }

    /// Whether what is not understood is to be passed over.
    pub fn is_lenient(&self) -> bool {
        self.preference("handling") == Some("lenient")
    }

    /// Whether the caller prefers this, a word without a value.
    pub fn prefers(&self, word: &str) -> bool {
        let wishes = self.headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        wishes.flat_map(|text| text.split([',', ';'])).any(|wish| wish.trim() == word)
    }

    fn preference(&self, name: &str) -> Option<&str> {
        let wishes = self.headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        wishes
            .flat_map(|text| text.split([',', ';']))
            .filter_map(|wish| wish.trim().split_once('='))
            .find_map(|(key, value)| (key.trim() == name).then(|| value.trim()))
    }
}

/// The version that an ETag of FHIR names, such as `W/"3"`.
pub fn etag(text: &str) -> Option<i64> {
    let quoted = text.trim().strip_prefix("W/").unwrap_or(text.trim());
    quoted.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

/// A version that the caller has: if it is still the newest, it is not sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unless {
    version: Option<i64>,
    since: Option<Timestamp>,
}

impl Unless {
    /// What an ETag and a date say, in the form of HTTP or as an instant of FHIR. What cannot be read
    /// is no condition (RFC 9110, section 13.1).
    pub fn of(none_match: Option<&str>, modified_since: Option<&str>) -> Self {
        let date = |text: &str| {
            let http = jiff::fmt::rfc2822::parse(text).map(|date| date.timestamp());
            http.ok().or_else(|| text.parse().ok())
        };
        Self {
            // Some clients send the version as it stands in `meta`, without the quotes of an ETag.
            version: none_match.and_then(|text| etag(text).or_else(|| text.trim().parse().ok())),
            // An ETag says more than a date.
            since: modified_since.filter(|_| none_match.is_none()).and_then(date),
        }
    }

    /// Whether the caller has this.
    pub fn is_known(&self, found: &Found) -> bool {
        let Some((version, updated)) = found.at else { return false };
        self.version == Some(version)
            // Dates of HTTP have whole seconds.
            || self.since.is_some_and(|since| updated.as_second() <= since.as_second())
    }
}

/// What the answer to a write holds (`Prefer: return=`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// Nothing.
    Minimal,
    /// The resource as it was written.
    Resource,
    /// A word that it was done.
    Outcome,
}

/// A resource that came in, read and found to be valid R4.
pub struct Given(pub Resource);

impl FromRequest<App> for Given {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &App) -> Answer<Self> {
        let (auth::Caller(stamp), _) = auth::narrowed_caller(app, request.headers()).await?;
        is_known(stamp.role)?;
        is_json_said(&request)?;
        let (bytes, _turn) = arrived(request, RESOURCE_BYTES_MAX, &LARGE_RESOURCES).await?;
        valid(&bytes).map(Self)
    }
}

/// A stranger does not make the box read much.
fn is_known(role: Role) -> Answer<()> {
    if role == Role::Nobody { Err(Error::Unknown.into()) } else { Ok(()) }
}

/// The bytes of a body, and the turn of a large one, which is given back when it is done.
async fn arrived(
    request: Request,
    most: usize,
    turns: &'static Semaphore,
) -> Answer<(Bytes, Option<SemaphorePermit<'static>>)> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced: Option<usize> = announced.and_then(|text| text.parse().ok());
    let known = || usize::try_from(request.body().size_hint().exact()?).ok();
    let announced = announced.or_else(known);
    let too_large = || {
        let what = format!("this has at most {most} bytes; send less at once");
        Fault::new(StatusCode::PAYLOAD_TOO_LARGE, IssueCode::TooLong, what)
    };
    if announced.is_some_and(|bytes| bytes > most) {
        return Err(too_large());
    }
    let turn = match announced {
        Some(bytes) if bytes <= BODY_BYTES_MAX => None,
        Some(_) | None => Some(turns.try_acquire().map_err(|_| Error::Busy)?),
    };
    let body = Limited::new(request.into_body(), most).collect();
    match timeout(LARGE_TIME_MAX, body).await {
        Ok(Ok(body)) => Ok((body.to_bytes(), turn)),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => {
            let what = "the body did not arrive whole";
            Err(Fault::new(StatusCode::BAD_REQUEST, IssueCode::Invalid, what))
        }
        Err(_) => {
            let what = format!("the body took more than {} seconds", LARGE_TIME_MAX.as_secs());
            Err(Fault::new(StatusCode::REQUEST_TIMEOUT, IssueCode::Timeout, what))
        }
    }
}

/// The bytes of a body that says it is FHIR's JSON.
pub async fn body(mut request: Request) -> Answer<Bytes> {
    is_json_said(&request)?;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(json::json_bytes(request).await?)
}

fn is_json_said(request: &Request) -> Answer<()> {
    let said = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = said.and_then(|text| text.split(';').next()).map(str::trim).unwrap_or_default();
    if ["application/fhir+json", "application/json", "application/json-patch+json", "text/json"]
        .contains(&kind)
    {
        return Ok(());
    }
    let what = "send FHIR's JSON with Content-Type: application/fhir+json";
    Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, IssueCode::NotSupported, what))
}

/// A batch or a transaction, and the turn of a large one, which is given back when it is done.
pub async fn bundle(
    asked: &Asked,
    request: Request,
) -> Answer<(Submission, Option<SemaphorePermit<'static>>)> {
    is_known(asked.stamp.role)?;
    is_json_said(&request)?;
    let (bytes, turn) = arrived(request, bundle::BYTES_MAX, &LARGE).await?;
    Ok((reader::read(bytes, turn.is_some()).await??, turn))
}

/// The text of a body that is a form: a search by POST.
pub async fn form(mut request: Request) -> Answer<String> {
    let said = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = said.and_then(|text| text.split(';').next()).map(str::trim).unwrap_or_default();
    if kind != "application/x-www-form-urlencoded" {
        let what = "a search by POST is a form: application/x-www-form-urlencoded";
        return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, IssueCode::NotSupported, what));
    }
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let bytes = json::json_bytes(request).await?;
    String::from_utf8(bytes.to_vec())
        .map_err(|_| Fault::new(StatusCode::BAD_REQUEST, IssueCode::Value, "the form is not UTF-8"))
}

/// The resource in these bytes, if it is valid R4.
pub fn valid(bytes: &[u8]) -> Answer<Resource> {
    let resource = fhir::json::parse_within(bytes, RESOURCE_VALUES_MAX)?;
    let issues = structure::validate(&resource);
    if issues.is_empty() { Ok(resource) } else { Err(Outcome { issues }.into()) }
}

/// Whether a pair of a query says only how the answer is written.
fn is_of_format(pair: &str) -> bool {
    ["_format", "_pretty"].contains(&pair.split('=').next().unwrap_or_default())
}

/// The address of FHIR as the caller wrote it. Before the public names of the box stands a proxy that has a
/// certificate for them.
pub fn address(app: &App, parts: &Parts) -> String {
    let host = host(parts);
    let is_public = auth::is_named(host, &app.config.http.hosts);
    let scheme = match parts.extensions.get::<Scheme>() {
        Some(Scheme::Tls) => "https",
        Some(Scheme::Plain) | None if is_public => "https",
        Some(Scheme::Plain) | None => "http",
    };
    format!("{scheme}://{host}/fhir")
}

/// The name or address under which the caller reached the box, with its port.
pub fn host(parts: &Parts) -> &str {
    named_host(&parts.uri, &parts.headers)
}

fn named_host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> &'a str {
    let named = uri.authority().map(axum::http::uri::Authority::as_str);
    let header = headers.get(HOST).and_then(|value| value.to_str().ok());
    named.or(header).unwrap_or("localhost")
}

/// Refuses who wants anything but JSON. `_format` goes before `Accept`.
fn is_json_wanted(headers: &HeaderMap, query: &str) -> Answer<()> {
    let is_json = |kind: &str| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.is_empty() || kind == "*/*" || kind == "application/*" || kind.contains("json")
    };
    let format = query.split('&').find_map(|pair| pair.strip_prefix("_format="));
    let fits = match format {
        Some(format) => is_json(format),
        None => headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(','))
            .map(is_json)
            .reduce(|one, other| one || other)
            .unwrap_or(true),
    };
    if fits {
        return Ok(());
    }
    let what = "the box speaks FHIR as JSON only: Accept: application/fhir+json";
    Err(Fault::new(StatusCode::NOT_ACCEPTABLE, IssueCode::NotSupported, what))
}

/// A resource as an answer, with its version and when it was made.
pub struct Shown {
    /// 200 or 201.
    pub status: StatusCode,
    /// The resource.
    pub resource: Resource,
    /// Its version and when that was made; none of what is computed.
    pub at: Option<(i64, Timestamp)>,
    /// Where it was created.
    pub location: Option<String>,
    /// What the answer holds.
    pub returns: Returns,
}

impl IntoResponse for Shown {
    fn into_response(self) -> Response {
        let Self { status, resource, at, location, returns } = self;
        let body = match returns {
            Returns::Minimal => Vec::new(),
            Returns::Resource => resource.to_vec(),
            Returns::Outcome => {
                let done = Outcome { issues: vec![Issue::information("done")] };
                done.to_json().to_string().into_bytes()
            }
        };
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(FHIR_JSON));
        let mut put = |name: HeaderName, text: &str| {
            // Ids and dates are plain ASCII; a host name that is not was refused before.
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(name, value);
            }
        };
        if let Some((version, updated)) = at {
            put(ETAG, &format!("W/\"{version}\""));
            put(LAST_MODIFIED, &http_date(updated));
        }
        if let Some(location) = location {
            put(LOCATION, &location);
        }
        response
    }
}

/// A time as HTTP writes it (RFC 9110, section 5.6.7).
fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Any resource of FHIR's own making as an answer: a bundle, an outcome.
pub fn plain(status: StatusCode, value: &serde_json::Value) -> Response {
    let kind = HeaderValue::from_static(FHIR_JSON);
    (status, [(CONTENT_TYPE, kind)], value.to_string()).into_response()
}
