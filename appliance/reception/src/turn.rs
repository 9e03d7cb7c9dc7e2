//! One step as it is worked out: what is known, what is remembered, and what is going to be said.

use fluent_bundle::FluentValue;
use jiff::Timestamp;
use jiff::civil::Date;
use prm::content::{CHOICE_TITLE_LETTERS_MAX, CHOICES_MAX, Choice, Content, TEXT_LETTERS_MAX};
use prm::id::{PatientId, PractitionerId};
use prm::medium::Medium;

use crate::choice::Pick;
use crate::dialogue::{About, Dialogue, Open, PROVEN_HOURS, PROVEN_MAX, WRONG_PROOFS_MAX};
use crate::effect::{Effect, Look, Note};
use crate::facts::Facts;
use crate::intent::Intent;
use crate::sentence::Sentence;
use crate::words::{Arguments, Words};

/// Letters that may stand before a question in one message; more is a message of its own.
const BEFORE_QUESTION_LETTERS_MAX: usize = 400;

/// A question, and what may be chosen.
pub(crate) struct Question {
    pub(crate) about: About,
    pub(crate) text: String,
    pub(crate) choices: Vec<Choice>,
}

impl Question {
    /// A question that is answered in words.
    pub(crate) fn open(about: About, text: String) -> Self {
        Self { about, text, choices: Vec::new() }
    }
}

/// One step as it is worked out.
pub(crate) struct Turn<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) dialogue: Dialogue,
    /// What is said next, paragraph by paragraph.
    lines: Vec<String>,
    /// Whether the next question is shown with numbers, whatever the medium can.
    pub(crate) by_number: bool,
    /// Whether what was looked up shows that nothing was understood.
    pub(crate) missed: bool,
    effects: Vec<Effect>,
}

impl<'a> Turn<'a> {
    pub(crate) fn new(mut dialogue: Dialogue, facts: &'a Facts) -> Self {
        let lines = std::mem::take(&mut dialogue.pending);
        Self { facts, dialogue, lines, by_number: false, missed: false, effects: Vec::new() }
    }

    /// The language of the answer.
    pub(crate) fn words(&self) -> Words<'a> {
        Words::of(self.dialogue.language.as_deref(), self.facts)
    }

    /// Adds a sentence to what is said next.
    pub(crate) fn say(&mut self, sentence: Sentence, arguments: &Arguments<'_>) {
        self.lines.push(self.words().say(sentence, arguments));
    }

    /// Adds words that are the clinic's, not ours.
    pub(crate) fn say_words(&mut self, text: String) {
        self.lines.push(text);
    }

    /// Says what was added, as one message.
    pub(crate) fn flush(&mut self) {
        if !self.lines.is_empty() {
            let text = self.lines.drain(..).collect::<Vec<_>>().join("\n");
            self.push_text(text);
        }
    }

    /// Lets go of what was to be said with an answer that never came.
    pub(crate) fn forget_lines(&mut self) {
        self.lines.clear();
    }

    /// Says a signed QR, as a message of its own that can be passed on.
    pub(crate) fn say_qr(&mut self, qr: Option<String>) {
        if let Some(qr) = qr {
            self.say(Sentence::Qr, &[]);
            self.flush();
            self.push_text(qr);
        }
    }

    fn push_text(&mut self, text: String) {
        let text = text.chars().take(TEXT_LETTERS_MAX).collect::<String>();
        self.effects.push(Effect::Say(Content::text(text)));
    }

    /// Asks, and remembers what was asked.
    pub(crate) fn ask(&mut self, question: Question) {
        let Question { about, text, mut choices } = question;
        if self.by_number && about != About::Menu {
            choices.truncate(CHOICES_MAX - 2);
            choices.push(self.choice(Pick::Want(Intent::StartOver), Sentence::Restart));
            choices.push(self.choice(Pick::Want(Intent::Person), Sentence::MenuDesk));
        }
        choices.truncate(CHOICES_MAX);
        let before: usize = self.lines.iter().map(|line| line.chars().count()).sum();
        if before > BEFORE_QUESTION_LETTERS_MAX {
            self.flush();
        }
        self.lines.push(text);
        let text = self.lines.drain(..).collect::<Vec<_>>().join("\n");
        let open = choices.iter().map(|choice| (choice.id.clone(), choice.title.clone())).collect();
        self.dialogue.open = Some(Open { about, choices: open });
        self.dialogue.serial = self.dialogue.serial.wrapping_add(1);
        self.dialogue.questions = self.dialogue.questions.saturating_add(1);
        if choices.is_empty() {
            self.push_text(text);
            return;
        }
        let fits = !self.by_number && all_fit(&choices);
        let label = (choices.len() > prm::content::BUTTONS_MAX)
            .then(|| self.words().plain(Sentence::Choose));
        let content = Content::Choices { text, label, choices };
        let said = if fits { content } else { Content::text(content.plain()) };
        self.effects.push(Effect::Say(said));
    }

    /// What was shown without being asked for: until something is asked, it may be answered by number.
    pub(crate) fn was_shown(&mut self, about: About, choices: Vec<Choice>) {
        let choices = choices.into_iter().map(|choice| (choice.id, choice.title)).collect();
        let shown = Some(Open { about, choices });
        if self.dialogue.stack.is_empty() {
            self.dialogue.open = shown;
        } else if self.dialogue.open.as_ref().is_some_and(|open| open.about != About::YesNo) {
            self.dialogue.beside = shown;
        }
    }

    /// Adds what is to be looked up or done. What was to be said is said with what comes of it, in one message.
    pub(crate) fn await_answer(&mut self, effect: Effect) {
        self.dialogue.pending = std::mem::take(&mut self.lines);
        self.dialogue.awaits = true;
        self.dialogue.open = None;
        self.effects.push(effect);
    }

    /// Notes for the desk what was understood.
    pub(crate) fn note(&mut self, intent: Option<Intent>, proposed: bool, why: &'static str) {
        let flow = self.dialogue.stack.last().map(|frame| frame.word());
        let note = Note { intent, proposed, flow, why, at: self.facts.now };
        self.effects.push(Effect::Note(note));
    }

    pub(crate) fn done(mut self) -> (Dialogue, Vec<Effect>) {
        self.flush();
        (self.dialogue, self.effects)
    }

    /// A choice.
    pub(crate) fn choice(&self, pick: Pick, title: Sentence) -> Choice {
        choice(pick, self.words().plain(title), None)
    }

    /// Yes and no to the next question, and to that one only.
    pub(crate) fn yes_no(&self) -> Vec<Choice> {
        let serial = self.dialogue.serial.wrapping_add(1);
        vec![
            self.choice(Pick::Yes(serial), Sentence::Yes),
            self.choice(Pick::No(serial), Sentence::No),
        ]
    }

    /// A question that is answered by yes or no.
    pub(crate) fn ask_yes_no(&self, text: String) -> Question {
        Question { about: About::YesNo, text, choices: self.yes_no() }
    }

    /// What can be done here.
    pub(crate) fn menu(&mut self) -> Question {
        let choices = [
            (Intent::Book, Sentence::MenuBook),
            (Intent::MyAppointments, Sentence::MenuMine),
            (Intent::Move, Sentence::MenuMove),
            (Intent::Cancel, Sentence::MenuCancel),
            (Intent::WhereInQueue, Sentence::MenuQueue),
            (Intent::Person, Sentence::MenuDesk),
        ];
        let choices =
            choices.into_iter().map(|(intent, title)| self.choice(Pick::Want(intent), title));
        Question {
            about: About::Menu,
            text: self.words().plain(Sentence::Menu),
            choices: choices.collect(),
        }
    }

    /// The local date of an instant.
    pub(crate) fn date(&self, at: Timestamp) -> Date {
        prm::time::local_date(&self.facts.zone, at)
    }

    /// The date of an instant, as it is said.
    pub(crate) fn day_words(&self, at: Timestamp) -> FluentValue<'static> {
        self.words().day(self.date(at)).into()
    }

    /// The time of an instant, as it is said.
    pub(crate) fn clock_words(&self, at: Timestamp) -> FluentValue<'static> {
        self.words().clock(self.facts.zone.to_datetime(at).time()).into()
    }

    /// The name of a practitioner, as it is said.
    pub(crate) fn practitioner_words(&self, id: PractitionerId) -> FluentValue<'static> {
        let name = self.facts.practitioner(id).map(|it| it.name.clone()).unwrap_or_default();
        name.into()
    }

    /// Whether what is said here can be overheard by whoever called under a forged number. What is
    /// written goes to the number itself.
    pub(crate) fn is_spoken(&self) -> bool {
        match self.dialogue.medium {
            Some(Medium::Voice | Medium::VoiceAgent) => true,
            Some(Medium::Whatsapp | Medium::Sms | Medium::Email) | None => false,
        }
    }

    /// Whether somebody's birth was said rightly, not too long ago.
    pub(crate) fn is_proven(&self, patient: PatientId) -> bool {
        let until = |at: Timestamp| prm::time::plus_minutes(at, PROVEN_HOURS * 60);
        let mut proven = self.dialogue.proven.iter();
        proven.any(|(proven, at)| *proven == patient && self.facts.now < until(*at))
    }

    /// Remembers that somebody's birth was said rightly.
    pub(crate) fn prove(&mut self, patient: PatientId) {
        self.dialogue.wrong_proofs = 0;
        self.remember_proven(patient);
    }

    /// Remembers that whoever speaks knows somebody's birth: they said it, or registered them with it.
    pub(crate) fn remember_proven(&mut self, patient: PatientId) {
        self.dialogue.proven.retain(|(proven, _)| *proven != patient);
        if self.dialogue.proven.len() >= PROVEN_MAX {
            self.dialogue.proven.remove(0);
        }
        self.dialogue.proven.push((patient, self.facts.now));
    }

    /// Remembers that a birth was said wrongly.
    pub(crate) fn wrong_proof(&mut self) {
        self.dialogue.wrong_proofs = self.dialogue.wrong_proofs.saturating_add(1);
    }

    /// Whether no more births are heard here.
    pub(crate) fn is_locked(&self) -> bool {
        self.dialogue.wrong_proofs >= WRONG_PROOFS_MAX
    }

    /// A question that is looked up in the clinic's answers.
    pub(crate) fn faq(&self, words: &str) -> Look {
        Look::Faq { words: words.to_owned(), language: self.words().tag().to_owned() }
    }
}

/// A choice with what stands on it and below it.
pub(crate) fn choice(pick: Pick, title: String, description: Option<String>) -> Choice {
    Choice { id: pick.to_string(), title, description }
}

/// Whether all can be buttons or rows: short enough, and no two alike.
fn all_fit(choices: &[Choice]) -> bool {
    choices.iter().enumerate().all(|(at, choice)| {
        choice.title.chars().count() <= CHOICE_TITLE_LETTERS_MAX
            && !choices[..at].iter().any(|earlier| earlier.title == choice.title)
    })
}
