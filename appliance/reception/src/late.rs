//! What is said to somebody who is not answered here: because it was heard too late, the clinic is out of reach, or they
//! write without end.

use prm::content::Content;

use crate::facts::Wording;
use crate::sentence::Sentence;
use crate::words::Words;

/// Says that the message came late and that the desk answers it, in a language (BCP 47), or, where reception does not
/// speak it, in the first of `languages` that it does.
pub fn late((language, languages): (Option<&str>, &[String]), wording: &Wording) -> Content {
    Content::text(Words::in_one_of((language, languages), wording).say(Sentence::HeardLate, &[]))
}

/// Says that the message is there and the clinic out of reach, in a language as [`late`] chooses it.
pub fn away((language, languages): (Option<&str>, &[String]), wording: &Wording) -> Content {
    Content::text(Words::in_one_of((language, languages), wording).say(Sentence::Away, &[]))
}

/// Says that the desk answers from now on, in a language as [`late`] chooses it.
pub fn handed_over(language: (Option<&str>, &[String]), wording: &Wording) -> Content {
    Content::text(Words::in_one_of(language, wording).say(Sentence::HandedOver, &[]))
}
