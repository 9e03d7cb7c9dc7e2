//! Texts that fit: cut where a letter ends, as people see letters.

use unicode_segmentation::UnicodeSegmentation as _;

/// What shows that something was cut off.
const CUT: char = '…';

/// As a phone counts: in units of UTF-16.
pub fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The text, or as much of it as fits and a mark that it was cut.
pub fn fit(text: &str, most: usize) -> String {
    if length(text) <= most {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut left = most.saturating_sub(CUT.len_utf16());
    for letter in text.graphemes(true) {
        let needed = length(letter);
        if needed > left {
            break;
        }
        left -= needed;
        short.push_str(letter);
    }
    short.truncate(short.trim_end().len());
    short.push(CUT);
    short
}

/// One line, no two spaces in a row: what may be put into a template.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_a_letter_ends() {
        assert_eq!(fit("short", 5), "short");
        assert_eq!(fit("a long word", 7), "a long…");
        // A vowel sign belongs to its letter, a family of four is one sign.
        assert_eq!(fit("नमस्ते जी", 7), "नमस्ते…");
        assert_eq!(fit("नमस्ते जी", 6), "नम…");
        assert_eq!(fit("ab👨‍👩‍👧‍👦", 11), "ab…");
        assert_eq!(length(&fit(&"😀".repeat(50), 20)), 19);
    }

    #[test]
    fn what_goes_into_a_template_is_one_line() {
        assert_eq!(one_line("  ten\n\n o'clock \t sharp"), "ten o'clock sharp");
    }
}
