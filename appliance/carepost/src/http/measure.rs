//! What is counted for `/metrics`: requests by route and status, how long they take. No label
//! names a person.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use metrics::with_local_recorder;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::app::App;
use crate::clock::stopwatch;

/// The steps of the histogram of latencies, in seconds.
const LATENCY_STEPS: [f64; 11] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// The counters of one box.
pub struct Measures {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl Measures {
    /// Counters at zero.
    ///
    /// # Errors
    /// If the histogram's steps are refused.
    pub fn new() -> anyhow::Result<Self> {
        let recorder = PrometheusBuilder::new().set_buckets(&LATENCY_STEPS)?.build_recorder();
        let handle = recorder.handle();
        with_local_recorder(&recorder, || {
            metrics::describe_counter!("carepost_requests_total", "Requests answered");
            metrics::describe_histogram!("carepost_request_seconds", "From request to answer");
            metrics::describe_gauge!("carepost_writes_waiting", "Writes that wait for the writer");
            metrics::describe_gauge!("carepost_changes", "The sequence of the newest change");
            metrics::describe_gauge!("carepost_live_streams", "Open live streams");
            metrics::describe_gauge!("carepost_queue_waiting", "People who wait today");
            metrics::describe_gauge!("carepost_disk_free_bytes", "Room on the disk");
            metrics::describe_gauge!(
                "carepost_messages_unanswered",
                "Messages that wait for reception"
            );
            metrics::describe_gauge!(
                "carepost_messages_queued",
                "Messages that wait for whoever carries them"
            );
            metrics::describe_gauge!("carepost_relay_waiting", "Rows the hub does not have yet");
            metrics::describe_gauge!("carepost_relay_connected", "1 while there is a broker");
            metrics::describe_gauge!("carepost_sync_waiting", "Changes the hub does not hold yet");
            metrics::describe_gauge!(
                "carepost_sync_receipt_age_seconds",
                "Since the hub's last receipt, or since the box joined"
            );
            metrics::describe_gauge!("carepost_sync_parked", "Entries the hub could not take");
            metrics::describe_gauge!("carepost_sync_requests", "Wishes of the hub for the desk");
            metrics::describe_gauge!(
                "carepost_sync_conflicts",
                "Elements edited here and at the hub, each otherwise"
            );
            metrics::describe_gauge!("carepost_loans", "Slots held for booking online");
            metrics::describe_gauge!(
                "carepost_displaced",
                "Patients who bought online what somebody else has"
            );
            metrics::describe_gauge!(
                "carepost_sync_spent_bytes",
                "What the line to the hub has cost today"
            );
            metrics::describe_gauge!(
                "carepost_sync_over_budget",
                "1 while changes wait for tomorrow's budget of the line"
            );
            metrics::describe_gauge!("carepost_sync_failures", "Tries that failed in a row");
            metrics::describe_gauge!("carepost_sync_stopped", "1 while a person must decide");
        });
        Ok(Self { recorder, handle })
    }

    /// Sets a gauge.
    pub fn gauge(&self, name: &'static str, value: f64) {
        with_local_recorder(&self.recorder, || metrics::gauge!(name).set(value));
    }

    /// Everything as Prometheus text.
    pub fn text(&self) -> String {
        self.handle.render()
    }

    /// Folds what was measured into the histograms; to be called every few seconds, so that a
    /// box nobody asks for metrics does not keep every single measurement.
    pub fn fold(&self) {
        self.handle.run_upkeep();
    }

    fn request(&self, route: &str, method: &str, status: u16, seconds: f64) {
        with_local_recorder(&self.recorder, || {
            let route = route.to_owned();
            let method = method.to_owned();
            metrics::counter!("carepost_requests_total", "route" => route.clone(), "method" => method, "status" => status.to_string()).increment(1);
            metrics::histogram!("carepost_request_seconds", "route" => route).record(seconds);
        });
    }
}

/// Counts a request.
pub async fn measure(State(app): State<App>, request: Request, next: Next) -> Response {
    // Only the pattern of the route: an address may hold an id.
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let method = match request.method().as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => {
            known.to_owned()
        }
        // Anybody may make up methods; they share one label.
        _ => "other".to_owned(),
    };
    let begun = stopwatch();
    let response = next.run(request).await;
    let route = route.as_deref().unwrap_or("other");
    app.measures.request(route, &method, response.status().as_u16(), begun.elapsed().as_secs_f64());
    response
}
