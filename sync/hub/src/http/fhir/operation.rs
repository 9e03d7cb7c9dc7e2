//! `Appointment/$find`, `$hold`, `$book` and `$cancel`: the box is asked when it is there, else the hub does
//! what it may ([`crate::booking`]).

use std::sync::Arc;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use fhir::operation::Operation;
use fhir::scope::Permission;
use fhir::search::pairs;
use fhir::{IssueCode, Outcome, Resource, structure};
use serde_json::{Value, json};
use sync_protocol::ask::{Operation as Asking, Reply};

use super::asked::Asked;
use super::fault::{Answer, Fault};
use super::{FHIR_JSON, Segments, nothing, with_records, wrong_method};
use crate::booking::{self, Answered, NotDone, TYPE, Wish};
use crate::clock::stopwatch;
use crate::hub::{Hub, ReadError};
use crate::idempotency::{self, Begun, By, KEY_BYTES_MAX, Once};
use crate::requests::{self, Answer as OfBox};

/// The longest body, in bytes: what is asked of the box is no longer.
const BODY_MAX: usize = 64 * 1024;
/// The header with a key of the caller's, under which a booking is made once.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// How long somebody waits for the box to find times.
const FIND_TIME: Duration = Duration::from_secs(10);
/// How long somebody waits for the box to write.
const WRITE_TIME: Duration = Duration::from_secs(25);

/// The operations that are offered.
pub const OFFERED: [Operation; 4] =
    [Operation::Find, Operation::Hold, Operation::Book, Operation::Cancel];

/// An operation on the type, asked by its address.
pub async fn got(hub: &Arc<Hub>, asked: &Asked, type_: &str, name: &str) -> Answer<Response> {
    let operation = offered(type_, name, false).await?;
    if operation.writes() {
        let what = "this operation writes: ask for it by POST";
        return Err(Fault::new(StatusCode::METHOD_NOT_ALLOWED, IssueCode::NotSupported, what));
    }
    let parameters = told(None, &asked.query)?;
    done(hub, asked, wish(hub, operation, None, parameters)).await
}

/// An operation on the type, posted.
pub async fn of_type(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    segments: Segments,
    request: Request,
) -> Answer<Response> {
    let Some(name) = segments.id().strip_prefix('$') else { return Err(wrong_method().await) };
    let operation = offered(segments.type_()?, name, false).await?;
    let parameters = told(Some(body(request).await?), &asked.query)?;
    done(&hub, &asked, wish(&hub, operation, None, parameters)).await
}

/// An operation on one appointment, posted.
pub async fn of_one(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    segments: Segments,
    request: Request,
) -> Answer<Response> {
    let Some(name) = segments.name().strip_prefix('$') else { return Err(wrong_method().await) };
    let operation = offered(segments.type_()?, name, true).await?;
    let parameters = told(Some(body(request).await?), &asked.query)?;
    let id = Some(segments.id().to_owned());
    done(&hub, &asked, wish(&hub, operation, id, parameters)).await
}

async fn offered(type_: &str, name: &str, is_of_one: bool) -> Answer<Operation> {
    let found = Operation::of(type_, name, is_of_one).filter(|it| OFFERED.contains(it));
    match found {
        Some(operation) => Ok(operation),
        None => Err(nothing().await),
    }
}

/// The resource in a body; none if there is none.
async fn body(request: Request) -> Answer<Option<Resource>> {
    let said = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = said.and_then(|text| text.split(';').next()).map(str::trim).map(str::to_owned);
    let bytes = to_bytes(request.into_body(), BODY_MAX).await.map_err(|_| {
        let what = format!("the body is longer than {BODY_MAX} bytes, or was cut off");
        Fault::new(StatusCode::PAYLOAD_TOO_LARGE, IssueCode::TooLong, what)
    })?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if !kind.is_some_and(|it| it.contains("json")) {
        let what = "send FHIR's JSON with Content-Type: application/fhir+json";
        return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, IssueCode::NotSupported, what));
    }
    let resource = fhir::json::parse(&bytes)?;
    let issues = structure::validate(&resource);
    if issues.is_empty() { Ok(Some(resource)) } else { Err(Outcome { issues }.into()) }
}

/// What is told to an operation, as one `Parameters`: of the body, and after the `?`.
fn told(body: Option<Option<Resource>>, query: &str) -> Answer<Resource> {
    let mut all = match body.flatten() {
        None => Vec::new(),
        Some(body) if body.resource_type() == "Parameters" => match body.get("parameter") {
            Some(Value::Array(parameters)) => parameters.clone(),
            Some(_) | None => Vec::new(),
        },
        Some(body) => vec![json!({ "name": "resource", "resource": body })],
    };
    for (name, text) in pairs(query)? {
        if !["_format", "_pretty"].contains(&name.as_str()) && !text.is_empty() {
            all.push(json!({ "name": name, "valueString": text }));
        }
    }
    let mut parameters = Resource::of("Parameters")
        .expect("invariant: R4 has the type in which operations are told what they need");
    if !all.is_empty() {
        parameters.set("parameter", all);
    }
    Ok(parameters)
}

fn wish(hub: &Hub, operation: Operation, id: Option<String>, parameters: Resource) -> Wish {
    Wish { operation, id, parameters, once: Once::new(hub) }
}

/// The `Idempotency-Key`, where one has a meaning: whoever asks for it again does not want it twice.
fn key(asked: &Asked, wish: &Wish) -> Answer<Option<[u8; 16]>> {
    if !matches!(wish.operation, Operation::Hold | Operation::Book) {
        return Ok(None);
    }
    let Some(text) = asked.headers.get(KEY) else { return Ok(None) };
    let text = text.to_str().ok().filter(|it| (1..=KEY_BYTES_MAX).contains(&it.len()));
    let text = text.ok_or_else(|| {
        let what = format!("the Idempotency-Key is plain ASCII of 1 to {KEY_BYTES_MAX} bytes");
        Fault::new(StatusCode::BAD_REQUEST, IssueCode::Value, what)
    })?;
    Ok(Some(idempotency::place_of(asked.token, text)))
}

async fn done(hub: &Arc<Hub>, asked: &Asked, mut wish: Wish) -> Answer<Response> {
    for (type_, interaction) in wish.operation.does(TYPE) {
        asked.scopes.within(type_, Permission::of(interaction))?;
    }
    let is_of_strangers = wish.is_of_strangers(&wish.input()?);
    let key = key(asked, &wish)?;
    let alone = key.map(|key| hub.turns.alone(key).ok_or_else(at_work)).transpose()?;
    if let Some(key) = key {
        let (clinic, what) = (asked.clinic, wish.whole());
        let begun = at_store(hub, move |hub| idempotency::begin(hub, clinic, key, &what)).await?;
        match begun {
            Begun::Ours(once) => wish.once = once,
            Begun::Heard(status, body) => return Ok(response(status, body.into_bytes())),
            Begun::OfAnother => return Err(of_another()),
            Begun::Full => return Err(Fault::later(StatusCode::SERVICE_UNAVAILABLE, 3600)),
        }
    }
    let once = wish.once.clone();
    let (status, body) = answered(hub, asked, wish, is_of_strangers).await?;
    if key.is_some() {
        let (clinic, body) = (asked.clinic, String::from_utf8_lossy(&body).into_owned());
        at_store(hub, move |hub| idempotency::end(hub, clinic, &once, (status, &body))).await?;
    }
    drop(alone);
    Ok(response(status, body))
}

/// Does it, and says with which status and what.
async fn answered(
    hub: &Arc<Hub>,
    asked: &Asked,
    wish: Wish,
    is_of_strangers: bool,
) -> Answer<(u16, Vec<u8>)> {
    let (own, wish) = with_records(hub, asked, move |place| {
        let own = booking::own(place, &wish).transpose().map(said).transpose()?;
        Ok((own, wish))
    })
    .await?;
    if let Some(own) = own {
        return Ok(own);
    }
    let (clinic, once) = (asked.clinic, wish.once.clone());
    let by = if is_of_strangers {
        Some(By::Hub)
    } else {
        at_store(hub, move |hub| idempotency::by(hub, clinic, &once)).await?
    };
    if by != Some(By::Hub) {
        if let Some(replied) = by_box(hub, asked, &wish).await? {
            return Ok(replied);
        }
        if by == Some(By::Box) {
            let what = "the clinic's box went away while it was asked; ask again with the same key";
            let fault = Fault::new(StatusCode::SERVICE_UNAVAILABLE, IssueCode::Timeout, what);
            return Err(fault.after(30));
        }
    }
    with_records(hub, asked, move |place| said(booking::alone(place, &wish))).await
}

/// What the box answers; none if it is away.
async fn by_box(hub: &Arc<Hub>, asked: &Asked, wish: &Wish) -> Answer<Option<(u16, Vec<u8>)>> {
    let Some(name) = booking::name(wish.operation) else { return Ok(None) };
    let busy = || Fault::later(StatusCode::SERVICE_UNAVAILABLE, 5);
    let _turn = hub.turns.asking.try_acquire().map_err(|_| busy())?;
    let long = if wish.operation.writes() { WRITE_TIME } else { FIND_TIME };
    let long = i64::try_from(long.as_millis()).unwrap_or(i64::MAX);
    let mut parameters = wish.parameters.clone();
    if let Some(id) = &wish.id {
        let one = json!({
            "name": "appointment-reference",
            "valueReference": { "reference": format!("{TYPE}/{id}") },
        });
        match parameters.get_mut("parameter").and_then(Value::as_array_mut) {
            Some(all) => all.push(one),
            None => parameters.set("parameter", vec![one]),
        }
    }
    let parameters = relative(&parameters.to_vec(), &asked.base);
    let asking = Asking {
        id: wish.once.request,
        name,
        parameters,
        deadline_ms: hub.clock.now_ms().saturating_add(long),
    };
    let since = stopwatch();
    match requests::ask(hub, asked.clinic, asking).await {
        Ok(OfBox::Reply(reply)) => {
            hub.round_trips.note(since.elapsed());
            Ok(Some(replied(reply, &asked.base)))
        }
        Ok(OfBox::BoxAway) => Ok(None),
        // Who only looks loses nothing if the box answers later.
        Ok(OfBox::NoAnswer) if !wish.operation.writes() => Ok(None),
        Ok(OfBox::NoAnswer) => {
            let what = "the clinic's box did not answer in time and may have done it: ask again with the \
                        same Idempotency-Key, or look for the appointment before asking again";
            Err(Fault::new(StatusCode::GATEWAY_TIMEOUT, IssueCode::Timeout, what))
        }
        Err(error) => Err(error.into()),
    }
}

/// References to the clinic's records at the hub as references to the records of the box.
fn relative(parameters: &[u8], base: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(parameters);
    text.replace(&format!("\"{base}/"), "\"").into_bytes()
}

fn replied(reply: Reply, base: &str) -> (u16, Vec<u8>) {
    let Reply { id: _, status, body, before: _ } = reply;
    let placed = fhir::json::parse(&body).map(|resource| placed(resource, base).to_vec());
    (status, placed.unwrap_or(body))
}

/// A bundle of the box with its addresses at the hub.
fn placed(mut resource: Resource, base: &str) -> Resource {
    let place = |url: &mut Value| {
        let path = url.as_str().filter(|it| !it.contains("://") && !it.starts_with("urn:"));
        if let Some(path) = path.map(|it| it.trim_start_matches('/').to_owned()) {
            *url = format!("{base}/{path}").into();
        }
    };
    for (list, name) in [("link", "url"), ("entry", "fullUrl")] {
        let all = resource.get_mut(list).and_then(Value::as_array_mut);
        all.into_iter().flatten().filter_map(|it| it.get_mut(name)).for_each(place);
    }
    resource
}

/// What is answered, also where the answer is that it cannot be done.
fn said(done: Result<Answered, NotDone>) -> Answer<(u16, Vec<u8>)> {
    match done {
        Ok(Answered { status, resource }) => Ok((status, resource.to_vec())),
        Err(NotDone::Said(status, outcome)) => {
            Ok((status, outcome.to_json().to_string().into_bytes()))
        }
        Err(error) => Err(error.into()),
    }
}

fn response(status: u16, body: Vec<u8>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let kind = HeaderValue::from_static(FHIR_JSON);
    (status, [(CONTENT_TYPE, kind)], body).into_response()
}

/// Does something with the database beside the threads that answer others.
async fn at_store<T: Send + 'static>(
    hub: &Arc<Hub>,
    work: impl FnOnce(&Hub) -> Result<T, ReadError> + Send + 'static,
) -> Answer<T> {
    let hub = Arc::clone(hub);
    let done = tokio::task::spawn_blocking(move || work(&hub)).await;
    Ok(done.map_err(|error| Fault::failed(&error))??)
}

fn at_work() -> Fault {
    let what = "this is being done under the same Idempotency-Key; ask again in a few seconds";
    Fault::new(StatusCode::CONFLICT, IssueCode::Conflict, what).after(5)
}

fn of_another() -> Fault {
    let what = "this Idempotency-Key was used for something else; use a new one for each booking";
    Fault::new(StatusCode::UNPROCESSABLE_ENTITY, IssueCode::BusinessRule, what)
}
