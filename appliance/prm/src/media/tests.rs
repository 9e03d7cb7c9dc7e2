//! What comes in parts, in any order, and what becomes of it.

use super::*;
use crate::contact::Phone;
use crate::content::Content;
use crate::conversation::{self, Address};
use crate::fixture::{World, refusal};
use crate::medium::Medium;
use crate::message::Hearing;

const REFERENCE: &str = "1013859600285441";

/// A picture of which somebody spoke by WhatsApp.
fn heard(world: &World, provider_id: &str, reference: &str) -> (MediaId, message::Told) {
    let (now, provider_id, reference) =
        (world.stamp.now, provider_id.to_owned(), reference.to_owned());
    world.write(move |tx, stamp| {
        let id = MediaId::new(now);
        let media_type = "image/jpeg".to_owned();
        let hearing = Hearing {
            medium: Medium::Whatsapp,
            provider_id: Some(provider_id),
            from: vec![Address::Phone(Phone::parse("+919844111173", "IN")?)],
            name: None,
            content: Content::Media { media: id, media_type: media_type.clone(), caption: None },
            said_at: now,
            answers: None,
        };
        let told = message::hear(tx, stamp, hearing)?;
        let (message, reference) = (Some(told.id), Some(reference));
        expect(tx, stamp, Expecting { id, message, reference, media_type })?;
        Ok((id, told))
    })
}

fn parts(whole: &[u8]) -> Vec<Part> {
    let length = whole.len() as u64;
    let part = |(number, bytes): (u64, &[u8])| Part {
        reference: REFERENCE.into(),
        media_type: "image/jpeg".into(),
        at: number * PART_BYTES_MAX,
        whole: length,
        bytes: bytes.to_vec(),
    };
    (0..).zip(whole.chunks(PART_BYTES_MAX as usize)).map(part).collect()
}

fn tell(world: &World, told: Part) {
    world.write(move |tx, stamp| part(tx, stamp, told));
}

fn one(world: &World, id: MediaId) -> Media {
    world.read(|read, stamp| get(read, stamp, id))
}

fn there(world: &World) -> Vec<Whole> {
    world.read(|read, stamp| whole(read, stamp, 10))
}

#[test]
fn parts_in_any_order_and_twice_come_to_one_whole_even_before_it_is_known_whose_they_are() {
    let world = World::monday();
    let whole: Vec<u8> = (0..2 * PART_BYTES_MAX + 5).map(|at| (at % 251) as u8).collect();
    let [first, second, last] = <[Part; 3]>::try_from(parts(&whole)).unwrap();
    tell(&world, last.clone());
    tell(&world, first.clone());
    let (id, _) = heard(&world, "wamid.1", REFERENCE);
    tell(&world, last);
    assert_eq!(there(&world), [], "one part is missing");
    assert_eq!(world.read(|read, stamp| in_parts(read, stamp, REFERENCE)), None);
    tell(&world, second);
    let reference = REFERENCE.to_owned();
    assert_eq!(there(&world), [Whole { id, reference, bytes: whole.len() as u64 }]);
    let put_together = world.read(|read, stamp| in_parts(read, stamp, REFERENCE)).unwrap();
    assert!(put_together == whole, "in their order");

    let found =
        Found { media_type: "image/png".into(), bytes: whole.len() as u64, sha256: [1; 32] };
    world.write(move |tx, stamp| kept(tx, stamp, id, &found));
    tell(&world, first);
    assert_eq!(there(&world), []);
    let left: i64 = world.read(|read, _| {
        Ok(read.sql().query_row("SELECT count(*) FROM media_part", [], |row| row.get(0))?)
    });
    assert_eq!((left, one(&world, id).media_type.as_str()), (0, "image/png"));
}

#[test]
fn what_will_not_come_is_refused_with_its_word_whichever_is_heard_first() {
    let world = World::monday();
    let gone = Part {
        reference: REFERENCE.into(),
        media_type: "gone".into(),
        at: 0,
        whole: 0,
        bytes: Vec::new(),
    };
    let (before, _) = heard(&world, "wamid.1", REFERENCE);
    tell(&world, gone.clone());
    tell(&world, Part { reference: "another".into(), ..gone });
    let (after, _) = heard(&world, "wamid.2", "another");
    for id in [before, after] {
        let media = one(&world, id);
        assert_eq!((media.state, media.why.as_deref()), (State::Refused, Some("gone")));
    }
}

#[test]
fn a_part_that_is_not_cut_as_agreed_is_refused() {
    let world = World::monday();
    let good = parts(&vec![7; PART_BYTES_MAX as usize + 5]);
    for wrong in [
        Part { at: 5, ..good[1].clone() },
        Part { bytes: vec![7; 4], ..good[1].clone() },
        Part { whole: WHOLE_BYTES_MAX + 1, ..good[0].clone() },
        Part { whole: 0, ..good[0].clone() },
        Part { reference: String::new(), ..good[0].clone() },
    ] {
        let error = world.try_write(move |tx, stamp| part(tx, stamp, wrong));
        assert_eq!(refusal(error), Code::Invalid);
    }
}

#[test]
fn what_did_not_come_for_a_week_is_given_up_and_parts_of_nothing_are_forgotten() {
    let mut world = World::monday();
    let (id, _) = heard(&world, "wamid.1", REFERENCE);
    tell(&world, Part { reference: "nobody's".into(), ..parts(&[7; 9]).remove(0) });
    world.at_time("2026-11-30T07:59:00+05:30");
    assert_eq!(world.write(give_up), 0);
    world.at_time("2026-12-01T08:01:00+05:30");
    assert_eq!((world.write(give_up), world.write(forget_old)), (1, 1));
    assert_eq!(one(&world, id).why.as_deref(), Some(NEVER_CAME));
}

#[test]
fn what_there_is_no_room_for_is_refused_and_holds_up_nothing() {
    let world = World::monday();
    let (id, _) = heard(&world, "wamid.1", REFERENCE);
    world.write(|tx, _| {
        let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
            INSERT INTO media_part (reference, at, whole, media_type, taken_at, length, bytes)
            SELECT 'r' || i, 0, 9, '', 0, 1, x'00' FROM n";
        Ok(tx.sql().execute(sql, [])?)
    });
    tell(&world, parts(&[7; 9]).remove(0));
    assert_eq!(one(&world, id).why.as_deref(), Some(NO_ROOM));
}

#[test]
fn whose_it_is_follows_the_conversation() {
    let world = World::monday();
    let (id, told) = heard(&world, "wamid.1", REFERENCE);
    assert_eq!(one(&world, id).patient, None);
    let asha = world.patient("Asha Rao", "9844111173", "1990-05-01");
    world.write(move |tx, stamp| {
        conversation::identify(tx, stamp, told.conversation, Some(asha)).map(drop)
    });
    assert_eq!(one(&world, id).patient, Some(asha));
    let of = world.read(|read, stamp| of_message(read, stamp, told.id));
    assert_eq!(of.iter().map(|it| it.id).collect::<Vec<_>>(), [id]);
}

#[test]
fn what_was_made_here_is_whole_from_the_start() {
    let world = World::monday();
    let (_, told) = heard(&world, "wamid.1", REFERENCE);
    let id = MediaId::new(world.stamp.now);
    let made: Vec<u8> = (0..PART_BYTES_MAX + 1).map(|at| (at % 251) as u8).collect();
    let given = made.clone();
    let media =
        world.write(move |tx, stamp| provide(tx, stamp, (id, told.id), ("image/png", given)));
    let whole: Vec<_> = there(&world).iter().map(|it| (it.id, it.bytes)).collect();
    assert_eq!(whole, [(id, PART_BYTES_MAX + 1)]);
    let bytes = world.read(|read, stamp| in_parts(read, stamp, &media.reference.unwrap()));
    assert!(bytes.is_some_and(|it| it == made));
}
