//! The ways people reach the clinic: each foreign format is read and written in one module, and so is
//! each wire.
//!
//! ```text
//!   whatsapp::twilio, whatsapp::meta   a webhook ──► heard; say ──► a request, its answer ──► an outcome
//!   voice_agent, standard_webhooks     a webhook ──► heard::CallReport
//!   webhook, account                   whose signature it has, by the secrets of an account
//!   heard, say                         what goes between hub and box, whoever carried it before
//!   away                               what the hub needs to answer while the box is away, and what it answered
//!   code_picture                       the QR that reception says, as a picture
//!   dial                               where no request goes, whoever names the address
//!   relay, relay::topic                MQTT 5, for box and hub alike
//! ```
//!
//! # Invariants
//!
//! - A channel does not know what a message means, and keeps nothing.
//! - Nothing here reads a clock: time is an argument.
//! - What a webhook says is believed only after its signature was checked over the bytes as they came.
//! - No name, number or text of a person is in an error or a `Debug` of this crate.

pub mod account;
pub mod away;
pub mod code_picture;
pub mod dial;
pub mod heard;
pub mod media_type;
pub mod relay;
pub mod say;
mod signature;
pub mod standard_webhooks;
pub mod voice_agent;
pub mod webhook;
pub mod whatsapp;
