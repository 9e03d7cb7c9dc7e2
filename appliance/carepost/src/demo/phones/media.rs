//! Pictures and sounds at the demonstration's provider, as Meta's media endpoints keep them (developers.facebook.com,
//! WhatsApp Cloud API, Media): handed over, looked up, and fetched from where the look says.
//!
//! Invariant: what is kept is bounded; the oldest goes first.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde_json::{Value, json};

use super::{NUMBER_ID, Phones};

/// As many bytes of pictures and sounds are kept.
const BYTES_MAX: usize = 64 << 20;
/// Meta's ids are digits; these begin here.
const FIRST: u64 = 700_000_000_000;

/// A picture or sound.
#[derive(Clone, Debug)]
pub struct Picture {
    /// What whoever handed it over says that it is.
    pub media_type: String,
    /// What it is.
    pub bytes: Bytes,
}

/// A picture or sound on the screen of a telephone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// By what the provider knows it.
    pub id: String,
    /// What it is said to be.
    pub media_type: String,
}

/// All that the provider keeps.
#[derive(Default)]
pub(super) struct Shelf {
    number: u64,
    bytes: usize,
    kept: VecDeque<(String, Picture)>,
}

impl Shelf {
    /// Keeps it, and answers its id.
    pub(super) fn put(&mut self, picture: Picture) -> String {
        let id = (FIRST + self.number).to_string();
        self.number += 1;
        self.bytes += picture.bytes.len();
        self.kept.push_back((id.clone(), picture));
        while self.bytes > BYTES_MAX {
            let Some((_, oldest)) = self.kept.pop_front() else { break };
            self.bytes -= oldest.bytes.len();
        }
        id
    }

    pub(super) fn find(&self, id: &str) -> Option<Picture> {
        self.kept.iter().find(|(it, _)| it == id).map(|(_, picture)| picture.clone())
    }
}

fn refused(status: StatusCode, code: i64, message: &str) -> Response {
    let error = json!({ "error": { "code": code, "message": message } });
    (status, Json(error)).into_response()
}

fn unknown_token() -> Response {
    refused(StatusCode::UNAUTHORIZED, 190, "Invalid OAuth access token")
}

fn unknown_object() -> Response {
    refused(StatusCode::BAD_REQUEST, 100, "Unsupported get request. Object does not exist")
}

/// `POST /{version}/{number}/media`: a form with the bytes.
pub(super) async fn hand_over(
    State(phones): State<Arc<Phones>>,
    Path((_, number_id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !phones.is_let_in(&headers) || number_id != NUMBER_ID {
        return unknown_token();
    }
    let of = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    match file(of, &body) {
        Some(picture) => Json(json!({ "id": phones.put(picture) })).into_response(),
        None => refused(StatusCode::BAD_REQUEST, 100, "Invalid parameter"),
    }
}

/// `GET /{version}/{id}`: where it is.
pub(super) async fn look_up(
    State(phones): State<Arc<Phones>>,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if !phones.is_let_in(&headers) {
        return unknown_token();
    }
    let Some(Picture { media_type, bytes }) = phones.picture(&id) else { return unknown_object() };
    let answer: Value = json!({
        "messaging_product": "whatsapp", "id": id, "mime_type": media_type,
        "file_size": bytes.len(), "url": format!("{}/kept/{id}", phones.url()),
    });
    Json(answer).into_response()
}

/// `GET /kept/{id}`: the bytes.
pub(super) async fn fetch(
    State(phones): State<Arc<Phones>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !phones.is_let_in(&headers) {
        return unknown_token();
    }
    match phones.picture(&id) {
        Some(picture) => ([(CONTENT_TYPE, picture.media_type)], picture.bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The file of a form (RFC 7578), if the form is one of Meta's with a file.
fn file(content_type: &str, form: &[u8]) -> Option<Picture> {
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=")?;
    let parts = split(form, format!("--{boundary}").as_bytes());
    let (mut is_for_whatsapp, mut picture) = (false, None);
    for part in parts {
        let Some(at) = find(part, b"\r\n\r\n") else { continue };
        let (head, rest) = part.split_at(at);
        let head = std::str::from_utf8(head).ok()?.to_ascii_lowercase();
        let bytes = rest.get(4..rest.len().checked_sub(2)?)?;
        if head.contains("name=\"messaging_product\"") {
            is_for_whatsapp = bytes == b"whatsapp";
        } else if head.contains("name=\"file\"") {
            let of = head.lines().find_map(|it| it.strip_prefix("content-type:"))?.trim();
            let (media_type, bytes) = (of.to_owned(), Bytes::copy_from_slice(bytes));
            picture = Some(Picture { media_type, bytes });
        }
    }
    picture.filter(|it| is_for_whatsapp && !it.bytes.is_empty())
}

/// What stands between the marks.
fn split<'a>(all: &'a [u8], mark: &[u8]) -> Vec<&'a [u8]> {
    let (mut parts, mut rest) = (Vec::new(), all);
    while let Some(at) = find(rest, mark) {
        let (part, from_mark) = rest.split_at(at);
        parts.push(part);
        rest = from_mark.get(mark.len()..).unwrap_or_default();
    }
    parts
}

fn find(all: &[u8], wanted: &[u8]) -> Option<usize> {
    all.windows(wanted.len()).position(|it| it == wanted)
}
