//! Following the change log without taking the processor from others.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::sync::watch::error::RecvError;
use tokio::time::sleep;

/// So long changes are gathered before what follows them without hurry looks again: when a thousand come in a second,
/// what has nothing to do with them leaves the processor to what has.
const GATHERED: Duration = Duration::from_millis(100);
/// A look that was over in this time was none to rest after.
const QUICK: Duration = Duration::from_millis(2);
/// After others so many times as long as the look took passes before the next, so that it is a fourth of the time.
const REST: u32 = 3;

/// Waits for a change of the log, and a moment for more.
///
/// # Errors
/// If the log is closed, which means that the box stops.
pub(crate) async fn some(log: &mut watch::Receiver<i64>) -> Result<(), RecvError> {
    log.changed().await?;
    sleep(GATHERED).await;
    Ok(())
}

/// Rests after a look that began then, for those who look after each change: while much waits, a look takes long and
/// changes come often.
pub(crate) async fn rest(begun: Instant) {
    let took = begun.elapsed();
    if took > QUICK {
        sleep((REST * took).min(GATHERED)).await;
    }
}
