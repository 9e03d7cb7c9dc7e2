//! What goes into a batch, when, and what a batch may hold.

use super::*;
use crate::wire::{read, write};

fn row(number: u64, sent: Option<Sent>) -> Row {
    Row { number, bytes: 100, sent }
}

fn id(number: u8) -> ItemId {
    ItemId([number; 16])
}

#[test]
fn a_row_goes_again_after_a_pause_that_doubles_up_to_five_minutes() {
    let sent = Sent::now(None, 1_000_000);
    assert_eq!(next(&[row(1, Some(sent))], 1_000_000 + RESEND_MS - 1).send, []);
    assert_eq!(next(&[row(1, Some(sent))], 1_000_000 + RESEND_MS).send, [1]);
    let twice = Sent::now(Some(sent), 1_000_000);
    assert_eq!(next(&[row(1, Some(twice))], 0).send, [1], "a clock that was set back");
    let waiting = next(&[row(1, Some(twice)), row(2, None)], 1_000_000 + HOLD_MS);
    assert_eq!((waiting.send, waiting.wake_ms), (vec![2], Some(1_000_000 + 2 * RESEND_MS)));
    let often = Sent { at_ms: 0, tries: u32::MAX };
    assert_eq!(next(&[row(1, Some(often))], RESEND_MS_MAX).send, [1]);
}

#[test]
fn a_batch_is_bounded_in_items_and_bytes_and_one_always_goes() {
    let rows: Vec<Row> = (1..=ITEMS_MAX as u64 + 1).map(|it| row(it, None)).collect();
    let full = next(&rows, 0);
    assert!(full.send.len() == ITEMS_MAX && full.more);
    let big = Row { bytes: BATCH_BYTES_MAX + 1, ..row(1, None) };
    let first = next(&[big, row(2, None)], 0);
    assert!(first.send == [1] && first.more, "in order, so the small one waits");
    let exact = next(&rows[..ITEMS_MAX], 0);
    assert!(exact.send.len() == ITEMS_MAX && !exact.more);
}

#[test]
fn what_is_behind_the_window_waits_until_the_first_are_had() {
    let sent = Some(Sent::now(None, 0));
    let mut rows: Vec<Row> = (1..=WINDOW_MAX as u64).map(|it| row(it, sent)).collect();
    rows.push(row(WINDOW_MAX as u64 + 1, None));
    assert_eq!(next(&rows, HOLD_MS).send, []);
    assert_eq!(next(&rows[1..], HOLD_MS).send, [WINDOW_MAX as u64 + 1]);
}

#[test]
fn a_few_new_rows_go_together_when_what_is_on_its_way_is_had_or_took_long() {
    let (sent, again) = (Some(Sent::now(None, 0)), Some(Sent::now(None, -RESEND_MS)));
    let held = next(&[row(1, sent), row(2, None), row(3, None)], HOLD_MS - 1);
    assert_eq!((held.send, held.more, held.wake_ms), (vec![], false, Some(HOLD_MS)));
    assert_eq!(next(&[row(2, None), row(3, None)], 1).send, [2, 3], "it is had");
    assert_eq!(next(&[row(1, sent), row(2, None)], HOLD_MS).send, [2]);
    assert_eq!(next(&[row(1, sent), row(2, again), row(3, None)], 1).send, [2, 3]);
    let many = (2..=ITEMS_MAX as u64 + 1).map(|it| row(it, None));
    let full: Vec<Row> = [row(1, sent)].into_iter().chain(many).collect();
    assert_eq!(next(&full, 1).send.len(), ITEMS_MAX, "a batch that is full waits for nothing");
}

#[test]
fn an_item_that_comes_twice_in_one_batch_is_taken_once() {
    let item = |number| Item { id: id(number), body: Vec::new() };
    let taken = take(7, &[item(1), item(1), item(2)], |known| (known == id(2)).then_some(3));
    assert_eq!(taken.fresh, [(0, 8)]);
    assert_eq!(taken.have, [Had { id: id(1), number: 8 }, Had { id: id(2), number: 3 }]);
    assert_eq!(taken.taken, 8);
}

#[test]
fn a_batch_is_read_as_it_was_written_and_nothing_beyond_its_bounds_is() {
    let item = Item { id: id(1), body: b"sealed elsewhere".to_vec() };
    let had = Had { id: id(2), number: 1 };
    let batch =
        Batch { items: vec![item], have: vec![had], taken: Some(1), ask: true, ..Batch::default() };
    assert_eq!(read::<In>(&write(&In(batch.clone())).unwrap()).unwrap().0, batch);
    assert_eq!(read::<Out>(&write(&Out(batch.clone())).unwrap()).unwrap().0, batch);
    let long = |bytes| Item { id: id(3), body: vec![0; bytes] };
    for wrong in [
        Batch { items: vec![long(ITEM_BYTES_MAX + 1)], ..batch.clone() },
        Batch { items: vec![long(ITEM_BYTES_MAX); 3], ..batch.clone() },
        Batch { items: vec![long(0); ITEMS_MAX + 1], ..batch.clone() },
        Batch { have: vec![had, had], ..batch.clone() },
        Batch { have: vec![Had { number: 0, ..had }], ..batch.clone() },
        Batch { taken: Some(NUMBER_MAX + 1), ..batch },
    ] {
        assert!(write(&Out(wrong)).is_err());
    }
}

/// The fullest batch fits into an envelope, whatever zstd makes of it.
#[test]
fn the_longest_batch_fits_into_an_envelope() {
    let ids = HAVE_MAX * 32 + ITEMS_MAX * 32;
    assert!(BATCH_BYTES_MAX.max(ITEM_BYTES_MAX) + ids + 4096 < crate::envelope::ENVELOPE_MAX);
}
