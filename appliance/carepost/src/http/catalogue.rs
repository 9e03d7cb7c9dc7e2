//! What whoever runs the hub wants the clinic to offer, and what nobody at the clinic has accepted yet.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auth::Caller;
use super::error::{Answer, Problem};
use super::healthcare_services::HealthcareServiceView;
use super::json::Asked;
use super::page::{Page, Part};
use crate::app::App;
use crate::requests::catalogue;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Services that the hub lists and that cannot be booked before somebody accepts them: who changes
/// `active` of one does. One that was edited here is the clinic's own, and not among them.
#[utoipa::path(get, path = "/sync/catalogue", tag = "sync", params(Part),
    responses((status = 200, body = Page<HealthcareServiceView>), (status = 401, body = Problem),
              (status = 403, body = Problem), (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(part): Asked<Part>,
) -> Answer<Json<Page<HealthcareServiceView>>> {
    stamp.needs(prm::stamp::Right::WriteDiary)?;
    let waiting = app.db.read(move |read| catalogue::waiting(read, &stamp)).await?;
    let page = part.of("sync/catalogue", waiting, |one| one.id.uuid())?;
    Ok(Json(page.map(HealthcareServiceView::from)))
}
