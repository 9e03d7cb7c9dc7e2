//! Where resources are read and written: the clinic, and the address of its FHIR.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use prm::clinic::Clinic;
use prm::clinic::WALK_IN_WAIT_MINUTES;
use prm::id::ClinicId;

/// A clinic of which nothing is known, not even its zone: its clock is that of Greenwich.
pub static NOWHERE: LazyLock<Clinic> = LazyLock::new(|| Clinic {
    id: ClinicId::from_bytes([0; 16]),
    version: 0,
    name: String::new(),
    timezone: "UTC".to_owned(),
    zone: TimeZone::UTC,
    country: String::new(),
    walk_in_wait_minutes: WALK_IN_WAIT_MINUTES,
    demo: false,
});

/// The clinic, and the address under which it serves FHIR.
#[derive(Clone, Copy, Debug)]
pub struct Here<'a> {
    /// The clinic: its zone is that of written times, its country that of telephone numbers.
    pub clinic: &'a Clinic,
    /// The address under which this box serves FHIR, such as `https://clinic.local/fhir`; references
    /// under it are to records of this box. Empty if there is none.
    pub origin: &'a str,
}

impl<'a> Here<'a> {
    /// The clinic's time zone.
    pub(crate) fn zone(&self) -> &'a TimeZone {
        &self.clinic.zone
    }

    /// The `meta` of a record: its version, when it last changed, and the zone to say so in.
    pub(crate) fn meta(&self, version: i64, updated: Timestamp) -> (i64, Timestamp, &'a TimeZone) {
        (version, updated, self.zone())
    }
}
