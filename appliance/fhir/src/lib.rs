//! The records of a clinic as FHIR R4 (4.0.1) and back.
//!
//! Invariant: this crate knows no storage, no network and no clock; what it needs is an argument.
//! Invariant: what came in through FHIR comes out again. An element that the records do not own is
//! written as it was given, one that they own as they hold it.

pub mod appointment;
pub mod audit_event;
pub mod bundle;
pub mod capability;
pub mod chart;
pub mod compartment;
mod concept;
pub mod device;
mod element;
pub mod encounter;
pub mod extension;
#[cfg(test)]
mod fixture;
pub mod healthcare_service;
pub mod here;
mod human_name;
mod instant;
mod invariant;
pub mod json;
mod kept;
pub mod location;
pub mod matching;
pub mod merge;
pub mod operation;
pub mod organization;
pub mod outcome;
pub mod patch;
pub mod patient;
pub mod practitioner;
pub mod practitioner_role;
pub mod primitive;
pub mod provenance;
pub mod reference;
pub mod related_person;
pub mod schedule;
pub mod scope;
pub mod search;
pub mod slot;
pub mod smart;
pub mod structure;
pub mod summary;
pub mod task;
pub mod terms;

pub use here::Here;
pub use json::Resource;
pub use outcome::{Issue, IssueCode, Outcome, Severity};
