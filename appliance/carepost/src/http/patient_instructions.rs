//! What patients are to know before coming, for each healthcare service, on the wire.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use prm::id::{HealthcareServiceId, PatientInstructionId};
use prm::patient_instruction::{self, PatientInstruction};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::auth::Caller;
use super::error::{Answer, Problem};
use super::idempotency::{Posted, once};
use super::json::{Asked, Body, Segment};
use super::page::{Page, Part};
use super::version::{Seen, Versioned};
use crate::app::App;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(get, edit, remove))
}

/// What a patient is to know before coming.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PatientInstruction)]
struct PatientInstructionView {
    id: Uuid,
    version: i64,
    /// Before what.
    healthcare_service_id: Uuid,
    /// The language of the text (a BCP 47 tag).
    language: String,
    /// The words.
    text: String,
}

impl From<PatientInstruction> for PatientInstructionView {
    fn from(instruction: PatientInstruction) -> Self {
        let PatientInstruction { id, version, healthcare_service, language, text } = instruction;
        let healthcare_service_id = healthcare_service.uuid();
        Self { id: id.uuid(), version, healthcare_service_id, language, text }
    }
}

/// Words that are to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPatientInstruction {
    /// Before what.
    #[schema(value_type = Uuid)]
    healthcare_service_id: HealthcareServiceId,
    /// The language of the text (a BCP 47 tag); each has one.
    language: String,
    /// The words.
    text: String,
}

/// What is to be changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PatientInstructionEdit {
    /// The words.
    text: String,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct InstructionsAsked {
    /// Only those of this service.
    #[param(value_type = Option<Uuid>)]
    healthcare_service: Option<HealthcareServiceId>,
    /// At most so many, 1 to 500; 500 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// All of them, by service and language.
#[utoipa::path(get, path = "/patient-instructions", tag = "wording", params(InstructionsAsked),
    responses((status = 200, body = Page<PatientInstructionView>), (status = 401, body = Problem),
              (status = 403, body = Problem), (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(InstructionsAsked { healthcare_service, limit, cursor }): Asked<InstructionsAsked>,
) -> Answer<Json<Page<PatientInstructionView>>> {
    let all = app
        .db
        .read(move |read| patient_instruction::list(read, &stamp, healthcare_service))
        .await?;
    let page = Part { limit, cursor }.of("patient-instructions", all, |one| one.id.uuid())?;
    Ok(Json(page.map(PatientInstructionView::from)))
}

/// Adds the words for a service in a language.
#[utoipa::path(post, path = "/patient-instructions", tag = "wording", request_body = NewPatientInstruction,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = PatientInstructionView), (status = 401, body = Problem),
              (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
              (status = 422, body = Problem)))]
async fn add(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body, key }: Posted<NewPatientInstruction>,
) -> Answer<Response> {
    let NewPatientInstruction { healthcare_service_id, language, text } = body;
    once(&app, stamp, key, move |tx| {
        let of = (healthcare_service_id, language.as_str());
        let added = patient_instruction::add(tx, &stamp, of, &text)?;
        Ok((StatusCode::CREATED, PatientInstructionView::from(added)))
    })
    .await
}

/// The words for one service in one language.
#[utoipa::path(get, path = "/patient-instructions/{id}", tag = "wording", params(("id" = Uuid, Path)),
    responses((status = 200, body = PatientInstructionView), (status = 401, body = Problem),
              (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn get(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<PatientInstructionId>,
) -> Answer<Versioned<PatientInstructionView>> {
    let found = app.db.read(move |read| patient_instruction::get(read, &stamp, id)).await?;
    Ok(Versioned(found.version, found.into()))
}

/// Changes the words.
#[utoipa::path(patch, path = "/patient-instructions/{id}", tag = "wording", request_body = PatientInstructionEdit,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = PatientInstructionView), (status = 401, body = Problem),
              (status = 403, body = Problem), (status = 404, body = Problem), (status = 412, body = Problem),
              (status = 422, body = Problem)))]
async fn edit(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<PatientInstructionId>,
    Seen(seen): Seen,
    Body(PatientInstructionEdit { text }): Body<PatientInstructionEdit>,
) -> Answer<Versioned<PatientInstructionView>> {
    let edited =
        app.db.write(move |tx| patient_instruction::edit(tx, &stamp, (id, seen), &text)).await?;
    Ok(Versioned(edited.version, edited.into()))
}

/// Takes the words away.
#[utoipa::path(delete, path = "/patient-instructions/{id}", tag = "wording",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 412, body = Problem)))]
async fn remove(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<PatientInstructionId>,
    Seen(seen): Seen,
) -> Answer<StatusCode> {
    app.db.write(move |tx| patient_instruction::remove(tx, &stamp, (id, seen))).await?;
    Ok(StatusCode::NO_CONTENT)
}
