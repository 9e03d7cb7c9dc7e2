//! Free times on the wire.

use std::fmt::Write as _;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use jiff::civil::Date;
use prm::id::{HealthcareServiceId, PractitionerId, SlotId};
use prm::slot::{self, SEARCH_DAYS_MAX, SLOTS_MAX, Search, Slot};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::auth::Caller;
use super::error::{Answer, Problem};
use super::json::Asked;
use super::local_times::{LocalTimes, TimeText};
use super::page::{self, Page};
use super::short_text::ShortText;
use crate::app::App;

/// Slots that are answered when the caller does not say.
const LIMIT_DEFAULT: usize = 500;
/// What a slot takes as JSON, in bytes.
const SLOT_BYTES: usize = 320;
/// The longest id of a slot: a UUID, a dot and ten digits.
const SLOT_ID_BYTES_MAX: usize = 47;
/// Days that are searched when the caller does not say to when.
const DAYS_DEFAULT: i64 = 7;
/// The word of the list, for its cursors.
const LIST: &str = "slots";

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A time that can be booked.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Slot)]
pub struct SlotView {
    /// The schedule and the start in minutes since 1970; stays the same as long as the session does.
    #[schema(value_type = String)]
    id: ShortText<SLOT_ID_BYTES_MAX>,
    schedule_id: Uuid,
    practitioner_id: Uuid,
    location_id: Option<Uuid>,
    /// RFC 3339 with the clinic's offset.
    #[schema(value_type = String)]
    start: TimeText,
    /// RFC 3339 with the clinic's offset.
    #[schema(value_type = String)]
    end: TimeText,
    /// How many more patients it takes.
    free: i64,
    /// Whether it is held for booking online; it can be had back by a recall of the loan.
    lent: bool,
}

impl SlotView {
    /// A slot as the API shows it.
    pub fn of(app: &App, slot: Slot) -> Self {
        Self::with(&mut LocalTimes::new(&app.clinic.zone), slot)
    }

    fn with(times: &mut LocalTimes<'_>, slot: Slot) -> Self {
        let Slot { id, practitioner, location, start, end, free, lent } = slot;
        let mut text = ShortText::new();
        write!(text, "{id}").expect("invariant: there is room for a UUID, a dot and a u32");
        Self {
            id: text,
            schedule_id: id.schedule.uuid(),
            practitioner_id: practitioner.uuid(),
            location_id: location.map(|id| id.uuid()),
            start: times.text(start),
            end: times.text(end),
            free,
            lent,
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SlotsAsked {
    /// Of this practitioner.
    #[param(value_type = Option<Uuid>)]
    practitioner: Option<PractitionerId>,
    /// Of anybody of this speciality.
    specialty: Option<String>,
    /// Long enough for this healthcare service.
    #[param(value_type = Option<Uuid>)]
    service: Option<HealthcareServiceId>,
    /// From this local date; today when it is not said.
    #[param(value_type = Option<String>)]
    from: Option<Date>,
    /// To before this local date; a week after `from` when it is not said, at most 62 days.
    #[param(value_type = Option<String>)]
    to: Option<Date>,
    /// Taken and past slots as well.
    all: Option<bool>,
    /// At most so many, 1 to 10000; 500 when it is not said.
    limit: Option<usize>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// Free slots by start, then practitioner.
#[utoipa::path(get, path = "/slots", tag = "diary", params(SlotsAsked),
    responses((status = 200, body = Page<SlotView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(asked): Asked<SlotsAsked>,
) -> Answer<Response> {
    let SlotsAsked { practitioner, specialty, service, from, to, all, limit, cursor } = asked;
    let from = from.unwrap_or_else(|| prm::time::local_date(&app.clinic.zone, stamp.now));
    let to = match to {
        Some(to) => to,
        None => from
            .checked_add(jiff::Span::new().days(DAYS_DEFAULT.min(i64::from(SEARCH_DAYS_MAX))))
            .map_err(|_| Problem::invalid("from", "this date is beyond the calendar"))?,
    };
    let limit = limit.unwrap_or(LIMIT_DEFAULT).clamp(1, SLOTS_MAX);
    let after = cursor.map(|text| place(&text)).transpose()?;
    let search = Search {
        practitioner,
        specialty,
        service,
        from,
        to,
        all: all.unwrap_or(false),
        // One more than asked for tells whether there is more.
        limit: limit + 1,
    };
    let mut found = app.db.read(move |read| slot::list_after(read, &stamp, &search, after)).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more);
    let next = next.map(|last| page::encode(LIST, &(last.practitioner, last.id.to_string())));
    let mut times = LocalTimes::new(&app.clinic.zone);
    let views = found.into_iter().map(|slot| SlotView::with(&mut times, slot));
    page::written(views, SLOT_BYTES, next.as_deref())
}

/// The place of the slot that a cursor names.
fn place(cursor: &str) -> Answer<(Timestamp, PractitionerId, SlotId)> {
    let (practitioner, slot): (PractitionerId, String) = page::decode(LIST, cursor)?;
    let slot: SlotId = slot.parse().map_err(|_| Problem::invalid("cursor", "this is no cursor"))?;
    Ok((slot.start(), practitioner, slot))
}
