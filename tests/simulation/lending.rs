//! The box's end of its loans, with a line that stands still: what was said waits for the story.

use std::path::Path;
use std::pin::Pin;

use carepost::sync;
use jiff::Timestamp;
use prm::db::Db;
use sync_agent::loans::{BoxTime, Loans, Nonce, Turn, Usual};
use sync_agent::{Fault, Line};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

/// Hours before its start at which a slot is neither lent nor sold any more.
pub const CUTOFF_HOURS: u32 = 6;
/// Hours for which the hub may sell.
pub const TERM_HOURS: u32 = 12;
/// What is lent: a third of the next days, so that a short story sees the end of it.
const USUAL: Usual = Usual {
    share_percent: 34,
    cutoff_hours: CUTOFF_HOURS,
    horizon_days: 2,
    term_hours: TERM_HOURS,
};

/// Said to the hub, and who waits for the answer.
struct Said {
    envelope: Vec<u8>,
    answer: oneshot::Sender<Result<Vec<u8>, Fault>>,
}

/// A line that ends in the test.
struct Wire(UnboundedSender<Said>);

impl Line for Wire {
    async fn exchange(&mut self, _: String, envelope: Vec<u8>) -> Result<Vec<u8>, Fault> {
        let (answer, answered) = oneshot::channel();
        // Whoever plays the line is gone with the box.
        drop(self.0.send(Said { envelope, answer }));
        answered.await.unwrap_or(Err(Fault::Refused(504)))
    }
}

/// A turn of the agent that is under way, which gives the agent back.
type Going = Pin<Box<dyn Future<Output = (Loans<Wire>, Result<Turn, Fault>)>>>;

/// The agent of the loans, and how far its turn is.
pub struct Lending {
    idle: Option<Loans<Wire>>,
    going: Option<Going>,
    heard: UnboundedReceiver<Said>,
    said: Option<Said>,
    /// What the hub answered, which the box has not heard yet.
    pub answer: Option<Result<Vec<u8>, u16>>,
}

impl Lending {
    /// Of the box in a data folder, as after a start.
    pub fn of(data: &Path, db: Db) -> Self {
        let (wire, heard) = unbounded_channel();
        let idle = Some(sync::loans(data, db, USUAL, Wire(wire)));
        Self { idle, going: None, heard, said: None, answer: None }
    }

    /// Whether a turn is under way.
    pub fn is_going(&self) -> bool {
        self.going.is_some()
    }

    /// Begins a turn, and goes on until something is said or it is over.
    pub fn begin(
        &mut self,
        runtime: &Runtime,
        (nonce, now, at): (Option<Nonce>, Timestamp, BoxTime),
    ) -> Option<Result<Turn, Fault>> {
        let mut loans = self.idle.take()?;
        self.going = Some(Box::pin(async move {
            let turn = loans.round(nonce, now, at).await;
            (loans, turn)
        }));
        self.go_on(runtime)
    }

    /// What was said and not answered yet.
    pub fn said(&self) -> Option<&[u8]> {
        self.said.as_ref().map(|it| it.envelope.as_slice())
    }

    /// The box hears this, and goes on until it says more or the turn is over.
    pub fn hear(
        &mut self,
        runtime: &Runtime,
        answer: Result<Vec<u8>, Fault>,
    ) -> Option<Result<Turn, Fault>> {
        let Said { envelope: _, answer: waits } = self.said.take()?;
        self.answer = None;
        drop(waits.send(answer));
        self.go_on(runtime)
    }

    fn go_on(&mut self, runtime: &Runtime) -> Option<Result<Turn, Fault>> {
        let going = self.going.as_mut()?;
        let heard = &mut self.heard;
        let over = runtime.block_on(async {
            tokio::select! {
                over = going => Ok(over),
                said = heard.recv() => Err(said),
            }
        });
        match over {
            Ok((loans, turn)) => {
                (self.idle, self.going) = (Some(loans), None);
                Some(turn)
            }
            Err(said) => {
                self.said = said;
                None
            }
        }
    }
}
