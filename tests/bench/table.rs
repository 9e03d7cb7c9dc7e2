//! What was measured, as a table for people.

use std::io::Write as _;

/// One figure beside its goal and its reference.
#[derive(Clone)]
pub struct Figure {
    /// The group that `--only` names.
    pub group: &'static str,
    pub what: String,
    pub value: String,
    /// What it is to be, and whether it is.
    pub goal: Option<(&'static str, bool)>,
    /// The same job done by next to nothing, in this run.
    pub reference: String,
}

/// A line on the terminal.
pub fn say(line: &str) {
    // A closed terminal is no reason to stop half way.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The figures of one clinic, one to a line.
pub fn figures(title: &str, figures: &[Figure]) {
    say(&format!("\n{title}\n"));
    let head = ["figure", "measured", "goal", "", "reference in the same run"].map(str::to_owned);
    let mut lines = vec![head];
    for figure in figures {
        let (goal, met) = match figure.goal {
            Some((goal, true)) => (goal, "met"),
            Some((goal, false)) => (goal, "MISSED"),
            None => ("", ""),
        };
        lines.push([
            figure.what.clone(),
            figure.value.clone(),
            goal.to_owned(),
            met.to_owned(),
            figure.reference.clone(),
        ]);
    }
    aligned(&lines);
}

/// How each figure grows from one clinic to the next.
pub fn growth(columns: &[(String, Vec<Figure>)]) {
    say("\nHow it grows, by appointments\n");
    let mut lines = vec![
        std::iter::once(String::new())
            .chain(columns.iter().map(|(name, _)| name.clone()))
            .collect(),
    ];
    let Some((_, last)) = columns.last() else { return };
    for figure in last {
        let of = |figures: &Vec<Figure>| {
            let found = figures.iter().find(|other| other.what == figure.what);
            found.map_or_else(String::new, |other| other.value.clone())
        };
        let mut line = vec![figure.what.clone()];
        line.extend(columns.iter().map(|(_, figures)| of(figures)));
        lines.push(line);
    }
    aligned(&lines);
}

fn aligned<L: AsRef<[String]>>(lines: &[L]) {
    let columns = lines.iter().map(|line| line.as_ref().len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = lines.iter().filter_map(|line| line.as_ref().get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    for line in lines {
        let cells = line.as_ref().iter().zip(&widths);
        let text: String = cells.map(|(cell, width)| format!("{cell:<width$}  ")).collect();
        say(text.trim_end());
    }
}
