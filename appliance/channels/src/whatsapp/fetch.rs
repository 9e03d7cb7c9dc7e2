//! Where pictures and sounds may be fetched: over HTTPS, from the companies' own hosts, whatever a webhook says;
//! and from the one address that whoever runs the program named for an account, its *home*.

use super::NotWritable;
use crate::heard::Missing;

/// The longest address, in bytes.
const ADDRESS_BYTES_MAX: usize = 4_096;

/// A request for what a message holds: `GET`. It is not to be followed elsewhere, but by the same check anew.
#[derive(Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Where.
    pub address: String,
    /// The header `authorization`, where that host is to have it.
    pub authorization: Option<String>,
    /// Whether it is at the account's home. Only there may it be plain HTTP, and an address that is not public.
    pub at_home: bool,
}

/// Why there is nothing to be fetched from where it was said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotFound {
    /// It will not be there later, either.
    Never(Missing),
    /// Not now: try again.
    Later {
        /// Why, as a code of whoever carries it, or of HTTP.
        code: String,
    },
}

impl std::fmt::Debug for Fetch {
    /// It holds the account's secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fetch(…)")
    }
}

/// Whether an address is below an account's home (scheme, host and port, without a path), and says so plainly.
pub fn is_at(home: Option<&str>, address: &str) -> bool {
    let path = home.and_then(|home| address.strip_prefix(home));
    path.is_some_and(|it| it.starts_with('/'))
        && address.len() <= ADDRESS_BYTES_MAX
        && address.bytes().all(|it| it.is_ascii_graphic())
}

/// The host of an address, if it is one of these or below one that begins with a dot.
///
/// # Errors
/// [`NotWritable`].
pub fn host<'a>(address: &'a str, allowed: &[&str]) -> Result<&'a str, NotWritable> {
    let elsewhere = NotWritable("what a message holds is fetched from its carrier alone");
    let rest = address.strip_prefix("https://").ok_or(elsewhere)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest.get(..end).ok_or(elsewhere)?;
    // No name, no password and no port: a host alone.
    let is_plain = address.len() <= ADDRESS_BYTES_MAX
        && address.bytes().all(|it| it.is_ascii_graphic())
        && host.bytes().all(|it| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'));
    let is_allowed = |it: &&str| host == *it || (it.starts_with('.') && host.ends_with(*it));
    if is_plain && allowed.iter().any(is_allowed) { Ok(host) } else { Err(elsewhere) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_is_one_address_and_not_what_begins_like_it() {
        let home = Some("http://127.0.0.1:80");
        assert!(is_at(home, "http://127.0.0.1:80/media/7?a=b"));
        for wrong in [
            "http://127.0.0.1:8080/media/7",
            "http://127.0.0.1:80@evil.example/",
            "http://127.0.0.1:80",
            "https://127.0.0.1:80/media/7",
            "http://127.0.0.1:80/a b",
        ] {
            assert!(!is_at(home, wrong), "{wrong}");
        }
        assert!(!is_at(None, "http://127.0.0.1:80/media/7"));
    }

    #[test]
    fn nothing_is_fetched_from_elsewhere() {
        let allowed = ["api.example", ".cdn.example"];
        let is_let = |address: &str| host(address, &allowed).is_ok();
        assert!(is_let("https://api.example/a?b=c#d"));
        assert!(is_let("https://media.cdn.example"));
        for wrong in [
            "http://api.example/a",
            "https://api.example:8443/a",
            "https://api.example@127.0.0.1/a",
            "https://127.0.0.1/api.example",
            "https://api.example.evil.example/",
            "https://evilcdn.example/",
            "https://api.example\\@evil.example/",
            "https://API.example/",
            "https://api.example/a b",
            "https:///etc/passwd",
            "file:///etc/passwd",
            "",
        ] {
            assert!(!is_let(wrong), "{wrong}");
        }
    }
}
