//! Where resources are read and written: the clinic, and the address of its FHIR.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use prm::clinic::Clinic;

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
