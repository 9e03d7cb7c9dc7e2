//! The sentences of reception by name, each with what is put into it.

/// One row for each sentence: its name, its id in the files of `words/`, and its variables.
macro_rules! sentences {
    ($($name:ident = $id:literal [$($variable:literal),*],)*) => {
        /// A sentence of reception, or a title. The clinic may word each anew; what is put into it stays.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "the files of `words/` say what each says")]
        pub enum Sentence { $($name,)* }

        impl Sentence {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The id in the files of `words/`.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// What is put into it, by name.
            pub fn variables(self) -> &'static [&'static str] {
                match self { $(Self::$name => &[$($variable),*],)* }
            }
        }
    };
}

sentences! {
    Greeting = "greeting" ["clinic"],
    Menu = "menu" [],
    MenuLabel = "menu-label" [],
    MenuBook = "menu-book" [],
    MenuMine = "menu-mine" [],
    MenuMove = "menu-move" [],
    MenuCancel = "menu-cancel" [],
    MenuQueue = "menu-queue" [],
    MenuDesk = "menu-desk" [],
    Yes = "yes" [],
    No = "no" [],
    Choose = "choose" [],
    Restart = "restart" [],
    MoreTimes = "more-times" [],
    OtherDay = "other-day" [],
    OtherDoctor = "other-doctor" [],
    AnyDoctor = "any-doctor" [],
    SomebodyNew = "somebody-new" [],
    LeaveIt = "leave-it" [],
    WillCome = "will-come" [],
    JoinWaitlist = "join-waitlist" [],
    NotUnderstood = "not-understood" [],
    ReplyByNumber = "reply-by-number" [],
    WordsOnly = "words-only" [],
    StillThere = "still-there" [],
    BackToIt = "back-to-it" [],
    Dropped = "dropped" [],
    StartedAgain = "started-again" [],
    HereAgain = "here-again" [],
    Welcome = "welcome" [],
    OutOfDate = "out-of-date" [],
    AskDoctor = "ask-doctor" [],
    AskWhichDoctor = "ask-which-doctor" [],
    AskDoctorOf = "ask-doctor-of" ["specialty"],
    NoSuchDoctor = "no-such-doctor" [],
    AskDay = "ask-day" ["doctor"],
    AskDayAny = "ask-day-any" [],
    AskPart = "ask-part" ["day"],
    PartMorning = "part-morning" [],
    PartAfternoon = "part-afternoon" [],
    PartEvening = "part-evening" [],
    PartNight = "part-night" [],
    AskTime = "ask-time" ["day", "doctor"],
    AskTimeAny = "ask-time-any" ["day"],
    DayOver = "day-over" ["day"],
    NoSuchSpecialty = "no-such-specialty" ["specialty"],
    DayNotFree = "day-not-free" ["day"],
    TimeNotFree = "time-not-free" ["day", "time"],
    DaysNotFree = "days-not-free" [],
    AskOtherTime = "ask-other-time" [],
    PartNotFree = "part-not-free" ["day"],
    NothingFree = "nothing-free" ["days"],
    SlotTaken = "slot-taken" [],
    DoctorChanged = "doctor-changed" ["doctor"],
    AskWhom = "ask-whom" [],
    AskName = "ask-name" [],
    NotAName = "not-a-name" [],
    AskBirth = "ask-birth" ["name"],
    NotABirth = "not-a-birth" [],
    AskPhone = "ask-phone" [],
    AskKnownPhone = "ask-known-phone" [],
    NotAPhone = "not-a-phone" [],
    AskKnownBirth = "ask-known-birth" [],
    BookConfirm = "book-confirm" ["day", "doctor", "name", "time"],
    BookConfirmService = "book-confirm-service" ["day", "doctor", "name", "service", "time"],
    Booked = "booked" ["day", "doctor", "name", "time"],
    Qr = "qr" [],
    DoubleBooked = "double-booked" ["name"],
    MaybeOnRecord = "maybe-on-record" [],
    WhatElse = "what-else" [],
    MoveConfirm = "move-confirm" ["day", "doctor", "name", "oldday", "oldtime", "time"],
    Moved = "moved" ["day", "doctor", "name", "time"],
    CancelConfirm = "cancel-confirm" ["day", "doctor", "name", "time"],
    Cancelled = "cancelled" [],
    Kept = "kept" [],
    ConfirmConfirm = "confirm-confirm" ["day", "doctor", "name", "time"],
    Confirmed = "confirmed" ["day", "name", "time"],
    TooLate = "too-late" [],
    AskMoveOrCancel = "ask-move-or-cancel" [],
    AskWhose = "ask-whose" [],
    AskProof = "ask-proof" [],
    ProofWrong = "proof-wrong" [],
    NotProven = "not-proven" [],
    NotOnRecord = "not-on-record" [],
    AskWhichAppointment = "ask-which-appointment" [],
    NoAppointments = "no-appointments" ["name"],
    Appointments = "appointments" ["name"],
    AppointmentLine = "appointment-line" ["day", "doctor", "time"],
    QueueNone = "queue-none" ["name"],
    QueueCalled = "queue-called" ["token"],
    QueuePlace = "queue-place" ["ahead", "token"],
    QueueMinutes = "queue-minutes" ["minutes"],
    CheckedIn = "checked-in" [],
    NotCheckedIn = "not-checked-in" [],
    AskService = "ask-service" [],
    NoInstructions = "no-instructions" ["service"],
    FaqNone = "faq-none" [],
    FaqLeft = "faq-left" [],
    WaitlistAsk = "waitlist-ask" ["name"],
    WaitlistAskDoctor = "waitlist-ask-doctor" ["doctor", "name"],
    Waitlisted = "waitlisted" [],
    WaitlistLeft = "waitlist-left" [],
    HandedOver = "handed-over" [],
    DeskPhone = "desk-phone" ["phone"],
    NotDone = "not-done" [],
    Away = "away" [],
    LateNoted = "late-noted" [],
    AwayLent = "away-lent" [],
    Emergency = "emergency" ["numbers"],
    EmergencyPlain = "emergency-plain" [],
    EmergencyPhone = "emergency-phone" ["phone"],
    Remind = "remind" ["clinic", "day", "doctor", "name", "time"],
    RemindToConfirm = "remind-to-confirm" ["clinic", "day", "doctor", "name", "time"],
    Or = "or" ["one", "other"],
    Stopped = "stopped" [],
    Allowed = "allowed" [],
    LanguageSet = "language-set" [],
    AskLanguage = "ask-language" [],
    LanguageName = "language-name" [],
    Today = "today" [],
    Tomorrow = "tomorrow" [],
    DayLong = "day-long" ["day", "month", "weekday"],
    DayShort = "day-short" ["day", "month", "weekday"],
    Clock = "clock" ["hour", "minute", "part"],
    Weekday1 = "weekday-1" [],
    Weekday2 = "weekday-2" [],
    Weekday3 = "weekday-3" [],
    Weekday4 = "weekday-4" [],
    Weekday5 = "weekday-5" [],
    Weekday6 = "weekday-6" [],
    Weekday7 = "weekday-7" [],
    WeekdayShort1 = "weekday-short-1" [],
    WeekdayShort2 = "weekday-short-2" [],
    WeekdayShort3 = "weekday-short-3" [],
    WeekdayShort4 = "weekday-short-4" [],
    WeekdayShort5 = "weekday-short-5" [],
    WeekdayShort6 = "weekday-short-6" [],
    WeekdayShort7 = "weekday-short-7" [],
    Month1 = "month-1" [],
    Month2 = "month-2" [],
    Month3 = "month-3" [],
    Month4 = "month-4" [],
    Month5 = "month-5" [],
    Month6 = "month-6" [],
    Month7 = "month-7" [],
    Month8 = "month-8" [],
    Month9 = "month-9" [],
    Month10 = "month-10" [],
    Month11 = "month-11" [],
    Month12 = "month-12" [],
}

impl Sentence {
    /// The sentence of that id.
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|sentence| sentence.id() == id)
    }
}

/// Monday first.
pub(crate) const WEEKDAYS: [Sentence; 7] = [
    Sentence::Weekday1,
    Sentence::Weekday2,
    Sentence::Weekday3,
    Sentence::Weekday4,
    Sentence::Weekday5,
    Sentence::Weekday6,
    Sentence::Weekday7,
];
/// The same, short.
pub(crate) const WEEKDAYS_SHORT: [Sentence; 7] = [
    Sentence::WeekdayShort1,
    Sentence::WeekdayShort2,
    Sentence::WeekdayShort3,
    Sentence::WeekdayShort4,
    Sentence::WeekdayShort5,
    Sentence::WeekdayShort6,
    Sentence::WeekdayShort7,
];
/// January first.
pub(crate) const MONTHS: [Sentence; 12] = [
    Sentence::Month1,
    Sentence::Month2,
    Sentence::Month3,
    Sentence::Month4,
    Sentence::Month5,
    Sentence::Month6,
    Sentence::Month7,
    Sentence::Month8,
    Sentence::Month9,
    Sentence::Month10,
    Sentence::Month11,
    Sentence::Month12,
];
