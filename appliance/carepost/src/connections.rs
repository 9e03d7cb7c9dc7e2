//! Serving HTTP: how many may come, how long they may take, and how it ends.
//!
//! tokio-rustls and hyper-util are used directly, because axum-server has no hook between
//! accepting a connection and serving it, where the bounds below belong.
//!
//! Invariant: nobody holds a connection without using it: an unfinished head, handshake or
//! reply is cut off, so idle clients cannot keep others out.
//! Invariant: after a stop nothing new is accepted and every request under way is finished, or
//! cut off when the grace is over.

#[cfg(test)]
mod tests;
pub mod unread;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rustls::ServerConfig;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// Open connections for each door when nothing else is configured.
pub const CONNECTIONS_MAX: usize = 2200;
/// Open connections of one address for each door. Loopback is not counted: the attached kiosk
/// and a proxy on the same machine speak for many.
pub const CONNECTIONS_PER_CLIENT_MAX: usize = 512;
/// As many header lines may a request have.
pub const HEADERS_MAX: usize = 64;
/// Where the head of a request that is not complete yet is taken as too long, in bytes.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;
/// As many requests may be under way on one HTTP/2 connection; live streams count.
pub const STREAMS_MAX: u32 = 64;

/// Within this a head must have arrived, also the next one on a connection that is kept open.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// As long may a client take nothing of what is sent to it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// As long may an HTTP/2 client say nothing; it answers a ping every [`PING_INTERVAL`].
const SILENCE_MAX: Duration = Duration::from_secs(60);
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// After this without an acknowledgement the network is taken as gone, so that a tablet that
/// walked away does not keep its live stream.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(45);
/// As long are requests under way waited for at the end.
const GRACE: Duration = Duration::from_secs(10);
/// So many refused clients are given time to read why; others are closed at once.
const REFUSALS_MAX: usize = 64;
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);
const REFUSAL_BYTES_MAX: u64 = 64 * 1024;
/// When no connection can be accepted (no file handles, no memory), the next try is after this.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Files that a box has open besides its connections.
const OTHER_FILES: u64 = 256;

const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/problem+json\r\n\
    content-length: 130\r\n\
    retry-after: 1\r\n\
    connection: close\r\n\
    \r\n\
    {\"type\":\"about:blank\",\"title\":\"Busy\",\"status\":503,\
    \"code\":\"busy\",\"detail\":\"Too many connections are open; try again in a second.\"}\n";

/// A listener and what is served there.
pub struct Door {
    /// Where clients come in.
    pub listener: TcpListener,
    /// How TLS is spoken, or none for plain HTTP.
    pub tls: Option<Arc<ServerConfig>>,
    /// What answers.
    pub router: Router,
}

/// How a request came in; an extension of every request, beside axum's `ConnectInfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    Plain,
    /// HTTPS.
    Tls,
}

/// The wish to stop; an extension of every request, so that streams that would never end by
/// themselves can end with it.
#[derive(Clone, Debug, Default)]
pub struct Stopping(CancellationToken);

impl Stopping {
    /// Asks everything to stop. More than once is no harm.
    pub fn stop(&self) {
        self.0.cancel();
    }

    /// Whether the stop was asked for.
    pub fn is_stopping(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Returns when the stop was asked for.
    pub fn requested(&self) -> impl Future<Output = ()> + Send + use<> {
        self.0.clone().cancelled_owned()
    }
}

/// How many may come and how long they may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections for each door.
    pub connections: usize,
    /// Open connections of one address for each door, loopback not counted.
    pub connections_per_client: usize,
    /// For the head of a request, and between two requests.
    pub head: Duration,
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For a client to take something of what is sent to it.
    pub write: Duration,
    /// For requests under way after a stop.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS_MAX,
            connections_per_client: CONNECTIONS_PER_CLIENT_MAX,
            head: HEAD_TIMEOUT,
            handshake: HANDSHAKE_TIMEOUT,
            write: WRITE_TIMEOUT,
            grace: GRACE,
        }
    }
}

/// Lets this process have as many files open as that many connections need, as far as the
/// system allows, and answers how many that is. Systems begin with 1024, too few for
/// [`CONNECTIONS_MAX`].
///
/// # Errors
/// If the system refuses.
pub fn allow_open_files(connections: usize) -> io::Result<u64> {
    let (soft, _) = rlimit::Resource::NOFILE.get()?;
    let wanted = connections as u64 + OTHER_FILES;
    if soft >= wanted { Ok(soft) } else { rlimit::increase_nofile_limit(wanted) }
}

/// Serves at all doors until `stopping`, then finishes what is under way. Answers how many
/// connections had to be cut off when the grace was over.
///
/// The size of bodies and the time for them are the routers' to bound.
pub async fn serve(doors: Vec<Door>, limits: Limits, stopping: Stopping) -> usize {
    let tasks = TaskTracker::new();
    let cut_off = CancellationToken::new();
    for Door { listener, tls, router } in doors {
        let attendant = Attendant {
            tls: tls.map(TlsAcceptor::from),
            router,
            limits,
            stopping: stopping.clone(),
            cut_off: cut_off.clone(),
        };
        tasks.spawn(accept(listener, attendant, tasks.clone()));
    }
    stopping.requested().await;
    tasks.close();
    if timeout(limits.grace, tasks.wait()).await.is_ok() {
        return 0;
    }
    let late = tasks.len();
    tracing::warn!(connections = late, "requests took longer than the grace and are cut off");
    cut_off.cancel();
    tasks.wait().await;
    late
}

async fn accept(listener: TcpListener, attendant: Attendant, tasks: TaskTracker) {
    let attendant = Arc::new(attendant);
    let seats = Seats::new(&attendant.limits);
    let refusals = Arc::new(Semaphore::new(REFUSALS_MAX));
    loop {
        let accepted = tokio::select! {
            () = attendant.stopping.requested() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, client) = match accepted {
            Ok(accepted) => accepted,
            // The client went away before it was its turn.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted; trying again");
                let pause = tokio::time::sleep(ACCEPT_PAUSE);
                tokio::select! {
                    () = attendant.stopping.requested() => return,
                    () = pause => continue,
                }
            }
        };
        if let Some(seat) = seats.take(client.ip()) {
            let attendant = Arc::clone(&attendant);
            tasks.spawn(async move {
                attendant.attend(stream, client).await;
                drop(seat);
            });
        } else if attendant.tls.is_none()
            && let Ok(permit) = Arc::clone(&refusals).try_acquire_owned()
        {
            tasks.spawn(async move {
                let _in_time = timeout(REFUSAL_TIMEOUT, refuse(stream)).await;
                drop(permit);
            });
        }
    }
}

/// Says that the box is busy. What the client has sent is read first: closing with something
/// unread makes the system throw away the reply.
async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(REFUSAL).await?;
    stream.shutdown().await?;
    let mut unread = stream.take(REFUSAL_BYTES_MAX);
    tokio::io::copy(&mut unread, &mut tokio::io::sink()).await?;
    Ok(())
}

/// What every connection of a door needs.
struct Attendant {
    tls: Option<TlsAcceptor>,
    router: Router,
    limits: Limits,
    stopping: Stopping,
    cut_off: CancellationToken,
}

type Timed = Pin<Box<TimeoutStream<TcpStream>>>;

impl Attendant {
    async fn attend(&self, stream: TcpStream, client: SocketAddr) {
        let ended = tokio::select! {
            () = self.cut_off.cancelled() => return,
            ended = self.speak(stream, client) => ended,
        };
        if let Err(error) = ended {
            // Clients come and go as they like; no address is logged.
            tracing::debug!(%error, "a connection ended early");
        }
    }

    async fn speak(&self, stream: TcpStream, client: SocketAddr) -> Result<(), Ended> {
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_tcp_user_timeout(Some(UNACKNOWLEDGED_MAX))?;
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.limits.write));
        let stream: Timed = Box::pin(stream);
        let Some(acceptor) = &self.tls else {
            return self.converse(stream, self.http1(), client, Scheme::Plain).await;
        };
        let mut stream = tokio::select! {
            () = self.stopping.requested() => return Ok(()),
            accepted = timeout(self.limits.handshake, acceptor.accept(stream)) => {
                accepted.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??
            }
        };
        let (socket, session) = stream.get_mut();
        let http = if session.alpn_protocol() == Some(b"h2") {
            // Pings begin after the client has said hello; until then only this bounds it.
            socket.as_mut().set_read_timeout_pinned(Some(SILENCE_MAX));
            self.http2()
        } else {
            self.http1()
        };
        self.converse(stream, http, client, Scheme::Tls).await
    }

    async fn converse<S>(
        &self,
        stream: S,
        http: Builder<TokioExecutor>,
        client: SocketAddr,
        scheme: Scheme,
    ) -> Result<(), Ended>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let service = service_fn(|request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(client));
            request.extensions_mut().insert(scheme);
            request.extensions_mut().insert(self.stopping.clone());
            self.router.clone().oneshot(request)
        });
        let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = self.stopping.requested() => connection.as_mut().graceful_shutdown(),
        }
        connection.await
    }

    /// The version is chosen here and not by the first bytes, because hyper-util waits for those
    /// without an end.
    fn http1(&self) -> Builder<TokioExecutor> {
        let mut http = Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head)
            .max_headers(HEADERS_MAX)
            .max_buf_size(HEAD_BYTES_MAX);
        http.http1_only()
    }

    fn http2(&self) -> Builder<TokioExecutor> {
        let mut http = Builder::new(TokioExecutor::new());
        http.http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(HEAD_BYTES_MAX as u32)
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT);
        http.http2_only()
    }
}

type Ended = Box<dyn std::error::Error + Send + Sync>;

/// The places at a door, counted in all and by address.
struct Seats {
    free: Arc<Semaphore>,
    by_client: Arc<Mutex<HashMap<IpAddr, usize>>>,
    per_client: usize,
}

/// A place that is taken until this is dropped.
struct Seat {
    _place: OwnedSemaphorePermit,
    client: Option<IpAddr>,
    by_client: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Seats {
    fn new(limits: &Limits) -> Self {
        let connections = limits.connections.min(Semaphore::MAX_PERMITS);
        Self {
            free: Arc::new(Semaphore::new(connections)),
            by_client: Arc::default(),
            per_client: limits.connections_per_client,
        }
    }

    fn take(&self, client: IpAddr) -> Option<Seat> {
        let place = Arc::clone(&self.free).try_acquire_owned().ok()?;
        let client = Some(client.to_canonical()).filter(|address| !address.is_loopback());
        if let Some(address) = client {
            let mut by_client = self.by_client.lock().unwrap_or_else(PoisonError::into_inner);
            let taken = by_client.get(&address).copied().unwrap_or(0);
            if taken >= self.per_client {
                return None;
            }
            by_client.insert(address, taken + 1);
        }
        Some(Seat { _place: place, client, by_client: Arc::clone(&self.by_client) })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some(address) = self.client else { return };
        let mut by_client = self.by_client.lock().unwrap_or_else(PoisonError::into_inner);
        match by_client.get(&address).copied() {
            Some(taken) if taken > 1 => by_client.insert(address, taken - 1),
            Some(_) | None => by_client.remove(&address),
        };
    }
}
