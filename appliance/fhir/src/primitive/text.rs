//! The forms of strings that are not times.

/// `[^\s]+(\s[^\s]+)*`
pub(super) fn is_code(text: &str) -> bool {
    text.split(|letter: char| letter.is_ascii_whitespace()).all(|word| !word.is_empty())
}

/// `[A-Za-z0-9\-\.]{1,64}`
pub(super) fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

/// `urn:oid:[0-2](\.(0|[1-9][0-9]*))+`
pub(super) fn is_oid(text: &str) -> bool {
    let Some(numbers) = text.strip_prefix("urn:oid:") else { return false };
    let mut arcs = numbers.split('.');
    let number = |arc: &str| {
        !arc.is_empty()
            && arc.bytes().all(|byte| byte.is_ascii_digit())
            && (arc == "0" || !arc.starts_with('0'))
    };
    matches!(arcs.next(), Some("0" | "1" | "2")) && numbers.contains('.') && arcs.all(number)
}

/// `urn:uuid:` and a UUID in lower case.
pub(super) fn is_uuid(text: &str) -> bool {
    let Some(uuid) = text.strip_prefix("urn:uuid:") else { return false };
    let fits = |(place, byte): (usize, u8)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    uuid.len() == 36 && uuid.bytes().enumerate().all(fits)
}

/// Base64 (RFC 4648, section 4) with its padding; space between is allowed, as in
/// `(\s*([0-9a-zA-Z\+\/=]){4}\s*)+`.
pub(super) fn is_base64(text: &str) -> bool {
    let (mut letters, mut pads) = (0_usize, 0_usize);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        match byte {
            b'=' => pads += 1,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if pads == 0 => letters += 1,
            _ => return false,
        }
    }
    letters > 0 && pads <= 2 && (letters + pads).is_multiple_of(4)
}
