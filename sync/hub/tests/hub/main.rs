//! The hub, asked over HTTP by boxes that speak the protocol.

#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first thing that is not as it should be"
)]

mod bundles;
mod clones;
pub(crate) mod cluster;
mod device;
mod enrolment;
mod keeping;
mod killed;
mod place;
mod race;
mod requests;
mod rotation;

pub(crate) use place::Place;
