//! What an appointment looks like on the wire, and its QR.

use jiff::{Timestamp, ToSpan as _};
use prm::appointment::{Appointment, Status};
use prm::id::AppointmentId;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::http::words::AppointmentStatus;

/// Hours after the start during which the QR opens a check-in.
const QR_HOURS: i64 = 24;

/// Who comes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PatientRef {
    id: Uuid,
    name: String,
    /// E.164.
    phone: Option<String>,
}

/// A visit that was agreed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Appointment)]
pub struct AppointmentView {
    id: Uuid,
    version: i64,
    #[schema(value_type = AppointmentStatus)]
    status: &'static str,
    patient_id: Uuid,
    patient: PatientRef,
    practitioner_id: Uuid,
    location_id: Option<Uuid>,
    service_id: Option<Uuid>,
    schedule_id: Uuid,
    slot_id: String,
    /// RFC 3339 with the clinic's offset.
    start: String,
    /// RFC 3339 with the clinic's offset.
    end: String,
    reason: Option<String>,
    cancel_reason: Option<String>,
    overbooked: bool,
    overbook_reason: Option<String>,
    confirmed: bool,
    hold_until: Option<String>,
    series_id: Option<Uuid>,
    /// The signed text of the QR; null in lists, and when the visit is not to come any more.
    qr: Option<String>,
}

/// What to do about the QR.
#[derive(Debug)]
pub enum Qr {
    /// Leave it out.
    Without,
    /// Sign it now.
    Signed,
    /// It was signed beforehand.
    Ready(String),
}

impl AppointmentView {
    /// An appointment as the API shows it.
    pub fn of(app: &App, appointment: Appointment, qr: Qr) -> Self {
        let qr = match qr {
            Qr::Without => None,
            Qr::Signed => qr_of(app, &appointment),
            Qr::Ready(text) => Some(text).filter(|_| has_qr(appointment.status)),
        };
        let (slot, overbooked) = (appointment.slot(), appointment.is_overbooked());
        let Appointment {
            id,
            version,
            status,
            patient,
            patient_name,
            patient_phone,
            practitioner,
            location,
            healthcare_service,
            schedule,
            start,
            end,
            blocked_to: _,
            lane: _,
            reason,
            cancel_reason,
            overbook_reason,
            confirmed_at,
            hold_until,
            series,
        } = appointment;
        Self {
            id: id.uuid(),
            version,
            status: status.as_str(),
            patient_id: patient.uuid(),
            patient: PatientRef {
                id: patient.uuid(),
                name: patient_name,
                phone: patient_phone.map(|phone| phone.to_string()),
            },
            practitioner_id: practitioner.uuid(),
            location_id: location.map(|id| id.uuid()),
            service_id: healthcare_service.map(|id| id.uuid()),
            schedule_id: schedule.uuid(),
            slot_id: slot.to_string(),
            start: app.local(start),
            end: app.local(end),
            reason,
            cancel_reason,
            overbooked,
            overbook_reason,
            confirmed: confirmed_at.is_some(),
            hold_until: hold_until.map(|time| app.local(time)),
            series_id: series.map(|id| id.uuid()),
            qr,
        }
    }
}

/// The QR of an appointment that is still to come.
pub fn qr_of(app: &App, appointment: &Appointment) -> Option<String> {
    has_qr(appointment.status).then(|| sign(app, appointment.id, appointment.start))
}

/// Signs the QR of an appointment that starts at `start`.
pub fn sign(app: &App, id: AppointmentId, start: Timestamp) -> String {
    let not_after = start.checked_add(QR_HOURS.hours()).unwrap_or(Timestamp::MAX);
    app.signing.sign(app.clinic.short_id(), *id.as_bytes(), not_after)
}

fn has_qr(status: Status) -> bool {
    match status {
        Status::Booked | Status::Arrived | Status::CheckedIn => true,
        Status::Pending
        | Status::Fulfilled
        | Status::Cancelled
        | Status::Noshow
        | Status::EnteredInError => false,
    }
}
