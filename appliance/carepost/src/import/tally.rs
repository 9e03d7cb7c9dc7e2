//! What was taken, merged, refused and why: numbers by type, and each refusal without what it was about.

use std::collections::BTreeMap;

use fhir::{Issue, Outcome};
use serde_json::{Value, json};

/// What became of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It is new here.
    Taken,
    /// It was on record here, and the record got what it lacked.
    Merged,
    /// It came before and says something else now.
    Changed,
    /// It came before, or is this clinic's own.
    Unchanged,
    /// The box writes it itself, or it is no record of anything.
    LeftOut,
    /// It was refused.
    Refused,
}

impl Fate {
    /// Every fate, in the order of the report.
    pub const ALL: [Self; 6] =
        [Self::Taken, Self::Merged, Self::Changed, Self::Unchanged, Self::LeftOut, Self::Refused];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Merged => "merged",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::LeftOut => "left out",
            Self::Refused => "refused",
        }
    }
}

/// What was refused, and why.
#[derive(Debug)]
pub struct Refusal<'a> {
    /// The file.
    pub file: &'a str,
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Its type, if it could be told.
    pub kind: Option<&'a str>,
    /// What the source calls it, if it does.
    pub name: Option<&'a str>,
    /// Why. No issue repeats a value.
    pub issues: &'a [Issue],
}

impl Refusal<'_> {
    /// As one object of the report.
    pub fn to_json(&self) -> Value {
        let Self { file, line, kind, name, issues } = self;
        let outcome = Outcome { issues: issues.to_vec() }.to_json();
        json!({ "file": file, "line": line, "type": kind, "id": name, "issues": outcome["issue"] })
    }
}

/// Reasons that are counted apart; whatever else is wrong is counted together.
const REASONS_MAX: usize = 200;

/// Numbers of what became of what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    types: BTreeMap<String, [u64; Fate::ALL.len()]>,
    reasons: BTreeMap<String, u64>,
    /// References to what is nowhere that were kept as words.
    pub lost_kept: u64,
}

impl Tally {
    /// One more. What is broken has no type.
    pub fn count(&mut self, kind: Option<&str>, fate: Fate) {
        let of_type = self.types.entry(kind.unwrap_or("(unreadable)").to_owned()).or_default();
        if let Some(count) = of_type.get_mut(fate as usize) {
            *count += 1;
        }
    }

    /// One more reason for a refusal.
    pub fn reason(&mut self, issue: &Issue) {
        let text = match &issue.expression {
            // The place without the numbers of entries: one reason for all.
            Some(place) => format!("{}: {}", without_numbers(place), issue.diagnostics),
            None => issue.diagnostics.clone(),
        };
        let is_known = self.reasons.contains_key(&text) || self.reasons.len() < REASONS_MAX;
        let text = if is_known { text } else { "other reasons".to_owned() };
        *self.reasons.entry(text).or_default() += 1;
    }

    /// How many had this fate.
    pub fn of(&self, fate: Fate) -> u64 {
        self.types.values().filter_map(|counts| counts.get(fate as usize)).sum()
    }

    /// How many of a type had this fate.
    pub fn of_type(&self, kind: &str, fate: Fate) -> u64 {
        self.types.get(kind).and_then(|counts| counts.get(fate as usize)).copied().unwrap_or(0)
    }

    /// How many there are in all.
    pub fn all(&self) -> u64 {
        Fate::ALL.iter().map(|fate| self.of(*fate)).sum()
    }

    /// As people read it.
    pub fn text(&self) -> String {
        let counts = |count: &dyn Fn(Fate) -> u64| {
            let said = Fate::ALL.iter().filter(|fate| count(**fate) > 0);
            let said: Vec<String> =
                said.map(|fate| format!("{} {}", count(*fate), fate.as_str())).collect();
            if said.is_empty() { "nothing".to_owned() } else { said.join(", ") }
        };
        let mut text = String::new();
        for kind in self.types.keys() {
            text.push_str(&format!("{kind}: {}\n", counts(&|fate| self.of_type(kind, fate))));
        }
        if !self.reasons.is_empty() {
            text.push_str("\nrefused because:\n");
            let mut reasons: Vec<_> = self.reasons.iter().collect();
            reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            for (reason, count) in reasons {
                text.push_str(&format!("  {count} × {reason}\n"));
            }
        }
        if self.lost_kept > 0 {
            text.push_str(&format!("\n{} references kept as words\n", self.lost_kept));
        }
        text.push_str(&format!("\nin all: {}\n", counts(&|fate| self.of(fate))));
        text
    }

    /// As programs read it.
    pub fn to_json(&self) -> Value {
        let counts = |count: &dyn Fn(Fate) -> u64| {
            let word = |fate: Fate| fate.as_str().replace(' ', "_");
            Fate::ALL.iter().map(|fate| (word(*fate), Value::from(count(*fate)))).collect()
        };
        let counts = |count: &dyn Fn(Fate) -> u64| Value::Object(counts(count));
        let types =
            self.types.keys().map(|kind| (kind.clone(), counts(&|fate| self.of_type(kind, fate))));
        json!({
            "all": counts(&|fate| self.of(fate)),
            "types": Value::Object(types.collect()),
            "reasons": self.reasons,
            "references_kept_as_words": self.lost_kept,
        })
    }
}

/// `Appointment.participant[3].actor` as `Appointment.participant.actor`.
fn without_numbers(place: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for letter in place.chars() {
        match letter {
            '[' => inside = true,
            ']' => inside = false,
            _ if inside => {}
            _ => text.push(letter),
        }
    }
    text
}
