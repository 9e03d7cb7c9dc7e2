//! What is true of the whole, tried from outside.

#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first thing that is not as it should be"
)]

mod asked;
// Of the hub's tests: a server of PostgreSQL that ends with its value.
#[path = "../sync/hub/tests/hub/cluster.rs"]
mod cluster;
mod dictionary;
mod journeys;
mod program;
mod routes;
mod schema;
mod simulation;
mod tidy;
