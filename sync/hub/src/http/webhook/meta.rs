//! `/api/v1/prm/webhooks/whatsapp/meta`: Meta's Cloud API. GET is the handshake by which the address is set up; POST
//! brings messages and states, many in one, of one or several clinics with one app.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use channels::heard::Down;
use channels::whatsapp::meta::{self, BODY_BYTES_MAX, SIGNATURE};
use jiff::Timestamp;

use super::{Refused, arrived, counted, header, keep, named, of_name};
use crate::arrivals::{Arrival, Kept};
use crate::channel::{Account, Channel, Name};
use crate::http::Problem;
use crate::hub::Hub;
use crate::message_counts::Refusal;

/// As many clinics' numbers are in one webhook.
const NUMBERS_MAX: usize = 64;

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
    let challenge = found.iter().find_map(|it| {
        let Account::Meta { secrets, .. } = &it.account else { return None };
        let mut tokens = secrets.iter().map(|it| it.verify_token.as_str());
        tokens.find_map(|token| meta::handshake(&query, token).ok())
    });
    let challenge = challenge.ok_or_else(|| {
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
    let mut numbers = meta::accounts(&body);
    numbers.truncate(NUMBERS_MAX);
    let found = named(hub, move |hub| {
        let named = |number: &String| of_name(hub, &Name::Meta { phone_number_id: number });
        let found: Result<Vec<_>, _> = numbers.iter().map(named).collect();
        Ok(found?.into_iter().flatten().collect())
    })
    .await?;
    // Clinics with one app share its secret, and the body is long.
    let mut signed: BTreeMap<String, bool> = BTreeMap::new();
    let mut genuine: BTreeMap<String, Channel> = BTreeMap::new();
    for channel in found {
        let Account::Meta { phone_number_id, secrets, .. } = &channel.account else { continue };
        let is_genuine = secrets.iter().any(|it| {
            let secret = it.app_secret.as_str();
            let verify = || meta::verify(secret, header(headers, SIGNATURE), &body).is_ok();
            *signed.entry(secret.to_owned()).or_insert_with(verify)
        });
        if is_genuine {
            genuine.insert(phone_number_id.clone(), channel);
        }
    }
    if genuine.is_empty() {
        return Err(Refused::signature());
    }
    let now = Timestamp::from_millisecond(hub.clock.now_ms()).unwrap_or_default();
    let told = meta::read(&body, now).map_err(|error| Refused::malformed(error.0))?;
    let mut downs: BTreeMap<String, Vec<Down>> = BTreeMap::new();
    for it in told {
        // What is about a number of another app was not signed by it.
        if genuine.contains_key(&it.account) {
            downs.entry(it.account).or_default().push(it.what);
        }
    }
    let mut kept = Kept::Known;
    for (number, downs) in downs {
        let Some(Channel { id: channel, clinic, .. }) = genuine.get(&number) else { continue };
        let arrival = Arrival { clinic: *clinic, channel: *channel, downs };
        if keep(hub, arrival).await? == Kept::New {
            kept = Kept::New;
        }
    }
    Ok(kept)
}
