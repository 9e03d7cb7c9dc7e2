//! Messages of all conversations on the wire: what reached nobody, and what waits to be sent.

use axum::Json;
use axum::extract::State;
use prm::id::{MessageId, Noun};
use prm::message::{self, MESSAGES_MAX, Quiet};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::auth::Caller;
use super::conversations::MessageView;
use super::error::{Answer, Problem};
use super::json::Asked;
use super::page::{self, Page};
use super::read_audit;
use crate::app::App;

/// The words of the lists, for their cursors.
const FAILED: &str = "messages/failed";
const WAITING: &str = "messages/waiting";
/// Messages of a list when the caller does not say.
const LIMIT_DEFAULT: u32 = 50;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MessagesAsked {
    /// `failed`: what reached nobody by any way. `waiting`: what waits to be sent. `failed` when it is not said.
    state: Option<String>,
    /// At most so many, 1 to 199; 50 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// What reached nobody, the latest first; or what waits to be sent, in the order in which it is looked at.
#[utoipa::path(get, path = "/messages", tag = "conversations", params(MessagesAsked),
    responses((status = 200, body = Page<MessageView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(MessagesAsked { state, limit, cursor }): Asked<MessagesAsked>,
) -> Answer<Json<Page<MessageView>>> {
    let is_waiting = match state.as_deref() {
        None | Some("failed") => false,
        Some("waiting") => true,
        Some(_) => return Err(Problem::invalid("state", "the state is failed or waiting")),
    };
    let list = if is_waiting { WAITING } else { FAILED };
    let from: Option<Uuid> = cursor.map(|text| page::decode(list, &text)).transpose()?;
    let from = from.map(|id| MessageId::from_bytes(id.into_bytes()));
    let most = u32::try_from(MESSAGES_MAX).unwrap_or(u32::MAX).saturating_sub(1);
    let limit = limit.unwrap_or(LIMIT_DEFAULT).clamp(1, most);
    let in_view = app.clone();
    let found = app.db.read(move |read| {
        let most = limit as usize + 1;
        let messages = if is_waiting {
            // Which hours are quiet changes when they are sent, not what waits.
            let quiet = Quiet { zone: in_view.clinic.zone.clone(), from: 0, to: 0 };
            let judged = message::preview(read, &stamp, &quiet, from, most)?;
            judged.into_iter().map(|(message, _)| message).collect()
        } else {
            message::failed(read, &stamp, from, most)?
        };
        let views = messages.into_iter().map(|it| MessageView::of(&in_view, (read, &stamp), it));
        views.collect::<prm::error::Result<Vec<_>>>()
    });
    let found = found.await?;
    read_audit::listed(&app, stamp, Noun::Message).await?;
    Ok(Json(Page::cut(list, found, limit, |last| last.id)))
}
