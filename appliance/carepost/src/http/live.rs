//! Live events: server-sent events that follow the change log, resumed by `Last-Event-ID`.
//!
//! Invariant: an event names a resource and its version, never what is in it; whoever hears it
//! asks for it, and the rights are checked there.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, StreamExt as _};
use prm::change::{self, Change};
use prm::id::LogId;
use prm::stamp::{Right, Stamp};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::timeout;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auth::{self, Caller};
use super::error::{Answer, Problem};
use super::json::Asked;
use crate::app::App;
use crate::connections::Stopping;

/// Changes that are read at once.
const BATCH_MAX: u32 = 200;
/// A listener this far behind is told to read everything again instead.
const BEHIND_MAX: i64 = 5_000;
/// How often the log is looked at without being told: other processes write, too.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// A quiet line says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// So many quiet looks until the right to listen is checked again.
const LOOKS_PER_CHECK: u32 = 15;
/// How long a browser waits before it connects again.
const RETRY: Duration = Duration::from_secs(2);

/// The route of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(live))
}

/// Where to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Begin {
    /// The sequence after which to begin, for those who cannot send Last-Event-ID.
    after: Option<i64>,
    /// The log that the sequence belongs to (from the event `hello`).
    log: Option<String>,
}

/// What changes, as it happens (server-sent events).
///
/// `id` is the sequence, `event` the noun, `data` is `{"verb", "id", "version"}`. The first event
/// is `hello` with `{"log"}`. `resync` says that the id asked for cannot be continued from: read
/// everything again. Kiosks and boards hear only `queue`.
#[utoipa::path(get, path = "/live", tag = "live", params(Begin),
    responses((status = 200, description = "the stream", body = String, content_type = "text/event-stream"),
              (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem)))]
async fn live(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(begin): Asked<Begin>,
    stopping: Option<Extension<Stopping>>,
    headers: HeaderMap,
) -> Answer<Response> {
    if !NOUNS.iter().any(|(_, right)| stamp.may(*right)) {
        stamp.needs(Right::ReadBoard)?;
    }
    let place = app.live.clone().try_acquire_owned().map_err(|_| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "too many live streams are open; try again later",
        )
        .retry_after(5)
    })?;
    // Listening begins before the log is looked at, so that nothing falls between.
    let told = app.db.last_sequence();
    let (last, log) = app.db.read(|read| Ok((change::last(read)?, change::log_id(read)?))).await?;
    let asked = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .map(|text| text.trim().parse::<i64>().ok());
    let other_log = begin.log.as_ref().is_some_and(|text| text.parse() != Ok(log));
    let asked = asked.or(begin.after.map(Some));
    let follower = Follower::new(app, stamp, headers, told, place, log, last, asked, other_log);
    let events = follower.events();
    let events = match stopping {
        Some(Extension(stopping)) => events.take_until(stopping.requested()).boxed(),
        None => events.boxed(),
    };
    let keep_alive = KeepAlive::new().interval(HEARTBEAT).text("");
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

/// Which nouns are told, and to whom.
const NOUNS: [(&str, Right); 22] = [
    ("appointment", Right::ReadAppointments),
    ("queue", Right::ReadBoard),
    ("patient", Right::ReadPatients),
    ("practitioner", Right::ReadDiary),
    ("schedule", Right::ReadDiary),
    ("leave", Right::ReadDiary),
    ("closed_day", Right::ReadDiary),
    ("loan", Right::ReadDiary),
    ("location", Right::ReadDiary),
    ("healthcare_service", Right::ReadDiary),
    ("device", Right::ManageDevices),
    ("staff", Right::ManageStaff),
    ("clinic", Right::ReadDiary),
    ("conversation", Right::Converse),
    ("message", Right::Converse),
    ("ticket", Right::Converse),
    ("waitlist", Right::ReadAppointments),
    ("faq", Right::ReadWording),
    ("template", Right::ReadWording),
    ("canned_answer", Right::ReadWording),
    ("patient_instruction", Right::ReadWording),
    ("reminder_rule", Right::ReadWording),
];

struct Follower {
    app: App,
    stamp: Stamp,
    headers: HeaderMap,
    told: watch::Receiver<i64>,
    after: i64,
    waiting: VecDeque<Event>,
    quiet_looks: u32,
    _place: OwnedSemaphorePermit,
}

impl Follower {
    #[allow(clippy::too_many_arguments, reason = "each is one fact about how to begin")]
    fn new(
        app: App,
        stamp: Stamp,
        headers: HeaderMap,
        told: watch::Receiver<i64>,
        place: OwnedSemaphorePermit,
        log: LogId,
        last: i64,
        asked: Option<Option<i64>>,
        other_log: bool,
    ) -> Self {
        let (after, lost) = match asked {
            None => (last, other_log),
            Some(Some(asked)) if !other_log && (0..=last).contains(&asked) => {
                if last - asked > BEHIND_MAX { (last, true) } else { (asked, false) }
            }
            // An id of another log, or one that is none.
            Some(_) => (last, true),
        };
        let mut waiting = VecDeque::new();
        let hello = Event::default().event("hello").retry(RETRY).id(after.to_string());
        waiting.push_back(hello.data(format!("{{\"log\":\"{log}\"}}")));
        if lost {
            let resync = Event::default().event("resync").id(after.to_string());
            waiting.push_back(resync.data("{}"));
        }
        Self { app, stamp, headers, told, after, waiting, quiet_looks: 0, _place: place }
    }

    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> + Send {
        futures_util::stream::unfold(self, |mut follower| async move {
            loop {
                if let Some(event) = follower.waiting.pop_front() {
                    return Some((Ok(event), follower));
                }
                let found = match follower.look().await {
                    Some(found) => found,
                    // The stream ends; the browser connects again and goes on from its id.
                    None => return None,
                };
                if found == 0 && !follower.wait().await {
                    return None;
                }
            }
        })
    }

    /// Reads the next changes; answers how many there were, or nothing if they cannot be read.
    async fn look(&mut self) -> Option<usize> {
        self.told.borrow_and_update();
        let after = self.after;
        let changes =
            self.app.db.read(move |read| change::after(read, after, BATCH_MAX)).await.ok()?;
        // Whoever was just shut out hears nothing of what came after.
        if changes.iter().any(|change| ["device", "staff"].contains(&change.noun.as_str()))
            && !self.may_listen().await
        {
            return None;
        }
        for change in &changes {
            self.after = change.sequence;
            if let Some(event) = self.event(change) {
                self.waiting.push_back(event);
            }
        }
        Some(changes.len())
    }

    /// Waits for something new. False when the listener may not listen any more.
    async fn wait(&mut self) -> bool {
        if let Ok(Err(_closed)) = timeout(LOOK_AGAIN, self.told.changed()).await {
            return false;
        }
        self.quiet_looks += 1;
        if self.quiet_looks < LOOKS_PER_CHECK {
            return true;
        }
        self.quiet_looks = 0;
        self.may_listen().await
    }

    /// Whether the right to listen is still the one that the line was opened with.
    async fn may_listen(&self) -> bool {
        match auth::caller(&self.app, &self.headers).await {
            Ok(Caller(now)) => now.actor == self.stamp.actor && now.role == self.stamp.role,
            Err(_) => false,
        }
    }

    fn event(&self, change: &Change) -> Option<Event> {
        let (noun, right) = NOUNS.iter().find(|(noun, _)| *noun == change.noun)?;
        if !self.stamp.may(*right) {
            return None;
        }
        let told = serde_json::json!({
            "verb": change.verb,
            "id": change.resource.to_string(),
            "version": change.version,
        });
        let event = Event::default().id(change.sequence.to_string()).event(*noun);
        Some(event.data(told.to_string()))
    }
}
