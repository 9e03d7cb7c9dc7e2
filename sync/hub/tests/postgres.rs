//! The same hub on PostgreSQL, asked the same; and what only PostgreSQL has.

#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first thing that is not as it should be"
)]

#[path = "hub/main.rs"]
mod hub;
#[path = "postgres/isolation.rs"]
mod isolation;
#[path = "postgres/schema.rs"]
mod schema;
#[path = "postgres/tls.rs"]
mod tls;
