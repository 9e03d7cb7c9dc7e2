//! The settings of the box: defaults, then the file `carepost.toml`, then the environment, then
//! flags; what comes later wins.
//!
//! Invariant: a key that is not known is an error, never ignored, so a slip of the pen cannot
//! leave a box open or silent.
//! Invariant: every setting stands once in [`SETTINGS`]; the README's table and
//! `carepost config show` are made from it.

mod layers;
mod setting;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use channels::relay::Broker;
use layers::Layers;
use prm::medium::Medium;
use sync_agent::Budget;
use sync_agent::loans::Usual;

use crate::email;

pub use setting::{Kind, LANGUAGES, SETTINGS, Setting, markdown};

/// The name of the file in the data folder.
pub const FILE_NAME: &str = "carepost.toml";
/// What the names of environment variables begin with. Sections end in two underscores:
/// `CAREPOST_HTTP__LISTEN` is `http.listen`.
pub const VARIABLE_PREFIX: &str = "CAREPOST_";
/// Variables that stand for flags of the command line and are no settings.
pub const FLAG_VARIABLES: [&str; 2] = ["CAREPOST_DATA", "CAREPOST_CONFIG"];
/// What the names of the hub's variables begin with, which may be there, too, where both run on one machine.
pub const HUB_PREFIX: &str = "CAREPOST_HUB_";
const MEGABYTE: u64 = 1_000_000;
/// As large as the file may be, in bytes.
pub const FILE_MAX: u64 = 64 * 1024;

/// The settings of a running box, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// How the box is reached.
    pub http: Http,
    /// The waiting room.
    pub queue: Queue,
    /// The kiosk.
    pub kiosk: Kiosk,
    /// Languages.
    pub language: Language,
    /// What other systems see.
    pub fhir: Fhir,
    /// The log.
    pub log: Log,
    /// Backups.
    pub backup: Backup,
    /// What is lent to the hub, where a session says nothing else.
    pub loans: Usual,
    /// What a day of the line to the hub may cost.
    pub budget: Budget,
    /// Through which broker messages go to the hub and come from it, if through one.
    pub broker: Option<Broker>,
    /// What is sent to people.
    pub messages: Messages,
    /// Calls that a voice agent answers.
    pub calls: Calls,
    /// Pictures, sounds and recordings.
    pub media: Media,
    /// By which mail server, and from whom, if by one.
    pub email: Option<email::server::Settings>,
    layers: Layers,
}

/// Section `http`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Where plain HTTP is served.
    pub listen: SocketAddr,
    /// Where HTTPS is served, if at all.
    pub tls_listen: Option<SocketAddr>,
    /// Where the trust page is served, if at all.
    pub trust_listen: Option<SocketAddr>,
    /// Whether `listen` may be reached by others.
    pub allow_plain_on_lan: bool,
    /// Open connections for each listener.
    pub max_connections: u32,
    /// Public names under which the box may be opened, in small letters.
    pub hosts: Vec<String>,
    /// Under which address providers reach the box, if they do.
    pub public_url: Option<String>,
}

/// Section `queue`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Minutes after which a walk-in is due like somebody with a booking.
    pub walk_in_wait_minutes: u32,
}

/// Section `kiosk`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kiosk {
    /// Seconds without a touch after which the kiosk asks.
    pub idle_seconds: u32,
}

/// Section `language`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language {
    /// What the kiosk offers, in order.
    pub offered: Vec<String>,
    /// What is spoken to people who have not chosen; one of those offered.
    pub default: String,
}

/// Section `fhir`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fhir {
    /// Whether everybody may see which times are free.
    pub publish_slots: bool,
    /// The number to call for one.
    pub booking_phone: Option<String>,
    /// The page where one is booked.
    pub booking_link: Option<String>,
    /// Whether key sets of clients may be asked for in private networks.
    pub private_key_sets: bool,
}

/// Section `messages`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Messages {
    /// The minute after midnight at which the quiet hours begin.
    pub quiet_from: u16,
    /// The minute at which they end.
    pub quiet_to: u16,
    /// Messages that nobody asked for, to one address in an hour.
    pub per_hour: u32,
    /// Whether the hub answers while the box is away.
    pub hub_answers: bool,
    /// By which media they may go.
    pub ways: Vec<Medium>,
}

/// Section `media`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// So many bytes of the disk stay free of them.
    pub free_bytes: u64,
}

/// Section `calls`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Hosts from which recordings of calls are fetched, in small letters; none without one.
    pub recording_hosts: Vec<String>,
}

/// Section `log`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Whether lines are JSON.
    pub json: bool,
    /// The least important line that is logged.
    pub level: tracing::Level,
}

/// Section `backup`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Hours after which an old backup is warned of.
    pub warn_after_hours: u32,
}

/// Where the value of a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said.
    Default,
    /// This file.
    File(PathBuf),
    /// This environment variable.
    Variable(String),
    /// This flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A flag of the command line that stands for a setting.
#[derive(Clone, Debug)]
pub struct Flag {
    /// How it is written, for example `--listen`.
    pub name: &'static str,
    /// The setting, for example `http.listen`.
    pub key: &'static str,
    /// What was given.
    pub value: String,
}

/// Why the settings cannot be used: one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}; check the path given with --config and who may read it", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not TOML.
    #[error("{}, line {line}: {message}", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// There is no such setting.
    #[error(
        "{origin}: there is no setting `{key}`; the nearest is `{nearest}` (`carepost config show` lists all)"
    )]
    Unknown {
        /// The key as it was written.
        key: String,
        /// Where it was written.
        origin: Origin,
        /// The most similar key that exists.
        nearest: &'static str,
    },
    /// The value is not of the kind that the setting takes.
    #[error("{origin}: {key} takes {expected}, not {got}")]
    Wrong {
        /// The setting.
        key: &'static str,
        /// Where it was set.
        origin: Origin,
        /// What it takes.
        expected: String,
        /// What was given, cut short.
        got: String,
    },
    /// The value does not go together with the others.
    #[error("{origin}: {why}")]
    Conflict {
        /// Where it was set.
        origin: Origin,
        /// What is wrong and what to do.
        why: String,
    },
}

impl Config {
    /// Reads the settings of the box whose data folder is `data`. Without `file` it is
    /// `carepost.toml` in that folder, which need not exist. Of `environment` only variables
    /// that begin with [`VARIABLE_PREFIX`] are looked at.
    ///
    /// # Errors
    /// If a file named on purpose cannot be read, a key is unknown, a value is of the wrong
    /// kind, or values do not go together.
    pub fn load(
        data: &Path,
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        flags: &[Flag],
    ) -> Result<Self, ConfigError> {
        let path = file.map_or_else(|| data.join(FILE_NAME), Path::to_path_buf);
        let mut layers = Layers::defaults();
        layers.add_file(&path, file.is_some())?;
        layers.add_environment(environment)?;
        layers.add_flags(flags)?;
        let config = Self::typed(layers)?;
        config.check()?;
        Ok(config)
    }

    /// Every setting with its value as it would stand in the file (empty if there is none) and
    /// where that comes from.
    pub fn shown(&self) -> impl Iterator<Item = (&'static Setting, String, &Origin)> {
        SETTINGS.iter().map(|setting| {
            let (value, origin) =
                self.layers.written(setting.key).unwrap_or((String::new(), &Origin::Default));
            (setting, value, origin)
        })
    }

    fn typed(read: Layers) -> Result<Self, ConfigError> {
        Ok(Self {
            http: Http {
                listen: read.address("http.listen")?,
                tls_listen: read.optional_address("http.tls_listen")?,
                trust_listen: read.optional_address("http.trust_listen")?,
                allow_plain_on_lan: read.switch("http.allow_plain_on_lan")?,
                max_connections: read.number("http.max_connections")?,
                hosts: read.hosts("http.hosts")?,
                public_url: read.text("http.public_url")?,
            },
            queue: Queue { walk_in_wait_minutes: read.number("queue.walk_in_wait_minutes")? },
            kiosk: Kiosk { idle_seconds: read.number("kiosk.idle_seconds")? },
            language: Language {
                offered: read.choices("language.offered")?,
                default: read.choice("language.default")?,
            },
            fhir: Fhir {
                private_key_sets: read.switch("fhir.private_key_sets")?,
                publish_slots: read.switch("fhir.publish_slots")?,
                booking_phone: read.text("fhir.booking_phone")?,
                booking_link: read.text("fhir.booking_link")?,
            },
            log: Log {
                json: read.choice("log.format")? == "json",
                level: read
                    .choice("log.level")?
                    .parse()
                    .expect("invariant: the choices are the names of the levels"),
            },
            backup: Backup { warn_after_hours: read.number("backup.warn_after_hours")? },
            loans: Usual {
                share_percent: read.number("loans.share_percent")?,
                cutoff_hours: read.number("loans.cutoff_hours")?,
                horizon_days: read.number("loans.horizon_days")?,
                term_hours: read.number("loans.term_hours")?,
            },
            budget: budget(read.number("sync.budget_megabytes_per_day")?),
            broker: read.broker("relay.broker")?,
            messages: Messages {
                quiet_from: read.time_of_day("messages.quiet_from")?,
                quiet_to: read.time_of_day("messages.quiet_to")?,
                per_hour: read.number("messages.per_hour")?,
                hub_answers: read.switch("messages.hub_answers")?,
                ways: read
                    .choices("messages.ways")?
                    .iter()
                    .map(|word| Medium::parse(word))
                    .collect::<prm::error::Result<_>>()
                    .expect("invariant: the choices are the words of media"),
            },
            calls: Calls { recording_hosts: read.hosts("calls.recording_hosts")? },
            media: Media { free_bytes: u64::from(read.number("media.free_megabytes")?) * MEGABYTE },
            email: read
                .mail_server("email.server")?
                .zip(read.mailbox("email.from")?)
                .map(|(server, from)| email::server::Settings { server, from }),
            layers: read,
        })
    }

    fn check(&self) -> Result<(), ConfigError> {
        let http = &self.http;
        if !http.listen.ip().is_loopback() && !http.allow_plain_on_lan {
            return Err(self.conflict(
                "http.listen",
                format!(
                    "http.listen = \"{}\" would send records over the network unencrypted; \
                     set http.tls_listen for other machines and leave http.listen on 127.0.0.1, \
                     or set http.allow_plain_on_lan = true",
                    http.listen
                ),
            ));
        }
        let listeners = [
            ("http.listen", Some(http.listen)),
            ("http.tls_listen", http.tls_listen),
            ("http.trust_listen", http.trust_listen),
        ];
        for (at, (key, address)) in listeners.iter().enumerate() {
            for (other, taken) in &listeners[..at] {
                if let (Some(address), Some(taken)) = (address, taken)
                    && address == taken
                    && address.port() != 0
                {
                    let why =
                        format!("{key} and {other} are both {address}; give one another port");
                    return Err(self.conflict(key, why));
                }
            }
        }
        if http.trust_listen.is_some() && http.tls_listen.is_none() {
            let why = "http.trust_listen helps tablets to trust HTTPS, which is off; set http.tls_listen, or leave http.trust_listen out";
            return Err(self.conflict("http.trust_listen", why.to_owned()));
        }
        if let Some(url) = &http.public_url {
            let name = url.split("://").nth(1).and_then(|it| it.split(['/', ':', '?']).next());
            let name = name.unwrap_or_default().to_ascii_lowercase();
            if !http.hosts.contains(&name) {
                let why = format!(
                    "http.public_url = \"{url}\" is not answered under a name that http.hosts lacks; add \"{name}\" there"
                );
                return Err(self.conflict("http.public_url", why));
            }
        }
        let is_set = |key| self.layers.written(key).is_some_and(|(it, _)| it != "\"\"");
        for (key, other) in [("email.server", "email.from"), ("email.from", "email.server")] {
            if is_set(key) && !is_set(other) {
                let why = format!("{key} is of no use without {other}; set both or neither");
                return Err(self.conflict(key, why));
            }
        }
        if !self.language.offered.contains(&self.language.default) {
            let why = format!(
                "language.default = \"{}\" is not among language.offered; add it there or choose another",
                self.language.default
            );
            return Err(self.conflict("language.default", why));
        }
        Ok(())
    }

    fn conflict(&self, key: &str, why: String) -> ConfigError {
        let origin = self.layers.written(key).map_or(Origin::Default, |(_, origin)| origin.clone());
        ConfigError::Conflict { origin, why }
    }
}

/// A day's budget of so many megabytes; 0 is no bound.
fn budget(megabytes: u32) -> Budget {
    Budget((megabytes > 0).then(|| u64::from(megabytes) * MEGABYTE))
}
