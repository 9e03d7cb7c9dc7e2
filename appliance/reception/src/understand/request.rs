//! What is wanted: rules over what is spoken of, clause by clause, and what of it is denied.
//!
//! Invariant: what stands beside a "not" that may belong to it is never wanted, only denied.

use super::Expecting;
use super::vocabulary::{Meaning, Reading, Topic};
use crate::intent::Intent;

/// How far a "not" of English reaches, in words.
const NOT_REACH: usize = 6;
/// How far a "nahi" reaches back and forth, in words.
const NAHI_REACH: usize = 3;
/// Words of a clause that is nothing but its request.
const BARE_MAX: usize = 4;

/// Something that is wanted, or expressly not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub intent: Intent,
    pub denied: bool,
    /// The words that say so.
    pub clause: (usize, usize),
}

/// What else a clause speaks of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct About {
    /// A practitioner by name, or a speciality.
    pub practitioner: bool,
    /// A day or a time.
    pub moment: bool,
    /// A service by name.
    pub service: bool,
    /// Whether a question mark stands in the message.
    pub asks: bool,
}

/// All that is wanted or denied, in order; `about` says of a clause what else it speaks of.
pub(super) fn requests(
    reading: &Reading,
    expecting: &Expecting,
    about: impl Fn(usize, usize) -> About,
) -> Vec<Request> {
    let mut requests: Vec<Request> = Vec::new();
    let all = reading.clauses();
    let one = all.len() < 2;
    for (from, to) in all {
        let clause = Clause::new(reading, expecting, (from, to), about(from, to));
        clause.add_to(&mut requests);
    }
    // What no clause says alone, all of them may say together.
    if !one && !requests.iter().any(|request| !request.intent.is_courtesy()) {
        let whole = (0, reading.len());
        let clause = Clause::new(reading, expecting, whole, about(whole.0, whole.1));
        clause.add_to(&mut requests);
    }
    requests
}

struct Clause<'a> {
    reading: &'a Reading,
    expecting: &'a Expecting,
    from: usize,
    to: usize,
    about: About,
    /// Where, what, whether it is denied.
    topics: Vec<(usize, Topic, bool)>,
}

impl<'a> Clause<'a> {
    fn new(
        reading: &'a Reading,
        expecting: &'a Expecting,
        (from, to): (usize, usize),
        about: About,
    ) -> Self {
        let denied = denied(reading, from, to);
        let topics = reading
            .within(from, to)
            .filter_map(|(at, _, meaning)| {
                let Meaning::Topic(topic) = meaning else { return None };
                Some((at, topic, denied.contains(&at)))
            })
            .collect();
        Self { reading, expecting, from, to, about, topics }
    }

    /// Adds what the clause says and no other said before it.
    fn add_to(&self, all: &mut Vec<Request>) {
        for request in self.requests() {
            let is_it = |it: &Request| (it.intent, it.denied) == (request.intent, request.denied);
            if !all.iter().any(is_it) {
                all.push(request);
            }
        }
    }

    fn request(&self, intent: Intent, denied: bool) -> Request {
        Request { intent, denied, clause: (self.from, self.to) }
    }

    /// What the clause wants, one thing, after what it denies.
    fn requests(&self) -> Vec<Request> {
        let mut requests = Vec::new();
        if self.asks_for_language() {
            return vec![self.request(Intent::ChangeLanguage, false)];
        }
        for (intent, topics) in RULES {
            if !topics.iter().all(|topic| self.says(*topic)) || !self.allows(*intent, topics) {
                continue;
            }
            let intent = *intent;
            let denied = topics.iter().any(|topic| self.denies(*topic));
            // Of what is denied the first says it; what follows only from its words is not denied, too.
            let again = denied && !requests.is_empty();
            // "Cancel nahi karna chahta" wants no visit, though it says want.
            let weak = !requests.is_empty() && intent == Intent::Book && *topics != [Topic::Book];
            if again || weak || requests.iter().any(|request: &Request| request.intent == intent) {
                continue;
            }
            let intent = if denied { intent } else { self.turned(intent) };
            requests.push(self.request(intent, denied));
            if !denied {
                break;
            }
        }
        requests
    }

    fn says(&self, topic: Topic) -> bool {
        self.topics.iter().any(|(_, it, _)| *it == topic)
    }

    /// Whether each mention of a topic is denied.
    fn denies(&self, topic: Topic) -> bool {
        let mut mentions = self.topics.iter().filter(|(_, it, _)| *it == topic).peekable();
        mentions.peek().is_some() && mentions.all(|(_, _, denied)| *denied)
    }

    fn means(&self, meaning: Meaning) -> bool {
        self.reading.within(self.from, self.to).any(|(_, _, m)| m == meaning)
    }

    fn is_question(&self) -> bool {
        self.about.asks || self.means(Meaning::Question)
    }

    fn is_bare(&self) -> bool {
        self.to - self.from <= BARE_MAX
    }

    /// Whether messages are to stop, not a pain or a noise: "stop" and "band karo" stand alone or beside messages.
    fn stops_messages(&self) -> bool {
        if self.says(Topic::Appointment) || self.says(Topic::Clinic) {
            return false;
        }
        let strong = self.topics.iter().any(|(at, topic, _)| {
            let word = self.reading.words[*at].folded.as_str();
            *topic == Topic::Stop && !matches!(word, "stop" | "band" | "bandkaro" | "बंद" | "सटाप")
        });
        let alone = (self.from..self.to).all(|i| {
            !self.reading.is_unknown(i)
                && self.reading.within(i, i + 1).all(|(_, _, m)| {
                    matches!(
                        m,
                        Meaning::Filler
                            | Meaning::Yes
                            | Meaning::Not
                            | Meaning::Nahi
                            | Meaning::But
                            | Meaning::And
                            | Meaning::Soonest
                            | Meaning::Topic(Topic::Stop | Topic::Leave | Topic::End)
                    )
                })
        });
        strong || alone || self.says(Topic::Messages)
    }

    /// "Hindi please", "can we speak English"; not "a doctor who speaks Hindi".
    fn asks_for_language(&self) -> bool {
        let named = self
            .reading
            .within(self.from, self.to)
            .any(|(_, _, m)| matches!(m, Meaning::Language(_)));
        let denied = self.means(Meaning::Not) || self.means(Meaning::Nahi);
        named && !denied && !self.has_practitioner() && !self.says(Topic::Book)
    }

    /// Whether a practitioner is spoken of, by name, by speciality or as such.
    fn has_practitioner(&self) -> bool {
        self.about.practitioner || self.says(Topic::Practitioner)
    }

    /// Whether nothing was asked that the clause may answer.
    fn opens(&self) -> bool {
        matches!(self.expecting, Expecting::Nothing | Expecting::Intent)
    }

    /// Conditions that a row of topics cannot say.
    fn allows(&self, intent: Intent, topics: &[Topic]) -> bool {
        match intent {
            Intent::Stop => self.stops_messages(),
            Intent::Person => {
                let alone = topics == [Topic::Human];
                !alone || self.is_bare() && !self.is_question()
            }
            Intent::Move => match topics {
                // "Can I come on Thursday instead?"
                [Topic::Come] => self.opens() && self.about.moment && self.reading.says_instead(),
                [Topic::Change] => self.opens() || self.says(Topic::Appointment),
                // "Friday ki jagah Saturday".
                [Topic::Appointment] => self.means(Meaning::Correction) && self.about.moment,
                _ => true,
            },
            Intent::CheckIn => topics != [Topic::Arrived] || !self.is_question(),
            // "Leave the one of Monday" keeps it.
            Intent::Leave => !self.about.moment,
            Intent::Confirm => {
                // After a question for yes or no it is a yes, and a question is no promise.
                let answers = *self.expecting == Expecting::YesNo && !self.says(Topic::Appointment);
                !answers && !self.is_question()
            }
            Intent::RunningLate => !(self.is_question() && self.has_practitioner()),
            Intent::WhereInQueue => {
                topics != [Topic::HowLong] || !(self.says(Topic::Matter) || self.says(Topic::Fee))
            }
            Intent::MyAppointments => {
                let wants = [Topic::Want, Topic::Free, Topic::See].iter().any(|it| self.says(*it));
                let of_family = self
                    .reading
                    .within(self.from, self.to)
                    .any(|(_, _, m)| matches!(m, Meaning::Relation(_)));
                let mine = self.means(Meaning::My);
                match topics {
                    [Topic::Have] => true,
                    [Topic::Appointment] => mine && !of_family && !wants && self.opens(),
                    [Topic::Confirm, Topic::Appointment] => self.is_question(),
                    [Topic::Come, Topic::When] => {
                        self.is_question() && !wants && !self.has_practitioner()
                    }
                    _ => !wants && (mine || self.says(Topic::Show)),
                }
            }
            Intent::Book => self.allows_booking(topics),
            Intent::Back | Intent::Help => self.is_bare(),
            Intent::More => {
                self.is_bare()
                    || self.topics.iter().any(|(at, t, _)| {
                        *t == Topic::More
                            && self
                                .reading
                                .is(*at, Meaning::Topic(Topic::More))
                                .is_some_and(|end| end > at + 1)
                    })
            }
            Intent::Cancel
            | Intent::CannotCome
            | Intent::Instructions
            | Intent::Faq
            | Intent::JoinWaitlist
            | Intent::Allow
            | Intent::ChangeLanguage
            | Intent::StartOver
            | Intent::Repeat
            | Intent::Greeting
            | Intent::Thanks
            | Intent::Goodbye => true,
        }
    }

    fn allows_booking(&self, topics: &[Topic]) -> bool {
        match topics {
            // "I see" is no wish, "dikhana hai" is one.
            [Topic::See] => {
                self.has_practitioner()
                    || self.topics.iter().any(|(at, topic, _)| {
                        let word = &self.reading.words[*at].folded;
                        *topic == Topic::See && !matches!(word.as_str(), "see" | "meet" | "show")
                    })
            }
            [Topic::Want] => {
                (self.has_practitioner() || self.about.service) && !self.says(Topic::Talk)
            }
            // "May I come on Monday?"
            [Topic::Come] => {
                let asks = self.is_question();
                let must = self.topics.iter().any(|(at, topic, _)| {
                    let word = &self.reading.words[*at].folded;
                    *topic == Topic::Come && word.starts_with("aa") || word.starts_with('आ')
                });
                self.opens() && self.about.moment && (asks || must)
            }
            // "Is the doctor in today?"
            [Topic::Practitioner] => self.opens() && self.is_question() && self.about.moment,
            [Topic::Free] => {
                self.has_practitioner() || self.about.moment || self.says(Topic::Appointment)
            }
            // A visit alone is a wish to have one, unless something is asked of one that is there.
            [Topic::Appointment] => {
                self.opens()
                    && !self.means(Meaning::Past)
                    && (!self.is_question() || !self.means(Meaning::My))
            }
            _ => true,
        }
    }

    /// "Cancel" alone, in the middle of something, leaves that.
    fn turned(&self, intent: Intent) -> Intent {
        let bare = intent == Intent::Cancel
            && !self.opens()
            && !self.says(Topic::Appointment)
            && !self.about.moment
            && !self.about.practitioner;
        if bare { Intent::Leave } else { intent }
    }
}

/// Where words stand that a "not" belongs to.
fn denied(reading: &Reading, from: usize, to: usize) -> Vec<usize> {
    let topics: Vec<(usize, usize, Topic)> = reading
        .within(from, to)
        .filter_map(|(at, end, m)| {
            let Meaning::Topic(topic) = m else { return None };
            Some((at, end, topic))
        })
        .collect();
    let mut denied = Vec::new();
    for (at, end, meaning) in reading.within(from, to) {
        if meaning == Meaning::Not {
            denied.extend(
                topics.iter().filter(|t| t.0 >= end && t.0 - end <= NOT_REACH).map(|t| t.0),
            );
        }
        if meaning == Meaning::Nahi {
            // Of the topics with the nearest end all: a word may mean two.
            let before =
                topics.iter().filter(|t| t.1 <= at && at - t.1 < NAHI_REACH).map(|t| t.0).max();
            let is_thing = topics.iter().any(|t| Some(t.0) == before && is_thing(t.2));
            if let Some(before) = before {
                denied.push(before);
            }
            if before.is_none() || is_thing {
                let after = topics
                    .iter()
                    .filter(|t| t.0 >= end && t.0 - end < NAHI_REACH)
                    .map(|t| t.0)
                    .min();
                denied.extend(after);
            }
        }
    }
    denied
}

/// What is not done but had: the verb that is denied comes after it.
fn is_thing(topic: Topic) -> bool {
    matches!(
        topic,
        Topic::Appointment
            | Topic::Practitioner
            | Topic::When
            | Topic::Messages
            | Topic::Clinic
            | Topic::Human
    )
}

/// The first that fits counts; all of its topics must be spoken of in one clause.
const RULES: &[(Intent, &[Topic])] = &[
    (Intent::Allow, &[Topic::Allow]),
    (Intent::Cancel, &[Topic::Stop, Topic::Appointment]),
    (Intent::Cancel, &[Topic::End, Topic::Appointment]),
    (Intent::Stop, &[Topic::Stop]),
    (Intent::StartOver, &[Topic::StartOver]),
    (Intent::JoinWaitlist, &[Topic::Waitlist]),
    (Intent::CannotCome, &[Topic::CannotCome]),
    (Intent::RunningLate, &[Topic::Late]),
    (Intent::Move, &[Topic::Move]),
    (Intent::Move, &[Topic::Change, Topic::Appointment]),
    (Intent::Cancel, &[Topic::Cancel]),
    (Intent::Move, &[Topic::Appointment]),
    (Intent::Leave, &[Topic::Leave]),
    (Intent::More, &[Topic::More]),
    (Intent::Move, &[Topic::Change]),
    (Intent::Person, &[Topic::Talk]),
    (Intent::Person, &[Topic::Human]),
    (Intent::Person, &[Topic::Human, Topic::Want]),
    (Intent::CheckIn, &[Topic::CheckIn]),
    (Intent::CheckIn, &[Topic::Arrived]),
    (Intent::Book, &[Topic::Book]),
    (Intent::WhereInQueue, &[Topic::Queue]),
    (Intent::WhereInQueue, &[Topic::HowLong]),
    (Intent::MyAppointments, &[Topic::Have]),
    (Intent::MyAppointments, &[Topic::Appointment, Topic::When]),
    (Intent::MyAppointments, &[Topic::Appointment, Topic::Show]),
    (Intent::Instructions, &[Topic::Prepare]),
    (Intent::MyAppointments, &[Topic::Confirm, Topic::Appointment]),
    (Intent::Confirm, &[Topic::Confirm]),
    (Intent::Faq, &[Topic::Fee]),
    (Intent::Faq, &[Topic::Place]),
    (Intent::Book, &[Topic::Want, Topic::Appointment]),
    (Intent::Move, &[Topic::Come]),
    (Intent::Book, &[Topic::Come]),
    (Intent::MyAppointments, &[Topic::Come, Topic::When]),
    (Intent::Book, &[Topic::See]),
    (Intent::Book, &[Topic::Free]),
    (Intent::Book, &[Topic::Practitioner]),
    (Intent::Faq, &[Topic::Hours]),
    (Intent::Book, &[Topic::Want]),
    (Intent::Faq, &[Topic::Matter]),
    (Intent::MyAppointments, &[Topic::Appointment]),
    (Intent::Book, &[Topic::Appointment]),
    (Intent::Repeat, &[Topic::Repeat]),
    (Intent::Back, &[Topic::Back]),
    (Intent::Help, &[Topic::Help]),
    (Intent::Thanks, &[Topic::Thanks]),
    (Intent::Goodbye, &[Topic::Bye]),
    (Intent::Greeting, &[Topic::Greet]),
];
