//! Whose conversation it is, and who answers in it.

use super::*;
use crate::consent;
use crate::contact::Phone;
use crate::content::Content;
use crate::error::Code;
use crate::fixture::{World, refusal};
use crate::medium::Medium;
use crate::message::{self, Hearing, Told};
use crate::patient;
use crate::stamp::{Role, Stamp};

const ASHA: &str = "+919844111173";

fn phone(number: &str) -> Address {
    Address::Phone(Phone::parse(number, "IN").unwrap())
}

fn user() -> Address {
    Address::whatsapp("IN.13491208655302741918").unwrap()
}

/// Hears a text by WhatsApp.
fn hears(world: &World, id: &str, from: &[Address], text: &str) -> Told {
    let hearing = Hearing {
        medium: Medium::Whatsapp,
        provider_id: Some(id.to_owned()),
        from: from.to_vec(),
        name: Some("Asha".into()),
        content: Content::text(text),
        said_at: world.stamp.now,
        answers: None,
    };
    world.write(move |tx, stamp| message::hear(tx, stamp, hearing))
}

#[test]
fn one_address_is_one_conversation_and_nobody_is_chosen_of_a_family() {
    let world = World::monday();
    let mother = world.patient("Asha Rao", "98441 11173", "1984-05-02");
    let told = hears(&world, "1", &[phone(ASHA)], "hello");
    let alone = world.read(|read, stamp| people(read, stamp, told.conversation));
    assert_eq!(alone.iter().map(|it| it.id).collect::<Vec<_>>(), [mother]);
    let son = world.patient("Arun Rao", "98441 11173", "2015");
    let again = hears(&world, "2", &[phone(ASHA)], "anybody?");
    assert_eq!(again.conversation, told.conversation);
    let both = world.read(|read, stamp| people(read, stamp, told.conversation));
    assert_eq!(both.iter().map(|it| it.id).collect::<Vec<_>>(), [mother, son]);
    let conversation = world.read(|read, stamp| get(read, stamp, told.conversation));
    assert_eq!(conversation.patient, None);
}

#[test]
fn two_conversations_become_one_when_a_message_shows_both_addresses_or_both_are_of_one_patient() {
    let world = World::monday();
    let asha = world.patient("Asha Rao", "98441 11173", "1984-05-02");
    let by_phone = hears(&world, "1", &[phone(ASHA)], "one");
    let by_user = hears(&world, "2", &[user()], "two");
    assert_ne!(by_phone.conversation, by_user.conversation);
    let third = hears(&world, "3", &[phone(ASHA), user()], "three");
    assert_eq!(third.conversation, by_phone.conversation);
    // The one that was joined leads to the other, with everything that was said in it.
    let joined = world.read(|read, stamp| get(read, stamp, by_user.conversation));
    assert_eq!(joined.id, by_phone.conversation);
    let all = world
        .read(|read, stamp| message::of_conversation(read, stamp, by_user.conversation, None, 10));
    assert_eq!(all.len(), 3);

    let email = Address::email("Asha@Example.org").unwrap();
    let by_email = hears(&world, "4", &[email], "four");
    let (one, other) = (by_phone.conversation, by_email.conversation);
    world.write(move |tx, stamp| identify(tx, stamp, one, Some(asha)));
    let kept = world.write(move |tx, stamp| identify(tx, stamp, other, Some(asha)));
    assert_eq!((kept.id, kept.patient), (other, Some(asha)));
    let listed =
        world.read(|read, stamp| threads(read, stamp, Filter::default(), None, THREADS_MAX));
    assert_eq!(listed.iter().map(|it| it.id).collect::<Vec<_>>(), [other]);
    // Also the one that had been joined before.
    assert_eq!(world.read(|read, stamp| get(read, stamp, by_user.conversation)).id, other);
}

#[test]
fn conversations_of_two_patients_that_turn_out_to_be_one_are_nobodys_until_somebody_says() {
    let world = World::monday();
    let asha = world.patient("Asha Rao", "98441 11173", "1984-05-02");
    let arun = world.patient("Arun Rao", "98441 11174", "2015");
    let by_phone = hears(&world, "1", &[phone(ASHA)], "one").conversation;
    let by_user = hears(&world, "2", &[user()], "two").conversation;
    world.write(move |tx, stamp| identify(tx, stamp, by_phone, Some(asha)));
    world.write(move |tx, stamp| identify(tx, stamp, by_user, Some(arun)));
    let joined = hears(&world, "3", &[phone(ASHA), user()], "three").conversation;
    assert_eq!(world.read(|read, stamp| get(read, stamp, joined)).patient, None);
}

#[test]
fn a_merge_takes_conversations_along_and_its_undoing_brings_them_back() {
    let world = World::monday();
    let kept = world.patient("Asha Rao", "98441 11173", "1984-05-02");
    let duplicate = world.patient("Asha R", "98441 11174", "1984");
    let id = hears(&world, "1", &[phone("98441 11174")], "hello").conversation;
    world.write(move |tx, stamp| identify(tx, stamp, id, Some(duplicate)));
    let merge = world.write(move |tx, stamp| patient::merge(tx, stamp, kept, duplicate)).id;
    let whose = || world.read(|read, stamp| get(read, stamp, id)).patient;
    assert_eq!(whose(), Some(kept));
    world.write(move |tx, stamp| patient::undo_merge(tx, stamp, merge));
    assert_eq!(whose(), Some(duplicate));
}

#[test]
fn the_desk_takes_a_conversation_and_gives_it_back() {
    let world = World::monday();
    let id = hears(&world, "1", &[phone(ASHA)], "hello").conversation;
    let taken = world.write(move |tx, stamp| hand_over(tx, stamp, id, "asked for a person"));
    assert_eq!((taken.held_by, taken.why.as_deref()), (Holder::Desk, Some("asked for a person")));
    let stale = world.try_write(move |tx, stamp| give_back(tx, stamp, id, Some(1)));
    assert!(matches!(stale, Err(Error::Stale { now: 2 })));
    let back = world.write(move |tx, stamp| give_back(tx, stamp, id, Some(2)));
    assert_eq!((back.held_by, back.why), (Holder::Reception, None));
    let kiosk = world.role(Role::Kiosk);
    let refused = world.db.read_blocking(|read| get(read, &kiosk, id));
    assert!(matches!(refused, Err(Error::Forbidden)));
}

#[test]
fn whoever_writes_first_finds_the_conversation_of_a_number_on_record() {
    let world = World::monday();
    let asha = world.patient("Asha Rao", "98441 11173", "1984-05-02");
    let known = hears(&world, "1", &[phone(ASHA)], "hello").conversation;
    assert_eq!(world.write(move |tx, stamp| of_patient(tx, stamp, asha)), known);
    let registration =
        patient::Registration { name: "Nobody Reachable".into(), ..Default::default() };
    let silent = world.write(|tx, stamp| patient::register(tx, stamp, registration)).id;
    let refused = world.try_write(move |tx, stamp| of_patient(tx, stamp, silent));
    assert_eq!(refusal(refused), Code::Invalid);
}

#[test]
fn the_last_word_about_messages_stands() {
    let mut world = World::monday();
    hears(&world, "1", &[phone(ASHA)], "stop");
    let word = |world: &World| {
        world.read(|read, stamp| consent::at(read, stamp, &phone(ASHA))).map(|it| it.wanted)
    };
    assert_eq!(word(&world), None);
    world.write(|tx, stamp| consent::stop(tx, stamp, &phone(ASHA)));
    assert_eq!(word(&world), Some(false));
    world.at_time("2026-11-23T09:00:00+05:30");
    world.write(|tx, stamp| consent::allow(tx, stamp, &phone(ASHA)));
    assert_eq!(word(&world), Some(true));
}

#[test]
fn reception_may_speak_and_book_but_not_open_charts_or_merge() {
    let stamp = Stamp::of_reception(World::monday().stamp.now, Medium::Whatsapp);
    assert!(stamp.may(crate::stamp::Right::Converse) && stamp.may(crate::stamp::Right::Book));
    for right in [
        crate::stamp::Right::MergePatients,
        crate::stamp::Right::Overbook,
        crate::stamp::Right::ReadChart,
        crate::stamp::Right::ManageStaff,
    ] {
        assert!(!stamp.may(right), "{right:?}");
    }
}
