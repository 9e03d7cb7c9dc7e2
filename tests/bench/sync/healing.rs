//! How soon both sides are the same after a cut, in which both booked.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use sync_hub::clock::Clock;
use sync_hub::hub::Hub;
use sync_hub::loans::{self, Asking};
use sync_hub::store::IfMissing;
use sync_protocol::loan::BookingId;
use tower::ServiceExt as _;
use uuid::Uuid;

use super::programs::{enroll, is_told, sync_of};
use super::{add, figure};
use crate::client::Ask;
use crate::load;
use crate::measure::Bench;
use crate::plan::Plan;
use crate::server::Server;
use crate::table::{Figure, say};

/// How long lending and healing may take each.
const PATIENCE: Duration = Duration::from_secs(600);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);
/// Slots that are looked at once for what may be sold.
const OFFERED: u32 = 5_000;

/// A hub in this process, and whether the line to it is cut.
struct Cloud {
    hub: Arc<Hub>,
    is_cut: AtomicBool,
}

async fn answer(State(cloud): State<Arc<Cloud>>, request: Request) -> Response {
    if cloud.is_cut.load(Ordering::Relaxed) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let router = sync_hub::http::router(Arc::clone(&cloud.hub));
    router.oneshot(request).await.into_response()
}

/// Both book so many while the line is cut.
pub fn figures(
    bench: &Bench<'_>,
    here: &Path,
    plan: &mut Plan,
    while_cut: usize,
) -> Result<Vec<Figure>> {
    say("  healing");
    let hub = Arc::new(Hub::open(&here.join("healing"), IfMissing::Make, Clock::System)?);
    let (clinic, code) = add(&hub, "Bench")?;
    let cloud = Arc::new(Cloud { hub, is_cut: AtomicBool::new(false) });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let url = format!("http://{}", listener.local_addr()?);
    let router = Router::new().fallback(answer).with_state(Arc::clone(&cloud));
    runtime.spawn(async move { axum::serve(listener, router).await });
    let server = Server::start(bench.program, &bench.data)?;
    enroll(bench, &url, &code)?;
    let desk = plan.desk.clone();
    let offered = |limit| loans::on_offer(&cloud.hub, clinic, None, limit);
    // Everything is told, and as much is lent as will be.
    let (begun, mut last) = (Instant::now(), (usize::MAX, Instant::now()));
    loop {
        let lent =
            if is_told(&server, &desk)? { offered(OFFERED).map_or(0, |it| it.len()) } else { 0 };
        if lent != last.0 {
            last = (lent, Instant::now());
        }
        if lent >= while_cut && last.1.elapsed() > Duration::from_secs(3) {
            break;
        }
        ensure!(begun.elapsed() < PATIENCE, "only {lent} slots were lent");
        thread::sleep(LOOK);
    }
    let lent = last.0;

    cloud.is_cut.store(true, Ordering::Relaxed);
    let some = offered(OFFERED)?;
    let mut sold = Vec::new();
    for slot in some.iter().step_by((some.len() / while_cut).max(1)).take(while_cut) {
        let booking = Uuid::now_v7();
        let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": [
            { "resource": { "resourceType": "Patient", "name": [{ "text": format!("Online {booking}") }],
                "birthDate": "1984-05-02", "telecom": [{ "system": "phone", "value": "+919844111173" }] } },
            { "resource": { "resourceType": "Appointment", "status": "booked",
                "participant": [{ "status": "accepted" }] } } ] });
        let bundle = bundle.to_string().into_bytes();
        let not_after_ms = cloud.hub.clock.now_ms() + 40 * 86_400_000;
        let id = BookingId(booking.into_bytes());
        let asking = Asking { slot, booking: id, bundle: &bundle, not_after_ms };
        loans::sell(&cloud.hub, clinic, &asking).context("a slot that is on offer")?;
        sold.push(booking);
    }
    // What was lent since it was drawn is refused; the next is asked for.
    let asks: Vec<Ask> = (0..while_cut)
        .map(|_| plan.ask_booking().map(|it| Ask { fine: &[201, 409, 422], ..it }))
        .collect::<Result<_>>()?;
    load::one_by_one(server.address, &desk, asks)?;
    let waiting = sync_of(&server, &desk)?["waiting"].as_u64().unwrap_or(0);

    cloud.is_cut.store(false, Ordering::Relaxed);
    let begun = Instant::now();
    // A person presses; else the box would try again within five minutes.
    let now = Ask::post("now", "sync/now".to_owned(), "{}".to_owned(), &[200]);
    let admin = plan.admin.clone();
    let is_known = |booking: &Uuid| -> Result<bool> {
        let ask =
            Ask { fine: &[200, 404], ..Ask::get("adopted", format!("appointments/{booking}")) };
        let (status, _) = load::once(server.address, &desk, ask)?;
        Ok(status == 200)
    };
    let mut left = sold.clone();
    loop {
        load::one_by_one(server.address, &admin, vec![now.clone()])?;
        while let Some(booking) = left.last() {
            if !is_known(booking)? {
                break;
            }
            left.pop();
        }
        if left.is_empty() && is_told(&server, &desk)? {
            break;
        }
        ensure!(begun.elapsed() < PATIENCE, "{} of {} are not adopted", left.len(), sold.len());
        thread::sleep(LOOK);
    }
    let value = format!("{:.1} s", begun.elapsed().as_secs_f64());
    let what = format!("both the same after a cut in which each side booked {}", sold.len());
    let reference = format!("{lent} slots were lent, {waiting} changes waited");
    Ok(vec![figure(&what, value, None, reference)])
}
