//! A box and its hub in one process, in a world in which everything goes wrong, drawn from a seed.
//!
//! Both ends are the real ones on real databases, in memory: `prm` and the agent at the box, the hub's own
//! `receive` at the other end. The line, the clocks, the disks and the desk are played. A story is a
//! list of [`story::Step`]s; it runs without a thread of its own, without waiting and without the time of
//! day. After each step what was acknowledged is compared with what is there, and at the end all
//! is healed and both sides have to be equal ([`healing`]).
//!
//! ```text
//! cargo nextest run -p tests simulation                       # as many seeds as a test may take
//! CAREPOST_SEEDS=10000 cargo nextest run -p tests simulation  # so many
//! CAREPOST_SEED=17 cargo nextest run -p tests simulation      # this one
//! CAREPOST_STORY="book 3; talk 0" cargo nextest run -p tests simulation
//! ```
//!
//! A story that fails is shrunk: steps are left out as long as it still fails in the same way. What is
//! left is printed as a line for `CAREPOST_STORY`.
//!
//! # What is played
//!
//! | what goes wrong | how |
//! |---|---|
//! | the line | an envelope is lost, doubled, late, cut short, altered, or comes again after days; an answer, too |
//! | power | either end is gone between any two commits and opens again from its files; what a process knew is lost |
//! | disk | a write is rolled back by the database, as SQLite does when there is no room |
//! | backups | either end is put back; the box as `carepost restore` does, with a new log, or as a bare copy |
//! | a copied disk | two boxes with one log, both in use |
//! | clocks | 1970, 2099, an hour back, half and double speed |
//!
//! Files lie in `/dev/shm` where there is one, so that what the programs write to the disk costs nothing;
//! that a disk keeps it is `journeys/kill.rs`. Ids and keys are drawn by the programs
//! themselves; a story names things by their place in a list, so that it does not depend on them.
//!
//! Of what the hub asks wishes and edits are played; what is an operation of the box's FHIR door is not,
//! it has tests of its own in `carepost`.
//!
//! # Loans
//!
//! The hub sells what it holds, and tries what it may not sell; patients call off, or come with their
//! confirmation; the desk asks back and takes back; terms, cut-offs and both ends' clocks pass. Whoever
//! compares ([`sales`]) knows what a patient knows: what was confirmed is kept for who bought it, from the
//! sale on, and in the end it is in the diary or work for the desk. Promised is nothing where both ends
//! were put back, and where two boxes of one disk, or a disk that was put back without a new log,
//! lent the same.
//!
//! # Broken on purpose
//!
//! Each rule was taken out of the programs once; this many seeds it took to find that.
//!
//! | taken out | seeds |
//! |---|---|
//! | a booking claims its time | 2 |
//! | the hub writes all that its receipt says | 3 |
//! | the hub forgets what a whole statement did not name | 3 |
//! | the hub believes a report of a copy | 1 |
//! | a log that was left stays left | 6 |
//! | the box compares the marks of a receipt with its own log | 1 |
//! | the box notes what the receipt says, not what it sent | 4 |
//! | a stretch has all records that changed | 24 |
//! | what the box says it took in, it took in | 7 |
//! | an edit of a patient is in the log | 4 |
//!
//! Of loans and requests, from the stories with loans. What needs several rare things at once, no story of
//! some hundred found: a sale after the term, a return of any fence, what is learned but not believed. Those are
//! found by the models in `sync/protocol/tests/loans`.
//!
//! | taken out | seeds |
//! |---|---|
//! | a loan claims its time | 3 |
//! | the hub keeps what it sold | 3 |
//! | a copy of the box that learns takes in what was sold | 6 |
//! | what was held of an old life is over | 6 |
//! | the hub remembers a sale that is settled | 7 |
//! | nothing is sold after its time | 18 |
//! | a grant of a lower fence is old | 18 |
//! | a sale is told until the slot is asked back | 28 |
//! | a loan that is unknown stays away | 37 |
//! | a loan is sold once | 43 |
//! | a sale is adopted with who bought | 43 |
//! | a hub that misses sales gives back what it held | 92 |
//! | nobody takes back what may be sold still | 173 |
//! | a return is kept until it is settled | 1 |
//! | how far the requests are is written with them | 1 |
//! | only the box says how far it has the requests | 55 |

mod acknowledged;
mod asking;
mod boxes;
mod content;
mod desk;
mod healing;
mod hub;
mod lending;
mod line;
mod loans;
mod sales;
mod seeds;
mod shrinking;
mod story;
mod template;
mod world;
