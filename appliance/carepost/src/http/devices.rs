//! Kiosks and boards on the wire: pairing, and taking it back.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{HeaderMap, SET_COOKIE};
use axum::response::{IntoResponse as _, Response};
use prm::device::{self, Device, Kind};
use prm::error::Error;
use prm::id::DeviceId;
use prm::idempotency::{self, Answer as Kept};
use prm::stamp::{Right, Stamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::auth::{self, Caller, DEVICE_COOKIE, Source, set_cookie};
use super::error::{Answer, Problem};
use super::idempotency::{Posted, once};
use super::json::{Asked, Body, Segment};
use super::page::{Page, Part};
use super::version::Versioned;
use super::words::{DeviceKind, DeviceStatus};
use crate::app::App;

/// A year and a bit: as long as browsers keep a cookie. It begins again each time that the
/// device asks about itself.
const COOKIE_SECONDS: i64 = 400 * 24 * 60 * 60;
/// Devices that one address may announce in a minute.
const ASKED_PER_MINUTE_MAX: u32 = 10;
/// Codes that one address may try in a minute.
const TRIES_PER_MINUTE_MAX: u32 = 10;
/// Codes that may be tried in a minute by everybody together: of 100 million codes at most 20
/// are good at once, so guessing takes years.
const TRIES_OF_ALL_PER_MINUTE_MAX: u32 = 60;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, ask_to_pair))
        .routes(routes!(itself))
        .routes(routes!(pair))
        .routes(routes!(offer))
        .routes(routes!(claim))
        .routes(routes!(revoke))
}

/// A kiosk or a board.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Device)]
struct DeviceView {
    id: Uuid,
    version: i64,
    #[schema(value_type = DeviceKind)]
    kind: &'static str,
    name: Option<String>,
    #[schema(value_type = DeviceStatus)]
    status: &'static str,
    created_at: String,
    /// When the code ends, while there is one.
    expires_at: Option<String>,
    paired_at: Option<String>,
}

impl DeviceView {
    fn new(app: &App, device: Device) -> Self {
        let Device { id, version, kind, name, status, created_at, expires_at, paired_at } = device;
        Self {
            id: id.uuid(),
            version,
            kind: kind.as_str(),
            name,
            status: status.as_str(),
            created_at: app.local(created_at),
            expires_at: expires_at.map(|at| app.local(at)),
            paired_at: paired_at.map(|at| app.local(at)),
        }
    }
}

/// A device that wants to be paired, or is to be offered a code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDevice {
    #[schema(value_type = DeviceKind)]
    kind: String,
    /// Where it stands.
    name: Option<String>,
}

/// A device that waits for being paired.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct Waiting {
    #[schema(value_type = Uuid)]
    id: DeviceId,
    /// What the device shows and the desk types, for example `483 920`.
    code: String,
    expires_at: String,
}

impl Waiting {
    fn new(app: &App, stamp: Stamp, asked: &device::Asked) -> Self {
        let (first, second) = asked.code.split_at_checked(3).unwrap_or((&asked.code, ""));
        Self {
            id: asked.device.id,
            code: format!("{first} {second}"),
            expires_at: app.local(asked.device.expires_at.unwrap_or(stamp.now)),
        }
    }
}

/// A code from a device's screen.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Pairing {
    /// Blanks in it do not matter.
    code: String,
    /// Where it stands.
    name: Option<String>,
}

/// A code that the desk offers.
#[derive(Debug, Serialize, ToSchema)]
struct Offered {
    id: Uuid,
    /// For `/kiosk?pair=CODE`.
    code: String,
    expires_at: String,
}

/// An offered code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Claim {
    code: String,
}

/// All kiosks and boards.
#[utoipa::path(get, path = "/devices", tag = "devices", params(Part),
    responses((status = 200, body = Page<DeviceView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(part): Asked<Part>,
) -> Answer<Json<Page<DeviceView>>> {
    let devices = app.db.read(move |read| device::list(read, &stamp)).await?;
    let page = part.of("devices", devices, |one| one.id.uuid())?;
    Ok(Json(page.map(|device| DeviceView::new(&app, device))))
}

/// A kiosk or a board asks to be paired. Nobody needs to sign in for it; it gets a code to show
/// and a cookie that is good for nothing until the desk types the code. With an `Idempotency-Key` a
/// repetition from the same address hears the same code; the cookie is a new one, and the only one.
#[utoipa::path(post, path = "/devices", tag = "devices", request_body = NewDevice,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = Waiting), (status = 422, body = Problem), (status = 429, body = Problem)),
    security(()))]
async fn ask_to_pair(
    State(app): State<App>,
    Caller(stamp): Caller,
    source: Source,
    Posted { body: NewDevice { kind, name }, key }: Posted<NewDevice>,
) -> Answer<Response> {
    app.tries.count("device", &source.place, ASKED_PER_MINUTE_MAX, stamp.now)?;
    let kind = Kind::parse(&kind)?;
    let key = key.map(|key| key.at_place(&source.place));
    let in_view = app.clone();
    let (waiting, secret) = app
        .db
        .write(move |tx| {
            if let Some(key) = &key
                && let Some(kept) = idempotency::answered(tx, &stamp, key)?
            {
                let waiting: Waiting = serde_json::from_str(&kept.body)
                    .map_err(|error| Error::Storage(error.to_string()))?;
                let secret = device::ask_again(tx, &stamp, waiting.id)?;
                return Ok((waiting, secret));
            }
            let asked = device::ask_to_pair(tx, &stamp, kind, name)?;
            let waiting = Waiting::new(&in_view, stamp, &asked);
            if let Some(key) = &key {
                // Without the secret, which is kept nowhere.
                let body = serde_json::to_string(&waiting)
                    .map_err(|error| Error::Storage(error.to_string()))?;
                let answer = Kept { status: StatusCode::CREATED.as_u16(), body };
                idempotency::keep(tx, &stamp, key, &answer)?;
            }
            Ok((waiting, Some(asked.secret)))
        })
        .await?;
    let mut answer = (StatusCode::CREATED, Json(waiting)).into_response();
    if let Some(secret) = secret {
        let cookie = set_cookie(DEVICE_COOKIE, secret.text(), COOKIE_SECONDS, source.scheme);
        answer.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(answer)
}

/// The kiosk or board that asks, however far its pairing is.
#[utoipa::path(get, path = "/devices/self", tag = "devices",
    responses((status = 200, body = DeviceView), (status = 401, body = Problem)), security(("device" = [])))]
async fn itself(State(app): State<App>, source: Source, headers: HeaderMap) -> Answer<Response> {
    let device = auth::device(&app, &headers).await?.ok_or(Error::Unknown)?;
    let secret = auth::cookie(&headers, DEVICE_COOKIE).unwrap_or_default();
    let cookie = set_cookie(DEVICE_COOKIE, secret, COOKIE_SECONDS, source.scheme);
    let view = Versioned(device.version, DeviceView::new(&app, device));
    Ok(([(SET_COOKIE, cookie)], view).into_response())
}

/// The desk pairs the device that shows this code.
#[utoipa::path(post, path = "/devices/pair", tag = "devices", request_body = Pairing,
    responses((status = 200, body = DeviceView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 429, body = Problem)))]
async fn pair(
    State(app): State<App>,
    Caller(stamp): Caller,
    source: Source,
    Body(Pairing { code, name }): Body<Pairing>,
) -> Answer<Versioned<DeviceView>> {
    stamp.needs(Right::ManageDevices)?;
    app.tries.count("pair", &source.place, TRIES_PER_MINUTE_MAX, stamp.now)?;
    let device = app.db.write(move |tx| device::pair(tx, &stamp, &code, name)).await?;
    Ok(Versioned(device.version, DeviceView::new(&app, device)))
}

/// The desk offers a code with which a device pairs itself within a day.
#[utoipa::path(post, path = "/devices/offer", tag = "devices", request_body = NewDevice,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = Offered), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn offer(
    State(app): State<App>,
    Caller(stamp): Caller,
    Posted { body: NewDevice { kind, name }, key }: Posted<NewDevice>,
) -> Answer<Response> {
    stamp.needs(Right::ManageDevices)?;
    let kind = Kind::parse(&kind)?;
    let zone = app.clinic.zone.clone();
    once(&app, stamp, key, move |tx| {
        let (device, code) = device::offer(tx, &stamp, kind, name)?;
        let expires_at = crate::app::local(&zone, device.expires_at.unwrap_or(stamp.now));
        Ok((StatusCode::CREATED, Offered { id: device.id.uuid(), code, expires_at }))
    })
    .await
}

/// A device claims an offered code; nobody needs to sign in for it.
#[utoipa::path(post, path = "/devices/claim", tag = "devices", request_body = Claim,
    responses((status = 200, body = DeviceView), (status = 404, body = Problem), (status = 429, body = Problem)),
    security(()))]
async fn claim(
    State(app): State<App>,
    Caller(stamp): Caller,
    source: Source,
    Body(Claim { code }): Body<Claim>,
) -> Answer<Response> {
    app.tries.count("claim", &source.place, TRIES_PER_MINUTE_MAX, stamp.now)?;
    app.tries.count("claim", "everybody", TRIES_OF_ALL_PER_MINUTE_MAX, stamp.now)?;
    let (device, secret) = app.db.write(move |tx| device::claim(tx, &stamp, &code)).await?;
    let cookie = set_cookie(DEVICE_COOKIE, secret.text(), COOKIE_SECONDS, source.scheme);
    let view = Versioned(device.version, DeviceView::new(&app, device));
    Ok(([(SET_COOKIE, cookie)], view).into_response())
}

/// Takes a device's rights away for good.
#[utoipa::path(post, path = "/devices/{id}/revoke", tag = "devices", params(("id" = Uuid, Path)),
    responses((status = 200, body = DeviceView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem)))]
async fn revoke(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<DeviceId>,
) -> Answer<Versioned<DeviceView>> {
    let device = app.db.write(move |tx| device::revoke(tx, &stamp, id)).await?;
    Ok(Versioned(device.version, DeviceView::new(&app, device)))
}
