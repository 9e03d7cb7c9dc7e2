//! The ways people reach the clinic: each foreign format is read and written in one module, and so is
//! each wire.
//!
//! # Invariants
//!
//! - A channel does not know what a message means.
