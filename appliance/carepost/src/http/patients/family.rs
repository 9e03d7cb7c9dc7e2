//! The family of a patient on the wire.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use prm::id::{Noun, PatientId};
use prm::patient::{self, Relative};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view::PatientView;
use crate::app::App;
use crate::http::auth::Caller;
use crate::http::error::{Answer, Problem};
use crate::http::idempotency::{Posted, once};
use crate::http::json::{Asked, Segment, Segments};
use crate::http::page::{Page, Part};
use crate::http::read_audit;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, relate)).routes(routes!(unrelate))
}

/// One of the family.
#[derive(Serialize, ToSchema)]
#[schema(as = Relative)]
struct RelativeView {
    #[serde(flatten)]
    patient: PatientView,
    /// What this person is to the patient, for example `mother`; null where it was not said.
    relationship: Option<String>,
}

impl From<Relative> for RelativeView {
    fn from(Relative { patient, relationship }: Relative) -> Self {
        Self { patient: patient.into(), relationship }
    }
}

/// The people who are related to a patient or share a telephone number.
#[utoipa::path(get, path = "/patients/{id}/family", tag = "patients", params(("id" = Uuid, Path), Part),
    responses((status = 200, body = Page<RelativeView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<PatientId>,
    Asked(part): Asked<Part>,
) -> Answer<Json<Page<RelativeView>>> {
    let family = app.db.read(move |read| patient::family(read, &stamp, id)).await?;
    let page = part.of("family", family, |relative| relative.patient.id.uuid())?;
    let mut ids = vec![id];
    ids.extend(page.items.iter().map(|relative| relative.patient.id));
    read_audit::shown(&app, stamp, Noun::Patient, ids).await?;
    Ok(Json(page.map(RelativeView::from)))
}

/// Who is what to the patient.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRelative {
    #[schema(value_type = Uuid)]
    patient_id: PatientId,
    /// For example `mother`.
    relationship: String,
}

/// Says that somebody is a relative of the patient; said again, the later word stands.
#[utoipa::path(post, path = "/patients/{id}/family", tag = "patients", request_body = NewRelative,
    params(("id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = RelativeView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn relate(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<PatientId>,
    Posted { body: NewRelative { patient_id, relationship }, key }: Posted<NewRelative>,
) -> Answer<Response> {
    once(&app, stamp, key, move |tx| {
        patient::relate(tx, &stamp, id, patient_id, &relationship)?;
        let family = patient::family(tx, &stamp, id)?;
        let relative = family.into_iter().find(|relative| relative.patient.id == patient_id);
        let relative = relative.ok_or(prm::error::Error::NotFound(Noun::Patient))?;
        Ok((StatusCode::CREATED, RelativeView::from(relative)))
    })
    .await
}

/// Takes back that somebody is a relative of the patient, whichever of the two records said so.
#[utoipa::path(delete, path = "/patients/{id}/family/{related_id}", tag = "patients",
    params(("id" = Uuid, Path), ("related_id" = Uuid, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn unrelate(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segments(id, related): Segments<PatientId, PatientId>,
) -> Answer<StatusCode> {
    if app.db.write(move |tx| patient::unrelate(tx, &stamp, id, related)).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        let detail = "neither record says that the two are related";
        Err(Problem::new(StatusCode::NOT_FOUND, "relation_not_found", detail))
    }
}
