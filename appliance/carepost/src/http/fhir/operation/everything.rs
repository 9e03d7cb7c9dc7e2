//! `Patient/[id]/$everything`: the patient and all that is in the patient's compartment, page by page
//! (<https://hl7.org/fhir/R4/patient-operation-everything.html>).
//!
//! The types come one after the other, so that a page ends at a place within one of them. What they refer
//! to outside of the compartment, such as a practitioner, is left to be read. Not among it are the lines
//! of the audit, which are asked of `AuditEvent`, who wrote what, which is asked of `Provenance`, and other
//! patients who point to this one.

use fhir::bundle::{Pages, Searchset, searchset};
use fhir::capability::Interaction;
use fhir::compartment::{self, TYPE};
use fhir::operation::Input;
use fhir::scope::Permission;
use fhir::search::{
    COUNT_MAX, Condition, LAST_UPDATED, Modifier, Prefix, Query, Value, encoded, parameter,
};
use fhir::{
    Here, Issue, IssueCode, Outcome, Resource, audit_event, matching, provenance, structure,
};
use prm::chart;
use prm::db::Read;
use prm::error::Error;
use prm::id::{Noun, PatientId};
use prm::stamp::Right;

use crate::http::fhir::records::{self, Found, Sought, noun_of};
use crate::http::fhir::search::{self, Shown};
use crate::http::fhir::served;
use crate::http::fhir::stamp::Stamp;
use crate::http::fhir::wire::Asked;
use crate::http::fhir::write::Refused;

/// Resources of a page if the caller does not say how many.
const PAGE: usize = 100;

/// What is asked for.
struct Wanted {
    id: String,
    /// The types, in the order in which they come.
    types: Vec<&'static str>,
    /// When it took place: after this and before that, in ms since 1970.
    span: (Option<i64>, Option<i64>),
    /// When it last changed: then or later.
    since: Option<i64>,
    count: usize,
    begin: Option<Place>,
}

/// Where a page begins: in a type, and there behind what.
type Place = (&'static str, Option<String>);

/// What a page holds.
struct Part {
    found: Vec<Found>,
    next: Option<Place>,
    hides_some: bool,
}

/// A page of everything, and whose it is.
///
/// # Errors
/// What cannot be read, and who is not here.
pub fn part(
    read: &Read<'_>,
    asked: &Asked,
    here: Here<'_>,
    id: &str,
    input: &Input,
) -> Result<(Resource, Shown), Refused> {
    let wanted = Wanted::of(id, input, here)?;
    let Part { found, next, hides_some } = wanted.part(read, asked, here)?;
    let mut shown = Shown::default();
    found.iter().for_each(|found| shown.add(found));
    let outcome = hides_some.then(|| {
        let what = "your role or your scopes let you see only some of it; the rest is left out";
        Outcome { issues: vec![Issue::warning(IssueCode::Forbidden, what)] }
    });
    let is_whole = wanted.begin.is_none() && next.is_none();
    let total = u64::try_from(found.len()).ok().filter(|_| is_whole);
    let link = link(here.origin, id, input);
    let sign = if link.contains('?') { '&' } else { '?' };
    let next = next.map(|(type_, behind)| {
        format!("{link}{sign}_cursor={type_}.{}", behind.unwrap_or_default())
    });
    let matches: Vec<Resource> = found.into_iter().map(|found| found.resource).collect();
    let pages = Pages { this: link, next };
    let set = Searchset { total, pages, matches, included: Vec::new(), outcome };
    Ok((searchset(set, here), shown.once()))
}

/// The address of the operation with what was said, but not where the page begins.
fn link(base: &str, id: &str, input: &Input) -> String {
    let names = ["start", "end", "_since", "_type", "_count"].into_iter();
    let said = names.flat_map(|name| input.texts(name).map(move |text| (name, text)));
    let said: Vec<String> = said.map(|(name, text)| format!("{name}={}", encoded(text))).collect();
    match said.as_slice() {
        [] => format!("{base}/{TYPE}/{id}/$everything"),
        said => format!("{base}/{TYPE}/{id}/$everything?{}", said.join("&")),
    }
}

impl Wanted {
    fn of(id: &str, input: &Input, here: Here<'_>) -> Result<Self, Outcome> {
        let wrong = |what: &str| Outcome::error(IssueCode::Value, what);
        // A day is meant from its beginning to its end.
        let start = input.time("start", here)?.map(|(from, _)| from);
        let end = input.time("end", here)?.map(|(_, to)| to);
        let since = input.time("_since", here)?.map(|(from, _)| from);
        let all = || {
            let others = compartment::each_type();
            let others = others.filter(|type_| *type_ != TYPE && *type_ != audit_event::TYPE);
            std::iter::once(TYPE).chain(others)
        };
        let named = input.texts("_type").flat_map(|text| text.split(',')).map(str::trim);
        let named: Vec<&str> = named.filter(|name| !name.is_empty()).collect();
        if named.iter().any(|name| structure::type_name(name).is_none()) {
            return Err(wrong("_type names types of FHIR R4, parted by commas"));
        }
        let types: Vec<&'static str> =
            all().filter(|type_| named.is_empty() || named.contains(type_)).collect();
        let count = match input.whole("_count")? {
            None => PAGE,
            Some(count) => usize::try_from(count).map_or(1, |count| count.clamp(1, COUNT_MAX)),
        };
        let begin = input.text("_cursor").map(|text| {
            let place = text.split_once('.').and_then(|(type_, behind)| {
                let type_ = types.iter().find(|it| **it == type_)?;
                Some((*type_, (!behind.is_empty()).then(|| behind.to_owned())))
            });
            place.ok_or_else(|| wrong("this page link is not one of the box's; begin again"))
        });
        Ok(Self {
            id: id.to_owned(),
            types,
            span: (start, end),
            since,
            count,
            begin: begin.transpose()?,
        })
    }

    /// A page of it.
    fn part(&self, read: &Read<'_>, asked: &Asked, here: Here<'_>) -> Result<Part, Refused> {
        let stamp = &asked.stamp;
        let patient = match records::one(read, stamp, here, (TYPE, &self.id), None)? {
            Sought::Found(found) => *found,
            Sought::Gone => return Err(Error::NotFound(Noun::Patient).into()),
        };
        let kinds = self.kinds(read, stamp)?;
        let mut patient = Some(patient);
        let mut part = Part { found: Vec::new(), next: None, hides_some: false };
        let (first, mut behind) = match &self.begin {
            Some((type_, behind)) => (Some(*type_), behind.clone()),
            None => (None, None),
        };
        let types = self.types.iter().copied();
        for type_ in types.skip_while(|type_| first.is_some_and(|first| first != *type_)) {
            let is_served = served(type_, Interaction::SearchType).is_ok();
            // The patient was read already.
            let is_within = type_ == TYPE || stamp.covers(type_, Permission::Search);
            if !is_served || !is_within || records::may_read(stamp, type_).is_err() {
                part.hides_some = true;
                continue;
            }
            if type_ == TYPE {
                let found = patient.take().filter(|found| self.is_since(&found.resource, here));
                part.found.extend(found);
                continue;
            }
            if noun_of(type_).is_none() && !kinds.iter().any(|kind| kind == type_) {
                continue;
            }
            let Some(query) = self.query(type_) else { continue };
            loop {
                let room = self.count - part.found.len();
                // One is enough to know that there is more.
                let size = room.max(1);
                let begin = behind.take();
                let (found, more) =
                    search::page(read, stamp, here, &query, (begin.as_deref(), size))?;
                if room == 0 {
                    if found.is_empty() {
                        break;
                    }
                    part.next = Some((type_, begin));
                    return Ok(part);
                }
                part.found.extend(found.into_iter().filter(|it| self.is_then(&it.resource, here)));
                match more {
                    None => break,
                    more => behind = more,
                }
            }
        }
        Ok(part)
    }

    /// The types that are kept as given and have something of it: of the many most have nothing.
    fn kinds(&self, read: &Read<'_>, stamp: &Stamp) -> Result<Vec<String>, Error> {
        let id: PatientId = self.id.parse().map_err(|_| Error::NotFound(Noun::Patient))?;
        if stamp.may(Right::ReadChart) { chart::kinds_of(read, stamp, id) } else { Ok(Vec::new()) }
    }

    /// The search for what a type has of it.
    fn query(&self, type_: &'static str) -> Option<Query> {
        let since = self.since.and_then(|since| since_then(type_, since));
        compartment::within(Query::of(type_, since.into_iter().collect()), &self.id)
    }

    fn is_since(&self, resource: &Resource, here: Here<'_>) -> bool {
        let since = self.since.and_then(|since| since_then(resource.resource_type(), since));
        since.is_none_or(|since| matching::matches(resource, &since, here))
    }

    /// Whether it took place in the stretch; what does not say when is wanted, too. Who wrote what on
    /// this box is not.
    fn is_then(&self, resource: &Resource, here: Here<'_>) -> bool {
        let is_of_box = || resource.id().and_then(provenance::parse_id).is_some();
        if resource.resource_type() == provenance::TYPE && is_of_box() {
            return false;
        }
        let (start, end) = self.span;
        let when = compartment::when(resource.resource_type());
        let Some(parameter) = when.filter(|_| start.is_some() || end.is_some()) else {
            return true;
        };
        let is = |modifier, value| {
            let condition = Condition { parameter, modifier, any: vec![value] };
            matching::matches(resource, &condition, here)
        };
        let date = |prefix, at: i64| Value::Date { prefix, from_ms: at, to_ms: at };
        is(Some(Modifier::Missing), Value::Flag(true))
            || (start.is_none_or(|start| is(None, date(Prefix::Gt, start)))
                && end.is_none_or(|end| is(None, date(Prefix::Lt, end))))
    }
}

/// That a resource changed then or later.
fn since_then(type_: &str, since: i64) -> Option<Condition> {
    let parameter = parameter(type_, LAST_UPDATED)?;
    let any = vec![Value::Date { prefix: Prefix::Gt, from_ms: since, to_ms: since }];
    Some(Condition { parameter, modifier: None, any })
}
