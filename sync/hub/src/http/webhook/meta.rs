//! `/api/v1/prm/webhooks/whatsapp/meta`: Meta's Cloud API. GET is the handshake by which the address is set up; POST
//! brings messages and states, many in one, of one or several clinics with one app.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use channels::webhook;
use channels::whatsapp::meta::{BODY_BYTES_MAX, SIGNATURE};
use jiff::Timestamp;

use super::{Refused, arrived, counted, header, keep, named, of_name};
use crate::arrivals::{Arrival, Kept};
use crate::channel::{Channel, Name};
use crate::http::Problem;
use crate::hub::Hub;
use crate::message_counts::Refusal;

pub async fn get(
    State(hub): State<Arc<Hub>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let refused = || {
        let what = "this is not the handshake of an app whose verify token is known here";
        Problem::new(StatusCode::FORBIDDEN, "not_agreed", what)
    };
    let mut fields = form_urlencoded::parse(query.as_bytes());
    let shown = fields.find(|(name, _)| name == "hub.verify_token");
    let shown = shown.map(|(_, token)| token.into_owned()).ok_or_else(refused)?;
    let found = named(&hub, move |hub| of_name(hub, &Name::MetaVerify { verify_token: &shown }));
    let found = found.await.map_err(|Refused(_, problem)| problem)?;
    let tokens = found.iter().flat_map(|it| it.account.meta_keys());
    let tokens = tokens.map(|(_, it)| it.verify_token.as_str());
    let challenge = webhook::challenge(tokens, &query).ok_or_else(|| {
        hub.messages.refuse(Refusal::Signature);
        refused()
    })?;
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], challenge).into_response())
}

pub async fn post(
    State(hub): State<Arc<Hub>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let answered = answer(&hub, &headers, body).await;
    counted(&hub, answered.map(|kept| (kept, ())))?;
    Ok(StatusCode::OK.into_response())
}

async fn answer(hub: &Arc<Hub>, headers: &HeaderMap, body: Body) -> Result<Kept, Refused> {
    let body = arrived(hub, headers, body, BODY_BYTES_MAX).await?;
    let numbers = webhook::numbers(&body);
    let found = named(hub, move |hub| {
        let named = |number: &String| of_name(hub, &Name::Meta { phone_number_id: number });
        let found: Result<Vec<_>, _> = numbers.iter().map(named).collect();
        Ok(found?.into_iter().flatten().collect())
    })
    .await?;
    let secrets = found.iter().flat_map(|it| it.account.meta_keys());
    let secrets = secrets.map(|(number, it)| (number, it.app_secret.as_str()));
    let genuine = webhook::signed_numbers(secrets, header(headers, SIGNATURE), &body);
    if genuine.is_empty() {
        return Err(Refused::signature());
    }
    let now = Timestamp::from_millisecond(hub.clock.now_ms()).unwrap_or_default();
    let told = webhook::told_by_meta(&genuine, &body, now)?;
    let mut kept = Kept::Known;
    for (number, downs) in told {
        let Some(Channel { id: channel, clinic, .. }) = of_number(&found, &number) else {
            continue;
        };
        let arrival = Arrival { clinic: *clinic, channel: *channel, downs };
        if keep(hub, arrival).await? == Kept::New {
            kept = Kept::New;
        }
    }
    Ok(kept)
}

/// The account of a number.
fn of_number<'f>(found: &'f [Channel], number: &str) -> Option<&'f Channel> {
    found.iter().find(|it| it.account.meta_keys().any(|(called, _)| called == number))
}
