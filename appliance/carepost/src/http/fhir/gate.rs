//! What a token that is narrowed to scopes may ask at all, before anything of the request is read.
//!
//! Invariant: a route that is not named here is closed to such a token, so that a new one cannot be
//! forgotten. What lies within a request (bundles, conditions, what is included) is looked at where it is
//! done.

use axum::extract::{FromRequestParts as _, MatchedPath, RawPathParams};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use fhir::capability::Interaction;
use fhir::operation::Operation;
use fhir::scope::Permission;
use fhir::{IssueCode, structure};

use super::fault::{Answer, Fault};
use super::stamp::Stamp;

/// What a route does, as far as its address tells.
enum Does {
    /// Nothing with a resource of a type: what the box can do, bundles, whose entries are looked at, and
    /// exports, whose types are.
    NothingItself,
    /// This, with resources of the type in the address.
    One(Interaction),
    /// An operation, if the name in the address is that of one; else a search in a compartment.
    Operation,
}

fn does(method: &Method, route: &str, name: &str) -> Option<Does> {
    let route = route.strip_prefix("/fhir")?;
    let read = matches!(*method, Method::GET | Method::HEAD);
    let interaction = match (method, route) {
        (_, "/metadata") if read => return Some(Does::NothingItself),
        (&Method::POST, "" | "/") => return Some(Does::NothingItself),
        (
            _,
            "/$export"
            | "/Patient/$export"
            | "/Group/{id}/$export"
            | "/$exports/{job}"
            | "/$exports/{job}/{file}",
        ) => return Some(Does::NothingItself),
        (_, "/{type}/{id}") if name.starts_with('$') => return Some(Does::Operation),
        (_, "/{type}/{id}/{name}") => return Some(Does::Operation),
        (_, "/{type}") if read => Interaction::SearchType,
        (&Method::POST, "/{type}/_search") => Interaction::SearchType,
        (&Method::POST, "/{type}") => Interaction::Create,
        (&Method::PUT, "/{type}" | "/{type}/{id}") => Interaction::Update,
        (&Method::PATCH, "/{type}/{id}") => Interaction::Patch,
        (&Method::DELETE, "/{type}" | "/{type}/{id}") => Interaction::Delete,
        (_, "/{type}/_history") if read => Interaction::HistoryType,
        (_, "/{type}/{id}") if read => Interaction::Read,
        (_, "/{type}/{id}/_history") if read => Interaction::HistoryInstance,
        (_, "/{type}/{id}/_history/{version}") if read => Interaction::Vread,
        (_, _) => return None,
    };
    Some(Does::One(interaction))
}

/// Refuses what no scope of the token covers.
///
/// # Errors
/// *Forbidden*, with the scope that is missing.
pub async fn pass(stamp: &Stamp, parts: &mut Parts) -> Answer<()> {
    if !stamp.is_narrowed() {
        return Ok(());
    }
    let path = parts.extensions.get::<MatchedPath>().cloned();
    let route = path.as_ref().map(MatchedPath::as_str).unwrap_or_default();
    let closed = || {
        let what = "no scope covers this; ask with a token that has none";
        Fault::new(StatusCode::FORBIDDEN, IssueCode::Forbidden, what)
    };
    let named = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| closed())?;
    let value = |of: &str| named.iter().find(|(name, _)| *name == of).map(|(_, value)| value);
    let name = value("name").or(value("id")).unwrap_or_default();
    let does = does(&parts.method, route, name).ok_or_else(closed)?;
    let type_ = || value("type").ok_or_else(closed);
    match does {
        Does::NothingItself => Ok(()),
        Does::One(interaction) => {
            // Of what is no type of R4 there is nothing; the route says so.
            let Some(type_) = structure::type_name(type_()?) else { return Ok(()) };
            Ok(stamp.within(type_, Permission::of(interaction))?)
        }
        Does::Operation => {
            let Some(type_) = structure::type_name(type_()?) else { return Ok(()) };
            operation(stamp, type_, name, value("name").is_some())
        }
    }
}

/// Refuses an operation that does what no scope covers. What comes out of it is looked at where it is
/// read.
fn operation(stamp: &Stamp, type_: &'static str, name: &str, is_of_one: bool) -> Answer<()> {
    let Some(name) = name.strip_prefix('$') else {
        // `*` is everything, which is looked at type by type.
        let Some(inside) = structure::type_name(name) else { return Ok(()) };
        return Ok(stamp.within(inside, Permission::Search)?);
    };
    let Some(operation) = Operation::of(type_, name, is_of_one) else { return Ok(()) };
    let mut does = operation.does(type_).into_iter();
    Ok(does.try_for_each(|(type_, interaction)| stamp.within(type_, Permission::of(interaction)))?)
}
