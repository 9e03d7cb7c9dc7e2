//! What is lent and sold, with a hub on PostgreSQL: the same tests.

#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first thing that is not as it should be"
)]

#[path = "loans.rs"]
mod loans;
