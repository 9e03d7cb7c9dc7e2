//! Messages of all conversations on the wire: what reached nobody, and what waits to be sent.

use axum::Json;
use axum::extract::State;
use prm::error::Result;
use prm::id::{MessageId, Noun};
use prm::message::{self, Judgement, MESSAGES_MAX};
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
use crate::outbox;

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

/// What reached nobody, the latest first; or what waits to be sent, in the order in which it is looked at, with what
/// would become of it now.
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
        let view = |it| MessageView::of(&in_view, (read, &stamp), it);
        if !is_waiting {
            let failed = message::failed(read, &stamp, from, most)?;
            return failed.into_iter().map(view).collect::<Result<Vec<_>>>();
        }
        let quiet = outbox::quiet(&in_view);
        let judged = message::preview(read, &stamp, &quiet, from, most)?.into_iter();
        let waiting = judged.map(|(message, judgement)| {
            let again = match judgement {
                Judgement::NotBefore(at) | Judgement::Quiet(at) => Some(in_view.local(at)),
                Judgement::Now | Judgement::Stale | Judgement::NotWanted => None,
            };
            let would = Some(judgement.as_str());
            let mut waiting = view(message)?;
            (waiting.would, waiting.would_at) = (would, again);
            Ok(waiting)
        });
        waiting.collect()
    });
    let found = found.await?;
    read_audit::listed(&app, stamp, Noun::Message).await?;
    Ok(Json(Page::cut(list, found, limit, |last| last.id)))
}
