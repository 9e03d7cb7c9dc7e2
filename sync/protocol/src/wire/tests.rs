//! Each body is read back as written, and no bytes bring the reader down.

use proptest::prelude::*;

use super::*;
use crate::ask::Reply;
use crate::downlink::{Position, Request, RequestId};
use crate::ledger::{Body, Content, Entry, Extent, Key, Mark, Parked, Reason, Standing};
use crate::lineage::LogId;
use crate::loan::{BookingId, Epoch, Fence, Outcome, Terms};

const FENCE: Fence = Fence { generation: Generation(2), epoch: Epoch(3) };
const NONCE: Nonce = Nonce { store: 1, boot: 2, at_ms: 3 };

fn up() -> Up {
    let entry = |sequence, body| Entry { sequence, key: Key(vec![1, 2]), body };
    let content = Content::Stretch {
        after: 4,
        before: Mark::START,
        through: 9,
        mark: Mark::START.then(b"entry"),
        entries: vec![entry(5, Body::Given(b"record".to_vec())), entry(9, Body::TooLong(1 << 30))],
    };
    let bundle = Bundle { log: LogId([7; 16]), generation: Some(Generation(2)), content };
    Up { bundle, capabilities: vec!["loans/1".to_owned()] }
}

fn answer() -> Answer {
    let parked = Parked { sequence: 5, key: Key(vec![1]), reason: Reason::Invalid };
    let receipt = Receipt {
        log: LogId([7; 16]),
        generation: Generation(2),
        standing: Standing::Living,
        extent: Extent::Statement { as_of: 9, mark: Mark::START, upto: Key(vec![1]) },
        parked: vec![parked],
        parked_count: 1,
    };
    Answer { receipt, nonce: NONCE, capabilities: Vec::new(), pause_ms: 0 }
}

fn loans_up() -> LoansUp {
    let terms = Terms { nonce: NONCE, term_ms: 1000, sell_until_ms: -5 };
    let slot = SlotKey(vec![9]);
    let said = vec![
        (slot.clone(), ToHub::Grant { fence: FENCE, terms }),
        (slot.clone(), ToHub::Recall { fence: FENCE, nonce: NONCE }),
        (slot, ToHub::Settled { fence: FENCE }),
    ];
    LoansUp {
        by: Some(Generation(2)),
        said,
        after: Some(SlotKey(vec![8])),
        wanting: vec![BookingId([5; 16])],
    }
}

fn loans_down() -> LoansDown {
    let slot = SlotKey(vec![9]);
    let booking = BookingId([5; 16]);
    let past = vec![(FENCE, Outcome::Sold(booking))];
    let account = Account { fence: FENCE, store: 1, past };
    let accounts = Accounts {
        generation: Generation(3),
        slots: vec![(slot.clone(), account)],
        from: None,
        last: true,
    };
    let said = vec![
        (slot.clone(), ToBox::Taken { fence: FENCE }),
        (slot.clone(), ToBox::Sale { fence: FENCE, booking }),
        (slot, ToBox::Return { fence: FENCE, outcome: Outcome::Unknown }),
    ];
    let details =
        vec![Details { booking, body: Some(b"who".to_vec()) }, Details { booking, body: None }];
    LoansDown { said, accounts: Some(accounts), details, more: false }
}

fn progress(answered: Option<RequestId>) -> Progress {
    Progress { position: Position { series: 1, taken: 8, id: answered }, answered }
}

fn batch() -> Batch {
    let request = Request { number: 8, id: RequestId([1; 16]), body: b"move".to_vec() };
    Batch { series: 1, after: 7, requests: vec![request], lost: 0, now_ms: Some(-5), missing: None }
}

/// All bodies that there are, as bytes.
fn all() -> Vec<Vec<u8>> {
    vec![
        write(&up()).unwrap(),
        write(&answer()).unwrap(),
        write(&loans_up()).unwrap(),
        write(&loans_down()).unwrap(),
        write(&batch()).unwrap(),
        write(&progress(None)).unwrap(),
        write(&progress(Some(RequestId([1; 16])))).unwrap(),
        write(&Reply { id: RequestId([1; 16]), status: 200, body: Vec::new(), before: None })
            .unwrap(),
    ]
}

fn read_as_all(bytes: &[u8]) -> usize {
    usize::from(read::<Up>(bytes).is_ok())
        + usize::from(read::<Answer>(bytes).is_ok())
        + usize::from(read::<LoansUp>(bytes).is_ok())
        + usize::from(read::<LoansDown>(bytes).is_ok())
        + usize::from(read::<Batch>(bytes).is_ok())
        + usize::from(read::<Progress>(bytes).is_ok())
        + usize::from(read::<Reply>(bytes).is_ok())
}

#[test]
fn what_was_written_is_read_back() {
    assert_eq!(read(&write(&up()).unwrap()), Ok(up()));
    assert_eq!(read(&write(&answer()).unwrap()), Ok(answer()));
    assert_eq!(read(&write(&loans_up()).unwrap()), Ok(loans_up()));
    assert_eq!(read(&write(&loans_down()).unwrap()), Ok(loans_down()));
    assert_eq!(read(&write(&batch()).unwrap()), Ok(batch()));
}

/// The bytes are a promise to programs of another age.
#[test]
fn the_bytes_of_a_body_stay_as_they_are() {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(hex(&write(&progress(None)).unwrap()), "81820108");
    assert_eq!(
        hex(&write(&LoansUp { said: loans_up().said.split_off(1), ..loans_up() }).unwrap()),
        "840282824109820182820203830102038241098202818202034108815005050505050505050505050505050505"
    );
}

#[test]
fn what_is_beyond_its_bounds_is_neither_written_nor_read() {
    let mut long = loans_up();
    long.said = vec![(SlotKey(vec![1]), ToHub::Settled { fence: FENCE }); SLOTS_MAX + 1];
    assert_eq!(write(&long), Err(Malformed));
    assert_eq!(read::<LoansUp>(&minicbor::to_vec(&long).unwrap()), Err(Malformed));
    let fence = Fence { epoch: Epoch(EPOCH_MAX + 1), ..FENCE };
    let said = vec![(SlotKey(vec![1]), ToHub::Settled { fence })];
    let far = LoansUp { by: None, said, after: None, wanting: Vec::new() };
    assert_eq!(write(&far), Err(Malformed));
    let gap = Batch { after: 3, ..batch() };
    assert_eq!(write(&gap), Err(Malformed));
    let shouting = Up { capabilities: vec!["LOANS".to_owned()], ..up() };
    assert_eq!(write(&shouting), Err(Malformed));
    let Content::Stretch { before, mark, entries, .. } = up().bundle.content else { panic!() };
    let content = Content::Stretch { after: 5, before, through: 9, mark, entries };
    let outside = Up { bundle: Bundle { content, ..up().bundle }, ..up() };
    assert_eq!(write(&outside), Err(Malformed), "an entry lies before the stretch");
    let unsorted = Content::Statement {
        as_of: 9,
        mark,
        from: Some(Key(vec![2])),
        last: true,
        entries: vec![Entry { sequence: 1, key: Key(vec![1]), body: Body::TooLong(1) }],
    };
    let unsorted = Up { bundle: Bundle { content: unsorted, ..up().bundle }, ..up() };
    assert_eq!(write(&unsorted), Err(Malformed));
    // A list that promises 2^40 entries costs nothing.
    assert_eq!(read::<LoansUp>(&[0x82, 0x02, 0x9b, 0, 0, 1, 0, 0, 0, 0, 0]), Err(Malformed));
}

#[test]
fn no_body_is_taken_for_another_or_with_something_behind() {
    for bytes in all() {
        assert_eq!(read_as_all(&bytes), 1);
        assert_eq!(read_as_all(&[&bytes[..], &[0]].concat()), 0);
        for length in 0..bytes.len() {
            assert_eq!(read_as_all(&bytes[..length]), 0);
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_bring_the_reader_down(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read_as_all(&bytes);
    }

    /// Pieces of good bodies, put together otherwise: what is read is sound and written as it was.
    #[test]
    fn no_mutation_brings_the_reader_down(
        (which, from, length) in (0..8_usize, 0..400_usize, 0..8_usize),
        piece in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        let mut bytes = all().swap_remove(which);
        let from = from.min(bytes.len());
        let to = (from + length).min(bytes.len());
        bytes.splice(from..to, piece);
        read_as_all(&bytes);
        if let Ok(up) = read::<Up>(&bytes) {
            prop_assert_eq!(write(&up).unwrap(), bytes);
        }
    }
}
