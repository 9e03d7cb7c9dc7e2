//! Operations that the hub asks for in somebody's name, who waits: done by the FHIR door as if they had
//! asked there, once, and never after their deadline.

use axum::response::{IntoResponse as _, Response};
use fhir::{IssueCode, Outcome};
use http_body_util::BodyExt as _;
use jiff::{SignedDuration, Timestamp};
use prm::error::Result;
use prm::request::{self, Kind, OPERATIONS_AT_ONCE, Reply, Request};
use prm::stamp::Stamp as OfRecords;
use sync_agent::ask::{Ask, Name, Operation, REPLY_BYTES_MAX};

use super::refusal;
use crate::app::App;
use crate::http::fhir::operation;
use crate::http::fhir::stamp::Stamp;
use crate::http::fhir::wire::Asked;

/// For so long after its deadline somebody may ask the hub again what came of an operation.
const ASKED_AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// Does all operations that wait, the oldest first, and writes their answers.
///
/// # Errors
/// Those of the database; what is not answered is looked at again.
pub async fn do_all(app: &App) -> Result<()> {
    loop {
        let stamp = OfRecords::of_box(app.now());
        let waiting = app
            .db
            .read(move |read| request::waiting(read, &stamp, Kind::Operation, OPERATIONS_AT_ONCE));
        let waiting = waiting.await?;
        if waiting.is_empty() {
            return Ok(());
        }
        for request in waiting {
            let id = request.id;
            let reply = done(app, request).await?;
            let stamp = OfRecords::of_box(app.now());
            app.db.write(move |tx| request::answer(tx, &stamp, id, &reply)).await?;
        }
    }
}

/// Does one, if it is time, and says what is to be answered; writing the answer is the caller's.
pub(super) async fn done(app: &App, request: Request) -> Result<Reply> {
    let Request { id, body, taken_at: _, deadline, appointment } = request;
    let Ok(Ask::Operation(Operation { name, parameters, .. })) = Ask::from_bytes(&body) else {
        let what = "the box no longer understands this; ask again";
        return Ok(refusal(500, &Outcome::error(IssueCode::Exception, what)));
    };
    // What was done before is answered, also late: it is done.
    if appointment.is_none() && deadline.is_some_and(|deadline| app.now() > deadline) {
        let what = "the box heard of this too late and did not do it; ask again";
        let late = refusal(504, &Outcome::error(IssueCode::Timeout, what));
        return Ok(Reply { until: until(name, deadline), ..late });
    }
    let stamp = Stamp::new(OfRecords::of_hub(app.now()), None);
    let asked = Asked { request: Some(id), ..Asked::alone(stamp) };
    let answered = operation::of_hub(app, &asked, name.as_str(), &parameters).await;
    let (status, body) = whole(answered.into_response()).await;
    Ok(Reply { status, body, until: until(name, deadline) })
}

/// Until when the answer is sent. Nobody waits for times that were free; whoever lost the answer to a
/// booking asks the hub again.
fn until(name: Name, deadline: Option<Timestamp>) -> Option<Timestamp> {
    match name {
        Name::Find => deadline,
        Name::Hold | Name::Book | Name::Cancel => {
            deadline.map(|it| it.checked_add(ASKED_AGAIN).unwrap_or(it))
        }
    }
}

/// An answer of the door, as it goes to the hub.
async fn whole(response: Response) -> (u16, Vec<u8>) {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map(|body| body.to_bytes());
    if let Ok(body) = body
        && body.len() <= REPLY_BYTES_MAX
    {
        return (status, body.to_vec());
    }
    let what = "the answer is too long for the hub; ask for fewer at once";
    let Reply { status, body, until: _ } =
        refusal(413, &Outcome::error(IssueCode::TooCostly, what));
    (status, body)
}
