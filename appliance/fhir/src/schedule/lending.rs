//! How much of a session is lent to the hub, as an extension of `Schedule`.

use prm::schedule::Lending;
use serde_json::Value;

use crate::element::{self, Map};
use crate::extension::{self, Extension, with};
use crate::outcome::{Issue, IssueCode};

const SHARE: &str = "sharePercent";
const CUTOFF: &str = "cutoffHours";
const HORIZON: &str = "horizonDays";

/// The extension that says so.
pub(super) const LENDING: Extension<Lending> =
    Extension { url: extension::LENDING, most: 1, read, write };

/// What a record holds of it; nothing if all of it is as the settings say.
pub(super) fn of(lending: Lending) -> Vec<Lending> {
    if lending == Lending::default() { Vec::new() } else { vec![lending] }
}

/// What is wrong with it, if it is there and cannot be read: what is not understood would otherwise be
/// lent as the settings say.
pub(super) fn wrong(map: &Map) -> Option<Issue> {
    let given = extension::first(map, extension::LENDING)?;
    if read(given).is_some() {
        return None;
    }
    let what = "say sharePercent (valueUnsignedInt), cutoffHours and horizonDays (valuePositiveInt), \
                each at most once, and nothing else";
    let at = format!("Schedule.extension('{}')", extension::LENDING);
    Some(Issue::at(at, IssueCode::Value, what))
}

fn read(entry: &Map) -> Option<Lending> {
    let elements = element::list(entry, "extension");
    let mut lending = Lending::default();
    for (_, part) in element::objects(elements) {
        let (place, value) = match element::text(part, "url")? {
            SHARE => (&mut lending.share_percent, "valueUnsignedInt"),
            CUTOFF => (&mut lending.cutoff_hours, "valuePositiveInt"),
            HORIZON => (&mut lending.horizon_days, "valuePositiveInt"),
            _ => return None,
        };
        if place.replace(element::whole(part, value)?).is_some() {
            return None;
        }
    }
    (lending != Lending::default()).then_some(lending)
}

fn write(url: &'static str, lending: &Lending) -> Value {
    let Lending { share_percent, cutoff_hours, horizon_days } = lending;
    let positive = |name, number: &i64| with(name, "valuePositiveInt", *number);
    let mut elements = Vec::new();
    elements.extend(share_percent.iter().map(|it| with(SHARE, "valueUnsignedInt", *it)));
    elements.extend(cutoff_hours.iter().map(|it| positive(CUTOFF, it)));
    elements.extend(horizon_days.iter().map(|it| positive(HORIZON, it)));
    extension::of(url, elements)
}
