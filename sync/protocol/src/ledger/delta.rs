//! How a record differs from what the other side holds of it.
//!
//! Of a record that changes little, such as an appointment that is called off, only the bytes are sent that
//! stand between what both versions begin and end with.

use minicbor::{Decode, Encode};
use ring::digest::{SHA256, digest};

use super::ENTRY_BYTES_MAX;

/// What can be said by whoever has [`Delta`].
pub const CAPABILITY: &str = "delta/1";
/// So many bytes of a hash say which version is meant: enough against chance, and nobody else may write here.
const NAME_BYTES: usize = 8;

/// The new bytes, and what of the old ones stays.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct Delta {
    /// The first bytes of the SHA-256 of the version before.
    #[cbor(n(0), with = "minicbor::bytes")]
    base: [u8; NAME_BYTES],
    /// So many bytes of it stay at the beginning.
    #[n(1)]
    front: u32,
    /// So many bytes of it stay at the end.
    #[n(2)]
    back: u32,
    /// What stands between them now.
    #[cbor(n(3), with = "minicbor::bytes")]
    middle: Vec<u8>,
}

impl Delta {
    /// From one version to the next; none if either is longer than [`ENTRY_BYTES_MAX`].
    pub fn between(base: &[u8], body: &[u8]) -> Option<Self> {
        if base.len().max(body.len()) > ENTRY_BYTES_MAX {
            return None;
        }
        let same = |it: &(&u8, &u8)| it.0 == it.1;
        let front = base.iter().zip(body).take_while(same).count();
        let (base_rest, rest) = (&base[front..], &body[front..]);
        let back = base_rest.iter().rev().zip(rest.iter().rev()).take_while(same).count();
        Some(Self {
            base: name(base),
            front: u32::try_from(front).ok()?,
            back: u32::try_from(back).ok()?,
            middle: rest[..rest.len() - back].to_vec(),
        })
    }

    /// The new version, if this is the one before, and the new one is not longer than [`ENTRY_BYTES_MAX`].
    pub fn apply(&self, base: &[u8]) -> Option<Vec<u8>> {
        let Self { base: named, front, back, middle } = self;
        let (front, back) = (usize::try_from(*front).ok()?, usize::try_from(*back).ok()?);
        let kept = front.checked_add(back).filter(|it| *it <= base.len())?;
        if *named != name(base) || kept + middle.len() > ENTRY_BYTES_MAX {
            return None;
        }
        Some([&base[..front], middle, &base[base.len() - back..]].concat())
    }

    /// How many new bytes there are.
    pub fn len(&self) -> usize {
        self.middle.len()
    }

    /// Whether nothing but bytes of the version before is left.
    pub fn is_empty(&self) -> bool {
        self.middle.is_empty()
    }
}

fn name(bytes: &[u8]) -> [u8; NAME_BYTES] {
    let mut name = [0; NAME_BYTES];
    name.copy_from_slice(&digest(&SHA256, bytes).as_ref()[..NAME_BYTES]);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delta_makes_the_new_version_of_the_one_before_and_of_no_other() {
        let versions: [&[u8]; 6] = [b"", b"a", b"aa", b"booked at 9", b"booked at 10", b"aaa"];
        for base in versions {
            for body in versions {
                let delta = Delta::between(base, body).unwrap();
                assert_eq!(delta.apply(base).as_deref(), Some(body), "{base:?} {body:?}");
                for other in versions.into_iter().filter(|it| *it != base) {
                    assert_eq!(delta.apply(other), None);
                }
            }
        }
        let delta = Delta::between(b"booked at 9", b"booked at 10").unwrap();
        assert_eq!(delta.middle, b"10");
        // Whoever wrote it, it reaches no further than there is something.
        let beyond = Delta { front: 11, back: 1, ..delta.clone() };
        assert_eq!(beyond.apply(b"booked at 9"), None);
        let beyond = Delta { front: u32::MAX, back: u32::MAX, ..delta };
        assert_eq!(beyond.apply(b"booked at 9"), None);
    }
}
