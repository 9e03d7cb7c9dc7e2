//! Asking others by HTTPS, at addresses that somebody else wrote down.
//!
//! Invariant: a name is looked at after it was resolved, and the very address that was looked at is connected to. So
//! nobody leads the box into the clinic's own network, whatever a name server says the second time. No redirect is
//! followed; whoever wants to follow one checks the new address like the first.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use channels::dial::is_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt as _;

/// How long a connection may take to be made.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// Whom the box trusts when it asks: those whom its system trusts.
///
/// # Errors
/// If the system knows nobody.
pub fn trust() -> Result<ClientConfig, &'static str> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let trusting = versions.and_then(|builder| builder.with_platform_verifier());
    Ok(trusting.map_err(|_| "the system has no certificates to trust")?.with_no_client_auth())
}

/// What asks: by HTTPS alone, through no proxy, following no redirect. How long an answer may take is for whoever builds it.
pub fn client(trusting: ClientConfig, names: impl Resolve + 'static) -> ClientBuilder {
    Client::builder()
        .tls_backend_preconfigured(trusting)
        .https_only(true)
        .no_proxy()
        .redirect(Policy::none())
        .dns_resolver(Arc::new(names))
        .connect_timeout(CONNECT_TIME_MAX)
        .user_agent(concat!("carepost/", env!("CARGO_PKG_VERSION")))
}

/// Names as addresses that may be asked.
pub struct Names {
    /// Whether those of private networks may be asked, too.
    pub private_too: bool,
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let private_too = self.private_too;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let may: Vec<SocketAddr> =
                found.filter(|address| private_too || is_public(address.ip())).collect();
            if may.is_empty() {
                return Err(io::Error::other("this name has no public address").into());
            }
            Ok(Box::new(may.into_iter()) as Addrs)
        })
    }
}
