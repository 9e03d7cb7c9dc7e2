//! What keeps pictures, as Meta's Cloud API and Twilio's do, as far as a hub asks them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

/// What is answered when something is asked for.
#[derive(Clone, Debug)]
pub enum Kept {
    /// These bytes.
    Bytes(Vec<u8>),
    /// These bytes, whose length is not said.
    Streamed(Vec<u8>),
    /// It is elsewhere.
    Led(String),
    /// Meta says that it is there.
    At(String),
    /// A status alone.
    Status(u16),
}

#[derive(Default)]
pub struct Shelf {
    /// By Meta's id, or by the path at Twilio.
    pub kept: BTreeMap<String, Kept>,
    /// Each request: its path, and its body.
    pub asked: Vec<(String, Vec<u8>)>,
}

pub struct Keeper {
    pub url: String,
    shelf: Arc<Mutex<Shelf>>,
}

impl Keeper {
    pub async fn start() -> Self {
        let shelf = Arc::new(Mutex::new(Shelf::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = (url.clone(), Arc::clone(&shelf));
        let router = Router::new().fallback(answer).with_state(state);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, shelf }
    }

    pub fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap()
    }

    pub fn keep(&self, id: &str, kept: Kept) {
        self.shelf().kept.insert(id.to_owned(), kept);
    }

    /// The bodies of what was asked at paths that end so.
    pub fn asked_at(&self, end: &str) -> Vec<Vec<u8>> {
        let shelf = self.shelf();
        let asked = shelf.asked.iter().filter(|it| it.0.ends_with(end));
        asked.map(|it| it.1.clone()).collect()
    }
}

type Kit = (String, Arc<Mutex<Shelf>>);

async fn answer(
    State((url, shelf)): State<Kit>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().to_owned();
    let mut shelf = shelf.lock().unwrap();
    shelf.asked.push((path.clone(), body.to_vec()));
    let is_known = headers.get("authorization").is_some();
    if !is_known {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if method == Method::POST {
        let id = format!("out{}", shelf.asked.len());
        let told = json!({ "id": id, "sid": id, "messages": [{ "id": format!("wamid.{id}") }] });
        return (StatusCode::OK, told.to_string()).into_response();
    }
    let id = path.rsplit('/').next().unwrap_or_default();
    let kept = shelf.kept.get(id).cloned().unwrap_or(Kept::Status(404));
    // Meta is asked first where it is.
    if path.starts_with("/v") {
        let at = match &kept {
            Kept::Status(status) => {
                return StatusCode::from_u16(*status).unwrap().into_response();
            }
            Kept::At(address) => address.clone(),
            Kept::Bytes(_) | Kept::Streamed(_) | Kept::Led(_) => format!("{url}/kept/{id}"),
        };
        let told = json!({ "url": at, "mime_type": "image/jpeg", "id": id });
        return told.to_string().into_response();
    }
    match kept {
        Kept::Bytes(bytes) => bytes.into_response(),
        Kept::Streamed(bytes) => {
            let chunks = bytes.chunks(64 << 10).map(|it| Ok::<_, std::io::Error>(it.to_vec()));
            let chunks: Vec<_> = chunks.collect();
            Body::from_stream(futures_util::stream::iter(chunks)).into_response()
        }
        Kept::Led(to) => (StatusCode::FOUND, [("location", to)]).into_response(),
        Kept::At(_) => StatusCode::NOT_FOUND.into_response(),
        Kept::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
    }
}
