//! The clinic, as anybody may know it.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::app::App;

/// The route of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(clinic))
}

/// The clinic and what time it is there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Clinic)]
pub struct ClinicView {
    id: Uuid,
    name: String,
    /// IANA name.
    timezone: String,
    /// ISO 3166-1, two letters.
    country: String,
    /// RFC 3339 with the clinic's offset.
    now: String,
    /// Today's date in the clinic.
    today: String,
    /// The languages that the kiosk offers, in this order.
    languages: Vec<String>,
    /// The language for people who have not chosen one.
    default_language: String,
    /// Seconds without a touch after which the kiosk asks whether anybody is there.
    kiosk_idle_seconds: u32,
    /// Whether all records are made up.
    demo: bool,
}

impl ClinicView {
    /// The clinic now.
    pub fn of(app: &App) -> Self {
        let clinic = &app.clinic;
        let now = app.now();
        Self {
            id: clinic.id.uuid(),
            name: clinic.name.clone(),
            timezone: clinic.timezone.clone(),
            country: clinic.country.clone(),
            now: app.local(now),
            today: prm::time::local_date(&clinic.zone, now).to_string(),
            languages: app.config.language.offered.clone(),
            default_language: app.config.language.default.clone(),
            kiosk_idle_seconds: app.config.kiosk.idle_seconds,
            demo: clinic.demo,
        }
    }
}

/// The clinic; nobody needs to sign in for it.
#[utoipa::path(get, path = "/clinic", tag = "clinic", responses((status = 200, body = ClinicView)), security(()))]
async fn clinic(State(app): State<App>) -> Json<ClinicView> {
    Json(ClinicView::of(&app))
}
