//! The hash of a log through one of its entries.

use minicbor::{Decode, Encode};
use ring::digest::{Context, SHA256};

/// SHA-256 over the mark before and one entry of the log. Two logs with one mark are one log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Mark(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

impl Mark {
    /// Before the first entry.
    pub const START: Self = Self([0; 32]);

    /// The mark with one entry more: the bytes by which the log itself knows it (number, record,
    /// version), not its body, which is packed as it is when it is sent.
    pub fn then(self, entry: &[u8]) -> Self {
        let mut hash = Context::new(&SHA256);
        hash.update(b"carepost-mark-1\0");
        hash.update(&self.0);
        hash.update(entry);
        let mut next = Self([0; 32]);
        next.0.copy_from_slice(hash.finish().as_ref());
        next
    }
}

impl std::fmt::Debug for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "Mark({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}
