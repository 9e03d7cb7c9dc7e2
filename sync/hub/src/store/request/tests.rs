//! The rows do what the protocol's queue does, whatever comes in which order.

use proptest::prelude::*;
use sync_protocol::downlink::Queue;
use tempfile::TempDir;

use super::super::{Clinic, IfMissing, Store, StoreError, add_clinic};
use super::*;

const CLINIC: [u8; 16] = [1; 16];

/// A database with one clinic.
fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("hub.db"), IfMissing::Make).unwrap();
    let clinic =
        Clinic { id: CLINIC, name: "Shanti".into(), wrapped_key: vec![], added_at: 0, life: 1 };
    store.write(CLINIC, |tx| add_clinic(tx, &clinic)).unwrap();
    (folder, store)
}

#[derive(Clone, Debug)]
enum Step {
    Put(usize),
    /// A position: of this series or another, so far, with the right id, another or none.
    Hear(bool, u64, u8),
    Forget(u64),
    Restore,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop_oneof![Just(1), Just(BATCH_BYTES_MAX / 3)].prop_map(Step::Put),
        4 => (prop::bool::weighted(0.9), 0..20_u64, 0..4_u8)
            .prop_map(|(own, taken, id)| Step::Hear(own, taken, id)),
        1 => (0..20_u64).prop_map(Step::Forget),
        1 => Just(Step::Restore),
    ]
}

fn number(id: u64) -> RequestId {
    RequestId(u128::from(id).to_be_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_rows_do_what_the_queue_does(steps in prop::collection::vec(step(), 0..40)) {
        let (_folder, store) = store();
        let (mut queue, mut put) = (Queue::new(7), 0);
        store.write(CLINIC, |tx| {
            begin_downlink(tx, CLINIC, 7)?;
            for step in steps.clone() {
                match step {
                    Step::Put(length) => {
                        put += 1;
                        let body = vec![1; length];
                        let stored = put_request(tx, CLINIC, (number(put), &body), 0)?;
                        // What is too long is refused before it is sealed.
                        let line = downlink(tx, CLINIC)?.unwrap();
                        queue.last += 1;
                        queue.kept.insert(queue.last, (number(put), body));
                        assert_eq!((stored, line.last), (Ok(queue.last), queue.last));
                    }
                    Step::Hear(own, taken, id) => {
                        let series = if own { queue.series } else { 99 };
                        let right = queue.kept.get(&taken).map(|it| it.0);
                        let id = if id == 0 { None } else if id == 1 { Some(number(999)) } else { right };
                        let position = Position { series, taken, id };
                        assert_eq!(hear(tx, CLINIC, position)?, queue.hear(position));
                    }
                    Step::Forget(through) => {
                        forget_requests(tx, CLINIC, through)?;
                        queue.forget(through);
                    }
                    Step::Restore => {
                        let series = queue.series + 1;
                        restored_requests(tx, CLINIC, series)?;
                        queue = queue.restored(series);
                    }
                }
                let line = downlink(tx, CLINIC)?.unwrap();
                assert_eq!((line.series, line.last, line.taken), (queue.series, queue.last, queue.taken));
                assert_eq!(due_requests(tx, CLINIC)?, queue.due());
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    }
}

#[test]
fn a_full_queue_refuses_and_what_the_box_has_makes_room() {
    let (_folder, store) = store();
    let most = u64::try_from(REQUESTS_MAX).unwrap();
    store
        .write(CLINIC, |tx| {
            begin_downlink(tx, CLINIC, 7)?;
            let put = |id: u64| put_request(tx, CLINIC, (number(id), b"body"), 0);
            for id in 1..=most {
                assert_eq!(put(id)?, Ok(id));
            }
            assert_eq!(put(most + 1)?, Err(Full::Queue));
            hear(tx, CLINIC, Position { series: 7, taken: most, id: None })?;
            for id in most + 1..=2 * most {
                assert_eq!(put(id)?, Ok(id));
            }
            hear(tx, CLINIC, Position { series: 7, taken: most + 1, id: None })?;
            assert_eq!(first_kept(tx, CLINIC, 0)?, Some(1));
            assert_eq!(put(2 * most + 1)?, Ok(2 * most + 1));
            assert_eq!(first_kept(tx, CLINIC, 0)?, Some(2), "the oldest that the box has");
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn an_answer_is_kept_as_it_was_first_said_and_only_so_long() {
    let (_folder, store) = store();
    store
        .write(CLINIC, |tx| {
            put_reply(tx, CLINIC, (number(1), b"first"), (0, 10))?;
            put_reply(tx, CLINIC, (number(1), b"second"), (5, 15))?;
            assert_eq!(reply(tx, CLINIC, number(1))?, Some(b"first".to_vec()));
            put_reply(tx, CLINIC, (number(2), b"other"), (11, 20))?;
            assert_eq!(reply(tx, CLINIC, number(1))?, None);
            Ok::<_, StoreError>(())
        })
        .unwrap();
}
