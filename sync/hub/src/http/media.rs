//! `GET /v1/media/{token}`: what goes with a message, for the provider that fetches it. The token is all that it shows:
//! it is sealed, good for ten minutes, and for this alone.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use channels::media_type;

use super::Problem;
use crate::hub::Hub;
use crate::media::outgoing;

/// The longest token, in characters.
const TOKEN_CHARACTERS_MAX: usize = 256;

/// The routes.
pub fn routes() -> Router<Arc<Hub>> {
    Router::new().route("/v1/media/{token}", get(fetch))
}

async fn fetch(
    State(hub): State<Arc<Hub>>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let nothing = || {
        let what = "there is nothing at this address, or not any more";
        Problem::new(StatusCode::NOT_FOUND, "not_found", what)
    };
    if token.len() > TOKEN_CHARACTERS_MAX {
        return Err(nothing());
    }
    let _turn = hub.media.served.try_acquire().map_err(|_| Problem::busy())?;
    let at_work = Arc::clone(&hub);
    let found = tokio::task::spawn_blocking(move || outgoing::linked(&at_work, &token)).await;
    let found = found.map_err(|error| Problem::unavailable(&error))?;
    let whole = found.map_err(|error| Problem::unavailable(&error))?.ok_or_else(nothing)?;
    let of = media_type::of(&whole).ok_or_else(nothing)?;
    let headers = [
        (CONTENT_TYPE, of),
        (CONTENT_DISPOSITION, "attachment"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Bytes::from_owner(whole)).into_response())
}
