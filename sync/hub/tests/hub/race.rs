//! Two processes on one database get the bundles of one box at once.

use std::sync::Barrier;

use sync_hub::receive::receive;
use sync_hub::store::{self, StoreError};
use sync_protocol::ledger::{Extent, Ledger, Standing};
use sync_protocol::restore::OnHeld;

use super::Place;

/// As many senders at once.
const SENDERS: usize = 4;
/// As many patients in the log.
const PATIENTS: usize = 24;

#[tokio::test]
async fn two_hubs_on_one_database_take_a_log_as_one_would() {
    let place = Place::new();
    let mut device = place.join("Shanti").await;
    for id in 0..PATIENTS {
        device.write_patient(&(id % 20).to_string(), &format!("Asha {id}"));
    }
    // What one hub alone makes of it, bundle by bundle; and what was sent.
    let mut alone = Ledger::first(device.uplink.log);
    let mut envelopes = Vec::new();
    let mut entries = 0;
    let mut stated = false;
    while let Some(bundle) = device.bundle(2) {
        entries += bundle.entries().len();
        envelopes.push(device.seal(&bundle));
        let taken = alone.take(&bundle, true, |_| None);
        device.hear(&taken.receipt);
        alone = taken.ledger;
        if !stated && matches!(taken.receipt.extent, Extent::Log { .. }) {
            stated = true;
            for id in 20..30 {
                device.write_patient(&id.to_string(), "Ravi");
            }
        }
    }
    assert!(envelopes.len() > 12, "{} bundles", envelopes.len());
    let hubs = [place.another(), place.another()];
    let together = Barrier::new(SENDERS);
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let (hubs, envelopes, device, together) = (&hubs, &envelopes, &device, &together);
            scope.spawn(move || {
                let hub = &hubs[sender % 2];
                let send = |at: usize| {
                    let receipt = receive(hub, &envelopes[at]).unwrap();
                    assert_eq!(device.open(&receipt).unwrap().standing, Standing::Living);
                };
                for at in 0..envelopes.len() {
                    together.wait();
                    // Some send what is due, others what follows it, and then what is due.
                    if sender >= 2 && at + 1 < envelopes.len() {
                        send(at + 1);
                    }
                    send(at);
                }
            });
        }
    });
    let read = |tx: &store::Tx<'_>| -> Result<_, StoreError> {
        Ok(store::enrolled(tx, device.clinic)?.and_then(|it| it.ledger))
    };
    assert_eq!(place.hub.store.read(device.clinic, read).unwrap(), Some(alone));
    assert_eq!(place.record_count(device.clinic), 30);
    assert!(place.held(device.clinic, "Patient/3").unwrap().contains("Asha 23"));
    let stored = hubs.iter().map(|it| it.counts.stored.load(std::sync::atomic::Ordering::Relaxed));
    assert_eq!(stored.sum::<u64>(), u64::try_from(entries).unwrap(), "each entry is taken once");
}

#[tokio::test]
async fn hardware_that_two_clinics_enrol_at_once_is_one_clinics() {
    let place = Place::new();
    let hubs = [place.another(), place.another()];
    for round in 0..5 {
        let name = |which: usize| format!("Clinic {round} {which}");
        let codes = [0, 1].map(|which| place.new_code(place.add_clinic(&name(which))));
        let together = Barrier::new(2);
        let joined = std::thread::scope(|scope| {
            let join = |which: usize| {
                let (hubs, codes, together) = (&hubs, &codes, &together);
                scope.spawn(move || {
                    let keys = super::device::new_keys();
                    let asking = sync_hub::enroll::Asking {
                        code: codes[which].clone(),
                        sign: keys.0.verifying_key(),
                        seal: keys.1.sealing_key(),
                        hardware: format!("board {round}"),
                        name: "front desk".to_owned(),
                        log: None,
                        on_held: OnHeld::Refuse,
                    };
                    together.wait();
                    sync_hub::enroll::enroll(&hubs[which], &asking)
                })
            };
            [join(0), join(1)].map(|it| it.join().unwrap())
        });
        assert_eq!(joined.iter().filter(|it| it.is_ok()).count(), 1);
        let refused = joined.into_iter().find_map(Result::err);
        assert!(matches!(refused, Some(sync_hub::enroll::NotJoined::Hardware)), "{refused:?}");
    }
}
