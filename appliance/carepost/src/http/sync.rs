//! How the sync with the hub stands, for the desk and for programs, and telling the hub now.

use axum::Json;
use axum::extract::State;
use prm::hub;
use prm::stamp::{Right, Stamp};
use prm::{conflict, loan, request};
use serde::Serialize;
use sync_agent::condition::{Said, said};
use sync_agent::status::{Advised, Joined, ParkedEntry, Status, status};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::auth::Caller;
use super::error::{Answer, Problem};
use crate::app::App;
use crate::sync::on_the_wall;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get)).routes(routes!(now))
}

/// How the sync stands. What the hub holds is what its last receipt said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sync)]
pub(super) struct SyncView {
    /// `alone`, `stopped`, `refused`, `line_down`, `hub_busy`, `over_budget`, `beginning`, `waiting` or `told`.
    condition: &'static str,
    /// `calm`; `look`: it mends itself, but is worth a look; `act`: somebody must do something.
    urgency: &'static str,
    /// The same in one English sentence, as `carepost sync status` says it.
    says: String,
    /// Null if the box has joined no hub.
    hub: Option<HubView>,
    /// The last change of the box's log.
    last: i64,
    /// The last change that the hub holds.
    through: i64,
    /// Whether the hub holds all records as of `through`; if not, they are being told for the first time.
    whole: bool,
    /// How many changes wait to be told.
    waiting: i64,
    /// When the oldest of them was written.
    waiting_since: Option<String>,
    /// When the last receipt came.
    receipt_at: Option<String>,
    /// Why nothing is told until a person decides.
    stop: Option<StopView>,
    /// How many records the hub could not take.
    parked: i64,
    /// Those that it named, the oldest first.
    parked_entries: Vec<ParkedView>,
    /// How many wishes for appointments wait for the desk.
    requests: i64,
    /// How many elements of patients were edited here and at the hub, each otherwise, and wait for the desk.
    conflicts: i64,
    /// How many slots are held for booking online.
    lent: i64,
    /// How many patients bought online what somebody else has, and wait for the desk.
    displaced: i64,
    /// How many requests the hub had no more when this box, put back to an older copy, asked for them.
    lost_requests: i64,
    /// What the line to the hub has cost today, in bytes, as far as it is counted.
    spent_bytes: i64,
    /// What it may cost in a day before what nobody waits for is held back; null is no bound.
    budget_bytes: Option<i64>,
    /// How many tries failed in a row.
    failures: i64,
    /// What the last one failed of.
    fault: Option<String>,
    /// When.
    fault_at: Option<String>,
}

/// The hub that the box has joined.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JoinedHub)]
struct HubView {
    url: String,
    /// What the clinic is called there.
    clinic_name: String,
    /// The clinic's id there.
    clinic_id: Uuid,
    /// The box's id there.
    box_id: Uuid,
    /// The fingerprint of its keys.
    fingerprint: String,
    /// When the box joined.
    enrolled_at: String,
    /// Which life of the box this is, as the hub counts; null until its first receipt.
    generation: Option<i64>,
}

/// A stop, and what to do about it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SyncStop)]
struct StopView {
    /// `forked`, `quarantined`, `retired`, `not_enrolled` or `pruned`.
    code: String,
    /// What to do, in English.
    advice: &'static str,
}

/// A record that the hub could not take.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ParkedRecord)]
struct ParkedView {
    /// FHIR type and id.
    record: String,
    /// The number of its change.
    sequence: i64,
    /// `unreadable`, `invalid`, `unknown` or `too_long`.
    reason: String,
}

/// How the sync stands.
///
/// # Errors
/// If the database cannot be read.
pub async fn standing(app: &App) -> prm::error::Result<Status> {
    let stamp = Stamp::of_box(app.now());
    app.db.read(move |read| status(read, &stamp)).await
}

/// What came from the hub and is open.
#[derive(Clone, Copy, Debug)]
pub struct Open {
    /// Wishes for appointments that wait for the desk.
    pub requests: i64,
    /// What was edited here and at the hub, each otherwise.
    pub conflicts: i64,
    /// Slots that are held for booking online.
    pub lent: i64,
    /// Patients who bought online what somebody else has.
    pub displaced: i64,
    /// Requests that the hub had no more.
    pub lost_requests: i64,
}

impl Open {
    /// As it is now.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn of(app: &App) -> prm::error::Result<Self> {
        let read = |read: &prm::db::Read<'_>| {
            let requests = request::count_proposals(read)?;
            let (conflicts, held) = (conflict::count_open(read)?, request::position(read)?);
            let (lent, displaced) = (loan::away_count(read)?, loan::displaced_count(read)?);
            Ok(Self { requests, conflicts, lent, displaced, lost_requests: held.lost })
        };
        app.db.read(read).await
    }
}

impl SyncView {
    pub(super) async fn of(app: &App) -> prm::error::Result<Self> {
        let found = standing(app).await?;
        let Open { requests, conflicts, lent, displaced, lost_requests } = Open::of(app).await?;
        let Said { condition, urgency, says } =
            said(&found, app.now(), |at| on_the_wall(&app.clinic.zone, at));
        let Status {
            hub,
            last,
            through,
            whole,
            waiting,
            waiting_since,
            receipt_at,
            stop,
            parked,
            parked_entries,
            spent_bytes,
            budget_bytes,
            // The condition says it.
            over_budget: _,
            failures,
            fault,
            fault_at,
        } = found;
        let hub = hub.map(|hub| {
            let Joined { url, clinic_name, clinic, box_id, fingerprint, enrolled_at, generation } =
                hub;
            let enrolled_at = app.local(enrolled_at);
            let clinic_id = clinic;
            HubView { url, clinic_name, clinic_id, box_id, fingerprint, enrolled_at, generation }
        });
        let stop = stop.map(|Advised { code, advice }| StopView { code, advice });
        let entry =
            |ParkedEntry { key, sequence, reason }| ParkedView { record: key, sequence, reason };
        Ok(Self {
            condition: condition.as_str(),
            urgency: urgency.as_str(),
            says,
            hub,
            last,
            through,
            whole,
            waiting,
            waiting_since: waiting_since.map(|at| app.local(at)),
            receipt_at: receipt_at.map(|at| app.local(at)),
            stop,
            parked,
            parked_entries: parked_entries.into_iter().map(entry).collect(),
            requests,
            conflicts,
            lent,
            displaced,
            lost_requests,
            spent_bytes,
            budget_bytes,
            failures,
            fault,
            fault_at: fault_at.map(|at| app.local(at)),
        })
    }

    /// None if the box has joined no hub.
    pub(super) fn joined(self) -> Option<Self> {
        self.hub.is_some().then_some(self)
    }
}

/// How the sync with the hub stands: what waits and since when, what the hub could not take, and whether
/// somebody must do something.
#[utoipa::path(get, path = "/sync", tag = "sync",
    responses((status = 200, body = SyncView), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn get(State(app): State<App>, Caller(stamp): Caller) -> Answer<Json<SyncView>> {
    stamp.needs(Right::ReadQueue)?;
    Ok(Json(SyncView::of(&app).await?))
}

/// Tells the hub what waits, now; asks it again if it had stopped the box. The answer is how the sync
/// stands after one exchange, or after some seconds if the hub does not answer.
#[utoipa::path(post, path = "/sync/now", tag = "sync",
    responses((status = 200, body = SyncView), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn now(State(app): State<App>, Caller(stamp): Caller) -> Answer<Json<SyncView>> {
    app.db.write(move |tx| hub::ask_again(tx, &stamp)).await?;
    app.sync.ring().await;
    Ok(Json(SyncView::of(&app).await?))
}
