//! Short texts that the desk writes often, on the wire.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use prm::canned_answer::{self, Addition, CannedAnswer, Edit};
use prm::id::CannedAnswerId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::auth::Caller;
use super::error::{Answer, Problem};
use super::idempotency::{Posted, once};
use super::json::{Asked, Body, Segment, never_null};
use super::page::{Page, Part};
use super::version::{Seen, Versioned};
use crate::app::App;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(get, edit, remove))
}

/// A text that the desk writes often.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CannedAnswer)]
struct CannedAnswerView {
    id: Uuid,
    version: i64,
    /// By what somebody at the desk finds it.
    title: String,
    /// The language of the text (a BCP 47 tag).
    language: String,
    /// The words; in braces stands what is put in: `{ $patient }`, `{ $doctor }`, `{ $day }`, `{ $time }`, `{ $clinic }`.
    text: String,
}

impl From<CannedAnswer> for CannedAnswerView {
    fn from(answer: CannedAnswer) -> Self {
        let CannedAnswer { id, version, title, language, text } = answer;
        Self { id: id.uuid(), version, title, language, text }
    }
}

/// A text that is to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCannedAnswer {
    /// By what somebody at the desk finds it.
    title: String,
    /// The language of the text (a BCP 47 tag).
    language: String,
    /// The words; braces stand only for what is put in.
    text: String,
}

/// What is to be changed; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CannedAnswerEdit {
    #[serde(default, deserialize_with = "never_null")]
    title: Option<String>,
    #[serde(default, deserialize_with = "never_null")]
    language: Option<String>,
    #[serde(default, deserialize_with = "never_null")]
    text: Option<String>,
}

/// All of them, by title and language.
#[utoipa::path(get, path = "/canned-answers", tag = "wording", params(Part),
    responses((status = 200, body = Page<CannedAnswerView>), (status = 401, body = Problem),
              (status = 403, body = Problem), (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(part): Asked<Part>,
) -> Answer<Json<Page<CannedAnswerView>>> {
    let all = app.db.read(move |read| canned_answer::list(read, &stamp)).await?;
    let page = part.of("canned-answers", all, |one| one.id.uuid())?;
    Ok(Json(page.map(CannedAnswerView::from)))
}

/// Adds a text.
#[utoipa::path(post, path = "/canned-answers", tag = "wording", request_body = NewCannedAnswer,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = CannedAnswerView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn add(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body: NewCannedAnswer { title, language, text }, key }: Posted<NewCannedAnswer>,
) -> Answer<Response> {
    once(&app, stamp, key, move |tx| {
        let addition = Addition { title, language, text };
        let added = canned_answer::add(tx, &stamp, addition)?;
        Ok((StatusCode::CREATED, CannedAnswerView::from(added)))
    })
    .await
}

/// One text.
#[utoipa::path(get, path = "/canned-answers/{id}", tag = "wording", params(("id" = Uuid, Path)),
    responses((status = 200, body = CannedAnswerView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem)))]
async fn get(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<CannedAnswerId>,
) -> Answer<Versioned<CannedAnswerView>> {
    let found = app.db.read(move |read| canned_answer::get(read, &stamp, id)).await?;
    Ok(Versioned(found.version, found.into()))
}

/// Changes a text.
#[utoipa::path(patch, path = "/canned-answers/{id}", tag = "wording", request_body = CannedAnswerEdit,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = CannedAnswerView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem),
              (status = 422, body = Problem)))]
async fn edit(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<CannedAnswerId>,
    Seen(seen): Seen,
    Body(CannedAnswerEdit { title, language, text }): Body<CannedAnswerEdit>,
) -> Answer<Versioned<CannedAnswerView>> {
    let edit = Edit { title, language, text };
    let edited = app.db.write(move |tx| canned_answer::edit(tx, &stamp, (id, seen), edit)).await?;
    Ok(Versioned(edited.version, edited.into()))
}

/// Takes a text away.
#[utoipa::path(delete, path = "/canned-answers/{id}", tag = "wording",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 412, body = Problem)))]
async fn remove(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<CannedAnswerId>,
    Seen(seen): Seen,
) -> Answer<StatusCode> {
    app.db.write(move |tx| canned_answer::remove(tx, &stamp, (id, seen))).await?;
    Ok(StatusCode::NO_CONTENT)
}
