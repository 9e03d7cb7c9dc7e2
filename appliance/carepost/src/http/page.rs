//! Lists on the wire: `{"items": [...], "next": cursor or null}`.

use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prm::error::Error;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::error::{Answer, Problem};

/// Items of a list when the caller does not say.
pub const LIMIT_DEFAULT: u32 = 100;
/// Items of a list at the most.
pub const LIMIT_MAX: u32 = 500;
/// The longest cursor that is looked at, in bytes.
const CURSOR_BYTES_MAX: usize = 512;

/// How much of a list is asked for, and from where on.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Part {
    /// At most so many, 1 to 500; 500 when it is not said.
    pub limit: Option<u32>,
    /// `next` of the list before.
    pub cursor: Option<String>,
}

impl Part {
    /// This part of a list that is at hand whole and of which each item has an id. `list` is the
    /// word of the list; a cursor is good for its own list only.
    ///
    /// # Errors
    /// 422 if the cursor is none of this list.
    pub fn of<T>(
        self,
        list: &'static str,
        items: Vec<T>,
        id: impl Fn(&T) -> Uuid,
    ) -> Answer<Page<T>> {
        let Self { limit, cursor } = self;
        let last: Option<(usize, Uuid)> = cursor.map(|text| decode(list, &text)).transpose()?;
        let first = last.map_or(0, |(at, last)| {
            // Where the item stands now; if it is gone meanwhile, where it stood.
            items.iter().position(|item| id(item) == last).map_or(at, |at| at + 1)
        });
        let limit = limit.unwrap_or(LIMIT_MAX).clamp(1, LIMIT_MAX) as usize;
        let more = items.len() > first.saturating_add(limit);
        let items: Vec<T> = items.into_iter().skip(first).take(limit).collect();
        let next = items.last().filter(|_| more);
        let next = next.map(|last| encode(list, &(first + limit - 1, id(last))));
        Ok(Page { items, next })
    }
}

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

    /// The same part with each item made into something else.
    pub fn map<U>(self, view: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(view).collect(), next: self.next }
    }

    /// A part of a list, of which one item more than `limit` was asked for: the one too many
    /// tells that there is more. `cursor` makes the cursor of the last item that is answered.
    pub fn cut<C: Serialize>(
        list: &'static str,
        mut items: Vec<T>,
        limit: u32,
        cursor: impl Fn(&T) -> C,
    ) -> Self {
        let limit = limit as usize;
        if items.len() <= limit {
            return Self::whole(items);
        }
        items.truncate(limit);
        let next = items.last().map(|last| encode(list, &cursor(last)));
        Self { items, next }
    }
}

/// A list as an answer, written item by item into one buffer: for lists so long that making
/// all items before the first is written shows. `item_bytes` is about what one item takes.
///
/// # Errors
/// If an item cannot be written as JSON.
pub fn written<T: Serialize>(
    items: impl ExactSizeIterator<Item = T>,
    item_bytes: usize,
    next: Option<&str>,
) -> Answer<Response> {
    let (begin, end) = (br#"{"items":["#, br#"],"next":"#);
    let rest = end.len() + CURSOR_BYTES_MAX;
    let mut text = Vec::with_capacity(begin.len() + items.len() * item_bytes + rest);
    text.extend_from_slice(begin);
    for (at, item) in items.enumerate() {
        if at > 0 {
            text.push(b',');
        }
        serde_json::to_writer(&mut text, &item)
            .map_err(|error| Error::Storage(error.to_string()))?;
    }
    text.extend_from_slice(end);
    serde_json::to_writer(&mut text, &next).map_err(|error| Error::Storage(error.to_string()))?;
    text.push(b'}');
    let json = HeaderValue::from_static("application/json");
    Ok(([(CONTENT_TYPE, json)], text).into_response())
}

/// The limit to use: what was asked for, at least 1, at most [`LIMIT_MAX`].
pub fn limit(asked: Option<u32>) -> u32 {
    asked.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX)
}

/// A cursor of a list as text that nobody needs to understand.
pub fn encode(list: &'static str, cursor: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(list, cursor)).unwrap_or_default())
}

/// Reads a cursor that [`encode`] made for this list.
///
/// # Errors
/// 422 if it is none.
pub fn decode<C: DeserializeOwned>(list: &'static str, text: &str) -> Answer<C> {
    let wrong = || {
        Problem::invalid("cursor", "this is no cursor of this list; take `next` of its last answer")
    };
    if text.len() > CURSOR_BYTES_MAX {
        return Err(wrong());
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
    let (of, cursor): (String, C) = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
    if of == list { Ok(cursor) } else { Err(wrong()) }
}
