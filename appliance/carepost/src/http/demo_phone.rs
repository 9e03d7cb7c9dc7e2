//! Telephones of patients: routes that are there only while `carepost demo` runs, and so stand in no document.
//! Whoever has the address may be any of the made-up patients.

use std::time::Duration;

use axum::body::{Body as Streamed, to_bytes};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use channels::heard::MEDIA_BYTES_MAX;
use channels::media_type;
use prm::contact::Phone;
use prm::patient;
use prm::stamp::Stamp;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::error::{Answer, Problem};
use super::json::{Asked, Body};
use super::openapi::ROOT;
use crate::app::App;
use crate::demo::phones::media::{Picture, Shown};
use crate::demo::phones::{Message, Phones, Said};

/// How long a telephone waits for a message.
const WAIT_MAX: Duration = Duration::from_secs(8);
/// Patients whom one may be.
const PEOPLE: u32 = 8;

/// The routes of this file.
pub fn routes() -> Router<App> {
    Router::new()
        .route(&format!("{ROOT}/demo/people"), get(people))
        .route(&format!("{ROOT}/demo/phone"), get(look).post(say))
        .route(&format!("{ROOT}/demo/phone/media"), post(put))
        .route(&format!("{ROOT}/demo/phone/media/{{id}}"), get(picture))
}

/// Somebody whom one may be.
#[derive(Debug, Serialize)]
struct Person {
    name: String,
    phone: String,
    birth_date: String,
}

/// Whose telephone, and what is known of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Looked {
    phone: String,
    #[serde(default)]
    after: u64,
}

/// What is done on a telephone.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Done {
    phone: String,
    name: String,
    said: Said,
}

#[derive(Debug, Serialize)]
struct Thread {
    messages: Vec<Message>,
}

async fn people(State(app): State<App>) -> Answer<Json<Vec<Person>>> {
    let stamp = Stamp::of_box(app.now());
    let found = app.db.read(move |read| patient::newest(read, &stamp, false, None, PEOPLE * 4));
    let people = found.await?.into_iter().filter_map(|it| {
        let phone = it.phones.first()?.number.as_str().to_owned();
        Some(Person { name: it.name, phone, birth_date: it.birth_date?.to_string() })
    });
    Ok(Json(people.take(PEOPLE as usize).collect()))
}

async fn look(
    State(app): State<App>,
    Asked(Looked { phone, after }): Asked<Looked>,
) -> Answer<Json<Thread>> {
    let (phones, phone) = (phones(&app)?, number(&app, &phone)?);
    let waited = timeout(WAIT_MAX, async {
        let mut newest = after;
        loop {
            let messages = phones.messages(&phone, after);
            if !messages.is_empty() {
                return messages;
            }
            newest = phones.newer_than(newest).await;
        }
    });
    Ok(Json(Thread { messages: waited.await.unwrap_or_default() }))
}

async fn say(
    State(app): State<App>,
    Body(Done { phone, name, said }): Body<Done>,
) -> Answer<StatusCode> {
    let (phones, phone) = (phones(&app)?, number(&app, &phone)?);
    match phones.say((&phone, &name), said, app.now()).await {
        Ok(200..=299) => Ok(StatusCode::NO_CONTENT),
        Ok(_) | Err(_) => {
            let what = "the hub of the demonstration did not take the message";
            Err(Problem::new(StatusCode::BAD_GATEWAY, "not_delivered", what))
        }
    }
}

/// Takes a picture or sound for a message that is to be said.
async fn put(State(app): State<App>, body: Streamed) -> Answer<Json<Shown>> {
    let phones = phones(&app)?;
    let too_large = |_| {
        let what = format!("a picture or sound has at most {MEDIA_BYTES_MAX} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", what)
    };
    let bytes = to_bytes(body, MEDIA_BYTES_MAX).await.map_err(too_large)?;
    let Some(found) = media_type::of(&bytes) else {
        let what = "send a picture, a sound or a PDF";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_allowed", what));
    };
    let media_type = found.to_owned();
    let id = phones.put(Picture { media_type: media_type.clone(), bytes });
    Ok(Json(Shown { id, media_type }))
}

/// What a message on a telephone shows or plays.
async fn picture(State(app): State<App>, Path(id): Path<String>) -> Answer<Response> {
    let nothing = || Problem::new(StatusCode::NOT_FOUND, "not_found", "there is no such picture");
    let Picture { media_type: _, bytes } = phones(&app)?.picture(&id).ok_or_else(nothing)?;
    let found = media_type::of(&bytes).ok_or_else(nothing)?;
    let headers = [
        (CONTENT_TYPE, found),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, bytes).into_response())
}

fn phones(app: &App) -> Answer<&Phones> {
    let none = || {
        let what = "there are no telephones without a hub and a broker";
        Problem::new(StatusCode::NOT_FOUND, "not_found", what)
    };
    app.phones.get().map(AsRef::as_ref).ok_or_else(none)
}

fn number(app: &App, text: &str) -> Answer<String> {
    Ok(Phone::parse(text, &app.clinic.country)?.as_str().to_owned())
}
