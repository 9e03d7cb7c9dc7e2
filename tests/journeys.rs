//! What the box promises when things go wrong, proven on the program itself: killed, out of room, with a wrong
//! clock, raced for and lied to.

mod backup;
mod clock;
mod disk;
mod hostile;
mod kill;
mod race;
pub mod running;
