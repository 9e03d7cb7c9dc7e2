use jiff::Timestamp;
use jiff::tz::TimeZone;
use prm::appointment::{self, Filter, Status};
use prm::db::{Db, Keys};
use prm::queue::{self, Kind};
use prm::stamp::Stamp;
use prm::time::{at_local_minute, local_date, next_day, plus_minutes, start_of_day};
use prm::{audit, patient, practitioner, schedule};

use super::*;

#[test]
#[ignore = "measures"]
fn timing() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::create(&folder.path().join("keys")).unwrap();
    let db = Db::create(&folder.path().join("carepost.db"), keys).unwrap();
    let t = std::time::Instant::now();
    let f = furnish(&db, "2026-11-23T11:00:00+05:30".parse().unwrap(), 1, 14).unwrap();
    panic!("{:?} {f:?}", t.elapsed());
}
