//! What a search query asks for: which of it is digits, which is a name.
//!
//! Invariant: an expression for the full-text index holds only quoted ASCII letters and digits, so no query is its syntax.

use crate::name::Sought;

/// Most characters of a query that are read.
const QUERY_CHARS_MAX: usize = 160;

/// Shortest run of digits that the trigram index can find.
const TRIGRAM: usize = 3;

/// Digits of a subscriber's number that are tried when a longer number is not known.
const SUBSCRIBER: usize = 10;

/// A query taken apart.
#[derive(Debug)]
pub(super) struct Asked {
    /// Runs of digits or of digits and letters, each as `[a-z0-9]`.
    pub(super) digits: Vec<String>,
    /// The rest, as a name.
    pub(super) name: Sought,
    /// All of it as one identifier, for those written with letters and gaps.
    pub(super) identifier: String,
}

impl Asked {
    /// Reads a query: words with a digit in them are digits, all others are the name.
    pub(super) fn read(query: &str) -> Self {
        let query: String = query.chars().take(QUERY_CHARS_MAX).collect();
        let mut digits: Vec<String> = Vec::new();
        let mut name: Vec<&str> = Vec::new();
        let mut last_was_name = false;
        for word in query.split(|c: char| c.is_whitespace() || c == ',') {
            let text = alphanumeric(word);
            if word.chars().any(char::is_numeric) && !text.is_empty() {
                digits.push(text);
                last_was_name = false;
            } else if !text.is_empty() {
                name.push(word);
                last_was_name = true;
            }
        }
        let mut name = name.join(" ");
        if !last_was_name || query.ends_with(char::is_whitespace) {
            name.push(' ');
        }
        Self { digits, name: Sought::new(&name), identifier: alphanumeric(&query) }
    }

    /// The query as a patient's local number, if it can be one.
    pub(super) fn local_number(&self) -> Option<i64> {
        match self.digits.as_slice() {
            [one] => one.parse().ok(),
            _ => None,
        }
    }

    /// Ways to read the digits, the likeliest first: as one number, without a trunk or country
    /// code, then as separate parts of numbers.
    pub(super) fn readings(&self) -> Vec<Vec<String>> {
        let whole: String = self.digits.concat();
        let mut readings = vec![vec![whole.clone()]];
        let bare = whole.trim_start_matches('0');
        if whole.bytes().all(|b| b.is_ascii_digit()) {
            if bare.len() >= TRIGRAM {
                readings.push(vec![bare.to_owned()]);
            }
            if bare.len() > SUBSCRIBER {
                readings.push(vec![bare[bare.len() - SUBSCRIBER..].to_owned()]);
            }
        }
        if self.digits.len() > 1 {
            readings.push(self.digits.clone());
        }
        readings.dedup();
        readings
    }
}

/// The letters and digits of a text in lower-case ASCII, without anything between them.
pub(super) fn alphanumeric(text: &str) -> String {
    crate::name::romanise(text).replace(' ', "")
}

/// A full-text expression for patients who have all of these runs; `None` if one is too short to be looked up.
pub(super) fn digits_expression(runs: &[String]) -> Option<String> {
    if runs.is_empty() || runs.iter().any(|r| r.len() < TRIGRAM) {
        return None;
    }
    Some(runs.iter().map(|r| format!("\"{r}\"")).collect::<Vec<_>>().join(" AND "))
}

/// How well the lines of `digits` fit the runs, 0 to 1: whole numbers before endings before parts.
pub(super) fn digits_score(runs: &[String], digits: &str) -> f64 {
    let fit = |run: &String| {
        digits
            .lines()
            .map(|line| {
                if line == run {
                    0.99
                } else if line.ends_with(run.as_str()) {
                    0.9 + 0.05 * run.len() as f64 / line.len() as f64
                } else if line.starts_with(run.as_str()) {
                    0.85
                } else if line.contains(run.as_str()) {
                    0.8
                } else {
                    0.0
                }
            })
            .fold(0.0, f64::max)
    };
    runs.iter().map(fit).fold(1.0, f64::min)
}
