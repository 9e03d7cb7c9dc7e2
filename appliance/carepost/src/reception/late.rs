//! What is left to a person: what was heard too late to be answered here, because it was meant for another day, and what
//! comes from somebody who writes without end. The wish to hear no more holds at any time, and words of danger are answered
//! however late they come; whoever writes without end hears once that the desk reads on, and then nothing.

use ::reception::{Dialogue, Input, handed_over, late, step};
use jiff::Timestamp;
use prm::consent;
use prm::conversation::Holder;
use prm::error::Result;
use prm::message;

use super::{REPLY_GOOD_FOR, Stepped, Turn, facts, say, understood};

/// Hears what cannot wait, says once that the message came late if it did, and leaves it to a person.
pub(super) fn hear(mut turn: Turn<'_, '_>, is_late: bool) -> Result<()> {
    let facts = facts::of(&turn)?;
    let word = consent::at(turn.tx, &turn.stamp, &turn.message.address)?;
    let (mut said, mut notes) = (0, Vec::new());
    // Whoever took it back since is not stopped by what was on its way.
    if word.is_none_or(|word| word.said_at <= turn.message.said_at) {
        let silent = step(Dialogue::default(), Input::TakenOver, &facts).0;
        let heard = turn.heard()?;
        let stepped = turn.step(silent, Input::Heard(&heard), &facts)?;
        Stepped { dialogue: _, said, notes, for_a_person: _ } = stepped;
    }
    let Turn { tx, app, stamp, reception, conversation, message, is_mute } = turn;
    let day_ago = stamp.now.checked_sub(REPLY_GOOD_FOR).unwrap_or(Timestamp::MIN);
    let is_untold = said == 0 && conversation.held_by == Holder::Reception;
    let is_to_be_told = match (is_late, is_mute) {
        (true, false) => message::replies_since(tx, &stamp, conversation.id, day_ago)? == 0,
        (false, true) => consent::at(tx, &stamp, &message.address)?.is_none_or(|it| it.wanted),
        (_, _) => false,
    };
    if is_untold && is_to_be_told {
        let wording = facts::wording(tx, &stamp)?;
        let languages = facts::languages(app);
        let language = (conversation.language.as_deref(), languages.as_slice());
        let content =
            if is_late { late(language, &wording) } else { handed_over(language, &wording) };
        say(tx, (&stamp, &reception.rules), message, content)?;
    }
    message::handled(tx, &stamp, message.id, (understood(&notes).as_deref(), true))
}
