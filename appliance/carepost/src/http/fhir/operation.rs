//! Operations (<https://hl7.org/fhir/R4/operations.html>): what is asked of a type or of one resource by
//! a name that begins with `$`; and the compartment of a patient, which lies under addresses of the same
//! form.
//!
//! Invariant: who may not do with a type what an operation does with it ([`Operation::does`]) does not get
//! it by the operation either.

mod compartment;
mod everything;
mod find;
mod hold_and_book;
mod match_patient;
mod validate;

use axum::body::HttpBody as _;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use fhir::bundle::{Pages, Searchset, searchset};
use fhir::operation::{Input, Operation, Pointer};
use fhir::scope::Permission;
use fhir::search::pairs;
use fhir::{Here, IssueCode, Outcome, Resource, capability, json, structure};
use prm::db::Read;
use prm::id::Noun;

use super::bundle::can;
use super::fault::{Answer, Fault};
use super::interaction::Work;
use super::path::Path;
use super::search::{self, Shown};
use super::stamp::Stamp;
use super::wire::{self, Asked, body, plain};
use super::write::Refused;
use super::{here, note, served, wrong_method};
use crate::app::App;

/// What an operation is asked of: a type, and one resource of it.
type Of<'a> = (&'a str, Option<&'a str>);

/// An operation on a type, posted. Nothing else is posted to such an address.
pub async fn of_type(
    State(app): State<App>,
    asked: Asked,
    Path((type_, name)): Path<(String, String)>,
    request: Request,
) -> Answer<Response> {
    match name.strip_prefix('$') {
        Some(name) => posted(&app, &asked, (&type_, None), name, request).await,
        None => Err(wrong_method().await),
    }
}

/// An operation on one resource, posted.
pub async fn of_one(
    State(app): State<App>,
    asked: Asked,
    Path((type_, id, name)): Path<(String, String, String)>,
    request: Request,
) -> Answer<Response> {
    match name.strip_prefix('$') {
        Some(name) => posted(&app, &asked, (&type_, Some(&id)), name, request).await,
        None => Err(wrong_method().await),
    }
}

/// An operation on one resource, asked by its address.
pub async fn got_of_one(
    State(app): State<App>,
    asked: Asked,
    Path((type_, id, name)): Path<(String, String, String)>,
) -> Answer<Response> {
    match name.strip_prefix('$') {
        Some(name) => got(&app, &asked, (&type_, Some(&id)), name).await,
        None if name == "*" => {
            got(&app, &asked, (&type_, Some(&id)), Operation::Everything.name()).await
        }
        None => compartment::searched(&app, &asked, (&type_, &id), &name).await,
    }
}

/// An operation that is asked by its address.
pub async fn got(app: &App, asked: &Asked, of: Of<'_>, name: &str) -> Answer<Response> {
    let (operation, type_) = offered(of, name)?;
    if operation.writes() {
        let what = "this operation writes: ask for it by POST";
        return Err(Fault::new(StatusCode::METHOD_NOT_ALLOWED, IssueCode::NotSupported, what));
    }
    let input = Input::of_query(pairs(&asked.query)?);
    done(app, asked, (operation, type_, of.1), input).await
}

/// An operation of `Appointment` that the hub asks for in somebody's name.
///
/// # Errors
/// What is wrong with it, and what the clinic's rules say.
pub async fn of_hub(app: &App, asked: &Asked, name: &str, parameters: &[u8]) -> Answer<Response> {
    let of = (fhir::appointment::TYPE, None);
    let (operation, type_) = offered(of, name.trim_start_matches('$'))?;
    let input = Input::of_body(wire::valid(parameters)?)?;
    done(app, asked, (operation, type_, None), input).await
}

async fn posted(
    app: &App,
    asked: &Asked,
    of: Of<'_>,
    name: &str,
    request: Request,
) -> Answer<Response> {
    let (operation, type_) = offered(of, name)?;
    let mut input = match request.body().is_end_stream() {
        true => Input::default(),
        // What is wrong with it is the answer, not a reason to refuse it.
        false if operation == Operation::Validate => {
            Input::of_body(json::parse(&body(request).await?)?)?
        }
        false => Input::of_body(wire::valid(&body(request).await?)?)?,
    };
    input.extend(Input::of_query(pairs(&asked.query)?));
    done(app, asked, (operation, type_, of.1), input).await
}

/// The operation of this name, if it is offered there and the caller may do what it does.
fn offered((type_, id): Of<'_>, name: &str) -> Answer<(Operation, &'static str)> {
    let known = structure::type_name(type_);
    let known = known.filter(|type_| !capability::interactions(type_).is_empty());
    let operation = known.and_then(|type_| Operation::of(type_, name, id.is_some()));
    let (Some(operation), Some(type_)) = (operation, known) else {
        let what = "there is no such operation here; see /fhir/metadata";
        return Err(Fault::new(StatusCode::NOT_FOUND, IssueCode::NotSupported, what));
    };
    for (type_, interaction) in operation.does(type_) {
        served(type_, interaction)?;
    }
    Ok((operation, type_))
}

async fn done(
    app: &App,
    asked: &Asked,
    (operation, type_, id): (Operation, &'static str, Option<&str>),
    input: Input,
) -> Answer<Response> {
    input.goes_by(operation.takes())?;
    match operation {
        Operation::Find | Operation::Match | Operation::Everything => {
            looked_at(app, asked, (operation, id), input).await
        }
        Operation::Hold => hold_and_book::held(app, asked, input).await,
        Operation::Book => hold_and_book::booked(app, asked, input).await,
        Operation::Cancel => hold_and_book::cancelled(app, asked, id, input).await,
        Operation::Validate => validate::validated(app, asked, (type_, id), input).await,
    }
}

/// Answers an operation that only looks, and notes whose records it showed.
async fn looked_at(
    app: &App,
    asked: &Asked,
    (operation, id): (Operation, Option<&str>),
    input: Input,
) -> Answer<Response> {
    let (inside, clinic, id) = (asked.clone(), app.clinic.clone(), id.map(str::to_owned));
    let (bundle, shown) = app
        .db
        .read(move |read| {
            let here = Here { clinic: &clinic, origin: &inside.base };
            Ok(look(read, &inside, here, (operation, id.as_deref()), &input))
        })
        .await??;
    note(app, asked, Noun::Patient, shown).await?;
    Ok(plain(StatusCode::OK, &bundle.into()))
}

fn look(
    read: &Read<'_>,
    asked: &Asked,
    here: Here<'_>,
    (operation, id): (Operation, Option<&str>),
    input: &Input,
) -> Result<(Resource, Shown), Refused> {
    let stamp = &asked.stamp;
    match operation {
        Operation::Find => find::found(read, stamp, here, input, asked.is_strict()),
        Operation::Match => match_patient::matched(read, stamp, here, input),
        Operation::Everything => everything::part(read, asked, here, id.unwrap_or_default(), input),
        Operation::Hold | Operation::Book | Operation::Cancel | Operation::Validate => {
            let what = "this operation is asked alone, not as an entry of a bundle";
            Err(Outcome::error(IssueCode::NotSupported, what).into())
        }
    }
}

/// What an entry of a bundle reads by an operation; none if its address is not that of one.
pub fn in_a_bundle(
    work: &Work<'_, '_>,
    path: &[&str],
    query: &str,
) -> Result<Option<(Resource, Shown)>, Refused> {
    let (type_, id, name) = match path {
        [type_, name] => (*type_, None, *name),
        [type_, id, name] => (*type_, Some(*id), *name),
        _ => return Ok(None),
    };
    let Some(name) = name.strip_prefix('$') else { return Ok(None) };
    let operation = structure::type_name(type_)
        .and_then(|type_| Operation::of(type_, name, id.is_some()).map(|it| (it, type_)));
    let Some((operation, type_)) = operation else {
        let what = "there is no such operation here; see /fhir/metadata";
        return Err(Outcome::error(IssueCode::NotSupported, what).into());
    };
    for (type_, interaction) in operation.does(type_) {
        can(type_, interaction)?;
        work.stamp().within(type_, Permission::of(interaction))?;
    }
    let input = Input::of_query(pairs(query)?);
    input.goes_by(operation.takes())?;
    look(work.tx, work.asked, work.here, (operation, id), &input).map(Some)
}

/// The ids of the resources of a type that a parameter refers to, each of which is there.
///
/// # Errors
/// A reference to something else, or to what is not here.
fn ids(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    (input, name): (&Input, &str),
    types: &[&'static str],
) -> Result<Vec<String>, Refused> {
    let lost = || {
        let what = format!("{name} refers to {} that is here", types.join(" or "));
        Outcome::error(IssueCode::Value, what)
    };
    let mut ids = Vec::new();
    for pointer in input.pointers(name, here)? {
        match pointer {
            Pointer::To { type_, id } if types.contains(&type_) => ids.push(id),
            Pointer::To { .. } => return Err(lost().into()),
            Pointer::Identified { system, value } => {
                let token = match (system, value) {
                    (Some(system), value) => format!("{system}|{}", value.unwrap_or_default()),
                    (None, Some(value)) => value,
                    (None, None) => return Err(lost().into()),
                };
                let type_ = types.first().copied().unwrap_or_default();
                let pairs = [("identifier".to_owned(), token)];
                let query = fhir::search::parse(type_, &pairs, true, here)?;
                let found = search::all_of(read, stamp, here, &query, 2)?;
                let [one] = found.as_slice() else { return Err(lost().into()) };
                ids.extend(one.resource.id().map(str::to_owned));
            }
        }
    }
    Ok(ids)
}

/// One resource as the only entry of a bundle.
fn alone(app: &App, asked: &Asked, path: &str, resource: Resource) -> Response {
    let set = Searchset {
        total: Some(1),
        pages: Pages { this: format!("{}/{path}", asked.base), next: None },
        matches: vec![resource],
        included: Vec::new(),
        outcome: None,
    };
    plain(StatusCode::OK, &searchset(set, here(app, asked)).into())
}
