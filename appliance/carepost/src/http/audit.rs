//! The audit, for those who may read it. Reading it is written to it.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use jiff::civil::Date;
use prm::audit::{self, Filter, Line};
use prm::error::Error;
use prm::id::PatientId;
use prm::time::start_of_day;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::auth::Caller;
use super::error::{Answer, Problem};
use super::json::Asked;
use super::page::{self, Page};
use crate::app::App;

/// The route of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Which lines.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only what concerns this patient's record.
    #[param(value_type = Option<Uuid>)]
    patient: Option<PatientId>,
    /// Only what this person, kiosk or program did.
    actor: Option<Uuid>,
    /// Not before: a date or a time (RFC 3339).
    from: Option<String>,
    /// Before: a date or a time (RFC 3339).
    to: Option<String>,
    /// At most so many, 1 to 500; 100 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// Who acted.
#[derive(Debug, Serialize, ToSchema)]
struct ActorView {
    /// `staff`, `device`, `token`, `box` or `nobody`.
    kind: String,
    id: Option<Uuid>,
    /// As it is now.
    name: Option<String>,
}

/// A line of the audit.
#[derive(Debug, Serialize, ToSchema)]
struct LineView {
    seq: i64,
    at: String,
    actor: ActorView,
    /// `desk`, `kiosk`, `api`, `command-line`, `hub`, or the medium of a conversation.
    channel: String,
    verb: String,
    noun: String,
    resource_id: Option<Uuid>,
    patient_id: Option<Uuid>,
}

impl LineView {
    fn new(app: &App, line: Line) -> Self {
        let Line {
            sequence,
            at,
            actor_kind,
            actor,
            actor_name,
            channel,
            verb,
            noun,
            resource,
            patient,
        } = line;
        Self {
            seq: sequence,
            at: app.local(at),
            actor: ActorView { kind: actor_kind, id: actor, name: actor_name },
            channel,
            verb,
            noun,
            resource_id: resource,
            patient_id: patient.map(|id| id.uuid()),
        }
    }
}

/// The audit, newest first.
#[utoipa::path(get, path = "/audit", tag = "audit", params(Which),
    responses((status = 200, body = Page<LineView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(which): Asked<Which>,
) -> Answer<Json<Page<LineView>>> {
    let Which { patient, actor, from, to, limit, cursor } = which;
    let limit = page::limit(limit);
    let filter = Filter {
        patient,
        actor,
        from: from.map(|text| instant(&app, "from", &text)).transpose()?,
        to: to.map(|text| instant(&app, "to", &text)).transpose()?,
        before: cursor.map(|text| page::decode("audit", &text)).transpose()?,
        ..audit::Filter::default()
    };
    // One more than asked for tells whether there is more; at the very most the list is short by it.
    let limit = limit.min(audit::LIST_MAX - 1);
    let lines = app.db.read(move |read| audit::list(read, &stamp, &filter, limit + 1)).await?;
    app.db.write(move |tx| audit::was_looked_at(tx, &stamp, patient)).await?;
    let page = Page::cut("audit", lines, limit, |line| line.sequence);
    Ok(Json(page.map(|line| LineView::new(&app, line))))
}

fn instant(app: &App, field: &'static str, text: &str) -> Answer<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let date: Date = text.parse().map_err(|_| {
        Error::invalid(field, "write a date as 2026-11-23, or a time as in RFC 3339")
    })?;
    Ok(start_of_day(&app.clinic.zone, date))
}
