//! The words of the API that are one of a few, as shapes of its document. The words themselves
//! are those of the records.

use prm::{
    appointment, conversation, device, location, media, medium, message, patient, queue, schedule,
    staff, ticket, waitlist,
};
use sync_agent::loans;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! words {
    ($($(#[doc = $doc:literal])* $name:ident: $words:expr;)*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug)]
        pub enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some(concat!($($doc),*).trim()))
                    .enum_values(Some($words))
                    .into()
            }
        }

        impl ToSchema for $name {}
    )*};
}

words! {
    /// FHIR's AppointmentStatus, as far as the box uses it.
    AppointmentStatus: appointment::Status::ALL.map(appointment::Status::as_str);
    /// How somebody came into the queue.
    QueueKind: queue::Kind::ALL.map(queue::Kind::as_str);
    /// Where somebody in the queue stands.
    QueueStatus: queue::Status::ALL.map(queue::Status::as_str);
    /// What a person may do.
    StaffRole: staff::ROLES.map(|role| role.as_str());
    /// The sex for administrative purposes.
    Sex: patient::Sex::ALL.iter().map(|sex| sex.as_str());
    /// What a telephone number is for.
    PhoneUse: patient::PhoneUse::ALL.iter().map(|of| of.as_str());
    /// A way to reach a patient.
    ContactChannel: patient::ContactChannel::ALL.iter().map(|channel| channel.as_str());
    /// Why two records may be of one person.
    DuplicateReason: patient::Reason::ALL.map(patient::Reason::as_str);
    /// What a device is.
    DeviceKind: device::Kind::ALL.map(device::Kind::as_str);
    /// How far a device is.
    DeviceStatus: device::Status::ALL.map(device::Status::as_str);
    /// How a slot stands that is held for booking online.
    LoanStatus: loans::Status::ALL.map(loans::Status::as_str);
    /// What a location is.
    LocationKind: location::Kind::ALL.map(location::Kind::as_str);
    /// By what a message comes or goes.
    Medium: medium::Medium::ALL.map(medium::Medium::as_str);
    /// Who said something in a conversation.
    Author: message::Author::ALL.iter().map(|it| it.as_str());
    /// Who answers in a conversation.
    Holder: [conversation::Holder::Reception, conversation::Holder::Desk].map(conversation::Holder::as_str);
    /// What a message is for.
    MessagePurpose: message::Purpose::ALL.iter().map(|it| it.as_str());
    /// How far a message has come.
    MessageState: message::State::ALL.iter().map(|it| it.as_str());
    /// What became of a picture or sound.
    MediaState: media::State::ALL.map(media::State::as_str);
    /// What would become of a message that waits: sent now, later, after the quiet hours; too late; not wanted.
    Judgement: ["now", "not-before", "quiet", "stale", "not-wanted"];
    /// How far one try to deliver a message has come.
    DeliveryProgress: message::Progress::ALL.iter().map(|it| it.as_str());
    /// Why the desk has something to do.
    TicketReason: ticket::Reason::ALL.map(ticket::Reason::as_str);
    /// Whether it is done.
    TicketStatus: ticket::Status::ALL.map(ticket::Status::as_str);
    /// A part of a day, by the clinic's clock: before 12:00, before 16:00, after.
    PartOfDay: waitlist::PartOfDay::ALL.map(waitlist::PartOfDay::as_str);
    /// Where somebody who waits for a time stands.
    WaitlistStatus: waitlist::Status::ALL.map(waitlist::Status::as_str);
    /// A day of the week.
    Weekday: schedule::Weekdays::ALL.words();
}
