//! What FHIR says about HTTP (<https://hl7.org/fhir/R4/http.html>): who asks, the base address, the
//! media type, versions in headers, and a resource as a response.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{
    ACCEPT, CONTENT_TYPE, ETAG, HOST, HeaderMap, HeaderName, HeaderValue, IF_MATCH, LAST_MODIFIED,
    LOCATION,
};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use fhir::{Issue, IssueCode, Outcome, Resource, structure};
use jiff::Timestamp;
use prm::stamp::Stamp;

use super::FHIR_JSON;
use super::fault::{Answer, Fault};
use crate::app::App;
use crate::connections::Scheme;
use crate::http::auth;
use crate::http::json;

/// The header with the search under which a resource is created only if there is none.
pub const IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");
/// The header that says what the answer is to hold.
const PREFER: HeaderName = HeaderName::from_static("prefer");

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
}

impl FromRequestParts<App> for Asked {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let auth::Caller(stamp) = auth::caller(app, &parts.headers).await?;
        let query = parts.uri.query().unwrap_or_default().to_owned();
        is_json_wanted(&parts.headers, &query)?;
        let scheme = match parts.extensions.get::<Scheme>() {
            Some(Scheme::Tls) => "https",
            Some(Scheme::Plain) | None => "http",
        };
        let base = format!("{scheme}://{}/fhir", host(&parts.uri, &parts.headers));
        Ok(Self { stamp, base, headers: parts.headers.clone(), query })
    }
}

impl Asked {
    /// The version that the caller has seen, from `If-Match`.
    pub fn seen(&self) -> Answer<Option<i64>> {
        let Some(value) = self.headers.get(IF_MATCH) else { return Ok(None) };
        let number = value.to_str().ok().and_then(|text| {
            let quoted = text.trim().strip_prefix("W/").unwrap_or(text.trim());
            quoted.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
        });
        number.map(Some).ok_or_else(|| {
            let what = "If-Match holds the ETag of one version, for example W/\"3\"";
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

    fn preference(&self, name: &str) -> Option<&str> {
        let wishes = self.headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        wishes
            .flat_map(|text| text.split([',', ';']))
            .filter_map(|wish| wish.trim().split_once('='))
            .find_map(|(key, value)| (key.trim() == name).then(|| value.trim()))
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

impl<S: Send + Sync> FromRequest<S> for Given {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Answer<Self> {
        valid(&body(request).await?).map(Self)
    }
}

/// The bytes of a body that says it is FHIR's JSON.
pub async fn body(mut request: Request) -> Answer<Bytes> {
    let said = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = said.and_then(|text| text.split(';').next()).map(str::trim).unwrap_or_default();
    if !["application/fhir+json", "application/json", "application/json-patch+json", "text/json"]
        .contains(&kind)
    {
        let what = "send FHIR's JSON with Content-Type: application/fhir+json";
        return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, IssueCode::NotSupported, what));
    }
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(json::json_bytes(request).await?)
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
    let resource = fhir::json::parse(bytes)?;
    let issues = structure::validate(&resource);
    if issues.is_empty() { Ok(resource) } else { Err(Outcome { issues }.into()) }
}

fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> &'a str {
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
    /// Its version.
    pub version: i64,
    /// When the version was made.
    pub updated: Timestamp,
    /// Where it was created.
    pub location: Option<String>,
    /// What the answer holds.
    pub returns: Returns,
}

impl IntoResponse for Shown {
    fn into_response(self) -> Response {
        let Self { status, resource, version, updated, location, returns } = self;
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
        put(ETAG, &format!("W/\"{version}\""));
        put(LAST_MODIFIED, &updated.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
        if let Some(location) = location {
            put(LOCATION, &location);
        }
        response
    }
}

/// Any resource of FHIR's own making as an answer: a bundle, an outcome.
pub fn plain(status: StatusCode, value: &serde_json::Value) -> Response {
    let kind = HeaderValue::from_static(FHIR_JSON);
    (status, [(CONTENT_TYPE, kind)], value.to_string()).into_response()
}
