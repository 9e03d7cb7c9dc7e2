//! Checking in on the wire: what a kiosk asks for whoever stands before it.
//!
//! Invariant: nothing here tells more of a person than initials and the end of a number, and
//! "not known" is the same answer as "does not fit".

mod online;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prm::check_in::{self, Fit, SeesToday, Shown, Ticket, Wanted};
use prm::contact::{BirthDate, Phone};
use prm::error::{Code, Error, Refusal};
use prm::id::{AppointmentId, HealthcareServiceId, PractitionerId};
use prm::stamp::{Right, Stamp};
use ring::hmac;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::auth::{Caller, Source};
use super::error::{Answer, Problem};
use super::idempotency::{Keyed, Posted, heard, once};
use super::json::{Asked, Body};
use super::page::{Page, Part};
use crate::app::App;

/// How long a choice may be made, in seconds.
const CHOICE_SECONDS: i64 = 300;
/// Tries at matching in a minute from one kiosk or one place.
const MATCHES_PER_MINUTE_MAX: u32 = 20;
/// Tokens in a minute from one kiosk or one place.
const TOKENS_PER_MINUTE_MAX: u32 = 30;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(check_in))
        .routes(routes!(find))
        .routes(routes!(walk_in))
        .routes(routes!(desk))
        .routes(routes!(practitioners))
}

/// What a patient shows: a QR or a telephone number, and when they were born; or a choice that
/// was offered before.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Show {
    /// The text of an appointment's QR, or of the confirmation of a booking online (`CPS1:`).
    qr: Option<String>,
    /// A telephone number in any form.
    phone: Option<String>,
    /// The year of birth.
    birth_year: Option<i16>,
    /// `1984-05-02`, `1984-05` or `1984`.
    birth_date: Option<String>,
    /// One of `people` of an answer before, within five minutes.
    choice: Option<String>,
}

/// Somebody who fits, as far as a screen in a waiting room may tell.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct PersonView {
    /// Give this back to check in as this person.
    choice: String,
    initials: String,
    masked_phone: Option<String>,
    start: String,
    practitioner: String,
    room: Option<String>,
    already_checked_in: bool,
}

/// Who fits what was shown; or, to a good QR alone, that the birth is still to be confirmed.
#[derive(Serialize, ToSchema)]
struct MatchView {
    #[serde(skip_serializing_if = "Option::is_none")]
    people: Option<Vec<PersonView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirm_birth: Option<bool>,
}

/// What a patient holds after checking in.
#[derive(Serialize, ToSchema)]
#[schema(as = Ticket)]
struct TicketView {
    /// What is on the ticket, for example `A-012`.
    token: String,
    /// What is on the door; null for the desk.
    room: Option<String>,
    /// How many wait before.
    ahead: i64,
    estimate_minutes: Option<i64>,
    appointment_id: Option<Uuid>,
    practitioner: Option<String>,
    /// Whether the token is one of the desk.
    desk: bool,
}

impl From<Ticket> for TicketView {
    fn from(ticket: Ticket) -> Self {
        let Ticket { entry, place, practitioner, is_new: _ } = ticket;
        Self {
            token: entry.token,
            room: entry.room,
            ahead: place.ahead,
            estimate_minutes: place.estimate_minutes,
            appointment_id: entry.appointment.map(|id| id.uuid()),
            desk: practitioner.is_none(),
            practitioner,
        }
    }
}

/// Who fits what is shown. Nothing that fits is 404 `see_the_desk`, whatever the cause.
#[utoipa::path(post, path = "/check-ins/match", tag = "check-ins", request_body = Show,
    responses((status = 200, body = MatchView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn find(
    State(app): State<App>,
    Caller(stamp): Caller,
    source: Source,
    Body(show): Body<Show>,
) -> Answer<Json<MatchView>> {
    count(&app, stamp, &source, "match", MATCHES_PER_MINUTE_MAX)?;
    let birth = birth(&show)?;
    match (shown(&app, stamp, &show).await?, birth) {
        (None | Some(Shown::Qr(_)), None) => {
            Ok(Json(MatchView { people: None, confirm_birth: Some(true) }))
        }
        // Booked online, and who that was is not known here yet.
        (None, Some(_)) => Err(check_in::see_the_desk().into()),
        (Some(shown), birth) => {
            let birth = birth.ok_or_else(say_the_birth)?;
            let fits = app.db.read(move |read| check_in::fits(read, &stamp, &shown, birth)).await?;
            let people = Some(people(&app, stamp, fits));
            Ok(Json(MatchView { people, confirm_birth: None }))
        }
    }
}

/// Checks in. 201 with a token (of the desk for a booking online of which the box has not heard who
/// booked); 200 with the same token for somebody who has one already; 409
/// `choose_person` with `people` when more than one fits.
#[utoipa::path(post, path = "/check-ins", tag = "check-ins", request_body = Show,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = TicketView), (status = 200, body = TicketView), (status = 401, body = Problem),
              (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
              (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn check_in(
    State(app): State<App>,
    Caller(stamp): Caller,
    source: Source,
    Posted { body: show, key }: Posted<Show>,
) -> Answer<Response> {
    count(&app, stamp, &source, "match", MATCHES_PER_MINUTE_MAX)?;
    // A choice that was good then may be too old now.
    if let Some(answer) = heard(&app, stamp, key.as_ref()).await? {
        return Ok(answer);
    }
    let id = match &show.choice {
        Some(choice) => chosen(&app, stamp, choice)?,
        None => {
            let (shown, birth) = (shown(&app, stamp, &show).await?, birth(&show)?);
            let birth = birth.ok_or_else(say_the_birth)?;
            let Some(shown) = shown else {
                // Booked online, and who that was is not known here yet: the desk is told by a token.
                count(&app, stamp, &source, "token", TOKENS_PER_MINUTE_MAX)?;
                return once(&app, stamp, key, move |tx| {
                    Ok(answer(check_in::at_the_desk(tx, &stamp)?))
                })
                .await;
            };
            let fits = app.db.read(move |read| check_in::fits(read, &stamp, &shown, birth)).await?;
            match fits.as_slice() {
                [one] => one.appointment,
                [] | [_, _, ..] => {
                    let ids = fits.iter().map(|fit| fit.appointment).collect();
                    let refusal = Refusal::new(
                        Code::ChoosePerson(ids),
                        "more than one person fits; give back the `choice` of one of `people`",
                    );
                    let people = people(&app, stamp, fits);
                    return Err(Problem::from(Error::from(refusal)).with("people", people));
                }
            }
        }
    };
    once(&app, stamp, key, move |tx| Ok(answer(check_in::check_in(tx, &stamp, id)?))).await
}

/// 201 with a token that was given just now, 200 with one that the person had already.
fn answer(ticket: Ticket) -> (StatusCode, TicketView) {
    (given(ticket.is_new), ticket.into())
}

/// The status of an answer with a token.
pub(super) fn given(is_new: bool) -> StatusCode {
    if is_new { StatusCode::CREATED } else { StatusCode::OK }
}

/// What somebody without an appointment says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WalkIn {
    /// A telephone number in any form.
    phone: String,
    /// `1984-05-02`, `1984-05` or `1984`.
    birth_date: String,
    #[schema(value_type = Option<Uuid>)]
    practitioner_id: Option<PractitionerId>,
    /// Whoever of this speciality has the shortest wait.
    specialty: Option<String>,
    /// Whoever does this and has the shortest wait.
    #[schema(value_type = Option<Uuid>)]
    healthcare_service_id: Option<HealthcareServiceId>,
}

/// Puts a known patient into a line: 201 with a token, 200 with the same token for somebody who is
/// in that line already. Somebody who is not known gets a token of the desk.
#[utoipa::path(post, path = "/check-ins/walk-in", tag = "check-ins", request_body = WalkIn,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = TicketView), (status = 200, body = TicketView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem),
              (status = 429, body = Problem)))]
async fn walk_in(
    State(app): State<App>,
    Caller(stamp): Caller,
    source: Source,
    Posted { body, key }: Posted<WalkIn>,
) -> Answer<Response> {
    stamp.needs(Right::CheckIn)?;
    count(&app, stamp, &source, "match", MATCHES_PER_MINUTE_MAX)?;
    let phone = Phone::parse(&body.phone, &app.clinic.country)?;
    let birth = BirthDate::parse(&body.birth_date)?;
    let WalkIn { phone: _, birth_date: _, practitioner_id, specialty, healthcare_service_id } =
        body;
    let wanted = Wanted {
        practitioner: practitioner_id,
        specialty,
        healthcare_service: healthcare_service_id,
    };
    once(&app, stamp, key, move |tx| {
        Ok(answer(check_in::walk_in(tx, &stamp, (&phone, birth), &wanted)?))
    })
    .await
}

/// A token of the desk for whoever asks: the way out of every dead end.
#[utoipa::path(post, path = "/check-ins/desk", tag = "check-ins",
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = TicketView), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 429, body = Problem)))]
async fn desk(
    State(app): State<App>,
    Caller(stamp): Caller,
    source: Source,
    Keyed(key): Keyed,
) -> Answer<Response> {
    stamp.needs(Right::CheckIn)?;
    count(&app, stamp, &source, "token", TOKENS_PER_MINUTE_MAX)?;
    once(&app, stamp, key, move |tx| Ok(answer(check_in::at_the_desk(tx, &stamp)?))).await
}

/// A practitioner who sees patients today.
#[derive(Serialize, ToSchema)]
struct SeesTodayView {
    id: Uuid,
    name: String,
    specialties: Vec<String>,
    room: Option<String>,
    ahead: i64,
    estimate_minutes: Option<i64>,
}

/// Who sees patients today, with the wait of each.
#[utoipa::path(get, path = "/check-ins/practitioners", tag = "check-ins", params(Part),
    responses((status = 200, body = Page<SeesTodayView>), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
async fn practitioners(
    State(app): State<App>,
    Caller(stamp): Caller,
    Asked(part): Asked<Part>,
) -> Answer<Json<Page<SeesTodayView>>> {
    let found = app.db.read(move |read| check_in::sees_today(read, &stamp)).await?;
    let page = part.of("check-ins/practitioners", found, |one| one.id.uuid())?;
    let view = |SeesToday { id, name, specialties, room, place }: SeesToday| SeesTodayView {
        id: id.uuid(),
        name,
        specialties,
        room,
        ahead: place.ahead,
        estimate_minutes: place.estimate_minutes,
    };
    Ok(Json(page.map(view)))
}

/// Counts a try: of a kiosk by itself, of anybody else by where they are.
fn count(app: &App, stamp: Stamp, source: &Source, what: &'static str, most: u32) -> Answer<()> {
    stamp.needs(Right::CheckIn)?;
    let place = match stamp.actor.id_bytes() {
        Some(id) => Uuid::from_bytes(*id).to_string(),
        None => source.place.clone(),
    };
    Ok(app.tries.count(what, &place, most, stamp.now)?)
}

/// What was shown, checked; a QR that is not good is `see_the_desk`. None is a good one of a booking that
/// the hub sold and that is not in the diary yet.
async fn shown(app: &App, stamp: Stamp, show: &Show) -> Answer<Option<Shown>> {
    stamp.needs(Right::CheckIn)?;
    match (&show.qr, &show.phone) {
        (Some(text), None) => match app.verifier.verify(text, stamp.now) {
            Ok(claim) => Ok(Some(Shown::Qr(AppointmentId::from_bytes(claim.appointment)))),
            Err(_) => online::shown(app, stamp, text).await,
        },
        (None, Some(phone)) => Ok(Some(Shown::Phone(Phone::parse(phone, &app.clinic.country)?))),
        (None, None) | (Some(_), Some(_)) => {
            Err(Problem::invalid("qr", "show one of the two: qr or phone"))
        }
    }
}

fn birth(show: &Show) -> Answer<Option<BirthDate>> {
    match (&show.birth_date, show.birth_year) {
        (Some(text), _) => Ok(Some(BirthDate::parse(text)?)),
        (None, Some(year)) => Ok(Some(BirthDate::parse(&format!("{year:04}"))?)),
        (None, None) => Ok(None),
    }
}

fn say_the_birth() -> Problem {
    Problem::invalid("birth_date", "say the birth_date or the birth_year as well")
}

fn people(app: &App, stamp: Stamp, fits: Vec<Fit>) -> Vec<PersonView> {
    let views = fits.into_iter().map(|fit| {
        let Fit {
            appointment,
            patient: _,
            initials,
            masked_phone,
            start,
            practitioner,
            room,
            checked_in,
        } = fit;
        PersonView {
            choice: choice(app, stamp, appointment),
            initials,
            masked_phone,
            start: app.local(start),
            practitioner,
            room,
            already_checked_in: checked_in,
        }
    });
    views.collect()
}

/// An appointment as a text that only this box can make and that only this caller can use,
/// for five minutes: who may choose has shown what fits.
fn choice(app: &App, stamp: Stamp, id: AppointmentId) -> String {
    let until = stamp.now.as_second() + CHOICE_SECONDS;
    let mut bytes = id.as_bytes().to_vec();
    bytes.extend_from_slice(&until.to_be_bytes());
    let mac = hmac::sign(&app.choices, &bound(stamp, &bytes));
    bytes.extend_from_slice(mac.as_ref());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn chosen(app: &App, stamp: Stamp, text: &str) -> Answer<AppointmentId> {
    let gone = || Problem::from(check_in::see_the_desk());
    // An id, a time and a code: nothing longer is looked at.
    if text.len() > 128 {
        return Err(gone());
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| gone())?;
    let (said, mac) = bytes.split_at_checked(24).ok_or_else(gone)?;
    hmac::verify(&app.choices, &bound(stamp, said), mac).map_err(|_| gone())?;
    let (id, until) = said.split_at(16);
    let until = until.try_into().map(i64::from_be_bytes).map_err(|_| gone())?;
    if stamp.now.as_second() > until {
        return Err(gone());
    }
    id.try_into().map(AppointmentId::from_bytes).map_err(|_| gone())
}

fn bound(stamp: Stamp, said: &[u8]) -> Vec<u8> {
    let actor = stamp.actor.id_bytes().map_or(&[][..], |id| id.as_slice());
    [b"carepost-choice-1", said, actor].concat()
}
