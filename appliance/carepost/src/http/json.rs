//! What comes in: bodies, queries and path segments, bounded and checked, with problems that
//! name the field.

use std::error::Error;
use std::str::FromStr;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use tokio::time::timeout;

use super::BODY_BYTES_MAX;
use super::error::Problem;

/// As long may a body take to arrive.
const BODY_TIME_MAX: Duration = Duration::from_secs(20);

/// The longest name of a query that is repeated in a problem, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// A JSON body.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = json_bytes(request).await?;
        parse(&bytes).map(Self)
    }
}

/// The bytes of a body that says it is JSON.
pub(super) async fn json_bytes(request: Request) -> Result<Bytes, Problem> {
    if !is_json(request.headers()) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not_json",
            "send JSON with Content-Type: application/json",
        ));
    }
    let too_large = || {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            format!("a body has at most {BODY_BYTES_MAX} bytes"),
        )
    };
    let announced = request.headers().get("content-length").and_then(|value| value.to_str().ok());
    if announced
        .and_then(|text| text.parse().ok())
        .is_some_and(|bytes: u64| bytes > BODY_BYTES_MAX as u64)
    {
        return Err(too_large());
    }
    let body = Limited::new(request.into_body(), BODY_BYTES_MAX).collect();
    match timeout(BODY_TIME_MAX, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => {
            Err(Problem::new(StatusCode::BAD_REQUEST, "cut_short", "the body did not arrive whole"))
        }
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "too_slow",
            format!("the body took more than {} seconds", BODY_TIME_MAX.as_secs()),
        )),
    }
}

/// Reads JSON; what is wrong names the field where it can.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        match inner.classify() {
            serde_json::error::Category::Data => {
                // The text names types and fields, and may repeat a value: only known parts of
                // it are passed on.
                let text = inner.to_string();
                let quoted = |before: &str| {
                    let (_, rest) = text.split_once(before)?;
                    rest.split_once('`').map(|(name, _)| name.to_owned())
                };
                let at = |name: String| {
                    if path == "." { name } else { format!("{path}.{name}") }
                };
                if let Some(field) = quoted("missing field `") {
                    let field = at(field);
                    Problem::invalid(field.clone(), format!("the field {field} is missing"))
                } else if quoted("unknown field `").is_some() {
                    Problem::invalid(path.clone(), format!("there is no field {path}"))
                } else if path == "." {
                    Problem::new(
                        StatusCode::UNPROCESSABLE_ENTITY,
                        "invalid",
                        "the body is an object with the fields of /api/v1/prm/openapi.json",
                    )
                } else {
                    let detail = format!(
                        "the field {path} does not hold what it should; see /api/v1/prm/openapi.json"
                    );
                    Problem::invalid(path.clone(), detail)
                }
            }
            serde_json::error::Category::Io
            | serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof => malformed(inner.line(), inner.column()),
        }
    })?;
    reader.end().map_err(|error| malformed(error.line(), error.column()))?;
    Ok(parsed)
}

fn malformed(line: usize, column: usize) -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "malformed",
        format!("the body is no JSON; look at line {line}, column {column}"),
    )
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let kind = value.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// What is asked after the question mark.
#[derive(Debug)]
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(asked)| Self(asked))
            .map_err(|rejection| unreadable(&rejection))
    }
}

/// What is wrong with a query. Its text may repeat a value, so only the name is passed on.
fn unreadable(rejection: &QueryRejection) -> Problem {
    type Named = serde_path_to_error::Error<serde::de::value::Error>;
    let causes = std::iter::successors(rejection.source(), |cause| (*cause).source());
    let named = causes.filter_map(|cause| cause.downcast_ref::<Named>()).next();
    let name = named.map(|named| named.path().to_string()).filter(|name| {
        // A list may be asked for one thing twice, or for nothing that has a name.
        name != "." && name.len() <= NAME_BYTES_MAX
    });
    match name {
        Some(name) => {
            let detail = format!(
                "`{name}` after the ? of the address is not known here, or does not hold what it should; see /api/v1/prm/openapi.json"
            );
            Problem::invalid(name, detail)
        }
        None => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            "what stands after ? in the address cannot be read; see /api/v1/prm/openapi.json",
        ),
    }
}

/// The one variable segment of a path, for example an id. What cannot be one is not found.
#[derive(Debug)]
pub struct Segment<T>(pub T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for Segment<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) =
            Path::<String>::from_request_parts(parts, state).await.map_err(|_| no_such_id())?;
        text.parse().map(Self).map_err(|_| no_such_id())
    }
}

/// The two variable segments of a path, such as two ids.
#[derive(Debug)]
pub struct Segments<T, U>(pub T, pub U);

impl<T: FromStr, U: FromStr, S: Send + Sync> FromRequestParts<S> for Segments<T, U> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((one, two)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| no_such_id())?;
        let one = one.parse().map_err(|_| no_such_id())?;
        Ok(Self(one, two.parse().map_err(|_| no_such_id())?))
    }
}

fn no_such_id() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", "there is nothing with this id")
}

/// Reads a field that may be left out but not be null: what a record always has cannot go.
pub(super) fn never_null<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}
