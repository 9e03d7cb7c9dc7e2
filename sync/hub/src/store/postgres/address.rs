//! Where a PostgreSQL database is, and who signs in: `postgres://role:password@host/database`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// How long connecting may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// After this long without a word the line is asked whether it still is there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Where a database is, and who signs in. The password is in it: it is never shown.
#[derive(Clone)]
pub struct Address {
    config: Config,
    is_encrypted: bool,
}

/// It is no address of a PostgreSQL database. What was given is not repeated: a password may be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// It cannot be read.
    #[error(
        "give postgres://ROLE:PASSWORD@HOST/DATABASE, or ?host=/run/postgresql for a socket, with what is special in it as %XX"
    )]
    Unreadable,
    /// Nobody is named who signs in.
    #[error("the address names no role; give postgres://ROLE:PASSWORD@HOST/DATABASE")]
    NoRole,
    /// No database is named.
    #[error("the address names no database; give postgres://ROLE:PASSWORD@HOST/DATABASE")]
    NoDatabase,
    /// It would go in clear over a network.
    #[error("without TLS only a database on this machine is spoken to; leave out sslmode")]
    InClear,
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        if !["postgres://", "postgresql://"].iter().any(|it| text.starts_with(it)) {
            return Err(BadAddress::Unreadable);
        }
        let mut config: Config = text.parse().map_err(|_| BadAddress::Unreadable)?;
        if config.get_user().is_none_or(str::is_empty) {
            return Err(BadAddress::NoRole);
        }
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(BadAddress::NoDatabase);
        }
        let is_here = is_on_this_machine(&config);
        let wanted = config.get_ssl_mode();
        if wanted == SslMode::Disable && !is_here {
            return Err(BadAddress::InClear);
        }
        // To prefer TLS would be to go on in clear with whoever says that it knows none.
        let is_encrypted = !is_here || wanted == SslMode::Require;
        config
            .ssl_mode(if is_encrypted { SslMode::Require } else { SslMode::Disable })
            .connect_timeout(CONNECT_MAX)
            .keepalives_idle(KEEPALIVE)
            .application_name("carepost-hub");
        Ok(Self { config, is_encrypted })
    }
}

impl Address {
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// Whether it is spoken to with TLS, and its certificate checked.
    pub fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// The role that signs in.
    pub fn role(&self) -> &str {
        self.config.get_user().unwrap_or_default()
    }

    /// The name of the database.
    pub fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or_default()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Address({} of {})", self.database(), self.role())
    }
}

fn is_on_this_machine(config: &Config) -> bool {
    let is_here = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|it: std::net::IpAddr| it.is_loopback())
        }
    };
    config.get_hosts().iter().all(is_here)
        && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<bool, BadAddress> {
        text.parse::<Address>().map(|it| it.is_encrypted())
    }

    #[test]
    fn what_leaves_the_machine_is_encrypted_whatever_is_asked_for() {
        assert_eq!(read("postgres://hub:x@db.example/carepost"), Ok(true));
        assert_eq!(read("postgres://hub:x@db.example/carepost?sslmode=prefer"), Ok(true));
        let in_clear = "postgres://hub:x@db.example/carepost?sslmode=disable";
        assert_eq!(read(in_clear), Err(BadAddress::InClear));
        let elsewhere = "postgres://hub:x@localhost/carepost?hostaddr=10.0.0.7&sslmode=disable";
        assert_eq!(read(elsewhere), Err(BadAddress::InClear));
        assert_eq!(read("postgres://hub@127.0.0.1/carepost"), Ok(false));
        assert_eq!(read("postgres://hub@[::1]/carepost"), Ok(false));
        assert_eq!(read("postgres://hub@127.0.0.1/carepost?sslmode=require"), Ok(true));
        assert_eq!(read("postgres://hub@/carepost?host=/run/postgresql"), Ok(false));
    }

    #[test]
    fn an_address_that_lacks_something_says_what_and_repeats_nothing() {
        assert_eq!(read("mysql://hub:secret@db/carepost"), Err(BadAddress::Unreadable));
        assert_eq!(read("postgres://db.example/carepost"), Err(BadAddress::NoRole));
        assert_eq!(read("postgres://hub:secret@db.example"), Err(BadAddress::NoDatabase));
        let address: Address = "postgres://hub:secret@db.example/carepost".parse().unwrap();
        assert!(!format!("{address:?}").contains("secret"));
    }
}
