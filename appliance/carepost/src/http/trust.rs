//! The trust page: on a door of its own, without any records, it helps tablets to trust the box.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::get;
use qrcode::QrCode;
use qrcode::render::svg;

use crate::tls::{Authority, local_addresses, mobileconfig};

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the page shows and gives out.
pub struct TrustPage {
    clinic: String,
    certificate: Vec<u8>,
    profile: String,
    fingerprint: String,
    words: String,
    name: String,
    port: u16,
}

impl TrustPage {
    /// The page of a box whose HTTPS is at `port`.
    pub fn new(authority: &Authority, clinic: &str, port: u16) -> Self {
        let fingerprint = authority.fingerprint();
        Self {
            clinic: clinic.to_owned(),
            certificate: authority.certificate().to_vec(),
            profile: mobileconfig(authority.certificate(), clinic),
            fingerprint: fingerprint.to_string(),
            words: fingerprint.words().join(" "),
            name: authority.names().first().cloned().unwrap_or_default(),
            port,
        }
    }

    /// Where the box is found over HTTPS, by address first: not every tablet knows `.local`.
    fn addresses(&self) -> Vec<String> {
        let found = local_addresses().unwrap_or_default();
        let of = |host: String| format!("https://{host}:{}/", self.port);
        let mut addresses: Vec<String> = found
            .iter()
            .map(|address| match address {
                std::net::IpAddr::V4(address) => of(address.to_string()),
                std::net::IpAddr::V6(address) => of(format!("[{address}]")),
            })
            .collect();
        // Plain addresses are easier to read than those of IPv6.
        addresses.sort_by_key(|address| address.contains('['));
        if !self.name.is_empty() {
            addresses.push(of(self.name.clone()));
        }
        addresses
    }

    fn html(&self) -> String {
        let mut links = String::new();
        for address in self.addresses() {
            // Writing to a String cannot fail.
            let _ = write!(links, "<li><a href=\"{address}\">{address}</a></li>");
        }
        let clinic = escaped(&self.clinic);
        let Self { fingerprint, words, .. } = self;
        format!(
            r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{clinic}: trust this box</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem}}
.words{{font-size:1.6rem;font-weight:700}}code{{overflow-wrap:anywhere}}a{{color:#0b4f9c}}
.get{{display:inline-block;padding:.8rem 1.2rem;background:#0b4f9c;color:#fff;border-radius:.5rem;text-decoration:none}}
img{{width:12rem;height:12rem}}</style></head><body>
<h1>{clinic}</h1>
<p>So that this device opens the clinic's screens over a secure connection, it must trust the box once.</p>
<ol>
<li>Compare these six words with those on the box (<code>carepost doctor</code> shows them). If they differ, stop and tell the clinic's administrator.
<p class="words">{words}</p></li>
<li>Install the certificate:
<p><a class="get" href="/carepost.crt">Android, Windows, Linux</a> <a class="get" href="/carepost.mobileconfig">iPhone, iPad, Mac</a></p>
<details><summary>Android</summary>Open Settings, search for “CA certificate”, choose “Install anyway” and pick the file.</details>
<details><summary>iPhone and iPad</summary>Open the file in Safari and allow it; then Settings, General, “VPN &amp; Device Management”, install; then General, About, “Certificate Trust Settings”, switch it on.</details>
<details><summary>Mac</summary>Open the file; then System Settings, “Device Management”, install.</details>
<details><summary>Windows</summary>Open the file, “Install Certificate”, “Local Machine”, into “Trusted Root Certification Authorities”.</details>
<details><summary>Firefox</summary>Settings, “View Certificates”, Authorities, “Import”, trust it for websites.</details></li>
<li>Open one of these, or scan the code:<ul>{links}</ul><img src="/qr.svg" alt="QR code of the first address"></li>
</ol>
<p>The certificate can vouch for this box and for addresses of this network only. Its SHA-256: <code>{fingerprint}</code></p>
</body></html>"#
        )
    }

    fn qr(&self) -> String {
        let first = self.addresses().into_iter().next().unwrap_or_default();
        match QrCode::new(first.as_bytes()) {
            Ok(code) => code.render::<svg::Color<'_>>().min_dimensions(240, 240).build(),
            // Only a text that is too long has none, and an address is short.
            Err(_) => String::new(),
        }
    }
}

/// The page and what it gives out.
pub fn router(page: TrustPage) -> Router {
    type Page = State<Arc<TrustPage>>;
    let html = |State(page): Page| async move { with_headers(Html(page.html()).into_response()) };
    Router::new()
        .route("/", get(html))
        .route(
            "/carepost.crt",
            get(|State(page): Page| async move {
                file("application/x-x509-ca-cert", "carepost.crt", page.certificate.clone())
            }),
        )
        .route(
            "/carepost.mobileconfig",
            get(|State(page): Page| async move {
                let profile = page.profile.clone().into_bytes();
                file("application/x-apple-aspen-config", "carepost.mobileconfig", profile)
            }),
        )
        .route(
            "/qr.svg",
            get(|State(page): Page| async move {
                with_headers(([(CONTENT_TYPE, "image/svg+xml")], page.qr()).into_response())
            }),
        )
        .fallback(|| async { Redirect::temporary("/") })
        .with_state(Arc::new(page))
}

fn file(kind: &'static str, name: &'static str, bytes: Vec<u8>) -> Response {
    let attachment = format!("attachment; filename=\"{name}\"");
    with_headers(
        ([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, attachment)], bytes)
            .into_response(),
    )
}

fn with_headers(response: Response) -> Response {
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, response).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
