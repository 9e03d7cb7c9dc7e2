//! What bytes are, by how they begin, whatever their sender calls them.
//!
//! Only what a desk shows or plays is known here. Everything else, scripts and pages above all, is nothing.

/// The media type of these bytes; none if they are nothing that is shown or played.
pub fn of(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Some("image/png"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Some("audio/wav"),
        [b'%', b'P', b'D', b'F', b'-', ..] => Some("application/pdf"),
        [b'O', b'g', b'g', b'S', ..] => Some("audio/ogg"),
        [b'#', b'!', b'A', b'M', b'R', ..] => Some("audio/amr"),
        [b'I', b'D', b'3', ..] => Some("audio/mpeg"),
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand {
            [b'M', b'4', b'A', ..] => Some("audio/mp4"),
            [b'3', b'g', b'p', ..] => Some("video/3gpp"),
            _ => Some("video/mp4"),
        },
        // Frames of MPEG audio: layer III, then those of AAC.
        [0xFF, second, ..] if second & 0xE6 == 0xE2 => Some("audio/mpeg"),
        [0xFF, second, ..] if second & 0xF6 == 0xF0 => Some("audio/aac"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_known_by_how_they_begin() {
        for (bytes, expected) in [
            (&b"\xFF\xD8\xFF\xE0rest"[..], Some("image/jpeg")),
            (b"\x89PNG\r\n\x1A\nrest", Some("image/png")),
            (b"OggS\0rest", Some("audio/ogg")),
            (b"%PDF-1.7", Some("application/pdf")),
            (b"\0\0\0\x18ftypM4A rest", Some("audio/mp4")),
            (b"\0\0\0\x18ftypisomrest", Some("video/mp4")),
            (b"\xFF\xFBrest", Some("audio/mpeg")),
            (b"\xFF\xF1rest", Some("audio/aac")),
            (b"<html><script>", None),
            (b"<svg xmlns='http://www.w3.org/2000/svg'>", None),
            (b"MZ\x90", None),
            (b"", None),
        ] {
            assert_eq!(of(bytes), expected);
        }
    }
}
