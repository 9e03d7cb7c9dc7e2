//! `POST /api/v1/prm/webhooks/whatsapp/twilio`: messages to a clinic, and how those from it fare. It is answered with
//! an empty TwiML: what the clinic says to it comes later.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use channels::webhook::{is_twilios, told_by_twilio};
use channels::whatsapp::twilio::{self, BODY_BYTES_MAX, SIGNATURE, SIGNATURE_SETTINGS, Signed};
use jiff::Timestamp;

use super::{Refused, arrived, counted, header, keep, named, of_name};
use crate::arrivals::{Arrival, Kept};
use crate::channel::{Channel, Name};
use crate::http::Problem;
use crate::hub::Hub;
use crate::message_counts::Refusal;

const EMPTY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response/>\n";

pub async fn post(
    State(hub): State<Arc<Hub>>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let answered = answer(&hub, &uri, &headers, body).await;
    counted(&hub, answered.map(|kept| (kept, ())))?;
    Ok(([(CONTENT_TYPE, "text/xml; charset=utf-8")], EMPTY).into_response())
}

async fn answer(
    hub: &Arc<Hub>,
    uri: &Uri,
    headers: &HeaderMap,
    body: Body,
) -> Result<Kept, Refused> {
    // Twilio signs the address that it was given, and no header is to say which that was.
    let Some(public_url) = &hub.public_url else {
        tracing::error!(
            "a webhook of Twilio came, and the hub does not know its own address; start it with --public-url"
        );
        let what =
            "the hub does not know its own address; whoever runs it says it with --public-url";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no_public_url", what);
        return Err(Refused(Refusal::Unavailable, problem.after(60)));
    };
    let body = arrived(hub, headers, body, BODY_BYTES_MAX).await?;
    let account = twilio::account(&body).ok_or_else(Refused::signature)?;
    let name = account.clone();
    let found = named(hub, move |hub| of_name(hub, &Name::Twilio { account: &name })).await?;
    let path = uri.path_and_query().map_or(uri.path(), |it| it.as_str());
    let signed = Signed {
        url: &format!("{public_url}{path}"),
        signature: header(headers, SIGNATURE),
        settings: Some(header(headers, SIGNATURE_SETTINGS)).filter(|it| !it.is_empty()),
        content_type: header(headers, CONTENT_TYPE.as_str()),
        body: &body,
    };
    let channel = found.into_iter().find(|it| is_twilios(it.account.twilio_keys(), &signed));
    let Channel { id: channel, clinic, .. } = channel.ok_or_else(Refused::signature)?;
    let now = Timestamp::from_millisecond(hub.clock.now_ms()).unwrap_or_default();
    let downs = told_by_twilio(&account, (&body, uri.query().unwrap_or_default()), now)?;
    if downs.is_empty() {
        // A state that says nothing, such as queued.
        return Ok(Kept::Known);
    }
    keep(hub, Arrival { clinic, channel, downs }).await
}
