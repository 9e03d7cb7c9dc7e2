//! Creating requests that may be repeated: the same `Idempotency-Key` and body hear the same
//! answer and nothing happens twice.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderValue};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use prm::db::Tx;
use prm::idempotency::{self, Answer as Kept, Key};
use prm::stamp::Stamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::{Answer, Problem};
use super::json;
use super::version::etag;
use crate::app::App;

/// The header that holds the key.
const HEADER: &str = "idempotency-key";

/// A JSON body and the key that came with it, if any.
#[derive(Debug)]
pub struct Posted<T> {
    /// The body.
    pub body: T,
    /// The key, for [`once`].
    pub key: Option<Key>,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Posted<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let path = request.uri().path().to_owned();
        let text = request.headers().get(HEADER).cloned();
        let bytes = json::json_bytes(request).await?;
        let key = text.map(|text| key(&text, &[path.as_bytes(), &bytes])).transpose()?;
        Ok(Self { body: json::parse(&bytes)?, key })
    }
}

/// The key, if any, of a request of which the path says all; what its body holds does not matter.
#[derive(Debug)]
pub struct Keyed(pub Option<Key>);

impl<S: Send + Sync> FromRequestParts<S> for Keyed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let text = parts.headers.get(HEADER);
        text.map(|text| key(text, &[parts.uri.path().as_bytes()])).transpose().map(Self)
    }
}

fn key(text: &HeaderValue, asked: &[&[u8]]) -> Result<Key, Problem> {
    let text = text
        .to_str()
        .map_err(|_| Problem::invalid("Idempotency-Key", "the Idempotency-Key is plain ASCII"))?;
    Ok(Key::new(text, asked)?)
}

/// The answer that was given to this key before, if any: for requests that look something up
/// before their verb runs, which may not be there any more when they are repeated.
///
/// # Errors
/// 422 if the key was used for another request.
pub async fn heard(app: &App, stamp: Stamp, key: Option<&Key>) -> Answer<Option<Response>> {
    let Some(key) = key.cloned() else { return Ok(None) };
    let answer = app.db.read(move |read| idempotency::answered(read, &stamp, &key)).await?;
    Ok(answer.map(response))
}

/// Runs a verb and answers with its status and body as JSON (and with an `ETag` if the body has
/// a `version`). With a key the answer is kept in the same transaction, and a repetition hears
/// it again without running the verb.
///
/// # Errors
/// Those of the verb; 422 if the key was used for another request.
pub async fn once<T, F>(app: &App, stamp: Stamp, key: Option<Key>, verb: F) -> Answer<Response>
where
    T: Serialize + Send + 'static,
    F: FnOnce(&mut Tx<'_>) -> prm::error::Result<(StatusCode, T)> + Send + 'static,
{
    let Some(key) = key else {
        // Nobody else waits while the answer is written.
        let (status, body) = app.db.write(verb).await?;
        return Ok(response(kept(status, &body)?));
    };
    let answer = app
        .db
        .write(move |tx| {
            if let Some(answer) = idempotency::answered(tx, &stamp, &key)? {
                return Ok(answer);
            }
            let (status, body) = verb(tx)?;
            let answer = kept(status, &body)?;
            idempotency::keep(tx, &stamp, &key, &answer)?;
            Ok(answer)
        })
        .await?;
    Ok(response(answer))
}

fn kept<T: Serialize>(status: StatusCode, body: &T) -> prm::error::Result<Kept> {
    let body = serde_json::to_string(body)
        .map_err(|error| prm::error::Error::Storage(error.to_string()))?;
    Ok(Kept { status: status.as_u16(), body })
}

fn response(kept: Kept) -> Response {
    /// The one member of an answer that is also a header.
    #[derive(Deserialize)]
    struct OfVersion {
        version: Option<i64>,
    }
    let version = serde_json::from_str(&kept.body).ok().and_then(|found: OfVersion| found.version);
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    let json = HeaderValue::from_static("application/json");
    let mut response = (status, [(CONTENT_TYPE, json)], kept.body).into_response();
    if let Some(version) = version {
        response.headers_mut().insert(ETAG, etag(version));
    }
    response
}
