//! When and how people are reminded, on the wire.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use prm::id::{HealthcareServiceId, ReminderRuleId};
use prm::medium::Medium;
use prm::reminder_rule::{self, Addition, Edit, ReminderRule};
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
use super::words;
use crate::app::App;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(get, edit, remove))
}

/// When and how people are reminded.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ReminderRule)]
struct ReminderRuleView {
    id: Uuid,
    version: i64,
    /// For this service; null is all services that have no rule of their own.
    service_id: Option<Uuid>,
    /// How long before the visit.
    before_minutes: i64,
    /// By which media, in order of preference.
    #[schema(value_type = Vec<words::Medium>)]
    media: Vec<&'static str>,
    /// Whether the patient is asked to say that they come.
    confirm: bool,
    /// Whether it is followed.
    active: bool,
}

impl From<ReminderRule> for ReminderRuleView {
    fn from(rule: ReminderRule) -> Self {
        let ReminderRule {
            id,
            version,
            healthcare_service,
            before_minutes,
            media,
            confirm,
            active,
        } = rule;
        Self {
            id: id.uuid(),
            version,
            service_id: healthcare_service.map(|id| id.uuid()),
            before_minutes,
            media: media.into_iter().map(Medium::as_str).collect(),
            confirm,
            active,
        }
    }
}

/// A rule that is to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewReminderRule {
    /// For this service; without it for all that have no rule of their own.
    #[schema(value_type = Option<Uuid>)]
    service_id: Option<HealthcareServiceId>,
    /// How long before the visit, 15 to 40320.
    before_minutes: i64,
    /// By which media, in order of preference.
    #[schema(value_type = Vec<words::Medium>)]
    media: Vec<String>,
    /// Whether the patient is asked to say that they come; no when it is not said.
    #[serde(default)]
    confirm: bool,
}

/// What is to be changed; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReminderRuleEdit {
    #[serde(default, deserialize_with = "never_null")]
    before_minutes: Option<i64>,
    /// Replaces all.
    #[serde(default, deserialize_with = "never_null")]
    #[schema(value_type = Option<Vec<words::Medium>>)]
    media: Option<Vec<String>>,
    #[serde(default, deserialize_with = "never_null")]
    confirm: Option<bool>,
    #[serde(default, deserialize_with = "never_null")]
    active: Option<bool>,
}

/// All rules, the earliest reminder first.
#[utoipa::path(get, path = "/reminder-rules", tag = "wording", params(Part),
    responses((status = 200, body = Page<ReminderRuleView>), (status = 401, body = Problem),
              (status = 403, body = Problem), (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(part): Asked<Part>,
) -> Answer<Json<Page<ReminderRuleView>>> {
    let all = app.db.read(move |read| reminder_rule::list(read, &stamp)).await?;
    let page = part.of("reminder-rules", all, |one| one.id.uuid())?;
    Ok(Json(page.map(ReminderRuleView::from)))
}

/// Adds a rule.
#[utoipa::path(post, path = "/reminder-rules", tag = "wording", request_body = NewReminderRule,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = ReminderRuleView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn add(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body, key }: Posted<NewReminderRule>,
) -> Answer<Response> {
    let NewReminderRule { service_id, before_minutes, media, confirm } = body;
    let media = named(&media)?;
    once(&app, stamp, key, move |tx| {
        let addition = Addition { healthcare_service: service_id, before_minutes, media, confirm };
        let added = reminder_rule::add(tx, &stamp, addition)?;
        Ok((StatusCode::CREATED, ReminderRuleView::from(added)))
    })
    .await
}

/// One rule.
#[utoipa::path(get, path = "/reminder-rules/{id}", tag = "wording", params(("id" = Uuid, Path)),
    responses((status = 200, body = ReminderRuleView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem)))]
async fn get(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<ReminderRuleId>,
) -> Answer<Versioned<ReminderRuleView>> {
    let found = app.db.read(move |read| reminder_rule::get(read, &stamp, id)).await?;
    Ok(Versioned(found.version, found.into()))
}

/// Changes a rule; for which service it is stays.
#[utoipa::path(patch, path = "/reminder-rules/{id}", tag = "wording", request_body = ReminderRuleEdit,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = ReminderRuleView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem),
              (status = 422, body = Problem)))]
async fn edit(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<ReminderRuleId>,
    Seen(seen): Seen,
    Body(body): Body<ReminderRuleEdit>,
) -> Answer<Versioned<ReminderRuleView>> {
    let ReminderRuleEdit { before_minutes, media, confirm, active } = body;
    let media = media.map(|words| named(&words)).transpose()?;
    let edit = Edit { before_minutes, media, confirm, active };
    let edited = app.db.write(move |tx| reminder_rule::edit(tx, &stamp, (id, seen), edit)).await?;
    Ok(Versioned(edited.version, edited.into()))
}

/// Takes a rule away.
#[utoipa::path(delete, path = "/reminder-rules/{id}", tag = "wording",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 412, body = Problem)))]
async fn remove(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<ReminderRuleId>,
    Seen(seen): Seen,
) -> Answer<StatusCode> {
    app.db.write(move |tx| reminder_rule::remove(tx, &stamp, (id, seen))).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn named(words: &[String]) -> prm::error::Result<Vec<Medium>> {
    words.iter().map(|word| Medium::parse(word)).collect()
}
