//! Bodies that are too large to be taken: whoever sends one whole before listening hears why.
//!
//! A connection that is closed with bytes unread is torn down, and what was answered on it is lost
//! with them. So the answer goes out first, and then what comes is read past, within bounds.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, EXPECT, HeaderMap};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use crate::http::BODY_BYTES_MAX;

/// As much is read past, in bytes; a longer body is cut off.
const READ_PAST_BYTES_MAX: usize = 16 * 1024 * 1024;
/// As long is read past.
const READ_PAST_TIME_MAX: Duration = Duration::from_secs(5);

/// Keeps a body that is announced as too large from the handlers, who refuse it by its length, and
/// reads past it behind their answer. Whoever asks first whether it is welcome need not send it.
pub async fn read_past(request: Request, next: Next) -> Response {
    if !is_too_large(request.headers()) || request.headers().contains_key(EXPECT) {
        return next.run(request).await;
    }
    let (head, unread) = request.into_parts();
    let answer = next.run(Request::from_parts(head, Body::empty())).await;
    let (mut head, said) = answer.into_parts();
    // The answer ends when the reading does, not with its last byte.
    head.headers.remove(CONTENT_LENGTH);
    let reading = stream::once(within_bounds(unread)).filter_map(|()| async { None });
    Response::from_parts(head, Body::from_stream(said.into_data_stream().chain(reading)))
}

fn is_too_large(headers: &HeaderMap) -> bool {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    announced
        .and_then(|text| text.parse().ok())
        .is_some_and(|bytes: u64| bytes > BODY_BYTES_MAX as u64)
}

async fn within_bounds(mut unread: Body) {
    let reading = async {
        let mut left = READ_PAST_BYTES_MAX;
        while let Some(Ok(frame)) = unread.frame().await {
            match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // Whoever is slower is cut off.
    let _ = timeout(READ_PAST_TIME_MAX, reading).await;
}
