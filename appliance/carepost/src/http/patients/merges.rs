//! Two records of one person: which they may be, merging them, undoing it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use prm::id::{MergeId, Noun, PatientId};
use prm::patient::{self, DUPLICATES_MAX, Merge, Pair, Undone};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::view::PatientView;
use crate::app::App;
use crate::http::auth::Caller;
use crate::http::error::{Answer, Problem};
use crate::http::idempotency::{Posted, once};
use crate::http::json::{Asked, Body, Segment};
use crate::http::page::{self, Page};
use crate::http::read_audit;
use crate::http::words::DuplicateReason;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(duplicates))
        .routes(routes!(dismiss))
        .routes(routes!(merge))
        .routes(routes!(undo))
}

/// The word of the list of pairs, for its cursors.
const DUPLICATES: &str = "patients/duplicates";

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DuplicatesAsked {
    /// At most so many pairs, 1 to 200; 100 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// Two records that may be of one person.
#[derive(Serialize, ToSchema)]
#[schema(as = DuplicatePair)]
struct PairView {
    /// The record made first.
    a: PatientView,
    b: PatientView,
    /// How likely it is, 0 to 1.
    score: f64,
    #[schema(value_type = Vec<DuplicateReason>)]
    reasons: Vec<&'static str>,
}

impl From<Pair> for PairView {
    fn from(Pair { a, b, score, reasons }: Pair) -> Self {
        let reasons = reasons.into_iter().map(|reason| reason.as_str()).collect();
        Self { a: a.into(), b: b.into(), score, reasons }
    }
}

/// Pairs of records that may be of one person, the likeliest first.
#[utoipa::path(get, path = "/patients/duplicates", tag = "patients", params(DuplicatesAsked),
    responses((status = 200, body = Page<PairView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn duplicates(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(DuplicatesAsked { limit, cursor }): Asked<DuplicatesAsked>,
) -> Answer<Json<Page<PairView>>> {
    let limit = page::limit(limit).min(DUPLICATES_MAX);
    let after: Option<(u64, PatientId, PatientId)> =
        cursor.map(|text| page::decode(DUPLICATES, &text)).transpose()?;
    let after = after.map(|(score, a, b)| (f64::from_bits(score), a, b));
    let pairs =
        app.db.read(move |read| patient::duplicates(read, &stamp, after, limit + 1)).await?;
    // The score as its bits, because it must come back to the last of them.
    let page = Page::cut(DUPLICATES, pairs, limit, |last| {
        (last.score.to_bits(), last.a.id.min(last.b.id), last.a.id.max(last.b.id))
    });
    let mut ids: Vec<PatientId> =
        page.items.iter().flat_map(|pair| [pair.a.id, pair.b.id]).collect();
    ids.sort_unstable();
    ids.dedup();
    read_audit::shown(&app, stamp, Noun::Patient, ids).await?;
    Ok(Json(page.map(PairView::from)))
}

/// Two records that are of two people.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NotDuplicates {
    #[schema(value_type = Uuid)]
    a: PatientId,
    #[schema(value_type = Uuid)]
    b: PatientId,
}

/// Says that a listed pair is of two people. It is listed again when a name, the birth date or a
/// telephone number of one of the two changes.
#[utoipa::path(post, path = "/patients/duplicates/dismiss", tag = "patients", request_body = NotDuplicates,
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn dismiss(
    State(app): State<App>,
    Caller(stamp): Caller,
    Body(NotDuplicates { a, b }): Body<NotDuplicates>,
) -> Answer<StatusCode> {
    app.db.write(move |tx| patient::dismiss_duplicate(tx, &stamp, a, b)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which record is merged into the one of the address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewMerge {
    #[schema(value_type = Uuid)]
    duplicate_id: PatientId,
}

/// A merge that was made.
#[derive(Serialize, ToSchema)]
#[schema(as = Merge)]
struct MergeView {
    /// By which it can be undone.
    merge_id: Uuid,
    /// The record that was kept.
    patient: PatientView,
}

/// Merges a duplicate into this record. Its appointments and identifiers move; it is no longer in use.
#[utoipa::path(post, path = "/patients/{id}/merge", tag = "patients", request_body = NewMerge,
    params(("id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = MergeView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn merge(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<PatientId>,
    Posted { body: NewMerge { duplicate_id }, key }: Posted<NewMerge>,
) -> Answer<Response> {
    once(&app, stamp, key, move |tx| {
        let Merge { id, kept } = patient::merge(tx, &stamp, id, duplicate_id)?;
        Ok((StatusCode::OK, MergeView { merge_id: id.uuid(), patient: kept.into() }))
    })
    .await
}

/// A merge that was undone.
#[derive(Serialize, ToSchema)]
#[schema(as = UndoneMerge)]
struct UndoneView {
    /// The record that had been kept.
    kept: PatientView,
    /// The record that had been merged into it, in use again.
    restored: PatientView,
}

/// Undoes a merge: each record has again what it had; what was written since stays.
#[utoipa::path(post, path = "/patients/merges/{merge_id}/undo", tag = "patients", params(("merge_id" = Uuid, Path)),
    responses((status = 200, body = UndoneView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn undo(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<MergeId>,
) -> Answer<Json<UndoneView>> {
    let Undone { kept, restored } =
        app.db.write(move |tx| patient::undo_merge(tx, &stamp, id)).await?;
    Ok(Json(UndoneView { kept: kept.into(), restored: restored.into() }))
}
