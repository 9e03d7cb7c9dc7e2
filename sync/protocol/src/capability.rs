//! What box and hub can do, by name: they are never upgraded together.
//!
//! Each says its names; what both have is used, what one does not know is not an error.

use std::collections::BTreeSet;

/// As many names as one side may say.
pub const NAMES_MAX: usize = 64;
/// The longest name, in bytes.
pub const NAME_MAX: usize = 48;

/// Names of what a program can do: small letters, digits, `-` and `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Capabilities(BTreeSet<String>);

/// Not names, or too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("capabilities are at most {NAMES_MAX} names of small letters, digits, - and /")]
pub struct BadNames;

impl Capabilities {
    /// Of these names.
    ///
    /// # Errors
    /// [`BadNames`].
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, BadNames> {
        let mut found = Self::default();
        for name in names {
            let is_name = (1..=NAME_MAX).contains(&name.len())
                && name.bytes().all(|it| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'/'));
            if !is_name || found.0.len() >= NAMES_MAX {
                return Err(BadNames);
            }
            found.0.insert(name.to_owned());
        }
        Ok(found)
    }

    /// What both have.
    pub fn shared(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// Whether this is among them.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// The names, in their order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_have_is_used() {
        let clinic = Capabilities::new(["loans/1", "dictionary/1", "media/1"]).unwrap();
        let hub = Capabilities::new(["media/1", "loans/1", "later/1"]).unwrap();
        let both = clinic.shared(&hub);
        assert_eq!(both.names().collect::<Vec<_>>(), ["loans/1", "media/1"]);
        assert!(both.has("loans/1") && !both.has("later/1"));
    }

    #[test]
    fn names_are_names_and_few() {
        assert_eq!(Capabilities::new(["Loans"]), Err(BadNames));
        assert_eq!(Capabilities::new([""]), Err(BadNames));
        let long = "a".repeat(NAME_MAX + 1);
        assert_eq!(Capabilities::new([long.as_str()]), Err(BadNames));
        let many: Vec<String> = (0..=NAMES_MAX).map(|it| it.to_string()).collect();
        assert_eq!(Capabilities::new(many.iter().map(String::as_str)), Err(BadNames));
    }
}
