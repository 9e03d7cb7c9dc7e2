//! Searching in the compartment of a patient: `Patient/[id]/[type]?…`
//! (<https://hl7.org/fhir/R4/compartmentdefinition.html#compartment-search>).

use axum::response::Response;
use fhir::capability::Interaction;
use fhir::compartment::{self, TYPE};
use fhir::search::pairs;
use fhir::{Here, structure};

use crate::app::App;
use crate::http::fhir::fault::{Answer, Fault};
use crate::http::fhir::wire::Asked;
use crate::http::fhir::{answered, here, link, nothing, records, served};

/// Answers a search in a compartment; `*` is everything in it.
pub async fn searched(
    app: &App,
    asked: &Asked,
    (owner, id): (&str, &str),
    name: &str,
) -> Answer<Response> {
    if owner != TYPE || structure::type_name(name).is_none() {
        return Err(nothing().await);
    }
    served(TYPE, Interaction::Read)?;
    let type_ = served(name, Interaction::SearchType)?;
    let query = asked.query.as_str();
    let parsed = fhir::search::parse(type_, &pairs(query)?, asked.is_strict(), here(app, asked))?;
    let path = format!("{TYPE}/{id}/{type_}");
    let link = link(asked, &path, query, &parsed);
    let Some(parsed) = compartment::within(parsed, id) else { return Err(nothing().await) };
    let (stamp, base, clinic) = (asked.stamp, asked.base.clone(), app.clinic.clone());
    let id = id.to_owned();
    let exists = app.db.read(move |read| {
        records::exists(read, &stamp, Here { clinic: &clinic, origin: &base }, (TYPE, &id))
    });
    if !exists.await? {
        return Err(Fault::not_found());
    }
    answered(app, asked, parsed, link).await
}
