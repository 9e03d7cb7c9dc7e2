//! What the clinic does, on the wire.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use prm::healthcare_service::{self, Addition, Edit, HealthcareService};
use prm::id::{HealthcareServiceId, LocationId, PractitionerId};
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

/// Something the clinic does.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = HealthcareService)]
pub struct HealthcareServiceView {
    id: Uuid,
    version: i64,
    name: String,
    /// How long the patient is there.
    duration_minutes: i64,
    /// How long everybody needs afterwards.
    buffer_minutes: i64,
    /// Who does it; empty means everybody.
    practitioner_ids: Vec<Uuid>,
    /// The rooms and equipment that each appointment needs for itself.
    location_ids: Vec<Uuid>,
    /// Whether it can be booked.
    active: bool,
}

impl From<HealthcareService> for HealthcareServiceView {
    fn from(service: HealthcareService) -> Self {
        let HealthcareService {
            id,
            version,
            name,
            duration_minutes,
            buffer_minutes,
            practitioners,
            locations,
            active,
        } = service;
        Self {
            id: id.uuid(),
            version,
            name,
            duration_minutes,
            buffer_minutes,
            practitioner_ids: practitioners.into_iter().map(|id| id.uuid()).collect(),
            location_ids: locations.into_iter().map(|id| id.uuid()).collect(),
            active,
        }
    }
}

/// A service that is to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewHealthcareService {
    name: String,
    /// In steps of five, 5 to 720.
    duration_minutes: i64,
    /// In steps of five, 0 to 240; 0 when it is not said.
    buffer_minutes: Option<i64>,
    /// Who does it; everybody when it is not said.
    #[schema(value_type = Option<Vec<Uuid>>)]
    practitioner_ids: Option<Vec<PractitionerId>>,
    /// The rooms and equipment that each appointment needs for itself.
    #[schema(value_type = Option<Vec<Uuid>>)]
    location_ids: Option<Vec<LocationId>>,
}

/// What is to be changed; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HealthcareServiceEdit {
    #[serde(default, deserialize_with = "never_null")]
    name: Option<String>,
    #[serde(default, deserialize_with = "never_null")]
    duration_minutes: Option<i64>,
    /// Null is 0.
    #[serde(default, deserialize_with = "even_null")]
    buffer_minutes: Option<Option<i64>>,
    /// Replaces all; null is everybody.
    #[serde(default, deserialize_with = "even_null")]
    #[schema(value_type = Option<Vec<Uuid>>)]
    practitioner_ids: Option<Option<Vec<PractitionerId>>>,
    /// Replaces all; null is none.
    #[serde(default, deserialize_with = "even_null")]
    #[schema(value_type = Option<Vec<Uuid>>)]
    location_ids: Option<Option<Vec<LocationId>>>,
    #[serde(default, deserialize_with = "never_null")]
    active: Option<bool>,
}

/// Everything the clinic does, by name.
#[utoipa::path(get, path = "/healthcare-services", tag = "diary", params(Part),
    responses((status = 200, body = Page<HealthcareServiceView>), (status = 401, body = Problem),
              (status = 403, body = Problem), (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(part): Asked<Part>,
) -> Answer<Json<Page<HealthcareServiceView>>> {
    let all = app.db.read(move |read| healthcare_service::list(read, &stamp)).await?;
    let page = part.of("healthcare-services", all, |one| one.id.uuid())?;
    Ok(Json(page.map(HealthcareServiceView::from)))
}

/// Adds something the clinic does.
#[utoipa::path(post, path = "/healthcare-services", tag = "diary", request_body = NewHealthcareService,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = HealthcareServiceView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn add(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body, key }: Posted<NewHealthcareService>,
) -> Answer<Response> {
    let NewHealthcareService {
        name,
        duration_minutes,
        buffer_minutes,
        practitioner_ids,
        location_ids,
    } = body;
    let addition = Addition {
        name,
        duration_minutes,
        buffer_minutes: buffer_minutes.unwrap_or(0),
        practitioners: practitioner_ids.unwrap_or_default(),
        locations: location_ids.unwrap_or_default(),
    };
    once(&app, stamp, key, move |tx| {
        let added = healthcare_service::add(tx, &stamp, addition)?;
        Ok((StatusCode::CREATED, HealthcareServiceView::from(added)))
    })
    .await
}

/// Something the clinic does.
#[utoipa::path(get, path = "/healthcare-services/{id}", tag = "diary", params(("id" = Uuid, Path)),
    responses((status = 200, body = HealthcareServiceView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem)))]
async fn get(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<HealthcareServiceId>,
) -> Answer<Versioned<HealthcareServiceView>> {
    let found = app.db.read(move |read| healthcare_service::get(read, &stamp, id)).await?;
    Ok(Versioned(found.version, found.into()))
}

/// Changes something the clinic does; appointments that were booked keep their length.
#[utoipa::path(patch, path = "/healthcare-services/{id}", tag = "diary", request_body = HealthcareServiceEdit,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = HealthcareServiceView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn edit(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<HealthcareServiceId>,
    Seen(seen): Seen,
    Body(body): Body<HealthcareServiceEdit>,
) -> Answer<Versioned<HealthcareServiceView>> {
    let HealthcareServiceEdit {
        name,
        duration_minutes,
        buffer_minutes,
        practitioner_ids,
        location_ids,
        active,
    } = body;
    let edit = Edit {
        name,
        duration_minutes,
        buffer_minutes: buffer_minutes.map(|minutes| minutes.unwrap_or(0)),
        practitioners: practitioner_ids.map(Option::unwrap_or_default),
        locations: location_ids.map(Option::unwrap_or_default),
        active,
    };
    let edited =
        app.db.write(move |tx| healthcare_service::edit(tx, &stamp, id, seen, edit)).await?;
    Ok(Versioned(edited.version, edited.into()))
}
