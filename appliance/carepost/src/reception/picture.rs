//! The picture of a code that is said, kept with its message.
//!
//! By WhatsApp it goes as a picture with the code beside it; if that fails, or by any other medium, the words go.

use channels::code_picture::{CodePicture, PNG};
use jiff::Timestamp;
use prm::content::Content;
use prm::conversation::Way;
use prm::db::Tx;
use prm::error::Result;
use prm::id::{MediaId, MessageId};
use prm::media;
use prm::medium::Medium;
use prm::message::ROUTE_MAX;
use prm::stamp::Stamp;

/// A QR that is said.
pub(crate) struct Picture {
    id: MediaId,
    of: CodePicture,
}

impl Picture {
    /// The picture, if what is said is a code and goes by a medium that shows pictures.
    pub(crate) fn of(content: &Content, medium: Medium, now: Timestamp) -> Option<Self> {
        let of = CodePicture::of(content, medium)?;
        Some(Self { id: MediaId::new(now), of })
    }

    /// What is said instead.
    pub(crate) fn content(&self) -> Content {
        let caption = Some(self.of.code.clone());
        Content::Media { media: self.id, media_type: PNG.to_owned(), caption }
    }

    /// The ways of it: by the first one once more, where the words go if the picture does not arrive.
    pub(super) fn route(mut route: Vec<Way>) -> Vec<Way> {
        if let Some(first) = route.first().cloned() {
            route.insert(1, first);
            route.truncate(ROUTE_MAX);
        }
        route
    }

    /// Keeps it with its message.
    pub(crate) fn provide(self, tx: &mut Tx<'_>, stamp: &Stamp, message: MessageId) -> Result<()> {
        media::provide(tx, stamp, (self.id, message), (PNG, self.of.bytes)).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use prm::qr;

    use super::*;
    use crate::media::code::code_in;

    #[test]
    fn the_picture_of_a_code_reads_as_the_code() {
        let code = format!("{}{}", qr::PREFIX, "1 A".repeat(45));
        let of = |text: &str, medium| CodePicture::of(&Content::text(text), medium);
        let picture = of(&code, Medium::Whatsapp).unwrap();
        assert_eq!(channels::media_type::of(&picture.bytes), Some(PNG));
        assert!(picture.bytes.len() < 16 << 10, "{}", picture.bytes.len());
        assert_eq!(code_in(&picture.bytes), Some(code.clone()));
        assert!(of(&code, Medium::Sms).is_none(), "it shows no pictures");
        assert!(of("hello", Medium::Whatsapp).is_none());
    }
}
