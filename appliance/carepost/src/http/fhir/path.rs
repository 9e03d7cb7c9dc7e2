//! The variable segments of an address under `/fhir`.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use fhir::IssueCode;
use serde::de::DeserializeOwned;

use super::fault::{Answer, Fault};

/// The segments, decoded.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        let read = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        read.map(|axum::extract::Path(segments)| Self(segments)).map_err(|_| {
            let what = "the address holds bytes that are no UTF-8; see /fhir/metadata";
            Fault::new(StatusCode::BAD_REQUEST, IssueCode::Invalid, what)
        })
    }
}
