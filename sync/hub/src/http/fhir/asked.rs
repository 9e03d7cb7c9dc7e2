//! Who asks, of which clinic, and how the answer is wanted.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::header::{
    ACCEPT, AUTHORIZATION, HOST, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH,
};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use fhir::IssueCode;
use fhir::scope::Scopes;
use uuid::Uuid;

use super::fault::{Answer, Fault};
use crate::hub::Hub;
use crate::store;
use crate::token;

/// The header in which a client says how it wants to be answered.
const PREFER: HeaderName = HeaderName::from_static("prefer");

/// Everything about a request but its path and body, from somebody who may ask this clinic's records.
#[derive(Clone)]
pub struct Asked {
    /// The clinic.
    pub clinic: [u8; 16],
    /// The id of the token.
    pub token: [u8; 16],
    /// What the token is good for.
    pub scopes: Scopes,
    /// The address under which the clinic's records are asked, as the caller wrote it.
    pub base: String,
    /// The headers.
    pub headers: HeaderMap,
    /// What follows the `?`.
    pub query: String,
}

impl FromRequestParts<Arc<Hub>> for Asked {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, hub: &Arc<Hub>) -> Answer<Self> {
        let named = RawPathParams::from_request_parts(parts, hub).await;
        let named = named.ok().and_then(|all| {
            let clinic = all.iter().find(|(name, _)| *name == "clinic");
            Uuid::try_parse(clinic?.1).ok()
        });
        let clinic = named.map(Uuid::into_bytes).ok_or_else(Fault::unknown)?;
        let known = known(hub, clinic, &parts.headers).await?;
        let counted = hub.turns.count(known.id, hub.clock.now_ms());
        counted.map_err(|seconds| Fault::later(StatusCode::TOO_MANY_REQUESTS, seconds))?;
        let scopes = Scopes::parse(&known.scopes).map_err(|error| Fault::failed(&error))?;
        let query = parts.uri.query().unwrap_or_default().to_owned();
        is_json_wanted(&parts.headers, &query)?;
        let base = format!("{}/fhir/{}", origin(hub, parts), Uuid::from_bytes(clinic));
        let token = known.id;
        Ok(Self { clinic, token, scopes, base, headers: parts.headers.clone(), query })
    }
}

/// The good token of the clinic that the headers show.
async fn known(hub: &Arc<Hub>, clinic: [u8; 16], headers: &HeaderMap) -> Answer<store::Token> {
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = shown.and_then(|text| text.split_once(' '));
    let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let hash = bearer.and_then(|(_, text)| token::hash(text.trim())).ok_or_else(Fault::unknown)?;
    let at_work = Arc::clone(hub);
    let found = tokio::task::spawn_blocking(move || {
        at_work.store.read(clinic, |tx| store::token(tx, clinic, hash))
    });
    let found = found.await.map_err(|error| Fault::failed(&error))??;
    found.filter(|it| it.is_good(hub.clock.now_ms())).ok_or_else(Fault::unknown)
}

/// The hub's own address: as the setting says it, else as the caller wrote it.
fn origin(hub: &Hub, parts: &Parts) -> String {
    if let Some(public) = &hub.public_url {
        return public.clone();
    }
    let named = Uri::authority(&parts.uri).map(axum::http::uri::Authority::as_str);
    let header = parts.headers.get(HOST).and_then(|value| value.to_str().ok());
    format!("http://{}", named.or(header).unwrap_or("localhost"))
}

impl Asked {
    /// Whether what is not understood in a search is refused.
    pub fn is_strict(&self) -> bool {
        let wishes = self.headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        wishes
            .flat_map(|text| text.split([',', ';']))
            .filter_map(|wish| wish.trim().split_once('='))
            .any(|(key, value)| key.trim() == "handling" && value.trim() == "strict")
    }

    /// Whether the caller has a resource of this version, last changed then, already
    /// (RFC 9110, section 13.1).
    pub fn knows(&self, version: Option<&str>, updated: Option<jiff::Timestamp>) -> bool {
        let text = |name| self.headers.get(name).and_then(|value| value.to_str().ok());
        match text(IF_NONE_MATCH) {
            Some(seen) => {
                let seen = seen.trim().trim_start_matches("W/").trim_matches('"');
                version.is_some_and(|version| version == seen)
            }
            None => {
                let since = text(IF_MODIFIED_SINCE);
                let since = since.and_then(|it| jiff::fmt::rfc2822::parse(it).ok());
                let whole = |it: jiff::Timestamp| it.as_second();
                since.zip(updated).is_some_and(|(it, at)| whole(at) <= whole(it.timestamp()))
            }
        }
    }
}

/// Refuses who wants anything but JSON. `_format` goes before `Accept`.
fn is_json_wanted(headers: &HeaderMap, query: &str) -> Answer<()> {
    let is_json = |kind: &str| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.is_empty() || kind == "*/*" || kind == "application/*" || kind.contains("json")
    };
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut accepted = accepted.flat_map(|text| text.split(',')).peekable();
    let fits = match query.split('&').find_map(|pair| pair.strip_prefix("_format=")) {
        Some(format) => is_json(format),
        None => accepted.peek().is_none() || accepted.any(is_json),
    };
    if fits {
        return Ok(());
    }
    let what = "the hub speaks FHIR as JSON only: Accept: application/fhir+json";
    Err(Fault::new(StatusCode::NOT_ACCEPTABLE, IssueCode::NotSupported, what))
}
