//! Bodies that are too large to be taken: whoever sends one whole before listening hears why.
//!
//! A connection that is closed with bytes unread is torn down, and what was answered on it is lost
//! with them. So the answer goes out first, and then what comes is read past, within bounds.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, EXPECT, HeaderMap};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::{Stream, StreamExt as _, stream};
use tokio::time::timeout;

use crate::http::BODY_BYTES_MAX;

/// As much is read past, in bytes; a longer body is cut off.
const READ_PAST_BYTES_MAX: usize = 16 * 1024 * 1024;
/// As long is read past.
const READ_PAST_TIME_MAX: Duration = Duration::from_secs(5);

/// Reads past what a handler leaves of a large body, behind its answer. Whoever asks first whether the
/// body is welcome need not send it.
pub async fn read_past(request: Request, next: Next) -> Response {
    if !is_large(request.headers()) || request.headers().contains_key(EXPECT) {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let body = Arc::new(Mutex::new(Some(body.into_data_stream())));
    let lent = Body::from_stream(parts(Arc::clone(&body)));
    let answer = next.run(Request::from_parts(head, lent)).await;
    if body.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
        return answer;
    }
    let (mut head, said) = answer.into_parts();
    // The answer ends when the reading does, not with its last byte.
    head.headers.remove(CONTENT_LENGTH);
    let reading = stream::once(within_bounds(parts(body))).filter_map(|()| async { None });
    Response::from_parts(head, Body::from_stream(said.into_data_stream().chain(reading)))
}

fn is_large(headers: &HeaderMap) -> bool {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    announced
        .and_then(|text| text.parse().ok())
        .is_some_and(|bytes: u64| bytes > BODY_BYTES_MAX as u64)
}

/// The parts of a body that another reader may go on with; at its end it is gone.
fn parts(
    body: Arc<Mutex<Option<BodyDataStream>>>,
) -> impl Stream<Item = Result<Bytes, axum::Error>> {
    stream::poll_fn(move |context| {
        let mut body = body.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(stream) = body.as_mut() else { return Poll::Ready(None) };
        let part = stream.poll_next_unpin(context);
        if matches!(part, Poll::Ready(None | Some(Err(_)))) {
            *body = None;
        }
        part
    })
}

async fn within_bounds(unread: impl Stream<Item = Result<Bytes, axum::Error>>) {
    let reading = async {
        let mut unread = pin!(unread);
        let mut left = READ_PAST_BYTES_MAX;
        while let Some(Ok(part)) = unread.next().await {
            match left.checked_sub(part.len()) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // Whoever is slower is cut off.
    let _ = timeout(READ_PAST_TIME_MAX, reading).await;
}
