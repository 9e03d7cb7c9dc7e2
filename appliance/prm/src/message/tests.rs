//! What is heard once, and what is sent when, by which way, how far.

use jiff::ToSpan as _;
use jiff::tz::TimeZone;

use super::*;
use crate::consent;
use crate::contact::Phone;
use crate::conversation::{self, Holder};
use crate::error::Code;
use crate::fixture::{World, refusal};
use crate::id::Noun;
use crate::stamp::{Actor, Stamp};

fn asha() -> Address {
    Address::Phone(Phone::parse("+919844111173", "IN").unwrap())
}

fn hearing(world: &World, id: &str, text: &str) -> Hearing {
    Hearing {
        medium: Medium::Whatsapp,
        provider_id: Some(id.to_owned()),
        from: vec![asha()],
        name: None,
        content: Content::text(text),
        said_at: world.stamp.now,
        answers: None,
    }
}

fn hears(world: &World, id: &str, text: &str) -> Told {
    let hearing = hearing(world, id, text);
    world.write(move |tx, stamp| hear(tx, stamp, hearing))
}

fn saying(conversation: ConversationId, purpose: Purpose) -> Saying {
    Saying {
        conversation,
        content: Content::text("Your visit is tomorrow."),
        purpose,
        route: [Medium::Whatsapp, Medium::Sms].map(|medium| Way { medium, address: asha() }).into(),
        not_before: None,
        not_after: None,
        collapse_key: Some("appointment:1:reminder".into()),
        reply_to: None,
    }
}

fn says(world: &World, saying: Saying) -> Message {
    world.write(move |tx, stamp| say(tx, stamp, saying))
}

fn one(world: &World, id: MessageId) -> Message {
    world.read(|read, stamp| get(read, stamp, id))
}

fn state(world: &World, id: MessageId) -> State {
    one(world, id).said().unwrap().state
}

/// When a message that was begun is looked at again.
fn later(stamp: &Stamp) -> Timestamp {
    stamp.now.checked_add(15.minutes()).unwrap()
}

fn quiet() -> Quiet {
    Quiet { zone: TimeZone::get("Asia/Kolkata").unwrap(), from: 21 * 60, to: 8 * 60 }
}

#[test]
fn what_comes_twice_is_heard_once() {
    let world = World::monday();
    let first = hears(&world, "wamid.1", "hello");
    let again = hears(&world, "wamid.1", "hello");
    assert_eq!(again, Told { is_new: false, ..first });
    let waiting = world.read(|read, stamp| waiting(read, stamp, 10));
    assert_eq!(waiting.iter().map(|it| it.id).collect::<Vec<_>>(), [first.id]);
    // Without an id nobody can tell.
    let unnamed = Hearing { provider_id: None, ..hearing(&world, "", "hello") };
    let twin = unnamed.clone();
    let one = world.write(move |tx, stamp| hear(tx, stamp, unnamed));
    let other = world.write(move |tx, stamp| hear(tx, stamp, twin));
    assert_ne!(one.id, other.id);
}

#[test]
fn a_message_is_handled_once_and_waits_for_a_person_if_it_is_left() {
    let world = World::monday();
    let told = hears(&world, "1", "hello");
    let id = told.id;
    world.write(move |tx, stamp| handled(tx, stamp, id, (Some("{}"), true)));
    let second = world.try_write(move |tx, stamp| handled(tx, stamp, id, (None, false)));
    assert_eq!(refusal(second), Code::IllegalStep);
    assert!(world.read(|read, stamp| waiting(read, stamp, 10)).is_empty());
    assert_eq!(world.read(conversation::unread), 1);
    world.write(move |tx, stamp| conversation::read(tx, stamp, told.conversation));
    assert_eq!(world.read(conversation::unread), 0);
}

#[test]
fn a_clock_elsewhere_that_runs_ahead_does_not_keep_its_message_the_latest() {
    let world = World::monday();
    let mut ahead = hearing(&world, "1", "from tomorrow");
    ahead.said_at = world.stamp.now.checked_add(24.hours()).unwrap();
    let told = world.write(move |tx, stamp| hear(tx, stamp, ahead));
    assert_eq!(one(&world, told.id).said_at, world.stamp.now);
}

#[test]
fn states_move_forward_only_in_whatever_order_they_are_told() {
    let world = World::monday();
    let conversation = hears(&world, "1", "hello").conversation;
    let id = says(&world, saying(conversation, Purpose::Reply)).id;
    let delivery = world.write(move |tx, stamp| begin(tx, stamp, (id, 0), later(stamp)));
    world.write(move |tx, stamp| hand(tx, stamp, delivery));
    let tell = |progress: Progress| {
        let report = Report {
            message: Some(id),
            medium: Medium::Whatsapp,
            provider_id: Some("wamid.9".into()),
            progress,
            error: None,
        };
        world.write(move |tx, stamp| delivered(tx, stamp, &report))
    };
    assert!(tell(Progress::Delivered));
    assert!(!tell(Progress::Sent));
    assert!(!tell(Progress::Failed));
    assert!(!tell(Progress::Delivered));
    assert_eq!(state(&world, id), State::Delivered);
    assert!(tell(Progress::Read));
    assert_eq!(state(&world, id), State::Read);
    // Known by the other's name alone, and unknown by another.
    let by_name = |name: &str| Report {
        message: None,
        medium: Medium::Whatsapp,
        provider_id: Some(name.into()),
        progress: Progress::Read,
        error: None,
    };
    let known = by_name("wamid.9");
    assert!(!world.write(move |tx, stamp| delivered(tx, stamp, &known)));
    let unknown = by_name("wamid.10");
    let lost = world.try_write(move |tx, stamp| delivered(tx, stamp, &unknown));
    assert!(matches!(lost, Err(Error::NotFound(Noun::Message))));
}

#[test]
fn a_failed_try_brings_the_message_back_to_the_outbox_for_its_next_way() {
    let mut world = World::monday();
    let conversation = hears(&world, "1", "hello").conversation;
    let id = says(&world, saying(conversation, Purpose::Reminder)).id;
    let due_now = |world: &World| world.read(|read, stamp| due(read, stamp, 10)).len();
    assert_eq!(due_now(&world), 1);
    world.write(move |tx, stamp| begin(tx, stamp, (id, 0), later(stamp)));
    assert_eq!(due_now(&world), 0);
    let failed = Report {
        message: Some(id),
        medium: Medium::Whatsapp,
        provider_id: None,
        progress: Progress::Failed,
        error: Some("131026".into()),
    };
    world.at_time("2026-11-23T08:01:00+05:30");
    world.write(move |tx, stamp| delivered(tx, stamp, &failed));
    assert_eq!(due_now(&world), 1);
    // Never the same way again.
    let again = world.try_write(move |tx, stamp| begin(tx, stamp, (id, 0), later(stamp)));
    assert_eq!(refusal(again), Code::IllegalStep);
    world.write(move |tx, stamp| skip(tx, stamp, (id, 1), "no-carrier"));
    world.write(move |tx, stamp| exhausted(tx, stamp, id, "no-way-left"));
    assert_eq!(state(&world, id), State::Failed);
    let errors: Vec<_> = world
        .read(|read, stamp| deliveries(read, stamp, id))
        .into_iter()
        .map(|it| it.error)
        .collect();
    assert_eq!(errors, [Some("131026".to_owned()), Some("no-carrier".to_owned())]);
    assert_eq!(world.read(conversation::unread), 1);
    assert_eq!(world.read(|read, stamp| super::failed(read, stamp, None, 10)).len(), 1);
    // Who saw it arrive knows better.
    let arrived = Report {
        message: Some(id),
        medium: Medium::Whatsapp,
        provider_id: None,
        progress: Progress::Delivered,
        error: None,
    };
    world.write(move |tx, stamp| delivered(tx, stamp, &arrived));
    assert_eq!(state(&world, id), State::Delivered);
}

#[test]
fn the_newest_of_a_key_takes_the_place_of_those_that_wait() {
    let world = World::monday();
    let conversation = hears(&world, "1", "hello").conversation;
    let old = says(&world, saying(conversation, Purpose::Reminder)).id;
    world.write(move |tx, stamp| begin(tx, stamp, (old, 0), later(stamp)));
    // It was begun, but nobody has taken it yet.
    let new = says(&world, saying(conversation, Purpose::Reminder)).id;
    assert_eq!(state(&world, new), State::Waiting);
    let off = world.write(|tx, stamp| withdraw(tx, stamp, "appointment:1:reminder"));
    assert_eq!((off, state(&world, new)), (1, State::Dropped));
    let queued = world.read(|read, stamp| queued(read, stamp, Medium::Whatsapp, 10));
    assert!(queued.is_empty());
    assert_eq!(state(&world, old), State::Dropped);
}

#[test]
fn quiet_hours_hold_back_what_nobody_asked_for() {
    let quiet = quiet();
    let at = |time: &str| format!("2026-11-{time}:00+05:30").parse::<Timestamp>().unwrap();
    assert_eq!(quiet.until(at("23T20:59")), None);
    assert_eq!(quiet.until(at("23T21:00")), Some(at("24T08:00")));
    assert_eq!(quiet.until(at("24T07:59")), Some(at("24T08:00")));
    assert_eq!(quiet.until(at("24T08:00")), None);
    let by_day = Quiet { from: 13 * 60, to: 15 * 60, ..quiet.clone() };
    assert_eq!(by_day.until(at("24T14:00")), Some(at("24T15:00")));
    assert_eq!(by_day.until(at("24T15:00")), None);
    let none = Quiet { from: 0, to: 0, ..quiet };
    assert_eq!(none.until(at("24T00:00")), None);
}

#[test]
fn what_is_judged_is_what_the_preview_shows() {
    let mut world = World::monday();
    let conversation = hears(&world, "1", "hello").conversation;
    let reminder = |key: &str| Saying {
        collapse_key: Some(key.into()),
        ..saying(conversation, Purpose::Reminder)
    };
    let stale_at = world.stamp.now.checked_add(2.hours()).unwrap();
    says(&world, Saying { not_after: Some(stale_at), ..reminder("stale") });
    says(&world, reminder("quiet"));
    says(&world, Saying { collapse_key: None, ..saying(conversation, Purpose::Reply) });
    world.at_time("2026-11-23T22:00:00+05:30");
    let shown = |world: &World| -> Vec<Judgement> {
        let seen = world.read(|read, stamp| preview(read, stamp, &quiet(), None, 10));
        seen.into_iter().map(|(_, judgement)| judgement).collect()
    };
    let morning = "2026-11-24T08:00:00+05:30".parse().unwrap();
    assert_eq!(shown(&world), [Judgement::Stale, Judgement::Quiet(morning), Judgement::Now]);
    world.write(|tx, stamp| consent::stop(tx, stamp, &asha()));
    assert_eq!(shown(&world), [Judgement::Stale, Judgement::NotWanted, Judgement::Now]);
}

#[test]
fn the_desk_may_write_to_somebody_who_wrote_after_they_opted_out() {
    let mut world = World::monday();
    let conversation = hears(&world, "1", "stop").conversation;
    world.write(|tx, stamp| consent::stop(tx, stamp, &asha()));
    says(&world, saying(conversation, Purpose::Desk));
    let judged = |world: &World| world.read(|r, s| preview(r, s, &quiet(), None, 10))[0].1;
    assert_eq!(judged(&world), Judgement::NotWanted);
    world.at_time("2026-11-23T09:00:00+05:30");
    hears(&world, "2", "are you open today?");
    assert_eq!(judged(&world), Judgement::Now);
}

#[test]
fn whoever_of_the_staff_writes_takes_the_conversation_over() {
    let world = World::monday();
    let conversation = hears(&world, "1", "hello").conversation;
    let addition = crate::staff::Addition {
        username: "asha".into(),
        name: "Asha".into(),
        role: crate::stamp::Role::Clerk,
        practitioner: None,
        password: crate::staff::hash_password("long enough").unwrap(),
    };
    let staff = world.write(|tx, stamp| crate::staff::add(tx, stamp, addition)).id;
    let clerk = Stamp { actor: Actor::Staff(staff), ..world.stamp };
    let saying = saying(conversation, Purpose::Desk);
    let said = world.db.write_blocking(move |tx| say(tx, &clerk, saying)).unwrap();
    assert_eq!((said.author, said.staff), (Author::Staff, Some(staff)));
    let now = world.read(|read, stamp| conversation::get(read, stamp, conversation));
    assert_eq!((now.held_by, now.assignee), (Holder::Desk, Some(staff)));
}

#[test]
fn what_no_medium_carries_is_refused() {
    let world = World::monday();
    let conversation = hears(&world, "1", "hello").conversation;
    let good = || saying(conversation, Purpose::Reply);
    let email = Address::email("asha@example.org").unwrap();
    let long = "a".repeat(crate::content::TEXT_LETTERS_MAX + 1);
    for wrong in [
        Saying { content: Content::text(" "), ..good() },
        Saying { content: Content::text(long), ..good() },
        Saying { route: Vec::new(), ..good() },
        Saying { route: vec![Way { medium: Medium::Sms, address: email }], ..good() },
        Saying { not_after: Some(Timestamp::UNIX_EPOCH), ..good() },
    ] {
        let refused = world.try_write(move |tx, stamp| say(tx, stamp, wrong));
        assert_eq!(refusal(refused), Code::Invalid);
    }
}

#[test]
fn logs_never_show_what_was_said_or_by_whom() {
    let world = World::monday();
    let told = hears(&world, "1", "my secret");
    let shown = format!("{:?} {:?}", one(&world, told.id), asha());
    assert!(!shown.contains("secret") && !shown.contains("98441"), "{shown}");
}
