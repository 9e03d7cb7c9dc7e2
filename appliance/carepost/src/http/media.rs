//! Pictures, voice notes and documents on the wire: the bytes, as they were sent, for the desk to show and play.
//!
//! They are what strangers sent: nothing in them may run, whatever it is.

use std::ops::Range;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_RANGE, RANGE,
};
use axum::http::{HeaderMap as Headers, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use prm::error::Error;
use prm::id::{MediaId, Noun};
use prm::media::{self, State as Stands};
use prm::stamp::Stamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::auth::Caller;
use super::error::{Answer, Problem};
use super::json::Segment;
use super::{read_audit, words};
use crate::app::App;
use crate::media::{MediaError, Pieces};

/// Nothing that was sent may load, run or reach anything.
const POLICY: &str = "default-src 'none'; sandbox";

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get))
}

/// What a message holds besides words.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Media)]
pub(super) struct MediaView {
    id: Uuid,
    /// Whether it is on its way, can be had, or will not come.
    #[schema(value_type = words::MediaState)]
    state: &'static str,
    /// What it is; while it is on its way, as its sender says it.
    media_type: String,
    /// How long it is, once it can be had.
    bytes: Option<u64>,
    /// Why it will not come: a stable word.
    why: Option<String>,
}

impl MediaView {
    /// What is known of it; nothing, if it was never expected.
    pub(super) fn of(
        read: &prm::db::Read<'_>,
        stamp: &Stamp,
        id: MediaId,
    ) -> prm::error::Result<Option<Self>> {
        match media::get(read, stamp, id) {
            Ok(found) => Ok(Some(Self {
                id: found.id.uuid(),
                state: found.state.as_str(),
                media_type: found.media_type,
                bytes: found.bytes,
                why: found.why,
            })),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A picture, a voice note or a document, byte for byte. One range of it may be asked for.
#[utoipa::path(get, path = "/media/{id}", tag = "conversations",
    params(("id" = Uuid, Path), ("Range" = Option<String>, Header)),
    responses((status = 200, content_type = "application/octet-stream", body = String), (status = 206, description = "A range of it"),
              (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem), (status = 410, body = Problem), (status = 416, body = Problem)))]
async fn get(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<MediaId>,
    asked: Headers,
) -> Answer<Response> {
    let found = app.db.read(move |read| media::get(read, &stamp, id)).await?;
    match found.state {
        Stands::Kept => {}
        Stands::Waiting => {
            let what = "it is on its way; ask again when the message says that it is there";
            return Err(Problem::new(StatusCode::CONFLICT, "media_waiting", what));
        }
        Stands::Refused => {
            let what = "it will not come; ask the person to send it again";
            let problem = Problem::new(StatusCode::GONE, "media_refused", what);
            return Err(problem.with("why", found.why));
        }
    }
    match found.patient {
        Some(patient) => read_audit::read(&app, stamp, Noun::Media, id.as_bytes(), patient).await?,
        None => read_audit::listed(&app, stamp, Noun::Media).await?,
    }
    let length = found.bytes.unwrap_or_default();
    let tag = format!("\"{}\"", hexadecimal(&found.sha256.unwrap_or_default()));
    let range = match wanted(&asked, &tag, length) {
        Wanted::All => None,
        Wanted::Some(range) => Some(range),
        Wanted::Nothing => return Ok(beyond(length)),
    };
    let part = range.clone().unwrap_or(0..length);
    let (blobs, of) = (app.media.clone(), part.clone());
    let opened = tokio::task::spawn_blocking(move || blobs.pieces(id, of)).await;
    let opened = opened.unwrap_or(Err(MediaError::Damaged(id)));
    let pieces = opened.and_then(|pieces| {
        if pieces.length() == length { Ok(pieces) } else { Err(MediaError::Damaged(id)) }
    });
    let pieces = pieces.map_err(|error| {
        tracing::error!(%id, %error, "a picture or sound cannot be read");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "media_damaged", error.to_string())
    })?;
    let mut response = body(pieces).into_response();
    let headers = response.headers_mut();
    if let Some(Range { start, end }) = range {
        set(headers, CONTENT_RANGE, &format!("bytes {start}-{}/{length}", end.saturating_sub(1)));
    }
    let (way, ending) = shown(&found.media_type);
    set(headers, CONTENT_TYPE, &found.media_type);
    set(headers, CONTENT_DISPOSITION, &format!("{way}; filename=\"{id}{ending}\""));
    set(headers, CONTENT_LENGTH, &(part.end - part.start).to_string());
    set(headers, CONTENT_SECURITY_POLICY, POLICY);
    set(headers, HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(headers, ACCEPT_RANGES, "bytes");
    set(headers, ETAG, &tag);
    if headers.contains_key(CONTENT_RANGE) {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

/// The pieces, one after the other, each read where nobody waits for the disk.
fn body(pieces: Pieces) -> Body {
    Body::from_stream(stream::unfold(Some(pieces), |pieces| async {
        let mut pieces = pieces?;
        let read = tokio::task::spawn_blocking(move || (pieces.next(), pieces)).await;
        match read {
            Ok((Some(Ok(piece)), rest)) => Some((Ok(Bytes::from(piece)), Some(rest))),
            Ok((None, _)) => None,
            // The answer is cut short, and whoever asked sees it by its length.
            Ok((Some(Err(error)), _)) => Some((Err(std::io::Error::other(error)), None)),
            Err(error) => Some((Err(std::io::Error::other(error)), None)),
        }
    }))
}

fn beyond(length: u64) -> Response {
    let what = "the range begins beyond the end";
    let mut response =
        Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range", what).into_response();
    set(response.headers_mut(), CONTENT_RANGE, &format!("bytes */{length}"));
    response
}

/// What of it is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    All,
    Some(Range<u64>),
    /// What begins beyond the end.
    Nothing,
}

/// Reads one range (RFC 9110, section 14). What is not understood, or asks for several, is answered with all of it, and so is
/// what was begun with something else.
fn wanted(asked: &Headers, tag: &str, length: u64) -> Wanted {
    let text = |name: HeaderName| asked.get(name).and_then(|value| value.to_str().ok());
    if text(IF_RANGE).is_some_and(|known| known != tag) {
        return Wanted::All;
    }
    let range = text(RANGE).and_then(|range| range.strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.trim().split_once('-')) else {
        return Wanted::All;
    };
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Some(first), None) if last.is_empty() => first..length,
        (None, Some(last)) if first.is_empty() => length.saturating_sub(last)..length,
        (Some(_) | None, Some(_) | None) => return Wanted::All,
    };
    if range.is_empty() { Wanted::Nothing } else { Wanted::Some(range) }
}

/// Whether a browser shows it in its place or puts it by, and the ending of its name.
fn shown(media_type: &str) -> (&'static str, &'static str) {
    match media_type {
        "image/jpeg" => ("inline", ".jpg"),
        "image/png" => ("inline", ".png"),
        "image/webp" => ("inline", ".webp"),
        "audio/ogg" => ("inline", ".ogg"),
        "audio/mpeg" => ("inline", ".mp3"),
        "audio/mp4" => ("inline", ".m4a"),
        "audio/aac" => ("inline", ".aac"),
        "audio/amr" => ("inline", ".amr"),
        "audio/wav" => ("inline", ".wav"),
        "video/mp4" => ("inline", ".mp4"),
        "video/3gpp" => ("inline", ".3gp"),
        "application/pdf" => ("attachment", ".pdf"),
        _ => ("attachment", ""),
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_understood_and_everything_else_is_all_of_it() {
        for (range, expected) in [
            ("bytes=0-0", Wanted::Some(0..1)),
            ("bytes=10-19", Wanted::Some(10..20)),
            ("bytes=90-", Wanted::Some(90..100)),
            ("bytes=90-1000", Wanted::Some(90..100)),
            ("bytes=-10", Wanted::Some(90..100)),
            ("bytes=-1000", Wanted::Some(0..100)),
            ("bytes=-99999999999999999999", Wanted::Some(0..100)),
            ("bytes=100-", Wanted::Nothing),
            ("bytes=99999999999999999999-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=20-10", Wanted::All),
            ("bytes=0-1,5-6", Wanted::All),
            ("bytes=+1-2", Wanted::All),
            ("bytes=-", Wanted::All),
            ("items=0-1", Wanted::All),
        ] {
            let asked = Headers::from_iter([(RANGE, HeaderValue::from_static(range))]);
            assert_eq!(wanted(&asked, "\"a\"", 100), expected, "{range}");
        }
        let mut asked = Headers::from_iter([(RANGE, HeaderValue::from_static("bytes=1-2"))]);
        assert_eq!(wanted(&asked, "\"a\"", 0), Wanted::Nothing);
        asked.insert(IF_RANGE, HeaderValue::from_static("\"b\""));
        assert_eq!(wanted(&asked, "\"a\"", 100), Wanted::All, "it is another one meanwhile");
    }
}
