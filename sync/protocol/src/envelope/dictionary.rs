//! Dictionaries that both ends have: by them a single record of a clinic is packed to a few hundred bytes.
//!
//! A dictionary is bytes that are likely to come again, and nothing that anybody has to understand.
//! Whoever has it unpacks; whoever lacks it cannot, so a sender uses one only for a receiver that said
//! [`CAPABILITY`]. A better one gets the next number and the next name; the old one stays as long as
//! there are programs that say its name.

use super::Dictionary;

/// The name of what a program can do that has [`first`].
pub const CAPABILITY: &str = "dictionary/1";

/// Dictionary number 1, trained on the resources of a made-up clinic by
/// `CAREPOST_WRITE_DICTIONARY=1 cargo nextest run -p tests dictionary`.
pub fn first() -> Dictionary {
    Dictionary { number: 1, bytes: include_bytes!("dictionary/1.zdict").to_vec() }
}
