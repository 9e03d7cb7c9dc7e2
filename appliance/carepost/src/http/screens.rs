//! The screens, embedded in the program: kiosk, board and desk; and a patient's telephone for the demonstration.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_NONE_MATCH, REFERRER_POLICY,
};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use rust_embed::{EmbeddedFile, RustEmbed};

use super::error::Problem;
use crate::app::App;

/// Only what comes from the box itself; the camera's picture and its worker stay in the page.
const CONTENT_POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; \
    style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; \
    script-src 'self' 'wasm-unsafe-eval'; object-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";
/// The camera is for the kiosk's QR; nothing else is asked for.
const PERMISSIONS: &str = "camera=(self), microphone=(), geolocation=()";
/// Names of assets hold a hash of their content, so they never change.
const FOREVER: &str = "public, max-age=31536000, immutable";

#[derive(RustEmbed)]
#[folder = "../../kiosk/dist"]
struct Built;

/// The screens' routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/desk") }))
        .route("/desk", get(|headers| page("desk.html", headers)))
        .route("/kiosk", get(|headers| page("kiosk.html", headers)))
        .route("/board", get(|headers| page("board.html", headers)))
        .route("/phone", get(|headers| page("phone.html", headers)))
        .route("/assets/{*path}", get(asset))
}

/// Whether the screens are in the program.
pub fn are_built() -> bool {
    ["desk.html", "kiosk.html", "board.html"].iter().all(|name| Built::get(name).is_some())
}

async fn page(name: &'static str, headers: HeaderMap) -> Response {
    match Built::get(name) {
        Some(file) => answer(&file, &headers, "no-cache"),
        None => Problem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "this program was built without its screens; build it with `cargo xtask demo`",
        )
        .into_response(),
    }
}

async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    // Where files are read from the disk (a debug build), a path must not lead out of the folder.
    let plain = !path.split('/').any(|step| step.is_empty() || step == "..");
    match plain.then(|| Built::get(&format!("assets/{path}"))).flatten() {
        Some(file) => answer(&file, &headers, FOREVER),
        None => Problem::new(StatusCode::NOT_FOUND, "not_found", "there is no such file")
            .into_response(),
    }
}

fn answer(file: &EmbeddedFile, headers: &HeaderMap, caching: &'static str) -> Response {
    let hash: String =
        file.metadata.sha256_hash()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    // Weak, because it is the same for the compressed form.
    let etag = format!("W/\"{hash}\"");
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let fresh = known.is_some_and(|known| known.split(',').any(|one| one.trim() == etag));
    let mut response = if fresh {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        file.data.clone().into_owned().into_response()
    };
    let out = response.headers_mut();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            out.insert(name, value);
        }
    };
    let kind = file.metadata.mimetype();
    let charset = if kind.starts_with("text/") { "; charset=utf-8" } else { "" };
    set(CONTENT_TYPE, &format!("{kind}{charset}"));
    set(ETAG, &etag);
    set(CACHE_CONTROL, caching);
    set(CONTENT_SECURITY_POLICY, CONTENT_POLICY);
    set(HeaderName::from_static("permissions-policy"), PERMISSIONS);
    set(REFERRER_POLICY, "no-referrer");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    response
}
