//! Staff on the wire.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use prm::id::{PractitionerId, StaffId};
use prm::staff::{self, Addition, Edit, Staff};
use prm::stamp::{Right, Role};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::auth::Caller;
use super::error::{Answer, Problem};
use super::idempotency::{Posted, once};
use super::json::{Asked, Body, Segment};
use super::page::{Page, Part};
use super::version::{Seen, Versioned};
use super::words::StaffRole;
use crate::app::App;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(edit))
}

/// A member of staff.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Staff)]
pub struct StaffView {
    id: Uuid,
    version: i64,
    username: String,
    name: String,
    #[schema(value_type = StaffRole)]
    role: &'static str,
    practitioner_id: Option<Uuid>,
    disabled: bool,
}

impl From<Staff> for StaffView {
    fn from(staff: Staff) -> Self {
        let Staff { id, version, username, name, role, practitioner, disabled } = staff;
        Self {
            id: id.uuid(),
            version,
            username,
            name,
            role: role.as_str(),
            practitioner_id: practitioner.map(|id| id.uuid()),
            disabled,
        }
    }
}

/// Somebody who is to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewStaff {
    username: String,
    name: String,
    #[schema(value_type = StaffRole)]
    role: String,
    /// At least 8 letters.
    password: String,
    #[schema(value_type = Option<Uuid>)]
    practitioner_id: Option<PractitionerId>,
}

/// What is to be changed; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StaffEdit {
    name: Option<String>,
    #[schema(value_type = Option<StaffRole>)]
    role: Option<String>,
    /// Null for none.
    #[serde(default, deserialize_with = "even_null")]
    #[schema(value_type = Option<Uuid>)]
    practitioner_id: Option<Option<PractitionerId>>,
    disabled: Option<bool>,
    /// A new password; ends the person's sessions.
    password: Option<String>,
}

/// Tells a field that is null from one that is left out.
pub fn even_null<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// Everybody, by name.
#[utoipa::path(get, path = "/staff", tag = "staff", params(Part),
    responses((status = 200, body = Page<StaffView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(part): Asked<Part>,
) -> Answer<Json<Page<StaffView>>> {
    let everybody = app.db.read(move |read| staff::list(read, &stamp)).await?;
    let page = part.of("staff", everybody, |one| one.id.uuid())?;
    Ok(Json(page.map(StaffView::from)))
}

/// Adds a member of staff.
#[utoipa::path(post, path = "/staff", tag = "staff", request_body = NewStaff,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = StaffView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn add(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body, key }: Posted<NewStaff>,
) -> Answer<Response> {
    stamp.needs(Right::ManageStaff)?;
    let NewStaff { username, name, role, password, practitioner_id } = body;
    let role = Role::parse(&role)?;
    let password = app.with_password(move || staff::hash_password(&password)).await??;
    let addition = Addition { username, name, role, practitioner: practitioner_id, password };
    once(&app, stamp, key, move |tx| {
        Ok((StatusCode::CREATED, StaffView::from(staff::add(tx, &stamp, addition)?)))
    })
    .await
}

/// Changes a member of staff. The last administrator cannot be taken away.
#[utoipa::path(patch, path = "/staff/{id}", tag = "staff", request_body = StaffEdit,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = StaffView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
async fn edit(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<StaffId>,
    Seen(seen): Seen,
    Body(body): Body<StaffEdit>,
) -> Answer<Versioned<StaffView>> {
    stamp.needs(Right::ManageStaff)?;
    let StaffEdit { name, role, practitioner_id, disabled, password } = body;
    let role = role.map(|role| Role::parse(&role)).transpose()?;
    let password = match password {
        None => None,
        Some(password) => Some(app.with_password(move || staff::hash_password(&password)).await??),
    };
    let edit = Edit { name, role, practitioner: practitioner_id, disabled, password };
    let staff = app.db.write(move |tx| staff::edit(tx, &stamp, id, seen, edit)).await?;
    Ok(Versioned(staff.version, staff.into()))
}
