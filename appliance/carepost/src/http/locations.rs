//! Rooms, equipment and sites on the wire.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use prm::id::LocationId;
use prm::location::{self, Addition, Edit, Kind, Location};
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
use super::words::LocationKind;
use crate::app::App;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(get, edit))
}

/// A room, a piece of equipment or a site.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Location)]
pub struct LocationView {
    id: Uuid,
    version: i64,
    /// What is on the door.
    name: String,
    #[schema(value_type = LocationKind)]
    kind: &'static str,
    /// Whether it is in use.
    active: bool,
}

impl From<Location> for LocationView {
    fn from(location: Location) -> Self {
        let Location { id, version, name, kind, active } = location;
        Self { id: id.uuid(), version, name, kind: kind.as_str(), active }
    }
}

/// A location that is to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewLocation {
    /// What is on the door.
    name: String,
    #[schema(value_type = LocationKind)]
    kind: String,
}

/// What is to be changed; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LocationEdit {
    #[serde(default, deserialize_with = "never_null")]
    name: Option<String>,
    #[serde(default, deserialize_with = "never_null")]
    active: Option<bool>,
}

/// All locations, by name.
#[utoipa::path(get, path = "/locations", tag = "diary", params(Part),
    responses((status = 200, body = Page<LocationView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(part): Asked<Part>,
) -> Answer<Json<Page<LocationView>>> {
    let all = app.db.read(move |read| location::list(read, &stamp)).await?;
    let page = part.of("locations", all, |one| one.id.uuid())?;
    Ok(Json(page.map(LocationView::from)))
}

/// Adds a location.
#[utoipa::path(post, path = "/locations", tag = "diary", request_body = NewLocation,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = LocationView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn add(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body: NewLocation { name, kind }, key }: Posted<NewLocation>,
) -> Answer<Response> {
    once(&app, stamp, key, move |tx| {
        let addition = Addition { name, kind: Kind::parse(&kind)? };
        Ok((StatusCode::CREATED, LocationView::from(location::add(tx, &stamp, addition)?)))
    })
    .await
}

/// One location.
#[utoipa::path(get, path = "/locations/{id}", tag = "diary", params(("id" = Uuid, Path)),
    responses((status = 200, body = LocationView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem)))]
async fn get(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<LocationId>,
) -> Answer<Versioned<LocationView>> {
    let found = app.db.read(move |read| location::get(read, &stamp, id)).await?;
    Ok(Versioned(found.version, found.into()))
}

/// Changes a location.
#[utoipa::path(patch, path = "/locations/{id}", tag = "diary", request_body = LocationEdit,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = LocationView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn edit(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<LocationId>,
    Seen(seen): Seen,
    Body(LocationEdit { name, active }): Body<LocationEdit>,
) -> Answer<Versioned<LocationView>> {
    let edit = Edit { name, active };
    let edited = app.db.write(move |tx| location::edit(tx, &stamp, id, seen, edit)).await?;
    Ok(Versioned(edited.version, edited.into()))
}
