//! The doors of the box: the JSON API, live events, health and the screens, as one router.
//!
//! Invariant: errors become responses in `error.rs` only, as RFC 9457 problems.
//! Invariant: rights are checked in the verbs of `prm`; nothing here decides who may do what.

#![allow(unused_qualifications, reason = "the macros of the API document write them")]

pub mod appointments;
pub mod audit;
pub mod auth;
pub mod calls;
pub mod canned_answers;
pub mod catalogue;
pub mod check_ins;
pub mod clinic;
pub mod closed_days;
pub mod conflicts;
pub mod conversations;
pub mod demo_line;
pub mod demo_phone;
pub mod devices;
pub mod error;
pub mod faqs;
pub mod fhir;
pub mod healthcare_services;
pub mod idempotency;
pub mod json;
pub mod known;
pub mod leaves;
pub mod live;
pub mod loans;
pub mod local_times;
pub mod locations;
pub mod measure;
pub mod media;
pub mod messages;
pub mod openapi;
pub mod page;
pub mod patient_instructions;
pub mod patients;
pub mod practitioners;
pub mod queue;
pub mod read_audit;
pub mod reminder_rules;
pub mod schedules;
pub mod screens;
pub mod session;
pub mod short_text;
pub mod slots;
pub mod smart;
pub mod staff;
pub mod status;
pub mod sync;
pub mod sync_requests;
pub mod templates;
pub mod tickets;
pub mod tries;
pub mod trust;
pub mod version;
pub mod waitlist;
pub mod webhooks;
pub mod wellness;
pub mod words;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{CACHE_CONTROL, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::http::{Request, StatusCode};
use axum::middleware;
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::app::App;
use crate::http::error::Problem;

/// As large as a body may be, in bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Everything that the box serves to screens and programs.
pub fn router(app: App) -> Router {
    let mut api = openapi::routes().split_for_parts().0;
    if app.line.get().is_some() {
        api = api.merge(demo_line::routes());
    }
    if app.phones.get().is_some() {
        api = api.merge(demo_phone::routes());
    }
    let private =
        SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Router::new()
        .merge(api)
        .merge(fhir::routes())
        .merge(smart::routes())
        .route("/livez", get(wellness::livez))
        .route("/readyz", get(wellness::readyz))
        .route("/metrics", get(wellness::metrics))
        .layer(middleware::from_fn(auth::refuse_forged))
        .layer(private)
        .merge(screens::routes().layer(CompressionLayer::new()))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(app.clone(), auth::refuse_other_hosts))
        .layer(CatchPanicLayer::custom(error::after_panic))
        .layer(middleware::from_fn_with_state(app.clone(), measure::measure))
        .layer(SetResponseHeaderLayer::overriding(
            X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .with_state(app)
}

async fn unknown<B>(request: Request<B>) -> Problem {
    // The path may hold anything, so it is not repeated.
    drop(request);
    Problem::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address")
}

async fn wrong_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this address does not take this method; see /api/v1/prm/openapi.json",
    )
}

#[cfg(test)]
pub(crate) mod tests;
