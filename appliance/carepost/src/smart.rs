//! SMART Backend Services: programs prove with a signature who they are
//! (<https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html>, 2.2).
//!
//! Invariant: only RS384 and ES384 are looked at, and only with a key that the client was registered with;
//! what an assertion says of itself chooses nothing else.

pub mod assertion;
pub mod key_set;
pub mod published;
#[cfg(test)]
pub mod signer;
