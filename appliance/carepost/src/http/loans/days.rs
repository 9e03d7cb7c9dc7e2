//! What is held for booking online, by practitioner and day, and asked back by practitioner and day.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use jiff::civil::Date;
use prm::db::Read;
use prm::id::PractitionerId;
use prm::loan::{self, Filter, LIST_MAX, Loan};
use prm::stamp::Stamp;
use prm::time::{local_date, start_of_day};
use serde::{Deserialize, Serialize};
use sync_agent::loans::{self, BoxTime, Shown, Status};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::app::App;
use crate::http::auth::Caller;
use crate::http::error::{Answer, Problem};
use crate::http::json::{Asked, Body};
use crate::http::page::{self, Page};

/// The word of the list, for its cursors.
const LIST: &str = "loans/days";
/// Loans that one answer counts at the most: those of a hundred practitioners in five weeks.
const COUNTED_MAX: usize = 40_000;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(days)).routes(routes!(recall_days))
}

/// What is held for booking online of one practitioner on one day.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = LoanDay)]
struct LoanDayView {
    practitioner_id: Uuid,
    /// The local date.
    date: String,
    /// How many slots are held in all.
    lent: i64,
    /// Of these: asked back, and not back yet.
    recalled: i64,
    /// Of these: sold, as far as is known.
    sold: i64,
    /// Of these: the hub cannot say whether they were sold.
    unknown: i64,
    /// Until when the hub sells the last of those that are not sold and not asked back; null if there is none.
    sell_until: Option<String>,
}

/// The counts of one practitioner on one day.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    lent: i64,
    recalled: i64,
    sold: i64,
    unknown: i64,
    sell_until: Option<Timestamp>,
}

impl Counts {
    fn add(&mut self, shown: Shown) {
        let Shown { status, sell_until, override_in_seconds: _ } = shown;
        self.lent += 1;
        match status {
            Status::Granted | Status::Held => {
                self.sell_until = self.sell_until.max(Some(sell_until));
            }
            Status::Recalled => self.recalled += 1,
            Status::Sold => self.sold += 1,
            Status::Unknown => self.unknown += 1,
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DaysAsked {
    /// Of this practitioner.
    #[param(value_type = Option<Uuid>)]
    practitioner: Option<PractitionerId>,
    /// From this local date; today when it is not said.
    #[param(value_type = Option<String>)]
    from: Option<Date>,
    /// To before this local date.
    #[param(value_type = Option<String>)]
    to: Option<Date>,
    /// At most so many, 1 to 500; 100 when it is not said.
    limit: Option<u32>,
    /// `next` of the list before.
    cursor: Option<String>,
}

/// What is held for booking online, counted by day and practitioner, by date.
#[utoipa::path(get, path = "/loans/days", tag = "loans", params(DaysAsked),
    responses((status = 200, body = Page<LoanDayView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn days(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(DaysAsked { practitioner, from, to, limit, cursor }): Asked<DaysAsked>,
) -> Answer<Json<Page<LoanDayView>>> {
    let limit = page::limit(limit);
    let after =
        cursor.map(|text| page::decode::<(Date, PractitionerId)>(LIST, &text)).transpose()?;
    let today = local_date(&app.clinic.zone, stamp.now);
    let from = from.unwrap_or(today).max(after.map_or(Date::MIN, |(date, _)| date));
    let day = |date: Date| start_of_day(&app.clinic.zone, date);
    let filter = Filter { practitioner, from: Some(day(from)), to: to.map(day), after: None };
    let (at, zone) = (app.clock.since_boot(), app.clinic.zone.clone());
    let counted = app.db.read(move |read| {
        let mut counted: BTreeMap<(Date, PractitionerId), Counts> = BTreeMap::new();
        for loan in all(read, &stamp, filter)? {
            let place = (local_date(&zone, loan.slot.start()), loan.practitioner);
            if let Some(shown) = loans::shown(&loan, at)?
                && after.is_none_or(|after| place > after)
            {
                counted.entry(place).or_default().add(shown);
            }
        }
        Ok(counted)
    });
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
    let found = counted.await?.into_iter().take(wanted).collect();
    let page = Page::cut(LIST, found, limit, |(place, _)| *place);
    Ok(Json(page.map(|((date, practitioner), counts)| {
        let Counts { lent, recalled, sold, unknown, sell_until } = counts;
        LoanDayView {
            practitioner_id: practitioner.uuid(),
            date: date.to_string(),
            lent,
            recalled,
            sold,
            unknown,
            sell_until: sell_until.map(|it| app.local(it)),
        }
    })))
}

/// All loans that a filter finds, up to [`COUNTED_MAX`].
fn all(read: &Read<'_>, stamp: &Stamp, mut filter: Filter) -> prm::error::Result<Vec<Loan>> {
    let mut found = Vec::new();
    while found.len() < COUNTED_MAX {
        let part = loan::list(read, stamp, &filter, LIST_MAX)?;
        filter.after = part.last().map(|loan| (loan.slot.start(), loan.id));
        let is_last = part.len() < LIST_MAX as usize;
        found.extend(part);
        if is_last {
            break;
        }
    }
    Ok(found)
}

/// Which slots are asked back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RecallAsked {
    /// Of this practitioner; of all when it is not said.
    #[schema(value_type = Option<Uuid>)]
    practitioner_id: Option<PractitionerId>,
    /// That begin on this local date or later.
    #[schema(value_type = String)]
    from: Date,
    /// That begin before this local date.
    #[schema(value_type = String)]
    to: Date,
}

/// How many slots were asked back.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
struct RecallAnswer {
    /// So many.
    recalled: u32,
    /// Whether there are more; the same request asks for these.
    more: bool,
}

/// Asks the hub for many slots at once: those of a day, of a practitioner, or both. They are free here as
/// soon as the hub has answered, unless they were sold. What was asked back or sold already is passed over.
#[utoipa::path(post, path = "/loans/recall", tag = "loans", request_body = RecallAsked,
    responses((status = 200, body = RecallAnswer), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn recall_days(
    State(app): State<App>,
    Caller(stamp): Caller,
    Body(RecallAsked { practitioner_id, from, to }): Body<RecallAsked>,
) -> Answer<Json<RecallAnswer>> {
    let day = |date: Date| start_of_day(&app.clinic.zone, date);
    let filter = Filter {
        practitioner: practitioner_id,
        from: Some(day(from)),
        to: Some(day(to)),
        after: None,
    };
    let at: BoxTime = app.clock.since_boot();
    let recalled = app.db.write(move |tx| loans::recall_many(tx, &stamp, filter, at)).await?;
    let loans::Recalled { recalled, more } = recalled;
    Ok(Json(RecallAnswer { recalled, more }))
}
