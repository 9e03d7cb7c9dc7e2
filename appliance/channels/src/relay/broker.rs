//! Where the broker is, and how to be let in.

use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// A broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Its name or address; an IPv6 address in brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// As whom to be let in, if not by a certificate.
    pub login: Option<Login>,
    /// With TLS. Without it, topics and the password can be read on the way; messages are sealed in any case.
    pub tls: Option<Tls>,
}

/// A name and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub name: String,
    /// The password.
    pub password: Zeroizing<String>,
}

/// Whom to believe, and how to be known, by files in PEM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The authority that vouches for the broker; those of the machine if there is none.
    pub authority: Option<PathBuf>,
    /// The certificate of this end, with those that vouch for it.
    pub certificate: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
}

/// The certificate of who vouches for the broker, in a folder of keys, if the machine does not know it.
pub const AUTHORITY: &str = "relay-authority.pem";
/// The certificate of this end for the broker, in a folder of keys, if it wants one.
pub const CERTIFICATE: &str = "relay-certificate.pem";
/// The key of that.
pub const KEY: &str = "relay-key.pem";

impl Tls {
    /// As the files of a folder of keys say, as far as they are there.
    pub fn of_folder(keys: &Path) -> Self {
        let is_there = |name: &str| Some(keys.join(name)).filter(|path| path.exists());
        Self {
            authority: is_there(AUTHORITY),
            certificate: is_there(CERTIFICATE),
            key: is_there(KEY),
        }
    }
}

/// Not the address of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write the broker as mqtts://broker.example:8883, or mqtt:// without TLS")]
pub struct BadBroker;

impl Broker {
    /// The broker at `mqtt://host[:1883]` or `mqtts://host[:8883]`. Passwords do not belong in addresses.
    ///
    /// # Errors
    /// [`BadBroker`].
    pub fn parse(address: &str) -> Result<Self, BadBroker> {
        let (rest, tls, usual) = match address.trim().split_once("://") {
            Some(("mqtt", rest)) => (rest, None, 1883),
            Some(("mqtts", rest)) => (rest, Some(Tls::default()), 8883),
            Some(_) | None => return Err(BadBroker),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let end_of_host = if rest.starts_with('[') {
            rest.find(']').map(|at| at + 1).ok_or(BadBroker)?
        } else {
            rest.find(':').unwrap_or(rest.len())
        };
        let (host, port) = rest.split_at(end_of_host);
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().map_err(|_| BadBroker)?,
            None if port.is_empty() => usual,
            None => return Err(BadBroker),
        };
        let is_host = (1..=253).contains(&host.len())
            && host.bytes().all(|it| it.is_ascii_alphanumeric() || b".-_[]:".contains(&it));
        if !is_host || port == 0 {
            return Err(BadBroker);
        }
        Ok(Self { host: host.to_owned(), port, login: None, tls })
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_named_by_its_address() {
        let plain = Broker::parse("mqtt://127.0.0.1:1884").unwrap();
        assert_eq!((plain.host.as_str(), plain.port, plain.tls), ("127.0.0.1", 1884, None));
        let sealed = Broker::parse("mqtts://broker.example/").unwrap();
        assert_eq!((sealed.host.as_str(), sealed.port), ("broker.example", 8883));
        assert!(sealed.tls.is_some());
        assert_eq!(Broker::parse("mqtts://[::1]:99").unwrap().host, "[::1]");
        for wrong in [
            "broker.example",
            "http://broker.example",
            "mqtt://",
            "mqtt://user:secret@broker.example",
            "mqtt://broker.example:0",
            "mqtt://broker.example:123456",
            "mqtt://broker.example/path",
            "mqtts://[::1",
        ] {
            assert_eq!(Broker::parse(wrong), Err(BadBroker), "{wrong}");
        }
    }
}
