//! A picture that goes along with words: by which way it is shown, and its bytes.

use prm::content::Content;
use prm::conversation::Way;
use prm::db::Read;
use prm::error::{Error, Result};
use prm::media;
use prm::medium::Medium;
use prm::stamp::Stamp;

use crate::media::Blobs;

/// The longest picture that is sent, in bytes: it is read while the records are written.
const SENT_BYTES_MAX: u64 = 1 << 20;

/// What a message with a picture says by one of its ways: the picture where pictures are shown, the first time; elsewhere, and
/// when it goes by the same medium once more, the words beside it. Nothing, if it has no picture.
pub(super) fn by_way(content: &Content, route: &[Way], nth: u16) -> Option<Content> {
    let Content::Media { media: _, media_type: _, caption } = content else { return None };
    let (before, rest) = route.split_at(usize::from(nth).min(route.len()));
    let is_shown = rest.first().is_some_and(|way| {
        way.medium == Medium::Whatsapp && before.iter().all(|it| it.medium != way.medium)
    });
    Some(match caption {
        Some(words) if !is_shown => Content::text(words.clone()),
        Some(_) | None => content.clone(),
    })
}

/// What is to go along with words.
pub(super) enum Held {
    /// There is nothing.
    Nothing,
    /// It cannot be had.
    Missing,
    /// All of it.
    Whole {
        /// What it is.
        media_type: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// The picture that goes along, from its file, or as long as it is not there yet from its parts.
pub(super) fn held(
    read: &Read<'_>,
    stamp: &Stamp,
    blobs: &Blobs,
    shown: Option<&Content>,
) -> Result<Held> {
    let Some(Content::Media { media: id, media_type: _, caption: _ }) = shown else {
        return Ok(Held::Nothing);
    };
    let found = match media::get(read, stamp, *id) {
        Ok(found) => found,
        Err(Error::NotFound(_)) => return Ok(Held::Missing),
        Err(error) => return Err(error),
    };
    let bytes = match found.state {
        media::State::Waiting => match &found.reference {
            Some(reference) => media::in_parts(read, stamp, reference)?,
            None => None,
        },
        media::State::Kept if found.bytes.is_some_and(|length| length <= SENT_BYTES_MAX) => {
            let file = blobs.read(*id, 0..SENT_BYTES_MAX);
            let file = file.inspect_err(|error| tracing::error!(%id, %error, "it is not sent"));
            file.ok()
        }
        media::State::Kept | media::State::Refused => None,
    };
    let media_type = found.media_type;
    Ok(bytes.map_or(Held::Missing, |bytes| Held::Whole { media_type, bytes }))
}
