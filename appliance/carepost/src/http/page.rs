//! Lists on the wire: `{"items": [...], "next": cursor or null}`.

use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prm::error::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::error::{Answer, Problem};

/// Items of a list when the caller does not say.
pub const LIMIT_DEFAULT: u32 = 100;
/// Items of a list at the most.
pub const LIMIT_MAX: u32 = 500;
/// The longest cursor that is looked at, in bytes.
const CURSOR_BYTES_MAX: usize = 512;

/// A list, or a part of one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// What was asked for, in order.
    pub items: Vec<T>,
    /// Give this as `cursor` to hear the rest; null at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A list that is whole.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    /// A part of a list, of which one item more than `limit` was asked for: the one too many
    /// tells that there is more. `cursor` makes the cursor of the last item that is answered.
    pub fn cut<C: Serialize>(mut items: Vec<T>, limit: u32, cursor: impl Fn(&T) -> C) -> Self {
        let limit = limit as usize;
        if items.len() <= limit {
            return Self::whole(items);
        }
        items.truncate(limit);
        let next = items.last().map(|last| encode(&cursor(last)));
        Self { items, next }
    }
}

/// A whole list as an answer, written item by item into one buffer: for lists so long that making
/// all items before the first is written shows. `item_bytes` is about what one item takes.
///
/// # Errors
/// If an item cannot be written as JSON.
pub fn written<T: Serialize>(
    items: impl ExactSizeIterator<Item = T>,
    item_bytes: usize,
) -> Answer<Response> {
    let (begin, end) = (br#"{"items":["#, br#"],"next":null}"#);
    let mut text = Vec::with_capacity(begin.len() + items.len() * item_bytes + end.len());
    text.extend_from_slice(begin);
    for (at, item) in items.enumerate() {
        if at > 0 {
            text.push(b',');
        }
        serde_json::to_writer(&mut text, &item)
            .map_err(|error| Error::Storage(error.to_string()))?;
    }
    text.extend_from_slice(end);
    let json = HeaderValue::from_static("application/json");
    Ok(([(CONTENT_TYPE, json)], text).into_response())
}

/// The limit to use: what was asked for, at least 1, at most [`LIMIT_MAX`].
pub fn limit(asked: Option<u32>) -> u32 {
    asked.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX)
}

/// A cursor as text that nobody needs to understand.
pub fn encode(cursor: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(cursor).unwrap_or_default())
}

/// Reads a cursor that [`encode`] made.
///
/// # Errors
/// 422 if it is none.
pub fn decode<C: DeserializeOwned>(text: &str) -> Answer<C> {
    let wrong = || Problem::invalid("cursor", "this is no cursor; take `next` of the last answer");
    if text.len() > CURSOR_BYTES_MAX {
        return Err(wrong());
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
    serde_json::from_slice(&bytes).map_err(|_| wrong())
}
