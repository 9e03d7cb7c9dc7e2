//! Tests of tickets.

use jiff::SignedDuration;

use super::*;
use crate::fixture::{World, refusal};
use crate::patient;

fn opening(reason: Reason, subject: &str) -> Opening {
    Opening {
        reason,
        subject: subject.into(),
        patient: None,
        conversation: None,
        due: None,
        assignee: None,
    }
}

#[test]
fn what_is_due_first_stands_first_and_what_is_done_stands_apart() {
    let world = World::monday();
    let due = world.stamp.now + SignedDuration::from_hours(1);
    let first = world.write(|tx, stamp| open(tx, stamp, opening(Reason::Written, "Call back")));
    let urgent = Opening { due: Some(due), ..opening(Reason::Written, "Send the report") };
    let urgent = world.write(move |tx, stamp| open(tx, stamp, urgent));
    let ids = |status| -> Vec<TicketId> {
        let all = world.read(|read, stamp| list(read, stamp, (status, 0), LIST_MAX));
        all.into_iter().map(|ticket| ticket.id).collect()
    };
    assert_eq!(ids(Status::Open), [urgent.id, first.id]);
    let done = Edit { status: Some(Status::Done), ..Edit::default() };
    world.write(move |tx, stamp| edit(tx, stamp, (urgent.id, Some(1)), done));
    assert_eq!((ids(Status::Open), ids(Status::Done)), (vec![first.id], vec![urgent.id]));
    assert_eq!(world.read(count_open), 1);
}

#[test]
fn a_conversation_has_one_open_ticket_for_a_reason() {
    let world = World::monday();
    let conversation = Some(ConversationId::new(world.stamp.now));
    let ask = |reason| {
        let opening = Opening { conversation, ..opening(reason, "") };
        world.write(move |tx, stamp| open(tx, stamp, opening)).id
    };
    let first = ask(Reason::Asked);
    assert_eq!(ask(Reason::Asked), first);
    assert_ne!(ask(Reason::Emergency), first);
    let done = Edit { status: Some(Status::Done), ..Edit::default() };
    world.write(move |tx, stamp| edit(tx, stamp, (first, None), done));
    assert_ne!(ask(Reason::Asked), first);
}

#[test]
fn calls_that_are_not_believed_are_one_ticket_and_hidden_callers_are_one_each() {
    let world = World::monday();
    let said = |reason| world.write(move |tx, stamp| open(tx, stamp, opening(reason, ""))).id;
    assert_eq!(said(Reason::NotBelieved), said(Reason::NotBelieved));
    assert_ne!(said(Reason::Asked), said(Reason::Asked));
}

#[test]
fn a_ticket_somebody_writes_says_what_is_to_be_done() {
    let world = World::monday();
    let empty = world.try_write(|tx, stamp| open(tx, stamp, opening(Reason::Written, " ")));
    assert_eq!(refusal(empty), Code::Invalid);
}

#[test]
fn the_tickets_of_a_duplicate_go_with_its_visits_and_come_back() {
    let world = World::monday();
    let kept = world.patient("Asha Rao", "98441 11173", "1984");
    let duplicate = world.patient("Asha Roa", "98441 11174", "1984");
    let of = Opening { patient: Some(duplicate), ..opening(Reason::Written, "Call back") };
    let id = world.write(move |tx, stamp| open(tx, stamp, of)).id;
    let whose = || world.read(|read, stamp| get(read, stamp, id)).patient;
    let merge = world.write(move |tx, stamp| patient::merge(tx, stamp, kept, duplicate));
    assert_eq!(whose(), Some(kept));
    world.write(move |tx, stamp| patient::undo_merge(tx, stamp, merge.id));
    assert_eq!(whose(), Some(duplicate));
}
