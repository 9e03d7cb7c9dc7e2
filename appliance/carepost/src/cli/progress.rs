//! How far a long command has come: a bar on a terminal, a line at each tenth elsewhere; on stderr.

use std::io::{self, IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Lines that are told where there is no terminal.
const LINES: u64 = 10;

/// How far something has come.
pub(super) struct Progress {
    what: &'static str,
    all: u64,
    bar: Option<ProgressBar>,
    told: u64,
}

impl Progress {
    /// Of so many in all.
    pub(super) fn of(what: &'static str, all: u64) -> Self {
        Self::with(
            what,
            all,
            "{msg:8} {wide_bar} {human_pos} of {human_len}, {per_sec}, {eta} left",
        )
    }

    /// Of so many bytes in all.
    pub(super) fn of_bytes(what: &'static str, all: u64) -> Self {
        Self::with(what, all, "{msg:8} {wide_bar} {bytes} of {total_bytes}, {eta} left")
    }

    fn with(what: &'static str, all: u64, template: &str) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_message(what);
            bar
        });
        Self { what, all, bar, told: 0 }
    }

    /// It has come so far.
    pub(super) fn at(&mut self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            return;
        }
        let tenths = done.saturating_mul(LINES).checked_div(self.all).unwrap_or(LINES);
        if tenths > self.told {
            self.told = tenths;
            // When stderr is closed there is nobody to tell.
            let _ = writeln!(io::stderr(), "{}: {done} of {}", self.what, self.all);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
