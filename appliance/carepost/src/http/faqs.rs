//! What is often asked, on the wire.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use prm::faq::{self, Addition, Edit, Faq};
use prm::id::FaqId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
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

/// As many are answered to somebody who looks for one.
const FOUND_MAX: usize = 10;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(find))
        .routes(routes!(get, edit, remove))
}

/// A question that is often asked.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Faq)]
struct FaqView {
    id: Uuid,
    version: i64,
    /// The language of the answer (a BCP 47 tag).
    language: String,
    /// The question in several wordings, the main one first.
    questions: Vec<String>,
    /// What is answered.
    answer: String,
    /// Whether it is answered so.
    active: bool,
}

impl From<Faq> for FaqView {
    fn from(faq: Faq) -> Self {
        let Faq { id, version, language, questions, answer, active } = faq;
        Self { id: id.uuid(), version, language, questions, answer, active }
    }
}

/// A question that is to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewFaq {
    /// The language of the answer (a BCP 47 tag).
    language: String,
    /// The question in 1 to 12 wordings, the main one first.
    questions: Vec<String>,
    /// What is answered.
    answer: String,
}

/// What is to be changed; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FaqEdit {
    #[serde(default, deserialize_with = "never_null")]
    language: Option<String>,
    /// Replaces all.
    #[serde(default, deserialize_with = "never_null")]
    questions: Option<Vec<String>>,
    #[serde(default, deserialize_with = "never_null")]
    answer: Option<String>,
    #[serde(default, deserialize_with = "never_null")]
    active: Option<bool>,
}

/// All questions in the order in which they were added.
#[utoipa::path(get, path = "/faqs", tag = "wording", params(Part),
    responses((status = 200, body = Page<FaqView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(part): Asked<Part>,
) -> Answer<Json<Page<FaqView>>> {
    let all = app.db.read(move |read| faq::list(read, &stamp)).await?;
    let page = part.of("faqs", all, |one| one.id.uuid())?;
    Ok(Json(page.map(FaqView::from)))
}

/// Adds a question with its answer.
#[utoipa::path(post, path = "/faqs", tag = "wording", request_body = NewFaq,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = FaqView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn add(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body: NewFaq { language, questions, answer }, key }: Posted<NewFaq>,
) -> Answer<Response> {
    once(&app, stamp, key, move |tx| {
        let addition = Addition { language, questions, answer };
        Ok((StatusCode::CREATED, FaqView::from(faq::add(tx, &stamp, addition)?)))
    })
    .await
}

/// What somebody asks.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct QuestionAsked {
    /// The words of the question, in any script.
    q: String,
    /// The language to answer in (a BCP 47 tag).
    language: String,
    /// At most so many, 1 to 500; 500 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// A question that was found.
#[derive(Serialize, ToSchema)]
struct FoundFaq {
    faq: FaqView,
    /// How well it fits, 0 to 1.
    score: f64,
}

/// The questions that somebody may mean, as reception finds them: the likeliest first, at most ten.
#[utoipa::path(get, path = "/faqs/find", tag = "wording", params(QuestionAsked),
    responses((status = 200, body = Page<FoundFaq>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn find(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(QuestionAsked { q, language, limit, cursor }): Asked<QuestionAsked>,
) -> Answer<Json<Page<FoundFaq>>> {
    let found =
        app.db.read(move |read| faq::find(read, &stamp, &q, (&language, FOUND_MAX))).await?;
    let page = Part { limit, cursor }.of("faqs/find", found, |it| it.faq.id.uuid())?;
    Ok(Json(page.map(|it| FoundFaq { faq: it.faq.into(), score: it.score })))
}

/// One question.
#[utoipa::path(get, path = "/faqs/{id}", tag = "wording", params(("id" = Uuid, Path)),
    responses((status = 200, body = FaqView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem)))]
async fn get(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<FaqId>,
) -> Answer<Versioned<FaqView>> {
    let found = app.db.read(move |read| faq::get(read, &stamp, id)).await?;
    Ok(Versioned(found.version, found.into()))
}

/// Changes a question or its answer.
#[utoipa::path(patch, path = "/faqs/{id}", tag = "wording", request_body = FaqEdit,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = FaqView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn edit(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<FaqId>,
    Seen(seen): Seen,
    Body(FaqEdit { language, questions, answer, active }): Body<FaqEdit>,
) -> Answer<Versioned<FaqView>> {
    let edit = Edit { language, questions, answer, active };
    let edited = app.db.write(move |tx| faq::edit(tx, &stamp, (id, seen), edit)).await?;
    Ok(Versioned(edited.version, edited.into()))
}

/// Takes a question away.
#[utoipa::path(delete, path = "/faqs/{id}", tag = "wording",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 412, body = Problem)))]
async fn remove(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<FaqId>,
    Seen(seen): Seen,
) -> Answer<StatusCode> {
    app.db.write(move |tx| faq::remove(tx, &stamp, (id, seen))).await?;
    Ok(StatusCode::NO_CONTENT)
}
