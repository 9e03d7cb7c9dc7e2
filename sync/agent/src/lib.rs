//! The box's end of the sync: joins a hub, and tells it the log of the records, sealed.
//!
//! ```text
//!   change log ─► stretch ─┐                              ┌─► hub
//!   all records ─► part ───┴─► bundle ─► sealed envelope ─┘    │
//!   sync_state ◄─ standing ◄─ uplink ◄─ receipt ◄──────────────┘
//! ```
//!
//! ```text
//!   records ◄─ take ◄─ batch ◄── requests, by long poll ◄─ hub
//!   answers ─────────────────────────────────────────────►
//! ```
//!
//! [`Agent::round`] is one exchange: read, seal, send, believe the receipt, note it. What to send and
//! what a receipt means is decided by `sync_protocol::uplink`; when to try again by [`pace`]. Whoever
//! runs it sleeps in between; nothing here waits but for the hub's answer.
//!
//! [`down::Down`] fetches what the hub asks and sends what is answered; what a request means is the daemon's.
//!
//! [`messages::Messages`] seals and opens what goes by the relay; who carries it is the daemon's.
//!
//! # What is told
//!
//! Records that FHIR can say, as they are now: the clinic, patients, practitioners and their roles,
//! locations, services, schedules, appointments, places in the queue, devices, slots that are lent, and what is kept as
//! given. Staff, sessions, tokens, leave, closed days and the audit stay on the box.
//!
//! # Invariants
//!
//! - Nothing here reads a clock; time is an argument.
//! - Reading is bounded in rows and bytes, and each bundle is read in one read transaction. Writing is
//!   one small write for each receipt, none of it in the change log.
//! - No name, number or text of a person is in an error: ids and words of the protocol only.

mod agent;
pub mod bundle;
pub mod condition;
pub mod down;
pub mod enrol;
mod http;
pub mod keys;
mod line;
pub mod loans;
mod mark;
pub mod messages;
mod meter;
pub mod pace;
mod record;
pub mod restore;
mod sealed;
mod spending;
pub mod status;
mod word;

pub use agent::{Agent, Fault, Prepared, Sealed, Turn};
pub use bundle::{Deltas, Shown};
pub use http::{HttpError, check_address};
pub use line::{Internet, Line};
pub use meter::Meter;
pub use sync_protocol::ask;
pub use sync_protocol::budget::Budget;
pub use sync_protocol::relay;
pub use sync_protocol::restore::OnHeld;
