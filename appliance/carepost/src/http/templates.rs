//! The clinic's own wording of what reception says, on the wire. Reception checks each wording before it is saved.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use prm::error::Error;
use prm::id::TemplateId;
use prm::stamp::Right;
use prm::template::{self, Template};
use reception::{Sentence, WordingError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::auth::Caller;
use super::error::{Answer, Problem};
use super::idempotency::{Posted, once};
use super::json::{Asked, Body, Segment};
use super::page::{self, Page, Part};
use super::version::{Seen, Versioned};
use crate::app::App;

/// The word of the list of sentences, for its cursors.
const SENTENCES: &str = "templates/sentences";

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(sentences))
        .routes(routes!(preview))
        .routes(routes!(get, edit, remove))
}

/// The clinic's own wording of a sentence.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Template)]
struct TemplateView {
    id: Uuid,
    version: i64,
    /// The id of the sentence.
    sentence: String,
    /// The language (a BCP 47 tag).
    language: String,
    /// The words, as a Fluent pattern.
    text: String,
}

impl From<Template> for TemplateView {
    fn from(template: Template) -> Self {
        let Template { id, version, sentence, language, text } = template;
        Self { id: id.uuid(), version, sentence, language, text }
    }
}

/// A wording that is to be added, or tried.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Wording {
    /// The id of the sentence.
    sentence: String,
    /// The language (a BCP 47 tag).
    language: String,
    /// The words, as a Fluent pattern: what is put in stands in braces, such as `{ $clinic }`.
    text: String,
}

/// All wordings of the clinic, by sentence and language.
#[utoipa::path(get, path = "/templates", tag = "wording", params(Part),
    responses((status = 200, body = Page<TemplateView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(part): Asked<Part>,
) -> Answer<Json<Page<TemplateView>>> {
    let all = app.db.read(move |read| template::list(read, &stamp)).await?;
    let page = part.of("templates", all, |one| one.id.uuid())?;
    Ok(Json(page.map(TemplateView::from)))
}

/// Puts the clinic's own words in the place of a sentence.
#[utoipa::path(post, path = "/templates", tag = "wording", request_body = Wording,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = TemplateView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn add(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body: Wording { sentence, language, text }, key }: Posted<Wording>,
) -> Answer<Response> {
    once(&app, stamp, key, move |tx| {
        let added = template::add(tx, &stamp, (&sentence, &language), &text)?;
        checked(&added.sentence, &added.language, &added.text)?;
        Ok((StatusCode::CREATED, TemplateView::from(added)))
    })
    .await
}

/// A sentence of reception in one language.
#[derive(Serialize, ToSchema)]
#[schema(as = Sentence)]
struct SentenceView {
    /// The id.
    sentence: &'static str,
    /// The language (a BCP 47 tag).
    language: &'static str,
    /// What may be put into it, by name.
    variables: &'static [&'static str],
    /// What reception says by itself.
    text: String,
}

/// What reception says, in each language that it speaks.
#[utoipa::path(get, path = "/templates/sentences", tag = "wording", params(Part),
    responses((status = 200, body = Page<SentenceView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn sentences(
    Caller(stamp): Caller,
    Asked(Part { limit, cursor }): Asked<Part>,
) -> Answer<Json<Page<SentenceView>>> {
    stamp.needs(Right::ReadWording)?;
    let skip: usize = cursor.map(|text| page::decode(SENTENCES, &text)).transpose()?.unwrap_or(0);
    let limit = limit.unwrap_or(page::LIMIT_MAX).clamp(1, page::LIMIT_MAX);
    let all = Sentence::ALL.iter().flat_map(|sentence| {
        reception::languages().map(|language| SentenceView {
            sentence: sentence.id(),
            language,
            variables: sentence.variables(),
            text: reception::pattern(language, *sentence),
        })
    });
    let part: Vec<_> = all.skip(skip).take(limit as usize + 1).collect();
    Ok(Json(Page::cut(SENTENCES, part, limit, |_| skip.saturating_add(limit as usize))))
}

/// What a wording comes to.
#[derive(Serialize, ToSchema)]
struct WordingPreview {
    /// The words; what is put in is shown by its name in brackets.
    text: String,
}

/// Tries a wording without saving it.
#[utoipa::path(post, path = "/templates/preview", tag = "wording", request_body = Wording,
    responses((status = 200, body = WordingPreview), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn preview(
    Caller(stamp): Caller,
    Body(Wording { sentence, language, text }): Body<Wording>,
) -> Answer<Json<WordingPreview>> {
    stamp.needs(Right::ReadWording)?;
    Ok(Json(WordingPreview { text: checked(&sentence, &language, &text)? }))
}

/// One wording of the clinic.
#[utoipa::path(get, path = "/templates/{id}", tag = "wording", params(("id" = Uuid, Path)),
    responses((status = 200, body = TemplateView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem)))]
async fn get(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<TemplateId>,
) -> Answer<Versioned<TemplateView>> {
    let found = app.db.read(move |read| template::get(read, &stamp, id)).await?;
    Ok(Versioned(found.version, found.into()))
}

/// What is to be changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TemplateEdit {
    /// The words, as a Fluent pattern.
    text: String,
}

/// Changes the words.
#[utoipa::path(patch, path = "/templates/{id}", tag = "wording", request_body = TemplateEdit,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = TemplateView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn edit(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<TemplateId>,
    Seen(seen): Seen,
    Body(TemplateEdit { text }): Body<TemplateEdit>,
) -> Answer<Versioned<TemplateView>> {
    let edited = app.db.write(move |tx| {
        let edited = template::edit(tx, &stamp, (id, seen), &text)?;
        checked(&edited.sentence, &edited.language, &edited.text)?;
        Ok(edited)
    });
    let edited = edited.await?;
    Ok(Versioned(edited.version, edited.into()))
}

/// Goes back to the words that the sentence has by itself.
#[utoipa::path(delete, path = "/templates/{id}", tag = "wording",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 412, body = Problem)))]
async fn remove(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<TemplateId>,
    Seen(seen): Seen,
) -> Answer<StatusCode> {
    app.db.write(move |tx| template::remove(tx, &stamp, (id, seen))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a wording comes to, or what is wrong with it.
fn checked(sentence: &str, language: &str, text: &str) -> prm::error::Result<String> {
    reception::check(language, sentence, text).map_err(|error| {
        let field = match error {
            WordingError::NoSentence => "sentence",
            WordingError::NoLanguage => "language",
            WordingError::Length | WordingError::Unreadable | WordingError::Unknown(_) => "text",
        };
        Error::invalid(field, error.to_string())
    })
}
