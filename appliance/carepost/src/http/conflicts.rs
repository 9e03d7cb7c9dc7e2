//! What was edited here and at the hub, each otherwise: shown side by side, and decided by a person.

use axum::Json;
use axum::extract::State;
use fhir::{Here, merge, patient};
use prm::conflict::{self, Conflict, Disputed, Ruling};
use prm::error::Error;
use prm::id::{ConflictId, Noun};
use prm::stamp::{Role, Stamp as OfRecords};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::auth::Caller;
use super::error::{Answer, Problem};
use super::fhir::interaction::{Only, Work};
use super::fhir::stamp::Stamp;
use super::fhir::wire;
use super::json::{Asked, Segment};
use super::page::{Page, Part};
use super::read_audit;
use crate::app::App;
use crate::requests::as_error;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(keep)).routes(routes!(take))
}

/// An element of a patient that was edited here and at the hub, each otherwise.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Conflict)]
struct ConflictView {
    id: Uuid,
    patient_id: Uuid,
    /// The element of the FHIR Patient, and of which kind where there are several: `telecom:phone`.
    field: String,
    /// What both had before, as FHIR has it; null where there was nothing. So `here` and `there`.
    base: Value,
    /// What was said here, and stands until somebody takes the other.
    here: Value,
    /// What was said at the hub.
    there: Value,
    /// Who said it there, by a word of the hub.
    edited_by: String,
    /// When it was said there.
    edited_at: String,
    /// When it came to light here.
    noted_at: String,
    /// `kept` or `taken`; null while nobody decided.
    ruling: Option<&'static str>,
}

fn view(app: &App, conflict: Conflict) -> ConflictView {
    let Conflict { id, version: _, patient, what, noted_at, ruling } = conflict;
    let Disputed { field, base, here, there, edited_by, edited_at } = what;
    let value = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    ConflictView {
        id: id.uuid(),
        patient_id: patient.uuid(),
        field,
        base: value(&base),
        here: value(&here),
        there: value(&there),
        edited_by,
        edited_at: app.local(edited_at),
        noted_at: app.local(noted_at),
        ruling: ruling.map(Ruling::as_str),
    }
}

/// What was edited here and at the hub, each otherwise, and waits for a decision, the oldest first.
#[utoipa::path(get, path = "/sync/conflicts", tag = "sync", params(Part),
    responses((status = 200, body = Page<ConflictView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(part): Asked<Part>,
) -> Answer<Json<Page<ConflictView>>> {
    let open = app.db.read(move |read| conflict::open(read, &stamp)).await?;
    let page = part.of("sync/conflicts", open, |it| it.id.uuid())?;
    let mut patients: Vec<_> = page.items.iter().map(|it| it.patient).collect();
    patients.sort_unstable();
    patients.dedup();
    read_audit::shown(&app, stamp, Noun::Patient, patients).await?;
    Ok(Json(page.map(|it| view(&app, it))))
}

/// Lets stand what was said here.
#[utoipa::path(post, path = "/sync/conflicts/{id}/keep", tag = "sync", params(("id" = Uuid, Path)),
    responses((status = 200, body = ConflictView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn keep(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<ConflictId>,
) -> Answer<Json<ConflictView>> {
    let ruled = app.db.write(move |tx| conflict::rule(tx, &stamp, id, Ruling::Kept)).await?;
    Ok(Json(view(&app, ruled)))
}

/// Takes what was said at the hub in place of what was said here, which is on record as an earlier version.
#[utoipa::path(post, path = "/sync/conflicts/{id}/take", tag = "sync", params(("id" = Uuid, Path)),
    responses((status = 200, body = ConflictView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn take(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<ConflictId>,
) -> Answer<Json<ConflictView>> {
    let inside = app.clone();
    let ruled = app.db.write(move |tx| {
        let ruled = conflict::rule(tx, &stamp, id, Ruling::Taken)?;
        let damaged = |_| Error::Storage("a conflict is not what was written".into());
        let there: Value = serde_json::from_str(&ruled.what.there).map_err(damaged)?;
        // Who decides has the right to; what is written then is what was said at the hub.
        let of_hub = OfRecords { role: Role::Hub, ..stamp };
        let asked = wire::Asked::alone(Stamp::new(of_hub, None));
        let here = Here { clinic: &inside.clinic, origin: "" };
        let patient = ruled.patient.to_string();
        let mut work = Work::new(tx, &asked, here);
        let now = work.found(patient::TYPE, &patient).map_err(as_error)?;
        let next = merge::with(&now.resource, &ruled.what.field, &there);
        work.put(next, &patient, Only::default()).map_err(as_error)?;
        Ok(ruled)
    });
    Ok(Json(view(&app, ruled.await?)))
}
