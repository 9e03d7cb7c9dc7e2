//! A box and a real hub: what is lent is sold once, and whatever is sold gets into the diary.

#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first thing that is not as it should be"
)]

#[path = "../../hub/tests/hub/cluster.rs"]
mod cluster;
#[path = "loans/world.rs"]
mod world;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use prm::appointment::Status;
use prm::error::Code;
use prm::id::AppointmentId;
use prm::loan;
use sync_agent::loans::{self, Status as Standing, Turn};
use sync_hub::loans::NotSold;
use sync_protocol::loan::{BookingId, Refusal};
use sync_protocol::uplink::Stop;
use uuid::Uuid;
use world::{CLINIC, World, refusal};

#[tokio::test]
async fn both_book_while_the_line_is_cut_and_no_time_is_given_twice() {
    let mut world = World::new();
    let mut ends = world.join().await;
    world.settle(&mut ends).await;
    let lent = world.loans();
    // Sixteen slots a day, a fifth of them, on the days between the cut-off and the horizon.
    assert_eq!(lent.len(), 3 * 27, "{}", lent.len());
    assert!(lent.iter().all(|it| world.shown(it.id).unwrap().status == Standing::Held));

    // The line is cut. The hub sells what it holds, the box books everything else.
    let sold: Vec<Uuid> = lent
        .iter()
        .take(10)
        .map(|loan| {
            let booking = Uuid::now_v7();
            world.cloud.sell(loan.slot, booking, "Asha Rao").unwrap();
            booking
        })
        .collect();
    let again = world.cloud.sell(lent[0].slot, Uuid::now_v7(), "Ravi Iyer");
    assert!(matches!(again, Err(NotSold::Refused(Refusal::Booked))), "{again:?}");
    let asha = world.patient("Asha Rao");
    let mut booked = 0;
    for slot in world.slots(7) {
        let is_lent = lent.iter().any(|it| it.slot == slot.id);
        assert_eq!(slot.lent, is_lent);
        match world.book(asha, slot.id) {
            Ok(_) => booked += 1,
            refused if is_lent => assert_eq!(refusal(refused), Code::SlotLent(slot.id)),
            refused => panic!("{refused:?}"),
        }
    }
    assert_eq!(booked, 7 * 16 - 6 * 3);

    // The line is back.
    world.settle(&mut ends).await;
    let diary = world.diary();
    assert_eq!(diary.len(), booked + sold.len());
    assert!(world.is_sound());
    for booking in &sold {
        let id = AppointmentId::from_bytes(booking.into_bytes());
        let adopted = diary.iter().find(|it| it.id == id).unwrap();
        assert_eq!(adopted.patient, asha, "the same person on record");
        assert_eq!(adopted.reason.as_deref(), Some("A cough"));
    }
    assert_eq!(world.loans().len(), lent.len() - sold.len());
    assert!(world.displaced().is_empty());
    let before = world.diary();
    world.settle(&mut ends).await;
    assert_eq!(world.diary(), before, "nothing more is said");
}

#[tokio::test]
async fn answers_that_are_lost_do_no_harm() {
    let mut world = World::new();
    let mut ends = world.join().await;
    world.settle(&mut ends).await;
    let lent = world.loans();
    for (nth, loan) in lent.iter().take(6).enumerate() {
        world.cloud.sell(loan.slot, Uuid::now_v7(), &format!("Patient {nth}")).unwrap();
        // Of each exchange that follows the first answers are lost, at other places each time.
        for lost in 0..=nth {
            world.later(0);
            ends.agent.round("2026-11-23T09:00:00Z".parse().unwrap()).await.unwrap();
            world.cloud.lose.store(lost % 3, Ordering::Relaxed);
            let _ = world.turn(&mut ends).await;
            world.cloud.lose.store(0, Ordering::Relaxed);
        }
    }
    world.settle(&mut ends).await;
    assert_eq!(world.diary().len(), 6);
    assert!(world.is_sound() && world.displaced().is_empty());
}

#[tokio::test]
async fn a_sale_is_told_until_the_box_has_asked_the_slot_back() {
    let mut world = World::new();
    let mut ends = world.join().await;
    world.settle(&mut ends).await;
    let lent = world.loans();
    world.cloud.sell(lent[0].slot, Uuid::now_v7(), "Asha Rao").unwrap();
    let now = "2026-11-23T09:00:00Z".parse().unwrap();
    ends.agent.ask_again();
    ends.agent.round(now).await.unwrap();
    world.cloud.lose.store(1, Ordering::Relaxed);
    ends.loans.round(ends.agent.nonce(), now, world.at()).await.unwrap_err();
    assert_eq!(world.cloud.lose.load(Ordering::Relaxed), 0, "the answer with the news was lost");
    world.settle(&mut ends).await;
    assert_eq!(world.diary().iter().map(|it| it.slot()).collect::<Vec<_>>(), [lent[0].slot]);
}

#[tokio::test]
async fn a_slot_that_is_recalled_is_free_again_in_one_turn_unless_it_was_sold() {
    let mut world = World::new();
    let mut ends = world.join().await;
    world.settle(&mut ends).await;
    let (kept, gone) = (world.loans()[0].clone(), world.loans()[1].clone());
    let booking = Uuid::now_v7();
    world.cloud.sell(gone.slot, booking, "Asha Rao").unwrap();
    for id in [kept.id, gone.id] {
        world.write(move |tx, stamp| loans::recall(tx, stamp, id)).unwrap();
    }
    assert_eq!(world.shown(kept.id).unwrap().status, Standing::Recalled);
    let ravi = world.patient("Ravi Iyer");
    assert_eq!(
        refusal(world.book(ravi, kept.slot)),
        Code::SlotLent(kept.slot),
        "not before the hub has answered"
    );
    world.settle(&mut ends).await;
    world.book(ravi, kept.slot).unwrap();
    assert_eq!(refusal(world.book(ravi, gone.slot)), Code::SlotTaken(gone.slot));
    let late = world.cloud.sell(kept.slot, Uuid::now_v7(), "Meena Das");
    assert!(matches!(late, Err(NotSold::Refused(Refusal::NotLent))), "{late:?}");
    let again = world.write(move |tx, stamp| loans::recall(tx, stamp, kept.id));
    assert_eq!(refusal(again), Code::NotLent);
}

#[tokio::test]
async fn what_a_patient_calls_off_online_before_the_box_hears_is_free() {
    let mut world = World::new();
    let mut ends = world.join().await;
    world.settle(&mut ends).await;
    let loan = world.loans()[0].clone();
    let booking = Uuid::now_v7();
    world.cloud.sell(loan.slot, booking, "Asha Rao").unwrap();
    let slot = loans::key(loan.slot, 0);
    sync_hub::loans::cancel(&world.cloud.hub(), CLINIC, &slot, BookingId(booking.into_bytes()))
        .unwrap();
    world.settle(&mut ends).await;
    assert!(world.diary().is_empty());
    let asha = world.patient("Asha Rao");
    world.book(asha, loan.slot).unwrap();
}

#[tokio::test]
async fn a_slot_that_was_taken_back_and_had_been_sold_displaces_one_patient_once() {
    let mut world = World::new();
    let mut ends = world.join().await;
    world.settle(&mut ends).await;
    let [sold, free] = [world.loans()[0].clone(), world.loans()[1].clone()];
    for loan in [&sold, &free] {
        world.cloud.sell(loan.slot, Uuid::now_v7(), "Asha Rao").unwrap();
    }
    // The line is cut, and the desk takes both slots; one it books.
    let at = world.at();
    let id = sold.id;
    let reason = Some("the line has been cut for days".to_owned());
    let early = {
        let reason = reason.clone();
        world.write(move |tx, stamp| loans::override_loan(tx, stamp, id, reason, at))
    };
    assert!(matches!(refusal(early), Code::LoanNotOver(seconds) if seconds > 600_000));
    world.wait_out();
    let at = world.at();
    for id in [sold.id, free.id] {
        let reason = reason.clone();
        world.write(move |tx, stamp| loans::override_loan(tx, stamp, id, reason, at)).unwrap();
    }
    let ravi = world.patient("Ravi Iyer");
    let booked = world.book(ravi, sold.slot).unwrap();
    world.settle(&mut ends).await;
    world.settle(&mut ends).await;
    let displaced = world.displaced();
    assert_eq!(displaced.len(), 1, "{displaced:?}");
    assert_eq!((displaced[0].loan, displaced[0].start), (Some(sold.id), sold.slot.start()));
    let diary = world.diary();
    assert_eq!(diary.len(), 2);
    assert!(diary.iter().any(|it| it.id == booked.id), "what the desk booked stays");
    assert!(diary.iter().any(|it| it.slot() == free.slot), "a sale of a free slot is adopted");
    let booking = displaced[0].booking;
    let how = Some("moved to Thursday".to_owned());
    world.write(move |tx, stamp| loan::done(tx, stamp, booking, how)).unwrap();
    world.settle(&mut ends).await;
    assert!(world.displaced().is_empty());
}

#[tokio::test]
async fn a_box_put_back_from_a_backup_books_nothing_before_it_has_learned_what_was_sold() {
    let mut world = World::new();
    let mut ends = world.join().await;
    world.settle(&mut ends).await;
    let lent = world.loans();
    let backup = world.backup();
    // After the backup: a sale that was adopted, one that is on its way, a slot that came back.
    world.cloud.sell(lent[0].slot, Uuid::now_v7(), "Asha Rao").unwrap();
    let id = lent[2].id;
    world.write(move |tx, stamp| loans::recall(tx, stamp, id)).unwrap();
    world.settle(&mut ends).await;
    world.cloud.sell(lent[1].slot, Uuid::now_v7(), "Meena Das").unwrap();

    let mut restored = backup;
    restored.write(prm::change::begin_log).unwrap();
    assert!(restored.unlearned());
    let ravi = restored.patient("Ravi Iyer");
    let slots = restored.slots(40);
    let (near, far) = (&slots[10], slots.last().unwrap());
    assert!(!near.lent);
    assert_eq!(refusal(restored.book(ravi, near.id)), Code::SlotUnlearned(near.id));
    restored.book(ravi, far.id).unwrap();

    let mut ends = restored.join().await;
    restored.settle(&mut ends).await;
    assert!(!restored.unlearned());
    assert!(restored.is_sound() && restored.displaced().is_empty());
    let sold: Vec<_> = restored.diary().iter().map(|it| it.slot()).collect();
    assert!(sold.contains(&lent[0].slot) && sold.contains(&lent[1].slot), "{sold:?}");
    assert_eq!(sold.len(), 3);
    restored.book(ravi, near.id).unwrap();
    // What the old life was lent is over, and lent anew under the new one.
    assert!(
        restored.loans().iter().all(|it| restored.shown(it.id).unwrap().status == Standing::Held)
    );
    let again = world.cloud.sell(lent[0].slot, Uuid::now_v7(), "Late One");
    assert!(again.is_err(), "{again:?}");
}

/// Its log fits what the hub holds, so that only the loans can tell.
#[tokio::test]
async fn a_copy_of_a_box_from_before_it_lent_stops_and_no_sale_is_lost() {
    let world = World::new();
    let mut ends = world.join().await;
    while let sync_agent::Turn::Told { more: true, .. } =
        ends.agent.round(world.now()).await.unwrap()
    {}
    let mut copy = world.backup();
    ends.loans.round(ends.agent.nonce(), world.now(), world.at()).await.unwrap();
    let lent = world.loans();
    world.cloud.sell(lent[0].slot, Uuid::now_v7(), "Asha Rao").unwrap();

    let (ravi, mut ends) = (copy.patient("Ravi Iyer"), copy.ends());
    copy.book(ravi, lent[0].slot).unwrap();
    let stopped = copy.stopped(&mut ends).await;
    assert!(matches!(stopped, Stop::Forked { .. } | Stop::Quarantined), "{stopped:?}");
    assert!(copy.displaced().is_empty());

    copy.write(prm::change::begin_log).unwrap();
    let mut ends = copy.join().await;
    copy.settle(&mut ends).await;
    assert_eq!(copy.diary().iter().map(|it| it.slot()).collect::<Vec<_>>(), [lent[0].slot]);
    assert_eq!(copy.displaced().len(), 1, "the patient who bought it is work for the desk");
}

#[tokio::test]
async fn a_hub_that_starts_again_gives_back_what_it_held_and_says_what_was_sold() {
    let mut world = World::new();
    let mut ends = world.join().await;
    world.settle(&mut ends).await;
    let lent = world.loans();
    world.cloud.sell(lent[0].slot, Uuid::now_v7(), "Asha Rao").unwrap();
    world.cloud.restart();
    let over = world.cloud.sell(lent[1].slot, Uuid::now_v7(), "Meena Das");
    assert!(matches!(over, Err(NotSold::Refused(Refusal::Over))), "{over:?}");
    world.settle(&mut ends).await;
    assert_eq!(world.diary().iter().map(|it| it.slot()).collect::<Vec<_>>(), [lent[0].slot]);
    assert!(world.loans().iter().all(|it| world.shown(it.id).unwrap().status != Standing::Unknown));
    world.later(2);
    world.settle(&mut ends).await;
    assert!(world.loans().len() >= lent.len() - 1, "as many are lent again, but for the sold one");
}

#[tokio::test]
async fn a_hub_put_back_from_a_copy_leaves_what_it_forgot_to_a_person() {
    let mut world = World::new();
    let mut ends = world.join().await;
    world.settle(&mut ends).await;
    let lent = world.loans();
    world.cloud.copy();
    let booking = Uuid::now_v7();
    let bought = world.cloud.sell(lent[0].slot, booking, "Asha Rao").unwrap();
    world.cloud.put_back();
    world.settle(&mut ends).await;
    let first = world.shown(lent[0].id).unwrap();
    assert_eq!(first.status, Standing::Unknown, "nobody knows whether it was sold");
    let ravi = world.patient("Ravi Iyer");
    assert_eq!(refusal(world.book(ravi, lent[0].slot)), Code::SlotLent(lent[0].slot));
    // The patient comes with the confirmation.
    let text = bought.confirmation;
    let scanned = world.read(|read, _| loans::scanned(read, &text)).unwrap();
    let heard = world.write(move |tx, stamp| loans::scan(tx, stamp, &scanned)).unwrap();
    assert_eq!(heard, loans::Heard::Sold);
    world.settle(&mut ends).await;
    let diary = world.diary();
    assert_eq!(diary[0].id, AppointmentId::from_bytes(booking.into_bytes()));
    assert_eq!(diary[0].status, Status::Booked);
}

#[tokio::test]
async fn what_one_of_two_hubs_on_a_database_was_lent_the_other_does_not_sell() {
    let mut world = World::new();
    let mut ends = world.join().await;
    world.settle(&mut ends).await;
    let lent = world.loans();
    let first = world.cloud.hub();
    world.cloud.restart();
    let second = world.cloud.hub();
    // Whichever the box was led to: one sells what it was lent, the other says that it may not.
    let sell = |hub: &Arc<_>, nth: usize| {
        world.cloud.lead_to(hub);
        world.cloud.sell(lent[nth].slot, Uuid::now_v7(), "Asha Rao")
    };
    let over = sell(&second, 0);
    assert!(matches!(over, Err(NotSold::Refused(Refusal::Over))), "{over:?}");
    sell(&first, 0).unwrap();
    // The box that hears the second asks back what it lent to the first, and lends it anew.
    world.cloud.lead_to(&second);
    world.settle(&mut ends).await;
    world.later(2);
    world.settle(&mut ends).await;
    assert_eq!(world.diary().iter().map(|it| it.slot()).collect::<Vec<_>>(), [lent[0].slot]);
    for loan in world.loans().iter().take(3) {
        let [by_first, by_second] = [&first, &second].map(|hub| {
            world.cloud.lead_to(hub);
            world.cloud.sell(loan.slot, Uuid::now_v7(), "Meena Das").is_ok()
        });
        assert!(by_second && !by_first, "{by_first} {by_second}");
    }
    world.settle(&mut ends).await;
    assert_eq!(world.diary().len(), 4);
    assert!(world.is_sound() && world.displaced().is_empty());
}

#[tokio::test]
async fn a_box_that_joined_no_hub_lends_nothing_and_books_everything() {
    let world = World::new();
    let mut ends = world.ends();
    let turn = ends.loans.round(None, "2026-11-23T09:00:00Z".parse().unwrap(), world.at()).await;
    assert_eq!(turn.unwrap(), Turn::Alone);
    assert!(!world.unlearned());
    let asha = world.patient("Asha Rao");
    let slots = world.slots(3);
    world.book(asha, slots[20].id).unwrap();
    assert!(world.loans().is_empty());
}
