//! In which language is answered.

use serde::{Deserialize, Serialize};

use super::{Flow, Next, Said};
use crate::choice::Pick;
use crate::dialogue::About;
use crate::effect::Answer;
use crate::sentence::Sentence;
use crate::turn::{Question, Turn, choice};
use crate::words::{LANGUAGES, name_of, spoken};

/// The wish for another language.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct AskLanguage {
    chosen: Option<String>,
}

impl Flow for AskLanguage {
    fn take(&mut self, said: &Said<'_>, turn: &mut Turn<'_>) -> bool {
        let wanted = match said.pick {
            Some(Pick::Language(tag)) => Some(tag.as_str()),
            Some(_) => None,
            None => said.words.slots.language.map(|language| language.tag()),
        };
        let known = wanted.and_then(|tag| spoken(tag, turn.facts));
        self.chosen = known.map(str::to_owned);
        known.is_some()
    }

    fn learn(&mut self, _: Answer, _: &mut Turn<'_>) -> bool {
        false
    }

    fn next(&mut self, turn: &mut Turn<'_>) -> Next {
        if let Some(chosen) = self.chosen.take() {
            turn.dialogue.language = Some(chosen);
            turn.dialogue.language_chosen = true;
            turn.say(Sentence::LanguageSet, &[]);
            return Next::Done;
        }
        let each = LANGUAGES.iter().filter_map(|(tag, _)| spoken(tag, turn.facts));
        let choices =
            each.map(|tag| choice(Pick::Language(tag.to_owned()), name_of(tag), None)).collect();
        let text = turn.words().plain(Sentence::AskLanguage);
        Next::Ask(Question { about: About::Language, text, choices })
    }
}
