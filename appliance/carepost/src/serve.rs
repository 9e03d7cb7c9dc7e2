//! Serving: doors open, the box says that it is ready, and at the end everything acknowledged
//! is finished.

use std::fs::File;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::middleware;
use prm::stamp::Stamp;
use prm::{appointment, hub};
use sd_notify::NotifyState;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;
use crate::connections::{self, Door, Limits, Stopping, unread};
use crate::http::trust::{self, TrustPage};
use crate::tls::{Authority, LanCertificate, local_addresses, server_config};
use crate::{
    email, http, media, outbox, reception, recordings, relay, reminders, requests, sync, turn,
};

/// How often the box looks whether its addresses changed or its certificate ends.
const CERTIFICATE_LOOK: Duration = Duration::from_secs(60);
/// Clients that may knock at once. With the usual 128 a crowd makes each of the others wait a
/// second, until the system tries again for it.
const BACKLOG: u32 = 1_024;
/// How often what was measured is folded into histograms.
const FOLD: Duration = Duration::from_secs(5);
/// How often holds that nobody confirmed are called off. Their time is free from the moment
/// they end; this is for the screens.
const HOLDS_LOOK: Duration = Duration::from_secs(15);
/// How often the box says that it lives, when systemd does not want it more often.
const WATCHDOG_MAX: Duration = Duration::from_secs(30);
/// When the check of the database begins. A box that comes back after an outage first takes in and answers what waited:
/// as much cryptography beside it slows that by a third, however far it stands back.
const CHECK_AFTER: Duration = Duration::from_secs(30);
/// How far the check stands back behind all else: the furthest niceness.
const STANDS_BACK: i32 = 19;

/// Doors that are open but not yet served.
pub struct Opened {
    app: App,
    doors: Vec<Door>,
    certificate: Option<Arc<LanCertificate>>,
    /// Where plain HTTP is served.
    pub plain: SocketAddr,
    /// Where HTTPS is served, if it is.
    pub tls: Option<SocketAddr>,
    /// Where the trust page is served, if it is.
    pub trust: Option<SocketAddr>,
    /// As long as it is held nothing takes the box's place.
    _serves: File,
}

/// Opens the doors that the settings name.
///
/// # Errors
/// If an address cannot be had, or HTTPS is wanted and the certificate authority is missing.
pub async fn open(app: App) -> anyhow::Result<Opened> {
    let serves = turn::serve(&app.data)?;
    if app.db.read(hub::is_replacing).await? {
        bail!(
            "this box takes another's place and has not got everything back yet, so it may not book; run `carepost enroll --replace` again"
        );
    }
    let settings = app.config.http.clone();
    let wanted = settings.max_connections as usize;
    if let Err(error) = connections::allow_open_files(3 * wanted) {
        tracing::warn!(%error, "the system allows few open files; raise LimitNOFILE");
    }
    let router = http::router(app.clone()).layer(middleware::from_fn(unread::read_past));
    let (listener, plain) = listen("http.listen", settings.listen).await?;
    let mut doors = vec![Door { listener, tls: None, router: router.clone() }];
    let (mut certificate, mut tls, mut trust) = (None, None, None);
    if let Some(address) = settings.tls_listen {
        let authority = Authority::open(&app.data)?;
        let lan = LanCertificate::new(authority, &addresses(), app.now())?;
        let lan = Arc::new(lan);
        let config = Arc::new(server_config(Arc::clone(&lan))?);
        let (listener, bound) = listen("http.tls_listen", address).await?;
        doors.push(Door { listener, tls: Some(config), router });
        if let Some(address) = settings.trust_listen {
            let (listener, at) = listen("http.trust_listen", address).await?;
            let page = TrustPage::new(lan.authority(), &app.clinic.name, bound.port());
            doors.push(Door { listener, tls: None, router: trust::router(page) });
            trust = Some(at);
        }
        certificate = Some(lan);
        tls = Some(bound);
    }
    Ok(Opened { app, doors, certificate, plain, tls, trust, _serves: serves })
}

impl Opened {
    /// Serves until `stopping`, then finishes what is under way, and closes the database.
    pub async fn serve(self, stopping: Stopping) {
        let Self { app, doors, certificate, plain, tls, trust, _serves } = self;
        let settings = &app.config.http;
        let limits = Limits { connections: settings.max_connections as usize, ..Limits::default() };
        let stop_check = Arc::new(AtomicBool::new(false));
        let check = check_integrity(&app, Arc::clone(&stop_check));
        let chores = tokio::spawn(chores(app.clone(), certificate, stopping.clone()));
        let telling = sync::begin(app.clone(), stopping.clone())
            .inspect_err(|error| tracing::error!(%error, "the hub is not told"));
        let asked = tokio::spawn(requests::serve(app.clone(), stopping.clone()));
        let sent = tokio::spawn(outbox::serve(app.clone(), stopping.clone()));
        let mailed = tokio::spawn(email::serve(app.clone(), stopping.clone()));
        let received = tokio::spawn(reception::serve(app.clone(), stopping.clone()));
        let reminded = tokio::spawn(reminders::serve(app.clone(), stopping.clone()));
        let put_by = tokio::spawn(media::serve(app.clone(), stopping.clone()));
        let fetched = tokio::spawn(recordings::serve(app.clone(), stopping.clone()));
        let relayed = tokio::spawn(relay::serve(app.clone(), stopping.clone()));
        tracing::info!(%plain, ?tls, ?trust, "the box serves");
        tell(&[NotifyState::Ready]);
        let ended = stopping.clone();
        let stopped = tokio::spawn(async move {
            ended.requested().await;
            tracing::info!("the box stops");
            tell(&[NotifyState::Stopping]);
        });
        let cut_off = connections::serve(doors, limits, stopping).await;
        if cut_off > 0 {
            tracing::warn!(cut_off, "some requests were cut off");
        }
        stop_check.store(true, Ordering::Relaxed);
        check.iter().for_each(|check| check.thread().unpark());
        let db = app.db.clone();
        let closed = tokio::task::spawn_blocking(move || {
            // Whoever panicked has said so on its way.
            for thread in check.into_iter().chain(telling) {
                let _ = thread.join();
            }
            db.close();
        });
        let others = [asked, sent, mailed, received, reminded, fetched, put_by, relayed];
        for task in others.into_iter().chain([chores, stopped, closed]) {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the box failed");
            }
        }
        tracing::info!("the box has stopped");
    }
}

/// Asks `stopping` to stop on Ctrl-C and on SIGTERM.
///
/// # Errors
/// If the system gives no signals.
pub fn stop_on_signals(stopping: &Stopping) -> anyhow::Result<()> {
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let mut signals = signal(kind)?;
        let stopping = stopping.clone();
        tokio::spawn(async move {
            signals.recv().await;
            stopping.stop();
        });
    }
    Ok(())
}

/// Refuses an address that cannot be had, before somebody waits for what would be served there.
///
/// # Errors
/// If it cannot be had now.
pub async fn can_be_had(key: &str, address: SocketAddr) -> anyhow::Result<()> {
    listen(key, address).await.map(drop)
}

async fn listen(key: &str, address: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = bind(address).with_context(|| {
        format!(
            "{key} = {address} cannot be had; is another box running, or does the port need root?"
        )
    })?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A box that is started again takes its address at once.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn addresses() -> Vec<std::net::IpAddr> {
    local_addresses().unwrap_or_else(|error| {
        tracing::warn!(%error, "the system does not tell its addresses");
        Vec::new()
    })
}

/// Checks the whole database beside serving, a while after the start; a damaged one shows in `/readyz`.
fn check_integrity(app: &App, stop: Arc<AtomicBool>) -> Option<JoinHandle<()>> {
    let app = app.clone();
    let started = thread::Builder::new().name("integrity".into()).spawn(move || {
        thread::park_timeout(CHECK_AFTER);
        if let Err(error) = rustix::process::nice(STANDS_BACK) {
            tracing::debug!(%error, "the check of the database does not stand back");
        }
        app.health.check_integrity(&app.db, &stop);
    });
    started.inspect_err(|error| tracing::warn!(%error, "the database is not checked")).ok()
}

async fn chores(app: App, certificate: Option<Arc<LanCertificate>>, stopping: Stopping) {
    let watchdog = sd_notify::watchdog_enabled().map_or(WATCHDOG_MAX, |wanted| wanted / 2);
    let mut watchdog = every(watchdog.min(WATCHDOG_MAX));
    let mut fold = every(FOLD);
    let mut look = every(CERTIFICATE_LOOK);
    let mut holds = every(HOLDS_LOOK);
    loop {
        tokio::select! {
            () = stopping.requested() => return,
            _ = fold.tick() => app.measures.fold(),
            _ = watchdog.tick() => {
                // A box whose database does not answer is better started again.
                match app.db.read(prm::change::last).await {
                    Ok(_) => tell(&[NotifyState::Watchdog]),
                    Err(error) => tracing::error!(%error, "the database does not answer"),
                }
            }
            _ = holds.tick() => {
                let stamp = Stamp::of_box(app.now());
                let swept = app.db.write(move |tx| appointment::expire_holds(tx, &stamp)).await;
                if let Err(error) = swept {
                    tracing::warn!(%error, "expired holds were not called off");
                }
            }
            _ = look.tick() => {
                app.exports.forget_old(app.now());
                if let Some(certificate) = &certificate {
                    match certificate.refresh(&addresses(), app.now()) {
                        Ok(true) => tracing::info!("a new certificate for new addresses"),
                        Ok(false) => {}
                        Err(error) => tracing::error!(%error, "no new certificate"),
                    }
                }
            }
        }
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval(period.max(Duration::from_millis(100)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Tells systemd, if it is there to hear.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "nobody was told");
    }
}
