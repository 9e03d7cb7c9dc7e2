//! What the box promises when things go wrong, proven on the program itself: killed, out of room, with a wrong
//! clock, raced for and lied to; and together with a hub, over a bad line.

mod backup;
mod clock;
mod conversations;
pub mod disk;
mod hostile;
mod kill;
mod race;
pub mod running;
mod sync;
