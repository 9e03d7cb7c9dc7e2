//! A dialogue as text: who writes what, what is answered, what is done.
//!
//! ```text
//! # title                      the first line
//! @ from +919844111173         who writes from here on; `@ from someone` has no number
//! @ by voice                   by what
//! @ booked Asha Verma, Rao, 2026-11-24T10:30
//! > hello                      words;  `> [Yes]` chooses what is shown under that title
//! < Hello!                     an answer; its further lines are set in, choices begin with `-`
//! ! book Asha Verma, Dr. Meera Rao, 2026-11-24 10:30
//! = Asha Verma, Dr. Meera Rao, 2026-11-24 10:30     what the diary holds in the end
//! ```

use std::collections::BTreeMap;

use prm::content::{Choice, Content};
use prm::medium::Medium;
use reception::{Act, Answer, Dialogue, Effect, Heard, Input, PlaceFact, ROUNDS_MAX, step};

use super::clinic::{Clinic, Writer, code};

struct Play {
    clinic: Clinic,
    writers: BTreeMap<String, (Writer, Dialogue, Vec<Choice>)>,
    from: String,
    medium: Medium,
    /// Whether nothing can be touched: what is chosen is written as its number.
    by_number: bool,
    proposed: Option<reception::intent::Intent>,
    /// Whether somebody else is quicker with the next booking.
    race: bool,
    lines: Vec<String>,
}

/// Plays a dialogue again: what was written stays, what was answered is answered anew.
pub fn play(text: &str) -> String {
    played(text, Medium::Whatsapp, false)
}

/// What is done in a dialogue, and what the diary holds in the end, if all of it goes by a medium on which nothing can be
/// touched.
pub fn done_by(text: &str, medium: Medium) -> Vec<String> {
    done(&played(text, medium, true))
}

/// The lines of a transcript that say what is done, and what the diary holds in the end.
pub fn done(transcript: &str) -> Vec<String> {
    let is_done = |line: &&str| line.starts_with("! ") || line.starts_with("= ");
    transcript.lines().filter(is_done).map(str::to_owned).collect()
}

fn played(text: &str, medium: Medium, by_number: bool) -> String {
    let mut play = Play {
        clinic: Clinic::new(),
        writers: BTreeMap::new(),
        from: "+919844111173".to_owned(),
        medium,
        by_number,
        proposed: None,
        race: false,
        lines: Vec::new(),
    };
    for line in text.lines() {
        if let Some(words) = line.strip_prefix("> ").or_else(|| (line == ">").then_some("")) {
            play.lines.push(line.to_owned());
            play.hear(words);
        } else if let Some(order) = line.strip_prefix("@ ") {
            play.lines.push(line.to_owned());
            play.order(order);
        } else if line.starts_with('#') {
            play.lines.push(line.to_owned());
        }
    }
    play.end();
    play.lines.join("\n")
}

impl Play {
    fn hear(&mut self, words: &str) {
        let shown =
            self.writers.get(&self.from).map(|(_, _, shown)| shown.clone()).unwrap_or_default();
        let title = words.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let chosen = title.map(|title| {
            let found = shown.iter().find(|choice| choice.title == title);
            found.map_or_else(|| title.to_owned(), |choice| choice.id.clone())
        });
        if let Some(title) = title.filter(|_| self.by_number) {
            let number = shown.iter().position(|it| it.title == title);
            let text = number.map_or_else(|| title.to_owned(), |at| (at + 1).to_string());
            let heard = Heard { text, chosen: None, medium: self.medium, proposed: None };
            return self.steps(Input::Heard(&heard));
        }
        let words = match words.strip_prefix("code of ") {
            Some(name) => {
                let of = self.clinic.person(name).id;
                let found = self.clinic.appointments.values().find(|(_, it)| it.patient == of);
                found.map(|(_, it)| code(it.id)).expect("booked")
            }
            None => title.unwrap_or(words).to_owned(),
        };
        let heard =
            Heard { text: words, chosen, medium: self.medium, proposed: self.proposed.take() };
        self.steps(Input::Heard(&heard));
    }

    fn order(&mut self, order: &str) {
        let (verb, rest) = order.split_once(' ').unwrap_or((order, ""));
        let parts: Vec<&str> = rest.split(", ").collect();
        match verb {
            "from" => self.from = rest.to_owned(),
            "by" => self.medium = Medium::parse(rest).expect("a medium"),
            "now" => self.clinic.now = rest.parse().expect("a time"),
            "away" => self.clinic.away = rest != "no",
            "closed" => self.clinic.closed.push(rest.parse().expect("a date")),
            "doctor" => self.clinic.add_doctor(parts[0], parts[1]),
            "race" => self.race = true,
            "proposed" => self.proposed = rest.parse().ok(),
            "booked" => {
                let slot = self.clinic.slot(parts[1], parts[2]);
                let patient = self.clinic.person(parts[0]).id;
                self.clinic.book(patient, slot, None);
            }
            "waiting" => {
                let place = PlaceFact {
                    token: parts[1].to_owned(),
                    practitioner: None,
                    called: parts[2] == "called",
                    ahead: parts[2].parse().unwrap_or(0),
                    minutes: Some(20),
                };
                self.clinic.in_queue.push((self.clinic.person(parts[0]).id, place));
            }
            "wording" => {
                let (id, text) = rest.split_once(' ').expect("an id and a text");
                let own = self.clinic.wording.0.entry("en".to_owned()).or_default();
                own.insert(id.to_owned(), text.to_owned());
            }
            "reminder" => {
                // A reminder shows these to whoever has the appointment.
                let of = self.clinic.person(rest).id;
                let found = self.clinic.appointments.values().find(|(_, it)| it.patient == of);
                let id = found.map(|(_, it)| it.id).expect("booked");
                if self.by_number {
                    return self.steps(Input::Reminded(id));
                }
                let shown = reception::reminder_choices(id, "en", &self.facts().wording);
                self.writer().2 = shown;
            }
            "reminded" => {
                let of = self.clinic.person(rest).id;
                let found = self.clinic.appointments.values().find(|(_, it)| it.patient == of);
                let id = found.map(|(_, it)| it.id).expect("booked");
                self.steps(Input::Reminded(id));
            }
            "elapsed" => self.steps(Input::Elapsed),
            "taken-over" => self.steps(Input::TakenOver),
            "given-back" => self.steps(Input::GivenBack),
            "forgotten" => self.writer().1 = Dialogue::default(),
            _ => panic!("{order} is no order"),
        }
    }

    fn writer(&mut self) -> &mut (Writer, Dialogue, Vec<Choice>) {
        self.writers
            .entry(self.from.clone())
            .or_insert_with(|| (Clinic::writer(&self.from), Dialogue::default(), Vec::new()))
    }

    fn facts(&mut self) -> reception::Facts {
        let writer = self.writer().0.clone();
        self.clinic.facts(&writer)
    }

    fn steps(&mut self, input: Input<'_>) {
        let mut input = Some(input);
        for _ in 0..ROUNDS_MAX {
            let Some(now) = input.take() else { return };
            let facts = self.facts();
            let dialogue = std::mem::take(&mut self.writer().1);
            // It is kept as text between two messages.
            let kept = serde_json::to_string(&dialogue).expect("it can be kept");
            let dialogue = serde_json::from_str(&kept).expect("it can be read");
            let (dialogue, effects) = step(dialogue, now, &facts);
            self.writer().1 = dialogue;
            for effect in effects {
                assert!(input.is_none(), "what awaits an answer is the last");
                input = self.effect(effect).map(Input::Answer);
            }
        }
        assert!(input.is_none(), "a message leads to at most {ROUNDS_MAX} steps");
    }

    fn effect(&mut self, effect: Effect) -> Option<Answer> {
        match effect {
            Effect::Say(content) => {
                self.said(&content);
                None
            }
            Effect::Look(look) => {
                let writer = self.writer().0.clone();
                Some(self.clinic.look(look, &writer))
            }
            Effect::Do(act) => {
                let words = self.act_words(&act);
                self.lines.push(format!("! {words}"));
                if let Act::Book { patient: _, slot, service } = &act
                    && std::mem::take(&mut self.race)
                {
                    let other = self.clinic.person("Imran Khan").id;
                    self.clinic.book(other, *slot, *service);
                }
                let mut writer = self.writer().0.clone();
                let answer = self.clinic.act(act, &mut writer);
                self.writer().0 = writer;
                Some(answer)
            }
            Effect::Note(_) => None,
        }
    }

    fn said(&mut self, content: &Content) {
        let (text, choices) = match content {
            Content::Text { text } => (text.clone(), Vec::new()),
            Content::Choices { text, label: _, choices } => (text.clone(), choices.clone()),
            Content::Chosen { .. }
            | Content::Template { .. }
            | Content::Media { .. }
            | Content::Unsupported { .. } => panic!("{content:?} is not said"),
        };
        if text.starts_with(prm::qr::PREFIX) {
            self.lines.push("< (the code)".to_owned());
            return;
        }
        for (at, line) in text.lines().enumerate() {
            let mark = if at == 0 { "<" } else { " " };
            self.lines.push(format!("{mark} {line}"));
        }
        for choice in &choices {
            let below =
                choice.description.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
            self.lines.push(format!("  - {}{below}", choice.title));
        }
        self.writer().2 = choices;
    }

    fn act_words(&self, act: &Act) -> String {
        let clinic = &self.clinic;
        let of = |id| {
            let found = clinic.appointments.get(id);
            found.map(|(slot, it)| {
                format!("{}, {}", clinic.name(it.patient), clinic.slot_words(*slot))
            })
        };
        match act {
            Act::Book { patient, slot, service: _ } => {
                format!("book {}, {}", clinic.name(*patient), clinic.slot_words(*slot))
            }
            Act::Move { appointment, slot } => {
                format!(
                    "move {} to {}",
                    of(appointment).unwrap_or_default(),
                    clinic.slot_words(*slot)
                )
            }
            Act::Cancel { appointment } => {
                format!("cancel {}", of(appointment).unwrap_or_default())
            }
            Act::Confirm { appointment } => {
                format!("confirm {}", of(appointment).unwrap_or_default())
            }
            Act::CheckIn { qr: _ } => "check in".to_owned(),
            Act::Register { name, birth, phone } => {
                format!(
                    "register {name}, {birth}{}",
                    phone.as_ref().map(|it| format!(", {it}")).unwrap_or_default()
                )
            }
            Act::Identify { phone, birth } => format!("identify {phone}, {birth}"),
            Act::JoinWaitlist { patient, practitioner: _, specialty: _, service: _, from, to } => {
                format!("waitlist {} from {from} to {to}", clinic.name(*patient))
            }
            Act::DeclineOffer { slot } => format!("decline {}", clinic.slot_words(*slot)),
            Act::Stop => "stop".to_owned(),
            Act::Allow => "allow".to_owned(),
            Act::HandOver(why) => format!("hand over: {}", why.as_str()),
            Act::Ticket(why) => format!("ticket: {}", why.as_str()),
        }
    }

    /// What the diary holds in the end.
    fn end(&mut self) {
        let clinic = &self.clinic;
        let mut held: Vec<String> = clinic
            .appointments
            .values()
            .map(|(slot, it)| {
                format!("= {}, {}", clinic.name(it.patient), clinic.slot_words(*slot))
            })
            .collect();
        held.sort();
        self.lines.append(&mut held);
    }
}
