//! Speaking with the hub by HTTP: only by HTTPS, but on the same machine; answers are bounded.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt as _;

use crate::meter::Meter;

/// How long a connection may take to be made.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// How long an answer may take to be there whole: a megabyte on a slow line.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(120);

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The address is none, or not by HTTPS.
    #[error(
        "a hub has an https address without user, password and query, or a http address on this very machine"
    )]
    Address,
    /// The system has no certificates to trust.
    #[error("the system has no certificates to trust; install ca-certificates")]
    Trust,
    /// No connection, or the answer was cut off or late.
    #[error("the hub does not answer; look at the line and at the hub")]
    NoAnswer,
    /// More was answered than is looked at.
    #[error("the hub answers more than it may; is this the address of a hub?")]
    TooLong,
}

/// Looks whether a text can be the address of a hub; answers it without a slash at the end.
///
/// # Errors
/// [`HttpError::Address`].
pub fn check_address(text: &str) -> Result<String, HttpError> {
    let url = Url::parse(text).map_err(|_| HttpError::Address)?;
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_here = host == "localhost" || literal.is_ok_and(|ip| ip.is_loopback());
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_here);
    if text.len() > prm::hub::URL_BYTES_MAX || host.is_empty() || !is_plain || !is_safe {
        return Err(HttpError::Address);
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// A client that asks hubs.
///
/// # Errors
/// [`HttpError::Trust`].
pub fn client() -> Result<Client, HttpError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let trusting = versions.and_then(|builder| builder.with_platform_verifier());
    let trusting = trusting.map_err(|_| HttpError::Trust)?.with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(trusting)
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIME_MAX)
        .timeout(ANSWER_TIME_MAX)
        .user_agent(concat!("carepost/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|_| HttpError::Trust)
}

/// Sends a body and answers the status and at most `longest` bytes of what came back.
///
/// # Errors
/// [`HttpError`].
pub async fn post(
    (client, meter): (&Client, &Meter),
    url: &str,
    (kind, body): (&'static str, Vec<u8>),
    longest: usize,
) -> Result<(StatusCode, Vec<u8>), HttpError> {
    meter.begin(body.len());
    let request = client.post(url).header(CONTENT_TYPE, kind).body(body);
    let answer = request.send().await.map_err(|_| HttpError::NoAnswer)?;
    let status = answer.status();
    Ok((status, whole(answer, meter, longest).await?))
}

/// Asks with one header more and answers the status and at most `longest` bytes of what came back.
///
/// # Errors
/// [`HttpError`].
pub async fn get(
    (client, meter): (&Client, &Meter),
    url: &str,
    (name, value): (&'static str, String),
    longest: usize,
) -> Result<(StatusCode, Vec<u8>), HttpError> {
    meter.begin(value.len());
    let answer = client.get(url).header(name, value).send().await;
    let answer = answer.map_err(|_| HttpError::NoAnswer)?;
    let status = answer.status();
    Ok((status, whole(answer, meter, longest).await?))
}

async fn whole(mut answer: Response, meter: &Meter, longest: usize) -> Result<Vec<u8>, HttpError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|_| HttpError::NoAnswer)? {
        if bytes.len() + chunk.len() > longest {
            return Err(HttpError::TooLong);
        }
        meter.add(chunk.len());
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_is_asked_by_https_or_on_this_machine() {
        for (text, good) in [
            ("https://hub.example/", Some("https://hub.example")),
            ("https://hub.example/carepost/", Some("https://hub.example/carepost")),
            ("http://127.0.0.1:9000", Some("http://127.0.0.1:9000")),
            ("http://[::1]:9000", Some("http://[::1]:9000")),
            ("http://hub.example", None),
            ("http://192.168.1.4", None),
            ("https://user:secret@hub.example", None),
            ("https://hub.example/?code=1", None),
            ("hub.example", None),
        ] {
            assert_eq!(check_address(text).ok().as_deref(), good, "{text}");
        }
    }
}
