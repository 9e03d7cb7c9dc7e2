//! Values as they are gathered from the layers, and how they are read by kind.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::Path;

use channels::relay::Broker;
use lettre::message::Mailbox;
use toml::{Table, Value};

use super::setting::{Kind, SETTINGS, find, nearest};
use super::{ConfigError, FILE_MAX, FLAG_VARIABLES, Flag, HUB_PREFIX, Origin, VARIABLE_PREFIX};
use crate::email::server::Server;

/// The longest number or address, in bytes.
const TEXT_BYTES_MAX: usize = 500;

/// The value of each setting so far, and where it comes from.
#[derive(Clone, Debug)]
pub(super) struct Layers(BTreeMap<&'static str, (Value, Origin)>);

impl Layers {
    pub(super) fn defaults() -> Self {
        let mut layers = BTreeMap::new();
        for setting in SETTINGS {
            if let Some(value) = literal(setting.default) {
                layers.insert(setting.key, (value, Origin::Default));
            }
        }
        Self(layers)
    }

    pub(super) fn add_file(&mut self, path: &Path, must_exist: bool) -> Result<(), ConfigError> {
        let Some(text) = read(path, must_exist)? else { return Ok(()) };
        let table: Table = toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
            let line = before.matches('\n').count() + 1;
            ConfigError::Syntax { path: path.into(), line, message: one_line(error.message()) }
        })?;
        let origin = || Origin::File(path.into());
        for (section, content) in table {
            let in_section = format!("{section}.");
            if let Value::Table(keys) = content {
                for (name, value) in keys {
                    self.set(&format!("{in_section}{name}"), value, origin())?;
                }
            } else if SETTINGS.iter().any(|setting| setting.key.starts_with(&in_section)) {
                let why =
                    format!("`{section}` is a section; write [{section}] and its settings below");
                return Err(ConfigError::Conflict { origin: origin(), why });
            } else {
                self.set(&section, content, origin())?;
            }
        }
        Ok(())
    }

    pub(super) fn add_environment(
        &mut self,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), ConfigError> {
        for (name, value) in environment {
            let name = name.to_string_lossy().into_owned();
            let Some(rest) = name.strip_prefix(VARIABLE_PREFIX) else { continue };
            if FLAG_VARIABLES.contains(&name.as_str()) || name.starts_with(HUB_PREFIX) {
                continue;
            }
            let key = rest.to_ascii_lowercase().replace("__", ".");
            let value = text_value(&value.to_string_lossy());
            self.set(&key, value, Origin::Variable(name))?;
        }
        Ok(())
    }

    pub(super) fn add_flags(&mut self, flags: &[Flag]) -> Result<(), ConfigError> {
        for flag in flags {
            self.set(flag.key, text_value(&flag.value), Origin::Flag(flag.name))?;
        }
        Ok(())
    }

    /// The value as it would stand in the file, and where it comes from.
    pub(super) fn written(&self, key: &str) -> Option<(String, &Origin)> {
        self.0.get(key).map(|(value, origin)| (written(value), origin))
    }

    fn set(&mut self, key: &str, value: Value, origin: Origin) -> Result<(), ConfigError> {
        match find(key) {
            Some(setting) => {
                self.0.insert(setting.key, (value, origin));
                Ok(())
            }
            None => {
                let nearest = nearest(key);
                Err(ConfigError::Unknown { key: short(key.to_owned()), origin, nearest })
            }
        }
    }

    pub(super) fn address(&self, key: &'static str) -> Result<SocketAddr, ConfigError> {
        self.optional_address(key)?.ok_or_else(|| self.wrong(key))
    }

    pub(super) fn optional_address(
        &self,
        key: &'static str,
    ) -> Result<Option<SocketAddr>, ConfigError> {
        match self.0.get(key) {
            None => Ok(None),
            Some((value, _)) => match value.as_str() {
                Some("") => Ok(None),
                Some(text) => text.parse().map(Some).map_err(|_| self.wrong(key)),
                None => Err(self.wrong(key)),
            },
        }
    }

    pub(super) fn switch(&self, key: &'static str) -> Result<bool, ConfigError> {
        self.value(key).as_bool().ok_or_else(|| self.wrong(key))
    }

    /// A telephone number or the address of a page, if one is given.
    pub(super) fn text(&self, key: &'static str) -> Result<Option<String>, ConfigError> {
        let is_good = |text: &str| match kind(key) {
            Kind::Phone => {
                text.len() <= TEXT_BYTES_MAX
                    && text.bytes().any(|byte| byte.is_ascii_digit())
                    && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-() ".contains(&byte))
            }
            Kind::Page => {
                text.len() <= TEXT_BYTES_MAX
                    && (text.starts_with("https://") || text.starts_with("http://"))
                    && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
            }
            Kind::Address
            | Kind::OptionalAddress
            | Kind::Switch
            | Kind::Number(_, _)
            | Kind::Choice(_)
            | Kind::Choices(_)
            | Kind::Hosts(_)
            | Kind::Broker
            | Kind::MailServer
            | Kind::Mailbox
            | Kind::TimeOfDay => false,
        };
        match self.value(key).as_str() {
            Some("") => Ok(None),
            Some(text) if is_good(text) => Ok(Some(text.to_owned())),
            Some(_) | None => Err(self.wrong(key)),
        }
    }

    pub(super) fn broker(&self, key: &'static str) -> Result<Option<Broker>, ConfigError> {
        match self.value(key).as_str() {
            Some("") => Ok(None),
            Some(address) => Broker::parse(address).map(Some).map_err(|_| self.wrong(key)),
            None => Err(self.wrong(key)),
        }
    }

    pub(super) fn mail_server(&self, key: &'static str) -> Result<Option<Server>, ConfigError> {
        match self.value(key).as_str() {
            Some("") => Ok(None),
            Some(address) => Server::parse(address).map(Some).map_err(|_| self.wrong(key)),
            None => Err(self.wrong(key)),
        }
    }

    pub(super) fn mailbox(&self, key: &'static str) -> Result<Option<Mailbox>, ConfigError> {
        match self.value(key).as_str() {
            Some("") => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| self.wrong(key)),
            None => Err(self.wrong(key)),
        }
    }

    /// The minute after midnight.
    pub(super) fn time_of_day(&self, key: &'static str) -> Result<u16, ConfigError> {
        let read = || -> Option<u16> {
            let (hours, minutes) = self.value(key).as_str()?.split_once(':')?;
            let number = |text: &str| -> Option<u16> {
                let is_written = text.len() == 2 && text.bytes().all(|it| it.is_ascii_digit());
                text.parse().ok().filter(|_| is_written)
            };
            let (hours, minutes) = (number(hours)?, number(minutes)?);
            (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
        };
        read().ok_or_else(|| self.wrong(key))
    }

    pub(super) fn number(&self, key: &'static str) -> Result<u32, ConfigError> {
        let number = self.value(key).as_integer().and_then(|number| u32::try_from(number).ok());
        match (number, kind(key)) {
            (Some(number), Kind::Number(least, most)) if (least..=most).contains(&number) => {
                Ok(number)
            }
            (Some(_) | None, _) => Err(self.wrong(key)),
        }
    }

    pub(super) fn choice(&self, key: &'static str) -> Result<String, ConfigError> {
        match (self.value(key).as_str(), kind(key)) {
            (Some(word), Kind::Choice(words)) if words.contains(&word) => Ok(word.to_owned()),
            (Some(_) | None, _) => Err(self.wrong(key)),
        }
    }

    pub(super) fn choices(&self, key: &'static str) -> Result<Vec<String>, ConfigError> {
        let Kind::Choices(words) = kind(key) else { return Err(self.wrong(key)) };
        let mut chosen = Vec::new();
        for word in self.list(key)? {
            if !words.contains(&word.as_str()) || chosen.contains(&word) {
                return Err(self.wrong(key));
            }
            chosen.push(word);
        }
        if chosen.is_empty() { Err(self.wrong(key)) } else { Ok(chosen) }
    }

    pub(super) fn hosts(&self, key: &'static str) -> Result<Vec<String>, ConfigError> {
        let Kind::Hosts(most) = kind(key) else { return Err(self.wrong(key)) };
        let mut hosts = Vec::new();
        for name in self.list(key)? {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            if !is_host(&name) || hosts.contains(&name) {
                return Err(self.wrong(key));
            }
            hosts.push(name);
        }
        if hosts.len() > most { Err(self.wrong(key)) } else { Ok(hosts) }
    }

    /// A list of words; also one text with commas, which is how one writes a list in the
    /// environment.
    fn list(&self, key: &'static str) -> Result<Vec<String>, ConfigError> {
        let value = self.value(key);
        let given: Option<Vec<String>> = if let Some(list) = value.as_array() {
            list.iter().map(|word| word.as_str().map(str::to_owned)).collect()
        } else {
            value.as_str().map(|text| {
                let words = text.split(',').map(str::trim);
                words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
            })
        };
        given.ok_or_else(|| self.wrong(key))
    }

    fn value(&self, key: &'static str) -> &Value {
        &self.0.get(key).expect("invariant: every setting read here has a default").0
    }

    fn wrong(&self, key: &'static str) -> ConfigError {
        let (value, origin) =
            self.0.get(key).expect("invariant: only a value that is there is wrong");
        ConfigError::Wrong {
            key,
            origin: origin.clone(),
            expected: kind(key).expected(),
            got: short(written(value)),
        }
    }
}

/// Whether a text is the name of a host (RFC 1123, section 2.1), without a port.
fn is_host(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

fn read(path: &Path, must_exist: bool) -> Result<Option<String>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.into(), source };
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut text = String::new();
    file.take(FILE_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > FILE_MAX {
        let why = format!("larger than {FILE_MAX} bytes, so hardly a file of settings");
        return Err(unreadable(io::Error::new(io::ErrorKind::FileTooLarge, why)));
    }
    Ok(Some(text))
}

/// A value from the environment or a flag: as it would stand in the file, or bare text.
fn text_value(text: &str) -> Value {
    literal(text).unwrap_or_else(|| Value::String(text.to_owned()))
}

fn literal(text: &str) -> Option<Value> {
    if text.contains(['\n', '\r']) {
        return None;
    }
    toml::from_str::<Table>(&format!("value = {text}")).ok()?.remove("value")
}

fn written(value: &Value) -> String {
    // JSON writes strings, numbers, switches and lists of them just as TOML does.
    serde_json::to_string(value).unwrap_or_default()
}

fn short(text: String) -> String {
    const LETTERS_MAX: usize = 60;
    if text.chars().count() <= LETTERS_MAX {
        return text;
    }
    text.chars().take(LETTERS_MAX).chain("...".chars()).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn kind(key: &str) -> Kind {
    find(key).expect("invariant: the key is in SETTINGS").kind
}
