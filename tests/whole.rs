//! What is true of the whole, tried from outside.

#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first thing that is not as it should be"
)]

mod asked;
mod dictionary;
mod journeys;
mod program;
mod routes;
mod schema;
mod simulation;
mod tidy;
