//! Practitioners on the wire.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use prm::id::{LocationId, PractitionerId};
use prm::practitioner::{self, Addition, Edit, Practitioner};
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
use super::staff::even_null;
use super::version::{Seen, Versioned};
use crate::app::App;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(get, edit))
}

/// Somebody whom patients come to see.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Practitioner)]
pub struct PractitionerView {
    id: Uuid,
    version: i64,
    /// With the title.
    name: String,
    /// Lower-case words, the main one first.
    specialties: Vec<String>,
    /// The letters that begin the tokens of this queue.
    token_prefix: String,
    /// The usual room.
    location_id: Option<Uuid>,
    /// Whether patients can be booked.
    active: bool,
}

impl From<Practitioner> for PractitionerView {
    fn from(practitioner: Practitioner) -> Self {
        let Practitioner { id, version, name, specialties, token_prefix, location, active } =
            practitioner;
        Self {
            id: id.uuid(),
            version,
            name,
            specialties,
            token_prefix,
            location_id: location.map(|id| id.uuid()),
            active,
        }
    }
}

/// Somebody who is to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPractitioner {
    /// With the title.
    name: String,
    /// In any case, the main one first.
    specialties: Option<Vec<String>>,
    /// The usual room.
    #[schema(value_type = Option<Uuid>)]
    location_id: Option<LocationId>,
}

/// What is to be changed; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PractitionerEdit {
    #[serde(default, deserialize_with = "never_null")]
    name: Option<String>,
    /// Replaces all; null is none.
    #[serde(default, deserialize_with = "even_null")]
    specialties: Option<Option<Vec<String>>>,
    /// Null is no usual room.
    #[serde(default, deserialize_with = "even_null")]
    #[schema(value_type = Option<Uuid>)]
    location_id: Option<Option<LocationId>>,
    #[serde(default, deserialize_with = "never_null")]
    active: Option<bool>,
}

/// Everybody whom patients come to see, by name.
#[utoipa::path(get, path = "/practitioners", tag = "diary", params(Part),
    responses((status = 200, body = Page<PractitionerView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(part): Asked<Part>,
) -> Answer<Json<Page<PractitionerView>>> {
    let all = app.db.read(move |read| practitioner::list(read, &stamp)).await?;
    let page = part.of("practitioners", all, |one| one.id.uuid())?;
    Ok(Json(page.map(PractitionerView::from)))
}

/// Adds a practitioner and gives the queue its letter.
#[utoipa::path(post, path = "/practitioners", tag = "diary", request_body = NewPractitioner,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = PractitionerView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn add(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body, key }: Posted<NewPractitioner>,
) -> Answer<Response> {
    let NewPractitioner { name, specialties, location_id } = body;
    let specialties = specialties.unwrap_or_default();
    let addition = Addition { name, specialties, location: location_id };
    once(&app, stamp, key, move |tx| {
        let added = practitioner::add(tx, &stamp, addition)?;
        Ok((StatusCode::CREATED, PractitionerView::from(added)))
    })
    .await
}

/// One practitioner.
#[utoipa::path(get, path = "/practitioners/{id}", tag = "diary", params(("id" = Uuid, Path)),
    responses((status = 200, body = PractitionerView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem)))]
async fn get(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<PractitionerId>,
) -> Answer<Versioned<PractitionerView>> {
    let found = app.db.read(move |read| practitioner::get(read, &stamp, id)).await?;
    Ok(Versioned(found.version, found.into()))
}

/// Changes a practitioner.
#[utoipa::path(patch, path = "/practitioners/{id}", tag = "diary", request_body = PractitionerEdit,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = PractitionerView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn edit(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<PractitionerId>,
    Seen(seen): Seen,
    Body(body): Body<PractitionerEdit>,
) -> Answer<Versioned<PractitionerView>> {
    let PractitionerEdit { name, specialties, location_id, active } = body;
    let specialties = specialties.map(Option::unwrap_or_default);
    let edit = Edit { name, specialties, location: location_id, active };
    let edited = app.db.write(move |tx| practitioner::edit(tx, &stamp, id, seen, edit)).await?;
    Ok(Versioned(edited.version, edited.into()))
}
