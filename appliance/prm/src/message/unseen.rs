//! What reached nobody is left to the desk.

use jiff::SignedDuration;

use super::{Message, Progress, Purpose, row};
use crate::conversation;
use crate::db::{Read, Tx};
use crate::error::Result;
use crate::stamp::Stamp;
use crate::ticket::{self, Opening, Reason};

/// So long after its end nobody has to be told any more what a reminder or a notice said.
const OVER_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// Whether nobody saw a message and nobody will: each of its tries has failed, or there was none.
pub(super) fn is_unseen(read: &Read<'_>, stamp: &Stamp, message: &Message) -> Result<bool> {
    let tries = row::deliveries(read, stamp, message.id)?;
    Ok(tries.iter().all(|it| it.progress == Progress::Failed))
}

/// Opens a ticket for a message that reached nobody; one for all of a conversation that are open. Where the desk has as
/// many as it can have, the conversation itself waits there.
pub(super) fn leave_to_the_desk(tx: &mut Tx<'_>, stamp: &Stamp, message: &Message) -> Result<()> {
    let said = message.said()?;
    let is_news = match said.purpose {
        Purpose::Reply | Purpose::Desk => false,
        Purpose::Reminder | Purpose::Notice => true,
    };
    let is_over = |end: jiff::Timestamp| OVER_AFTER < stamp.now.duration_since(end);
    if is_news && said.not_after.is_some_and(is_over) {
        return Ok(());
    }
    let opening = Opening {
        reason: Reason::NotDelivered,
        subject: String::new(),
        patient: conversation::get(tx, stamp, message.conversation)?.patient,
        conversation: Some(message.conversation),
        due: said.not_after.filter(|end| is_news && stamp.now < *end),
        assignee: None,
    };
    ticket::leave(tx, stamp, opening)
}
