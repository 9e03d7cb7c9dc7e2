//! `carepost-hub serve`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use channels::relay::Broker;
use clap::Args;
use sync_protocol::envelope::fingerprint;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::sleep;

use super::{Place, Unread};
use crate::hub::Hub;
use crate::media::fetch::Fetcher;
use crate::mend::mend;
use crate::reindex::reindex;
use crate::say::carry::Carrier;
use crate::situation;
use crate::store::IfMissing;
use crate::watch::{self as watching, EVERY_SECONDS, Watch};
use crate::{away, door, http, media, relay, say};

#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    place: Place,
    /// Where to listen. Whoever listens elsewhere than here puts a proxy in front that speaks TLS:
    /// enrolment codes must not travel in clear.
    #[arg(
        long,
        env = "CAREPOST_HUB_LISTEN",
        value_name = "ADDR",
        default_value = "127.0.0.1:8480"
    )]
    listen: SocketAddr,
    /// Also stops when standard input ends: for a program that starts a hub and must not leave it behind.
    #[arg(long)]
    end_with_stdin: bool,
    /// The address under which others reach the hub through the proxy, for the links in answers; as they
    /// wrote it if it is not said.
    #[arg(long, env = "CAREPOST_HUB_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    public_url: Option<String>,
    /// The broker by which messages go to boxes (MQTT 5), as mqtts://HOST or, on this machine, mqtt://HOST; with
    /// NAME:PASSWORD@ before the host if it wants them, which is better in the variable. Without a broker messages wait.
    #[arg(long, env = "CAREPOST_HUB_BROKER", value_name = "URL", hide_env_values = true)]
    broker: Option<Unread>,
    /// After so many hours without a word of a box the log says so, with the id of the clinic.
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=8760))]
    silent_hours: u32,
}

/// An address without a path.
fn public_url(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    let host = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let is_host = |it: &str| {
        !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric() || b".-:[]".contains(&it))
    };
    if host.is_some_and(is_host) {
        return Ok(text.to_owned());
    }
    Err("say it as https://hub.example, without a path".to_owned())
}

impl Serve {
    pub fn run(self) -> anyhow::Result<()> {
        let Self { place, listen, public_url, silent_hours, end_with_stdin, broker } = self;
        let broker = broker.map(|it| it.broker(&place.data)).transpose()?;
        let mut hub = place.open(IfMissing::Make)?;
        hub.public_url = public_url;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(serve(hub, listen, broker, (i64::from(silent_hours), end_with_stdin)))
    }
}

async fn serve(
    hub: Hub,
    listen: SocketAddr,
    broker: Option<Broker>,
    (silent_hours, end_with_stdin): (i64, bool),
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(listen).await.with_context(|| {
        format!("{listen} cannot be had; is another hub running, or does the port need root?")
    })?;
    let (stop, stopping) = watch::channel(false);
    let stop = Arc::new(stop);
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let mut signals = signal(kind)?;
        let stop = Arc::clone(&stop);
        tokio::spawn(async move {
            signals.recv().await;
            stop.send_replace(true);
        });
    }
    if end_with_stdin {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || {
            // An error is an end, too.
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            stop.send_replace(true);
        });
    }
    let fingerprint = fingerprint(&hub.keys.sign.verifying_key(), &hub.keys.seal.sealing_key());
    tracing::info!(listen = %listener.local_addr()?, %fingerprint, "the hub serves");
    let hub = Arc::new(hub);
    let (polled, mut stopped) = (Arc::clone(&hub), stopping.clone());
    tokio::spawn(async move {
        // When nobody is left to say it, the hub stops, too.
        let _ = stopped.wait_for(|it| *it).await;
        polled.requests.end();
    });
    let carrier = Carrier::new()?;
    let saying = tokio::spawn(say::run(Arc::clone(&hub), carrier, stopping.clone()));
    let fetching = tokio::spawn(media::run(Arc::clone(&hub), Fetcher::new()?, stopping.clone()));
    let answering = tokio::spawn(away::run(Arc::clone(&hub), stopping.clone()));
    let relaying = broker
        .map(|broker| tokio::spawn(relay::link::run(Arc::clone(&hub), broker, stopping.clone())));
    tokio::spawn(watched(Arc::clone(&hub), silent_hours, stopping.clone()));
    let mended = Arc::clone(&hub);
    let mending = tokio::task::spawn_blocking(move || match mend(&mended) {
        Ok(0) => {}
        Ok(entries) => tracing::info!(entries, "entries that were parked could be taken"),
        Err(error) => tracing::error!(%error, "what is parked was not tried again"),
    });
    let indexed = Arc::clone(&hub);
    let indexing = tokio::task::spawn_blocking(move || match reindex(&indexed) {
        Ok(0) => {}
        Ok(records) => tracing::info!(records, "the index of records was made"),
        Err(error) => tracing::error!(%error, "the index of records was not made"),
    });
    door::serve(listener, http::router(hub), stopping).await;
    let mut ended = vec![mending.await, indexing.await, saying.await];
    ended.extend([fetching.await, answering.await]);
    if let Some(relaying) = relaying {
        ended.push(relaying.await);
    }
    for error in ended.into_iter().filter_map(Result::err) {
        tracing::error!(%error, "a task of the hub failed");
    }
    tracing::info!("the hub has stopped");
    Ok(())
}

/// Looks at all clinics from time to time, and says in the log what an operator is to be told.
async fn watched(hub: Arc<Hub>, silent_hours: i64, mut stopping: watch::Receiver<bool>) {
    let mut watch = Watch::default();
    loop {
        tokio::select! {
            _ = stopping.wait_for(|it| *it) => return,
            () = sleep(Duration::from_secs(EVERY_SECONDS)) => {}
        }
        let looked = Arc::clone(&hub);
        match tokio::task::spawn_blocking(move || situation::all(&looked)).await {
            Ok(Ok(all)) => watching::say(&watch.look(&all, silent_hours, hub.clock.now_ms())),
            Ok(Err(error)) => tracing::error!(%error, "the clinics could not be looked at"),
            Err(error) => tracing::error!(%error, "a task of the hub failed"),
        }
    }
}
