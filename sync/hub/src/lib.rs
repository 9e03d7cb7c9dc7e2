//! The cloud's end of sync (binary `carepost-hub`): it receives the sealed logs of the boxes of many
//! clinics, keeps their records, and says what it holds.
//!
//! ```text
//!   box ── POST /v1/enroll ─────────────► enroll     a code that a person carried, for keys
//!   box ── POST /v1/bundles, sealed ────► receive    open, check each entry as FHIR, ask the ledger,
//!       ◄── sealed receipt ──────────────            write, commit, and only then answer
//!   box ── GET /v1/requests, a proof ───► requests   what is asked of the box: put in by whoever
//!       ◄── sealed batch ────────────────            makes it, in the same transaction
//!   box ── POST /v1/replies, sealed ────►            what the box answered, for whoever waits
//!   provider ── webhooks, signed ──────► arrivals   on the disk, and down to the box by the broker (relay)
//!       ◄── messages ─────────────────── say        what came up from the box, and how it fares goes down
//!       ──► pictures, voice notes ─────► media      fetched after the webhook, in parts to the box; and back
//!   program ── /fhir/{clinic}, a token ─► search     opened by the terms of its index, looked at by the
//!                                         booking    code of the box; asked of the box, or sold from loans
//! ```
//!
//! A clinic has one box. A further code lets a box with new keys, another disk or other hardware take
//! the place of the one before: that is how a person says which life of it is heard.
//!
//! An entry's body is one FHIR R4 resource as JSON, or says that the record is gone.
//!
//! Invariant: what a receipt says is held is on the disk (`synchronous=FULL`, `synchronous_commit=on`).
//! Invariant: nothing here decides what is taken; `sync_protocol::ledger` does.
//! Invariant: records lie encrypted under a key of their clinic; a row that is moved to another
//! clinic or another record does not open.
//! Invariant: SQL stands in `store` only. Logs, errors and the status hold ids, never a record.

pub mod arrivals;
pub mod away;
pub mod backup;
pub mod booking;
pub mod catalogue;
pub mod channel;
pub mod cli;
pub mod clock;
pub mod code;
mod door;
pub mod enroll;
pub mod examine;
pub mod http;
pub mod hub;
pub mod idempotency;
pub mod index_key;
pub mod loans;
pub mod master;
pub mod media;
pub mod mend;
pub mod message_counts;
pub mod place;
pub mod receive;
pub mod records;
pub mod reindex;
pub mod rekey;
pub mod relay;
pub mod requests;
pub mod restore;
pub mod round_trip;
pub mod say;
pub mod sealed;
pub mod search;
pub mod situation;
pub mod store;
pub mod token;
pub mod turns;
pub mod vault;
pub mod watch;
