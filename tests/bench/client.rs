//! A lean client: one connection that is kept open, one request at a time.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// What is asked, and which answers are as they should be.
#[derive(Clone)]
pub struct Ask {
    /// What it is counted as.
    pub kind: &'static str,
    pub method: Method,
    /// Below `/api/v1/prm`, or from the root where it begins with a stroke.
    pub path: String,
    pub body: Option<String>,
    /// One more header, by its name.
    pub header: Option<(&'static str, String)>,
    pub fine: &'static [u16],
}

impl Ask {
    pub fn get(kind: &'static str, path: String) -> Self {
        Self { kind, method: Method::GET, path, body: None, header: None, fine: &[200] }
    }

    pub fn post(kind: &'static str, path: String, body: String, fine: &'static [u16]) -> Self {
        Self { kind, method: Method::POST, path, body: Some(body), header: None, fine }
    }

    pub fn with_header(self, name: &'static str, value: String) -> Self {
        Self { header: Some((name, value)), ..self }
    }
}

/// An open connection of a program with a bearer token.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
    authorization: HeaderValue,
}

impl Client {
    /// Connects. Must be called within a runtime.
    pub async fn open(address: SocketAddr, token: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            // A connection that breaks shows at the next request.
            let _ = connection.await;
        });
        Ok(Self {
            sender,
            host: HeaderValue::from_str(&address.to_string())?,
            authorization: HeaderValue::from_str(&format!("Bearer {token}"))?,
        })
    }

    /// Asks, and reads the whole answer. One that is not as it should be is an error.
    pub async fn ask(&mut self, ask: Ask) -> Result<Bytes> {
        Ok(self.ask_either(ask).await?.1)
    }

    /// The same for whoever has to know which of the statuses that are fine it was.
    pub async fn ask_either(&mut self, ask: Ask) -> Result<(u16, Bytes)> {
        let Ask { kind, method, path, body, header, fine } = ask;
        let uri = if path.starts_with('/') { path } else { format!("/api/v1/prm/{path}") };
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header(HOST, self.host.clone())
            .header(AUTHORIZATION, self.authorization.clone());
        if body.is_some() {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(body.unwrap_or_default())))?;
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await.context(kind)?;
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await?.to_bytes();
        if !fine.contains(&status) {
            bail!("{kind}: {status} {}", String::from_utf8_lossy(&bytes));
        }
        Ok((status, bytes))
    }
}
