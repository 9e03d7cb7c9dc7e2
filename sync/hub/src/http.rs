//! The hub's HTTP: enrolment, bundles, requests, webhooks of providers, health.

mod bundles;
mod enroll;
mod envelope;
mod fhir;
mod health;
mod loans;
mod media;
mod problem;
mod requests;
mod restore;
mod webhook;

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
pub use problem::Problem;
pub use webhook::{ROOM, TWILIO};

use crate::hub::Hub;

/// All routes.
pub fn router(hub: Arc<Hub>) -> Router {
    Router::new()
        .route("/v1/enroll", post(enroll::post))
        .route("/v1/bundles", post(bundles::post))
        .route("/v1/requests", get(requests::get))
        .route("/v1/replies", post(requests::reply))
        .route("/v1/loans", post(loans::post))
        .route("/v1/restore", post(restore::post))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .merge(fhir::routes())
        .merge(media::routes())
        .merge(webhook::routes())
        .fallback(async |uri: Uri| {
            if uri.path().starts_with(fhir::PATH) {
                return fhir::nothing().await.into_response();
            }
            let what = "there is nothing at this address";
            Problem::new(StatusCode::NOT_FOUND, "not_found", what).into_response()
        })
        .method_not_allowed_fallback(async || {
            let what = "this address does not take this method";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", what)
        })
        .with_state(hub)
}
