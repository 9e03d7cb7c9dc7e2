//! Slots that are held for booking online, on the wire: what is lent, and how it is had back.

mod days;
mod displaced;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use jiff::civil::Date;
use prm::id::{LoanId, PractitionerId};
use prm::loan::{self, Filter, Loan};
use prm::time::start_of_day;
use serde::{Deserialize, Serialize};
use sync_agent::loans::{self, BoxTime, Shown};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::auth::Caller;
use super::error::{Answer, Problem};
use super::json::{Asked, Body, Segment};
use super::page::{self, Page};
use super::words::LoanStatus;
use crate::app::App;

/// The word of the list, for its cursors.
const LIST: &str = "loans";

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(recall))
        .routes(routes!(take))
        .merge(days::routes())
        .merge(displaced::routes())
}

/// A slot that is held for booking online.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Loan)]
struct LoanView {
    id: Uuid,
    version: i64,
    slot_id: String,
    practitioner_id: Uuid,
    /// RFC 3339 with the clinic's offset.
    start: String,
    /// RFC 3339 with the clinic's offset.
    end: String,
    #[schema(value_type = LoanStatus)]
    status: &'static str,
    /// Until when the hub sells it.
    sell_until: String,
    /// The appointment for which it was sold, as far as is known.
    appointment_id: Option<Uuid>,
    /// In how many seconds it can be taken without the hub.
    override_in_seconds: u64,
}

impl LoanView {
    /// A loan that is away as the API shows it; nothing if it came back.
    fn of(app: &App, at: BoxTime, loan: &Loan) -> prm::error::Result<Option<Self>> {
        let Some(Shown { status, sell_until, override_in_seconds }) = loans::shown(loan, at)?
        else {
            return Ok(None);
        };
        Ok(Some(Self {
            id: loan.id.uuid(),
            version: loan.version,
            slot_id: loan.slot.to_string(),
            practitioner_id: loan.practitioner.uuid(),
            start: app.local(loan.slot.start()),
            end: app.local(loan.end),
            status: status.as_str(),
            sell_until: app.local(sell_until),
            appointment_id: loan.sale.map(|id| id.uuid()),
            override_in_seconds,
        }))
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LoansAsked {
    /// Of this practitioner.
    #[param(value_type = Option<Uuid>)]
    practitioner: Option<PractitionerId>,
    /// That begin on this local date or later.
    #[param(value_type = Option<String>)]
    from: Option<Date>,
    /// That begin before this local date.
    #[param(value_type = Option<String>)]
    to: Option<Date>,
    /// At most so many, 1 to 500; 100 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// Slots that are held for booking online, by start.
#[utoipa::path(get, path = "/loans", tag = "loans", params(LoansAsked),
    responses((status = 200, body = Page<LoanView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(LoansAsked { practitioner, from, to, limit, cursor }): Asked<LoansAsked>,
) -> Answer<Json<Page<LoanView>>> {
    let limit = page::limit(limit);
    let after = cursor.map(|text| page::decode::<(Timestamp, LoanId)>(LIST, &text)).transpose()?;
    let day = |date: Date| start_of_day(&app.clinic.zone, date);
    let filter = Filter { practitioner, from: from.map(day), to: to.map(day), after };
    let found = app.db.read(move |read| loan::list(read, &stamp, &filter, limit + 1)).await?;
    let page = Page::cut(LIST, found, limit, |loan| (loan.slot.start(), loan.id));
    let at = app.clock.since_boot();
    let mut items = Vec::with_capacity(page.items.len());
    for loan in &page.items {
        items.extend(LoanView::of(&app, at, loan)?);
    }
    Ok(Json(Page { items, next: page.next }))
}

/// What became of a slot that was asked back or taken.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct LoanAnswer {
    /// As it is held still; null if it is here.
    loan: Option<LoanView>,
}

/// Asks the hub for a slot. It is free here as soon as the hub has answered, unless it was sold.
#[utoipa::path(post, path = "/loans/{id}/recall", tag = "loans", params(("id" = Uuid, Path)),
    responses((status = 200, body = LoanAnswer), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn recall(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<LoanId>,
) -> Answer<Json<LoanAnswer>> {
    let loan = app.db.write(move |tx| loans::recall(tx, &stamp, id)).await?;
    Ok(Json(LoanAnswer { loan: LoanView::of(&app, app.clock.since_boot(), &loan)? }))
}

/// OverrideReason.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OverrideReason {
    /// In a sentence, for the record.
    reason: String,
}

/// Takes a slot without the hub, when it can sell nothing any more: 409 `loan_not_over` before that, with
/// `Retry-After`. A sale that comes to light later gets the slot if it is free, else the patient is
/// displaced.
#[utoipa::path(post, path = "/loans/{id}/override", tag = "loans", request_body = OverrideReason, params(("id" = Uuid, Path)),
    responses((status = 200, body = LoanAnswer), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn take(
    State(app): State<App>,
    Caller(stamp): Caller,
    Segment(id): Segment<LoanId>,
    Body(OverrideReason { reason }): Body<OverrideReason>,
) -> Answer<Json<LoanAnswer>> {
    let at = app.clock.since_boot();
    let taken =
        app.db.write(move |tx| loans::override_loan(tx, &stamp, id, Some(reason), at)).await?;
    Ok(Json(LoanAnswer { loan: LoanView::of(&app, at, &taken)? }))
}
