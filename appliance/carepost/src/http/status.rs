//! How the box does, for the line at the top of the desk.

use axum::Json;
use axum::extract::State;
use prm::queue;
use prm::stamp::{Right, Stamp};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auth::Caller;
use super::error::{Answer, Problem};
use super::sync::SyncView;
use crate::app::App;
use crate::last_backup;

/// The route of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(status))
}

/// How the box does.
#[derive(Debug, Serialize, ToSchema)]
struct Status {
    /// The program's version.
    version: &'static str,
    /// Null: this box is not joined to a hub.
    sync: Option<SyncView>,
    /// Hours since the last backup; null if there was none.
    backup_age_hours: Option<i64>,
    /// Whether the last backup is older than the settings want.
    backup_is_old: bool,
    /// People who wait today.
    queue_waiting: i64,
}

/// How the box does.
#[utoipa::path(get, path = "/status", tag = "status",
    responses((status = 200, body = Status), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn status(State(app): State<App>, Caller(stamp): Caller) -> Answer<Json<Status>> {
    stamp.needs(Right::ReadQueue)?;
    let age = last_backup::age_hours(&app.data, stamp.now);
    let warn_after = i64::from(app.config.backup.warn_after_hours);
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        sync: SyncView::of(&app).await?.joined(),
        backup_age_hours: age,
        backup_is_old: age.is_none_or(|hours| hours >= warn_after),
        queue_waiting: queue_waiting(&app).await?,
    }))
}

/// People who wait today.
///
/// # Errors
/// If the database cannot be read.
pub async fn queue_waiting(app: &App) -> prm::error::Result<i64> {
    let stamp = Stamp::of_box(app.now());
    app.db.read(move |read| queue::waiting_now(read, &stamp)).await
}
