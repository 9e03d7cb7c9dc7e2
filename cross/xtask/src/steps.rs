//! Programs that are called, and the steps of a test run with the time each took.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::say;

/// Runs a program and shows what it says.
pub fn run(command: &mut Command) -> Result<()> {
    say(&format!("$ {}", line(command)));
    let status = command.status().with_context(|| format!("cannot start {}", line(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", line(command));
    }
    Ok(())
}

/// Runs a program and keeps what it prints.
pub fn output(command: &mut Command) -> Result<Vec<u8>> {
    let kept = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", line(command)))?;
    if !kept.status.success() {
        bail!("`{}` ended with {}", line(command), kept.status);
    }
    Ok(kept.stdout)
}

fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

/// The steps of one test run.
pub struct Steps<'a> {
    only: Option<&'a str>,
    done: Vec<(&'static str, Duration)>,
}

impl<'a> Steps<'a> {
    /// All steps, or only the one with this name.
    pub fn new(only: Option<&'a str>) -> Self {
        Self { only, done: Vec::new() }
    }

    /// A step that the others need, whichever of them was asked for.
    pub fn prepare(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        say(&format!("\n== {name}"));
        let start = Instant::now();
        work().with_context(|| name)?;
        self.done.push((name, start.elapsed()));
        say(&format!("== {name}: {:.1} s", start.elapsed().as_secs_f64()));
        Ok(())
    }

    /// Runs the step, unless another one was asked for. The first that fails ends the run.
    pub fn run(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        if self.only.is_some_and(|only| only != name) {
            return Ok(());
        }
        self.prepare(name, work).inspect_err(|_| {
            say(&format!("\n== {name}: FAILED; again with `cargo xtask test --only {name}`"));
        })
    }

    /// Prints the steps and their seconds.
    pub fn finish(&self) {
        let all: Duration = self.done.iter().map(|(_, took)| *took).sum();
        say("\nAll passed:");
        for (name, took) in self.done.iter().copied().chain([("together", all)]) {
            say(&format!("  {name:<10}{:>8.1} s", took.as_secs_f64()));
        }
    }
}
