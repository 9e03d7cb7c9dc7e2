//! Clients that are slow, many, or still there at the end.

use std::net::Ipv4Addr;

use axum::Extension;
use axum::routing::get;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::tls::{LanCertificate, init_ca, server_config};

/// Far longer than anything here takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(100);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: box\r\n\r\n";

struct Running {
    address: SocketAddr,
    stopping: Stopping,
    served: JoinHandle<usize>,
}

impl Running {
    async fn start(router: Router, limits: Limits, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stopping = Stopping::default();
        let door = Door { listener, tls, router };
        let served = tokio::spawn(serve(vec![door], limits, stopping.clone()));
        Self { address, stopping, served }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes on a new connection and answers all that comes until it is closed.
    async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        read_all(&mut stream).await
    }

    /// Returns when nobody listens any more.
    async fn closed(&self) {
        while TcpStream::connect(self.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }
}

async fn read_all(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Reads one reply without a body that is chunked, and leaves the connection open.
async fn read_reply(stream: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let mut byte = [0];
        timeout(PATIENCE, stream.read_exact(&mut byte)).await.unwrap().unwrap();
        text.push(char::from(byte[0]));
    }
    text
}

fn hello() -> Router {
    async fn answer(
        ConnectInfo(client): ConnectInfo<SocketAddr>,
        Extension(scheme): Extension<Scheme>,
    ) -> String {
        format!("{scheme:?} from {}.", client.ip())
    }
    Router::new().route("/", get(answer))
}

fn quick() -> Limits {
    Limits { head: SHORT, handshake: SHORT, ..Limits::default() }
}

#[tokio::test]
async fn a_route_sees_who_came_and_how() {
    let running = Running::start(hello(), Limits::default(), None).await;
    let mut stream = running.connect().await;
    stream.write_all(REQUEST).await.unwrap();
    let reply = read_reply(&mut stream, "127.0.0.1.").await;
    assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
    assert!(reply.ends_with("Plain from 127.0.0.1."), "{reply}");
}

#[tokio::test]
async fn a_client_that_never_finishes_its_head_is_cut_off() {
    let running = Running::start(hello(), quick(), None).await;
    for start in ["", "GET / HTT", "GET / HTTP/1.1\r\nHost: box\r\nX-A: 1\r\n"] {
        let reply = running.exchange(start.as_bytes()).await;
        assert!(!reply.contains(" 200 "), "{reply}");
    }
    // Kept open after a reply, and then silent.
    let reply = running.exchange(REQUEST).await;
    assert!(reply.contains(" 200 "), "{reply}");
    // What does not fit is not read, so the system may throw the reply away.
    let long = format!("GET / HTTP/1.1\r\nX-A: {}\r\n\r\n", "a".repeat(2 * HEAD_BYTES_MAX));
    let mut stream = running.connect().await;
    let mut reply = Vec::new();
    if stream.write_all(long.as_bytes()).await.is_ok() {
        let _reset = timeout(PATIENCE, stream.read_to_end(&mut reply)).await.unwrap();
    }
    let reply = String::from_utf8(reply).unwrap();
    assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 431 "), "{reply}");
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X-A: 1\r\n".repeat(HEADERS_MAX + 1));
    let reply = running.exchange(many.as_bytes()).await;
    assert!(reply.starts_with("HTTP/1.1 431 "), "{reply}");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    let endless = Router::new().route(
        "/",
        get(|| async {
            Body::from_stream(stream::repeat_with(|| {
                Ok::<_, io::Error>(Bytes::from(vec![0; 65536]))
            }))
        }),
    );
    let limits = Limits { write: SHORT, connections: 1, ..Limits::default() };
    let running = Running::start(endless, limits, None).await;
    let mut greedy = running.connect().await;
    greedy.write_all(REQUEST).await.unwrap();
    // There is one seat; somebody else gets it only when the first is thrown out.
    timeout(PATIENCE, async {
        loop {
            let mut next = running.connect().await;
            next.write_all(REQUEST).await.unwrap();
            if read_reply(&mut next, "\r\n").await.contains(" 200 ") {
                return;
            }
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn two_thousand_idle_connections_do_not_keep_a_request_out() {
    const IDLE: usize = 2000;
    assert!(
        allow_open_files(2 * IDLE).unwrap() >= 2 * IDLE as u64,
        "raise the hard limit of files"
    );
    let running = Running::start(hello(), Limits::default(), None).await;
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        idle.push(running.connect().await);
    }
    let mut stream = running.connect().await;
    stream.write_all(REQUEST).await.unwrap();
    let reply = read_reply(&mut stream, "127.0.0.1.").await;
    assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
}

#[tokio::test]
async fn one_connection_too_many_is_told_to_come_back() {
    let limits = Limits { connections: 2, ..Limits::default() };
    let running = Running::start(hello(), limits, None).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = running.connect().await;
        stream.write_all(REQUEST).await.unwrap();
        read_reply(&mut stream, "127.0.0.1.").await;
        held.push(stream);
    }
    let refused = running.exchange(REQUEST).await;
    let (head, body) = refused.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("retry-after: 1"), "{head}");
    assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
    let problem: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(problem["code"], "busy");

    held.pop();
    timeout(PATIENCE, async {
        loop {
            let mut stream = running.connect().await;
            stream.write_all(REQUEST).await.unwrap();
            if read_reply(&mut stream, "\r\n").await.contains(" 200 ") {
                return;
            }
        }
    })
    .await
    .unwrap();
}

#[test]
fn one_address_cannot_take_all_seats_and_the_box_itself_may() {
    let limits = Limits { connections: 10, connections_per_client: 3, ..Limits::default() };
    let seats = Seats::new(&limits);
    let tablet: IpAddr = "192.168.1.7".parse().unwrap();
    let same: IpAddr = "::ffff:192.168.1.7".parse().unwrap();
    let mut taken = vec![seats.take(tablet).unwrap(), seats.take(same).unwrap()];
    taken.push(seats.take(tablet).unwrap());
    assert!(seats.take(tablet).is_none() && seats.take(same).is_none());
    let other = seats.take("192.168.1.8".parse().unwrap()).unwrap();
    taken.pop();
    taken.push(seats.take(tablet).unwrap());
    let own: Vec<_> = (0..6).map_while(|_| seats.take(Ipv4Addr::LOCALHOST.into())).collect();
    assert_eq!(own.len(), 6);
    assert!(seats.take(Ipv4Addr::LOCALHOST.into()).is_none(), "all ten are taken");
    drop((taken, other, own));
    assert!(seats.by_client.lock().unwrap().is_empty(), "nothing is kept of those who left");
}

#[tokio::test]
async fn a_request_under_way_is_finished_and_a_new_one_not_accepted_after_the_stop() {
    let (begun, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler = {
        let (begun, finish) = (Arc::clone(&begun), Arc::clone(&finish));
        move || async move {
            begun.notify_one();
            finish.notified().await;
            "acknowledged"
        }
    };
    let router = Router::new().route("/", get(handler));
    let running = Running::start(router, Limits::default(), None).await;
    let mut idle = running.connect().await;
    let mut stream = running.connect().await;
    stream.write_all(REQUEST).await.unwrap();
    begun.notified().await;

    running.stopping.stop();
    running.closed().await;
    assert_eq!(read_all(&mut idle).await, "", "a connection without a request is closed");
    finish.notify_one();
    let reply = read_all(&mut stream).await;
    assert!(reply.starts_with("HTTP/1.1 200 ") && reply.ends_with("acknowledged"), "{reply}");
    assert_eq!(timeout(PATIENCE, running.served).await.unwrap().unwrap(), 0);
}

#[tokio::test]
async fn a_live_stream_ends_with_the_stop() {
    async fn live(Extension(stopping): Extension<Stopping>) -> Body {
        let first = stream::once(async { Ok::<_, io::Error>(Bytes::from_static(b": begin\n\n")) });
        let events = first.chain(stream::pending());
        Body::from_stream(events.take_until(stopping.requested()))
    }
    let router = Router::new().route("/", get(live));
    let running = Running::start(router, Limits::default(), None).await;
    let mut stream = running.connect().await;
    stream.write_all(REQUEST).await.unwrap();
    read_reply(&mut stream, ": begin\n\n").await;
    running.stopping.stop();
    assert!(read_all(&mut stream).await.ends_with("0\r\n\r\n"), "the stream ends in order");
    assert_eq!(timeout(PATIENCE, running.served).await.unwrap().unwrap(), 0);
}

#[tokio::test]
async fn what_takes_longer_than_the_grace_is_cut_off() {
    let begun = Arc::new(Notify::new());
    let seen = Arc::clone(&begun);
    let handler = move || async move {
        seen.notify_one();
        std::future::pending::<&'static str>().await
    };
    let limits = Limits { grace: SHORT, ..Limits::default() };
    let running = Running::start(Router::new().route("/", get(handler)), limits, None).await;
    let mut stream = running.connect().await;
    stream.write_all(REQUEST).await.unwrap();
    begun.notified().await;
    running.stopping.stop();
    assert_eq!(timeout(PATIENCE, running.served).await.unwrap().unwrap(), 1);
    assert_eq!(read_all(&mut stream).await, "");
}

/// A server with a certificate of its own, and a client that trusts it and offers `alpn`.
async fn secure(limits: Limits, alpn: &[u8]) -> (Running, TlsConnector) {
    let folder = tempfile::tempdir().unwrap();
    let now = jiff::Timestamp::now();
    let authority = init_ca(folder.path(), "test", now).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate().clone()).unwrap();
    let certificate = Arc::new(LanCertificate::new(authority, &[], now).unwrap());
    let config = Arc::new(server_config(certificate).unwrap());
    let running = Running::start(hello(), limits, Some(config)).await;
    let mut client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![alpn.to_vec()];
    (running, TlsConnector::from(Arc::new(client)))
}

async fn connect(running: &Running, connector: &TlsConnector) -> TlsStream<TcpStream> {
    let name = "localhost".to_owned().try_into().unwrap();
    connector.connect(name, running.connect().await).await.unwrap()
}

#[tokio::test]
async fn over_tls_both_versions_of_http_are_spoken() {
    let (running, connector) = secure(Limits::default(), b"http/1.1").await;
    let mut stream = connect(&running, &connector).await;
    stream.write_all(REQUEST).await.unwrap();
    let reply = read_reply(&mut stream, "127.0.0.1.").await;
    assert!(reply.ends_with("Tls from 127.0.0.1."), "{reply}");

    let (running, connector) = secure(Limits::default(), b"h2").await;
    let mut stream = connect(&running, &connector).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let empty_settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    // GET / by https for "box", from HPACK's static table (RFC 7541, appendix A).
    let get = [0, 0, 8, 1, 5, 0, 0, 0, 1, 0x82, 0x84, 0x87, 0x41, 3, b'b', b'o', b'x'];
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    stream.write_all(&[empty_settings.as_slice(), &get].concat()).await.unwrap();
    let reply = read_reply(&mut stream, "127.0.0.1.").await;
    assert!(reply.ends_with("Tls from 127.0.0.1."), "{reply}");
}

#[tokio::test]
async fn a_handshake_that_is_never_finished_is_cut_off() {
    let (running, _) = secure(quick(), b"h2").await;
    assert_eq!(running.exchange(b"\x16\x03\x01").await, "");
    assert_eq!(running.exchange(b"").await, "");
}

#[tokio::test]
async fn an_idle_secure_connection_does_not_delay_the_stop() {
    for alpn in [b"h2".as_slice(), b"http/1.1"] {
        let (running, connector) = secure(Limits::default(), alpn).await;
        let _half = running.connect().await;
        let _idle = connect(&running, &connector).await;
        running.stopping.stop();
        assert_eq!(timeout(PATIENCE, running.served).await.unwrap().unwrap(), 0);
    }
}
