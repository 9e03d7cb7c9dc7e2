//! The line between a box and a hub as the internet has them: requests and answers are cut off, come twice, late
//! and out of order, and it is slow and loses packets. What happens comes of a seed.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use fastrand::Rng;
use tokio::net::TcpListener;
use tokio::sync::Mutex as Turn;
use tokio::time::sleep;

/// The longest body that goes over the line.
const BODY_MAX: usize = 8 << 20;
/// What a network carries at once, in bytes.
const PACKET: usize = 1500;
/// After so long a lost packet is sent again.
const SENT_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// Requests that are on their way although nobody waits for them any more.
const LATE_MAX: usize = 8;

/// How bad the line is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Of a hundred requests so many come to nothing, and as many are heard and their answer is lost.
    pub cut: u8,
    /// Of a hundred so many come twice.
    pub twice: u8,
    /// Of a hundred so many come to nothing at first, and arrive behind later ones.
    pub late: u8,
    /// Of a hundred packets so many are lost and sent again.
    pub lost: u8,
    /// Bits per second; nothing for as fast as can be.
    pub bits_per_second: Option<u32>,
    /// Only enrolment passes: the line dies right after a box has joined.
    pub only_enrol: bool,
}

/// What happened on the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Happened {
    pub whole: u32,
    pub cut: u32,
    pub twice: u32,
    pub late: u32,
    pub lost: u32,
}

#[derive(Clone, Debug)]
struct Request {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

/// A line. It lies as long as the test runs.
#[derive(Clone)]
pub struct Line(Arc<Ends>);

struct Ends {
    near: SocketAddr,
    far: Mutex<SocketAddr>,
    faults: Mutex<Faults>,
    rng: Mutex<Rng>,
    late: Mutex<VecDeque<Request>>,
    happened: Mutex<Happened>,
    http: reqwest::Client,
    /// One after the other goes over a slow line.
    slow: Turn<()>,
}

enum Fate {
    Cut,
    Unanswered,
    Twice,
    Late,
    Whole,
}

impl Line {
    /// Lays a good line.
    pub async fn lay(to: SocketAddr, seed: u64) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let line = Self(Arc::new(Ends {
            near: listener.local_addr().unwrap(),
            far: Mutex::new(to),
            faults: Mutex::default(),
            rng: Mutex::new(Rng::with_seed(seed)),
            late: Mutex::default(),
            happened: Mutex::default(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            slow: Turn::default(),
        }));
        let router = Router::new().fallback(carry).with_state(line.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        line
    }

    pub fn address(&self) -> String {
        format!("http://{}", self.0.near)
    }

    /// Leads to a hub at another address from now on.
    pub fn lead_to(&self, address: SocketAddr) {
        *self.0.far.lock().unwrap() = address;
    }

    /// Makes it as bad as this from now on.
    pub fn be(&self, faults: Faults) {
        *self.0.faults.lock().unwrap() = faults;
    }

    pub fn happened(&self) -> Happened {
        *self.0.happened.lock().unwrap()
    }

    fn note(&self, what: impl FnOnce(&mut Happened)) {
        what(&mut self.0.happened.lock().unwrap());
    }

    fn fate(&self) -> Fate {
        let Faults { cut, twice, late, .. } = *self.0.faults.lock().unwrap();
        let drawn = self.0.rng.lock().unwrap().u8(0..100);
        let ends = [cut, cut, twice, late].into_iter().scan(0_u8, |sum, part| {
            *sum += part;
            Some(*sum)
        });
        match ends.collect::<Vec<_>>().iter().position(|end| drawn < *end) {
            Some(0) => Fate::Cut,
            Some(1) => Fate::Unanswered,
            Some(2) => Fate::Twice,
            Some(3) => Fate::Late,
            Some(_) | None => Fate::Whole,
        }
    }

    /// Takes as long as so many bytes take.
    async fn take_time(&self, bytes: usize) {
        let Faults { lost, bits_per_second, .. } = *self.0.faults.lock().unwrap();
        let turn = self.0.slow.lock().await;
        if let Some(bits) = bits_per_second {
            let seconds = bytes as f64 * 8.0 / f64::from(bits);
            sleep(Duration::from_secs_f64(seconds)).await;
        }
        let again = {
            let mut rng = self.0.rng.lock().unwrap();
            (0..bytes.div_ceil(PACKET)).filter(|_| rng.u8(0..100) < lost).count()
        };
        let again = u32::try_from(again).unwrap();
        self.note(|it| it.lost += again);
        sleep(SENT_AGAIN_AFTER * again).await;
        drop(turn);
    }

    async fn pass(&self, request: Request) -> Option<Response> {
        let Request { method, path, headers, body } = request;
        let far = *self.0.far.lock().unwrap();
        self.take_time(body.len()).await;
        let sent = self.0.http.request(method, format!("http://{far}{path}"));
        let mut sent = sent.body(body);
        for name in ["content-type", "carepost-proof"] {
            if let Some(value) = headers.get(name) {
                sent = sent.header(name, value);
            }
        }
        let answer = sent.send().await.ok()?;
        let (status, kind) = (answer.status(), answer.headers().get("content-type").cloned());
        let body = answer.bytes().await.ok()?;
        self.take_time(body.len()).await;
        let mut response = (status, body).into_response();
        response.headers_mut().remove("content-type");
        if let Some(kind) = kind {
            response.headers_mut().insert("content-type", kind);
        }
        Some(response)
    }

    /// What was late arrives, the last first; nobody hears the answers.
    async fn arrive_late(&self) {
        loop {
            let Some(request) = self.0.late.lock().unwrap().pop_back() else { return };
            let _ = self.pass(request).await;
        }
    }
}

async fn carry(
    State(line): State<Line>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Ok(body) = axum::body::to_bytes(body, BODY_MAX).await else { return cut_off() };
    let path = uri.path_and_query().map_or("/", |it| it.as_str()).to_owned();
    if line.0.faults.lock().unwrap().only_enrol && path != "/v1/enroll" {
        return cut_off();
    }
    let request = Request { method, path, headers, body };
    let answer = match line.fate() {
        Fate::Cut => {
            line.note(|it| it.cut += 1);
            None
        }
        Fate::Unanswered => {
            line.note(|it| it.cut += 1);
            let _ = line.pass(request).await;
            None
        }
        Fate::Twice => {
            line.note(|it| it.twice += 1);
            let (_, second) = tokio::join!(line.pass(request.clone()), line.pass(request));
            second
        }
        Fate::Late => {
            line.note(|it| it.late += 1);
            let mut late = line.0.late.lock().unwrap();
            if late.len() < LATE_MAX {
                late.push_back(request);
            }
            None
        }
        Fate::Whole => {
            line.note(|it| it.whole += 1);
            let answer = line.pass(request).await;
            line.arrive_late().await;
            answer
        }
    };
    answer.unwrap_or_else(cut_off)
}

/// An answer that breaks off before it says anything.
fn cut_off() -> Response {
    let broken =
        futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut")) });
    (StatusCode::OK, Body::from_stream(broken)).into_response()
}
