//! Short texts that need no memory of their own, for lists of thousands: ids and times.

use std::fmt;

use serde::{Serialize, Serializer};

/// A text of at most `N` bytes.
#[derive(Clone, Copy)]
pub struct ShortText<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> ShortText<N> {
    /// An empty text.
    pub const fn new() -> Self {
        Self { bytes: [0; N], length: 0 }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length])
            .expect("invariant: only whole strings were written")
    }
}

impl<const N: usize> Default for ShortText<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> fmt::Write for ShortText<N> {
    /// Fails, and writes nothing, when there is no room left.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        let room = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

impl<const N: usize> fmt::Debug for ShortText<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl<const N: usize> Serialize for ShortText<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn what_does_not_fit_is_not_written() {
        let mut text = ShortText::<4>::new();
        assert!(text.write_str("ab").is_ok());
        assert!(text.write_str("नम").is_err());
        assert!(text.write_str("cd").is_ok());
        assert_eq!(text.as_str(), "abcd");
    }
}
