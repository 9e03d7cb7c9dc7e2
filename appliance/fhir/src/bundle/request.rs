//! Batches and transactions as they come in.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{ENTRIES_MAX, ISSUES_MAX, TYPE};
use crate::element;
use crate::json::Resource;
use crate::outcome::{Issue, IssueCode, Outcome};
use crate::primitive::Primitive;
use crate::reference;
use crate::structure;

/// Whether the entries are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Each is done for itself.
    Batch,
    /// All are done or none.
    Transaction,
}

/// A batch or transaction that was read.
#[derive(Debug)]
pub struct Submission {
    /// Whether the entries are one.
    pub kind: Kind,
    /// The entries in the order of the bundle. Those of a transaction can all be read; of a batch those
    /// that cannot are answered each for itself.
    pub entries: Vec<Result<Entry, Outcome>>,
}

/// What is to be done with one resource.
#[derive(Debug)]
pub struct Entry {
    /// By what others of the bundle refer to the resource.
    pub full_url: Option<String>,
    /// What is to be done.
    pub action: Action,
    /// Only if the version is this (the text of `If-Match`).
    pub if_match: Option<String>,
    /// Only if there is none of these (the text of `If-None-Match`).
    pub if_none_match: Option<String>,
    /// Only if it has changed since (an instant).
    pub if_modified_since: Option<String>,
}

/// What is to be done.
#[derive(Debug)]
pub enum Action {
    /// A new resource.
    Create {
        /// What it is.
        resource: Resource,
        /// Only if this search finds none.
        if_none_exist: Option<String>,
    },
    /// The resource in place of what is there.
    Update {
        /// Which.
        target: Target,
        /// What it is from now on.
        resource: Resource,
    },
    /// A part of the resource is changed.
    Patch {
        /// Which.
        target: Target,
        /// How: `Parameters` or a `Binary`, for [`crate::patch`].
        patch: Resource,
    },
    /// The resource goes.
    Delete {
        /// Which.
        target: Target,
    },
    /// Something is read or searched.
    Read {
        /// Where, relative to the address of the box, such as `Patient?name=rao`.
        url: String,
        /// Whether only the head of the answer is wanted.
        head: bool,
    },
}

/// Which resource is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The one of this id.
    One {
        /// Its type.
        type_: &'static str,
        /// Its id.
        id: String,
    },
    /// The one that a search finds.
    Found {
        /// Its type.
        type_: &'static str,
        /// The search, for [`crate::search::criteria`].
        query: String,
    },
}

/// Reads a batch or a transaction, and refuses it if it is no valid R4. Of a batch the resources are not
/// looked at: what is wrong with one is no matter of the others.
pub fn checked(mut bundle: Resource) -> Result<Submission, Outcome> {
    let is_batch = element::text(bundle.map(), "type") == Some("batch");
    let resources = if is_batch { without_resources(&mut bundle) } else { Vec::new() };
    let issues = structure::validate(&bundle);
    if !issues.is_empty() {
        return Err(Outcome { issues });
    }
    let entries = bundle.get_mut("entry").and_then(Value::as_array_mut);
    for (entry, resource) in entries.into_iter().flatten().zip(resources) {
        if let (Some(entry), Some(resource)) = (entry.as_object_mut(), resource) {
            entry.insert("resource".into(), resource);
        }
    }
    read(bundle)
}

/// Takes the resources out of the entries.
fn without_resources(bundle: &mut Resource) -> Vec<Option<Value>> {
    let entries = bundle.get_mut("entry").and_then(Value::as_array_mut);
    let taken = |entry: &mut Value| entry.as_object_mut()?.shift_remove("resource");
    entries.into_iter().flatten().map(taken).collect()
}

/// Reads a batch or a transaction.
///
/// Refused are other bundles, more than [`ENTRIES_MAX`] entries, and of a transaction any entry that
/// cannot be read and two entries that speak of one resource. Whether the resources are valid is not
/// looked at.
pub fn read(bundle: Resource) -> Result<Submission, Outcome> {
    element::is_a(&bundle, TYPE)?;
    let kind = match element::text(bundle.map(), "type") {
        Some("batch") => Kind::Batch,
        Some("transaction") => Kind::Transaction,
        Some(_) | None => {
            let what = "only bundles of the type batch or transaction are taken here";
            return Err(Outcome::at("Bundle.type", IssueCode::Value, what));
        }
    };
    let mut bundle = bundle.into_map();
    let given = match bundle.shift_remove("entry") {
        Some(Value::Array(given)) => given,
        Some(_) | None => Vec::new(),
    };
    if given.len() > ENTRIES_MAX {
        let what = format!("a bundle has at most {ENTRIES_MAX} entries; send several");
        return Err(Outcome::at("Bundle.entry", IssueCode::TooLong, what));
    }
    let read = given.into_iter().enumerate().map(|(at, given)| entry(at, given));
    let submission = Submission { kind, entries: read.collect() };
    match kind {
        Kind::Batch => Ok(submission),
        Kind::Transaction => submission.together(),
    }
}

impl Submission {
    /// The places of the entries in the order in which they are done: first what goes, then what is
    /// new, then what changes, then what is read (<https://hl7.org/fhir/R4/http.html#trules>).
    pub fn order(&self) -> Vec<usize> {
        let rank = |at: &usize| match &self.entries[*at] {
            Err(_) | Ok(Entry { action: Action::Delete { .. }, .. }) => 0,
            Ok(Entry { action: Action::Create { .. }, .. }) => 1,
            Ok(Entry { action: Action::Update { .. } | Action::Patch { .. }, .. }) => 2,
            Ok(Entry { action: Action::Read { .. }, .. }) => 3,
        };
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        order.sort_by_key(rank);
        order
    }

    /// Refuses the whole if there is anything wrong with a part.
    fn together(self) -> Result<Self, Outcome> {
        let refused = self.entries.iter().filter_map(|entry| entry.as_ref().err());
        let mut issues: Vec<Issue> =
            refused.flat_map(|outcome| outcome.issues.clone()).take(ISSUES_MAX).collect();
        let read =
            || self.entries.iter().enumerate().filter_map(|(at, it)| Some((at, it.as_ref().ok()?)));
        let targets = read().filter_map(|(at, entry)| match entry.target()? {
            Target::One { type_, id } => Some((at, *type_, id.as_str())),
            Target::Found { .. } => None,
        });
        issues.extend(apart(targets).err().into_iter().flat_map(|outcome| outcome.issues));
        let mut urls = HashMap::new();
        for (at, entry) in read() {
            if let Some(url) = &entry.full_url
                && urls.insert(url, at).is_some()
            {
                let what = "another entry has the same fullUrl; each resource stands there once";
                issues.push(Issue::at(path(at, "fullUrl"), IssueCode::Invalid, what));
            }
        }
        issues.truncate(ISSUES_MAX);
        if issues.is_empty() { Ok(self) } else { Err(Outcome { issues }) }
    }
}

impl Entry {
    /// Which resource changes or goes; none if it is a new one or nothing changes.
    pub fn target(&self) -> Option<&Target> {
        match &self.action {
            Action::Update { target, .. }
            | Action::Patch { target, .. }
            | Action::Delete { target } => Some(target),
            Action::Create { .. } | Action::Read { .. } => None,
        }
    }
}

/// Refuses a resource that two entries change or delete: place of the entry, type and id. It is asked
/// again when what searches find is known.
pub fn apart<'a>(targets: impl Iterator<Item = (usize, &'a str, &'a str)>) -> Result<(), Outcome> {
    let mut seen = HashMap::new();
    let mut issues = Vec::new();
    for (at, type_, id) in targets {
        if seen.insert((type_, id), at).is_some() && issues.len() < ISSUES_MAX {
            let what = "another entry changes or deletes the same resource; say it in one";
            issues.push(Issue::at(path(at, "request.url"), IssueCode::Invalid, what));
        }
    }
    if issues.is_empty() { Ok(()) } else { Err(Outcome { issues }) }
}

/// `Bundle.entry[3].request.url`
pub(super) fn path(at: usize, element: &str) -> String {
    format!("Bundle.entry[{at}].{element}")
}

fn entry(at: usize, given: Value) -> Result<Entry, Outcome> {
    let wrong = |element: &str, code, what: &str| Outcome::at(path(at, element), code, what);
    let Value::Object(mut map) = given else {
        return Err(wrong("request", IssueCode::Structure, "an entry is an object"));
    };
    let resource = map.shift_remove("resource");
    let full_url = element::text(&map, "fullUrl").map(str::to_owned);
    if full_url.as_deref().is_some_and(|url| !is_full(url)) {
        let what = "a fullUrl is an absolute address, or urn:uuid: and a UUID in lower case";
        return Err(wrong("fullUrl", IssueCode::Value, what));
    }
    let Some(request) = element::object(&map, "request") else {
        return Err(wrong("request", IssueCode::Required, "say the method and the url"));
    };
    let asked = Asked { at, request, url: element::text(request, "url").unwrap_or_default() };
    let resource = match resource {
        Some(value) => {
            let read = Resource::from_value(value);
            Some(read.map_err(|outcome| beneath(outcome, &path(at, "resource")))?)
        }
        None => None,
    };
    let said = |name: &str| element::text(request, name).map(str::to_owned);
    Ok(Entry {
        full_url,
        action: asked.action(resource)?,
        if_match: said("ifMatch"),
        if_none_match: said("ifNoneMatch"),
        if_modified_since: said("ifModifiedSince"),
    })
}

/// The issues with the place where they were found.
fn beneath(outcome: Outcome, path: &str) -> Outcome {
    let placed = |issue: Issue| Issue { expression: Some(path.to_owned()), ..issue };
    Outcome { issues: outcome.issues.into_iter().map(placed).collect() }
}

fn is_full(url: &str) -> bool {
    if url.starts_with("urn:uuid:") {
        return Primitive::Uuid.check(&url.into()).is_ok();
    }
    if url.starts_with("urn:oid:") {
        return Primitive::Oid.check(&url.into()).is_ok();
    }
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
}

/// The request of an entry.
struct Asked<'a> {
    at: usize,
    request: &'a Map<String, Value>,
    url: &'a str,
}

impl Asked<'_> {
    fn action(&self, resource: Option<Resource>) -> Result<Action, Outcome> {
        let method = element::text(self.request, "method");
        let is_read = matches!(method, Some("GET" | "HEAD"));
        if (self.url.contains('$') && !is_read) || self.url.contains("/_search") {
            let what =
                "only operations that are asked by GET are done in a bundle; ask for others alone";
            return Err(self.wrong(IssueCode::NotSupported, what));
        }
        match method {
            Some("POST") => self.create(resource),
            Some("PUT") => self.update(resource),
            Some("PATCH") => self.patch(resource),
            Some("DELETE") => Ok(Action::Delete { target: self.target()? }),
            Some("GET") => Ok(Action::Read { url: self.relative().to_owned(), head: false }),
            Some("HEAD") => Ok(Action::Read { url: self.relative().to_owned(), head: true }),
            Some(_) | None => {
                let what = "the method is GET, HEAD, POST, PUT, PATCH or DELETE";
                Err(Outcome::at(path(self.at, "request.method"), IssueCode::Value, what))
            }
        }
    }

    fn wrong(&self, code: IssueCode, what: &str) -> Outcome {
        Outcome::at(path(self.at, "request.url"), code, what)
    }

    fn resource(&self, resource: Option<Resource>) -> Result<Resource, Outcome> {
        let what = "this method needs a resource";
        resource.ok_or_else(|| Outcome::at(path(self.at, "resource"), IssueCode::Required, what))
    }

    fn relative(&self) -> &str {
        self.url.strip_prefix('/').unwrap_or(self.url)
    }

    fn create(&self, resource: Option<Resource>) -> Result<Action, Outcome> {
        let resource = self.resource(resource)?;
        if self.relative() != resource.resource_type() {
            let what = "the url of a POST is the type of the resource and nothing else; a condition \
                        is said in ifNoneExist";
            return Err(self.wrong(IssueCode::Value, what));
        }
        let if_none_exist = element::text(self.request, "ifNoneExist").map(str::to_owned);
        Ok(Action::Create { resource, if_none_exist })
    }

    fn update(&self, resource: Option<Resource>) -> Result<Action, Outcome> {
        let resource = self.resource(resource)?;
        let target = self.target()?;
        let fits = match &target {
            Target::One { type_, id } => {
                resource.resource_type() == *type_ && resource.id() == Some(id)
            }
            Target::Found { type_, .. } => resource.resource_type() == *type_,
        };
        if !fits {
            let what = "the resource is not of the type and id that the url says";
            return Err(self.wrong(IssueCode::Value, what));
        }
        Ok(Action::Update { target, resource })
    }

    fn patch(&self, resource: Option<Resource>) -> Result<Action, Outcome> {
        let patch = self.resource(resource)?;
        if !matches!(patch.resource_type(), "Parameters" | "Binary") {
            let what = "a patch is a Parameters, or a Binary with a JSON Patch";
            return Err(Outcome::at(path(self.at, "resource"), IssueCode::Value, what));
        }
        Ok(Action::Patch { target: self.target()?, patch })
    }

    /// `Patient/one`, `Patient?identifier=7`
    fn target(&self) -> Result<Target, Outcome> {
        let url = self.relative();
        let found = match url.split_once('?') {
            Some((name, query)) => structure::type_name(name)
                .map(|type_| Target::Found { type_, query: query.to_owned() }),
            None => url.split_once('/').and_then(|(name, id)| {
                let type_ = structure::type_name(name)?;
                reference::is_id(id).then(|| Target::One { type_, id: id.to_owned() })
            }),
        };
        let what = "the url is Type/id, or Type? and a search";
        found.ok_or_else(|| self.wrong(IssueCode::Value, what))
    }
}
