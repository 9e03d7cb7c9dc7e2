//! Serving HTTP: how many may come, how long they may take, and how it ends.
//!
//! Plain HTTP/1.1, for a proxy in front that speaks TLS. hyper is used directly, because axum's own
//! server bounds neither connections nor heads.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

/// Open connections at most; others wait in the system's queue.
const CONNECTIONS_MAX: u32 = 1024;
/// As many header lines may a request have.
const HEADERS_MAX: usize = 64;
/// As long may a head be, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Within this a head must have arrived, also the next one on a connection that is kept open.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// So long may a connection be used; a client that does not read its answer is cut off by it, too.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(600);
/// As long are requests under way waited for at the end.
const GRACE: Duration = Duration::from_secs(10);
/// When no connection can be accepted (no file handles, no memory), the next try is after this.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stopping` says true, then finishes what is under way.
pub async fn serve(listener: TcpListener, router: Router, mut stopping: watch::Receiver<bool>) {
    let open = Arc::new(Semaphore::new(CONNECTIONS_MAX as usize));
    loop {
        let accepted = tokio::select! {
            _ = stopping.wait_for(|it| *it) => break,
            accepted = accept(&listener, &open) => accepted,
        };
        let Some((stream, permit)) = accepted else { continue };
        let (router, stopping) = (router.clone(), stopping.clone());
        tokio::spawn(async move {
            speak(stream, router, stopping).await;
            drop(permit);
        });
    }
    if timeout(GRACE, open.acquire_many(CONNECTIONS_MAX)).await.is_err() {
        tracing::warn!("some requests were cut off");
    }
}

async fn accept(
    listener: &TcpListener,
    open: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(open).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(error) => {
            tracing::warn!(%error, "a connection was not accepted");
            sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn speak(stream: TcpStream, router: Router, mut stopping: watch::Receiver<bool>) {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX);
    let service = TowerToHyperService::new(router);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = stopping.wait_for(|it| *it) => None,
        () = sleep(CONNECTION_TIME_MAX) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            timeout(GRACE, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
