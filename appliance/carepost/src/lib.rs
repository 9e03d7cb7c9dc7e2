//! The daemon of the box: its doors, its command line, its keys and its backups.
//!
//! Invariant: only `clock.rs` reads the clock.
//! Invariant: rights and rules are in `prm`; here is only how they are reached.

pub mod accounts;
pub mod app;
mod away;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod config;
pub mod connections;
pub mod demo;
pub mod dialogues;
pub mod doctor;
pub mod email;
pub mod export;
mod follow;
pub mod founding;
pub mod health;
pub mod http;
pub mod import;
pub mod inbox;
pub mod last_backup;
pub mod media;
mod offers;
pub mod outbox;
pub mod outward;
pub mod place;
pub mod reception;
pub mod recordings;
pub mod relay;
pub mod reminders;
pub mod requests;
pub mod serve;
pub mod smart;
pub mod sync;
pub mod tls;
pub mod turn;
