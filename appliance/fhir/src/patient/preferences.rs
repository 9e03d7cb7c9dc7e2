//! How a patient wants to be reached: an extension, because R4 knows only an order of numbers.

use serde_json::Value;

use prm::patient::ContactChannel;

use crate::element::{self, Map};
use crate::extension::{self, CONTACT_PREFERENCES, Extension};

/// How a patient wants to be reached.
#[derive(Clone, PartialEq)]
pub(crate) struct Preferences {
    /// The ways, the preferred one first.
    pub(crate) channels: Vec<ContactChannel>,
    /// Whether the patient wants to be reminded.
    pub(crate) reminders: bool,
}

/// The extension that says so.
pub(crate) const PREFERENCES: Extension<Preferences> =
    Extension { url: CONTACT_PREFERENCES, most: 1, read, write };

impl Preferences {
    /// Whether they differ from what holds when nothing is said.
    pub(crate) fn are_worth_saying(&self) -> bool {
        let Self { channels, reminders } = self;
        !channels.is_empty() || !reminders
    }

    /// The words that the verbs check.
    pub(crate) fn raw(self) -> (Vec<String>, bool) {
        let Self { channels, reminders } = self;
        (channels.into_iter().map(|channel| channel.as_str().to_owned()).collect(), reminders)
    }
}

fn read(entry: &Map) -> Option<Preferences> {
    let elements = element::list(entry, "extension");
    let mut channels = Vec::new();
    for (_, element) in extension::all(elements, "channel") {
        let channel = ContactChannel::parse(element::text(element, "valueCode")?).ok()?;
        if !channels.contains(&channel) {
            channels.push(channel);
        }
    }
    let reminders = extension::first(entry, "reminders")
        .map_or(Some(true), |element| element::flag(element, "valueBoolean"))?;
    Some(Preferences { channels, reminders })
}

fn write(url: &'static str, preferences: &Preferences) -> Value {
    let Preferences { channels, reminders } = preferences;
    let channels = channels.iter().map(|it| extension::with("channel", "valueCode", it.as_str()));
    let reminders = extension::with("reminders", "valueBoolean", *reminders);
    extension::of(url, channels.chain([reminders]).collect())
}
