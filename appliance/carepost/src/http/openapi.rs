//! The OpenAPI 3.1 document, made from the handlers themselves.

use axum::Json;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{
    appointments, audit, auth, check_ins, clinic, closed_days, devices, healthcare_services,
    leaves, live, locations, patients, practitioners, queue, schedules, session, slots, staff,
    status,
};
use crate::app::App;

/// Where the API begins.
pub const ROOT: &str = "/api/v1/prm";

/// What stands above the routes in the document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Carepost",
        description = "The JSON API of the box. Errors are RFC 9457 problems with a stable `code`; \
            every resource has a `version`, which is its `ETag`; POSTs that create take an `Idempotency-Key`; \
            requests with a cookie that change something carry `X-Carepost-CSRF: 1`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    security(("token" = []), ("session" = []), ("device" = []))
)]
struct Document;

/// All routes of the API, with their part of the document.
pub fn routes() -> OpenApiRouter<App> {
    let api = OpenApiRouter::new()
        .merge(session::routes())
        .merge(staff::routes())
        .merge(clinic::routes())
        .merge(devices::routes())
        .merge(patients::routes())
        .merge(practitioners::routes())
        .merge(locations::routes())
        .merge(healthcare_services::routes())
        .merge(schedules::routes())
        .merge(leaves::routes())
        .merge(closed_days::routes())
        .merge(slots::routes())
        .merge(appointments::routes())
        .merge(check_ins::routes())
        .merge(queue::routes())
        .merge(audit::routes())
        .merge(live::routes())
        .merge(status::routes())
        .merge(OpenApiRouter::new().routes(routes!(openapi)));
    OpenApiRouter::with_openapi(Document::openapi()).nest(ROOT, api)
}

/// The whole document.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = routes().split_for_parts().1;
    let components = document.components.get_or_insert_with(Default::default);
    components.add_security_scheme(
        "token",
        SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()),
    );
    for (name, cookie) in [("session", auth::SESSION_COOKIE), ("device", auth::DEVICE_COOKIE)] {
        let key = ApiKey::Cookie(ApiKeyValue::new(cookie));
        components.add_security_scheme(name, SecurityScheme::ApiKey(key));
    }
    name_operations(&mut document);
    document
}

/// Names each operation after its method and path, so that programs made from the document
/// have one name for each: handlers of two nouns are both called `list`.
fn name_operations(document: &mut utoipa::openapi::OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let words = path.trim_start_matches(ROOT).replace(['{', '}'], "");
        let words = words.trim_matches('/').replace(['/', '-', '.'], "_");
        for (method, operation) in [
            ("get", &mut item.get),
            ("post", &mut item.post),
            ("patch", &mut item.patch),
            ("delete", &mut item.delete),
        ] {
            if let Some(operation) = operation {
                operation.operation_id = Some(format!("{method}_{words}"));
            }
        }
    }
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "status",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value)), security(()))]
async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}
