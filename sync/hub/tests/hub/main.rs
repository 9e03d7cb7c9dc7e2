//! The hub, asked over HTTP by boxes that speak the protocol.

#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first thing that is not as it should be"
)]

mod again;
mod asking;
mod away;
mod booking;
mod broker;
mod bundles;
mod catalogue;
mod channel;
mod clones;
pub(crate) mod cluster;
mod device;
mod enrolment;
mod index;
mod keeping;
mod killed;
mod media;
mod messages;
mod place;
mod race;
mod requests;
mod rotation;
mod strangers;
mod webhooks;

pub(crate) use place::Place;
