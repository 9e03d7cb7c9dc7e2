//! What may be said by WhatsApp at any time: templates that were approved beforehand, filled in for one person.

use ::reception::{REMINDER, Visit, WRITE_BACK, remind, write_back};
use axum::Json;
use axum::extract::State;
use prm::appointment::{self, Status};
use prm::content::Content;
use prm::conversation::{self, Conversation};
use prm::db::Read;
use prm::error::{Error, Result};
use prm::id::{ConversationId, Noun};
use prm::stamp::Stamp;
use prm::{patient, practitioner};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::http::auth::Caller;
use crate::http::error::{Answer, Problem};
use crate::http::json::Segment;
use crate::http::read_audit;
use crate::reception::facts;

/// Visits of a patient that are looked at for the next one.
const VISITS_MAX: u32 = 20;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(templates))
}

/// A template that can be said, filled in.
#[derive(Debug, Serialize, ToSchema)]
struct ApprovedTemplate {
    /// The name under which it was approved.
    name: String,
    /// The language that it is in (a BCP 47 tag).
    language: String,
    /// What the person reads.
    text: String,
}

/// The templates that can be said; there are never more than a few.
#[derive(Debug, Serialize, ToSchema)]
struct ApprovedTemplates {
    /// Each of them.
    items: Vec<ApprovedTemplate>,
}

/// What may be said in a conversation by WhatsApp although the person has not written for a day: the templates that Meta or
/// Twilio has approved, filled in.
#[utoipa::path(get, path = "/conversations/{id}/templates", tag = "conversations", params(("id" = Uuid, Path)),
    responses((status = 200, body = ApprovedTemplates), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem)))]
async fn templates(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<ConversationId>,
) -> Answer<Json<ApprovedTemplates>> {
    let of_app = app.clone();
    let found = app.db.read(move |read| {
        let conversation = conversation::get(read, &stamp, id)?;
        let all = all(&of_app, (read, &stamp), &conversation)?;
        Ok((conversation.patient, all))
    });
    let (whose, all) = found.await?;
    if let Some(patient) = whose {
        read_audit::read(&app, stamp, Noun::Conversation, id.as_bytes(), patient).await?;
    }
    let items = all.into_iter().filter_map(|content| match content {
        Content::Template { name, language, arguments: _, text } => {
            Some(ApprovedTemplate { name, language, text })
        }
        Content::Text { .. }
        | Content::Choices { .. }
        | Content::Chosen { .. }
        | Content::Media { .. }
        | Content::Unsupported { .. } => None,
    });
    Ok(Json(ApprovedTemplates { items: items.collect() }))
}

/// The one of that name, as it can be said in a conversation now.
pub(super) fn of_name(
    app: &App,
    (read, stamp): (&Read<'_>, &Stamp),
    conversation: &Conversation,
    wanted: &str,
) -> Result<Content> {
    let is_it = |content: &Content| match content {
        Content::Template { name, language: _, arguments: _, text: _ } => name == wanted,
        Content::Text { .. }
        | Content::Choices { .. }
        | Content::Chosen { .. }
        | Content::Media { .. }
        | Content::Unsupported { .. } => false,
    };
    all(app, (read, stamp), conversation)?.into_iter().find(is_it).ok_or_else(|| {
        let what = format!(
            "this cannot be said here now; {WRITE_BACK} always can, {REMINDER} to a patient who has a visit"
        );
        Error::invalid("template", what)
    })
}

/// All that can be said: to write back, and what reminds of the next visit if it is known whose conversation it is.
fn all(
    app: &App,
    (read, stamp): (&Read<'_>, &Stamp),
    conversation: &Conversation,
) -> Result<Vec<Content>> {
    let (wording, languages) = (facts::wording(read, stamp)?, facts::languages(app));
    let spoken = conversation.language.as_deref();
    let mut all = vec![write_back(&app.clinic.name, (spoken, &languages), &wording)];
    let Some(id) = conversation.patient else { return Ok(all) };
    let filter =
        appointment::Filter { patient: Some(id), from: Some(stamp.now), ..Default::default() };
    let coming = appointment::list(read, stamp, &filter, VISITS_MAX)?;
    let next =
        coming.into_iter().filter(|it| it.status == Status::Booked).min_by_key(|it| it.start);
    if let Some(next) = next.filter(|it| stamp.now < it.start) {
        let patient = patient::get(read, stamp, id)?;
        let practitioner = practitioner::get(read, stamp, next.practitioner)?;
        let spoken = spoken.or(patient.language.as_deref());
        for confirm in [false, true] {
            let visit = Visit {
                clinic: &app.clinic.name,
                zone: &app.clinic.zone,
                name: &patient.name,
                practitioner: &practitioner.name,
                start: next.start,
                confirm,
            };
            all.push(remind(&visit, (spoken, &languages), &wording));
        }
    }
    Ok(all)
}
