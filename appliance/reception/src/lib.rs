//! Reception: what is understood, decided and answered in a conversation, whichever channel it comes by.
//!
//! ```text
//!   words ─► understand ─► intent ─► flow ─► effects: say, look up, do
//! ```
//!
//! # Invariants
//!
//! - Nothing here reads a clock, a record or a network: what is known is an argument, what is to be done
//!   an effect.

pub mod intent;
pub mod understand;
