//! `$validate`: what is wrong with a resource (<https://hl7.org/fhir/R4/resource-operation-validate.html>).
//!
//! Without a mode it is looked at as R4 says it has to be. With `create` or `update` the write is tried
//! as well, in a transaction that is undone, so that the rules of the clinic are heard, too. Profiles are
//! not looked at.

use axum::http::StatusCode;
use axum::response::Response;
use fhir::capability::{self, Interaction};
use fhir::operation::Input;
use fhir::{Issue, IssueCode, Outcome, Resource, structure};
use prm::error::Error;
use prm::stamp::Role;

use crate::app::App;
use crate::http::fhir::fault::{Answer, Fault};
use crate::http::fhir::interaction::{Only, Work};
use crate::http::fhir::wire::{Asked, plain};
use crate::http::fhir::write::Refused;
use crate::http::fhir::{load, must_be, transact};

/// What the resource is to be good for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Create,
    Update,
    Delete,
    Profile,
}

impl Mode {
    fn of(word: &str) -> Result<Self, Outcome> {
        Ok(match word {
            "create" => Self::Create,
            "update" => Self::Update,
            "delete" => Self::Delete,
            "profile" => Self::Profile,
            _ => {
                let what = "mode is create, update, delete or profile";
                return Err(Outcome::error(IssueCode::Value, what));
            }
        })
    }

    /// What has to be possible with resources of the type.
    fn interaction(self) -> Option<Interaction> {
        match self {
            Self::Create => Some(Interaction::Create),
            Self::Update => Some(Interaction::Update),
            Self::Delete => Some(Interaction::Delete),
            Self::Profile => None,
        }
    }
}

/// Answers with all that is wrong, or says that nothing is.
pub async fn validated(
    app: &App,
    asked: &Asked,
    (type_, id): (&'static str, Option<&str>),
    input: Input,
) -> Answer<Response> {
    if asked.stamp.role == Role::Nobody {
        return Err(Error::Unknown.into());
    }
    let mode = input.text("mode").map(Mode::of).transpose()?;
    let mut issues = Vec::new();
    if input.says("profile") || mode == Some(Mode::Profile) {
        let what = "profiles are not looked at; it was looked at as R4 itself wants it";
        issues.push(Issue::warning(IssueCode::NotSupported, what));
    }
    let interaction = mode.and_then(Mode::interaction);
    if interaction.is_some_and(|it| !capability::interactions(type_).contains(&it)) {
        let what = "this is not done with resources of this type here; see /fhir/metadata";
        issues.push(Issue::error(IssueCode::NotSupported, what));
    }
    match (input.resource("resource"), id) {
        (Some(resource), id) => {
            issues.extend(wrong(app, asked, (type_, id), resource, mode).await?)
        }
        // What is there was valid when it came; whether it may go is said above.
        (None, Some(id)) => {
            let found = load(app, asked, (type_, id.to_owned()), None).await?;
            issues.extend(structure::validate(&found.resource));
        }
        (None, None) if mode == Some(Mode::Delete) => {
            let what = "ask of the resource that is to be deleted, as Type/id/$validate";
            return Err(Outcome::error(IssueCode::Required, what).into());
        }
        (None, None) => {
            let what = "send the resource, alone or as the parameter resource";
            return Err(Outcome::error(IssueCode::Required, what).into());
        }
    }
    if issues.is_empty() {
        issues.push(Issue::information("nothing is wrong with it"));
    }
    Ok(plain(StatusCode::OK, &Outcome { issues }.to_json()))
}

/// What is wrong with a resource that was given.
async fn wrong(
    app: &App,
    asked: &Asked,
    (type_, id): (&'static str, Option<&str>),
    resource: &Resource,
    mode: Option<Mode>,
) -> Answer<Vec<Issue>> {
    if let Err(fault) = must_be(resource, type_) {
        return Ok(fault.outcome().issues.clone());
    }
    let issues = structure::validate(resource);
    if !issues.is_empty() {
        return Ok(issues);
    }
    let can = |it| capability::interactions(type_).contains(&it);
    let target = match mode {
        Some(Mode::Create) if can(Interaction::Create) => None,
        Some(Mode::Update) if can(Interaction::Update) => {
            let Some(id) = id.or(resource.id()) else {
                let what = "an update is of a resource that has an id";
                return Ok(vec![Issue::error(IssueCode::Required, what)]);
            };
            if resource.id() != Some(id) {
                let what = "the id in the resource is that of the address";
                return Ok(vec![Issue::error(IssueCode::Invalid, what)]);
            }
            Some(id.to_owned())
        }
        Some(Mode::Create | Mode::Update | Mode::Delete | Mode::Profile) | None => {
            return Ok(issues);
        }
    };
    let resource = resource.clone();
    let tried = transact(app, asked, move |work: &mut Work<'_, '_>| {
        match target {
            None => work.create(resource, None, None)?,
            Some(id) => work.put(resource, &id, Only::default())?,
        };
        // It could be written; so that it is not, it is refused.
        Err::<(), Refused>(Outcome { issues: Vec::new() }.into())
    });
    match tried.await {
        Ok(()) => Ok(issues),
        Err(fault) if fault.status().is_server_error() => Err(fault),
        Err(fault) => Ok(tried_issues(&fault)),
    }
}

fn tried_issues(fault: &Fault) -> Vec<Issue> {
    fault.outcome().issues.clone()
}
