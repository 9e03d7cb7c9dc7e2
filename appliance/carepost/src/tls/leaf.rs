//! The certificate that the box shows, made anew while serving when its addresses change or its
//! time runs out. Its key lives in memory only.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::authority::{Authority, is_local, later};
use super::{Fingerprint, TlsError};

/// As many addresses as go into one certificate; a box has a handful.
pub const ADDRESSES_MAX: usize = 64;
const LEAF_LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);
const RENEW_BEFORE_END: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The local addresses of this machine's network interfaces, loopback left out: where tablets
/// find the box.
///
/// # Errors
/// If the system does not tell.
pub fn local_addresses() -> io::Result<Vec<IpAddr>> {
    let found: BTreeSet<IpAddr> = if_addrs::get_if_addrs()?
        .into_iter()
        .map(|interface| interface.ip())
        .filter(|address| is_local(*address) && !address.is_loopback())
        .collect();
    Ok(found.into_iter().take(ADDRESSES_MAX).collect())
}

/// How the TLS listener speaks: TLS 1.2 and 1.3 by ring, HTTP/2 and HTTP/1.1, and always the
/// certificate that is current when a client comes.
///
/// # Errors
/// If the cryptography does not support the protocol versions.
pub fn server_config(certificate: Arc<LanCertificate>) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// The authority and the certificate that it last issued to the box.
pub struct LanCertificate {
    authority: Authority,
    current: RwLock<Issued>,
}

struct Issued {
    key: Arc<CertifiedKey>,
    addresses: BTreeSet<IpAddr>,
    made: Timestamp,
    not_after: Timestamp,
}

impl LanCertificate {
    /// Issues the first certificate for all names of the authority, loopback, and those of
    /// `addresses` that are local.
    ///
    /// # Errors
    /// If the authority has ended.
    pub fn new(
        authority: Authority,
        addresses: &[IpAddr],
        now: Timestamp,
    ) -> Result<Self, TlsError> {
        let issued = issue(&authority, usable(addresses), now)?;
        Ok(Self { authority, current: RwLock::new(issued) })
    }

    /// Issues a new certificate if the addresses changed, if fewer than 30 days are left, or if
    /// the clock went back before the current one was made. To be called every minute or so.
    /// Answers whether a new one was issued; connections that are open keep the old one.
    ///
    /// # Errors
    /// If the authority has ended; the current certificate stays.
    pub fn refresh(&self, addresses: &[IpAddr], now: Timestamp) -> Result<bool, TlsError> {
        let addresses = usable(addresses);
        {
            let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
            // A certificate that ends with the authority cannot be made to last longer.
            let last = current.not_after >= self.authority.not_after() && now < current.not_after;
            let fresh = last || later(now, RENEW_BEFORE_END) < current.not_after;
            if fresh && now >= current.made && addresses == current.addresses {
                return Ok(false);
            }
        }
        let issued = issue(&self.authority, addresses, now)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = issued;
        Ok(true)
    }

    /// When the current certificate ends.
    pub fn not_after(&self) -> Timestamp {
        self.current.read().unwrap_or_else(PoisonError::into_inner).not_after
    }

    /// The authority behind it.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).key)
    }
}

impl ResolvesServerCert for LanCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // Clients that come by address send no name, so the name cannot decide.
        Some(self.current())
    }
}

impl fmt::Debug for LanCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fingerprint: Fingerprint = self.authority.fingerprint();
        write!(f, "LanCertificate(authority {fingerprint}, until {})", self.not_after())
    }
}

fn usable(addresses: &[IpAddr]) -> BTreeSet<IpAddr> {
    let mut usable: BTreeSet<IpAddr> =
        addresses.iter().copied().filter(|a| is_local(*a)).take(ADDRESSES_MAX).collect();
    usable.extend([IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)]);
    usable
}

fn issue(
    authority: &Authority,
    addresses: BTreeSet<IpAddr>,
    now: Timestamp,
) -> Result<Issued, TlsError> {
    let (certificate, private, not_after) =
        authority.issue(authority.names(), addresses.iter().copied(), LEAF_LIFE, now)?;
    let key = ring::sign::any_supported_type(&private)?;
    let key = Arc::new(CertifiedKey::new(vec![certificate], key));
    Ok(Issued { key, addresses, made: now, not_after })
}
