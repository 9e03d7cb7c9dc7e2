//! What to know before a visit.

use prm::id::HealthcareServiceId;
use serde::{Deserialize, Serialize};

use super::{Flow, Frame, Next, Said};
use crate::choice::Pick;
use crate::dialogue::About;
use crate::effect::{Answer, Look, Why};
use crate::sentence::Sentence;
use crate::turn::{Question, Turn, choice};

/// What to know before a visit.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Instructions {
    service: Option<HealthcareServiceId>,
    /// Whether nobody asked: then nothing is said where there is nothing to know.
    unasked: bool,
    over: bool,
}

impl Instructions {
    /// Of that visit.
    pub(crate) fn before(service: HealthcareServiceId) -> Self {
        Self { service: Some(service), ..Self::default() }
    }

    /// Of a visit that was just promised.
    pub(crate) fn beside(service: HealthcareServiceId) -> Self {
        Self { unasked: true, ..Self::before(service) }
    }
}

impl Flow for Instructions {
    fn take(&mut self, said: &Said<'_>, turn: &mut Turn<'_>) -> bool {
        let named = match said.pick {
            Some(Pick::Service(id)) => Some(*id),
            Some(_) => None,
            None => said.words.slots.services.first().map(|it| it.of),
        };
        let known = named.filter(|id| turn.facts.healthcare_service(*id).is_some());
        self.service = known.or(self.service);
        known.is_some()
    }

    fn learn(&mut self, answer: Answer, turn: &mut Turn<'_>) -> bool {
        let Answer::Instructions(text) = answer else { return false };
        let service = self.service.and_then(|id| turn.facts.healthcare_service(id));
        match (text, service) {
            (Some(text), _) => turn.say_words(text),
            (None, Some(service)) if !self.unasked => {
                let name = service.name.as_str().into();
                turn.say(Sentence::NoInstructions, &[("service", name)]);
            }
            (None, Some(_) | None) => {}
        }
        self.over = true;
        true
    }

    fn next(&mut self, turn: &mut Turn<'_>) -> Next {
        if self.over {
            return Next::Done;
        }
        if let Some(service) = self.service {
            return Next::Look(Look::Instructions { service, language: turn.words().tag().into() });
        }
        let services = &turn.facts.services;
        if services.is_empty() {
            return Next::Become(Frame::desk(Why::Question));
        }
        let each = services.iter().map(|it| choice(Pick::Service(it.id), it.name.clone(), None));
        Next::Ask(Question {
            about: About::Service,
            text: turn.words().plain(Sentence::AskService),
            choices: each.collect(),
        })
    }
}
