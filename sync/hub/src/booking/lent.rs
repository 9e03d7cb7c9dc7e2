//! Slots that the box has lent: found, sold, called off; and wishes for times that are not lent.

use std::collections::{BTreeMap, BTreeSet};

use fhir::extension::{CHECK_IN_CODE, SALE_CONFIRMATION};
use fhir::operation::{Input, Pointer};
use fhir::search::encoded;
use fhir::slot::Time;
use fhir::{Issue, IssueCode, Outcome, Resource, slot};
use jiff::Timestamp;
use serde_json::Value;
use sync_protocol::ask::{Ask, Proposal};
use sync_protocol::downlink::RequestId;
use sync_protocol::loan::{BookingId, Refusal};
use sync_protocol::wire::SlotKey;
use uuid::Uuid;

use super::visit::{self, Comes, Visit};
use super::{Answered, Named, NotDone, named, patient};
use crate::loans::{self, Asking, Bought, NotSold};
use crate::requests;
use crate::search::Place;
use crate::store;

/// Lent slots that one question looks at.
const LENT_MAX: u32 = 20_000;
/// Lanes of one slot.
const LANES_MAX: u32 = 100;
/// Slots that are held for somebody and looked at.
const HELD_MAX: u32 = 5_000;
/// Times of a page if the caller does not say how many.
const PAGE: usize = 50;
/// The most times of a page.
const PAGE_MAX: usize = 1_000;
/// The bytes of a slot's key before its lane: the schedule, and the minute.
const SLOT_BYTES: usize = 20;
/// As long after the start does the QR open a check-in: as on the box.
const QR_HOURS: i64 = 24;
/// What may be said and changes nothing here.
const UNSEEN: [&str; 10] = [
    "specialty",
    "visit-type",
    "organization",
    "location-string",
    "location-reference",
    "patient-resource",
    "reason",
    "referral-identifier",
    "timing",
    "insurance-reference",
];

/// The id of the slot that a key is of, and when it starts.
fn slot_of(key: &SlotKey) -> Option<(String, Timestamp)> {
    let (schedule, rest) = key.0.split_first_chunk::<16>()?;
    let (minute, _) = rest.split_first_chunk::<4>()?;
    let minute = u32::from_be_bytes(*minute);
    let start = Timestamp::from_second(i64::from(minute) * 60).ok()?;
    Some((format!("{}.{minute}", Uuid::from_bytes(*schedule)), start))
}

/// The lanes of a slot that may be sold now, those held for others left out.
pub(super) fn lanes(
    place: Place<'_>,
    slot: &str,
    own: Option<[u8; 16]>,
) -> Result<Vec<SlotKey>, NotDone> {
    let (hub, clinic) = (place.records.hub(), place.records.id());
    let Some((schedule, minute)) = slot.split_once('.') else { return Ok(Vec::new()) };
    let (Ok(schedule), Ok(minute)) = (Uuid::try_parse(schedule), minute.parse::<u32>()) else {
        return Ok(Vec::new());
    };
    let mut begin = schedule.as_bytes().to_vec();
    begin.extend(minute.to_be_bytes());
    debug_assert_eq!(begin.len(), SLOT_BYTES, "a key begins with the slot");
    // The slot alone comes before all its lanes.
    let after = SlotKey(begin.clone());
    let mut lanes = on_offer(place, Some(&after), LANES_MAX)?;
    lanes.retain(|it| it.0.starts_with(&begin));
    let now_ms = hub.clock.now_ms();
    let held = hub.store.read(clinic, |tx| store::held_slots(tx, clinic, now_ms, HELD_MAX))?;
    let is_others = |key: &SlotKey| held.iter().any(|(slot, id)| slot == key && Some(*id) != own);
    lanes.retain(|it| !is_others(it));
    Ok(lanes)
}

/// What may be sold now; nothing if no box is listened to.
fn on_offer(
    place: Place<'_>,
    after: Option<&SlotKey>,
    limit: u32,
) -> Result<Vec<SlotKey>, NotDone> {
    match loans::on_offer(place.records.hub(), place.records.id(), after, limit) {
        Err(NotSold::NoBox) => Ok(Vec::new()),
        found => found.map_err(NotDone::Loan),
    }
}

/// When a slot is, and with whom, as its schedule says; none if that is not here.
pub(super) fn time(place: Place<'_>, slot: &str) -> Result<Option<Time>, NotDone> {
    let Some(schedule) = Time::schedule(slot) else { return Ok(None) };
    let schedule = place.records.one("Schedule", &schedule)?;
    Ok(schedule.and_then(|it| Time::of(slot, &it)))
}

/// Times that are lent and fit.
pub(super) fn found(place: Place<'_>, input: &Input) -> Result<Answered, NotDone> {
    let here = place.here;
    let from = input.time("start", here)?.map_or(i64::MIN, |(from, _)| from);
    let to = input.time("end", here)?.map_or(i64::MAX, |(_, to)| to);
    let mut practitioners = BTreeSet::new();
    for pointer in input.pointers("practitioner", here)? {
        match pointer {
            Pointer::To { type_: "Practitioner" | "PractitionerRole", id } => {
                practitioners.insert(id);
            }
            Pointer::To { .. } | Pointer::Identified { .. } => {
                let what = "practitioner refers to one who is here, as Practitioner/<id>";
                return Err(Outcome::error(IssueCode::Value, what).into());
            }
        }
    }
    let comes = patient(place, input)?;
    let mut times = lent_times(place, (from, to))?;
    times.retain(|time| {
        let is_with = |it: &String| practitioners.contains(it);
        practitioners.is_empty() || time.practitioner.as_ref().is_some_and(is_with)
    });
    Ok(page(place, input, &times, (comes.as_ref(), &practitioners))?)
}

/// Times that are lent, not held for anybody, and within these milliseconds since 1970 UTC, by start.
pub(crate) fn lent_times(place: Place<'_>, (from, to): (i64, i64)) -> Result<Vec<Time>, NotDone> {
    let clinic = place.records.id();
    let hub = place.records.hub();
    let now_ms = hub.clock.now_ms();
    let held = hub.store.read(clinic, |tx| store::held_slots(tx, clinic, now_ms, HELD_MAX))?;
    let mut schedules: BTreeMap<String, Option<Resource>> = BTreeMap::new();
    let mut times: Vec<Time> = Vec::new();
    for key in on_offer(place, None, LENT_MAX)? {
        let Some((slot, start)) = slot_of(&key) else { continue };
        let starts = start.as_millisecond();
        if starts < from || starts >= to || held.iter().any(|(slot, _)| *slot == key) {
            continue;
        }
        let Some(schedule) = Time::schedule(&slot) else { continue };
        if !schedules.contains_key(&schedule) {
            let found = place.records.one("Schedule", &schedule)?;
            schedules.insert(schedule.clone(), found);
        }
        let of = schedules.get(&schedule).and_then(Option::as_ref);
        let Some(time) = of.and_then(|of| Time::of(&slot, of)) else { continue };
        let ends = time.end.as_millisecond();
        if ends <= to && times.last().is_none_or(|last| last.id != time.id) {
            times.push(time);
        }
    }
    times.sort_by_key(|it| (it.start, it.id));
    Ok(times)
}

fn page(
    place: Place<'_>,
    input: &Input,
    times: &[Time],
    (comes, practitioners): (Option<&Comes>, &BTreeSet<String>),
) -> Result<Answered, Outcome> {
    let count = input.whole("_count")?.and_then(|it| usize::try_from(it).ok());
    let count = count.unwrap_or(PAGE).min(PAGE_MAX);
    let begin = match input.text("_cursor") {
        None => 0,
        Some(after) => times.partition_point(|it| cursor(it).as_str() <= after),
    };
    let shown: Vec<&Time> = times.iter().skip(begin).take(count).collect();
    let next = shown.last().filter(|_| begin + shown.len() < times.len()).map(|last| {
        let mut said = vec![format!("_count={count}"), format!("_cursor={}", cursor(last))];
        for name in ["start", "end"] {
            said.extend(input.texts(name).map(|text| format!("{name}={}", encoded(text))));
        }
        said.extend(practitioners.iter().map(|id| format!("practitioner=Practitioner/{id}")));
        let patient = comes.and_then(|it| it.id.as_deref());
        said.extend(patient.map(|id| format!("patient-reference=Patient/{id}")));
        said.join("&")
    });
    let proposed = shown.iter().map(|time| {
        let visit = Visit {
            id: time.proposal(),
            status: "proposed",
            time,
            comes: comes.map(|it| (it, "needs-action")),
            wished: None,
            extensions: Vec::new(),
        };
        visit.to_resource(place.here)
    });
    let mut issues = vec![Issue::information(
        "the clinic's box is away: these are the times that it has lent for booking meanwhile",
    )];
    let unseen: Vec<&str> = UNSEEN.into_iter().filter(|name| input.says(name)).collect();
    if !unseen.is_empty() {
        let what = format!("not looked at: {}", unseen.join(", "));
        issues.push(Issue::warning(IssueCode::NotSupported, what));
    }
    let counts = (times.len(), Some(Outcome { issues }));
    let resource = visit::bundle(proposed.collect(), ("$find", next), counts, place.here);
    Ok(Answered { status: 200, resource })
}

/// Where a time stands among others; letters compare as times do.
fn cursor(time: &Time) -> String {
    format!("{:012}_{}", time.start.as_second(), time.id)
}

/// Books a time: sold if it is lent, else wished for.
pub(super) fn booked(place: Place<'_>, input: &Input, new: Uuid) -> Result<Answered, NotDone> {
    let (slot, wished) = match named(place, input)? {
        Some(Named::Time(slot)) => (Some(slot), None),
        Some(Named::Whole(whole)) if whole.id().is_none_or(is_proposal) => {
            (slot::named(&whole), Some(whole))
        }
        Some(Named::There(_) | Named::Whole(_)) => {
            let what =
                "the clinic's box is away, and only it knows this appointment; ask again later";
            return Err(NotDone::new(503, IssueCode::Timeout, what));
        }
        None => None.unzip(),
    };
    let Some(slot) = slot else {
        let what =
            "name a time: appointment-reference of a proposal, or a whole resource with its slot";
        return Err(Outcome::error(IssueCode::Required, what).into());
    };
    let comes = patient(place, input)?.ok_or_else(|| {
        let what = "say who comes, by patient-reference or patient-resource";
        Outcome::error(IssueCode::Required, what)
    })?;
    let Some(time) = time(place, &slot)? else {
        let what = "there is no such time; find one with $find";
        return Err(NotDone::new(404, IssueCode::NotFound, what));
    };
    for lane in lanes(place, &slot, None)? {
        if let Some(sold) = sell(place, new, (&lane, &time), (&comes, wished.as_deref()))? {
            return Ok(sold);
        }
    }
    let now_ms = place.records.hub().clock.now_ms();
    let clinic = place.records.id();
    let held = place
        .records
        .hub()
        .store
        .read(clinic, |tx| store::held_slots(tx, clinic, now_ms, HELD_MAX))?;
    if held.iter().any(|(key, _)| slot_of(key).is_some_and(|(id, _)| id == slot)) {
        return Err(NotDone::taken());
    }
    wish(place, new, &time, (&comes, wished.as_deref()))
}

fn is_proposal(id: &str) -> bool {
    fhir::appointment::proposal::Proposal::parse(id).is_some()
}

/// What was sold as this appointment before, answered as it was then; none if nothing was.
pub(super) fn sold(place: Place<'_>, new: Uuid) -> Result<Option<Answered>, NotDone> {
    let (hub, clinic) = (place.records.hub(), place.records.id());
    let booking = BookingId(new.into_bytes());
    let Some((lane, bundle)) = loans::sold(hub, clinic, booking)? else { return Ok(None) };
    let told: Value = serde_json::from_slice(&bundle).unwrap_or_default();
    let part = |at: usize| Resource::from_value(told["entry"][at]["resource"].clone()).ok();
    let (Some(patient), Some(wished)) = (part(0), part(1)) else { return Ok(None) };
    let comes = match patient.id() {
        Some(id) => Comes::on_record(&patient, id),
        None => Comes::described(&patient),
    };
    let slot = slot_of(&lane).map(|(slot, _)| slot).unwrap_or_default();
    let Some(time) = time(place, &slot)? else { return Ok(None) };
    sell(place, new, (&lane, &time), (&comes, Some(&wished)))
}

/// Sells a lane of a slot as a new appointment; none if it cannot be sold any more.
pub(super) fn sell(
    place: Place<'_>,
    new: Uuid,
    (lane, time): (&SlotKey, &Time),
    (comes, wished): (&Comes, Option<&Resource>),
) -> Result<Option<Answered>, NotDone> {
    let Some(bought) = bought(place, new, (lane, time), (comes, wished))? else { return Ok(None) };
    let extensions = vec![
        visit::text(CHECK_IN_CODE, &bought.qr),
        visit::text(SALE_CONFIRMATION, &bought.confirmation),
    ];
    let visit = Visit { extensions, ..booked_visit(new, time, (comes, wished)) };
    let matches = vec![visit.to_resource(place.here)];
    let resource = visit::bundle(matches, ("$book", None), (1, None), place.here);
    Ok(Some(Answered { status: 200, resource }))
}

fn booked_visit<'a>(
    new: Uuid,
    time: &'a Time,
    (comes, wished): (&'a Comes, Option<&'a Resource>),
) -> Visit<'a> {
    Visit {
        id: new.to_string(),
        status: "booked",
        time,
        comes: Some((comes, "accepted")),
        wished,
        extensions: Vec::new(),
    }
}

/// Buys a lent time as this new appointment, or answers as what it was bought before; none if it is not to be had.
pub(crate) fn buy(
    place: Place<'_>,
    new: Uuid,
    slot: &str,
    (comes, wished): (&Comes, Option<&Resource>),
) -> Result<Option<(Time, Bought)>, NotDone> {
    let (hub, clinic) = (place.records.hub(), place.records.id());
    let before = loans::sold(hub, clinic, BookingId(new.into_bytes()))?;
    let lanes = match before {
        Some((lane, _)) => vec![lane],
        None => lanes(place, slot, None)?,
    };
    for lane in lanes {
        let Some((slot, _)) = slot_of(&lane) else { continue };
        let Some(time) = time(place, &slot)? else { continue };
        if let Some(bought) = bought(place, new, (&lane, &time), (comes, wished))? {
            return Ok(Some((time, bought)));
        }
    }
    Ok(None)
}

/// Buys a lane of a slot; none if it cannot be sold any more.
fn bought(
    place: Place<'_>,
    new: Uuid,
    (lane, time): (&SlotKey, &Time),
    (comes, wished): (&Comes, Option<&Resource>),
) -> Result<Option<Bought>, NotDone> {
    let visit = booked_visit(new, time, (comes, wished));
    let bundle = visit.to_bundle(place.here).unwrap_or_default();
    let not_after = time.start.as_millisecond().saturating_add(QR_HOURS * 3_600_000);
    let asking = Asking {
        slot: lane,
        booking: BookingId(new.into_bytes()),
        bundle: &bundle,
        not_after_ms: not_after,
    };
    match loans::sell(place.records.hub(), place.records.id(), &asking) {
        Ok(bought) => Ok(Some(bought)),
        Err(NotSold::Refused(
            Refusal::NotLent | Refusal::Booked | Refusal::Over | Refusal::Unsettled,
        )) => Ok(None),
        Err(error) => Err(NotDone::Loan(error)),
    }
}

/// Tells the box that somebody wants to come. It is a wish and no booking.
fn wish(
    place: Place<'_>,
    id: Uuid,
    time: &Time,
    (comes, wished): (&Comes, Option<&Resource>),
) -> Result<Answered, NotDone> {
    let (hub, clinic) = (place.records.hub(), place.records.id());
    let visit = Visit {
        id: id.to_string(),
        status: "proposed",
        time,
        comes: Some((comes, "needs-action")),
        wished,
        extensions: Vec::new(),
    };
    let bundle = visit.to_bundle(place.here).unwrap_or_default();
    let ask = Ask::Proposal(Proposal { id: RequestId(id.into_bytes()), bundle });
    hub.store.write(clinic, |tx| requests::put(hub, tx, clinic, &ask))?;
    hub.requests.wake(clinic);
    let what = "this is a wish and not yet booked: the clinic decides, and tells the patient";
    let outcome = Outcome { issues: vec![Issue::information(what)] };
    let matches = vec![visit.to_resource(place.here)];
    let resource = visit::bundle(matches, ("$book", None), (1, Some(outcome)), place.here);
    Ok(Answered { status: 202, resource })
}

/// Calls off what was sold, while the hub still has the slot; none if it was not sold here or is the
/// box's by now.
pub(super) fn cancelled(place: Place<'_>, id: [u8; 16]) -> Result<Option<Answered>, NotDone> {
    let (hub, clinic, booking) = (place.records.hub(), place.records.id(), BookingId(id));
    let Some(sale) = hub.store.read(clinic, |tx| store::sale(tx, clinic, booking))? else {
        return Ok(None);
    };
    match loans::cancel(hub, clinic, &sale.slot, booking) {
        Ok(()) => {}
        Err(NotSold::Refused(Refusal::NotLent | Refusal::OtherBooking) | NotSold::NoBox) => {
            return Ok(None);
        }
        Err(error) => return Err(NotDone::Loan(error)),
    }
    let slot = slot_of(&sale.slot).map(|(slot, _)| slot).unwrap_or_default();
    let Some(time) = time(place, &slot)? else { return Ok(None) };
    let resource = Visit::called_off(Uuid::from_bytes(id), &time).to_resource(place.here);
    Ok(Some(Answered { status: 200, resource }))
}
