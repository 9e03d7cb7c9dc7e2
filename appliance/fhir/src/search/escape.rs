//! `,`, `|` and `$` as signs between values, and with a `\` before as letters of a value.
//!
//! Source: <https://hl7.org/fhir/R4/search.html#escaping>.

/// The parts between signs that have no `\` before them; the parts still have theirs.
pub(super) fn split(text: &str, sign: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((part, after)) = split_once(rest, sign) {
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    parts
}

/// What stands before and after the first sign without a `\`.
pub(super) fn split_once(text: &str, sign: char) -> Option<(&str, &str)> {
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        if letter == sign && !escaped {
            return Some((&text[..at], &text[at + sign.len_utf8()..]));
        }
        escaped = letter == '\\' && !escaped;
    }
    None
}

/// The text without the `\` before `,`, `|`, `$` and `\`; any other `\` is a letter.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let sign = letters.next_if(|next| letter == '\\' && matches!(next, ',' | '|' | '$' | '\\'));
        plain.push(sign.unwrap_or(letter));
    }
    plain
}
