//! What is written in an e-mail: answers to it are not heard, so it asks for none.

use prm::content::Content;

use crate::facts::Wording;
use crate::remind::{REMINDER_TO_CONFIRM, put_in};
use crate::sentence::Sentence;
use crate::words::Words;

/// An e-mail in words.
#[derive(Clone, PartialEq, Eq)]
pub struct Written {
    /// What it is about, in one line. It does not say what: subjects are shown on locked screens.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// What a message says by e-mail, with how the clinic is reached instead of an answer; nothing if it has no words.
/// `clinic` is its name and telephone number. In the language (BCP 47) of the message if it has one, or in this one, or,
/// where reception does not speak it, in the first of `languages` that it does.
pub fn by_email(
    content: &Content,
    (language, languages): (Option<&str>, &[String]),
    (clinic, phone): (&str, Option<&str>),
    wording: &Wording,
) -> Option<Written> {
    let (language, text) = match content {
        Content::Template { name, language, arguments, text } => {
            let words = Words::in_one_of((Some(language), languages), wording);
            let reminds = put_in(arguments).filter(|_| name == REMINDER_TO_CONFIRM);
            let reminds = reminds.map(|put_in| words.say(Sentence::Remind, &put_in));
            (Some(language.as_str()), reminds.unwrap_or_else(|| text_of(text)))
        }
        Content::Text { text } => (language, text_of(text)),
        // Nobody can choose here: what may be chosen is said on the telephone.
        Content::Choices { text, label: _, choices: _ } => (language, text_of(text)),
        Content::Chosen { id: _, title: _ }
        | Content::Media { media: _, media_type: _, caption: _ }
        | Content::Unsupported { kind: _ } => return None,
    };
    if text.is_empty() {
        return None;
    }
    let words = Words::in_one_of((language, languages), wording);
    let subject = words.say(Sentence::EmailSubject, &[("clinic", clinic.into())]);
    let mut closing = words.plain(Sentence::EmailUnread);
    if let Some(phone) = phone {
        let call = words.say(Sentence::EmailPhone, &[("phone", phone.into())]);
        closing = format!("{closing} {call}");
    }
    Some(Written { subject, text: format!("{text}\n\n{closing}\n{clinic}\n") })
}

fn text_of(text: &str) -> String {
    text.trim().to_owned()
}
