//! Days on which the whole clinic is closed, on the wire.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use prm::schedule::{self, ClosedDay};
use prm::time::local_date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::auth::Caller;
use super::error::{Answer, Problem};
use super::idempotency::{Posted, once};
use super::json::{Asked, Segment};
use super::page::{Page, Part};
use crate::app::App;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, close)).routes(routes!(reopen))
}

/// A day on which the whole clinic is closed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ClosedDay)]
struct ClosedDayView {
    id: Uuid,
    version: i64,
    date: String,
    reason: String,
}

impl From<ClosedDay> for ClosedDayView {
    fn from(day: ClosedDay) -> Self {
        let ClosedDay { id, version, date, reason } = day;
        Self { id: id.uuid(), version, date: date.to_string(), reason }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ClosedDaysAsked {
    /// From this local date on; today when it is not said.
    #[param(value_type = Option<String>)]
    from: Option<Date>,
    /// At most so many, 1 to 500; 500 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// Closed days by date.
#[utoipa::path(get, path = "/closed-days", tag = "diary", params(ClosedDaysAsked),
    responses((status = 200, body = Page<ClosedDayView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(ClosedDaysAsked { from, limit, cursor }): Asked<ClosedDaysAsked>,
) -> Answer<Json<Page<ClosedDayView>>> {
    let from = from.unwrap_or_else(|| local_date(&app.clinic.zone, stamp.now));
    let days = app.db.read(move |read| schedule::closed_days(read, &stamp, from)).await?;
    let page = Part { limit, cursor }.of("closed-days", days, |day| day.id.uuid())?;
    Ok(Json(page.map(ClosedDayView::from)))
}

/// A day that is to be closed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewClosedDay {
    #[schema(value_type = String)]
    date: Date,
    /// Why, for example the name of the holiday.
    reason: String,
}

/// Closes the clinic on a day. Appointments that are there stay, and are the desk's to move.
#[utoipa::path(post, path = "/closed-days", tag = "diary", request_body = NewClosedDay,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = ClosedDayView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn close(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body: NewClosedDay { date, reason }, key }: Posted<NewClosedDay>,
) -> Answer<Response> {
    once(&app, stamp, key, move |tx| {
        let closed = schedule::close(tx, &stamp, date, Some(reason))?;
        Ok((StatusCode::CREATED, ClosedDayView::from(closed)))
    })
    .await
}

/// Opens the clinic again on a day.
#[utoipa::path(delete, path = "/closed-days/{date}", tag = "diary", params(("date" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem)))]
async fn reopen(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(date): Segment<Date>,
) -> Answer<StatusCode> {
    app.db.write(move |tx| schedule::reopen(tx, &stamp, date)).await?;
    Ok(StatusCode::NO_CONTENT)
}
