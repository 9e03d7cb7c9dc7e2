//! The versions of one resource, and of all of a type
//! (<https://hl7.org/fhir/R4/http.html#history>).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use fhir::bundle::{Change as Did, Pages, Stored, Version, history};
use fhir::capability::Interaction;
use fhir::search::pairs;
use fhir::{Here, IssueCode, Outcome, provenance, related_person};
use jiff::Timestamp;
use prm::change::{self, Change};
use prm::chart;
use prm::db::Read;
use prm::error::{Error, Result};
use prm::id::{ChartId, Noun, PatientId};
use prm::query::{self, Log};
use prm::stamp::Right;
use prm::time::start_of_day;
use uuid::Uuid;

use super::fault::Answer;
use super::path::Path;
use super::records::{self, Record, Sought, Whose, noun_of};
use super::search::Shown;
use super::stamp::Stamp;
use super::wire::{Asked, plain};
use super::{note, served};
use crate::app::App;
use crate::http::read_audit;

/// Versions of a page.
const VERSIONS_MAX: u32 = 100;
/// The name under which the `next` link says before what to go on.
const BEFORE: &str = "_before";

/// Which versions are asked for.
struct Part {
    before: i64,
    limit: u32,
    since: Option<Timestamp>,
}

impl Part {
    fn of(asked: &Asked, app: &App) -> std::result::Result<Self, Outcome> {
        let pairs = pairs(&asked.query)?;
        let said = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        let number = |name: &str| match said(name) {
            None => Ok(None),
            Some(value) => value.parse::<i64>().map(Some).map_err(|_| {
                let what = format!("{name} is a whole number");
                Outcome::error(IssueCode::Value, what)
            }),
        };
        let limit = number("_count")?.map(|count| u32::try_from(count).unwrap_or(VERSIONS_MAX));
        let since = said("_since").map(|text| instant(app, text)).transpose()?;
        Ok(Self {
            before: number(BEFORE)?.unwrap_or(i64::MAX),
            limit: limit.unwrap_or(VERSIONS_MAX).clamp(1, VERSIONS_MAX),
            since,
        })
    }

    /// The addresses of this page and the next one.
    fn pages(&self, address: &str, asked: &Asked, last: Option<i64>) -> Pages {
        let kept = asked.query.split('&');
        let kept: Vec<&str> =
            kept.filter(|pair| !pair.is_empty() && !pair.starts_with(BEFORE)).collect();
        let this = match kept.as_slice() {
            [] => address.to_owned(),
            _ => format!("{address}?{}", kept.join("&")),
        };
        let sign = if kept.is_empty() { '?' } else { '&' };
        let next = last.map(|last| format!("{this}{sign}{BEFORE}={last}"));
        Pages { this, next }
    }
}

/// An instant, or a date on the clinic's clock.
fn instant(app: &App, text: &str) -> std::result::Result<Timestamp, Outcome> {
    // Whoever does not encode the `+` of a zone sends a space.
    let text = text.replace(' ', "+");
    let date = || text.parse().ok().map(|date| start_of_day(&app.clinic.zone, date));
    text.parse::<Timestamp>().ok().or_else(date).ok_or_else(|| {
        let what = "_since is an instant, such as 2026-11-23T10:00:00+05:30, or a date";
        Outcome::error(IssueCode::Value, what)
    })
}

/// The versions of one resource, the newest first.
pub async fn of_one(
    State(app): State<App>,
    asked: Asked,
    Path((name, id)): Path<(String, String)>,
) -> Answer<Response> {
    let type_ = served(&name, Interaction::HistoryInstance)?;
    let part = Part::of(&asked, &app)?;
    let address = format!("{}/{type_}/{id}/_history", asked.base);
    let (inside, clinic) = (asked.clone(), app.clinic.clone());
    let read = move |read: &Read<'_>| {
        let here = Here { clinic: &clinic, origin: &inside.base };
        let stamp = &inside.stamp;
        let now = records::one(read, stamp, here, (type_, &id), None)?;
        let noted = Noted::of(read, stamp, here, (type_, &id))?;
        let (mut versions, mut last) = (Vec::new(), None);
        match &noted {
            Noted::Under(noun, id_here, _) => {
                let limit = part.limit + 1;
                let which = (*noun, id_here.as_bytes());
                let mut changes = change::of(read, stamp, which, part.before, limit)?;
                let more = changes.len() > part.limit as usize;
                changes.truncate(part.limit as usize);
                last = changes.last().filter(|_| more).map(|last| last.version);
                let since = part.since.unwrap_or(Timestamp::MIN);
                for change in changes.iter().filter(|change| change.at >= since) {
                    versions.extend(version(read, stamp, here, (type_, &id), change)?);
                }
            }
            Noted::Nowhere => versions.extend(newest((type_, &id), &now)),
        }
        let mut whose = match now {
            Sought::Found(found) => found.whose,
            Sought::Gone => Vec::new(),
        };
        if let Noted::Under(noun, id_here, Some(patient)) = noted {
            whose = vec![Whose { noun, id: id_here, patient }];
        }
        let bundle = history(versions, None, part.pages(&address, &inside, last), here);
        Ok((bundle, whose))
    };
    let (bundle, whose) = app.db.read(read).await?;
    for Whose { noun, id, patient } in whose {
        read_audit::read(&app, *asked.stamp, noun, id.as_bytes(), patient).await?;
    }
    Ok(plain(StatusCode::OK, &bundle.into()))
}

/// Where the changes of a resource are noted.
enum Noted {
    /// Under this id, and whose it is, if it is kept as given.
    Under(Noun, Uuid, Option<PatientId>),
    /// Nowhere of their own: only the newest version is known.
    Nowhere,
}

impl Noted {
    fn of(
        read: &Read<'_>,
        stamp: &Stamp,
        here: Here<'_>,
        (type_, id): (&'static str, &str),
    ) -> Result<Self> {
        if type_ == provenance::TYPE && provenance::parse_id(id).is_some() {
            return Ok(Self::Nowhere);
        }
        match Record::load(read, stamp, here, (type_, id), None) {
            // Its versions are those of two patients.
            Ok(Record::RelatedPerson(_)) => Ok(Self::Nowhere),
            Ok(record) => Ok(Self::Under(record.noun(), record.id(here), None)),
            Err(Error::NotFound(_) | Error::Forbidden) => {
                let kept = chart::get(read, stamp, type_, id)?;
                Ok(Self::Under(Noun::Chart, kept.id.uuid(), kept.patient))
            }
            Err(error) => Err(error),
        }
    }
}

/// The newest version as an entry.
fn newest((type_, id): (&'static str, &str), now: &Sought) -> Option<Version> {
    let Sought::Found(found) = now else { return None };
    let (version, at) = found.at?;
    let stored = Stored { type_, id: id.to_owned(), version: version.to_string() };
    Some(Version { stored, change: Did::Updated, at, resource: Some(found.resource.clone()) })
}

/// A version as an entry; none of those from before versions were kept.
fn version(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    (type_, id): (&'static str, &str),
    change: &Change,
) -> Result<Option<Version>> {
    let (resource, did) = match records::one(read, stamp, here, (type_, id), Some(change.version)) {
        Ok(Sought::Found(found)) if change.version == 1 => (Some(found.resource), made(id, change)),
        Ok(Sought::Found(found)) => (Some(found.resource), Did::Updated),
        Ok(Sought::Gone) => (None, Did::Deleted),
        Err(Error::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let stored = Stored { type_, id: id.to_owned(), version: change.version.to_string() };
    Ok(Some(Version { stored, change: did, at: change.at, resource }))
}

/// How a resource was made: an id that it got here holds the time of its making (RFC 9562, version 7).
fn made(id: &str, change: &Change) -> Did {
    let time = Uuid::try_parse(id).ok().and_then(|id| id.get_timestamp()).map(|it| it.to_unix());
    let at = (change.at.as_second(), change.at.subsec_millisecond());
    let is_ours = time.is_some_and(|(seconds, nanos)| {
        (i64::try_from(seconds).ok(), i32::try_from(nanos / 1_000_000).ok())
            == (Some(at.0), Some(at.1))
    });
    if is_ours || change.noun != Noun::Chart.as_str() { Did::Created } else { Did::Put }
}

/// The versions of all resources of a type, the newest first.
pub async fn of_type(
    State(app): State<App>,
    asked: Asked,
    Path(name): Path<String>,
) -> Answer<Response> {
    let type_ = served(&name, Interaction::HistoryType)?;
    let part = Part::of(&asked, &app)?;
    let address = format!("{}/{type_}/_history", asked.base);
    let (inside, clinic) = (asked.clone(), app.clinic.clone());
    let read = move |read: &Read<'_>| {
        let here = Here { clinic: &clinic, origin: &inside.base };
        let stamp = &inside.stamp;
        records::may_read(stamp, type_)?;
        let (changes, last) = changes(read, stamp, type_, &part)?;
        let (mut versions, mut shown) = (Vec::with_capacity(changes.len()), Shown::default());
        for change in &changes {
            let Some(id) = name_of(read, stamp, here, type_, change)? else { continue };
            let Some(version) = version(read, stamp, here, (type_, &id), change)? else { continue };
            if version.resource.is_some() {
                let now = records::one(read, stamp, here, (type_, &id), None)?;
                if let Sought::Found(found) = now {
                    shown.add(&found);
                }
            }
            versions.push(version);
        }
        Ok((history(versions, None, part.pages(&address, &inside, last), here), shown))
    };
    let (bundle, shown) = app.db.read(read).await?;
    note(&app, &asked, noun_of(type_).unwrap_or(Noun::Chart), shown.once()).await?;
    Ok(plain(StatusCode::OK, &bundle.into()))
}

/// The changes of a type, and where the next page begins.
fn changes(
    read: &Read<'_>,
    stamp: &Stamp,
    type_: &str,
    part: &Part,
) -> Result<(Vec<Change>, Option<i64>)> {
    // Relations are no records of their own: their versions are those of two patients.
    let own = noun_of(type_).filter(|_| type_ != related_person::TYPE);
    let kept = records::is_kept(type_).then_some(Noun::Chart);
    let mut changes = Vec::new();
    for noun in own.into_iter().chain(kept).filter(|noun| stamp.may(Right::to_read(*noun))) {
        let kind = (noun == Noun::Chart).then_some(type_);
        let log = Log { noun, kind, since: part.since, before: Some(part.before) };
        changes.extend(query::changes(read, stamp, &log, part.limit + 1)?);
    }
    changes.sort_by_key(|change| std::cmp::Reverse(change.sequence));
    let more = changes.len() > part.limit as usize;
    changes.truncate(part.limit as usize);
    let last = changes.last().filter(|_| more).map(|last| last.sequence);
    Ok((changes, last))
}

/// What the resource of a change is called; nothing if it is none of this type.
fn name_of(
    read: &Read<'_>,
    stamp: &Stamp,
    here: Here<'_>,
    type_: &'static str,
    change: &Change,
) -> Result<Option<String>> {
    if change.noun == Noun::Chart.as_str() {
        let id = ChartId::from_bytes(change.resource.into_bytes());
        return Ok(Some(chart::by_id(read, stamp, id)?.name));
    }
    let id = change.resource.to_string();
    // A place in the queue of somebody unknown is no Encounter.
    match records::one(read, stamp, here, (type_, &id), None) {
        Ok(_) => Ok(Some(id)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
