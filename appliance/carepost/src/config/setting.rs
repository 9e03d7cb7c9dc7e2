//! All settings of the box, once each: what they take, their defaults and what they do.

/// The languages that there are words for.
pub const LANGUAGES: [&str; 4] = ["en", "hi", "kn", "ta"];

/// One setting: its key, what it takes, what it is when nobody says, and what it does.
#[derive(Debug)]
pub struct Setting {
    /// Section and name, for example `http.listen`.
    pub key: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// The default as it would stand in the file; empty if there is none.
    pub default: &'static str,
    /// What it does, in a sentence or two.
    pub doc: &'static str,
}

/// What a setting takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// An address and port.
    Address,
    /// An address and port, or nothing.
    OptionalAddress,
    /// True or false.
    Switch,
    /// A whole number in a range, both ends included.
    Number(u32, u32),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Some of these words, each once, at least one.
    Choices(&'static [&'static str]),
    /// Names of hosts, each once, at most so many.
    Hosts(usize),
    /// A telephone number as people write it, or nothing.
    Phone,
    /// The address of a page, or nothing.
    Page,
    /// The address of a broker, or nothing.
    Broker,
    /// A time of day, in hours and minutes.
    TimeOfDay,
    /// The address of a mail server, or nothing.
    MailServer,
    /// An e-mail address, with or without a name before it, or nothing.
    Mailbox,
}

/// Public names that one box has at the most.
const HOSTS_MAX: usize = 16;
/// The media by which the box says something of itself.
const WAYS: [&str; 3] = ["whatsapp", "sms", "email"];
const LOG_FORMATS: [&str; 2] = ["text", "json"];
const LOG_LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// All settings, in the order in which people read them.
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "http.listen",
        kind: Kind::Address,
        default: "\"127.0.0.1:8080\"",
        doc: "Where the box serves plain HTTP, for the attached kiosk and for a proxy on the same machine.",
    },
    Setting {
        key: "http.tls_listen",
        kind: Kind::OptionalAddress,
        default: "",
        doc: "Where the box serves HTTPS for tablets and other computers, for example \"0.0.0.0:8443\".",
    },
    Setting {
        key: "http.trust_listen",
        kind: Kind::OptionalAddress,
        default: "",
        doc: "Where a page without any records helps tablets to trust the box, for example \"0.0.0.0:80\".",
    },
    Setting {
        key: "http.allow_plain_on_lan",
        kind: Kind::Switch,
        default: "false",
        doc: "Lets http.listen be an address that others can reach. Records then cross the network unencrypted.",
    },
    Setting {
        key: "http.max_connections",
        kind: Kind::Number(16, 20_000),
        default: "2200",
        doc: "Open connections for each listener; more are told to come back.",
    },
    Setting {
        key: "http.hosts",
        kind: Kind::Hosts(HOSTS_MAX),
        default: "[]",
        doc: "Public names under which the box may be opened, behind a proxy that has a certificate for them; addresses and names in .local, .internal and .home.arpa are always good.",
    },
    Setting {
        key: "http.public_url",
        kind: Kind::Page,
        default: "\"\"",
        doc: "The address under which providers of messages reach this box, for a clinic without a hub; Twilio signs it. Its name stands in http.hosts, too.",
    },
    Setting {
        key: "queue.walk_in_wait_minutes",
        kind: Kind::Number(0, 240),
        default: "30",
        doc: "How long a walk-in waits behind booked patients before being due like them, in minutes.",
    },
    Setting {
        key: "kiosk.idle_seconds",
        kind: Kind::Number(10, 600),
        default: "30",
        doc: "After so many seconds without a touch the kiosk asks whether anybody is there.",
    },
    Setting {
        key: "fhir.private_key_sets",
        kind: Kind::Switch,
        default: "false",
        doc: "Lets the box ask for the key sets of clients at addresses in private networks, too.",
    },
    Setting {
        key: "language.offered",
        kind: Kind::Choices(&LANGUAGES),
        default: "[\"en\", \"hi\", \"kn\", \"ta\"]",
        doc: "The languages that the kiosk offers, in this order.",
    },
    Setting {
        key: "language.default",
        kind: Kind::Choice(&LANGUAGES),
        default: "\"en\"",
        doc: "The language of screens and messages for people who have not chosen one.",
    },
    Setting {
        key: "fhir.publish_slots",
        kind: Kind::Switch,
        default: "false",
        doc: "Tells everybody who can reach the box which times are free and which are taken (/fhir/$bulk-publish, SMART Scheduling Links); nothing of patients.",
    },
    Setting {
        key: "fhir.booking_phone",
        kind: Kind::Phone,
        default: "\"\"",
        doc: "The number to call for one of these times, for example \"+91 80 1234 5678\".",
    },
    Setting {
        key: "fhir.booking_link",
        kind: Kind::Page,
        default: "\"\"",
        doc: "The page where one of these times is booked; `slot=` and the slot's id are added to it.",
    },
    Setting {
        key: "log.format",
        kind: Kind::Choice(&LOG_FORMATS),
        default: "\"text\"",
        doc: "Log lines for people (text) or for programs (json).",
    },
    Setting {
        key: "log.level",
        kind: Kind::Choice(&LOG_LEVELS),
        default: "\"info\"",
        doc: "The least important line that is logged.",
    },
    Setting {
        key: "backup.warn_after_hours",
        kind: Kind::Number(1, 8760),
        default: "48",
        doc: "The desk and `carepost doctor` warn when the last backup is older, in hours.",
    },
    Setting {
        key: "loans.share_percent",
        kind: Kind::Number(0, 100),
        default: "20",
        doc: "Of each day's free slots so many hundredths are lent to the hub for booking online; a session may say otherwise.",
    },
    Setting {
        key: "loans.cutoff_hours",
        kind: Kind::Number(1, 720),
        default: "24",
        doc: "So many hours before its start a slot is neither lent nor sold online any more.",
    },
    Setting {
        key: "loans.horizon_days",
        kind: Kind::Number(1, 35),
        default: "28",
        doc: "Slots are lent so many days ahead.",
    },
    Setting {
        key: "loans.term_hours",
        kind: Kind::Number(1, 840),
        default: "168",
        doc: "So many hours the hub may sell a slot without hearing of the box; as long a person waits before taking it without the hub.",
    },
    Setting {
        key: "relay.broker",
        kind: Kind::Broker,
        default: "\"\"",
        doc: "Through which broker (MQTT 5) messages go between the box and its hub, once the box has joined one.",
    },
    Setting {
        key: "messages.ways",
        kind: Kind::Choices(&WAYS),
        default: "[\"whatsapp\", \"sms\", \"email\"]",
        doc: "By which media messages may go, as far as there is what carries them: WhatsApp and SMS by the clinic's accounts at the hub, e-mail by email.server.",
    },
    Setting {
        key: "email.server",
        kind: Kind::MailServer,
        default: "\"\"",
        doc: "By which mail server the box sends e-mail: smtps:// is TLS, smtp:// STARTTLS unless it is this machine. Name and password are two lines of `keys/email-login` (0600).",
    },
    Setting {
        key: "email.from",
        kind: Kind::Mailbox,
        default: "\"\"",
        doc: "From which address; without a name before it, the clinic's stands there.",
    },
    Setting {
        key: "messages.quiet_from",
        kind: Kind::TimeOfDay,
        default: "\"21:00\"",
        doc: "From this time of the clinic on nobody is sent what they did not ask for.",
    },
    Setting {
        key: "messages.quiet_to",
        kind: Kind::TimeOfDay,
        default: "\"08:00\"",
        doc: "Until this time. The same as messages.quiet_from: there are no quiet hours.",
    },
    Setting {
        key: "messages.hub_answers",
        kind: Kind::Switch,
        default: "true",
        doc: "Whether the hub answers patients while the box is away: with the clinic's frequent questions, times that are lent, and that their message is there.",
    },
    Setting {
        key: "messages.per_hour",
        kind: Kind::Number(1, 60),
        default: "5",
        doc: "So many messages that nobody asked for go to one address in an hour, all media together.",
    },
    Setting {
        key: "calls.recording_hosts",
        kind: Kind::Hosts(HOSTS_MAX),
        default: "[]",
        doc: "Hosts from which recordings of calls are fetched, by HTTPS; without one none is fetched. Whoever knows the voice agent's secret can make the box ask these hosts.",
    },
    Setting {
        key: "media.free_megabytes",
        kind: Kind::Number(64, 1_000_000),
        default: "500",
        doc: "So many megabytes of the disk are left to the records: with less, no picture, sound or recording is taken in.",
    },
    Setting {
        key: "sync.budget_megabytes_per_day",
        kind: Kind::Number(0, 100_000),
        default: "0",
        doc: "On a line that costs by the byte: when so many megabytes of a day are used, the first telling of all records and long backlogs wait for the next day; bookings, sales, requests and answers go on. 0 is no bound.",
    },
];

/// The settings as a Markdown table, for the README.
pub fn markdown() -> String {
    let mut table = "| setting | default | takes | what it does |\n|---|---|---|---|\n".to_owned();
    for Setting { key, kind, default, doc } in SETTINGS {
        let default = if default.is_empty() { "none".to_owned() } else { format!("`{default}`") };
        table.push_str(&format!("| `{key}` | {default} | {} | {doc} |\n", kind.expected()));
    }
    table
}

impl Kind {
    /// What it takes, in words that follow "takes".
    pub fn expected(self) -> String {
        match self {
            Self::Address => "an address and port such as \"127.0.0.1:8080\"".to_owned(),
            Self::OptionalAddress => {
                "an address and port such as \"0.0.0.0:8443\", or \"\" for none".to_owned()
            }
            Self::Switch => "true or false".to_owned(),
            Self::Number(least, most) => format!("a whole number from {least} to {most}"),
            Self::Phone => {
                "a telephone number such as \"+91 80 1234 5678\", or \"\" for none".to_owned()
            }
            Self::Page => {
                "an address such as \"https://clinic.example/book\", or \"\" for none".to_owned()
            }
            Self::Broker => {
                "an address such as \"mqtts://broker.example:8883\", or \"\" for none".to_owned()
            }
            Self::TimeOfDay => "a time such as \"21:00\"".to_owned(),
            Self::MailServer => {
                "an address such as \"smtps://mail.example\", or \"\" for none".to_owned()
            }
            Self::Mailbox => {
                "an address such as \"desk@clinic.example\", or \"\" for none".to_owned()
            }
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::Choices(words) => format!("a list of some of {}", words.join(", ")),
            Self::Hosts(most) => {
                format!("a list of at most {most} names such as \"clinic.example\", without ports")
            }
        }
    }
}

/// The setting with this key.
pub(super) fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// The key that is most like `key`, with or without its section.
pub(super) fn nearest(key: &str) -> &'static str {
    let likeness = |setting: &Setting| {
        let name = setting.key.rsplit('.').next().unwrap_or(setting.key);
        let written = key.rsplit('.').next().unwrap_or(key);
        let whole = strsim::normalized_damerau_levenshtein(key, setting.key);
        whole.max(0.99 * strsim::normalized_damerau_levenshtein(written, name))
    };
    SETTINGS
        .iter()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
        .expect("invariant: there are settings")
        .key
}
