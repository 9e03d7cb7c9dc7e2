//! What a box has as FHIR, beside what the hub holds.

use std::collections::BTreeMap;

use carepost::http::fhir::told::shown;
use prm::change;
use prm::db::Read;
use prm::error::Result;
use prm::id::Noun;
use prm::stamp::Stamp;
use prm::statement;

use super::boxes::BoxEnd;
use super::hub::HubEnd;

/// Which resources show which records.
const SHOWN: [(Noun, &[&str]); 10] = [
    (Noun::Clinic, &["Organization"]),
    (Noun::Patient, &["Patient"]),
    (Noun::Practitioner, &["Practitioner", "PractitionerRole"]),
    (Noun::Location, &["Location"]),
    (Noun::HealthcareService, &["HealthcareService"]),
    (Noun::Schedule, &["Schedule"]),
    (Noun::Appointment, &["Appointment"]),
    (Noun::QueueEntry, &["Encounter", "Task"]),
    (Noun::Device, &["Device"]),
    (Noun::Loan, &["Slot"]),
];
/// More than any story makes.
const RECORDS_MAX: usize = 1000;

/// A record, and the number of its last change.
struct Shown {
    body: Vec<u8>,
    changed: i64,
}

fn all(read: &Read<'_>, stamp: &Stamp) -> Result<BTreeMap<String, Shown>> {
    let limit = u32::try_from(RECORDS_MAX * 10).unwrap_or(u32::MAX);
    let changes = change::after(read, 0, limit)?;
    let last: BTreeMap<_, _> = changes.iter().map(|it| (it.resource, it.sequence)).collect();
    let mut found = BTreeMap::new();
    for (noun, kinds) in SHOWN {
        for id in statement::ids(read, stamp, noun, None, RECORDS_MAX)? {
            for kind in kinds {
                let Some(resource) = shown(read, stamp, kind, id, None)? else { continue };
                let changed = last.get(&id).copied().unwrap_or(0);
                found.insert(format!("{kind}/{id}"), Shown { body: resource.to_vec(), changed });
            }
        }
    }
    Ok(found)
}

/// Why the hub does not hold what its receipts said, or nothing.
pub fn held(of: &BoxEnd, hub: &HubEnd) -> Option<String> {
    let stamp = of.stamp();
    let read = of.db.read_blocking(|read| {
        let (log, last) = (change::log_id(read)?, change::last(read)?);
        let standing = prm::hub::standing(read)?.filter(|it| it.log == log && it.whole);
        Ok((standing, all(read, &stamp)?, last))
    });
    let (standing, own, last) = match read {
        Ok(found) => found,
        Err(error) => return Some(format!("the records cannot be read: {error}")),
    };
    let standing = standing.filter(|it| it.stop.is_none())?;
    for (key, shown) in own.iter().filter(|(_, it)| it.changed <= standing.through) {
        match hub.record(key) {
            None => return Some(format!("{key} is said to be held and is not")),
            Some(held) if held == shown.body => {}
            Some(held) => {
                let text = |body: &[u8]| String::from_utf8_lossy(body).into_owned();
                let differ = differing(&text(&held), &text(&shown.body));
                return Some(format!("{key} is held otherwise: {differ}"));
            }
        }
    }
    let is_all = standing.through == last;
    let (count, held) = (own.len() as u64, hub.record_count());
    (is_all && count != held).then(|| format!("the box has {count} records, the hub holds {held}"))
}

/// Both texts from where they differ.
fn differing(held: &str, own: &str) -> String {
    let same = held.bytes().zip(own.bytes()).take_while(|(a, b)| a == b).count();
    let from = same.saturating_sub(40);
    let part = |text: &str| text.get(from..text.len().min(same + 80)).map(str::to_owned);
    let (held, own) = (part(held).unwrap_or_default(), part(own).unwrap_or_default());
    format!("…{held}… is held, …{own}… is shown")
}
