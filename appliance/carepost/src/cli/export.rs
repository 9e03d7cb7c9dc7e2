//! `carepost export`.

use std::path::PathBuf;

use clap::Args;
use prm::{audit, change};

use super::Place;
use super::progress::Progress;
use super::terminal::say;
use crate::app::open_db;
use crate::clock::Clock;
use crate::export;

#[derive(Debug, Args)]
pub(super) struct Export {
    #[command(flatten)]
    place: Place,
    /// The folder to write to, empty or not there yet. What lies in it afterwards is not encrypted.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Writes the audit, too.
    #[arg(long)]
    audit: bool,
}

impl Export {
    pub(super) fn run(self, clock: &Clock) -> anyhow::Result<()> {
        let Self { place, out, audit } = self;
        let db = open_db(&place.data)?;
        // As many as there were writes at the most, and lines of the audit: a guess, for the bar only.
        let all = db.read_blocking(move |read| {
            let lines = if audit { audit::last(read)? } else { 0 };
            Ok(change::last(read)?.saturating_add(lines).unsigned_abs())
        })?;
        let mut progress = Progress::of("written", all);
        let written = export::run(&db, clock.now(), (&out, audit), &mut |done| progress.at(done));
        drop(progress);
        db.close();
        let written = written?;
        let mut text = String::new();
        for file in &written {
            text.push_str(&format!(
                "{}: {} resources, {} bytes\n",
                file.file, file.count, file.bytes
            ));
        }
        let (count, bytes) =
            written.iter().fold((0, 0), |(count, bytes), it| (count + it.count, bytes + it.bytes));
        text.push_str(&format!("in all: {count} resources, {bytes} bytes in {}\n", out.display()));
        say(&text)
    }
}
