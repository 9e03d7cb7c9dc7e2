//! The records of a clinic and the rules they obey, on SQLite; one file per noun.
//!
//! A verb is a plain function in the file of its noun: inside one transaction it checks the
//! rules, writes the row, the audit line and the change. Whatever must happen afterwards follows
//! the change log from its own cursor.
//!
//! Invariant: this crate knows no channel, no wire format and no clock; time is an argument.
//! Invariant: a verb never waits. Only `Db` does.
//! Invariant: nouns call only nouns before them in one declared order (the tidy test has it).

pub mod appointment;
pub mod audit;
pub mod call;
pub mod canned_answer;
pub mod change;
pub mod chart;
pub mod check_in;
pub mod clinic;
pub mod conflict;
pub mod consent;
pub mod contact;
pub mod content;
pub mod conversation;
pub mod db;
pub mod device;
pub mod error;
pub mod faq;
#[cfg(test)]
mod fixture;
pub mod given;
pub mod healthcare_service;
pub mod hub;
pub mod id;
pub mod idempotency;
pub mod imported;
pub mod loan;
pub mod location;
pub mod media;
pub mod medium;
pub mod message;
pub mod name;
mod past;
pub mod patient;
pub mod patient_instruction;
pub mod practitioner;
pub mod provenance;
pub mod qr;
pub mod query;
pub mod queue;
pub mod relay;
pub mod reminder;
pub mod reminder_rule;
pub mod request;
pub mod schedule;
pub mod search;
pub mod secret;
pub mod slot;
pub mod staff;
pub mod stamp;
pub mod statement;
pub mod template;
pub mod ticket;
pub mod time;
pub mod token;
pub mod waitlist;
