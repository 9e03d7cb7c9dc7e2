//! What a slot is called between box and hub: the session, the start, the place.

use prm::id::{ScheduleId, SlotId};
use sync_protocol::wire::SlotKey;

/// The key of one lane of a slot: sixteen bytes of the session's id, four of the start in minutes since
/// 1970, one of the lane. Keys of one session are in the order of time.
pub fn key(slot: SlotId, lane: i64) -> SlotKey {
    let mut bytes = slot.schedule.as_bytes().to_vec();
    bytes.extend_from_slice(&slot.start_minute.to_be_bytes());
    bytes.push(u8::try_from(lane).unwrap_or(u8::MAX));
    SlotKey(bytes)
}

/// The slot and the lane of a key that [`key`] made.
pub fn parse(key: &SlotKey) -> Option<(SlotId, i64)> {
    let bytes: &[u8; 21] = key.0.as_slice().try_into().ok()?;
    let (schedule, rest) = bytes.split_first_chunk::<16>()?;
    let (start, rest) = rest.split_first_chunk::<4>()?;
    let lane = *rest.first()?;
    let schedule = ScheduleId::from_bytes(*schedule);
    let slot = SlotId { schedule, start_minute: u32::from_be_bytes(*start) };
    (lane < 100).then_some((slot, i64::from(lane)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_its_slot_again_and_orders_by_time() {
        let schedule = ScheduleId::from_bytes(*b"a session of one");
        let slot = |start_minute| SlotId { schedule, start_minute };
        for (slot, lane) in [(slot(0), 0), (slot(29_905_470), 3), (slot(u32::MAX), 99)] {
            assert_eq!(parse(&key(slot, lane)), Some((slot, lane)));
        }
        assert!(key(slot(255), 9) < key(slot(256), 0));
        assert_eq!(parse(&SlotKey(vec![1; 20])), None);
        assert_eq!(parse(&key(slot(1), 100)), None);
    }
}
