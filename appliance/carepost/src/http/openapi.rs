//! The OpenAPI 3.1 document, made from the handlers themselves.

use std::collections::BTreeSet;

use axum::Json;
use serde_json::Value;
use utoipa::OpenApi;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayItems, Schema};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{
    appointments, audit, auth, check_ins, clinic, closed_days, devices, healthcare_services,
    leaves, live, loans, locations, patients, practitioners, queue, schedules, session, slots,
    staff, status, sync,
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
        .merge(loans::routes())
        .merge(appointments::routes())
        .merge(check_ins::routes())
        .merge(queue::routes())
        .merge(super::waitlist::routes())
        .merge(super::tickets::routes())
        .merge(super::conversations::routes())
        .merge(super::messages::routes())
        .merge(super::calls::routes())
        .merge(super::media::routes())
        .merge(super::templates::routes())
        .merge(super::faqs::routes())
        .merge(super::canned_answers::routes())
        .merge(super::patient_instructions::routes())
        .merge(super::reminder_rules::routes())
        .merge(super::webhooks::routes())
        .merge(audit::routes())
        .merge(live::routes())
        .merge(status::routes())
        .merge(super::sync_requests::routes())
        .merge(super::conflicts::routes())
        .merge(super::catalogue::routes())
        .merge(sync::routes())
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
    require_what_is_always_sent(&mut document);
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

/// Members that an answer lacks when there is nothing to say, by shape.
const SOMETIMES_SENT: [(&str, &str); 3] =
    [("Problem", "field"), ("MatchView", "people"), ("MatchView", "confirm_birth")];

/// Says of each shape that only answers have that all of its members are there, if only as null:
/// what may be null is otherwise taken for something that may be missing.
fn require_what_is_always_sent(document: &mut utoipa::openapi::OpenApi) {
    let asked = asked_shapes(document);
    let schemas = document.components.iter_mut().flat_map(|components| &mut components.schemas);
    for (name, schema) in schemas.filter(|(name, _)| !asked.contains(*name)) {
        require_all(name, schema);
    }
}

fn require_all(shape: &str, schema: &mut RefOr<Schema>) {
    let RefOr::T(schema) = schema else { return };
    if let Schema::Object(object) = schema {
        for (member, of) in &mut object.properties {
            require_all(shape, of);
            let is_sent = !SOMETIMES_SENT.contains(&(shape, member.as_str()));
            if is_sent && !object.required.contains(member) {
                object.required.push(member.clone());
            }
        }
    } else if let Schema::AllOf(all) = schema {
        all.items.iter_mut().for_each(|part| require_all(shape, part));
    } else if let Schema::Array(array) = schema
        && let ArrayItems::RefOrSchema(items) = &mut array.items
    {
        require_all(shape, items);
    }
}

/// The shapes of what is asked, with all that is in them.
fn asked_shapes(document: &utoipa::openapi::OpenApi) -> BTreeSet<String> {
    let whole = serde_json::to_value(document).unwrap_or_default();
    let mut found = BTreeSet::new();
    let mut open: Vec<&Value> = Vec::new();
    for operations in whole["paths"].as_object().into_iter().flat_map(|paths| paths.values()) {
        let operations = operations.as_object().into_iter().flat_map(|all| all.values());
        open.extend(operations.filter_map(|operation| operation.get("requestBody")));
    }
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => open.extend(members.values()),
            Value::Array(items) => open.extend(items),
            Value::String(text) => {
                if let Some(name) = text.strip_prefix("#/components/schemas/")
                    && found.insert(name.to_owned())
                {
                    open.push(&whole["components"]["schemas"][name]);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    found
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "status",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value)), security(()))]
async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}
