//! The topics of the relay; nowhere else is one written or taken apart.
//!
//! ```text
//!   carepost/1/{clinic}/{box}/in/{channel}     hub to box
//!   carepost/1/{clinic}/{box}/out/{channel}    box to hub
//!   carepost/1/{clinic}/{box}/status           retained: whether the box is connected
//! ```
//!
//! Clinic and box are ids (UUIDs in their usual form), never names: brokers and their logs show topics.

use std::fmt;

use uuid::Uuid;

const ROOT: &str = "carepost/1";
/// The longest topic that is looked at, in bytes.
const TOPIC_BYTES_MAX: usize = 160;
/// The longest word for a channel, in bytes.
const CHANNEL_BYTES_MAX: usize = 32;
/// The one channel there is so far: [`Channel::messages`].
const MESSAGES: &str = "messages";

/// Which way, and about what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// Hub to box.
    In(Channel),
    /// Box to hub.
    Out(Channel),
    /// Whether the box is connected.
    Status,
}

/// What goes there: small letters, digits and `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Channel(String);

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Topic {
    /// The clinic.
    pub clinic: Uuid,
    /// Its box.
    pub device: Uuid,
    /// Which way, and about what.
    pub way: Way,
}

/// Not a topic of the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a topic of the relay")]
pub struct NotATopic;

impl Channel {
    /// Messages of people, by whatever medium: envelopes with batches of the relay.
    pub fn messages() -> Self {
        Self(MESSAGES.to_owned())
    }

    /// The channel of that word.
    ///
    /// # Errors
    /// [`NotATopic`].
    pub fn parse(word: &str) -> Result<Self, NotATopic> {
        let is_word = (1..=CHANNEL_BYTES_MAX).contains(&word.len())
            && word.bytes().all(|it| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if is_word { Ok(Self(word.to_owned())) } else { Err(NotATopic) }
    }

    /// Its word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Topic {
    /// Messages from the hub to a box.
    pub fn messages_in(clinic: Uuid, device: Uuid) -> Self {
        Self { clinic, device, way: Way::In(Channel::messages()) }
    }

    /// Messages from a box to the hub.
    pub fn messages_out(clinic: Uuid, device: Uuid) -> Self {
        Self { clinic, device, way: Way::Out(Channel::messages()) }
    }

    /// Whether a box is connected.
    pub fn status(clinic: Uuid, device: Uuid) -> Self {
        Self { clinic, device, way: Way::Status }
    }

    /// The topic that is written so.
    ///
    /// # Errors
    /// [`NotATopic`].
    pub fn parse(topic: &str) -> Result<Self, NotATopic> {
        if topic.len() > TOPIC_BYTES_MAX {
            return Err(NotATopic);
        }
        let rest = topic.strip_prefix(ROOT).and_then(|it| it.strip_prefix('/'));
        let parts: Vec<&str> = rest.ok_or(NotATopic)?.split('/').collect();
        let (clinic, device, way) = match parts.as_slice() {
            [clinic, device, "in", channel] => (clinic, device, Way::In(Channel::parse(channel)?)),
            [clinic, device, "out", channel] => {
                (clinic, device, Way::Out(Channel::parse(channel)?))
            }
            [clinic, device, "status"] => (clinic, device, Way::Status),
            _ => return Err(NotATopic),
        };
        let read = |it: &str| Uuid::try_parse(it).map_err(|_| NotATopic);
        let found = Self { clinic: read(clinic)?, device: read(device)?, way };
        // An id has other forms, too; a topic has one.
        if found.to_string() == topic { Ok(found) } else { Err(NotATopic) }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ROOT}/{}/{}/", self.clinic, self.device)?;
        match &self.way {
            Way::In(channel) => write!(f, "in/{}", channel.as_str()),
            Way::Out(channel) => write!(f, "out/{}", channel.as_str()),
            Way::Status => f.write_str("status"),
        }
    }
}

/// What a box subscribes to: all that is for it.
pub fn all_in(clinic: Uuid, device: Uuid) -> String {
    format!("{ROOT}/{clinic}/{device}/in/+")
}

/// What a hub subscribes to: all that boxes say. Several hubs share it: each message goes to one of them.
pub fn all_out() -> String {
    format!("$share/hub/{ROOT}/+/+/out/+")
}

/// What a hub subscribes to: which boxes are connected. Each hub hears of each.
pub fn all_statuses() -> String {
    format!("{ROOT}/+/+/status")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLINIC: Uuid = Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0001);
    const DEVICE: Uuid = Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0002);

    #[test]
    fn a_topic_is_read_as_it_is_written() {
        for topic in [
            Topic::messages_in(CLINIC, DEVICE),
            Topic::messages_out(CLINIC, DEVICE),
            Topic::status(CLINIC, DEVICE),
        ] {
            assert_eq!(Topic::parse(&topic.to_string()), Ok(topic));
        }
        assert_eq!(
            Topic::messages_in(CLINIC, DEVICE).to_string(),
            "carepost/1/01930000-0000-7000-8000-000000000001/01930000-0000-7000-8000-000000000002/in/messages"
        );
    }

    #[test]
    fn nothing_else_is_a_topic() {
        let good = Topic::messages_in(CLINIC, DEVICE).to_string();
        for wrong in [
            good.replace("/1/", "/2/"),
            good.replace("carepost", "$SYS"),
            good.replace("messages", "+"),
            good.replace("messages", "Messages"),
            good.replace("/in/", "/up/"),
            good.replace(
                "01930000-0000-7000-8000-000000000001",
                "01930000000070008000000000000001",
            ),
            good.replace("01930000-0000-7000-8000-000000000001", "#"),
            format!("{good}/"),
            format!("{good}{}", "a".repeat(TOPIC_BYTES_MAX)),
            String::new(),
        ] {
            assert_eq!(Topic::parse(&wrong), Err(NotATopic), "{wrong}");
        }
    }
}
