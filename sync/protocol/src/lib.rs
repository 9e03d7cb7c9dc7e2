//! How a box and the hub agree: what was sent, what was lent, and how it is sealed on the way.
//!
//! ```text
//!                 box                                                     hub
//!   ┌──────────────────────────────┐                     ┌──────────────────────────────┐
//!   │ uplink    what to send next  │ ─── bundle ───────► │ ledger   what is held        │
//!   │                              │ ◄── receipt ─────── │          and what is parked  │
//!   │ loan::Lender                 │ ─── grant, recall ► │ loan::Borrower               │
//!   │           what is away       │ ◄── sale, return ── │          what may be sold    │
//!   │ downlink::Taken              │ ◄── batch ───────── │ downlink::Queue              │
//!   │           what is done       │ ─── position ─────► │          what is asked for   │
//!   └──────────────────────────────┘                     └──────────────────────────────┘
//!              ask: what a request says, and what is answered to it;
//!              wire: each of these as CBOR; envelope: zstd, HPKE, Ed25519 around it;
//!              lineage: which life of a box is heard; capability, pause: what both can,
//!              and when to try again; qr: what a patient shows at the door;
//!              relay: messages of people, each way, whatever the line does with them
//! ```
//!
//! Both ends use this crate; each end's program does what it says. Everywhere the same way: a value
//! (the columns of a row) and what came in give a new value and what is to be done. The program
//! writes both in one transaction and sends after the commit. What must arrive is read off the
//! value, not off a list beside it, so a crash between commit and sending loses nothing.
//!
//! # A day
//!
//! 1. The box starts and asks ([`uplink::Next::Ask`]). The [`ledger::Receipt`] says how far the hub
//!    holds its log; from there on stretches follow, each answered with a receipt. A new log begins
//!    with a full statement, in parts.
//! 2. At night [`loan::policy`] chooses a fifth of the free slots of each day, and the box lends them.
//!    The line is cut. The hub sells what it holds, until the term or the cut-off, and signs a
//!    [`qr::Sold`] for each patient; the box books the rest. Nothing is sold twice.
//! 3. The line is back. Returns and sales arrive, in whatever order and number, and settle.
//!
//! # Invariants
//!
//! - Nothing here reads a clock, opens a socket or a file, or keeps anything. Sealing and the making
//!   of keys draw randomness from the system; nothing else does.
//! - Nothing here knows a clinic: ids, keys, records and requests are bytes, and no name, number or
//!   text of a person is in an error or a `Debug` that this crate writes by itself.
//! - Whatever comes in late, twice, out of order or not at all does no harm: the tests explore all
//!   orders within bounds, with crashes and restores, and take out each rule in turn.
//! - Every length and every number that comes from outside has a named bound; no bytes make it panic
//!   or allocate more than the bounds say.
//! - What is held, lent or taken is never concluded from time that passed. A clock only ever says
//!   that something can *no longer* be done.
//!
//! # What it does not know
//!
//! Whether a slot is free in the diary, what a record means, who may override, who may enrol a box or
//! let a new log take over, how bytes travel, and when to send: these are the programs' and the
//! persons'.

pub mod ask;
pub mod budget;
pub mod capability;
pub mod downlink;
pub mod envelope;
pub mod ledger;
pub mod lineage;
pub mod loan;
pub mod pause;
pub mod qr;
pub mod relay;
pub mod restore;
pub mod uplink;
pub mod wire;
