//! What a message says by the way that it goes: words that were approved beforehand are said freely, and with
//! buttons, where the way allows it.

use ::reception::{REMINDER_TO_CONFIRM, WAITLIST_OFFER, offer_choices, reminder_choices};
use prm::content::Content;
use prm::db::Read;
use prm::error::Result;
use prm::id::{AppointmentId, WaitlistId};
use prm::medium::Medium;
use prm::message::{Message, Said};
use prm::stamp::Stamp;
use prm::waitlist;

use crate::offers;
use crate::reception::facts;

/// What a message is about, by its collapse key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// A reminder of this visit.
    Visit(AppointmentId),
    /// A time that was offered to this one of the waiting list.
    Offer(WaitlistId),
}

impl About {
    /// What a collapse key of reminders or of offers names.
    pub(crate) fn of(key: &str) -> Option<Self> {
        let mut parts = key.split(':');
        match (parts.next()?, parts.next()?, parts.next()?, parts.next()) {
            ("appointment", id, "reminder", None) => id.parse().ok().map(Self::Visit),
            ("waitlist", id, "offer", None) => id.parse().ok().map(Self::Offer),
            _ => None,
        }
    }
}

/// What a message says by a medium. `is_free` is whether anything may be said there now, not only approved words.
pub(super) fn content(
    read: &Read<'_>,
    stamp: &Stamp,
    (message, said): (&Message, &Said),
    (medium, is_free): (Medium, bool),
) -> Result<Content> {
    let Content::Template { name, language, arguments: _, text } = &message.content else {
        return Ok(message.content.clone());
    };
    if medium != Medium::Whatsapp || !is_free {
        return Ok(message.content.clone());
    }
    let about = said.collapse_key.as_deref().and_then(About::of);
    let choices = match about {
        Some(About::Visit(id)) if name == REMINDER_TO_CONFIRM => {
            let wording = facts::wording(read, stamp)?;
            reminder_choices(id, language, &wording)
        }
        Some(About::Offer(id)) if name == WAITLIST_OFFER => {
            let wording = facts::wording(read, stamp)?;
            let offer = offers::standing(read, stamp, id)?;
            offer.map(|offer| offer_choices(&offer, language, &wording)).unwrap_or_default()
        }
        Some(About::Visit(_) | About::Offer(_)) | None => Vec::new(),
    };
    let text = text.clone();
    Ok(if choices.is_empty() {
        Content::Text { text }
    } else {
        Content::Choices { text, label: None, choices }
    })
}

/// Whether what a message speaks of is still so.
pub(super) fn is_true(read: &Read<'_>, stamp: &Stamp, said: &Said) -> Result<bool> {
    match said.collapse_key.as_deref().and_then(About::of) {
        Some(About::Offer(id)) => Ok(waitlist::get(read, stamp, id)?.offer.is_some()),
        Some(About::Visit(_)) | None => Ok(true),
    }
}
