//! Calls that a voice agent answered, on the wire.

use axum::Json;
use axum::extract::State;
use channels::heard::CallReport;
use channels::voice_agent;
use prm::call::{self, CALLS_MAX, Call, Filter, recording};
use prm::db::Read;
use prm::error::Result;
use prm::id::{CallId, ConversationId, MessageId, Noun, PatientId};
use prm::media::Media;
use prm::stamp::Stamp;
use prm::time::{from_ms, to_ms};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::auth::Caller;
use super::error::{Answer, Problem};
use super::json::{Asked, Segment};
use super::page::{self, Page};
use super::read_audit;
use super::version::Versioned;
use crate::app::App;

/// The word of the list, for its cursor.
const LIST: &str = "calls";
/// Calls of a list when the caller does not say.
const LIMIT_DEFAULT: u32 = 50;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// The recording of a call.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Recording)]
struct RecordingView {
    /// Under which id it can be had (`/media/{id}`), once it is kept.
    media_id: Uuid,
    /// Whether it is still to be fetched (`waiting`), is here (`kept`), or will not be (`refused`).
    state: &'static str,
    /// What it is, once it is here.
    media_type: String,
    /// How long it is in bytes, once it is here.
    bytes: Option<u64>,
    /// Why it will not be here, by a stable word.
    why: Option<String>,
}

impl From<Media> for RecordingView {
    fn from(found: Media) -> Self {
        Self {
            media_id: found.id.uuid(),
            state: found.state.as_str(),
            media_type: found.media_type,
            bytes: found.bytes,
            why: found.why,
        }
    }
}

/// A call that a voice agent answered, as it was told last.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Call)]
pub(super) struct CallView {
    id: Uuid,
    /// Grows when the agent tells it otherwise.
    version: i64,
    /// What the agent calls it.
    call_id: String,
    /// Where it belongs; null of a call from a hidden number.
    conversation_id: Option<Uuid>,
    /// As which message it was heard.
    message_id: Option<Uuid>,
    patient_id: Option<Uuid>,
    /// Who called (E.164), if the number was shown.
    phone: Option<String>,
    /// What the agent took the caller to want, as it wrote it.
    intent: Option<String>,
    duration_seconds: Option<u32>,
    told_at: String,
    /// Its recording, if the agent told of one.
    recording: Option<RecordingView>,
    #[serde(skip)]
    place: (i64, Uuid),
}

/// A call with all that was told of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct CallWhole {
    #[serde(flatten)]
    call: CallView,
    /// What was said: words of strangers.
    transcript: String,
    /// What the agent took out of it.
    #[schema(value_type = Object)]
    extracted_data: Value,
    /// Fields that are not known here, as they came.
    #[schema(value_type = Object)]
    others: Value,
}

impl CallView {
    fn of(app: &App, (read, stamp): (&Read<'_>, &Stamp), found: Call) -> Result<Self> {
        let Call {
            id,
            version,
            name,
            conversation,
            message,
            patient,
            phone,
            intent,
            duration_seconds,
            body: _,
            told_at,
        } = found;
        let recording = recording::of_call(read, stamp, id)?;
        Ok(Self {
            id: id.uuid(),
            version,
            call_id: name,
            conversation_id: conversation.map(|id| id.uuid()),
            message_id: message.map(|id| id.uuid()),
            patient_id: patient.map(|id| id.uuid()),
            phone: phone.map(|it| it.as_str().to_owned()),
            intent,
            duration_seconds,
            told_at: app.local(told_at),
            recording: recording.map(RecordingView::from),
            place: (to_ms(told_at), id.uuid()),
        })
    }
}

/// A call as a message shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct CallHeard {
    id: Uuid,
    duration_seconds: Option<u32>,
    /// Whether the agent told it otherwise since.
    revised: bool,
    recording: Option<RecordingView>,
}

impl CallHeard {
    /// The call that was heard as a message, if one was.
    pub(super) fn of(read: &Read<'_>, stamp: &Stamp, message: MessageId) -> Result<Option<Self>> {
        let Some(call) = call::of_message(read, stamp, message)? else { return Ok(None) };
        let recording = recording::of_call(read, stamp, call.id)?;
        Ok(Some(Self {
            id: call.id.uuid(),
            duration_seconds: call.duration_seconds,
            revised: call.version > 1,
            recording: recording.map(RecordingView::from),
        }))
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CallsAsked {
    /// Only those of this conversation.
    #[param(value_type = Option<Uuid>)]
    conversation: Option<ConversationId>,
    /// Only those of conversations with this patient.
    #[param(value_type = Option<Uuid>)]
    patient: Option<PatientId>,
    /// At most so many, 1 to 199; 50 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// Calls that a voice agent answered, the latest first.
#[utoipa::path(get, path = "/calls", tag = "conversations", params(CallsAsked),
    responses((status = 200, body = Page<CallView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(CallsAsked { conversation, patient, limit, cursor }): Asked<CallsAsked>,
) -> Answer<Json<Page<CallView>>> {
    let after: Option<(i64, Uuid)> = cursor.map(|text| page::decode(LIST, &text)).transpose()?;
    let after = after.map(|(at, id)| (from_ms(at), CallId::from_bytes(id.into_bytes())));
    let most = u32::try_from(CALLS_MAX).unwrap_or(u32::MAX).saturating_sub(1);
    let limit = limit.unwrap_or(LIMIT_DEFAULT).clamp(1, most);
    let in_view = app.clone();
    let found = app.db.read(move |read| {
        let filter = Filter { conversation, patient };
        let calls = call::list(read, &stamp, filter, (after, limit as usize + 1))?;
        let view = |it| CallView::of(&in_view, (read, &stamp), it);
        calls.into_iter().map(view).collect::<Result<Vec<_>>>()
    });
    let found = found.await?;
    match patient {
        Some(patient) => read_audit::shown(&app, stamp, Noun::Call, vec![patient]).await?,
        None => read_audit::listed(&app, stamp, Noun::Call).await?,
    }
    Ok(Json(Page::cut(LIST, found, limit, |last| last.place)))
}

/// One call, with all that was told of it.
#[utoipa::path(get, path = "/calls/{id}", tag = "conversations", params(("id" = Uuid, Path)),
    responses((status = 200, body = CallWhole), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem)))]
async fn get(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<CallId>,
) -> Answer<Versioned<CallWhole>> {
    let in_view = app.clone();
    let found = app.db.read(move |read| {
        let found = call::get(read, &stamp, id)?;
        let (patient, version) = (found.patient, found.version);
        let country = &in_view.clinic.country;
        let report = voice_agent::read(found.body.as_bytes(), country).ok();
        let call = CallView::of(&in_view, (read, &stamp), found)?;
        Ok((patient, version, whole(call, report)))
    });
    let (patient, version, view) = found.await?;
    match patient {
        Some(patient) => {
            read_audit::read(&app, stamp, Noun::Call, id.as_bytes(), patient).await?;
        }
        None => read_audit::listed(&app, stamp, Noun::Call).await?,
    }
    Ok(Versioned(version, view))
}

fn whole(call: CallView, report: Option<CallReport>) -> CallWhole {
    let object = |text: &str| serde_json::from_str(text).unwrap_or_default();
    match report {
        Some(report) => CallWhole {
            call,
            transcript: report.transcript,
            extracted_data: object(&report.extracted),
            others: object(&report.others),
        },
        // What was kept could be read once; whoever cannot read it any more shows the rest.
        None => CallWhole {
            call,
            transcript: String::new(),
            extracted_data: Value::Null,
            others: Value::Null,
        },
    }
}
