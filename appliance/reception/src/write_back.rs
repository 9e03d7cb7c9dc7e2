//! What the clinic says where it may not write freely yet: it asks the person to write.

use prm::content::Content;

use crate::facts::Wording;
use crate::sentence::Sentence;
use crate::words::Words;

/// The name under which the words were approved where that is needed; what is put into them is the clinic's name.
/// Nothing of the person is in it: whoever reads that telephone learns no more than that the clinic has written.
pub const WRITE_BACK: &str = "carepost_write_back";

/// Asks somebody to write back, in a language (BCP 47), or, where reception does not speak it, in the first of
/// `languages` that it does.
pub fn write_back(
    clinic: &str,
    (language, languages): (Option<&str>, &[String]),
    wording: &Wording,
) -> Content {
    let words = Words::in_one_of((language, languages), wording);
    Content::Template {
        name: WRITE_BACK.into(),
        language: words.tag().into(),
        arguments: vec![clinic.to_owned()],
        text: words.say(Sentence::WriteBack, &[("clinic", clinic.into())]),
    }
}
